/* What is asked for next, and when: retries that are due first, then the jobs in turn. */
#include "fetch.h"

#include "signals.h"
#include "timestamp.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	IDLE_MS = 60 * 1000, /* nothing can happen but input or a signal, which end the wait */
	LOOK_MS = 1000,	     /* how often transfers that have stalled are looked for */
};

int
fetch_init(
	struct fetch *f, const struct fetch_options *options, struct writer *out, const char **why)
{
	const char *key = NULL;
	struct buffer text = {0};

	*f = (struct fetch){
		.options = *options, .out = out, .pieces = options->parallel * FETCH_PIECES};
	f->random = (uint64_t)clock_mono_ms() << 20 ^ (uint64_t)getpid();
	f->calendar = calendar_new(why);
	f->queue = queue_new(FETCH_QUEUE);
	limiter_init(&f->limiter, options->rate, options->parallel);
	f->massive = massive_new(options->base);
	f->parser = record_parser_new();
	f->work = memory_grow(NULL, f->pieces, sizeof *f->work);
	memset(f->work, 0, f->pieces * sizeof *f->work);
	f->piece = memory_grow(NULL, f->pieces, sizeof *f->piece);
	memset(f->piece, 0, f->pieces * sizeof *f->piece);
	if (options->key.n > 0) {
		buffer_add(&text, options->key.p, options->key.n);
		key = buffer_cstr(&text);
	}
	if (f->calendar != NULL)
		f->transfer = transfer_new(options->parallel, key, "ts-fetch/" TS_VERSION, why);
	buffer_release(&text);
	return f->transfer == NULL ? -1 : 0;
}

void
fetch_release(struct fetch *f)
{
	for (unsigned i = 0; i < f->pieces; i++) {
		if (f->work[i].task != NULL)
			work_forget(f, &f->work[i]);
	}
	for (unsigned i = 0; i < f->pieces; i++) {
		buffer_release(&f->piece[i].path);
		free(f->piece[i].seen);
	}
	free(f->work);
	free(f->piece);
	transfer_free(f->transfer);
	queue_free(f->queue);
	limiter_release(&f->limiter);
	massive_free(f->massive);
	record_parser_free(f->parser);
	calendar_free(f->calendar);
	buffer_release(&f->dead);
	buffer_release(&f->text);
	buffer_release(&f->tail);
	buffer_release(&f->url);
}

unsigned
fetch_chance(struct fetch *f)
{
	/* Splitmix64, S. Vigna. */
	uint64_t z = f->random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (unsigned)(z >> 54);
}

/* The retry that is due for longest, or NULL. */
static struct piece *
due(const struct fetch *f, int64_t now)
{
	struct piece *first = NULL;

	for (unsigned i = 0; i < f->pieces; i++) {
		struct piece *p = &f->piece[i];

		if (p->state == PIECE_WAITING && p->due <= now &&
			(first == NULL || p->due < first->due))
			first = p;
	}
	return first;
}

static struct piece *
next(struct fetch *f, int64_t now)
{
	struct piece *p = due(f, now);
	struct task *t;

	while (p == NULL) {
		t = queue_take(f->queue, f->busy < f->pieces);
		if (t == NULL)
			return NULL;
		if (t->work == NULL)
			work_take(f, t);
		p = piece_turn(f, t->work);
	}
	return p;
}

/* When something can be done next without a reply, input or signal; room is what the limiter said.
 */
static int64_t
next_look(const struct fetch *f, int64_t now, int64_t room)
{
	int64_t wait = transfer_active(f->transfer) > 0 || signals_stop() ? LOOK_MS : IDLE_MS;

	if (room > 0 && room < wait)
		wait = room;
	for (unsigned i = 0; i < f->pieces; i++) {
		const struct piece *p = &f->piece[i];

		if (p->state == PIECE_WAITING && p->due > now && p->due - now < wait)
			wait = p->due - now;
	}
	return now + wait;
}

int64_t
fetch_begin(struct fetch *f, int64_t now)
{
	int64_t room = 0;

	while (!signals_stop()) {
		struct piece *p;

		room = limiter_wait(&f->limiter, now, transfer_active(f->transfer));
		p = room == 0 ? next(f, now) : NULL;
		if (p == NULL)
			break;
		piece_start(f, p, now);
	}
	return next_look(f, now, room);
}

void
fetch_replies(struct fetch *f)
{
	struct reply r;
	void *owner;
	int64_t at;

	while (transfer_sent(f->transfer, &owner, &at))
		limiter_sent(&f->limiter, ((struct piece *)owner)->request, at);
	while (f->out->error == 0 && transfer_next(f->transfer, &r)) {
		answer_read(f, r.owner, &r);
		transfer_done(f->transfer, &r);
	}
}

bool
fetch_idle(const struct fetch *f)
{
	return f->busy == 0 && queue_waiting(f->queue) == 0;
}
