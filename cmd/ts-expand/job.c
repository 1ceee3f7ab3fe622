/* Reads what the admin page publishes, with all the ways in which it can be wrong. */
#include "job.h"

#include "json.h"
#include "timeframe.h"

#include <stdlib.h>

enum { NAME_MAX_BYTES = 64, JOB_ID_MAX = 300 };

void
job_init(struct job *j)
{
	*j = (struct job){.json = json_new()};
}

void
job_release(struct job *j)
{
	json_free(j->json);
	buffer_release(&j->scratch);
	free(j->symbols.p);
	free(j->timeframes.p);
	*j = (struct job){0};
}

void
job_reset(struct job *j)
{
	j->job_id = j->source = j->received_at = j->timestamp = j->years = j->from = j->to =
		(struct slice){0};
	j->symbols.n = j->timeframes.n = 0;
	j->scratch.len = 0;
}

static struct slice
cut_name(struct slice s)
{
	return s.n == 0 ? slice_of("(empty)") : slice_cut(s, NAME_MAX_BYTES);
}

void
job_add_symbol(struct job *j, struct slice s)
{
	*array_add(&j->symbols) = cut_name(slice_trim(s));
}

void
job_add_timeframe(struct job *j, struct slice s)
{
	enum timeframe tf = timeframe_parse(s);

	s = tf == TF_NONE ? cut_name(s) : slice_of(timeframe_name(tf));
	for (size_t i = 0; i < j->timeframes.n; i++) {
		if (slice_eq(j->timeframes.p[i], s))
			return;
	}
	*array_add(&j->timeframes) = s;
}

static int
compare_symbols(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

void
job_sort(struct job *j)
{
	size_t n = 0;

	if (j->symbols.n == 0)
		return;
	qsort(j->symbols.p, j->symbols.n, sizeof *j->symbols.p, compare_symbols);
	for (size_t i = 1; i < j->symbols.n; i++) {
		if (!slice_eq(j->symbols.p[i], j->symbols.p[n]))
			j->symbols.p[++n] = j->symbols.p[i];
	}
	j->symbols.n = n + 1;
}

/* Gives each string of a list to add(); the reason when it is not a list of strings. */
static const char *
read_list(struct job *j, json_at list, void (*add)(struct job *, struct slice), const char *reason)
{
	if (json_type(j->json, list) != JSON_ARRAY)
		return reason;
	for (json_at at = json_first(j->json, list); at >= 0; at = json_next(j->json, at)) {
		struct slice s = json_decode(j->json, at, &j->scratch);

		if (s.p == NULL)
			return reason;
		add(j, s);
	}
	return NULL;
}

/* A member that is there and not null, or -1. */
static json_at
find_member(const struct job *j, const char *key)
{
	json_at at = json_find(j->json, 0, key);

	return json_type(j->json, at) == JSON_NULL ? -1 : at;
}

static const char *
read_timeframes(struct job *j)
{
	json_at list = find_member(j, "timeframes");
	json_at span = find_member(j, "timespan");
	struct slice s;

	if (list >= 0) {
		const char *why = read_list(
			j, list, job_add_timeframe, "timeframes is not a list of strings");

		if (why == NULL && j->timeframes.n == 0)
			why = "no timeframes in the job";
		return why;
	}
	if (span >= 0) {
		s = json_decode(j->json, span, &j->scratch);
		if (s.p == NULL)
			return "timespan is not a string";
		job_add_timeframe(j, s);
	}
	return NULL;
}

/* One end of a range by either of its names: absent when it is not there, the reason when it is not
 * a string. */
static const char *
read_date(struct job *j, const char *name, const char *other, const char *why, struct slice *date)
{
	json_at at = find_member(j, name);

	if (at < 0)
		at = find_member(j, other);
	if (at < 0)
		return NULL;
	*date = json_decode(j->json, at, &j->scratch);
	return date->p == NULL ? why : NULL;
}

static const char *
read_range(struct job *j)
{
	const char *why = read_date(j, "from", "start_date", "from is not a string", &j->from);

	if (why == NULL)
		why = read_date(j, "to", "end_date", "to is not a string", &j->to);
	return why;
}

static const char *
read_symbols(struct job *j)
{
	json_at list = find_member(j, "symbols");
	const char *why;

	if (list < 0)
		return "no symbols in the job";
	why = read_list(j, list, job_add_symbol, "symbols is not a list of strings");
	if (why == NULL && j->symbols.n == 0)
		why = "no symbols in the job";
	if (why == NULL)
		job_sort(j);
	return why;
}

const char *
job_read(struct job *j, struct slice text)
{
	const char *why;
	json_at at;

	job_reset(j);
	(void)buffer_room(&j->scratch, text.n);
	if ((why = json_parse(j->json, text)) != NULL)
		return why;
	at = find_member(j, "job_id");
	if (at < 0)
		return "no job_id in the job";
	j->job_id = json_decode(j->json, at, &j->scratch);
	if (j->job_id.p == NULL || j->job_id.n == 0 || j->job_id.n > JOB_ID_MAX) {
		j->job_id = (struct slice){0};
		return "job_id is not a string of 1 to 300 bytes";
	}
	j->source = json_decode(j->json, find_member(j, "source"), &j->scratch);
	j->timestamp = json_decode(j->json, find_member(j, "timestamp"), &j->scratch);
	at = find_member(j, "received_at");
	j->received_at = json_decode(j->json, at, &j->scratch);
	if (at >= 0 && j->received_at.p == NULL)
		return "received_at is not a string";
	at = find_member(j, "years");
	if (at >= 0 && json_type(j->json, at) != JSON_NUMBER)
		return "years is not a number";
	j->years = json_raw(j->json, at);
	why = read_range(j);
	if (why == NULL)
		why = read_symbols(j);
	return why != NULL ? why : read_timeframes(j);
}
