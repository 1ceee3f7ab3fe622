/* A sliding median tells a lasting factor from a session that is odd by itself. */
#include "basis.h"

#include "buffer.h"
#include "checks.h"

#include <math.h>
#include <stdlib.h>

static int
compare_ratios(const void *x, const void *y)
{
	float a = *(const float *)x, b = *(const float *)y;

	return (a > b) - (a < b);
}

float
basis_median(float *v, size_t n)
{
	if (n == 0)
		return 0;
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
slide_window(
	const float *ratio, const size_t *at, bool *off, size_t n, size_t width, double tolerance)
{
	float window[CHECK_WINDOW];

	for (size_t i = 0; width <= n && i + width <= n; i++) {
		for (size_t k = 0; k < width; k++)
			window[k] = ratio[at[i + k]];
		if (!ratio_differs(basis_median(window, width), tolerance))
			continue;
		for (size_t k = 0; k < width; k++)
			off[at[i + k]] |= ratio_differs(ratio[at[i + k]], tolerance);
	}
}

void
basis_find(const float *ratio, bool *off, size_t n)
{
	size_t *at = memory_grow(NULL, n + 1, sizeof *at), m = 0;

	for (size_t i = 0; i < n; i++) {
		if (ratio[i] > 0)
			at[m++] = i;
		off[i] = ratio[i] > 0 && ratio_differs(ratio[i], CHECK_BASIS_ONE);
	}
	slide_window(ratio, at, off, m, CHECK_FEW, CHECK_BASIS_FEW);
	slide_window(ratio, at, off, m, CHECK_MANY, CHECK_BASIS_MANY);
	slide_window(ratio, at, off, m, CHECK_WINDOW, CHECK_BASIS_MANY);
	free(at);
}
