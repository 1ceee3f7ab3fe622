#ifndef TS_FETCH_URL_H
#define TS_FETCH_URL_H

#include "buffer.h"
#include "timeframe.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * One series of bars, between two instants (1min, hour; end is exclusive) or two dates (both
 * included). Without a symbol it is the grouped day of that date: of all stocks.
 */
struct series {
	struct slice symbol;
	enum timeframe tf;
	int64_t start, end;
	bool adjusted; /* for splits */
};

/* The most base bars that the API puts on a page. */
enum { URL_LIMIT = 50000 };

/*
 * Checks the API's address: http:// or https://, a host, perhaps a port and a path. Slashes at its
 * end are cut off. NULL, or a static reason why it is not one.
 */
const char *url_base(struct slice *);

/*
 * Appends path and query of a series' first page:
 * /v2/aggs/ticker/AAPL/range/1/day/2025-12-15/2025-12-19?adjusted=true&sort=asc&limit=50000
 */
void url_path(struct buffer *, const struct series *);

/*
 * Appends path and query of the next page, of what the API calls next_url. Its host is left out: it
 * may be another one than the base, and the key goes nowhere else. An apiKey in it is left out too.
 * NULL, or a static reason why it cannot be the next page of this series.
 */
const char *url_next(
	struct buffer *, struct slice next_url, struct slice base, const struct series *);

#endif
