#ifndef TS_FETCH_KEY_H
#define TS_FETCH_KEY_H

#include "buffer.h"

/*
 * Appends the API's key, from MASSIVE_API_KEY or else from the file that MASSIVE_API_KEY_FILE
 * names, the newline at its end cut off. Nothing is appended when neither is set to anything.
 * *where says in a word where it came from. 0; or -1, after an error was logged, when the file
 * cannot be read or the key cannot be one.
 */
int key_read(struct buffer *, const char **where);

#endif
