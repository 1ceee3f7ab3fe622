/* When it is not the page. */
#include "outage.h"

enum { IN_A_ROW = 4 };

bool
outage_failed(struct outage *o, uint64_t who, bool connected, int64_t started)
{
	if (o->failures++ == 0)
		o->first = who;
	if (o->failures == 1 && !o->refused)
		o->since = started;
	o->several = o->several || who != o->first;
	if (!connected || (o->failures >= IN_A_ROW && o->several))
		o->unreachable = true;
	return o->unreachable;
}

void
outage_refused(struct outage *o, int64_t started)
{
	if (!o->refused && o->failures == 0)
		o->since = started;
	o->refused = true;
}

bool
outage_lasts(const struct outage *o, int64_t now)
{
	return (o->unreachable || o->refused) && now - o->since >= o->patience;
}

void
outage_over(struct outage *o)
{
	*o = (struct outage){.patience = o->patience};
}
