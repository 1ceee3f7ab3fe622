#ifndef TS_FETCH_QUEUE_H
#define TS_FETCH_QUEUE_H

#include "buffer.h"
#include "timeframe.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The tasks that wait and those in progress, and whose turn it is. Pure: no descriptor, no clock.
 *
 * Jobs take turns, one request each, whatever their size. Two tasks of the same symbol and
 * timeframe are never in progress together, since ts-store attributes bars to tasks by these two:
 * the later one waits while others go on.
 */
struct job;
struct lock;
struct active;

/* {0} is empty. All tasks have to end before queue_release(). */
struct queue {
	size_t waiting;	  /* how many tasks wait */
	struct job *line; /* of those that have something to give */
	struct job *jobs; /* by their ids */
	struct lock *locks;
	struct buffer key; /* of the lock that is looked for */
};

void queue_release(struct queue *);

/* One task. Some 160 bytes with its texts, which live behind it. */
struct task {
	struct task *prev, *next; /* the queue's own */
	struct job *job;	  /* the queue's own */
	struct active *active;	  /* the caller's: its state in progress; NULL until it begins */
	struct slice symbol;
	struct slice from, to; /* as they stood in the task record */
	int64_t start, end;    /* their meaning: instants for 1min and hour, else dates */
	enum timeframe tf;
	bool direct;	  /* the caller's: it is asked for by itself, whatever stands beside it */
	bool alone;	  /* the caller's: it is not grouped with others */
	bool announced;	  /* the caller's: `loading` has been written */
	uint32_t written; /* the caller's: bars that it had before it began anew, */
	int32_t first, last; /* and the dates of the first and last of them */
	bool locks;  /* the queue's own: no other task of its symbol and timeframe may begin */
	bool queued; /* the queue's own: in progress, and waiting for another turn */
};

/* Copies the task, its slices with it, to the end of its job. Only symbol to tf are looked at. */
void queue_push(struct queue *, struct slice job_id, const struct task *);

/*
 * Takes the task whose turn it is: of the next job in turn a task that has another page to ask for,
 * or else, if begin is set, a new one. NULL if there is none. It is in progress until queue_end().
 */
struct task *queue_take(struct queue *, bool begin);

/*
 * The first waiting task of the same job, symbol and that timeframe, among those that stand next to
 * t or to where it was taken from; NULL when there is none.
 */
struct task *queue_beside(const struct task *t, enum timeframe);

/* The first waiting task of the same job; the others are linked by next. */
struct task *queue_first(const struct task *t);

/*
 * Takes a waiting task out of turn: it is in progress. False, as queue_may_begin() would say
 * before: its symbol and timeframe are.
 */
bool queue_begin(struct queue *, struct task *);
bool queue_may_begin(struct queue *, const struct task *);

/* A task in progress begins anew at its job's next turn. */
void queue_return(struct queue *, struct task *);

/*
 * A task in progress has another page to ask for: it waits for its job's turn, if it does not wait
 * already.
 */
void queue_again(struct queue *, struct task *);

/*
 * A task in progress, or one that was taken out, is over or forgotten: frees it. It may be waiting
 * for another turn.
 */
void queue_end(struct queue *, struct task *);

/*
 * Takes all waiting tasks out, of a job or, where it is absent, of all, linked by next, for the
 * caller to give to queue_end() one by one (next is read before that). Tasks in progress are the
 * caller's to end.
 */
struct task *queue_cancel(struct queue *, struct slice job_id);

/* The id of the job of a task; valid as long as the task. */
struct slice task_job_id(const struct task *);

#endif
