#ifndef TS_FETCH_ROWS_H
#define TS_FETCH_ROWS_H

#include "json.h"
#include "page.h"

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
