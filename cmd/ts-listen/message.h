#ifndef TS_MESSAGE_H
#define TS_MESSAGE_H

#include "json.h"

#include <stdbool.h>
#include <stdint.h>

enum { MESSAGE_ID_MAX = 300 };

/* What a message of a channel is. */
enum message {
	MESSAGE_GOOD,
	MESSAGE_ALL,	 /* of the control channel: {"command":"cancel_all"} */
	MESSAGE_FOREIGN, /* other applications' business: ignored */
	MESSAGE_BAD,	 /* meant for us, but of no use; why tells the reason */
};

/*
 * Reads messages; values in, values out. Keeps its memory from one to the next. The caller makes
 * json, the rest is {0} to begin with.
 */
struct messages {
	struct json *json;
	struct slice
		id; /* of the job of the last message, where that is good; valid until the next */
	const char *why; /* what is wrong with it, where it is bad */
	struct buffer scratch;
	char text[200];
};

void messages_release(struct messages *);

/*
 * A message of the job channel, or of the control channel. A good one is appended to out: a job as
 * one line with received_at (in seconds since 1970, UTC) as its last member, unless it has one
 * already; a cancel as its record. For MESSAGE_ALL, every job is meant, and nothing is appended.
 */
enum message message_read(
	struct messages *, bool job, struct slice text, int64_t received, struct buffer *out);

/* Reads the job_id of a line that message_read() has made, or gives the reason why there is none.
 */
const char *message_id(struct messages *, struct slice line);

#endif
