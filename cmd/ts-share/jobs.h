#ifndef TS_SHARE_JOBS_H
#define TS_SHARE_JOBS_H

#include "lines.h"
#include "share.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The jobs whose tasks are handed out, and their verdicts on the way back. A task's line is held
 * until its verdict has come: after each loss of the connection the server tells which entry it has
 * last, and what it has lost is sent again. What an earlier life has handed out is taken up from
 * the streams, so nothing is handed out twice.
 */
struct jobs {
	struct share *share;
	struct writer *out;
	struct record_parser *parser;
	struct buffer key;	    /* scratch */
	struct buffer header, name; /* the job_id of the last header, and the name it gives */
	struct job *list;
	uint64_t count; /* jobs */
	uint64_t held;	/* tasks without a verdict */
	uint64_t tasks, stored, failed, cancelled, resumed, repeated;
};

void jobs_init(struct jobs *, struct share *, struct writer *);
void jobs_release(struct jobs *);

/*
 * Takes the header of a job: the tasks behind it are those of this run. One of the same name that
 * is over is removed first, and input must wait for that.
 */
void jobs_header(struct jobs *, const struct record *);

/* Takes a task, whose line is the second. The record has job_id and symbol. */
void jobs_task(struct jobs *, const struct record *, struct slice line);

/* Nothing more is to come of the job. */
void jobs_cancel(struct jobs *, struct slice job_id);

/* Whether input must wait: a job is being taken up or removed, or too much is held. */
bool jobs_full(const struct jobs *);

/* The connection is there again. */
void jobs_ready(struct jobs *);

/* Asks for what is due; open: more input may come. clock_mono_ms(). */
void jobs_serve(struct jobs *, bool open, int64_t now);

/* When it must be called again. */
int64_t jobs_deadline(const struct jobs *);

#endif
