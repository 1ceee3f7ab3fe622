/* A sliding median tells a lasting factor from a session that is odd by itself. */
#include "basis.h"

#include "buffer.h"
#include "checks.h"

#include <math.h>
#include <stdlib.h>

static int
compare(const void *x, const void *y)
{
	float a = *(const float *)x, b = *(const float *)y;

	return (a > b) - (a < b);
}

float
basis_median(float *v, size_t n)
{
	if (n == 0)
		return 0;
	qsort(v, n, sizeof *v, compare);
	return n % 2 == 1 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static bool
differs(float ratio, double tolerance)
{
	return fabs((double)ratio - 1) > tolerance;
}

/* In every window of so many sessions whose median is off, those that are so themselves are. */
static void
slide(const float *ratio, const size_t *at, bool *off, size_t n, size_t width, double tolerance)
{
	float window[CHECK_WINDOW];

	for (size_t i = 0; width <= n && i + width <= n; i++) {
		for (size_t k = 0; k < width; k++)
			window[k] = ratio[at[i + k]];
		if (!differs(basis_median(window, width), tolerance))
			continue;
		for (size_t k = 0; k < width; k++)
			off[at[i + k]] |= differs(ratio[at[i + k]], tolerance);
	}
}

void
basis_find(const float *ratio, bool *off, size_t n)
{
	size_t *at = memory_grow(NULL, n + 1, sizeof *at), m = 0;

	for (size_t i = 0; i < n; i++) {
		if (ratio[i] > 0)
			at[m++] = i;
		off[i] = ratio[i] > 0 && differs(ratio[i], CHECK_BASIS_ONE);
	}
	slide(ratio, at, off, m, CHECK_FEW, CHECK_BASIS_FEW);
	slide(ratio, at, off, m, CHECK_MANY, CHECK_BASIS_MANY);
	slide(ratio, at, off, m, CHECK_WINDOW, CHECK_BASIS_MANY);
	free(at);
}
