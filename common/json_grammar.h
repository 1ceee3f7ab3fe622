#ifndef TS_JSON_GRAMMAR_H
#define TS_JSON_GRAMMAR_H

#include "buffer.h"

#include <stddef.h>

/*
 * The grammar of JSON, RFC 8259 and nothing looser, over text of any size: where a value ends, and
 * what is wrong with it. UTF-8 is part of it; that keys are unique is not (json.h sees to that).
 */
enum { JSON_DEPTH = 32 };

/*
 * The offset behind the JSON value that starts at text[at], white space before it skipped; or 0 if
 * no value begins there, with a static reason in *why and the offset of the offence in *where
 * (either may be NULL). Values nest JSON_DEPTH deep at most.
 */
size_t json_end(struct slice text, size_t at, const char **why, size_t *where);

/* The offset of the first byte from at on that is not JSON white space. */
size_t json_skip(struct slice text, size_t at);

/* The value of four hex digits at p, of which n bytes may be read; -1 if they are none. */
int json_hex4(const char *p, size_t n);

#endif
