#ifndef TS_WORK_LEASE_H
#define TS_WORK_LEASE_H

#include "hand.h"

#include "hash.h"

/* What hand.c and lease.c share, and nobody else sees. */

enum { LEASE_ROOM = 1000 /* requests that one look may make */ };

/* Idle for so long, in ms, is what may be taken at once. */
#define GIVEN_BACK "86400000"

struct work_job {
	struct work_job *next;
	struct hand *hand;
	struct share_job shared;
	size_t held;
	bool seen; /* in the last look */
};

/* A task in hand. */
struct held {
	UT_hash_handle hh;
	struct hand *hand;
	struct work_job *job;
	struct buffer id;      /* of its entry */
	struct buffer verdict; /* empty as long as there is none */
	size_t key_n;
	char key[];
};

/* The job of that id, made when missing; cancels and frees those that the last look missed. */
struct work_job *hand_job(struct hand *, struct slice name);
void hand_forget_unseen(struct hand *);

/*
 * A task was delivered, so many times now. Whether it is taken: not while the same one of another
 * run of its job is in hand.
 */
bool hand_take(struct work_job *, struct slice id, int64_t deliveries, struct slice line);

/* One is done with. */
void hand_drop(struct hand *, struct held *);

/* Looks which jobs there are, and takes tasks of them. */
void lease_look(struct hand *);

/* Brings a verdict to the gate. */
void lease_gate(struct held *);

/* What is not a verdict goes with its job; of no job, with the first that is worked on. */
void lease_pass(struct hand *, struct slice job_id, struct slice line);

/* All in hand is idle for so many ms from now, and of its deliveries so many do not count. */
void lease_hold(struct hand *, const char *idle, const char *uncounted);

#endif
