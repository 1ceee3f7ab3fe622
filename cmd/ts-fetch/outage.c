/*
 * When it is not the page: a service that is away would otherwise cost every page in progress its
 * tries, one after the other, and each its task.
 *
 * A request that found no connection says so by itself. A reply that was cut off, or that a gateway
 * gave in the service's place, may be the page's own fault, so several in a row, of several tasks,
 * are wanted.
 */
#include "fetch.h"

#include "log.h"
#include "timestamp.h"

#include <inttypes.h>

enum {
	OUTAGE_MS = 15 * 60 * 1000, /* how long it may last */
	IN_A_ROW = 4,
	HTTP_GATEWAY = 502,
	HTTP_GATEWAY_TIMEOUT = 504,
};

/* Whether the reply may be that of a service that is away. */
static bool
suspicious(const struct reply *r)
{
	return r->error.p != NULL || (r->http >= HTTP_GATEWAY && r->http <= HTTP_GATEWAY_TIMEOUT);
}

bool
outage_blames(struct fetch *f, const struct piece *p, const struct reply *r)
{
	struct outage *o = &f->outage;

	if (!suspicious(r))
		return false;
	if (o->failures++ == 0)
		o->first = p->work->task;
	o->several = o->several || p->work->task != o->first;
	if (!o->away && r->sent && (o->failures < IN_A_ROW || !o->several))
		return false;
	if (!o->away) {
		o->away = true;
		o->since = r->started;
		log_warning("the API is away: %.*s; asking again until it is back, for %d minutes "
			    "at most",
			(int)f->text.len, f->text.p, OUTAGE_MS / 60000);
	}
	limiter_down(&f->limiter, clock_mono_ms(), r->started, fetch_chance(f));
	return true;
}

bool
outage_lasts(const struct fetch *f)
{
	return f->outage.away && clock_mono_ms() - f->outage.since >= OUTAGE_MS;
}

void
outage_over(struct fetch *f)
{
	if (f->outage.away)
		log_info("the API is back after %" PRId64 " s",
			(clock_mono_ms() - f->outage.since) / 1000);
	f->outage = (struct outage){0};
}
