#ifndef TS_DRAIN_H
#define TS_DRAIN_H

#include <stdbool.h>

/*
 * Signals as a descriptor. The first SIGTERM or SIGINT makes drain_fd() readable and drain_told()
 * true; what the stage does then is its own affair. A second signal ends the process at once,
 * with the signal's default action. A signal that was ignored when the process started stays
 * ignored (so a shell's background job is not stopped by Ctrl-C). SIGPIPE is ignored: writes
 * report EPIPE.
 *
 * After the first signal an alarm ticks every second, without SA_RESTART, so that a write(2) that
 * is stuck on a stopped neighbour returns with EINTR and can look at drain_over().
 */

/*
 * Installs the handlers. grace is how many seconds after the first signal blocked writes may go
 * on before they are given up; negative: they are never given up. 0, or -1 with errno.
 */
int drain_init(int grace);

/* Readable from the first signal on; -1 before drain_init(). Never read it, only poll it. */
int drain_fd(void);

/* Whether a signal has told this process to stop. */
bool drain_told(void);

/* Whether it was told to stop and the grace has passed. */
bool drain_over(void);

#endif
