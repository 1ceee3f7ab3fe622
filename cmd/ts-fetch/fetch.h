#ifndef TS_FETCH_FETCH_H
#define TS_FETCH_FETCH_H

#include "bars.h"
#include "calendar.h"
#include "cut.h"
#include "limiter.h"
#include "lines.h"
#include "massive.h"
#include "queue.h"
#include "record.h"
#include "transfer.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * What the modules of ts-fetch that do the work share: fetch.c, intake.c, work.c, piece.c,
 * outage.c and answer.c.
 */

enum {
	FETCH_QUEUE = 200000, /* tasks that wait; beyond it stdin is left alone */
	FETCH_TRIES = 6,      /* of one page */
	FETCH_PAGES = 10000,  /* of one task */
	FETCH_PIECES = 4,     /* in progress, those that wait for a retry included, per transfer */
	FETCH_ERROR = 300,    /* bytes of an error text */
};

/* A task in progress. There is at least one piece for it, all of what is still to be fetched. */
struct work {
	struct task *task; /* NULL: free */
	struct bars bars;
	struct cut cut;
	unsigned pieces; /* that are not free */
	unsigned pages;	 /* that have come */
	bool begun;	 /* `loading` has been written */
};

enum piece_state {
	PIECE_FREE,
	PIECE_READY,	/* its task waits in the queue for its turn to ask for another page */
	PIECE_WAITING,	/* until due, to ask for the same page again */
	PIECE_ACTIVE,	/* a request is in flight */
	PIECE_ANSWERED, /* its reply is being looked at */
};

/* A part of a task's range, or all of it: fetched page by page. */
struct piece {
	enum piece_state state;
	struct work *work;
	int64_t start, end; /* as in a series */
	struct buffer path; /* path and query of the page to ask for */
	int64_t due;	    /* monotonic ms */
	int64_t after;	    /* t of the last row so far */
	size_t request;	    /* its number in the limiter */
	unsigned tries;	    /* of this page that have failed */
	uint64_t *seen; /* hash of where each page led; none: its range has not been asked for */
	size_t seen_n, seen_cap;
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

/* What speaks for the service being away: failures without an answer between them. */
struct outage {
	unsigned failures;
	bool several;		  /* they are of more than one task */
	bool away;		  /* that is what it is, and it was said */
	const struct task *first; /* whose failure was the first; only to compare with */
	int64_t since;		  /* monotonic ms */
};

struct fetch {
	struct fetch_options options;
	struct fetch_counts count;
	struct calendar *calendar;
	struct queue *queue;
	struct limiter limiter;
	struct transfer *transfer;
	struct outage outage;
	struct massive *massive;
	struct record_parser *parser;
	struct writer *out;
	struct work *work;
	struct piece *piece;
	unsigned pieces, busy; /* how many there are, works as well; how many pieces are not free */
	struct buffer dead; /* why nothing can be fetched any more, once the API refused the key */
	struct buffer text; /* of errors */
	struct buffer tail; /* of log lines */
	struct buffer url;
	uint64_t random;
};

/* 0, or -1 with a static reason in *why. out and what the options point to must outlive it. */
int fetch_init(struct fetch *, const struct fetch_options *, struct writer *out, const char **why);
void fetch_release(struct fetch *);

/*
 * Starts as many requests as may start now. Returns until when there is nothing to do but wait for
 * replies, input and signals. Both by one reading of the monotonic clock, in milliseconds: what may
 * start a moment later than now is waited for, never overlooked.
 */
int64_t fetch_begin(struct fetch *, int64_t now);

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

/* work.c: a task begins, all of it one piece. There must be a free one. */
void work_take(struct fetch *, struct task *);

/* work.c: writes `loading`, once. */
void work_begun(struct fetch *, struct work *);

/* work.c: a record of that type about a task, as far as all types have the same fields. */
struct record work_record(const struct task *, enum record_type);

/* work.c: the task is done, or has failed: writes the record and ends it with all its pieces. */
void work_finish(struct fetch *, struct work *);
void work_fail(struct fetch *, struct work *, struct slice error);

/* work.c: ends a task and all its pieces without a record. */
void work_forget(struct fetch *, struct work *);

/* piece.c: a free piece takes on a range of a task's. There must be one. */
struct piece *piece_take(struct fetch *, struct work *, int64_t start, int64_t end);

/* piece.c: ends a piece, gives up its request if it has one. */
void piece_free(struct fetch *, struct piece *);

/*
 * piece.c: it is the task's turn: the piece to ask for, or NULL when none is ready. A long one is
 * cut first, as long as the task has no trouble and others have room.
 */
struct piece *piece_turn(struct fetch *, struct work *);

/* piece.c: starts the piece's next request. */
void piece_start(struct fetch *, struct piece *, int64_t now);

/* piece.c: a page came: writes those of its rows that belong to the piece and start before end. */
void piece_rows(struct fetch *, struct piece *, const struct massive_page *, int64_t end);

/*
 * piece.c: the piece has another page, which is asked for when it is its task's turn: that of a new
 * range, or the one behind a path.
 */
void piece_range(struct fetch *, struct piece *, int64_t start, int64_t end);
void piece_next(struct fetch *, struct piece *, struct slice path);

/*
 * outage.c: a request of the piece failed, f->text says how. True if the service is away: then all
 * requests pause, and one at a time asks whether it is back.
 */
bool outage_blames(struct fetch *, const struct piece *, const struct reply *);

/* outage.c: whether it is away for so long that waiting has an end. */
bool outage_lasts(const struct fetch *);

/* outage.c: the service has answered. */
void outage_over(struct fetch *);

/* answer.c: deals with a reply to the piece's request. */
void answer_read(struct fetch *, struct piece *, const struct reply *);

#endif
