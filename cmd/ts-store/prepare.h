#ifndef TS_PREPARE_H
#define TS_PREPARE_H

#include "load.h"

/*
 * Gives all open slots of a range the same status to begin with, whatever a try before made of
 * them; what the columns cannot hold is refused at once. False if no slot is open.
 */
bool prepare_range(struct load *, struct batch *, struct range, enum row_status);

#endif
