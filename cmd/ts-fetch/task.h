#ifndef TS_FETCH_TASK_H
#define TS_FETCH_TASK_H

#include "bars.h"
#include "calendar.h"
#include "derive.h"
#include "hash.h"
#include "lines.h"
#include "page.h"
#include "queue.h"
#include "rate.h"
#include "record.h"
#include "redis_url.h"
#include "rollup.h"
#include "split.h"
#include "transfer.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The life of tasks: `loading`, the bars page by page, and the verdict. What is asked for next, and
 * when, is fetch.c's affair; what a response means, response.c's.
 */
enum {
	TASKS_QUEUE = 200000, /* tasks that wait; beyond it stdin is left alone */
	TASKS_PAGES = 10000,  /* of one task */
	TASKS_CHUNKS = 4,     /* in progress, those that wait for a retry included, per transfer */
};

/*
 * A task in progress: asked for by itself, in chunks that are all of what is still to be fetched;
 * or a rider, whose bars are made of another's; or a member of a group (grouped.h), of whom one
 * stands for all and has their chunk.
 */
struct active {
	struct active *prev, *next; /* those asked for; riders of one; those that derive.h keeps */
	struct task *task;
	struct bars bars;
	struct active *riders; /* tasks whose bars are made of this one's */
	int64_t start, end;    /* what is asked for: the task's, widened for its riders */
	unsigned pages;	       /* that its bars came on */
	bool done;	       /* it has its verdict */
	/* Of one that is asked for. */
	unsigned chunks; /* that are not free */
	struct split split;
	struct group *group; /* that it stands for; NULL: it is by itself */
	/* Of a rider. Of a member that is asked for singly: its days, to compare. */
	struct rollup rollup;
	int64_t earliest; /* start of the first bar that came, whether it belongs or not */
	/* Of a member. */
	UT_hash_handle hh; /* by its symbol */
	uint64_t look;	   /* the group's, if it is on the page that was checked last, */
	struct row day;	   /* its row there, as the API has it in a series: from midnight */
	bool sample;	   /* it is asked for singly; */
	bool failed;	   /* it has failed, and nothing is compared with it */
};

enum chunk_state {
	CHUNK_FREE,
	CHUNK_READY,	 /* its task waits in the queue for its turn to ask for another page */
	CHUNK_WAITING,	 /* until due, to ask for the same page again */
	CHUNK_IN_FLIGHT, /* a request for it is on its way */
	CHUNK_ANSWERED,	 /* its response is being looked at */
};

/* A range of a series that is fetched page by page. */
struct chunk {
	enum chunk_state state;
	struct active *active; /* the task that it is a part of */
	struct series series;  /* without a symbol: a day of the whole market */
	struct buffer path;    /* path and query of the page to ask for */
	int64_t due;	       /* monotonic ms */
	int64_t after;	       /* t of the last row so far */
	size_t request;	       /* its number in the limiter */
	unsigned tries;	       /* of this page that have failed */
	unsigned refusals;     /* of this page though others got through */
	unsigned unprocessed;  /* requests in a row that nobody looked at */
	unsigned stale;	       /* pages in a row that brought no later row */
	int64_t failed_at;     /* when this page failed first; 0: it has not */
	int64_t refused_at; /* when the service last said that this page was one too many; 0: not */
	ARRAY(uint64_t) seen; /* hash of where each page led; none: its range was not asked for */
};

/* What ts-fetch was told. */
struct options {
	bool as_traded; /* not adjusted for splits */
	bool extended;
	bool derive, grouped;
	uint64_t every; /* one series in so many is a sample, of those derived or grouped */
	uint64_t parallel;
	uint64_t patience; /* minutes: how long an outage may last */
	const char *url, *rate_text;
	const char *name;  /* under which the rate is shared; NULL: it is not */
	const char *key;   /* of the API; NULL: none */
	struct slice base; /* the API's address */
	struct rate rate;
	struct redis_url redis; /* of a rate that is shared */
};

struct task_counts {
	uint64_t tasks, fetched, failed, cancelled, bars;
};

