#ifndef TS_COMPARE_H
#define TS_COMPARE_H

#include "load.h"

/*
 * Begins a transaction and reads what the tables have already of a range's slots, all of which have
 * ROW_NEW; those that are there get ROW_SAME or ROW_CHANGED.
 */
enum outcome compare_range(struct load *, struct batch *, struct range);

#endif
