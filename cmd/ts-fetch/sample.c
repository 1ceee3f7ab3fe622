/* The members of a group that are asked for singly, and whether the grouped days are the same. */
#include "group.h"

#include "log.h"
#include "task.h"
#include "timestamp.h"

static void
say_difference(struct tasks *ts, const struct sample *s)
{
	char key[TIMESTAMP_SIZE];

	ts->derive.ungrouped = true;
	ts->derive.differing++;
	log_warning("symbol=%.*s timeframe=day: the API's bar at %s is not that of its grouped "
		    "day; from now on days are not grouped",
		SLICE(s->member->task->symbol), bars_key(&s->member->bars, s->own.differs, key));
}

/* Whether no sample has been found to differ yet, and there is one; if one does, that is told. */
bool
sample_proven(struct tasks *ts, const struct group *g)
{
	size_t failed = 0;

	for (size_t i = 0; i < g->samples.n && !ts->derive.ungrouped; i++) {
		failed += g->samples.p[i].failed;
		if (g->samples.p[i].own.differs != INT64_MAX)
			say_difference(ts, &g->samples.p[i]);
	}
	return !ts->derive.ungrouped && failed < g->samples.n;
}

/* Of the members that the page has one in so many is a sample. */
void
sample_take(struct tasks *ts, struct group *g, const struct page *page)
{
	size_t n = 0;

	for (size_t i = 0; i < g->members.n; i++) {
		struct member *m = &g->members.p[i];

		if (m->look != g->look || n++ % ts->options.grouped != 0)
			continue;
		*array_add(&g->samples) = (struct sample){.member = m};
		rollup_init(&g->samples.p[g->samples.n - 1].own);
		ts->derive.sampled++;
		m->sample = true;
	}
	if (n > 0)
		buffer_add(&g->body, page->body.p, page->body.n);
	for (size_t i = 0; i < page->rows && n > 0; i++)
		*array_add(&g->rows) = page->row[i];
}

/* A sample is over, its days have come or not; with the last one the page that was kept is read. */
static void
end_sample(struct tasks *ts, struct active *a)
{
	struct group *g = a->group;
	struct page kept = {.body = buffer_slice(&g->body), .row = g->rows.p, .rows = g->rows.n};

	g->asked++;
	if (g->asked < g->samples.n)
		group_go_on(ts, a);
	else
		group_date(ts, a, &kept);
}

void
sample_compare(struct tasks *ts, const struct group *g, const struct page *page)
{
	int64_t day = calendar_instant(ts->calendar, g->date, 0);

	for (size_t i = 0; i < g->samples.n && derive_ended(ts->calendar, TF_DAY, day); i++) {
		struct sample *s = &g->samples.p[i];
		struct row row;

		if (s->failed)
			continue;
		if (s->member->look == g->look) {
			row = group_day_of(ts, g, page, s->member);
			rollup_compare(&s->own, page, &row);
		} else {
			rollup_lacks(&s->own, day);
		}
	}
}

/* Of its days are compared those that end, with the dates for which there was nothing as yet. */
static void
compare_dates_before(struct tasks *ts, const struct group *g, struct sample *s)
{
	while (s->own.bars.n > 0 &&
		!derive_ended(ts->calendar, TF_DAY, s->own.bars.p[s->own.bars.n - 1].t))
		s->own.bars.n--;
	for (size_t i = 0; i < s->own.bars.n; i++) {
		int64_t t = s->own.bars.p[i].t;
		int32_t date = calendar_date(ts->calendar, t);

		if (date < g->date || calendar_session(ts->calendar, date) == SESSION_NONE)
			rollup_lacks(&s->own, t);
	}
}

/* A page of the member that is asked for singly. */
void
sample_page(struct tasks *ts, struct active *a, const struct page *page)
{
	struct group *g = a->group;
	struct sample *s = &g->samples.p[g->asked];
	struct member *m = s->member;

	for (size_t i = 0; i < page->rows && ts->out->error == 0; i++) {
		const struct row *row = &page->row[i];

		rollup_add(&s->own, row->t, page, row);
		group_add_day(ts, m, page, row, g->chunk->after);
		g->chunk->after = row->t;
	}
	if (page->next.p != NULL) {
		chunk_follow(g->chunk, page->next);
		queue_again(ts->queue, a->task);
		return;
	}
	group_finish_member(ts, a, m);
	compare_dates_before(ts, g, s);
	end_sample(ts, a);
}

void
grouped_fail_sample(struct tasks *ts, struct active *a, struct slice error)
{
	struct group *g = a->group;
	struct sample *s = &g->samples.p[g->asked];

	derive_fail(ts, s->member->task, &s->member->riders, error);
	s->member->done = s->failed = true;
	s->own.bars.n = 0;
	end_sample(ts, a);
}
