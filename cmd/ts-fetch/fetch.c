/* How the rooms are put together. */
#include "fetch.h"

const char *
fetch_init(struct fetch *f, const struct fetch_options *options, struct writer *out)
{
	const char *why;

	*f = (struct fetch){0};
	f->transfer =
		transfer_new(options->task.parallel, options->key, "ts-fetch/" TS_VERSION, &why);
	if (f->transfer == NULL)
		return why;
	why = tasks_init(&f->tasks, &options->task, f->transfer, out);
	if (why != NULL)
		return why;
	sched_init(&f->sched, &f->tasks, f->transfer, &options->sched);
	responses_init(&f->responses, &f->sched, slice_of(options->key));
	input_init(&f->input, &f->tasks);
	return NULL;
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
