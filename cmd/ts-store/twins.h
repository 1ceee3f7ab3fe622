#ifndef TS_TWINS_H
#define TS_TWINS_H

#include "load.h"

/*
 * Gives up the groups of a range whose symbol is for their table the same as another one's, be it
 * in the table or in the range: their bars would replace each other's. As load_batch().
 */
enum outcome twins_fail(struct load *, struct batch *, struct range);

#endif
