#ifndef TS_FETCH_TASK_H
#define TS_FETCH_TASK_H

#include "bars.h"
#include "calendar.h"
#include "chunk.h"
#include "derive.h"
#include "grouped.h"
#include "lines.h"
#include "page.h"
#include "queue.h"
#include "record.h"
#include "split.h"
#include "transfer.h"
#include "announce.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The life of tasks: `loading`, the bars page by page, and the verdict. What is asked for next, and
 * when, is sched.h's affair; what a response means, response.h's.
 */
enum {
	TASKS_QUEUE = 200000, /* tasks that wait; beyond it stdin is left alone */
	TASKS_PAGES = 10000,  /* of one task */
	TASKS_CHUNKS = 4,     /* in progress, those that wait for a retry included, per transfer */
};

/* A task in progress. There is at least one chunk for it, all of what is still to be fetched. */
struct active {
	struct task *task; /* NULL: free */
	struct bars bars;
	struct split split;
	unsigned chunks;      /* that are not free */
	unsigned pages;	      /* that have come */
	struct rider *riders; /* tasks whose bars are made of this one's */
	struct group *group;  /* that it stands for; NULL: it is by itself */
};

struct task_options {
	unsigned parallel;
	bool adjusted;
	bool extended;
	unsigned derive;  /* one derived series in so many is a sample; 0: nothing is derived */
	unsigned grouped; /* one symbol of a group in so many is a sample; 0: none is grouped */
};

struct task_counts {
	uint64_t tasks, fetched, failed, cancelled, bars;
};

struct tasks {
	struct task_options options;
	struct task_counts count;
	struct calendar *calendar;
	struct queue *queue;
	struct derive derive;
	struct transfer *transfer; /* in which chunks that are given up may have a request */
	struct writer *out;
	struct active *active;
	struct chunk *chunk;
	unsigned chunks, busy; /* how many there are, active tasks as well; how many are not free */
	bool held;	       /* no task begins: more may come that belong together */
	struct buffer dead; /* why nothing can be fetched any more, once the API refused the key */
};

/* NULL, or a static reason. transfer and out must outlive it. */
const char *tasks_init(
	struct tasks *, const struct task_options *, struct transfer *, struct writer *out);
void tasks_release(struct tasks *);

/* Whether no task is in progress and none waits. */
bool tasks_idle(const struct tasks *);

/* A task was read: it is queued, or fails where nothing can be fetched any more. */
void tasks_push(struct tasks *, const struct record *, const struct task *);

/*
 * The next page to ask for, of the task whose turn it is; NULL when there is none. A long range is
 * split first, as long as its task has no trouble and others have room.
 */
struct chunk *tasks_next(struct tasks *);

/* The symbol that is asked for, for the log: "*" for the whole market. */
struct slice tasks_symbol(const struct active *);

/* A request for the chunk begins. */
void tasks_request(struct tasks *, struct chunk *);

/*
 * A page came for the chunk and was checked: writes its bars, and the verdict with the last one.
 * NULL, or a static reason why the task must fail.
 */
const char *tasks_page(struct tasks *, struct chunk *, const struct page *);

/*
 * The task fails, with all its chunks and with what was to be made of it, and that is logged, with
 * this tail; of a group only the sample does that was asked for, or it is asked for in another way.
 * Of all tasks those in progress and those that wait fail.
 */
void tasks_fail(struct tasks *, struct active *, struct slice error, const char *tail);
void tasks_fail_all(struct tasks *, struct slice error);

/* Ends a task, all its chunks and what was to be made of it without a record: how many tasks. */
uint64_t tasks_drop(struct tasks *, struct active *);

/* Drops all tasks of a job; returns how many there were. */
uint64_t tasks_cancel(struct tasks *, struct slice job_id);

#endif
