#ifndef TS_MESSAGE_H
#define TS_MESSAGE_H

#include "buffer.h"

#include <stdint.h>

enum { MESSAGE_ID_MAX = 300 };

/* What a message of a channel is. */
enum message {
	MESSAGE_GOOD,
	MESSAGE_ALL,	 /* of the control channel: {"command":"cancel_all"} */
	MESSAGE_FOREIGN, /* other applications' business: ignored */
	MESSAGE_BAD,	 /* meant for us, but of no use; why tells the reason */
};

/* Reads messages; values in, values out. Keeps its memory from one to the next. */
struct messages;

struct messages *messages_new(void);
void messages_free(struct messages *);

/* What was read of a message, valid until the next one. */
struct meant {
	struct slice id; /* of the job, where it is good */
	const char *why; /* what is wrong with it, where it is bad */
};

/*
 * A message of the job channel: appends it to out as one line with received_at as its last member,
 * unless it has one already. received is in seconds since 1970, UTC.
 */
enum message message_job(
	struct messages *, struct slice text, int64_t received, struct buffer *out, struct meant *);

/* The job_id of a line that message_job() or message_control() has made, or why there is none. */
const char *message_id(struct messages *, struct slice line, struct slice *id);

/*
 * A message of the control channel: appends a cancel record to out; for MESSAGE_ALL, every job is
 * meant, and nothing is appended.
 */
enum message message_control(
	struct messages *, struct slice text, struct buffer *out, struct meant *);

#endif
