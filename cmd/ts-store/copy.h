#ifndef TS_COPY_H
#define TS_COPY_H

#include "attempt.h"

/*
 * COPY BINARY, as "Binary Format" in the page of COPY has it. Sends the places of a part that lie
 * in one table and have this fate; with_place adds the number of the place as an eighth field.
 * *rows are those that Postgres took.
 */
enum outcome copy_rows(struct load *, struct batch *, const struct table *, struct part,
	enum fate, bool with_place, const char *sql, uint64_t *rows);

/*
 * How a table holds a volume: writes it to out and returns the bytes used, or 0 if it does not
 * fit.
 */
size_t copy_volume(enum volume_type, int64_t volume, unsigned char out[32]);

/* A key as the binary formats have it: writes it to out and returns the bytes used. */
size_t copy_key(enum timeframe, int64_t key, unsigned char out[8]);

/* The key in a binary result. */
int64_t copy_key_of(enum timeframe, const char *field);

#endif
