#ifndef TS_WORDING_H
#define TS_WORDING_H

#include "verdict.h"

/* What is told of a series, in words: appended to a text. */

/* A name as it may stand on a terminal, filled up to a width. */
void wording_name(struct buffer *, struct slice, size_t width);

/* "complete", "holes" and so on; the verdict with all that was found, and a newline. */
const char *wording_verdict_name(enum verdict);
void wording_verdict(struct buffer *, const struct series *);

/* A check's name in records. */
const char *wording_check(enum finding);

/* Runs of periods with a finding, by their dates; the same behind a sentence, if there are any. */
void wording_runs(struct buffer *, const struct series *, uint32_t bits, const char *before);
void wording_gap(struct buffer *, const struct series *, uint32_t bit, const char *sentence);
#define TOLD_CLOSED "; closed? "

/* A stretch on another basis; history on one that a restatement did not reach, if there is any. */
void wording_stretch(struct buffer *, const struct series *, size_t first, size_t last);
void wording_old_basis(struct buffer *, const struct series *, const char *before);

#endif
