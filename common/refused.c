/* A file of another kind has a million lines that are wrong in one way: that is told, not each of
 * them. */
#include "refused.h"

#include "log.h"
#include "timestamp.h"

#include <inttypes.h>
#include <stddef.h>

enum {
	TOLD = 100,
	QUIET_MS = 600000,
};

void
refused_hint(struct refused *r, const char *hint)
{
	size_t i = 0;

	while (i < sizeof r->hints / sizeof r->hints[0] && r->hints[i] != NULL &&
		r->hints[i] != hint)
		i++;
	if (hint == NULL || i == sizeof r->hints / sizeof r->hints[0] || r->hints[i] == hint)
		return;
	r->hints[i] = hint;
	log_warning("hint: %s", hint);
}

void
refused_line(struct refused *r, uint64_t lineno, const char *why, const char *hint)
{
	int64_t now = clock_mono_ms();

	r->n++;
	if (now - r->last >= QUIET_MS)
		r->told = 0;
	r->last = now;
	if (r->told < TOLD)
		log_warning("line %" PRIu64 ": %s", lineno, why);
	else if (r->told == TOLD)
		log_warning("more than %d lines are refused: further ones are only counted", TOLD);
	r->told += r->told <= TOLD;
	refused_hint(r, hint);
}
