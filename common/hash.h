#ifndef TS_HASH_H
#define TS_HASH_H

#include "buffer.h"

#include <stdint.h>

/*
 * The one hash function, FNV-1a with 64 bits (Fowler, Noll, Vo), and hash tables: uthash's macros
 * on this function and on memory_grow(), so that a table without memory ends like everything else.
 */
#define HASH_START UINT64_C(14695981039346656037)

/* Goes on from HASH_START or from what stands before. */
uint64_t hash_add(uint64_t hash, const void *, size_t);

/* The hash of one slice. */
uint64_t hash_slice(struct slice);

#define HASH_FUNCTION(key, len, hash) ((hash) = (unsigned)hash_add(HASH_START, (key), (len)))
#define uthash_malloc(size) memory_grow(NULL, (size), 1)
#define uthash_free(p, size) free(p)
#include <uthash.h>

#ifdef __clang_analyzer__
/* It cannot follow the lists within a table, and finds what was freed still there. */
void hash_unknown(void *head, const void *entry);
#undef HASH_DELETE_HH
#define HASH_DELETE_HH(hh, head, entry) hash_unknown(&(head), (entry))
#endif

#endif
