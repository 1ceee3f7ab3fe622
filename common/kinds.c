/* Input for another stage is not taken for no input. */
#include "kinds.h"

#include "log.h"

#include <inttypes.h>

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
