#ifndef TS_STAGE_H
#define TS_STAGE_H

#include "attempt.h"

/*
 * Stores the places of a part that lie in one table and have FATE_CHANGED by way of a temporary
 * table, and gives each the fate that the statements showed. insert_first: they may be missing as
 * well as different; else they were seen to be there.
 */
enum outcome stage_rows(struct load *, struct batch *, const struct table *, struct part,
	bool insert_first);

#endif
