/* How the rooms are put together. */
#include "fetch.h"

int
fetch_init(
	struct fetch *f, const struct fetch_options *options, struct writer *out, const char **why)
{
	struct buffer key = {0};

	*f = (struct fetch){0};
	buffer_add(&key, options->key.p, options->key.n);
	f->transfer = transfer_new(options->task.parallel, key.len > 0 ? buffer_cstr(&key) : NULL,
		"ts-fetch/" TS_VERSION, why);
	buffer_release(&key);
	if (f->transfer == NULL)
		return -1;
	if (tasks_init(&f->tasks, &options->task, f->transfer, out, why) != 0)
		return -1;
	sched_init(
		&f->sched, &f->tasks, f->transfer, options->base, options->rate, options->patience);
	responses_init(&f->responses, &f->sched, options->base, options->key);
	input_init(&f->input, &f->tasks);
	return 0;
}

void
fetch_release(struct fetch *f)
{
	input_release(&f->input);
	responses_release(&f->responses);
	sched_release(&f->sched);
	tasks_release(&f->tasks);
	transfer_free(f->transfer);
}

void
fetch_responses(struct fetch *f)
{
	struct response r;

	sched_sent(&f->sched);
	while (f->tasks.out->error == 0 && transfer_next(f->transfer, &r)) {
		responses_read(&f->responses, r.owner, &r);
		transfer_done(f->transfer, &r);
	}
}
