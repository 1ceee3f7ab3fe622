/* A sliding median tells a lasting factor from a session that is odd by itself. */
#include "basis.h"

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

float
basis_median(float *v, size_t n)
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
		if (!ratio_differs(basis_median(window, width), tolerance))
			continue;
		for (size_t k = i; k < i + width; k++)
			off[k] |= ratio_differs(ratio[k], tolerance);
	}
}

void
basis_find(const float *ratio, bool *off, size_t n)
{
	for (size_t i = 0; i < n; i++)
		off[i] = ratio_differs(ratio[i], CHECK_BASIS_ONE);
	slide_window(ratio, off, n, CHECK_FEW, CHECK_BASIS_FEW);
	slide_window(ratio, off, n, CHECK_MANY, CHECK_BASIS_MANY);
	slide_window(ratio, off, n, CHECK_WINDOW, CHECK_BASIS_MANY);
}
