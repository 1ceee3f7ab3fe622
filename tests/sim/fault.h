#ifndef SIM_FAULT_H
#define SIM_FAULT_H

#include <stdbool.h>

#include "page.h"
#include "query.h"

/* What a fault changes: the whole reply, the page, the page's bytes, or the way they are sent. */
enum fault_class { FAULT_NONE, FAULT_REPLY, FAULT_RECORDED, FAULT_PAGE, FAULT_BODY, FAULT_SEND };

enum body_fault { BODY_CUT_JSON, BODY_GARBAGE };

enum send_fault { SEND_PLAIN, SEND_CUT, SEND_STALL, SEND_SLOW, SEND_RESET, SEND_HUGE };

/* The API's two shapes of an error body. */
#define API_ERROR(text) "{\"status\":\"ERROR\",\"request_id\":\"5e1f\",\"error\":\"" text "\"}"
#define API_MESSAGE(status, text)                                                                  \
	"{\"status\":\"" status "\",\"request_id\":\"5e1f\",\"message\":\"" text "\"}"

/* HTTP date in Retry-After instead of seconds */
#define RETRY_DATE (-2L)

struct fault {
	enum fault_class class;
	int code;	  /* HTTP status, or a value of the class's enum */
	const char *body; /* of a FAULT_REPLY */
	long number;	  /* Retry-After in seconds (-1: none) or line of the recorded bodies */
	const struct defect *defect;
	bool split; /* a fault waits for the second page: there must be one */
};

struct faults;

/* faults_new(path): read a fault file. Return NULL with a sentence on stderr when it cannot be read
 * or has a wrong line. */
struct faults *faults_new(const char *);

void faults_free(struct faults *);

/**
 * faults_take(faults, q, f):
 * Find the fault for a request and count it; re-reads the file when it has changed. ${faults} may
 * be NULL. Safe for threads. See README for the order and the counting.
 */
void faults_take(struct faults *, const struct query *, struct fault *);

/* The documented bodies that are also given without a fault. */
extern const char body_no_key[], body_unknown_key[], body_rate[], body_not_found[], body_bad_from[];

#endif
