#ifndef TS_SIGNALS_H
#define TS_SIGNALS_H

#include <stdbool.h>

/*
 * Signals as a descriptor. The first SIGTERM or SIGINT makes signals_fd() readable and
 * signals_stop() true; what the stage does then is its own affair. A second signal ends the process
 * at once, with the signal's default action. A signal that was ignored when the process started
 * stays ignored (so a shell's background job is not stopped by Ctrl-C). SIGPIPE is ignored: writes
 * report EPIPE.
 *
 * After the first signal an alarm ticks every second, without SA_RESTART, so that a write(2) that
 * is stuck on a stopped neighbour returns with EINTR and can look at signals_grace_over().
 */

/*
 * Installs the handlers. grace is how many seconds after the first signal blocked writes may go on
 * before they are given up; negative: they are never given up. 0, or -1 with errno.
 */
int signals_init(int grace);

/* Readable from the first signal on; -1 before signals_init(). Never read it, only poll it. */
int signals_fd(void);

/* Whether a signal asked this process to stop. */
bool signals_stop(void);

/* Whether it was asked to stop and the grace has passed. */
bool signals_grace_over(void);

/*
 * The exit status of a stage that has work left: 130 when SIGINT stopped it, 143 for SIGTERM, as a
 * shell tells it; without a signal the status that is given.
 */
int signals_status(int status);

#endif
