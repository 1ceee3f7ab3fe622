/* What is missing of a series, by counting, and what contradicts the other timeframes. */
#include "verdict.h"

#include "checks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HUNDRED = 100 };

const char *
verdict_name(enum verdict v)
{
	static const char *const names[VERDICT_COUNT] = {
		"complete", "holes", "differs", "outside", "empty", "unusable"};

	return names[v];
}

static struct slice
copy_text(struct slice s)
{
	return (struct slice){slice_copy(s), s.n};
}

void
series_init(
	struct series *s, struct slice job_id, struct slice symbol, const struct schedule *schedule)
{
	*s = (struct series){
		.job_id = copy_text(job_id), .symbol = copy_text(symbol), .schedule = schedule};
	s->cell = memory_grow(NULL, schedule->count + 1, sizeof *s->cell);
	series_reset(s);
}

void
series_release(struct series *s)
{
	free((void *)(uintptr_t)s->job_id.p);
	free((void *)(uintptr_t)s->symbol.p);
	free(s->cell);
	*s = (struct series){0};
}

void
series_reset(struct series *s)
{
	memset(s->cell, 0, (s->schedule->count + 1) * sizeof *s->cell);
	s->bars = s->outside = s->nulls = s->crossed = s->odd = 0;
	s->first = INT64_MAX;
	s->last = INT64_MIN;
}

void
series_count(struct series *s, uint64_t bin, const struct tally *t)
{
	const struct period *p = &s->schedule->period[bin / SCHEDULE_BOUNDS];
	struct cell *c = &s->cell[bin / SCHEDULE_BOUNDS];

	s->nulls += t->nulls;
	s->crossed += t->crossed;
	s->odd += t->odd;
	s->outside += t->off;
	/* Of a session 1 and 3 are its extended hours. */
	if (bin % SCHEDULE_BOUNDS == 0 || bin / SCHEDULE_BOUNDS >= s->schedule->count) {
		s->outside += t->bars - t->off;
		return;
	}
	c->found |= (t->nulls + t->crossed > 0 ? FOUND_FAULTY : 0) | (t->odd > 0 ? FOUND_ODD : 0);
	if (bin % SCHEDULE_BOUNDS != 2)
		return;
	c->bars = (uint32_t)t->bars;
	c->filled = t->filled;
	c->first = (int32_t)(t->first - p->start);
	c->last = (int32_t)(t->last - p->start);
	s->bars += t->bars;
	s->first = t->first < s->first ? t->first : s->first;
	s->last = t->last > s->last ? t->last : s->last;
}

static void
keep_larger(double *kept, double measured)
{
	*kept = measured > *kept ? measured : *kept;
}

static uint32_t
find_differences(bool intraday, const struct comparison *c)
{
	uint32_t found = (c->day || c->parts ? FOUND_COMPARED : 0) | (c->parts ? FOUND_PARTS : 0);

	if (c->day && c->range > CHECK_RANGE)
		found |= FOUND_RANGE;
	if (c->day && c->share > CHECK_VOLUME)
		found |= FOUND_VOLUME;
	if (c->parts && !intraday && c->price > CHECK_ROLL_UP)
		found |= FOUND_ROLL_UP;
	if (c->parts && intraday && (c->lost || c->price > CHECK_ROLL_UP || c->volume > 0))
		found |= FOUND_HOURS;
	return found;
}

void
series_compare(struct series *s, size_t i, const struct comparison *c)
{
	struct extremes *x = &s->extremes;

	s->cell[i].found |= find_differences(timeframe_intraday(s->schedule->tf), c);
	if (c->day) {
		s->cell[i].ratio = c->ratio > 0 ? (float)c->ratio : 1;
		keep_larger(&x->range, c->range);
		keep_larger(&x->share, c->share);
		keep_larger(&x->ratio[1], c->ratio);
		if (c->ratio > 0 && (x->ratio[0] <= 0 || c->ratio < x->ratio[0]))
			x->ratio[0] = c->ratio;
	}
	if (c->parts) {
		keep_larger(&x->price, c->price);
		keep_larger(&x->volume, c->volume);
	}
}

static int
compare_date(const void *date, const void *period)
{
	const struct period *p = period;
	int32_t d = *(const int32_t *)date;

	return d < p->first ? -1 : d > p->last;
}

size_t
series_period(const struct series *s, int32_t date)
{
	const struct schedule *d = s->schedule;
	const struct period *p =
		d->count == 0 ? NULL : bsearch(&date, d->period, d->count, sizeof *p, compare_date);

	return p == NULL ? SIZE_MAX : (size_t)(p - d->period);
}

