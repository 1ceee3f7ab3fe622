#ifndef TS_SUMMARY_H
#define TS_SUMMARY_H

#include "job_state.h"

#include <stdbool.h>
#include <stdint.h>

/* What is said about a job: in its status hash, in its `done` record, in its messages. */

enum { SUMMARY_FIELDS = 22, SUMMARY_NAME = 100 };

/* Field names and values by turns, kept in one buffer. {0} is empty. */
struct fields {
	struct buffer text;
	size_t end[2 * SUMMARY_FIELDS];
	int n;
};

/*
 * The fields of the status hash but submitted_at. partial: see summary_status();
 * without lists the two lists of symbols, which are long, are left out.
 */
void summary_fields(
	const struct job *, const char *partial, bool lists, int64_t wall, struct fields *);

/* Adds a field; the value of a field, absent where there is none; makes the first the same as the
 * second. */
void fields_add(struct fields *, const char *name, struct slice value);
struct slice fields_find(const struct fields *, struct slice name);
void fields_copy(struct fields *, const struct fields *);

/* The i-th name or value; valid until the fields change. */
struct slice fields_at(const struct fields *, int i);
void fields_release(struct fields *);

/* Fills in a `done` record, which borrows from the job. */
void summary_done(const struct job *, const char *partial, struct record *);

/* The word for a status; partial is what a job is called that failed in parts. */
const char *summary_status(enum job_status, const char *partial);

/* 0 to 100; 100 only when every task has a verdict. */
int summary_percent(const struct job *);

/* The message of a running job: "Loaded 1min for AAPL (5/150)". counted adds the bracket. */
void summary_task(struct job *, const char *verb, const struct record *, bool counted);

/* The last message: what was loaded, and by name what was not. Under about 1000 bytes. */
void summary_end(struct job *, const char *head);

/* One entry of a list in the last message, and of `errors`. */
void summary_listing(struct job *, enum list, const struct record *, struct slice note);
void summary_error(struct job *, const struct record *, struct slice why);

/* Writes 11,700 and a NUL; returns out. */
enum { COUNT_SIZE = sizeof "18,446,744,073,709,551,615" };
char *summary_count(char out[COUNT_SIZE], uint64_t);

#endif
