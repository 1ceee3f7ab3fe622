#ifndef TS_INPUT_H
#define TS_INPUT_H

#include "tasks.h"

/* Takes one line. */
void input_line(struct tasks *, struct slice line, uint64_t lineno);

/* A line that was not even a line, or that cannot be used. */
void input_refuse(
	struct tasks *, uint64_t lineno, struct slice line, const char *why, const char *hint);

#endif
