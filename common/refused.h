#ifndef TS_REFUSED_H
#define TS_REFUSED_H

#include <stdint.h>

/*
 * Lines of input that cannot be used: each is counted, the first hundred are told, and again a
 * hundred once there were none for ten minutes, since a service reads for months. {0} to begin
 * with.
 */
struct refused {
	uint64_t n;
	unsigned told;
	int64_t last;	      /* when the last one came, clock_mono_ms() */
	const char *hints[8]; /* those that were given */
};

/* Counts the line and says why; hint is what helps, one text for each kind, or NULL. */
void refused_line(struct refused *, uint64_t lineno, const char *why, const char *hint);

/* Gives a hint, once. */
void refused_hint(struct refused *, const char *hint);

#endif
