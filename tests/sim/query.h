#ifndef SIM_QUERY_H
#define SIM_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum span { SPAN_MINUTE, SPAN_HOUR, SPAN_DAY, SPAN_WEEK, SPAN_MONTH, SPANS };

/* One request for bars. */
struct query {
	char ticker[64];      /* decoded */
	char ticker_raw[192]; /* as in the path */
	char to_raw[32];
	enum span span;
	int64_t from, to; /* ms, both inclusive; a date as to is the last ms of that day */
	long limit;	  /* base bars */
	bool adjusted;
	bool grouped;	    /* the day of all tickers; from is its midnight, ticker GROUPED */
	bool paged;	    /* carries a cursor */
	bool skipped;	    /* the cursor came from an empty page */
	unsigned long turn; /* the cursor's number in an endless series */
};

/* What is wrong with a request; query_parse's answers. */
enum query_error { QUERY_OK, QUERY_NOT_FOUND, QUERY_FROM, QUERY_TO, QUERY_ORDER, QUERY_PARAMETER };

/* The API's name of a span, and back: span_named(s, len) is SPANS for none. */
const char *span_name(enum span);
enum span span_named(const char *, size_t);

/**
 * query_parse(uri, max_limit, q):
 * Parse path and query of a request, still percent-encoded. A limit defaults to 5000 and is cut to
 * ${max_limit}. What the cursor says replaces the parameters of the same name.
 */
enum query_error query_parse(const char *, long, struct query *);

/**
 * query_next(q, from, buf, size):
 * Write path and cursor of the request that goes on at ${from}.
 */
void query_next(const struct query *, int64_t, char *, size_t);

#endif
