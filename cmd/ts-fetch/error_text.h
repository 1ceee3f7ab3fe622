#ifndef TS_FETCH_ERROR_TEXT_H
#define TS_FETCH_ERROR_TEXT_H

#include "buffer.h"

/* Why a page did not come, as it stands in records and in the log: see ERROR_TEXT_MAX. */
struct error_text {
	struct buffer text;
	struct slice secret; /* is repeated nowhere */
};

enum { ERROR_TEXT_MAX = 300 }; /* bytes */

/*
 * Starts over, with the status, unless it is 0, and the words of the API or a transfer, if there
 * are any, as far as there is room, some of it kept for the number of tries.
 */
void error_text_set(struct error_text *, int http, struct slice words);

/* Goes on with how a body begins that is not the API's. */
void error_text_body(struct error_text *, struct slice body);

/*
 * Appends text as it is fit for a log line or a record: valid UTF-8, blanks for control characters
 * and for what is not UTF-8, at most max bytes, and "***" wherever the secret stands in it. An
 * empty or absent secret stands nowhere.
 */
void sanitize_add(struct buffer *, struct slice text, size_t max, struct slice secret);

#endif
