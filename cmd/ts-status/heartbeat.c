/* One loader tells another by a key that both would write. */
#include "heartbeat.h"

#include <stdio.h>

enum {
	BEAT_MS = 10000,
	LIVING_MS = 12000, /* within it a living loader has beaten again */
	ASK_MS = 1000,
};

static const char key[] = "tickstockpl:heartbeat";

void
heartbeat_connected(struct heartbeat *h, struct redis *redis, int64_t now)
{
	h->redis = redis;
	h->due = 0;
	heartbeat_serve(h, now);
}

static void
decide_alone(struct heartbeat *h, bool alone)
{
	h->decided = true;
	h->alone = alone;
	h->due = 0;
}

static void
on_value(void *data, const struct redis_reply *reply)
{
	struct heartbeat *h = data;
	struct slice value = redis_text(reply);

	h->asking = false;
	if (reply == NULL)
		return;
	if (redis_kind(reply) == REDIS_KIND_ERROR)
		decide_alone(h, false);
	else if (value.p == NULL)
		decide_alone(h, true);
	else if (h->seen[0] == '\0')
		(void)snprintf(h->seen, sizeof h->seen, "%.*s", (int)value.n, value.p);
	else if (!slice_is(value, h->seen))
		decide_alone(h, false);
	else if (clock_mono_ms() >= h->until)
		decide_alone(h, true);
}

void
heartbeat_serve(struct heartbeat *h, int64_t now)
{
	char time[TIMESTAMP_SIZE];
	struct slice get[] = {slice_of("GET"), slice_of(key)};
	struct slice set[] = {slice_of("SET"), get[1], {0}, slice_of("EX"), slice_of("30")};

	if (now < h->due || h->asking)
		return;
	if (!h->decided) {
		if (h->until == 0)
			h->until = now + LIVING_MS;
		h->asking = redis_call(h->redis, on_value, h, get, 2) == 0;
		h->due = now + ASK_MS;
		return;
	}
	set[2] = slice_of(timestamp_local(time, clock_wall()));
	(void)redis_call(h->redis, NULL, NULL, set, 5);
	h->due = now + BEAT_MS;
}

int64_t
heartbeat_due(const struct heartbeat *h)
{
	return h->asking ? INT64_MAX : h->due;
}
