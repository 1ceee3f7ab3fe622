/* Sums and extremes of rows, as whole numbers: nothing is rounded before it is written. */
#include "rollup.h"

#include "number.h"

#include <stdlib.h>

enum { PRICE_PLACES = 8, VOLUME_PLACES = 6, SHARE = 1000000 };

void
rollup_init(struct rollup *r)
{
	*r = (struct rollup){.differs = INT64_MAX};
}

void
rollup_release(struct rollup *r)
{
	free(r->bars.p);
}

/* The values of a row; false where they are not those of a bar, or do not fit. */
static bool
row_values(const struct page *page, const struct row *row, int64_t v[COLUMNS])
{
	for (int i = 0; i < COLUMNS; i++) {
		int places = i == COLUMN_VOLUME ? VOLUME_PLACES : PRICE_PLACES;
		struct slice cell = {page->body.p + row->at[i], row->n[i]};
		struct number d;

		if (row->n[i] == 0 || number_parse(cell, &d) != 0 || d.scale > places ||
			number_to_int(&d, places, &v[i]) != 0)
			return false;
		if (v[i] < 0 || (v[i] == 0 && i != COLUMN_VOLUME))
			return false;
	}
	return v[COLUMN_HIGH] >= v[COLUMN_LOW];
}

void
rollup_add(struct rollup *r, int64_t t, const struct page *page, const struct row *row)
{
	struct rolled one = {.t = t}, *b = r->bars.n == 0 ? NULL : &r->bars.p[r->bars.n - 1];
	const int64_t *v = one.value;

	if (!row_values(page, row, one.value) || (b != NULL && b->t > t)) {
		r->unfit = true;
	} else if (b == NULL || b->t < t) {
		*array_add(&r->bars) = one;
	} else if (b->value[COLUMN_VOLUME] > INT64_MAX - v[COLUMN_VOLUME]) {
		r->unfit = true;
	} else {
		if (v[COLUMN_HIGH] > b->value[COLUMN_HIGH])
			b->value[COLUMN_HIGH] = v[COLUMN_HIGH];
		if (v[COLUMN_LOW] < b->value[COLUMN_LOW])
			b->value[COLUMN_LOW] = v[COLUMN_LOW];
		b->value[COLUMN_CLOSE] = v[COLUMN_CLOSE];
		b->value[COLUMN_VOLUME] += v[COLUMN_VOLUME];
	}
}

static int
by_start(const void *a, const void *b)
{
	int64_t x = ((const struct rolled *)a)->t, y = ((const struct rolled *)b)->t;

	return x < y ? -1 : x > y;
}

static void
write_value(struct buffer *b, int64_t v, int places)
{
	char digits[PRICE_PLACES];
	int n = 0;

	for (int i = places; i-- > 0; v /= 10) {
		digits[i] = (char)('0' + v % 10);
		if (n == 0 && digits[i] != '0')
			n = i + 1;
	}
	buffer_int(b, v);
	if (n > 0) {
		buffer_byte(b, '.');
		buffer_add(b, digits, (size_t)n);
	}
}

void
rollup_row(const struct rolled *bar, struct buffer *text, struct page *page, struct row *row)
{
	text->len = 0;
	*row = (struct row){.t = bar->t};
	for (int i = 0; i < COLUMNS; i++) {
		row->at[i] = (uint32_t)text->len;
		write_value(text, bar->value[i], i == COLUMN_VOLUME ? VOLUME_PLACES : PRICE_PLACES);
		row->n[i] = (uint16_t)(text->len - row->at[i]);
	}
	*page = (struct page){.body = buffer_slice(text), .row = row, .rows = 1};
}

static struct rolled *
find_start(struct rollup *r, int64_t t)
{
	struct rolled key = {.t = t};

	return r->bars.n == 0 ? NULL
			      : bsearch(&key, r->bars.p, r->bars.n, sizeof *r->bars.p, by_start);
}

static int64_t
whole_shares(int64_t millionths)
{
	return millionths / SHARE + (millionths % SHARE >= SHARE / 2);
}

void
rollup_compare(struct rollup *r, const struct page *page, const struct row *row)
{
	struct rolled own = {.t = row->t}, *b;
	bool same;

	b = find_start(r, row->t);
	same = b != NULL && row_values(page, row, own.value) &&
	       whole_shares(b->value[COLUMN_VOLUME]) == whole_shares(own.value[COLUMN_VOLUME]);
	for (int i = 0; i < COLUMN_VOLUME && same; i++)
		same = b->value[i] == own.value[i];
	if (b != NULL)
		b->met = true;
	if (!same && row->t < r->differs)
		r->differs = row->t;
}

void
rollup_lacks(struct rollup *r, int64_t t)
{
	if (t < r->differs && find_start(r, t) != NULL)
		r->differs = t;
}

void
rollup_compared(struct rollup *r)
{
	for (size_t i = 0; i < r->bars.n && r->bars.p[i].t < r->differs; i++) {
		if (!r->bars.p[i].met)
			r->differs = r->bars.p[i].t;
	}
}
