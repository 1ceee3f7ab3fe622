/* Which bars came, in little memory: ten years of minutes are some thousand runs. */
#include "keys.h"

#include <stdlib.h>

int64_t
keys_step(enum timeframe tf)
{
	return timeframe_intraday(tf) ? INT64_C(1000000) * timeframe_seconds(tf)
				      : timeframe_days(tf);
}

/* The key that would go on with a run. */
static int64_t
next_key(const struct key_run *r, enum timeframe tf)
{
	return r->first + r->n * keys_step(tf);
}

void
keys_add(struct keys *k, enum timeframe tf, int64_t key)
{
	struct key_run *last = k->runs.n == 0 ? NULL : &k->runs.p[k->runs.n - 1];

	if (last != NULL && key == next_key(last, tf))
		last->n++;
	else
		*array_add(&k->runs) = (struct key_run){key, 1};
}

int
keys_order(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int64_t
keys_tidy(struct keys *k, enum timeframe tf)
{
	struct key_run *p = k->runs.p;
	int64_t count = 0, step = keys_step(tf);
	size_t n = 0;

	if (k->runs.n > 1)
		qsort(p, k->runs.n, sizeof *p, keys_order);
	for (size_t i = 0; i < k->runs.n; i++) {
		struct key_run r = p[i];
		/* How many of its keys the runs before it have. */
		int64_t over = n == 0 ? 0 : (next_key(&p[n - 1], tf) - r.first + step - 1) / step;

		/* All keys of a series stand on one grid, but months, whose runs are single. */
		if (over > 0) {
			r.first += over * step;
			r.n -= over;
		}
		if (r.n <= 0)
			continue;
		p[n++] = r;
		count += r.n;
	}
	k->runs.n = n;
	return count;
}

int64_t
keys_last(const struct keys *k, enum timeframe tf)
{
	const struct key_run *r = &k->runs.p[k->runs.n - 1];

	return next_key(r, tf) - keys_step(tf);
}

bool
keys_have(const struct keys *k, enum timeframe tf, int64_t key)
{
	size_t low = 0, high = k->runs.n;
	int64_t step = keys_step(tf);

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (k->runs.p[mid].first <= key)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 0)
		return false;
	key -= k->runs.p[low - 1].first;
	return key % step == 0 && key / step < k->runs.p[low - 1].n;
}

int64_t
keys_within(const struct keys *k, enum timeframe tf, int64_t low, int64_t high)
{
	int64_t step = keys_step(tf), count = 0;

	for (size_t i = 0; i < k->runs.n && k->runs.p[i].first <= high; i++) {
		const struct key_run *r = &k->runs.p[i];
		int64_t from = low <= r->first ? 0 : (low - r->first + step - 1) / step;
		int64_t to = (high - r->first) / step + 1;

		to = to < r->n ? to : r->n;
		count += from < to ? to - from : 0;
	}
	return count;
}

void
keys_release(struct keys *k)
{
	free(k->runs.p);
	*k = (struct keys){0};
}
