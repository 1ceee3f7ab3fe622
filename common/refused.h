#ifndef TS_REFUSED_H
#define TS_REFUSED_H

#include <stdint.h>

/* Lines of input that cannot be used: each is counted, the first hundred are told. {0} to begin
 * with. */
struct refused {
	uint64_t n;
	const char *hints[8]; /* those that were given */
};

/* Counts the line and says why; hint is what helps, one text for each kind, or NULL. */
void refused_line(struct refused *, uint64_t lineno, const char *why, const char *hint);

/* Gives a hint, once. */
void refused_hint(struct refused *, const char *hint);

#endif
