#ifndef TS_STORED_H
#define TS_STORED_H

#include "record.h"
#include "series.h"

/* Says what a person should know of a series all of whose bars have their status. */
void stored_tell(const struct series *);

/* Appends its `stored` record; what names the task is in the fetched record that is given. */
void stored_write(struct buffer *, struct record *fetched, const struct series *);

#endif
