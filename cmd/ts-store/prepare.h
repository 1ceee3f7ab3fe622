#ifndef TS_PREPARE_H
#define TS_PREPARE_H

#include "load.h"

/*
 * Gives all open slots of a range the same status to begin with, whatever a try before made of
 * them; what the columns cannot hold is refused at once. False if no slot is open.
 */
bool prepare_range(struct load *, struct batch *, struct range, enum row_status);

/*
 * Gives up the groups of a range whose symbol is for their table the same as another one's, as AAPL
 * and aapl are where case is ignored, be that in the table or in the range: their bars would
 * replace each other's. As load_batch().
 */
enum outcome prepare_symbols(struct load *, struct batch *, struct range);

#endif
