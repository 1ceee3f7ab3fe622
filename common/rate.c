/* The one reader of rates. */
#include "rate.h"

#include "buffer.h"

#include <string.h>

enum { RATE_MAX = 100000 };

int
rate_parse(const char *s, struct rate *r)
{
	static const char unit[] = "smh";
	static const int64_t ms[] = {1000, 60 * 1000, 60 * 60 * 1000};
	const char *slash = strchr(s, '/');
	const char *u;
	uint64_t n;

	if (slash == NULL || slice_count((struct slice){s, (size_t)(slash - s)}, &n) != 0)
		return -1;
	if (n < 1 || n > RATE_MAX || slash[1] == '\0' || slash[2] != '\0')
		return -1;
	u = strchr(unit, slash[1]);
	if (u == NULL)
		return -1;
	*r = (struct rate){(unsigned)n, ms[u - unit]};
	return 0;
}
