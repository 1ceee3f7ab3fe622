#ifndef TS_SHARE_H
#define TS_SHARE_H

#include "record.h"
#include "redis_link.h"

#include <stdbool.h>
#include <stdint.h>

/* clang-format off */
/*
 * What ts-share and ts-work have in common. A job's tasks are handed out through Redis under the name
 * RUN:job_id; RUN tells one time that a job was accepted from the next, and is empty where that is
 * not known. J is this name coded as spool_name() codes it, and the braces put all that belongs to
 * a job into one slot of a cluster:
 *
 *	tickstock.share.jobs          set of the names of the jobs that are worked on
 *	tickstock.share:{J}:tasks     stream with the group `work`; entry n-0 holds a task line in the
 *	                              field t; what has its verdict is deleted from it
 *	tickstock.share:{J}:verdicts  stream; the field v holds a line for the stages behind ts-share, the
 *	                              field s one without its job_id
 *
 * An entry that was delivered and has no verdict is a lease: it is over when the entry has been idle
 * for longer than that. Streams that nobody renews go after a day.
 */
/* clang-format on */
#define SHARE_JOBS "tickstock.share.jobs"

/* A job as the server knows it. */
struct share_job {
	struct buffer name;
	struct slice id;	       /* the job_id within that */
	struct buffer tasks, verdicts; /* its keys */
	struct buffer member;	       /* "job_id":"...", as records have it */
};

/* The name is copied. */
void share_job_init(struct share_job *, struct slice name);
void share_job_release(struct share_job *);

/*
 * What is kept of a verdict: of 50,000 the job_id alone would take some MB. Without it, the field
 * is SHARE_SHORT; a line that is not written as ts-store does stays as it is, under SHARE_WHOLE.
 * share_unpack() gives the line back, the same bytes.
 */
#define SHARE_SHORT "s"
#define SHARE_WHOLE "v"
const char *share_pack(const struct share_job *, struct slice line, struct buffer *to);
void share_unpack(
	const struct share_job *, struct slice field, struct slice packed, struct buffer *to);

/* Sets the buffer to what a task and its verdict have in common: job_id, symbol, timeframe, from,
 * to.
 */
void share_natural(struct buffer *, const struct record *);

/* A connection, and what is known of the server behind it. */
struct share {
	struct redis_link link;
	bool any;	/* whatever server it is: it is not asked how it keeps what it has */
	bool checked;	/* the server may be used, as far as it has said */
	bool announced; /* and that is known */
	bool lossy;	/* that it forgets with the machine was said */
	bool refused;	/* what will not mend: give up; refusal tells why */
	char refusal[300];
};

/* The URL stays the caller's; he frees link.redis. */
void share_init(struct share *, const struct redis_url *);

/*
 * As redis_serve(), and connects again. REDIS_EVENT_READY once the server was found fit to be used;
 * REDIS_EVENT_DENIED is refused.
 */
enum redis_event share_serve(struct share *, short revents, int64_t now);

/* Whether requests can be made. */
bool share_ready(const struct share *);

/*
 * Whether a reply is of no use: none, or an error. An error is taken care of: what will not mend is
 * refused, for anything else the connection is given up, to be tried again.
 */
bool share_failed(struct share *, const struct redis_reply *);

/* Asks for something; the arguments behind data are slices. */
#define SHARE_CALL(share, fn, data, ...)                                                           \
	((void)REDIS_CALL((share)->link.redis, (fn), (data), __VA_ARGS__))

#endif
