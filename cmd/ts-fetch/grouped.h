#ifndef TS_FETCH_GROUPED_H
#define TS_FETCH_GROUPED_H

#include "task.h"

/*
 * The days of many symbols date by date, with one request for the whole market's: cheaper where a
 * job has more tasks for the same days than these have sessions. The tasks are the members of a
 * group; the one that began first stands for it and has its one chunk. That these are the bars that
 * each symbol would have had is not taken for granted: one in so many members is asked for singly,
 * before anything is written, and compared with each date.
 */
struct group;

/*
 * A task of days begins, with the chunk of its range: takes the waiting tasks of the same days with
 * it and makes it a group, if that is worth it.
 */
void grouped_begin(struct tasks *, struct active *, struct chunk *);

/* Checks the rows of a date: NULL, or a static reason why the page is not to be used. */
const char *grouped_check(struct tasks *, struct active *, const struct page *);

/* As tasks_page() and tasks_request() do for one task. */
void grouped_page(struct tasks *, struct chunk *, const struct page *);
void grouped_loading(struct tasks *, struct group *);

/*
 * What was asked for cannot be had. A date: that is logged, with this tail, and the members are
 * asked for one by one from there on. A member: it fails, as was logged, and the group goes on.
 */
void grouped_give_up(struct tasks *, struct active *, struct slice error, const char *tail);

/* Whether it is a date that is asked for, and not a member. */
bool grouped_dates(const struct group *);

/* As active_end() does for one task. */
uint64_t grouped_end(struct tasks *, struct group *, struct slice error);

#endif