struct tasks {
	const struct options *options;
	struct task_counts count;
	struct calendar *calendar;
	struct queue queue;
	struct derive derive;
	struct transfer *transfer; /* in which chunks that are given up may have a request */
	struct writer *out;
	struct active *active; /* those that are asked for */
	struct chunk *chunk;
	unsigned chunks, busy; /* how many there are; how many are not free */
	bool held;	       /* no task begins: more may come that belong together */
	struct buffer dead; /* why nothing can be fetched any more, once the API refused the key */
};

/* NULL, or a static reason. What is given must outlive it; there may be no transfer then. */
const char *tasks_init(
	struct tasks *, const struct options *, struct transfer *, struct writer *out);
void tasks_release(struct tasks *);

/* Whether no task is in progress and none waits; whether no more are to be read. */
bool tasks_idle(const struct tasks *);
bool tasks_full(const struct tasks *);

/* A task was read: it is queued, or fails where nothing can be fetched any more. */
void tasks_push(struct tasks *, const struct record *, const struct task *);

/*
 * The next page to ask for, of the task whose turn it is; NULL when there is none. A long range is
 * split first, as long as its task has no trouble and others have room.
 */
struct chunk *tasks_next(struct tasks *);

/* A request for the chunk begins. */
void tasks_request(struct tasks *, struct chunk *);

/*
 * A page came for the chunk and was checked: writes its bars, and the verdict with the last one.
 * NULL, or a static reason why the task must fail.
 */
const char *tasks_page(struct tasks *, struct chunk *, const struct page *);

/*
 * The task of the chunk fails, with all its chunks and with what was to be made of it, and that is
 * logged, with this tail; of a group only the sample does that was asked for, or it is asked for in
 * another way.
 */
void tasks_fail(struct tasks *, struct chunk *, struct slice error, const char *tail);

/*
 * Ends a task that is asked for, its chunks and what was to be made of it, or all tasks, of one job
 * or, where it is absent, of all: failed with that error, or without a record where it is absent.
 * Returns how many had no verdict.
 */
uint64_t tasks_drop(struct tasks *, struct active *, struct slice error);
uint64_t tasks_end(struct tasks *, struct slice job_id, struct slice error);

/* The symbol that a chunk asks for, for the log: "*" for the whole market. */
struct slice chunk_symbol(const struct chunk *);

/* Gives it another range of a series, which has not been asked for yet; or the next page. */
void chunk_range(struct chunk *, struct series, int64_t start, int64_t end);
void chunk_follow(struct chunk *, struct slice path);

void chunk_release(struct chunk *);

/* Whether the path of a next page has been met before. */
bool chunk_loops(const struct chunk *, struct slice next);

/* Frees all its chunks, and takes it from those that are asked for. */
void active_leave(struct tasks *, struct active *);

/* A task begins, in no list yet. It is freed by active_return() or active_end(). */
struct active *active_new(struct tasks *, struct task *);

/* Writes a bar of it: what bars_add() says. Inline: there are millions. */
static inline const char *
active_bar(struct tasks *ts, struct active *a, const struct page *page, const struct row *row)
{
	const char *why = bars_add(&a->bars, page, row, writer_room(ts->out));

	writer_done(ts->out);
	ts->count.bars++;
	return why;
}

/* The record `loading` of a task and those that ride on it, once. */
void active_loading(struct tasks *, struct active *);

/* The record `fetched`; riders wait for derive_settle(). */
void active_fetched(struct tasks *, struct active *);

/* The record `failed` of a task and those that ride on it, which end. */
void active_failed(struct tasks *, struct active *, struct slice error);

/*
 * One that is in no list any more, and those that ride on it, begin anew; or end, failed with that
 * error unless they have their verdict, or without a record where it is absent: how many had none.
 */
void active_return(struct tasks *, struct active *);
uint64_t active_end(struct tasks *, struct active *, struct slice error);

/*
 * The record `failed` of a task, or of what is not one of the queue; type, stage and error are
 * filled in here.
 */
void announce_failed(struct tasks *, struct record, struct slice error);

#endif
