#ifndef TS_FAILED_LIST_H
#define TS_FAILED_LIST_H

#include "redis.h"

#include <stdbool.h>

/*
 * All failed tasks of a job, as records, in the list tickstock.jobs.failed:{job_id}, so that what
 * the status hash only counts can be found and done again. They are kept here, too, for a Redis
 * that comes back empty.
 */
struct failed_list {
	struct redis *redis;
	struct buffer key;
	struct buffer text; /* records, each with its newline */
	size_t pushed,
		flying; /* up to here they stand in Redis; up to here they are on their way */
	bool renew;	/* what stands there is to be replaced */
	bool refused;	/* by the access list: there will be none before it is renewed */
};

enum { FAILED_LIST_REQUESTS = 3 /* at most, at one time */ };

void failed_list_init(struct failed_list *, struct redis *, struct slice job_id);
void failed_list_release(struct failed_list *);

/* A `failed` record of a task, without its newline. */
void failed_list_add(struct failed_list *, struct slice record);

/* Redis may have lost it, or holds that of another job. */
void failed_list_renew(struct failed_list *);

/* Whether all of it stands in Redis; whether something is to be sent now. */
bool failed_list_written(const struct failed_list *);
bool failed_list_due(const struct failed_list *);

/* Sends what is due; there must be room for FAILED_LIST_REQUESTS. */
void failed_list_serve(struct failed_list *);

#endif
