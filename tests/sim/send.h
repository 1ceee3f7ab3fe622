#ifndef SIM_SEND_H
#define SIM_SEND_H

#include <microhttpd.h>
#include <stdbool.h>

#include "fault.h"
#include "text.h"

#define TYPE_JSON "application/json"

struct reply {
	int status;
	const char *type; /* of its content */
	struct text body;
	enum send_fault how;
	long retry; /* Retry-After, seconds; -1: none; RETRY_DATE */
	bool gzip;
	bool lasting; /* whoever is asked again answers the same */
	bool kept;    /* the body is the memo's */
};

/* reply_set(r, status, body): a fixed body, JSON or HTML. */
void reply_set(struct reply *, int, const char *);

/* wants_gzip(con): whether the client takes compressed bodies. */
bool wants_gzip(struct MHD_Connection *);

/**
 * reply_encode(r, con):
 * Compress the body if the client takes that. Return the length that will be announced.
 */
size_t reply_encode(struct reply *, struct MHD_Connection *);

/**
 * reply_send(r, con, stop):
 * Queue the reply and take its body over. What is sent slowly or not at all ends when ${stop}, a
 * descriptor, becomes readable.
 */
enum MHD_Result reply_send(struct reply *, struct MHD_Connection *, int);

/* send_wait(stop, ms): sleep. Return true when ${stop} has become readable. */
bool send_wait(int, long);

#endif
