#ifndef TS_FETCH_FETCH_H
#define TS_FETCH_FETCH_H

#include "backoff.h"
#include "error_text.h"
#include "limiter.h"
#include "outage.h"
#include "pace.h"
#include "refused.h"
#include "task.h"
#include "transfer.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * All of ts-fetch but for the loop that waits: main.c and tests stand on it. Lines of input
 * (input.c); what is asked for next, and when: retries that are due first, then the jobs in turn,
 * as the limiter allows (fetch.c); what a response means: a page, another try, or the end of a task
 * or of everything (response.c).
 */
enum {
	RESPONSE_TRIES = 6,	/* of one page */
	RESPONSE_REFUSALS = 20, /* of one page while others get through: every second may be one */
};

/*
 * The page that succeeded last. While the API is taken to be unreachable it is asked for once more,
 * in turn with the pages that have failed: if it comes, the API is well and they are their own
 * trouble.
 */
struct probe {
	struct chunk chunk; /* of no task; without a path there is none */
	struct buffer symbol;
	bool due; /* the last request was another page's */
};

/* When lines came, monotonic ms. */
struct gathering {
	uint64_t lines;	     /* that had come then */
	int64_t last, since; /* the latest; the first since input has paused */
};

/* Of lines to the log. */
struct log_quota {
	int64_t since; /* monotonic ms */
	unsigned lines, more;
};

struct fetch {
	const struct options *options;
	struct tasks tasks;
	struct transfer *transfer;
	/* Input. */
	struct record_parser *parser;
	struct kinds kinds;
	struct refused refused; /* lines that were dropped */
	struct refused failed;	/* lines of tasks that could not be asked for */
	struct gathering gathering;
	/* Requests. */
	struct limiter limiter;
	struct pace pace; /* where the rate is shared */
	struct outage outage;
	struct probe probe;
	struct chance chance;
	struct buffer url;
	struct buffer reason; /* of the pause, as far as it is not the rate's */
	int64_t waiting;      /* until when `waiting` was written last, monotonic ms; 0: not */
	uint64_t requests, retries;
	/* Responses. */
	struct page_reader *reader;
	struct error_text error;
	struct buffer tail;	 /* of a log line */
	struct slice request_id; /* of the response that is read; absent if it has none */
	uint64_t bytes;
	int64_t succeeded_at; /* monotonic ms: when the API last answered as it should; 0: never */
	bool misset; /* a request failed for what is set: no wait mends it, if none succeeds */
	struct log_quota retry_lines, outage_lines;
};

/*
 * NULL, or a static reason. options, what they point to, and out must outlive it. fetch_release()
 * is called in either case.
 */
const char *fetch_init(struct fetch *, const struct options *, struct writer *out);
void fetch_release(struct fetch *);

/* Deals with a whole line: a task, a cancel, or something to copy through. */
void fetch_line(struct fetch *, struct slice line, uint64_t lineno);

/*
 * Starts as many requests as may start now. Returns until when there is nothing to do but wait for
 * responses, input and signals. Both by one reading of the monotonic clock, in milliseconds: what
 * may start a moment later than now is waited for, never overlooked.
 */
int64_t fetch_start(struct fetch *, int64_t now);

/* Looks at what has been sent and at the responses that have come; deals with one of them. */
void fetch_responses(struct fetch *);
void fetch_response(struct fetch *, struct chunk *, const struct response *);

#endif
