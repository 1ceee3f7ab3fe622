#ifndef TS_OPERANDS_H
#define TS_OPERANDS_H

#include "job.h"

/* The symbols of the command line. */

/* Why an operand cannot be symbols, though it looks like something else that is meant; or NULL. */
const char *operand_fault(const char *operand);

/* Adds the symbols of an operand, which commas divide. The text must stay. */
void operand_symbols(struct job *, const char *operand);

/*
 * Adds the symbols of a file, one or more a line, divided by blanks and commas; what follows a # is
 * a comment. "-" is standard input. The text is kept in *text, which must stay. 0, or -1 with
 * errno.
 */
int operand_file(struct job *, const char *path, struct buffer *text);

/* What the job is called for a person: the file's name, NULL for none, or its first symbols. */
void operand_source(const struct job *, const char *path, struct buffer *);

#endif
