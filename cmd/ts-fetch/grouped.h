#ifndef TS_FETCH_GROUPED_H
#define TS_FETCH_GROUPED_H

#include "buffer.h"
#include "page.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The days of many symbols date by date, with one request for the whole market's: cheaper where a
 * job has more tasks for the same days than these have sessions. The tasks are the members of a
 * group, which has one active task and one chunk. That these are the bars that each symbol would
 * have had is not taken for granted: one in so many members is asked for singly, before anything is
 * written, and compared with each date.
 */
struct tasks;
struct active;
struct chunk;
struct group;

/*
 * A task of days begins, with the chunk of its range: takes the waiting tasks of the same days with
 * it and makes it a group. False: it is not worth it.
 */
bool grouped_begin(struct tasks *, struct active *, struct chunk *);

/* Checks the rows of a date: NULL, or a static reason why the page is not to be used. */
const char *grouped_check(struct tasks *, struct active *, const struct page *);

/* As tasks_page() and tasks_request() do for one task. */
void grouped_page(struct tasks *, struct chunk *, const struct page *);
void grouped_announce(struct tasks *, struct group *);

/*
 * A date cannot be had: that is logged, with this tail, and the members are asked for one by one
 * from there on. False: it is not a date but a member that is asked for.
 */
bool grouped_give_up(struct tasks *, struct active *, struct slice error, const char *tail);

/* The member that is asked for singly fails, and the group goes on. */
void grouped_fail_sample(struct tasks *, struct active *, struct slice error);

/* All members fail that have no verdict. */
void grouped_fail(struct tasks *, struct group *, struct slice error);

/* Ends the group without records: how many tasks had no verdict. */
uint64_t grouped_end(struct tasks *, struct active *);

#endif
