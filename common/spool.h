#ifndef TS_SPOOL_H
#define TS_SPOOL_H

#include "buffer.h"

/*
 * A folder that outlives crashes: every accepted job until its end, whether it was cancelled, and which
 * of its tasks have their verdict. ts-listen keeps, ts-expand skips what is noted, ts-status notes and
 * removes.
 *
 * A job is a file NAME.job of one line, written, fsynced and renamed, the folder fsynced; its cancel is
 * NAME.cancel, in the same way. Its verdicts are lines of NAME.notes, appended one write each and not
 * fsynced: a note lost with the machine means that a task is done twice, which changes nothing. NAME is
 * made of the job_id such that no job_id leads out of the folder.
 */
struct spool;

enum spool_result { SPOOL_OK, SPOOL_EXISTS, SPOOL_ERROR };

/*
 * Opens the folder, which is made when missing, and locks it for a role ("listen", "expand",
 * "status"): one process each. NULL with a reason in *why, which is static or errno's text.
 */
struct spool *spool_open(const char *dir, const char *role, const char **why);

/* Unlocks and frees; NULL is fine. */
void spool_close(struct spool *);

/* Keeps the line of a job for good. SPOOL_EXISTS when its job_id is kept already. Errors set errno. */
enum spool_result spool_keep(struct spool *, struct slice job_id, struct slice line);

/*
 * Keeps for good that a job is cancelled: the record, without its newline, is given behind the job by
 * spool_jobs(). Nothing is kept of a job that is not. Errors set errno.
 */
enum spool_result spool_cancel(struct spool *, struct slice job_id, struct slice record);

/* Notes a verdict, a record without its newline, of a job. A job that is not kept has no notes. */
enum spool_result spool_note(struct spool *, struct slice job_id, struct slice record);

/* Whether a job is kept; whether its cancel is. */
bool spool_has(struct spool *, struct slice job_id);
bool spool_cancelled(struct spool *, struct slice job_id);

/* Forgets a job, its notes and its cancel; one that is not there is fine. */
enum spool_result spool_remove(struct spool *, struct slice job_id);

/*
 * Notes that all that was published until then, in seconds since 1970, was heard; and tells what was last
 * noted, or -1 for nothing.
 */
void spool_touch(struct spool *, int64_t until);
int64_t spool_touched(struct spool *);

/*
 * Calls each for every kept job, oldest first, and right after it for its cancel; for every note of a
 * job, in order. A cut last line is passed over. What each gets is valid during the call, in which the
 * spool must not be used.
 */
enum spool_result spool_jobs(struct spool *, void (*each)(void *, struct slice line, bool cancel),
	void *);
enum spool_result spool_notes(struct spool *, struct slice job_id,
	void (*each)(void *, struct slice record), void *);

#endif
