/* A file of another kind has a million lines that are wrong in one way: that is told, not each of
 * them. */
#include "refused.h"

#include "log.h"
#include "timestamp.h"

#include <inttypes.h>
#include <stddef.h>

enum {
	LOGGED = 100,
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
		r->logged = 0;
	r->last = now;
	if (r->logged < LOGGED)
		log_warning("line %" PRIu64 ": %s", lineno, why);
	else if (r->logged == LOGGED)
		log_warning(
			"more than %d lines are refused: further ones are only counted", LOGGED);
	r->logged += r->logged <= LOGGED;
	refused_hint(r, hint);
}

/* What a line is called that came to the wrong stage, and what to do. */
static const struct {
	const char *what, *hint;
} kinds[RECORD_TYPES] = {
	[RECORD_OTHER] = {"of no known type", "see ts-records(5)"},
	[RECORD_MESSAGE] = {"a job", "ts-expand makes tasks of it"},
	[RECORD_TASK] = {"a task", "ts-fetch makes bars of it"},
	[RECORD_BAR] = {"a bar", "ts-store stores it"},
	[RECORD_FETCHED] = {"what ts-fetch says of a task", "ts-store makes a verdict of it"},
};

void
kinds_add(struct kinds *k, enum record_type type)
{
	if ((k->own & RECORD_BIT(type)) != 0)
		k->mine++;
	else if (kinds[type].what != NULL && k->others++ == 0)
		k->other = type;
}

int
kinds_status(const struct kinds *k, int status)
{
	if (k->mine > 0 || k->others == 0)
		return status;
	log_warning("not one %s among %" PRIu64 " lines; the first is %s: %s", k->word, k->others,
		kinds[k->other].what, kinds[k->other].hint);
	return status == STATUS_DONE ? STATUS_REFUSED : status;
}
