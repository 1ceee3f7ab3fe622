#ifndef TS_WRITE_H
#define TS_WRITE_H

#include "load.h"

/*
 * Writes the slots of a range that lie in one table: those of ROW_NEW by COPY, those of ROW_CHANGED
 * by statements for rows that may be there already, which show what became of each. blind: nothing
 * is known of them, they may be missing as well as different.
 */
enum outcome write_table(
	struct load *, struct batch *, const struct pg_table *, struct range, bool blind);

/* A key as the binary formats have it: writes it to out and returns the bytes used. */
size_t write_key(enum timeframe, int64_t key, unsigned char out[8]);

/* The key in a binary result. */
int64_t write_key_of(enum timeframe, const char *field);

/* How a table holds a volume: writes it to out and returns the bytes used. */
size_t write_volume(enum volume_type, int64_t volume, unsigned char out[32]);

/* Arrays of one dimension as parameters: empties one for n elements of a type; adds one element,
 * NULL where p is. */
void write_array(struct buffer *, uint32_t type);
void write_element(struct buffer *, const void *, size_t);

/* Makes arrays the first values of a statement; their elements are counted now. */
void write_values(struct pg_values *, struct buffer *array, int arrays, size_t n);

#endif
