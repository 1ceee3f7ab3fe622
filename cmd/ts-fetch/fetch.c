/* How the rooms are put together; what is asked for next, and when. */
#include "fetch.h"

#include "signals.h"
#include "timestamp.h"

#include <inttypes.h>

enum {
	IDLE_MS = 60 * 1000, /* nothing can happen but input or a signal, which end the wait */
	LOOK_MS = 1000,	     /* how often transfers that have stalled are looked for */
	SAY_MS = 5 * 1000,   /* a longer wait is told */
};

const char *
fetch_init(struct fetch *f, const struct options *o, struct writer *out)
{
	const char *why, *why_tasks;

	*f = (struct fetch){.options = o,
		.parser = record_parser_new(),
		.kinds = {.own = RECORD_BIT(RECORD_TASK), .word = "task"},
		.reader = page_reader_new(o->base),
		.error.secret = slice_of(o->key)};
	f->transfer = transfer_new((unsigned)o->parallel, o->key, "ts-fetch/" TS_VERSION, &why);
	why_tasks = tasks_init(&f->tasks, o, f->transfer, out);
	outage_init(&f->outage, (int64_t)o->patience * OUTAGE_MINUTE_MS, f->tasks.chunks);
	limiter_init(&f->limiter, o->rate, (unsigned)o->parallel);
	if (o->name != NULL)
		pace_init(&f->pace, o->rate, o->name, &o->redis);
	return f->transfer == NULL ? why : why_tasks;
}

void
fetch_release(struct fetch *f)
{
	tasks_release(&f->tasks);
	transfer_free(f->transfer);
	record_parser_free(f->parser);
	limiter_release(&f->limiter);
	pace_release(&f->pace);
	chunk_release(&f->probe.chunk);
	buffer_release(&f->probe.symbol);
	buffer_release(&f->url);
	buffer_release(&f->reason);
	page_reader_free(f->reader);
	buffer_release(&f->error.text);
	buffer_release(&f->tail);
}

/* The retry that is due first, or NULL. */
static struct chunk *
first_retry(const struct fetch *f)
{
	struct chunk *first = NULL;

	for (unsigned i = 0; i < f->tasks.chunks; i++) {
		struct chunk *c = &f->tasks.chunk[i];

		if (c->state == CHUNK_WAITING && (first == NULL || c->due < first->due))
			first = c;
	}
	return first;
}

/* The chunk whose page is to be asked for, or NULL when there is none. */
static struct chunk *
next_chunk(struct fetch *f, int64_t now)
{
	struct chunk *c;

	if (f->outage.unreachable && f->probe.due && f->probe.chunk.path.len > 0 &&
		!tasks_idle(&f->tasks))
		return &f->probe.chunk;
	c = first_retry(f);
	return c == NULL || c->due > now ? tasks_next(&f->tasks) : c;
}

/* Whether a request could be sent: a moment is asked for only then. */
static bool
wants_request(const struct fetch *f, int64_t now)
{
	const struct chunk *c = first_retry(f);

	return (c != NULL && c->due <= now) || (f->tasks.queue.waiting > 0 && !f->tasks.held) ||
	       (f->outage.unreachable && f->probe.due);
}

static void
request_page(struct fetch *f, struct chunk *c, int64_t now)
{
	f->probe.due = c != &f->probe.chunk;
	if (f->probe.due)
		tasks_request(&f->tasks, c);
	f->url.len = 0;
	buffer_printf(&f->url, "%.*s%.*s", SLICE(f->options->base), (int)c->path.len, c->path.p);
	if (transfer_start(f->transfer, buffer_cstr(&f->url), c) != 0) {
		if (f->probe.due)
			tasks_fail(&f->tasks, c, slice_of("the request cannot be made"), "");
		return;
	}
	c->request = limiter_start(&f->limiter, now);
	if (f->options->name != NULL)
		pace_spend(&f->pace, now);
	f->requests++;
}

/* When something can be done next by itself; room is what the limiter has said. */
static int64_t
next_look(const struct fetch *f, int64_t now, int64_t room)
{
	int64_t wait = transfer_active(f->transfer) > 0 || signals_stop() ? LOOK_MS : IDLE_MS;
	const struct chunk *c = first_retry(f);

	if (room > 0)
		wait = clock_sooner(wait, room);
	if (c != NULL && c->due > now)
		wait = clock_sooner(wait, c->due - now);
	return now + wait;
}

/* Why nothing can be sent for so many seconds; in f->url, which is not in use between requests. */
static struct slice
why_waiting(struct fetch *f, int64_t now, int64_t seconds)
{
	struct buffer *text = &f->url;
	char since[TIMESTAMP_SIZE];

	text->len = 0;
	if (f->outage.unreachable) {
		(void)timestamp_format(since, clock_wall() - (now - f->outage.since) / 1000);
		buffer_printf(text, "the API has been unreachable since %s: ", since);
	}
	if (f->outage.unreachable || f->outage.refused)
		buffer_add(text, f->reason.p, f->reason.len);
	else
		buffer_printf(text, "the rate: next request in %" PRId64 " s", seconds);
	return buffer_slice(text);
}

/* The record `waiting`, once for each wait. */
static void
say_waiting(struct fetch *f, int64_t now, int64_t room)
{
	char until[TIMESTAMP_SIZE];
	struct record r = {.type = RECORD_WAITING};

	if (room < SAY_MS || transfer_active(f->transfer) > 0 || tasks_idle(&f->tasks) ||
		now + room <= f->waiting + LOOK_MS)
		return;
	f->waiting = now + room;
	r.reason = why_waiting(f, now, (room + 999) / 1000);
	r.until = slice_of(timestamp_format(until, clock_wall() + (room + 999) / 1000));
	record_send(f->tasks.out, &r);
}

int64_t
fetch_start(struct fetch *f, int64_t now)
{
	int64_t room = 0;

	derive_settle(&f->tasks);
	while (!signals_stop()) {
		struct chunk *c;

		room = limiter_wait(&f->limiter, now, transfer_active(f->transfer));
		if (room == 0 && f->options->name != NULL && wants_request(f, now))
			room = pace_wait(&f->pace, now);
		if (room != 0)
			break;
		c = next_chunk(f, now);
		if (c == NULL)
			break;
		request_page(f, c, now);
	}
	say_waiting(f, now, room);
	return next_look(f, now, room);
}
