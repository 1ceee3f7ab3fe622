#ifndef TS_FOREIGN_H
#define TS_FOREIGN_H

#include "json.h"

/*
 * Bars as other programs write them: how they are told from lines of no concern, what is wrong with
 * them, and what helps. A hint is one static text for each kind.
 */

/* Whether the object last parsed is meant as a bar, or as a page of bars, though it may not be
 * usable. */
bool foreign_bar(struct json *);

/*
 * What is wrong with the object last parsed, which is meant as a bar, as far as its members' names
 * and a number in place of a time go: the hint, with a reason in why; or NULL.
 */
const char *foreign_fault(struct json *, char *why, size_t size);

/* The line with null for each NaN and Infinity, which JSON has not, in *out: whether there was one.
 */
bool foreign_nan(struct slice line, struct buffer *out);

/* What helps against a line that is not a JSON object, or NULL. */
const char *foreign_hint(struct slice line);

#endif
