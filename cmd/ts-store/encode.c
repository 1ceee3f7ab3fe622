/*
 * Values in Postgres' binary formats: as COPY BINARY has fields, and arrays as array_recv() of
 * utils/adt/arrayfuncs.c has them.
 */
#include "encode.h"

#include "wire.h"

#include <string.h>

/* Postgres counts from 2000-01-01. */
static const int64_t epoch_days = 10957;
static const int64_t epoch_us = 946684800000000;

size_t
encode_key(enum timeframe tf, int64_t key, unsigned char out[8])
{
	if (timeframe_intraday(tf)) {
		wire_put64(out, (uint64_t)(key - epoch_us));
		return 8;
	}
	wire_put32(out, (uint32_t)(key - epoch_days));
	return 4;
}

int64_t
encode_key_of(enum timeframe tf, const char *field)
{
	const unsigned char *p = (const unsigned char *)field;

	if (timeframe_intraday(tf))
		return (int64_t)wire_get64(p) + epoch_us;
	return (int32_t)wire_get32(p) + epoch_days;
}

void
encode_bytes(struct pg_values *v, const void *p, size_t n)
{
	v->value[v->n] = p;
	v->length[v->n++] = (int)n;
}

void
encode_bound(struct pg_values *v, enum timeframe tf, int64_t key)
{
	char *out = v->room[v->n];

	encode_bytes(v, out, encode_key(tf, key, (unsigned char *)out));
}

size_t
encode_value(const struct pg_table *t, int column, struct number d, unsigned char out[NUMBER_BYTES])
{
	double nearest;
	float near;
	uint64_t bits = 0;
	uint32_t word;

	switch (t->type[column]) {
	case PG_FLOAT8:
		nearest = number_to_double(&d);
		memcpy(&bits, &nearest, sizeof bits);
		wire_put64(out, bits);
		return 8;
	case PG_FLOAT4:
		near = number_to_float(&d);
		memcpy(&word, &near, sizeof word);
		wire_put32(out, word);
		return 4;
	default:
		/* A carry beyond all digits is for Postgres to refuse. */
		if (t->scale[column] != INT32_MAX && d.scale > t->scale[column])
			(void)number_round(&d, t->scale[column]);
		return number_binary(&d, out);
	}
}

size_t
encode_volume(const struct pg_table *t, int64_t volume, unsigned char out[NUMBER_BYTES])
{
	switch (t->type[4]) {
	case PG_INT8:
		wire_put64(out, (uint64_t)volume);
		return 8;
	case PG_INT4:
		wire_put32(out, (uint32_t)volume);
		return 4;
	default:
		return encode_value(t, 4, number_of_int(volume), out);
	}
}

/* Dimensions, whether there are nulls, the elements' type; of the one dimension length and start.
 */
void
encode_array(struct buffer *b, uint32_t type)
{
	unsigned char *out;

	b->len = 0;
	out = (unsigned char *)buffer_room(b, 20);
	wire_put32(out, 1);
	wire_put32(out + 4, 0);
	wire_put32(out + 8, type);
	wire_put32(out + 12, 0);
	wire_put32(out + 16, 1);
	b->len = 20;
}

void
encode_element(struct buffer *b, const void *p, size_t n)
{
	unsigned char *out = (unsigned char *)buffer_room(b, 4 + n);

	wire_put32(out, p == NULL ? UINT32_MAX : (uint32_t)n);
	if (p != NULL)
		memcpy(out + 4, p, n);
	else
		wire_put32((unsigned char *)b->p + 4, 1);
	b->len += p == NULL ? 4 : 4 + n;
	out = (unsigned char *)b->p + 12;
	wire_put32(out, wire_get32(out) + 1);
}

struct pg_values
encode_values(const struct buffer *array, int arrays)
{
	struct pg_values v = {.binary = true};

	for (int i = 0; i < arrays; i++)
		encode_bytes(&v, array[i].p, array[i].len);
	return v;
}
