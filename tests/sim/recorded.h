#ifndef SIM_RECORDED_H
#define SIM_RECORDED_H

#include <stdbool.h>

#include "query.h"
#include "text.h"

struct recorded;

/* recorded_new(dir): read the recorded replies of a folder. Return NULL with a sentence on stderr.
 */
struct recorded *recorded_new(const char *);

void recorded_free(struct recorded *);

/**
 * recorded_page(r, q, uri, out):
 * Append the bytes recorded for this ticker and span whose bars lie in the range asked for; for the
 * request that follows a recorded next_url an empty last page. Return false when there is nothing.
 * ${r} may be NULL.
 */
bool recorded_page(const struct recorded *, const struct query *, const char *, struct text *);

/* recorded_error(r, k, status, out): line k, counted from 1, of error_bodies.jsonl. Return false
 * when there is none. */
bool recorded_error(const struct recorded *, long, int *, struct text *);

#endif
