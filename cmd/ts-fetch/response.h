#ifndef TS_FETCH_RESPONSE_H
#define TS_FETCH_RESPONSE_H

#include "error_text.h"
#include "sched.h"

/* What a response means: a page, another try, or the end of a task or of everything. */
struct responses {
	struct sched *sched;
	struct tasks *tasks;
	struct page_reader *reader;
	struct error_text error;
	struct buffer tail;	 /* of a log line */
	struct slice request_id; /* of the response that is read; absent if it has none */
	uint64_t bytes;
	int64_t succeeded_at; /* monotonic ms: when the API last answered as it should; 0: never */
	bool misset;	      /* a request failed for what is set, and no wait mends it */
	struct log_quota {
		int64_t since; /* monotonic ms */
		unsigned lines, more;
	} retries, outages; /* of lines about them */
};

enum {
	RESPONSE_TRIES = 6,	/* of one page */
	RESPONSE_REFUSALS = 20, /* of one page while others get through: every second may be one */
};

/* sched and what key points to must outlive it. */
void responses_init(struct responses *, struct sched *, struct slice key);
void responses_release(struct responses *);

/* Whether nothing was ever reached, for what is set. */
bool responses_misset(const struct responses *);

/* Deals with the response to the chunk's request. */
void responses_read(struct responses *, struct chunk *, const struct response *);

#endif
