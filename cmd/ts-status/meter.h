#ifndef TS_METER_H
#define TS_METER_H

#include "progress.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * What a person sees on stderr: on a terminal one line that is redrawn, else a line of log now and
 * then. Times are clock_mono_ms().
 */
struct meter {
	bool terminal; /* redraw one line */
	bool lines;    /* log lines now and then */
	bool drawn;    /* the line stands there now */
	int64_t due;
	struct buffer text, name;
};

/* quiet: neither. */
void meter_init(struct meter *, bool quiet);
void meter_release(struct meter *);

/* Wipes the line out, before anything else is written to stderr. */
void meter_hide(struct meter *);

/* When there is something to draw again; INT64_MAX while no job runs. */
int64_t meter_deadline(const struct meter *, const struct progress *);

/* Draws if it is time to. */
void meter_show(struct meter *, const struct progress *, int64_t now);

/* Appends one line about a job, at most width characters of printable ASCII; tested by itself. */
void meter_line(struct buffer *, const struct job *, int64_t now, size_t width);

#endif
