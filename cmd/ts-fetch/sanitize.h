#ifndef TS_FETCH_SANITIZE_H
#define TS_FETCH_SANITIZE_H

#include "buffer.h"

/*
 * Appends text as it is fit for a log line or a record: valid UTF-8, blanks for control characters
 * and for what is not UTF-8, at most max bytes, and "***" wherever the secret stands in it. An
 * empty or absent secret stands nowhere.
 */
void sanitize_add(struct buffer *, struct slice text, size_t max, struct slice secret);

#endif
