#ifndef TS_FETCH_CLEAN_H
#define TS_FETCH_CLEAN_H

#include "buffer.h"

/*
 * Appends text as it is fit for a log line or a record: valid UTF-8, blanks for control characters
 * and for what is no UTF-8, at most max bytes, and "***" wherever the secret stands in it. An empty
 * or absent secret stands nowhere.
 */
void clean_add(struct buffer *, struct slice text, size_t max, struct slice secret);

#endif
