#ifndef TS_RECORD_H
#define TS_RECORD_H

#include "buffer.h"
#include "lines.h"
#include "number.h"
#include "timeframe.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The records that the stages exchange, one JSON object a line: see ts-records(5), which lists the
 * fields of each type and who writes and owns it. Values in, values out: no descriptor, no clock.
 */
enum record_type {
	RECORD_OTHER,	/* an object that is none of these: copied through */
	RECORD_MESSAGE, /* a job as the admin page publishes it: no type, but symbols or job_id */
	RECORD_JOB,
	RECORD_TASK,
	RECORD_LOADING,
	RECORD_BAR,
	RECORD_FETCHED,
	RECORD_STORED,
	RECORD_FAILED,
	RECORD_CANCEL,
	RECORD_GAP,
	RECORD_DONE,
	RECORD_WAITING,
	RECORD_TYPES,
};

/*
 * One record. A slice whose p is NULL is absent. Strings are decoded; numbers of bars are their
 * JSON text (absent when missing or null). timeframe is the name as it stands, tf what it means
 * (TF_NONE when unknown or absent). Counts that are absent are 0.
 */
struct record {
	enum record_type type;
	struct slice job_id;
	struct slice symbol;
	struct slice timeframe;
	enum timeframe tf;
	struct slice from, to;	  /* date or UTC instant, by timeframe; see gap too */
	struct slice first, last; /* start of the first and last bar; absent when there is none */
	struct slice timestamp;	  /* of a bar: its start in UTC (1min, hour) */
	struct slice date;	  /* of a bar: New York date of its start (day, week, month) */
	struct slice open, high, low, close, volume;
	struct slice source;
	struct slice received_at;
	struct slice run;	   /* of a job: another each time that it is accepted */
	struct slice timeframes;   /* of a job: the JSON array as it stands */
	struct slice stage, error; /* of failed */
	struct slice reason;	   /* of stored: why its first bar was rejected; of waiting */
	struct slice until;	   /* of waiting: UTC instant */
	struct slice hours;	   /* of fetched: "extended" where the task is about these too */
	struct slice factor;	   /* of stored: how prices before stand to those now */
	struct slice status;	   /* of done */
	uint64_t symbols, tasks;
	uint64_t bytes; /* of fetched and stored: downloaded for the task; absent when 0 */
	uint64_t bars, inserted, updated, unchanged, rejected;
	uint64_t rounded, odd; /* of stored, absent when 0, as are the next three */
	uint64_t extra, deleted, older, restated;
	uint64_t stored, failed, empty, seconds;
	/*
	 * Why the record cannot be used, or NULL: a field missing or of the wrong kind. What could
	 * be read is filled in, so that the failure can be given a name. Valid until the next
	 * parse.
	 */
	const char *fault;
	const char *hint; /* what helps against the fault, one text for each kind; NULL: nothing
			     known */
};

/* Keeps its memory from one line to the next. */
struct record_parser;

struct record_parser *record_parser_new(void);
void record_parser_free(struct record_parser *);

/*
 * The set of types that a stage owns, made of RECORD_BIT(). Only they are read in full and checked;
 * of all others no more than type, and job_id where there is one.
 */
#define RECORD_BIT(type) (1u << (type))

/*
 * Reads a line. NULL: *r is filled, its slices valid until the line or the parser changes; look at
 * r->fault. Else the line is not a JSON object: the reason, valid until the next call; and r->hint.
 */
const char *record_parse(
	struct record_parser *, struct slice line, unsigned owned, struct record *r);

/* Appends the record and a newline, fields in the order of ts-records(5), absent ones left out. */
void record_write(struct buffer *, const struct record *);

/* The same as a line of output. */
void record_send(struct writer *, const struct record *);

/*
 * Reads and checks the values of a bar, prices and volume: NULL if it may be stored, else a static
 * reason. Its symbol, timeframe and key are the caller's to check.
 */
struct record_values {
	struct number price[4]; /* open, high, low, close */
	int64_t volume;		/* -1: an index has none */
	bool odd;     /* open or close lie outside of low and high, as some vendors have it */
	bool rounded; /* the volume was not whole */
};
const char *record_check_values(const struct record *, struct record_values *);

/* Whether a symbol is one that the API could know: [A-Za-z0-9][A-Za-z0-9.:/_-]{0,19}. */
bool record_symbol_ok(struct slice);

/*
 * Reads and checks what a task asks for: its window, between two instants (1min, hour) or dates,
 * and that its symbol and timeframe can be. NULL, or a reason; it lasts as long as the record.
 */
const char *record_check_task(const struct record *, int64_t *from, int64_t *to);

#endif
