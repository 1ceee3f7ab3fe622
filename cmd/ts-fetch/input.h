#ifndef TS_FETCH_INPUT_H
#define TS_FETCH_INPUT_H

#include "refused.h"
#include "task.h"

/* What lines of input do to the tasks. */
struct input {
	struct tasks *tasks;
	struct record_parser *parser;
	struct kinds kinds;
	struct refused refused; /* lines that were dropped */
	struct refused failed;	/* lines of tasks that could not be asked for */
};

/* tasks must outlive it. */
void input_init(struct input *, struct tasks *);
void input_release(struct input *);

/* Deals with a whole line: a task, a cancel, or something to copy through. */
void input_line(struct input *, struct slice line, uint64_t lineno);

#endif
