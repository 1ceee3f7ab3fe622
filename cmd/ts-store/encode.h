#ifndef TS_ENCODE_H
#define TS_ENCODE_H

#include "number.h"
#include "pg/table.h"

/* A key as the binary formats have it: writes it to out and returns the bytes used. */
size_t encode_key(enum timeframe, int64_t key, unsigned char out[8]);

/* Adds bytes, which must last as long, or a key to the values of a statement, which stay in place.
 */
void encode_bytes(struct pg_values *, const void *, size_t);
void encode_bound(struct pg_values *, enum timeframe, int64_t key);

/* The key in a binary result. */
int64_t encode_key_of(enum timeframe, const char *field);

/*
 * How a table holds a number in its column (0 to 3: open to close, 4: volume), rounded as far as
 * it rounds, or a volume: writes it to out and returns the bytes used.
 */
size_t encode_value(
	const struct pg_table *, int column, struct number, unsigned char out[NUMBER_BYTES]);
size_t encode_volume(const struct pg_table *, int64_t volume, unsigned char out[NUMBER_BYTES]);

/* Arrays of one dimension as parameters: empties one for elements of a type; adds one element, NULL
 * where p is. */
void encode_array(struct buffer *, uint32_t type);
void encode_element(struct buffer *, const void *, size_t);

/* Makes arrays the first values of a statement, or there are none. */
struct pg_values encode_values(const struct buffer *array, int arrays);

#endif
