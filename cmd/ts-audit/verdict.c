/* What is missing of a series, by counting, and what contradicts the other timeframes. */
#include "verdict.h"

#include "basis.h"
#include "checks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HUNDRED = 100 };

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
	if (t->nulls + t->crossed > 0)
		c->found |= FOUND_BIT(FOUND_FAULTY);
	if (t->odd > 0)
		c->found |= FOUND_BIT(FOUND_ODD);
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

uint32_t
series_findings(enum timeframe tf, const struct comparison *c)
{
	uint32_t found = 0;

	if (c->day && c->range > CHECK_RANGE)
		found |= FOUND_BIT(FOUND_RANGE);
	if (c->day && c->share > CHECK_VOLUME)
		found |= FOUND_BIT(FOUND_VOLUME);
	if (!c->parts)
		return found;
	if (!timeframe_intraday(tf))
		return c->price > CHECK_ROLL_UP ? found | FOUND_BIT(FOUND_ROLL_UP) : found;
	if (c->lost || c->price > CHECK_ROLL_UP || c->volume > 0)
		found |= FOUND_BIT(FOUND_HOURS);
	return found;
}

static void
keep_larger(double *kept, double measured)
{
	*kept = measured > *kept ? measured : *kept;
}

void
series_measure(struct series *s, size_t i, const struct comparison *c)
{
	struct extremes *x = &s->extremes;
	bool intraday = timeframe_intraday(s->schedule->tf);

	if (c->day || c->parts)
		s->cell[i].found |= FOUND_BIT(FOUND_COMPARED);
	if (c->day) {
		s->cell[i].ratio = c->ratio > 0 ? (float)c->ratio : 1;
		keep_larger(&x->range, c->range);
		keep_larger(&x->share, c->share);
		keep_larger(&x->ratio[1], c->ratio);
		if (c->ratio > 0 && (x->ratio[0] <= 0 || c->ratio < x->ratio[0]))
			x->ratio[0] = c->ratio;
	}
	if (c->parts) {
		keep_larger(intraday ? &x->hour : &x->roll_up, c->price);
		keep_larger(intraday ? &x->hour_volume : &x->roll_up_volume, c->volume);
	}
}

void
series_mark(struct series *s, size_t i, uint32_t bits)
{
	s->cell[i].found |= bits;
}

void
series_basis(struct series *s)
{
	size_t n = s->schedule->count, first = n, last = 0;
	float *ratio = memory_grow(NULL, n + 1, sizeof *ratio);
	bool *off = memory_grow(NULL, n + 1, sizeof *off);

	for (size_t i = 0; i < n; i++) {
		ratio[i] = s->cell[i].ratio;
		if (ratio[i] > 0) {
			first = first < i ? first : i;
			last = i;
		}
	}
	basis_find(ratio, off, n);
	for (size_t i = 0; i < n; i++) {
		if (off[i])
			s->cell[i].found =
				(s->cell[i].found & ~FOUND_DIFFERS) | FOUND_BIT(FOUND_BASIS);
		/* Before the first and after the last day nothing is known. */
		if (s->cell[i].bars > 0 && ratio[i] <= 0 && i > first && i < last)
			s->cell[i].found |= FOUND_BIT(FOUND_NO_DAY);
	}
	free(ratio);
	free(off);
}

size_t
series_period(const struct series *s, int32_t date)
{
	size_t lo = 0, hi = s->schedule->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->schedule->period[mid].last < date)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < s->schedule->count && s->schedule->period[lo].first <= date ? lo : SIZE_MAX;
}

/* The longest silence of a session, in bars: before its first, after its last, or in between. */
static int64_t
longest_silence(const struct series *s, size_t i)
{
	const struct schedule *d = s->schedule;
	const struct period *p = &d->period[i];
	const struct cell *c = &s->cell[i];
	int seconds = timeframe_seconds(d->tf);
	int64_t from = p->start > d->from ? p->start : d->from,
		to = p->end < d->to ? p->end : d->to;
	int64_t longest = (p->start + c->first - from) / seconds, run = 0;
	int64_t end = (to - p->start - c->last) / seconds - 1;

	longest = end > longest ? end : longest;
	for (int64_t t = p->start + c->first; t <= p->start + c->last; t += seconds) {
		run = (c->filled >> schedule_slice(d->tf, t) & 1) != 0 ? 0 : run + 1;
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

	if (c->bars == 0 || (c->found & FOUND_BIT(FOUND_FAULTY)) != 0)
		return true;
	if ((uint64_t)c->bars * HUNDRED < (uint64_t)d->period[i].bars * least)
		return true;
	return timeframe_intraday(d->tf) && is_silent(s, i);
}

bool
series_old_basis(const struct series *s)
{
	int32_t before, first;

	if (s->answer.factor[0] == '\0' || date_parse(slice_of(s->answer.before), &before) != 0)
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
			c->found &= ~FOUND_BIT(FOUND_RENAMED);
		s->differing += (c->found & FOUND_DIFFERS) != 0;
		s->compared += (c->found & FOUND_BIT(FOUND_COMPARED)) != 0;
		if (!d->period[i].due)
			continue;
		if ((c->found & (FOUND_BIT(FOUND_CLOSED) | FOUND_BIT(FOUND_RENAMED))) != 0 ||
			!is_missing(s, i, least))
			s->present++;
		else if (!series_found(s, i, FOUND_BIT(FOUND_FAULTY)) && answered != NULL &&
			 answered(data, s, i))
			c->found |= FOUND_BIT(FOUND_ANSWERED);
		else
			c->found |= FOUND_BIT(FOUND_MISSING);
		s->answered += (c->found & FOUND_BIT(FOUND_ANSWERED)) != 0;
	}
	s->verdict = find_verdict(s);
}

bool
series_missing(const struct series *s, size_t period)
{
	return series_found(s, period, FOUND_BIT(FOUND_MISSING));
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

	return bits == FOUND_BIT(FOUND_BASIS) && fabs(a / b - 1) > CHECK_SAME_FACTOR;
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

double
series_factor(const struct series *s, size_t first, size_t last)
{
	size_t n = last - first + 1;
	float *v = memory_grow(NULL, n, sizeof *v);
	double factor;

	for (size_t i = 0; i < n; i++)
		v[i] = s->cell[first + i].ratio;
	factor = (double)basis_median(v, n);
	free(v);
	return factor;
}
