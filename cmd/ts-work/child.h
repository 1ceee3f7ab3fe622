#ifndef TS_WORK_CHILD_H
#define TS_WORK_CHILD_H

#include "lines.h"

#include <sys/types.h>

/*
 * The command that does the work, a shell's line in a process group of its own: bash's, with
 * pipefail, or else that of sh.
 */
struct child {
	pid_t pid;
	int in;		      /* its stdin, ours to write; -1 once that is closed */
	struct buffer unsent; /* for it */
	struct reader out;    /* its stdout */
};

/* Starts it. 0, or -1 with errno. child_release() after either. */
int child_start(struct child *, const char *command);
void child_release(struct child *);

/* Gives it a line, which is sent by child_flush() as far as it takes it without blocking. */
void child_line(struct child *, struct slice line);
void child_flush(struct child *);

/* No more input, and the signal for all of its group; 0: none. */
void child_stop(struct child *, int sig);

/*
 * Waits for its end, once its stdout has ended, but not for long: then it is killed. Its exit
 * status as a shell tells it: that of the last stage that did not end with 0, with bash.
 */
int child_wait(struct child *);

#endif
