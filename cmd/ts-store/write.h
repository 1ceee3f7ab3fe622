#ifndef TS_WRITE_H
#define TS_WRITE_H

#include "load.h"

/*
 * Writes the slots of a range that lie in one table: those of ROW_NEW by COPY, those of ROW_CHANGED
 * by statements for rows that may be there already, which show what became of each. blind: nothing
 * is known of them, they may be missing as well as different.
 */
enum outcome write_table(
	struct load *, struct batch *, struct pg_table *, struct range, bool blind);

/* A key as the binary formats have it: writes it to out and returns the bytes used. */
size_t write_key(enum timeframe, int64_t key, unsigned char out[8]);

/* Adds a key to the values of a statement; out must last as long as they do. */
void write_bound(struct pg_values *, enum timeframe, int64_t key, unsigned char out[8]);

/*
 * How far the keys of one statement may lie apart where a table has parts: some few of these, and
 * no more than TimescaleDB decompresses for one statement.
 */
int64_t write_width(const struct pg_table *);

/* The key in a binary result. */
int64_t write_key_of(enum timeframe, const char *field);

/*
 * How a table holds a NUMERIC in its column (0 to 3: open to close, 4: volume), rounded as far as
 * it rounds, or a volume: writes it to out and returns the bytes used.
 */
size_t write_value(
	const struct pg_table *, int column, struct slice, unsigned char out[NUMBER_BYTES]);
size_t write_volume(const struct pg_table *, int64_t volume, unsigned char out[NUMBER_BYTES]);

/* Arrays of one dimension as parameters: empties one for n elements of a type; adds one element,
 * NULL where p is. */
void write_array(struct buffer *, uint32_t type);
void write_element(struct buffer *, const void *, size_t);

/* Makes arrays the first values of a statement; their elements are counted now. */
void write_values(struct pg_values *, struct buffer *array, int arrays, size_t n);

#endif
