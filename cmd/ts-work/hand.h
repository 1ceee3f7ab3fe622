#ifndef TS_WORK_HAND_H
#define TS_WORK_HAND_H

#include "child.h"
#include "share.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * What this host has in hand: tasks taken under a lease, and verdicts on their way to the gate. A
 * verdict passes it when nobody has given one before.
 */
struct hand {
	struct share *share;
	struct child *child;
	uint64_t parallel; /* of each command: at most twice as many tasks are held */
	int64_t lease;	   /* ms */
	uint64_t tries;	   /* at this delivery a task is failed and not tried again */

	struct record_parser *parser;
	struct buffer name; /* of this host: node, process, moment */
	struct buffer key;  /* scratch */
	struct held *table;
	struct work_job *jobs;
	size_t asking;	       /* questions for tasks not yet answered */
	bool got;	       /* one of them was answered with a task */
	bool alone;	       /* what is in hand was delivered twice, and is the only one */
	struct work_job *lone; /* of this job, one of that kind waits until the hand is empty */
	bool given;	       /* all was given back: nothing more is taken */
	int64_t due;	       /* the next look for tasks and cancels */
	int64_t renew;	       /* the next renewal */
	int64_t lost;	       /* since when Redis is not connected; 0: it is */
	int64_t spoke;	       /* the last verdict, or the first task after none */
	uint64_t taken, accepted, dropped, poisoned, cancelled;
};

/* The caller fills in the first five members. */
void hand_init(struct hand *);
void hand_release(struct hand *);

/* A line that the command wrote; -1 when it can never lead to a verdict. */
int hand_line(struct hand *, struct slice line);

/* The connection is there again, or is lost. */
void hand_ready(struct hand *);
void hand_lost(struct hand *, int64_t now);

/* Asks for what is due: tasks, renewals, whether jobs were cancelled. */
void hand_serve(struct hand *, int64_t now);
int64_t hand_deadline(const struct hand *);

/*
 * Gives back all tasks: others may take them at once. innocent: that they were taken does not count
 * as a try.
 */
void hand_give_back(struct hand *, bool innocent);

/* Tasks in hand, verdicts that are not through the gate included. */
size_t hand_size(const struct hand *);

/* Verdicts that wait for the gate. */
size_t hand_verdicts(const struct hand *);

#endif
