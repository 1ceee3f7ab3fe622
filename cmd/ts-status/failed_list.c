/* Pushed in slices, one on its way at a time: what is not answered is not known to stand there. */
#include "failed_list.h"

#include <string.h>

enum { SLICE_RECORDS = 100 };

void
failed_list_init(struct failed_list *l, struct redis *redis, struct slice job_id)
{
	*l = (struct failed_list){.redis = redis, .renew = true};
	buffer_printf(&l->key, "tickstock.jobs.failed:%.*s", SLICE(job_id));
}

void
failed_list_release(struct failed_list *l)
{
	buffer_release(&l->key);
	buffer_release(&l->text);
}

void
failed_list_add(struct failed_list *l, struct slice record)
{
	buffer_add(&l->text, record.p, record.n);
	buffer_byte(&l->text, '\n');
}

void
failed_list_renew(struct failed_list *l)
{
	l->pushed = 0;
	l->renew = true;
	l->refused = false;
}

bool
failed_list_written(const struct failed_list *l)
{
	return l->refused || (!l->renew && l->pushed == l->text.len);
}

bool
failed_list_due(const struct failed_list *l)
{
	return l->flying == 0 && !failed_list_written(l);
}

static void
on_pushed(void *data, const struct redis_reply *reply)
{
	struct failed_list *l = data;
	size_t flown = l->flying;

	l->flying = 0;
	if (reply == NULL || redis_is_error(reply, "WRONGTYPE"))
		failed_list_renew(l);
	else if (redis_is_error(reply, "NOPERM"))
		l->refused = true;
	else if (redis_kind(reply) != REDIS_KIND_ERROR && !l->renew)
		l->pushed = flown;
}

/* The next records as words behind the first n; how many words there are then. */
static int
take_slice(struct failed_list *l, struct slice *words, int n)
{
	size_t at = l->pushed;

	while (at < l->text.len && n < 2 + SLICE_RECORDS) {
		const char *p = l->text.p + at, *nl = memchr(p, '\n', l->text.len - at);

		words[n++] = (struct slice){p, (size_t)(nl - p)};
		at += words[n - 1].n + 1;
	}
	l->flying = at;
	return n;
}

void
failed_list_serve(struct failed_list *l)
{
	struct slice words[2 + SLICE_RECORDS] = {slice_of("RPUSH"), buffer_slice(&l->key)};
	int n;

	if (!failed_list_due(l))
		return;
	if (l->renew && REDIS_CALL(l->redis, NULL, NULL, slice_of("DEL"), words[1]) == 0)
		l->renew = false;
	if (l->renew || l->pushed == l->text.len)
		return;
	n = take_slice(l, words, 2);
	if (redis_call(l->redis, on_pushed, l, words, n) != 0) {
		l->flying = 0;
		return;
	}
	(void)REDIS_CALL(l->redis, NULL, NULL, slice_of("EXPIRE"), words[1], slice_of("86400"));
}
