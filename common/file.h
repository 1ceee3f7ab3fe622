#ifndef TS_FILE_H
#define TS_FILE_H

#include "buffer.h"

/* Files of a folder, which dir is a descriptor of. -1 with errno. */

/* What a file is called until it is whole. */
#define FILE_UNFINISHED ".new"

/* Links are never followed. */

/*
 * Writes a file that is whole under its name or not there at all, whatever happens: written,
 * fsynced and renamed, the folder fsynced. One at a time in a folder.
 */
int file_replace(int dir, const char *name, struct slice text);

/* Adds to a file, which is made when missing. Not fsynced. */
int file_append(int dir, const char *name, struct slice text);

/* One that is not there is fine. */
int file_remove(int dir, const char *name);

/*
 * Reads all of a regular file of at most so many bytes into the buffer, whose content is replaced.
 * NULL, or why not, with errno; errno is 0 for what is never going to be such a file.
 */
const char *file_read(int dir, const char *name, size_t most, struct buffer *);

/*
 * The same of what is open already, whatever it is: appended to the buffer, which has at most so
 * many bytes then.
 */
const char *file_take(int fd, size_t most, struct buffer *);

/* Calls each for every line but empty ones and a last one without its newline. */
void file_lines(struct slice text, void (*each)(void *, struct slice), void *ctx);

#endif
