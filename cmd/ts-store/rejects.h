#ifndef TS_REJECTS_H
#define TS_REJECTS_H

#include "json.h"
#include "lines.h"
#include "record.h"

/*
 * The file of the bars that were not stored, each a line: its own, with a member "error" more that
 * says why. Once mended such a line can be given to ts-store as it is. See ts-records(5). NULL
 * keeps nothing, which cannot fail.
 */
struct rejects {
	const char *path;
	struct writer out;
	struct json *json;
	struct buffer text;
	struct buffer scratch;
};

/* Opens it to append, and makes it when missing. 0, or -1 with errno. The path stays the caller's.
 */
int rejects_open(struct rejects *, const char *path);

/* Closes the file; what was added since rejects_flush() is lost. */
void rejects_release(struct rejects *);

/*
 * Adds a bar: its line, which is an object, or an empty one where that is gone, and what was read
 * of it. A line to which nothing can be added, for it is too long, is made anew of that, too.
 */
void rejects_add(struct rejects *, struct slice line, const struct record *, const char *why);

/* Adds a line that is not an object, as a string, cut to 64 KiB; one that is not text is not kept.
 */
void rejects_add_text(struct rejects *, struct slice line, const char *why);

/* Writes what was added. 0; or -1, which is told once on stderr, and stays. */
int rejects_flush(struct rejects *);

#endif
