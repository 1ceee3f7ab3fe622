/* When it is not the page. */
#include "outage.h"

enum { IN_A_ROW = 4 };

bool
outage_failed(struct outage *o, const void *task, bool connected, int64_t started)
{
	if (o->failures++ == 0)
		o->first = task;
	o->several = o->several || task != o->first;
	if (!o->unreachable && (!connected || (o->failures >= IN_A_ROW && o->several))) {
		o->unreachable = true;
		o->since = started;
	}
	return o->unreachable;
}

bool
outage_lasts(const struct outage *o, int64_t now)
{
	return o->unreachable && now - o->since >= OUTAGE_MS;
}

void
outage_over(struct outage *o)
{
	*o = (struct outage){0};
}
