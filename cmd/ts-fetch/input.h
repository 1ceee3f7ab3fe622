#ifndef TS_FETCH_INPUT_H
#define TS_FETCH_INPUT_H

#include "kinds.h"
#include "task.h"

/* What lines of input do to the tasks. */
struct input {
	struct tasks *tasks;
	struct record_parser *parser;
	struct kinds kinds;
	uint64_t refused; /* lines */
};

/* tasks must outlive it. */
void input_init(struct input *, struct tasks *);
void input_release(struct input *);

/* Deals with a whole line: a task, a cancel, or something to copy through. */
void input_line(struct input *, struct slice line, uint64_t lineno);

/* Counts a line that cannot be used, and says why. */
void input_refuse(struct input *, uint64_t lineno, const char *why);

#endif