/* The longest silence of a session, in bars: before its first, after its last, or in between. */
static int64_t
longest_silence(const struct series *s, size_t i)
{
	const struct schedule *d = s->schedule;
	const struct period *p = &d->period[i];
	const struct cell *c = &s->cell[i];
	const struct slices slices = schedule_slices(d->tf);
	int seconds = timeframe_seconds(d->tf);
	int64_t from = p->start > d->from ? p->start : d->from,
		to = p->end < d->to ? p->end : d->to;
	int64_t longest = (p->start + c->first - from) / seconds, run = 0;
	int64_t end = (to - p->start - c->last) / seconds - 1;

	longest = end > longest ? end : longest;
	for (int64_t t = p->start + c->first; t <= p->start + c->last; t += seconds) {
		int slice = (int)(t % 86400 - slices.start) / slices.seconds;

		run = (c->filled >> slice & 1) != 0 ? 0 : run + 1;
		longest = run > longest ? run : longest;
	}
	return longest;
}

/* Whether what has this chance each time will hardly happen so many times in a row. */
static bool
is_unlikely(double chance, double times)
{
	double all = 1;

	for (; times > 0 && all >= CHECK_SILENCE; times--)
		all *= chance;
	return all < CHECK_SILENCE;
}

/*
 * Whether a session is silent for longer than chance would have it. By the share of bars of the
 * other sessions; of one alone, by how likely all of its bars had missed that stretch.
 */
static bool
is_silent(const struct series *s, size_t i)
{
	const struct schedule *d = s->schedule;
	const struct cell *c = &s->cell[i];
	double others = (double)(s->due_bars - c->bars), all = d->period[i].bars;
	double most = (double)d->due_bars - all;
	double longest = (double)longest_silence(s, i);

	if (longest <= 0)
		return false;
	if (d->due == 1)
		return is_unlikely(1 - longest / (all + 1), c->bars);
	return is_unlikely(1 - others / (most + 2), longest);
}

static bool
is_missing(const struct series *s, size_t i, unsigned least)
{
	const struct schedule *d = s->schedule;
	const struct cell *c = &s->cell[i];

	if (c->bars == 0 || (c->found & FOUND_FAULTY) != 0)
		return true;
	if ((uint64_t)c->bars * HUNDRED < (uint64_t)d->period[i].bars * least)
		return true;
	return timeframe_intraday(d->tf) && is_silent(s, i);
}

bool
series_old_basis(const struct series *s)
{
	int32_t before, first;

	if (s->answer.basis.factor[0] == '\0' ||
		date_parse(slice_of(s->answer.basis.before), &before) != 0)
		return false;
	first = (int32_t)(timeframe_intraday(s->schedule->tf) ? s->first / 86400 : s->first);
	return s->first <= s->last && first < before;
}

static enum verdict
find_verdict(const struct series *s)
{
	if (s->unusable)
		return VERDICT_UNUSABLE;
	if (s->present < s->schedule->due && s->bars == 0)
		return VERDICT_EMPTY;
	if (s->present + s->answered < s->schedule->due)
		return VERDICT_HOLES;
	if (s->differing > 0 || series_old_basis(s))
		return VERDICT_DIFFERS;
	return s->outside + s->odd + s->answer.extra > 0 ? VERDICT_OUTSIDE : VERDICT_COMPLETE;
}

void
series_judge(struct series *s, unsigned least,
	bool (*answered)(void *, const struct series *, size_t), void *data)
{
	const struct schedule *d = s->schedule;

	s->present = s->answered = s->differing = s->compared = 0;
	s->due_bars = 0;
	for (size_t i = 0; i < d->count; i++)
		s->due_bars += d->period[i].due ? s->cell[i].bars : 0;
	for (size_t i = 0; i < d->count; i++) {
		struct cell *c = &s->cell[i];

		if (c->bars > 0)
			c->found &= ~(uint32_t)FOUND_RENAMED;
		s->differing += (c->found & FOUND_DIFFERS) != 0;
		s->compared += (c->found & FOUND_COMPARED) != 0;
		if (!d->period[i].due)
			continue;
		if (series_found(s, i, FOUND_CLOSED | FOUND_RENAMED) || !is_missing(s, i, least))
			s->present++;
		else if (!series_found(s, i, FOUND_FAULTY) && answered != NULL &&
			 answered(data, s, i))
			c->found |= FOUND_ANSWERED;
		else
			c->found |= FOUND_MISSING;
		s->answered += (c->found & FOUND_ANSWERED) != 0;
	}
	s->verdict = find_verdict(s);
}

bool
series_found(const struct series *s, size_t period, uint32_t bits)
{
	return (s->cell[period].found & bits) != 0;
}

/* Whether the factor of a session is another one than that of the run's first. */
static bool
other_factor(const struct series *s, uint32_t bits, size_t first, size_t i)
{
	double a = (double)s->cell[first].ratio, b = (double)s->cell[i].ratio;

	return bits == FOUND_BASIS && fabs(a / b - 1) > CHECK_SAME_FACTOR;
}

bool
series_run(const struct series *s, uint32_t bits, size_t *first, size_t *last)
{
	size_t i = *first;

	while (i < s->schedule->count && !series_found(s, i, bits))
		i++;
	if (i == s->schedule->count)
		return false;
	*first = *last = i;
	while (i + 1 < s->schedule->count && series_found(s, i + 1, bits) &&
		!other_factor(s, bits, *first, i + 1))
		*last = ++i;
	return true;
}
