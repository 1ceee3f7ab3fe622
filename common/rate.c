/* The one reader of rates. */
#include "rate.h"

#include <string.h>

enum { RATE_MAX = 100000 };

int
rate_parse(struct slice s, struct rate *r)
{
	static const char unit[] = {'s', 'm', 'h'};
	static const int64_t ms[] = {1000, 60 * 1000, 60 * 60 * 1000};
	uint64_t n;
	const char *u;

	if (slice_count(slice_part(&s, "/"), &n) != 0 || n < 1 || n > RATE_MAX || s.n != 1)
		return -1;
	u = memchr(unit, s.p[0], sizeof unit);
	if (u == NULL)
		return -1;
	*r = (struct rate){(unsigned)n, ms[u - unit]};
	return 0;
}
