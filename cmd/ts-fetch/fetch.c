/* How the rooms are put together. */
#include "fetch.h"

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
