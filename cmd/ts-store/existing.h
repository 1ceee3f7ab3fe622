#ifndef TS_EXISTING_H
#define TS_EXISTING_H

#include "attempt.h"

/*
 * Begins a transaction and reads what the tables have already of a part's places, all of which have
 * FATE_NEW; those that are there get FATE_SAME or FATE_CHANGED.
 */
enum outcome existing_read(struct load *, struct batch *, struct part);

#endif
