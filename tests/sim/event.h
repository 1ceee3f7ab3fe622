#ifndef SIM_EVENT_H
#define SIM_EVENT_H

#include <stddef.h>
#include <stdint.h>

/* What happens to a security on a date, and is known from a date on. README has the file's lines.
 */
enum event_kind { EVENT_SPLIT, EVENT_CORRECT, EVENT_GONE, EVENT_REUSE, EVENT_REACH };

struct event {
	char ticker[64]; /* or "*" */
	enum event_kind kind;
	int32_t day;   /* that it happens on */
	int32_t since; /* day from which EVENT_GONE is known */
	int64_t a, b;  /* new and old shares of a split; days of a reach */
};

struct events {
	struct event *v;
	size_t n;
};

/**
 * events_load(events, path):
 * Read a file of events. Return 0, or -1 with a sentence on stderr. The caller calls
 * events_release.
 */
int events_load(struct events *, const char *);

void events_release(struct events *);

/**
 * events_next(events, ticker, kind, e):
 * The first event of a kind for a ticker behind ${e}; NULL for ${e} starts, and is the end.
 * ${events} may be NULL.
 */
const struct event *events_next(
	const struct events *, const char *, enum event_kind, const struct event *);

#endif
