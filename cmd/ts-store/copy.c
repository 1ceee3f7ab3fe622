/* Rows in the form that costs Postgres least to read. */
#include "copy.h"

#include "wire.h"

#include <string.h>

enum { SEND_AT = 1 << 15 };

/* Postgres counts from 2000-01-01. */
static const int64_t epoch_days = 10957;
static const int64_t epoch_us = 946684800000000;

size_t
copy_key(enum timeframe tf, int64_t key, unsigned char out[8])
{
	if (timeframe_intraday(tf)) {
		wire_put64(out, (uint64_t)(key - epoch_us));
		return 8;
	}
	wire_put32(out, (uint32_t)(key - epoch_days));
	return 4;
}

int64_t
copy_key_of(enum timeframe tf, const char *field)
{
	const unsigned char *p = (const unsigned char *)field;

	if (timeframe_intraday(tf))
		return (int64_t)wire_get64(p) + epoch_us;
	return (int32_t)wire_get32(p) + epoch_days;
}

size_t
copy_volume(enum volume_type type, int64_t volume, unsigned char out[32])
{
	switch (type) {
	case VOLUME_INT8:
		wire_put64(out, (uint64_t)volume);
		return 8;
	case VOLUME_INT4:
		if (volume > INT32_MAX)
			return 0;
		wire_put32(out, (uint32_t)volume);
		return 4;
	default:
		return numeric_of_int(volume, out);
	}
}

/* Appends one row. */
static void
add_row(struct buffer *b, const struct batch *batch, size_t place, const struct series *s,
	enum volume_type type, bool with_place)
{
	const struct row *r = batch_row(batch, place);
	unsigned char *start = (unsigned char *)buffer_room(b, r->length + SYMBOL_MAX + 100), *at;
	size_t n;

	wire_put16(start, with_place ? 8 : 7);
	wire_put32(start + 2, s->length);
	memcpy(start + 6, s->symbol, s->length);
	at = start + 6 + s->length;
	n = copy_key(s->tf, r->key, at + 4);
	wire_put32(at, (uint32_t)n);
	at += 4 + n;
	memcpy(at, batch_prices(batch, r), r->length);
	at += r->length;
	n = copy_volume(type, r->volume, at + 4);
	wire_put32(at, (uint32_t)n);
	at += 4 + n;
	if (with_place) {
		wire_put32(at, 4);
		wire_put32(at + 4, (uint32_t)place);
		at += 8;
	}
	b->len += (size_t)(at - start);
}

static enum outcome
send_rows(struct load *l, const struct batch *b, const struct table *t, struct part part,
	enum fate fate, bool with_place)
{
	static const char head[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";
	struct share share = {0};
	enum outcome o = PG_OK;

	l->wire.len = 0;
	buffer_add(&l->wire, head, 11 + 4 + 4);
	while (part_next(b, part, &share)) {
		if (share.group->series->tf != t->tf || share.group->fault != NULL)
			continue;
		for (size_t i = share.first; i < share.end && o == PG_OK; i++) {
			if (b->fate[i] != fate)
				continue;
			add_row(&l->wire, b, i, share.group->series, t->volume, with_place);
			if (l->wire.len >= SEND_AT) {
				o = session_put(l->session, l->wire.p, l->wire.len);
				l->wire.len = 0;
			}
		}
	}
	if (o != PG_OK)
		return o;
	buffer_add(&l->wire, "\377\377", 2);
	return session_put(l->session, l->wire.p, l->wire.len);
}

enum outcome
copy_rows(struct load *l, struct batch *b, const struct table *t, struct part part, enum fate fate,
	bool with_place, const char *sql, uint64_t *rows)
{
	enum outcome o = session_copy(l->session, sql);

	if (o == PG_OK)
		o = send_rows(l, b, t, part, fate, with_place);
	return o == PG_OK ? session_copied(l->session, rows) : o;
}
