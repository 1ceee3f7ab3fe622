#ifndef TS_ANSWERS_H
#define TS_ANSWERS_H

#include "buffer.h"
#include "record.h"
#include "timestamp.h"

/*
 * What ts-store's verdicts say of rows beside those that the API has: rows that no audit can tell
 * from bars. Of several verdicts on a range the last one counts; but history that was left on the
 * basis of before a restatement stays there. Pure.
 */
struct answer {
	char symbol[24]; /* no longer than one that the API could know */
	enum timeframe tf;
	char from[TIMESTAMP_SIZE], to[TIMESTAMP_SIZE];
	uint64_t extra, older;
	char reach[DATE_SIZE]; /* the date of the API's first bar */
	struct {
		char before[DATE_SIZE]; /* what is older than this is on another one, */
		char factor[16];	/* by this factor; empty: it is not */
	} basis;
};

/* {0} is empty; free(p) releases it. */
struct answers {
	ARRAY(struct answer) all;
};

/* Takes a stored record. */
void answers_take(struct answers *, const struct record *);

/*
 * Of all ranges of a series together; what is said of another basis of the days holds for the
 * symbol's other timeframes, too.
 */
struct answer answers_of(const struct answers *, struct slice symbol, enum timeframe);

#endif
