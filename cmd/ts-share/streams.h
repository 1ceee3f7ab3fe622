#ifndef TS_SHARE_STREAMS_H
#define TS_SHARE_STREAMS_H

#include "jobs.h"

#include "buffer.h"
#include "hash.h"

/* What jobs.c and streams.c share, and nobody else sees. */

/* One task. Its entry in the stream is n-0; n is 0 as long as it has none. */
struct task {
	UT_hash_handle hh;
	uint64_t n;
	struct slice line; /* without it: taken up from a verdict; the bytes are the task's */
	bool done;
	size_t key_n;
	char key[]; /* see share_natural() */
};

enum state {
	NEW,	 /* the server is to be told of it, and to tell what it has */
	ASKED,	 /* it was */
	LOADING, /* what an earlier life has handed out is read */
	OPEN,
	CLOSING, /* its keys are to be removed */
	CLOSED,	 /* that was asked for */
};

struct job {
	struct job *next;
	struct jobs *all;
	struct share_job shared;
	enum state state;
	bool loaded;
	bool cancelled;
	bool again;	     /* another of its name waits until it is gone */
	struct buffer first; /* the line that began it, until what was there is loaded */
	struct task *table;
	ARRAY(struct task *) task; /* in the order in which they came */
	size_t cursor;		   /* all before it were sent */
	size_t sent;		   /* requests not yet answered */
	uint64_t last_n;
	uint64_t left;	     /* tasks without a verdict */
	struct buffer read;  /* the id of the last entry of the verdicts */
	struct buffer spent; /* ids of entries that need not be read again */
	bool reading;
	bool caught_up; /* the last look found nothing new */
	bool empty;	/* no task was in the stream when it was looked at */
	int64_t look, check;
	int64_t came; /* the last task */
};

/* The task of a record, or NULL; and one that it has not found, right after that. */
struct task *jobs_find(struct job *, const struct record *);
struct task *jobs_add(struct job *, uint64_t n, struct slice line);

/* A line from a host, in the entry of that id. */
void jobs_take(struct job *, struct slice id, struct slice line);

/* The job is over; frees it. */
void jobs_drop(struct job *);

#endif
