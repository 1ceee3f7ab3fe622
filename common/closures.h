#ifndef TS_CLOSURES_H
#define TS_CLOSURES_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What the exchange decided beside its rule, from a file: a line is a date and "closed", or a date
 * and "13:00" for a half day. Blank lines and lines that begin with # are passed over.
 */

/*
 * Calls take for each. NULL, or why the file cannot be used, with its line: good until the next
 * call.
 */
const char *closures_read(
	const char *path, void (*take)(void *, int32_t date, bool half), void *data);

#endif
