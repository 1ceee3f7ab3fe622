/*
 * Grants are evenly spaced, and one is void when it is used late: so no window has more of them
 * than the rate says, however the hosts' turns fall.
 */
#include "pace.h"

#include "log.h"
#include "timestamp.h"

#include <string.h>

enum {
	SLACK_MS = 30,	/* by which an answer may be late, and a request after it */
	JITTER_MS = 20, /* by which requests may come closer together on their way */
	NAME_MAX = 64,
	ALONE = 16,	  /* without Redis: one part of so many */
	LOOK_MS = 1000,	  /* a longer wait is asked for again, since all may be told to pause */
	RESERVE_MS = 100, /* what is granted is at most so far away */
};

/* Grants the next moment, if it is near; answers in us how far away it is. Argument: interval. */
static const char grant_script[] =
	"local t = redis.call('TIME') local now = t[1] * 1000000 + t[2]\n"
	"local at = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)\n"
	"if at - now <= tonumber(ARGV[2]) then\n"
	"  redis.call('SET', KEYS[1], string.format('%.0f', at + ARGV[1]), 'EX', 86400)\n"
	"end\n"
	"return at - now";

/* Nothing is granted for so many us. */
static const char hold_script[] =
	"local t = redis.call('TIME') local at = t[1] * 1000000 + t[2] + ARGV[1]\n"
	"if at > tonumber(redis.call('GET', KEYS[1]) or '0') then\n"
	"  redis.call('SET', KEYS[1], string.format('%.0f', at), 'EX', 86400)\n"
	"end\n"
	"return 0";

int
pace_parse(const char *text, struct rate *rate, const char **name)
{
	static const char fine[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	const char *at = strchr(text, '@');
	struct slice rest = slice_of(text);

	*name = at == NULL ? NULL : at + 1;
	if (rate_parse(slice_part(&rest, "@"), rate) != 0)
		return -1;
	return at == NULL || (rest.n > 0 && rest.n <= NAME_MAX && strspn(rest.p, fine) == rest.n)
		       ? 0
		       : -1;
}

void
pace_init(struct pace *p, struct rate rate, const char *name, const struct redis_url *url)
{
	int64_t period = rate.period_ms + rate.period_ms / 200 + JITTER_MS + 2 * SLACK_MS;

	share_init(&p->share, url);
	p->share.any = true;
	buffer_printf(&p->key, "tickstock.share.rate:%s", name);
	buffer_int(&p->interval, period * 1000 / rate.n);
	p->interval_ms = (period + rate.n - 1) / rate.n;
	p->granted = -1;
	p->alone = clock_mono_ms() + p->interval_ms * ALONE;
}

void
pace_release(struct pace *p)
{
	redis_free(p->share.link.redis);
	buffer_release(&p->key);
	buffer_release(&p->interval);
}

static void
on_granted(void *data, const struct redis_reply *reply)
{
	struct pace *p = data;
	int64_t now = clock_mono_ms(), wait;

	p->asking = false;
	if (share_failed(&p->share, reply))
		return;
	wait = (redis_integer(reply) + 999) / 1000;
	if (wait > RESERVE_MS)
		p->due = now + (wait < LOOK_MS ? wait : LOOK_MS);
	else if (now - p->asked <= SLACK_MS)
		p->granted = now + wait;
}

static void
ask_grant(struct pace *p, int64_t now)
{
	p->asking = true;
	p->asked = now;
	SHARE_CALL(&p->share, on_granted, p, slice_of("EVAL"), slice_of(grant_script),
		slice_of("1"), buffer_slice(&p->key), buffer_slice(&p->interval),
		slice_of("100000"));
}

int64_t
pace_wait(struct pace *p, int64_t now)
{
	if (!share_ready(&p->share))
		return p->alone > now ? p->alone - now : 0;
	if (p->granted >= 0 && now > p->granted + SLACK_MS)
		p->granted = -1;
	if (p->granted >= 0)
		return p->granted > now ? p->granted - now : 0;
	if (!p->asking && now >= p->due)
		ask_grant(p, now);
	return p->asking || p->due <= now ? LOOK_MS : p->due - now;
}

void
pace_spend(struct pace *p, int64_t now)
{
	p->granted = -1;
	p->alone = now + p->interval_ms * ALONE;
}

void
pace_hold(struct pace *p, int64_t ms)
{
	struct buffer us = {0};

	p->granted = -1;
	buffer_int(&us, ms * 1000);
	if (share_ready(&p->share))
		SHARE_CALL(&p->share, NULL, NULL, slice_of("EVAL"), slice_of(hold_script),
			slice_of("1"), buffer_slice(&p->key), buffer_slice(&us));
	buffer_release(&us);
}

void
pace_serve(struct pace *p, short revents, int64_t now)
{
	bool was_away = p->share.link.away;
	enum redis_event event = share_serve(&p->share, revents, now);

	if (event == REDIS_EVENT_LOST && !was_away)
		log_warning("without Redis the rate is a sixteenth of what all hosts share");
	if (event == REDIS_EVENT_READY)
		p->granted = -1;
}
