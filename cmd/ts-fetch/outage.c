/* When it is not the page. */
#include "outage.h"

enum { ENOUGH = 4 };

void
outage_init(struct outage *o, int64_t patience, unsigned most)
{
	*o = (struct outage){.patience = patience, .most = most, .enough = ENOUGH};
}

bool
outage_failed(struct outage *o, const void *task, bool connected, int64_t started)
{
	if (o->failures++ == 0)
		o->first = task;
	if (o->failures == 1 && !o->refused)
		o->since = started;
	o->several = o->several || task != o->first;
	if (!connected || (o->failures >= o->enough && o->several))
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
	unsigned more = o->enough * 2 < o->most ? o->enough * 2 : o->most;
	bool mistaken = o->unreachable && !o->certain && more > ENOUGH;

	outage_init(o, o->patience, o->most);
	if (mistaken)
		o->enough = more;
}
