#ifndef SIM_MEMO_H
#define SIM_MEMO_H

#include <stdbool.h>

#include "text.h"

/* Bodies as they were sent, by the address that was asked for. Safe for threads. */
struct memo;

/* memo_new(max): at most ${max} bytes of bodies; what comes later is not kept. */
struct memo *memo_new(size_t);
void memo_free(struct memo *);

/* memo_get(memo, uri, gzip, body): the body kept for it, which stays the memo's, or false. */
bool memo_get(struct memo *, const char *, bool, struct text *);

/* memo_put(memo, uri, gzip, body): keep a body. True if it is the memo's from now on. */
bool memo_put(struct memo *, const char *, bool, const struct text *);

#endif
