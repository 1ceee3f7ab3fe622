/* Reads what the admin page publishes, with all the ways in which it can be wrong. */
#include "job.h"

#include "json.h"
#include "timeframe.h"

#include <stddef.h>
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

/* Forgets the last job. */
static void
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

void
job_timeframes(const struct job *j, struct buffer *b)
{
	buffer_byte(b, '[');
	for (size_t i = 0; i < j->timeframes.n; i++) {
		if (i > 0)
			buffer_byte(b, ',');
		buffer_json(b, j->timeframes.p[i]);
	}
	buffer_byte(b, ']');
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

/* A member that is there and not null, or -1. */
static json_at
find_member(const struct job *j, const char *key)
{
	json_at at = json_find(j->json, 0, key);

	return json_type(j->json, at) == JSON_NULL ? -1 : at;
}

/* Members that are one value, by either of two names. Of some nobody minds another kind. */
static const struct member {
	const char *key, *other;
	enum json_type type;
	size_t at;
	const char *bad;
} members[] = {
	{"source", "source", JSON_STRING, offsetof(struct job, source), NULL},
	{"timestamp", "timestamp", JSON_STRING, offsetof(struct job, timestamp), NULL},
	{"received_at", "received_at", JSON_STRING, offsetof(struct job, received_at),
		"received_at is not a string"},
	{"years", "years", JSON_NUMBER, offsetof(struct job, years), "years is not a number"},
	{"from", "start_date", JSON_STRING, offsetof(struct job, from), "from is not a string"},
	{"to", "end_date", JSON_STRING, offsetof(struct job, to), "to is not a string"},
};

static const char *
read_members(struct job *j)
{
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
		const struct member *m = &members[i];
		struct slice *s = (struct slice *)(void *)((char *)j + m->at);
		json_at at = find_member(j, m->key);

		if (at < 0 && (at = find_member(j, m->other)) < 0)
			continue;
		if (m->type == JSON_STRING)
			*s = json_decode(j->json, at, &j->scratch);
		else if (json_type(j->json, at) == m->type)
			*s = json_raw(j->json, at);
		if (s->p == NULL && m->bad != NULL)
			return m->bad;
	}
	return NULL;
}

/* Gives each string of a list to add(): NULL; none where there is not one, else bad. */
static const char *
read_list(struct job *j, const char *key, void (*add)(struct job *, struct slice), const char *none,
	const char *bad)
{
	json_at list = find_member(j, key);

	if (list >= 0 && json_type(j->json, list) != JSON_ARRAY)
		return bad;
	for (json_at at = json_first(j->json, list); at >= 0; at = json_next(j->json, at)) {
		struct slice s = json_decode(j->json, at, &j->scratch);

		if (s.p == NULL)
			return bad;
		add(j, s);
		none = NULL;
	}
	return none;
}

static const char *
read_timeframes(struct job *j)
{
	json_at span = find_member(j, "timespan");
	struct slice s = json_decode(j->json, span, &j->scratch);

	if (find_member(j, "timeframes") >= 0)
		return read_list(j, "timeframes", job_add_timeframe, "no timeframes in the job",
			"timeframes is not a list of strings");
	if (span >= 0 && s.p == NULL)
		return "timespan is not a string";
	if (span >= 0)
		job_add_timeframe(j, s);
	return NULL;
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
	if ((why = read_members(j)) == NULL)
		why = read_list(j, "symbols", job_add_symbol, "no symbols in the job",
			"symbols is not a list of strings");
	if (why != NULL)
		return why;
	job_sort(j);
	return read_timeframes(j);
}
