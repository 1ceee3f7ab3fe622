#ifndef TS_REDIS_REPLY_H
#define TS_REDIS_REPLY_H

#include "buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a reply is. Opaque beyond this: it is valid only while its callback runs. NULL, as for an
 * element that is not there, is taken for nil by all functions.
 */
struct redis_reply;

enum redis_kind {
	REDIS_KIND_NIL,
	REDIS_KIND_STRING, /* a status such as OK, too */
	REDIS_KIND_INTEGER,
	REDIS_KIND_ARRAY,
	REDIS_KIND_ERROR,
};

enum redis_kind redis_kind(const struct redis_reply *);

/* The bytes of a string, a status or an error; absent for any other kind. */
struct slice redis_text(const struct redis_reply *);

/* An integer; 0 for any other kind. */
int64_t redis_integer(const struct redis_reply *);

/* An element of an array; NULL when there is none. */
const struct redis_reply *redis_item(const struct redis_reply *, size_t);

/* An entry of the one stream that XREAD or XREADGROUP was asked about: its id, and its fields. */
const struct redis_reply *redis_stream_entry(const struct redis_reply *, size_t);

/* Whether it is an error that starts with this word, such as "WRONGTYPE". */
bool redis_is_error(const struct redis_reply *, const char *word);

#endif
