#ifndef TS_FETCH_FETCH_H
#define TS_FETCH_FETCH_H

#include "bars.h"
#include "calendar.h"
#include "limiter.h"
#include "lines.h"
#include "massive.h"
#include "queue.h"
#include "record.h"
#include "transfer.h"

#include <stdbool.h>
#include <stdint.h>

/* What the modules of ts-fetch that do the work share: fetch.c, intake.c, work.c and answer.c. */

enum {
	FETCH_QUEUE = 200000, /* tasks that wait; beyond it stdin is left alone */
	FETCH_TRIES = 6,      /* of one page */
	FETCH_PAGES = 10000,  /* of one task */
	FETCH_WORKS = 4, /* tasks in progress, those that wait for a retry included, per transfer */
	FETCH_ERROR = 300, /* bytes of an error text */
};

enum work_state {
	WORK_FREE,
	WORK_READY,    /* its task waits in the queue for its turn to ask for another page */
	WORK_WAITING,  /* until due, to ask for the same page again */
	WORK_ACTIVE,   /* a request is in flight */
	WORK_ANSWERED, /* its reply is being looked at */
};

/* A task in progress. */
struct work {
	enum work_state state;
	struct task *task;
	struct bars bars;
	struct buffer path; /* path and query of the page to ask for */
	int64_t due;	    /* monotonic ms */
	int64_t after;	    /* t of the last row so far */
	size_t request;	    /* its number in the limiter */
	unsigned tries;	    /* of this page that have failed */
	unsigned pages;	    /* that have come */
	uint64_t *seen;	    /* hash of where each page led */
	size_t seen_cap;
	bool begun; /* `loading` has been written */
};

struct fetch_options {
	struct slice base;
	struct slice key;
	struct rate rate;
	unsigned parallel;
	bool adjusted;
	bool extended;
};

struct fetch_counts {
	uint64_t tasks, fetched, failed, cancelled;
	uint64_t refused; /* lines of input */
	uint64_t bars, requests, retries, bytes;
};

struct fetch {
	struct fetch_options options;
	struct fetch_counts count;
	struct calendar *calendar;
	struct queue *queue;
	struct limiter limiter;
	struct transfer *transfer;
	struct massive *massive;
	struct record_parser *parser;
	struct writer *out;
	struct work *work;
	unsigned works, busy; /* how many there are; how many are not free */
	struct buffer dead; /* why nothing can be fetched any more, once the API refused the key */
	struct buffer text; /* of errors */
	struct buffer tail; /* of log lines */
	struct buffer url;
	uint64_t random;
};

/* 0, or -1 with a static reason in *why. out and what the options point to must outlive it. */
int fetch_init(struct fetch *, const struct fetch_options *, struct writer *out, const char **why);
void fetch_release(struct fetch *);

/* Starts as many requests as may start now. */
void fetch_begin(struct fetch *);

/* For how many milliseconds at most there is nothing to do but wait. */
int fetch_timeout(const struct fetch *);

/* Looks at what has been sent and at the replies that have come. */
void fetch_replies(struct fetch *);

/* Whether there is neither a task in progress nor one that waits. */
bool fetch_idle(const struct fetch *);

/* A number by chance, 0-1023. */
unsigned fetch_chance(struct fetch *);

/* intake.c: deals with a whole line of input: a task, a cancel, or something to copy through. */
void intake_line(struct fetch *, struct slice line, uint64_t lineno);

/* intake.c: writes a `failed` record; its type, stage and error are filled in here. */
void intake_failed(struct fetch *, struct record, struct slice error);

/* work.c: a free work takes a task on. There must be one. */
struct work *work_take(struct fetch *, struct task *);

/* work.c: starts the work's next request. */
void work_start(struct fetch *, struct work *);

/* work.c: a record of that type about a task, as far as all types have the same fields. */
struct record work_record(const struct task *, enum record_type);

/* work.c: writes the rows of a page that belong to the work's task. */
void work_rows(struct fetch *, struct work *, const struct massive_page *);

/* work.c: the work's task is done, or has failed: writes the record and ends both. */
void work_finish(struct fetch *, struct work *);
void work_fail(struct fetch *, struct work *, struct slice error);

/* work.c: ends a work and its task without a record. */
void work_forget(struct fetch *, struct work *);

/* answer.c: deals with a reply to the work's request. */
void work_answer(struct fetch *, struct work *, const struct reply *);

#endif
