#ifndef TS_FETCH_PAGE_H
#define TS_FETCH_PAGE_H

#include "buffer.h"
#include "json.h"
#include "url.h"

#include <stddef.h>
#include <stdint.h>

/*
 * What the aggregates API of Massive (Polygon.io until 2025) answers. Pure: text in, values out.
 * See https://massive.com/docs/rest/stocks/aggregates/custom-bars
 */

/* A price or volume of a row: its text as the API wrote it, or why there is none. */
enum cell_fault { CELL_MISSING, CELL_NULL, CELL_NO_NUMBER, CELL_TOO_LONG };
enum column { COLUMN_OPEN, COLUMN_HIGH, COLUMN_LOW, COLUMN_CLOSE, COLUMN_VOLUME, COLUMNS };

struct row {
	int64_t t;	      /* start of the bar, seconds */
	uint32_t at[COLUMNS]; /* offset in the body; an enum cell_fault where n is 0 */
	uint32_t ticker;      /* of a grouped page: offset of its T */
	uint16_t n[COLUMNS];
	uint16_t ticker_n; /* 0: it has none */
};

/* A page that has been checked. Its slices are valid until the next call for the same reader. */
struct page {
	struct slice body;
	const struct row *row;
	size_t rows;
	uint64_t base;	   /* bars that they were made of: the API's word, else their number */
	struct slice next; /* path and query of the next page; absent on the last one */
	struct slice request_id; /* absent if there is none */
	struct slice why; /* what is wrong with it, in the API's own words where it has any */
};

/* What an answer is good for. */
enum page_verdict {
	PAGE_OK,
	PAGE_RETRY, /* it may be another one next time */
	PAGE_FAIL,  /* it will be the same next time */
};

/* Reads answers; keeps its memory from one to the next. */
struct page_reader;

/* base is the address asked, as url_base() left it; it must outlive the reader. */
struct page_reader *page_reader_new(struct slice base);
void page_reader_free(struct page_reader *);

/*
 * Checks a body that came with 200 as a whole: JSON grammar, status, ticker, adjusted,
 * resultsCount, every row with a t, none before the one in front of it nor before after (the t of
 * the last row of the page before; INT64_MIN for the first page), a next_url for the same series. A
 * series without a symbol is a grouped day: its rows have a ticker each, and no order. If it is not
 * PAGE_OK, page->why says so; page->next and page->request_id are set as far as they were read.
 */
enum page_verdict page_read(struct page_reader *, struct slice body, const struct series *,
	int64_t after, struct page *);

/* The API's words in the body of an error, and its request_id; absent where there are none. */
void page_words(
	struct page_reader *, struct slice body, struct slice *words, struct slice *request_id);

/* The rows of a page. Keeps its memory from one page to the next; json is the caller's. */
struct rows {
	struct json *json; /* for what the API does not write today */
	struct row *row;
	size_t n;
	size_t cap;
	bool any_order;	 /* their t need not ascend */
	const char *why; /* the array cannot be read; valid until the next call */
};

/*
 * Reads the array that starts at body[at], by JSON's grammar and with every row's t: an instant,
 * not before the one in front of it. Returns the offset behind the array; or 0 with a reason in
 * rows->why and the number of the row it is about (from 1) in rows->n.
 */
size_t rows_read(struct rows *, struct slice body, size_t at);

void rows_release(struct rows *);

#endif
