/*
 * Sessions on another basis than their days: before a split that one table knows and the other does
 * not, in another currency, of another security. A sliding median tells a lasting factor from a
 * session that is odd by itself.
 */
#include "verdict.h"

#include "checks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int
compare_ratios(const void *x, const void *y)
{
	float a = *(const float *)x, b = *(const float *)y;

	return (a > b) - (a < b);
}

/* The middle of n values, one at least, which are put in order. */
static float
find_median(float *v, size_t n)
{
	qsort(v, n, sizeof *v, compare_ratios);
	return n % 2 == 1 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static bool
ratio_differs(float ratio, double tolerance)
{
	return fabs((double)ratio - 1) > tolerance;
}

/* In every window of so many sessions whose median is off, those that are so themselves are. */
static void
slide_window(const float *ratio, bool *off, size_t n, size_t width, double tolerance)
{
	float window[CHECK_WINDOW];

	for (size_t i = 0; i + width <= n; i++) {
		memcpy(window, ratio + i, width * sizeof *window);
		if (!ratio_differs(find_median(window, width), tolerance))
			continue;
		for (size_t k = i; k < i + width; k++)
			off[k] |= ratio_differs(ratio[k], tolerance);
	}
}

/* Of the ratios of sessions to their days, which are off 1. */
static void
find_off(const float *ratio, bool *off, size_t n)
{
	for (size_t i = 0; i < n; i++)
		off[i] = ratio_differs(ratio[i], CHECK_BASIS_ONE);
	slide_window(ratio, off, n, CHECK_FEW, CHECK_BASIS_FEW);
	slide_window(ratio, off, n, CHECK_MANY, CHECK_BASIS_MANY);
	slide_window(ratio, off, n, CHECK_WINDOW, CHECK_BASIS_MANY);
}

void
series_basis(struct series *s)
{
	size_t n = s->schedule->count, m = 0, k = 0;
	float *ratio = memory_grow(NULL, n + 1, sizeof *ratio);
	bool *off = memory_grow(NULL, n + 1, sizeof *off);

	for (size_t i = 0; i < n; i++) {
		if (s->cell[i].ratio > 0)
			ratio[m++] = s->cell[i].ratio;
	}
	find_off(ratio, off, m);
	for (size_t i = 0; i < n; i++) {
		struct cell *c = &s->cell[i];

		if (c->ratio > 0 && off[k++])
			c->found = (c->found & ~(uint32_t)FOUND_DIFFERS) | FOUND_BASIS;
		/* Before the first and after the last day nothing is known. */
		else if (c->bars > 0 && c->ratio <= 0 && k > 0 && k < m)
			c->found |= FOUND_NO_DAY;
	}
	free(ratio);
	free(off);
}

double
series_factor(const struct series *s, size_t first, size_t last)
{
	size_t n = last - first + 1;
	float *v = memory_grow(NULL, n, sizeof *v);
	double factor;

	for (size_t i = 0; i < n; i++)
		v[i] = s->cell[first + i].ratio;
	factor = (double)find_median(v, n);
	free(v);
	return factor;
}
