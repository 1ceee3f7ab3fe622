/* What is missing of a series, by counting. */
#include "series.h"

#include <stdlib.h>
#include <string.h>

enum { HUNDRED = 100 };

/* A cell that is missing is marked by a count that none can have. */
static const uint32_t missing_mark = UINT32_MAX;

static struct slice
copy(struct slice s)
{
	char *p = memory_grow(NULL, s.n + 1, 1);

	memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return (struct slice){p, s.n};
}

void
series_init(struct series *s, struct slice job_id, struct slice symbol, const struct schedule *schedule)
{
	*s = (struct series){
		.job_id = copy(job_id), .symbol = copy(symbol), .schedule = schedule};
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
	s->bars = s->outside = s->nulls = s->crossed = 0;
	s->first = INT64_MAX;
	s->last = INT64_MIN;
}

void
series_count(struct series *s, uint64_t bin, const struct tally *t)
{
	struct cell *c;

	s->nulls += t->nulls;
	s->crossed += t->crossed;
	if (bin % 2 == 0 || bin / 2 >= s->schedule->count) {
		s->outside += t->bars;
		return;
	}
	c = &s->cell[bin / 2];
	c->bars += (uint32_t)t->bars;
	c->faulty += (uint32_t)t->faulty;
	if (t->last > c->last)
		c->last = t->last;
	s->bars += t->bars;
	s->first = t->first < s->first ? t->first : s->first;
	s->last = t->last > s->last ? t->last : s->last;
}

/*
 * Whether the bars of a session stop before its end, though by the share of bars that the other
 * sessions have, chance would have it so less than once in ten million. A load that was made while
 * the session was under way, or was broken off, leaves such an end; a thin symbol does not.
 */
static bool
breaks_off(const struct series *s, size_t i)
{
	const double chance = 1e-7;
	const struct schedule *d = s->schedule;
	const struct period *p = &d->period[i];
	int seconds = timeframe_seconds(d->tf);
	double bars = (double)(s->due_bars - s->cell[i].bars);
	double most = (double)(d->due_bars - p->bars);
	double absent = 1 - bars / (most + 2), likely = 1;
	int64_t silent = ((p->end < d->to ? p->end : d->to) - s->cell[i].last) / seconds - 1;

	for (; silent > 0 && likely > chance; silent--)
		likely *= absent;
	return likely <= chance;
}

static bool
is_missing(const struct series *s, size_t i, unsigned least)
{
	const struct schedule *d = s->schedule;
	const struct cell *c = &s->cell[i];

	if (c->bars == 0 || c->faulty > 0)
		return true;
	if ((uint64_t)c->bars * HUNDRED < (uint64_t)d->period[i].bars * least)
		return true;
	return timeframe_intraday(d->tf) && breaks_off(s, i);
}

void
series_judge(struct series *s, unsigned least)
{
	const struct schedule *d = s->schedule;

	s->present = 0;
	s->due_bars = 0;
	for (size_t i = 0; i < d->count; i++)
		s->due_bars += d->period[i].due ? s->cell[i].bars : 0;
	for (size_t i = 0; i < d->count; i++) {
		if (!d->period[i].due)
			continue;
		/* The other cells' counts are in due_bars, so this one's is not needed any more. */
		if (is_missing(s, i, least))
			s->cell[i].faulty = missing_mark;
		else
			s->present++;
	}
	if (s->present == d->due)
		s->verdict = VERDICT_COMPLETE;
	else
		s->verdict = s->bars == 0 ? VERDICT_EMPTY : VERDICT_HOLES;
}

bool
series_missing(const struct series *s, size_t period)
{
	return s->cell[period].faulty == missing_mark;
}

bool
series_run(const struct series *s, size_t *first, size_t *last)
{
	size_t i = *first;

	while (i < s->schedule->count && !series_missing(s, i))
		i++;
	if (i == s->schedule->count)
		return false;
	*first = *last = i;
	while (i + 1 < s->schedule->count && series_missing(s, i + 1))
		*last = ++i;
	return true;
}
