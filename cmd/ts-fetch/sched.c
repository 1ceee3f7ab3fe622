#include "sched.h"

#include "signals.h"
#include "timestamp.h"

#include <inttypes.h>

enum {
	IDLE_MS = 60 * 1000, /* nothing can happen but input or a signal, which end the wait */
	LOOK_MS = 1000,	     /* how often transfers that have stalled are looked for */
	SAY_MS = 5 * 1000,   /* a longer wait is told */
};

void
sched_init(struct sched *s, struct tasks *tasks, struct transfer *transfer,
	const struct sched_options *o)
{
	*s = (struct sched){.tasks = tasks, .transfer = transfer, .base = o->base};
	outage_init(&s->outage, (int64_t)o->patience * OUTAGE_MINUTE_MS, tasks->chunks);
	limiter_init(&s->limiter, o->rate, tasks->options.parallel);
}

void
sched_release(struct sched *s)
{
	limiter_release(&s->limiter);
	chunk_release(&s->probe.chunk);
	buffer_release(&s->probe.symbol);
	buffer_release(&s->url);
	buffer_release(&s->reason);
}

unsigned
sched_chance(struct sched *s)
{
	return (unsigned)chance_upto(&s->chance, 1023);
}

void
sched_keep(struct sched *s, const struct chunk *c)
{
	struct probe *p = &s->probe;

	chunk_follow(&p->chunk, buffer_slice(&c->path));
	buffer_set(&p->symbol, c->series.symbol);
	p->chunk.series = c->series;
	p->chunk.series.symbol = buffer_slice(&p->symbol);
}

bool
sched_probes(const struct sched *s)
{
	return s->probe.chunk.path.len > 0;
}

/* The retry that has been due for longest, or NULL. */
static struct chunk *
overdue_chunk(const struct sched *s, int64_t now)
{
	struct chunk *first = NULL;

	for (unsigned i = 0; i < s->tasks->chunks; i++) {
		struct chunk *c = &s->tasks->chunk[i];

		if (c->state == CHUNK_WAITING && c->due <= now &&
			(first == NULL || c->due < first->due))
			first = c;
	}
	return first;
}

/* The chunk whose page is to be asked for, or NULL when there is none. */
static struct chunk *
next_chunk(struct sched *s, int64_t now)
{
	struct chunk *c;

	if (s->outage.unreachable && s->probe.due && sched_probes(s) && !tasks_idle(s->tasks))
		return &s->probe.chunk;
	c = overdue_chunk(s, now);
	return c == NULL ? tasks_next(s->tasks) : c;
}

/* Whether a request could be sent: a moment is asked for only then. */
static bool
wants_request(const struct sched *s, int64_t now)
{
	return overdue_chunk(s, now) != NULL ||
	       (queue_waiting(s->tasks->queue) > 0 && !s->tasks->held) ||
	       (s->outage.unreachable && s->probe.due);
}

static void
request_page(struct sched *s, struct chunk *c, int64_t now)
{
	s->probe.due = c != &s->probe.chunk;
	if (s->probe.due)
		tasks_request(s->tasks, c);
	s->url.len = 0;
	buffer_printf(&s->url, "%.*s%.*s", SLICE(s->base), (int)c->path.len, c->path.p);
	if (transfer_start(s->transfer, buffer_cstr(&s->url), c) != 0) {
		if (s->probe.due)
			tasks_fail(s->tasks, c, slice_of("the request cannot be made"), "");
		return;
	}
	c->request = limiter_start(&s->limiter, now);
	if (s->pace != NULL)
		pace_spend(s->pace, now);
	s->requests++;
}

/* When something can be done next by itself; room is what the limiter has said. */
static int64_t
next_look(const struct sched *s, int64_t now, int64_t room)
{
	int64_t wait = transfer_active(s->transfer) > 0 || signals_stop() ? LOOK_MS : IDLE_MS;

	if (room > 0)
		wait = clock_sooner(wait, room);
	for (unsigned i = 0; i < s->tasks->chunks; i++) {
		const struct chunk *c = &s->tasks->chunk[i];

		if (c->state == CHUNK_WAITING && c->due > now)
			wait = clock_sooner(wait, c->due - now);
	}
	return now + wait;
}

void
sched_repeat(struct sched *s, struct chunk *c)
{
	c->state = CHUNK_WAITING;
	c->due = 0;
	s->requests--;
}

void
sched_says(struct sched *s, struct slice reason)
{
	buffer_set(&s->reason, reason);
}

/* Why nothing can be sent for so many seconds; in s->url, which is not in use between requests. */
static struct slice
why_waiting(struct sched *s, int64_t now, int64_t seconds)
{
	struct buffer *text = &s->url;
	char since[TIMESTAMP_SIZE];

	text->len = 0;
	if (s->outage.unreachable) {
		(void)timestamp_format(since, clock_wall() - (now - s->outage.since) / 1000);
		buffer_printf(text, "the API has been unreachable since %s: ", since);
	}
	if (s->outage.unreachable || s->outage.refused)
		buffer_add(text, s->reason.p, s->reason.len);
	else
		buffer_printf(text, "the rate: next request in %" PRId64 " s", seconds);
	return buffer_slice(text);
}

/* The record `waiting`, once for each wait. */
static void
say_waiting(struct sched *s, int64_t now, int64_t room)
{
	char until[TIMESTAMP_SIZE];
	struct record r = {.type = RECORD_WAITING};

	if (room < SAY_MS || transfer_active(s->transfer) > 0 || tasks_idle(s->tasks) ||
		now + room <= s->waiting + LOOK_MS)
		return;
	s->waiting = now + room;
	r.reason = why_waiting(s, now, (room + 999) / 1000);
	r.until = slice_of(timestamp_format(until, clock_wall() + (room + 999) / 1000));
	record_send(s->tasks->out, &r);
}

int64_t
sched_start(struct sched *s, int64_t now)
{
	int64_t room = 0;

	derive_settle(s->tasks);
	while (!signals_stop()) {
		struct chunk *c;

		room = limiter_wait(&s->limiter, now, transfer_active(s->transfer));
		if (room == 0 && s->pace != NULL && wants_request(s, now))
			room = pace_wait(s->pace, now);
		if (room != 0)
			break;
		c = next_chunk(s, now);
		if (c == NULL)
			break;
		request_page(s, c, now);
	}
	say_waiting(s, now, room);
	return next_look(s, now, room);
}

void
sched_sent(struct sched *s)
{
	void *owner;
	int64_t at;

	while (transfer_sent(s->transfer, &owner, &at))
		limiter_sent(&s->limiter, ((struct chunk *)owner)->request, at);
}

void
sched_retry(struct sched *s, struct chunk *c, int64_t due)
{
	c->state = CHUNK_WAITING;
	c->due = due;
	s->retries++;
}
