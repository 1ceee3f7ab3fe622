#ifndef TS_FETCH_ANNOUNCE_H
#define TS_FETCH_ANNOUNCE_H

#include "bars.h"
#include "queue.h"
#include "record.h"

struct tasks;

/* A record of that type about a task, as far as all types have the same fields. */
struct record announce_about(const struct task *, enum record_type);

/* The record `loading` of a task, once. */
void announce_loading(struct tasks *, struct task *);

/* The record `fetched` of a task with these bars. */
void announce_fetched(struct tasks *, const struct task *, const struct bars *);

/*
 * The record `failed` of a task, or of what is not one of the queue; type, stage and error are
 * filled in here.
 */
void announce_failed(struct tasks *, struct record, struct slice error);

#endif
