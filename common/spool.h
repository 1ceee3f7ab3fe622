#ifndef TS_SPOOL_H
#define TS_SPOOL_H

#include "buffer.h"

/* clang-format off */
/*
 * A folder that outlives crashes: every accepted job until its end, whether it was cancelled, and
 * which of its tasks have their verdict. NAME is made of the job_id such that no job_id leads out of
 * the folder.
 *
 *	NAME.job      the job's line: written, fsynced and renamed, the folder fsynced
 *	NAME.cancel   its cancel, in the same way
 *	NAME.notes    its verdicts, appended one write each and not fsynced: a note lost with the
 *	              machine means that a task is done twice, which changes nothing
 *	.new          a job or a cancel that is being written
 *	.listening    its time of change: until then all that was published was heard
 *	.ROLE.lock    locked by the one process of that role
 *	NAME.bad      what was called NAME.job and cannot be used; for a person to look at
 *
 * The states of a job, by its files; whoever dies on the way from one to the next leaves one of
 * them:
 *
 *	.new                      not accepted          ts-listen writes; at its start removed
 *	.job                      accepted, no verdict  ts-listen renames
 *	.job .notes               begun                 ts-status appends; a cut last line is left out
 *	.job [.notes] .cancel     cancelled             ts-listen renames; not begun again
 *	[.notes] [.cancel]        over                  ts-status has removed .job first: at
 *	                                                ts-listen's next start, or that of a job
 *	                                                of this id, they go as well
 *	nothing                   over, or never heard of
 *
 * Only regular files count, links are not followed; a .job of over 1 MiB is not one.
 */
/* clang-format on */
struct spool;

enum spool_result { SPOOL_OK, SPOOL_EXISTS, SPOOL_ERROR };

/*
 * Opens the folder, which is made when missing, and locks it for a role ("listen", "expand",
 * "status"): one process each. One that others may write to is refused. NULL with a reason in *why,
 * which is static or errno's text.
 */
struct spool *spool_open(const char *dir, const char *role, const char **why);

/* NAME with that suffix, of at most 8 bytes: letters, digits, "-", "_" and a point. */
enum { SPOOL_NAME_SIZE = 48 + 1 + 16 + 9 };
void spool_name(char name[SPOOL_NAME_SIZE], struct slice job_id, const char *suffix);

/* Unlocks and frees; NULL is fine. */
void spool_close(struct spool *);

/* Keeps a job's line for good. SPOOL_EXISTS when its job_id is kept already. Errors set errno. */
enum spool_result spool_keep(struct spool *, struct slice job_id, struct slice line);

/*
 * Keeps for good that a job is cancelled: the record, without its newline, is given behind the job
 * by spool_jobs(). Nothing is kept of a job that is not. Errors set errno.
 */
enum spool_result spool_cancel(struct spool *, struct slice job_id, struct slice record);

/* Notes a verdict, a record without its newline, of a job. A job that is not kept has no notes. */
enum spool_result spool_note(struct spool *, struct slice job_id, struct slice record);

/* Whether a job is kept; whether its cancel is. */
bool spool_has(struct spool *, struct slice job_id);
bool spool_cancelled(struct spool *, struct slice job_id);

/*
 * When a job that is kept was accepted, in nanoseconds since 1970: no other time that it was or
 * will be has the same. -1 when it is not kept.
 */
int64_t spool_accepted(struct spool *, struct slice job_id);

/* Forgets a job, its notes and its cancel; one that is not there is fine. */
enum spool_result spool_remove(struct spool *, struct slice job_id);

/*
 * Notes that all that was published until then, in seconds since 1970, was heard; and tells what
 * was last noted, or -1 for nothing.
 */
void spool_touch(struct spool *, int64_t until);
int64_t spool_touched(struct spool *);

/* Whether the folder has been taken away, so that nothing is kept any more. */
bool spool_gone(const struct spool *);

/* Who is given what is kept. What each function gets is valid during the call, in which the spool
 * must not be used. */
struct spool_reader {
	/* Why a line that stands in a job's file, or its cancel, cannot be used; NULL if it can. */
	const char *(*job)(void *, struct slice line, bool cancel);
	/* A file that is left out; bad: it was set aside as *.bad. */
	void (*left_out)(void *, const char *name, const char *why, bool bad);
	void *ctx;
};

/*
 * Gives every kept job, oldest first, and right after it its cancel. One odd file costs only
 * itself: SPOOL_ERROR when the folder cannot be read.
 */
enum spool_result spool_jobs(struct spool *, const struct spool_reader *);

/* Whether the last line given stands in the file of this job_id. */
bool spool_given(const struct spool *, struct slice job_id);

/* Calls each for every note of a job, in order. A cut last line is passed over. */
enum spool_result spool_notes(
	struct spool *, struct slice job_id, void (*each)(void *, struct slice record), void *);

#endif
