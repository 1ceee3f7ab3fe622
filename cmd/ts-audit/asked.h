#ifndef TS_ASKED_H
#define TS_ASKED_H

#include "buffer.h"
#include "schedule.h"

/*
 * What was asked for lately, in a file from one run to the next: lines of symbol, timeframe, from,
 * to and the moment of asking, with tabs between them. What is older than ASKED_SECONDS is
 * forgotten.
 */
enum { ASKED_SECONDS = 20 * 3600, ASKED_BYTES = 64 << 20 };

struct asked;

/* Reads the file; one that does not exist is empty. NULL, with the reason in *why, when it cannot
 * be read. The path is borrowed. */
struct asked *asked_new(const char *path, const char **why);
void asked_free(struct asked *);

/* Whether all of a range was asked for within ASKED_SECONDS before now. */
bool asked_lately(const struct asked *, struct slice symbol, const struct range *, int64_t now);

/* Notes what is asked for now; asked_lately() does not know of it. */
void asked_note(struct asked *, struct slice symbol, const struct range *, int64_t now);

/* Writes the file anew, whole or not at all. 0, or -1 with errno. */
int asked_save(struct asked *);

#endif
