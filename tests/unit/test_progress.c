/* What ts-status makes of records: counts, statuses, messages. Links cmd/ts-status without main. */
#include "check.h"

#include "calendar.h"
#include "meter.h"
#include "progress.h"
#include "record.h"
#include "summary.h"

#include <stdio.h>
#include <string.h>

static struct calendar *calendar;

struct world {
	struct progress progress;
	struct record_parser *parser;
	struct job *job; /* of the last record */
	struct moment now;
	struct fields fields;
	struct buffer line;
};

static struct world
begin(void)
{
	return (struct world){.progress = {.calendar = calendar},
		.parser = record_parser_new(),
		.now = {.wall = 1766510114, .mono = 1000000}};
}

static void
end(struct world *w)
{
	progress_release(&w->progress);
	record_parser_free(w->parser);
	fields_release(&w->fields);
	buffer_release(&w->line);
}

static enum taken
feed(struct world *w, const char *line)
{
	struct record r;
	struct arrival a = {.r = &r, .now = w->now};
	enum taken taken;

	assert_null(record_parse(w->parser, slice_of(line), ~0u, &r));
	assert_null(r.fault);
	taken = progress_take(&w->progress, &a);
	w->job = a.job;
	return taken;
}

static enum taken
feed_header(struct world *w, const char *id, int symbols, int tasks)
{
	char line[300];

	(void)snprintf(line, sizeof line,
		"{\"type\":\"job\",\"job_id\":\"%s\",\"source\":\"DIA\",\"symbols\":%d,"
		"\"timeframes\":[\"1min\","
		"\"day\"],\"tasks\":%d,\"received_at\":\"2025-12-23T17:15:13Z\"}",
		id, symbols, tasks);
	return feed(w, line);
}

static enum taken
feed_stored(struct world *w, const char *id, const char *symbol, const char *timeframe, int bars,
	int rejected)
{
	char line[400];
	const char *at = strcmp(timeframe, "1min") == 0 ? "T14:30:00Z" : "";

	(void)snprintf(line, sizeof line,
		"{\"type\":\"stored\",\"job_id\":\"%s\",\"symbol\":\"%s\",\"timeframe\":\"%s\","
		"\"from\":\"2025-12-22%s\","
		"\"to\":\"2025-12-22%s\",\"bars\":%d,\"rejected\":%d}",
		id, symbol, timeframe, at, at, bars, rejected);
	return feed(w, line);
}

static enum taken
feed_failed(struct world *w, const char *id, const char *symbol, const char *timeframe,
	const char *error)
{
	char line[1400];
	const char *at = strcmp(timeframe, "1min") == 0 ? "T14:30:00Z" : "";

	(void)snprintf(line, sizeof line,
		"{\"type\":\"failed\",\"job_id\":\"%s\",\"symbol\":\"%s\",\"timeframe\":\"%s\","
		"\"from\":\"2025-12-22%s\","
		"\"to\":\"2025-12-22%s\",\"stage\":\"fetch\",\"error\":\"%s\"}",
		id, symbol, timeframe, at, at, error);
	return feed(w, line);
}

/* The value of a field of the hash; NULL when the field is absent. */
static const char *
value(struct world *w, const char *name)
{
	summary_fields(w->job, "in parts", true, w->now.wall, &w->fields);
	for (int i = 0; i < w->fields.n; i += 2) {
		if (slice_is(fields_at(&w->fields, i), name)) {
			struct slice s = fields_at(&w->fields, i + 1);

			w->line.len = 0;
			buffer_add(&w->line, s.p, s.n);
			return buffer_cstr(&w->line);
		}
	}
	return NULL;
}

#define expect(w, name, text) assert_string_equal(value(w, name), text)

static void
test_complete(void **state)
{
	struct world w = begin();
	struct record done;

	(void)state;
	assert_int_equal(feed_header(&w, "a", 2, 4), TAKEN_STARTED);
	expect(&w, "status", "running");
	expect(&w, "progress", "0");
	expect(&w, "total_symbols", "2");
	expect(&w, "total_tasks", "4");
	assert_null(value(&w, "completed_at"));
	assert_int_equal(feed(&w, "{\"type\":\"loading\",\"job_id\":\"a\",\"symbol\":\"AAPL\","
				  "\"timeframe\":\"1min\"}"),
		TAKEN_CHANGED);
	expect(&w, "message", "Loading 1min for AAPL");
	assert_int_equal(feed_stored(&w, "a", "AAPL", "1min", 390, 0), TAKEN_CHANGED);
	expect(&w, "message", "Loaded 1min for AAPL (1/4)");
	expect(&w, "current_symbol", "AAPL");
	expect(&w, "current_timeframe", "1min");
	expect(&w, "progress", "25");
	expect(&w, "processed_symbols", "0");
	expect(&w, "successful_symbols", "[]");
	(void)feed_stored(&w, "a", "AAPL", "day", 1, 0);
	expect(&w, "processed_symbols", "1");
	expect(&w, "successful_symbols", "[\"AAPL\"]");
	(void)feed_stored(&w, "a", "MSFT", "1min", 11309, 0);
	expect(&w, "progress", "75");
	w.now.mono += 12999;
	(void)feed_stored(&w, "a", "MSFT", "day", 0, 0);
	expect(&w, "status", "completed");
	expect(&w, "progress", "100");
	expect(&w, "stored_tasks", "4");
	expect(&w, "failed_tasks", "0");
	expect(&w, "empty_tasks", "1");
	expect(&w, "bars_loaded", "11700");
	expect(&w, "errors", "[]");
	expect(&w, "failed_symbols", "[]");
	expect(&w, "successful_symbols", "[\"AAPL\",\"MSFT\"]");
	expect(&w, "message", "Loaded 4 of 4 tasks, 11,700 bars; 1 empty: MSFT day");
	assert_non_null(value(&w, "completed_at"));
	summary_done(w.job, "in parts", &done);
	assert_int_equal(done.seconds, 12);
	assert_int_equal(done.empty, 1);
	end(&w);
}

static void
test_progress_floor(void **state)
{
	struct world w = begin();
	char symbol[16];

	(void)state;
	(void)feed_header(&w, "a", 201, 201);
	for (int i = 0; i < 200; i++) {
		(void)snprintf(symbol, sizeof symbol, "S%d", i);
		(void)feed_stored(&w, "a", symbol, "day", 1, 0);
	}
	expect(&w, "progress", "99");
	(void)feed_stored(&w, "a", "LAST", "day", 1, 0);
	expect(&w, "progress", "100");
	end(&w);
}

static void
test_some_failed(void **state)
{
	struct world w = begin();

	(void)state;
	(void)feed_header(&w, "a", 2, 4);
	(void)feed_failed(&w, "a", "XYZ", "day", "HTTP 403: no");
	expect(&w, "message", "Failed day for XYZ (1/4)");
	expect(&w, "failed_symbols", "[\"XYZ\"]");
	(void)feed_stored(&w, "a", "XYZ", "1min", 5, 0);
	(void)feed_stored(&w, "a", "AAPL", "1min", 5, 0);
	(void)feed_stored(&w, "a", "AAPL", "day", 1, 0);
	expect(&w, "status", "in parts");
	expect(&w, "processed_symbols", "2");
	expect(&w, "successful_symbols", "[\"AAPL\"]");
	expect(&w, "failed_symbols", "[\"XYZ\"]");
	expect(&w, "errors", "[\"XYZ day: HTTP 403: no\"]");
	expect(&w, "message", "Loaded 3 of 4 tasks, 11 bars; 1 failed: XYZ day (HTTP 403: no)");
	assert_string_equal(summary_status(w.job->status, "in parts"), "in parts");
	end(&w);
}

static void
test_all_failed(void **state)
{
	struct world w = begin();

	(void)state;
	(void)feed_header(&w, "a", 1, 2);
	(void)feed_failed(&w, "a", "XYZ", "day", "no");
	(void)feed_failed(&w, "a", "XYZ", "1min", "no");
	expect(&w, "status", "failed");
	expect(&w, "progress", "100");
	assert_string_equal(summary_status(w.job->status, "in parts"), "failed");
	end(&w);
}

static void
test_rejected_bars(void **state)
{
	struct world w = begin();

	(void)state;
	(void)feed_header(&w, "a", 1, 2);
	(void)feed_stored(&w, "a", "AAPL", "1min", 388, 2);
	(void)feed(&w,
		"{\"type\":\"stored\",\"job_id\":\"a\",\"symbol\":\"AAPL\",\"timeframe\":\"day\","
		"\"from\":\"f\",\"to\":\"t\",\"bars\":2,\"rejected\":1,\"reason\":\"high is below "
		"low\"}");
	expect(&w, "status", "in parts");
	expect(&w, "successful_symbols", "[]");
	expect(&w, "failed_symbols", "[\"AAPL\"]");
	expect(&w, "failed_tasks", "0");
	/* The API had a bar: the task is not empty. */
	expect(&w, "empty_tasks", "0");
	expect(&w, "errors",
		"[\"AAPL 1min: 2 bars rejected\",\"AAPL day: 1 bar rejected: high is below low\"]");
	assert_non_null(
		strstr(value(&w, "message"), "2 tasks lost bars: AAPL 1min (2 bars rejected)"));
	end(&w);
}

/* What the table has beside the API's bars is named and counted, and is no failure. */
static void
test_extra_rows(void **state)
{
	struct world w = begin();

	(void)state;
	(void)feed_header(&w, "a", 1, 2);
	for (int i = 0; i < 2; i++) {
		(void)feed(&w,
			i == 0 ? "{\"type\":\"stored\",\"job_id\":\"a\",\"symbol\":\"AAPL\","
				 "\"timeframe\":\"1min\",\"from\":\"f\",\"to\":\"t\",\"bars\":9,"
				 "\"extra\":2}"
			       : "{\"type\":\"stored\",\"job_id\":\"a\",\"symbol\":\"AAPL\","
				 "\"timeframe\":\"day\",\"from\":\"f\",\"to\":\"t\",\"bars\":9,"
				 "\"extra\":1,\"restated\":1100,\"factor\":4}");
	}
	expect(&w, "status", "completed");
	expect(&w, "extra", "3");
	expect(&w, "restated", "1100");
	expect(&w, "message",
		"Loaded 2 of 2 tasks, 18 bars; 2 tasks have rows that the API does not have: AAPL "
		"1min (2), AAPL day (1); 1 task has restated rows: AAPL day (1,100)");
	end(&w);
}

/* Not one bar is in the tables, whatever the verdicts are called. */
static void
test_nothing_loaded(void **state)
{
	struct world w = begin();

	(void)state;
	(void)feed_header(&w, "a", 2, 2);
	(void)feed_stored(&w, "a", "AAPL", "day", 0, 0);
	(void)feed_failed(&w, "a", "MSFT", "day", "no");
	expect(&w, "status", "failed");
	expect(&w, "successful_symbols", "[\"AAPL\"]");
	end(&w);
	w = begin();
	(void)feed_header(&w, "a", 1, 1);
	(void)feed_stored(&w, "a", "AAPL", "day", 5, 5);
	expect(&w, "status", "failed");
	end(&w);
	w = begin();
	(void)feed_header(&w, "a", 1, 1);
	(void)feed_stored(&w, "a", "AAPL", "day", 0, 0);
	expect(&w, "status", "completed");
	end(&w);
}

static void
test_rejected_bars_are_not_loaded(void **state)
{
	struct world w = begin();

	(void)state;
	(void)feed_header(&w, "a", 1, 1);
	(void)feed_stored(&w, "a", "AAPL", "day", 5, 2);
	expect(&w, "bars_loaded", "3");
	expect(&w, "status", "in parts");
	end(&w);
}

static void
test_repeated_verdicts(void **state)
{
	struct world w = begin();

	(void)state;
	(void)feed_header(&w, "a", 3, 3);
	(void)feed_stored(&w, "a", "AAPL", "day", 1, 0);
	assert_int_equal(feed_stored(&w, "a", "AAPL", "day", 1, 0), TAKEN_REPEATED);
	assert_int_equal(feed_failed(&w, "a", "AAPL", "day", "x"), TAKEN_REPEATED);
	expect(&w, "stored_tasks", "1");
	expect(&w, "failed_tasks", "0");
	expect(&w, "bars_loaded", "1");
	expect(&w, "status", "running");
	/* A piece of the series that begins elsewhere is a task of its own. */
	assert_int_equal(feed(&w, "{\"type\":\"stored\",\"job_id\":\"a\",\"symbol\":\"MSFT\","
				  "\"timeframe\":\"day\","
				  "\"from\":\"2025-12-01\",\"to\":\"2025-12-02\",\"bars\":1}"),
		TAKEN_CHANGED);
	assert_int_equal(feed(&w, "{\"type\":\"stored\",\"job_id\":\"a\",\"symbol\":\"MSFT\","
				  "\"timeframe\":\"day\","
				  "\"from\":\"2025-12-01\",\"to\":\"2025-12-02\",\"bars\":1}"),
		TAKEN_REPEATED);
	/* Case matters; the same symbol of another job is another task. */
	assert_int_equal(feed_stored(&w, "b", "AAPL", "day", 1, 0), TAKEN_STARTED);
	assert_int_equal(feed_stored(&w, "a", "aapl", "day", 1, 0), TAKEN_CHANGED);
	expect(&w, "status", "completed");
	end(&w);
}

static void
test_late_series(void **state)
{
	static const char form[] =
		"{\"type\":\"stored\",\"job_id\":\"a\",\"symbol\":\"%s\",\"timeframe\":\"%s\","
		"\"from\":\"%s\","
		"\"to\":\"2025-12-22\",\"first\":\"%s\",\"last\":\"2025-12-22\",\"bars\":1}";
	static const struct {
		const char *symbol, *timeframe, *from, *first;
	} rows[] = {
		/* Monday 2025-12-01: five sessions on is Monday the 8th. */
		{"ON", "day", "2025-12-01", "2025-12-08"},
		{"LATE", "day", "2025-12-01", "2025-12-09"},
		/* A Saturday counts for nothing. */
		{"SAT", "day", "2025-11-29", "2025-12-08"},
		/* 03:00 UTC is the evening before in New York. */
		{"NYON", "1min", "2025-12-01T14:30:00Z", "2025-12-09T03:00:00Z"},
		{"NYLATE", "1min", "2025-12-01T14:30:00Z", "2025-12-09T14:30:00Z"},
	};
	struct world w = begin();
	char line[400];

	(void)state;
	(void)feed_header(&w, "a", 5, 5);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		(void)snprintf(line, sizeof line, form, rows[i].symbol, rows[i].timeframe,
			rows[i].from, rows[i].first);
		(void)feed(&w, line);
	}
	expect(&w, "status", "completed");
	expect(&w, "message",
		"Loaded 5 of 5 tasks, 5 bars; 2 tasks begin more than 5 sessions after "
		"asked: LATE day (2025-12-09), NYLATE 1min (2025-12-09T14:30:00Z)");
	end(&w);
}

static void
test_bounded_texts(void **state)
{
	struct world w = begin();
	char symbol[80], error[1001];
	int commas = 0;

	(void)state;
	memset(error, 'e', sizeof error - 1);
	error[sizeof error - 1] = '\0';
	(void)feed_header(&w, "a", 800, 800);
	for (int i = 0; i < 800; i++) {
		(void)snprintf(symbol, sizeof symbol, "S%03d", i);
		if (i % 4 == 0)
			(void)feed_failed(&w, "a", symbol, "day", error);
		else
			(void)feed_stored(&w, "a", symbol, "day", i % 2, i % 4 == 3);
	}
	assert_true(strlen(value(&w, "message")) <= 1000);
	assert_non_null(strstr(value(&w, "message"), "200 failed: S000 day (eee"));
	assert_non_null(strstr(value(&w, "message"), "200 empty: S002 day, "));
	assert_non_null(strstr(value(&w, "message"), " more"));
	for (const char *p = value(&w, "errors"); *p != '\0'; p++)
		commas += strncmp(p, "\",\"", 3) == 0;
	assert_int_equal(commas, 9);
	end(&w);
}

/* Symbols that the API does not know, though one like it. */
static void
test_hints(void **state)
{
	struct world w = begin();

	(void)state;
	(void)feed_header(&w, "h", 3, 3);
	(void)feed_stored(&w, "h", "aapl", "day", 0, 0);
	(void)feed_stored(&w, "h", "BRK-B", "day", 0, 0);
	(void)feed_stored(&w, "h", "X:BTC-USD", "day", 0, 0);
	expect(&w, "message",
		"Loaded 3 of 3 tasks, 0 bars; 3 empty: aapl day (AAPL?), BRK-B day (BRK.B?), "
		"X:BTC-USD day");
	end(&w);
}

/* What was stored, but not as it came, is named in the last message. */
static void
test_rounded(void **state)
{
	struct world w = begin();

	(void)state;
	(void)feed_header(&w, "r", 1, 1);
	(void)feed(&w, "{\"type\":\"stored\",\"job_id\":\"r\",\"symbol\":\"PENNY\","
		       "\"timeframe\":\"day\",\"from\":\"2025-12-22\",\"to\":\"2025-12-22\","
		       "\"bars\":2500,\"rounded\":1200}");
	expect(&w, "message",
		"Loaded 1 of 1 tasks, 2,500 bars; 1 task has rounded bars: PENNY day (1,200)");
	end(&w);
}

static void
test_whole_job_failed(void **state)
{
	static const char line[] = "{\"type\":\"failed\",\"job_id\":\"%s\",\"stage\":\"expand\","
				   "\"error\":\"no symbols in the job\"}";
	struct world w = begin();
	struct record done;
	char text[200];

	(void)state;
	(void)snprintf(text, sizeof text, line, "a");
	assert_int_equal(feed(&w, text), TAKEN_STARTED);
	expect(&w, "status", "failed");
	expect(&w, "message", "no symbols in the job");
	expect(&w, "errors", "[\"no symbols in the job\"]");
	summary_done(w.job, "in parts", &done);
	assert_int_equal(done.tasks, 0);
	/* Of a job that runs: it is another message with the same id. */
	(void)feed_header(&w, "b", 1, 2);
	(void)snprintf(text, sizeof text, line, "b");
	assert_int_equal(feed(&w, text), TAKEN_REFUSED);
	expect(&w, "status", "running");
	end(&w);
}

static void
test_second_job(void **state)
{
	struct world w = begin();
	struct job *first;

	(void)state;
	(void)feed_header(&w, "a", 1, 1);
	first = w.job;
	assert_int_equal(feed_header(&w, "a", 9, 9), TAKEN_REFUSED);
	assert_ptr_equal(w.job, first);
	expect(&w, "total_tasks", "1");
	(void)feed_stored(&w, "a", "AAPL", "day", 1, 0);
	expect(&w, "status", "completed");
	w.job->done_written = true;
	assert_int_equal(feed_header(&w, "a", 3, 3), TAKEN_STARTED);
	expect(&w, "status", "running");
	expect(&w, "stored_tasks", "0");
	assert_int_equal(HASH_COUNT(w.progress.jobs), 1);
	end(&w);
}

static void
test_cancel(void **state)
{
	struct world w = begin();

	(void)state;
	assert_int_equal(feed(&w, "{\"type\":\"cancel\",\"job_id\":\"a\"}"), TAKEN_UNKNOWN);
	assert_null(w.job);
	(void)feed_header(&w, "a", 4, 4);
	(void)feed_stored(&w, "a", "AAPL", "day", 1, 0);
	assert_int_equal(feed(&w, "{\"type\":\"cancel\",\"job_id\":\"a\"}"), TAKEN_CHANGED);
	expect(&w, "status", "cancelled");
	expect(&w, "progress", "25");
	/* What is on its way is counted still. */
	assert_int_equal(feed_stored(&w, "a", "MSFT", "day", 2, 0), TAKEN_CHANGED);
	expect(&w, "status", "cancelled");
	expect(&w, "stored_tasks", "2");
	expect(&w, "message", "Cancelled: loaded 2 of 4 tasks, 3 bars");
	assert_int_equal(feed(&w, "{\"type\":\"loading\",\"job_id\":\"a\",\"symbol\":\"X\","
				  "\"timeframe\":\"day\"}"),
		TAKEN_CHANGED);
	expect(&w, "message", "Cancelled: loaded 2 of 4 tasks, 3 bars");
	assert_int_equal(feed(&w, "{\"type\":\"cancel\",\"job_id\":\"a\"}"), TAKEN_REPEATED);
	end(&w);
}

static void
test_without_header(void **state)
{
	struct world w = begin();

	(void)state;
	assert_int_equal(feed_stored(&w, "a", "AAPL", "day", 1, 0), TAKEN_STARTED);
	(void)feed_stored(&w, "a", "MSFT", "day", 1, 0);
	expect(&w, "status", "running");
	expect(&w, "progress", "0");
	expect(&w, "message", "Loaded day for MSFT (2)");
	job_stop(w.job, false, w.now);
	expect(&w, "status", "completed");
	expect(&w, "progress", "100");
	expect(&w, "total_tasks", "2");
	expect(&w, "processed_symbols", "2");
	expect(&w, "message", "Loaded 2 tasks, 2 bars");
	end(&w);
}

static void
test_late_header(void **state)
{
	struct world w = begin();

	(void)state;
	(void)feed_stored(&w, "a", "AAPL", "day", 1, 0);
	assert_int_equal(feed_header(&w, "a", 2, 4), TAKEN_CHANGED);
	expect(&w, "progress", "25");
	expect(&w, "processed_symbols", "0");
	(void)feed_stored(&w, "a", "AAPL", "1min", 1, 0);
	expect(&w, "processed_symbols", "1");
	end(&w);
}

static void
test_stopped(void **state)
{
	struct world w = begin();

	(void)state;
	(void)feed_header(&w, "a", 3, 150);
	(void)feed_stored(&w, "a", "AAPL", "day", 1, 0);
	job_stop(w.job, false, w.now);
	expect(&w, "status", "in parts");
	expect(&w, "progress", "0");
	expect(&w, "message",
		"stopped: 149 of 150 tasks have no verdict; loaded 1 of 150 tasks, 1 bar");
	(void)feed_header(&w, "b", 3, 3);
	job_stop(w.job, false, w.now);
	expect(&w, "status", "failed");
	end(&w);
}

static void
test_forgotten(void **state)
{
	struct world w = begin();

	(void)state;
	(void)feed_header(&w, "a", 1, 1);
	(void)feed_stored(&w, "a", "AAPL", "day", 1, 0);
	progress_drop(&w.progress, w.job);
	assert_int_equal(HASH_COUNT(w.progress.jobs), 0);
	assert_null(w.progress.current);
	assert_int_equal(feed_stored(&w, "a", "MSFT", "day", 1, 0), TAKEN_UNKNOWN);
	assert_int_equal(HASH_COUNT(w.progress.jobs), 0);
	assert_int_equal(feed_header(&w, "a", 1, 1), TAKEN_STARTED);
	end(&w);
}

static void
test_many_jobs(void **state)
{
	struct world w = begin();
	char id[32];

	(void)state;
	for (int i = 0; i < PROGRESS_JOBS; i++) {
		(void)snprintf(id, sizeof id, "job%d", i);
		assert_int_equal(feed_header(&w, id, 1, 1), TAKEN_STARTED);
	}
	/* One too many is told so, and what comes of its tasks is not counted. */
	assert_int_equal(feed_header(&w, "more", 1, 1), TAKEN_STARTED);
	expect(&w, "status", "failed");
	expect(&w, "message", "too many jobs at once: publish it again later");
	assert_int_equal(feed_stored(&w, "more", "AAPL", "day", 1, 0), TAKEN_UNKNOWN);
	assert_int_equal(progress_running(&w.progress), PROGRESS_JOBS);
	for (int i = 1; i < 1000; i++) {
		(void)snprintf(id, sizeof id, "more%d", i);
		assert_int_equal(feed_header(&w, id, 1, 1), TAKEN_STARTED);
	}
	assert_int_equal(feed_header(&w, "last", 1, 1), TAKEN_REFUSED);
	/* In the order in which they came, whatever goes. */
	progress_drop(&w.progress, w.progress.jobs);
	assert_string_equal(buffer_cstr(&w.progress.jobs->id), "job1");
	end(&w);
}

static void
test_meter_line(void **state)
{
	struct world w = begin();
	struct buffer b = {0};

	(void)state;
	(void)feed_header(&w, "a", 75, 150);
	(void)feed_stored(&w, "a", "AAPL", "1min", 20000, 0);
	(void)feed_failed(&w, "a", "E\\u001b[2JVIL", "day", "x");
	meter_line(&b, w.job, w.now.mono + 10000, 200);
	assert_string_equal(buffer_cstr(&b), "DIA 1% 2/150 tasks (1 failed), 20,000 bars, 2,000/s, "
					     "0:10, 12:20 left, E?[2JVIL day");
	b.len = 0;
	meter_line(&b, w.job, w.now.mono + 10000, 80);
	assert_string_equal(buffer_cstr(&b), "DIA 1% 2/150 tasks (1 failed), 20,000 bars, "
					     "0:10, 12:20 left, E?[2JVIL day");
	b.len = 0;
	meter_line(&b, w.job, w.now.mono + 10000, 39);
	assert_string_equal(buffer_cstr(&b), "DIA 1% 2/150 (1 failed), 12:20 left");
	b.len = 0;
	meter_line(&b, w.job, w.now.mono + 10000, 12);
	assert_string_equal(buffer_cstr(&b), "DIA 1% 2/150");
	/* Half of the tasks, but what takes long is still to come. */
	b.len = 0;
	(void)feed_header(&w, "b", 2, 4);
	(void)feed_stored(&w, "b", "AAPL", "day", 5, 0);
	(void)feed(&w, "{\"type\":\"stored\",\"job_id\":\"b\",\"symbol\":\"MSFT\","
		       "\"timeframe\":\"day\",\"from\":\"2025-12-22\",\"to\":\"2025-12-22\","
		       "\"bars\":5,\"bytes\":1234567}");
	meter_line(&b, w.job, w.now.mono + 10000, 100);
	assert_string_equal(buffer_cstr(&b),
		"DIA 50% 2/4 tasks, 10 bars, 1/s, 1.2 MB, 0:10, 1:05:00 left, MSFT day");
	b.len = 0;
	meter_line(&b, w.job, w.now.mono + 10000, 60);
	assert_string_equal(
		buffer_cstr(&b), "DIA 50% 2/4 tasks, 10 bars, 0:10, 1:05:00 left, MSFT day");
	buffer_release(&b);
	end(&w);
}

/* Nothing can be fetched: said until the next task moves. */
static void
test_waiting(void **state)
{
	struct world w = begin();
	struct buffer line = {0};

	(void)state;
	feed_header(&w, "j", 2, 2);
	job_waiting(w.job, slice_of("HTTP 429: quota"), slice_of("2025-12-23T17:16:00Z"));
	assert_string_equal(buffer_cstr(&w.job->message),
		"Waiting until 2025-12-23T17:16:00Z: HTTP 429: quota");
	meter_line(&line, w.job, w.now.mono, 200);
	assert_string_equal(buffer_cstr(&line), "DIA 0% 0/2 tasks, waiting: HTTP 429: quota");
	line.len = 0;
	meter_line(&line, w.job, w.now.mono, 35);
	assert_string_equal(buffer_cstr(&line), "DIA 0% 0/2, waiting: HTTP 429: quot");
	feed_stored(&w, "j", "AAPL", "day", 1, 0);
	assert_null(strstr(buffer_cstr(&w.job->message), "Waiting"));
	line.len = 0;
	meter_line(&line, w.job, w.now.mono, 200);
	assert_null(strstr(buffer_cstr(&line), "waiting"));
	feed_stored(&w, "j", "MSFT", "day", 1, 0);
	job_waiting(w.job, slice_of("HTTP 429: quota"), slice_of("2025-12-23T17:16:00Z"));
	assert_null(strstr(buffer_cstr(&w.job->message), "Waiting"));
	buffer_release(&line);
	end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_complete),
		cmocka_unit_test(test_progress_floor),
		cmocka_unit_test(test_some_failed),
		cmocka_unit_test(test_all_failed),
		cmocka_unit_test(test_rejected_bars),
		cmocka_unit_test(test_extra_rows),
		cmocka_unit_test(test_rejected_bars_are_not_loaded),
		cmocka_unit_test(test_nothing_loaded),
		cmocka_unit_test(test_repeated_verdicts),
		cmocka_unit_test(test_late_series),
		cmocka_unit_test(test_bounded_texts),
		cmocka_unit_test(test_hints),
		cmocka_unit_test(test_rounded),
		cmocka_unit_test(test_whole_job_failed),
		cmocka_unit_test(test_second_job),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_without_header),
		cmocka_unit_test(test_late_header),
		cmocka_unit_test(test_stopped),
		cmocka_unit_test(test_forgotten),
		cmocka_unit_test(test_many_jobs),
		cmocka_unit_test(test_meter_line),
		cmocka_unit_test(test_waiting),
	};
	const char *why;
	int failed;

	calendar = calendar_new(&why);
	if (calendar == NULL)
		return 1;
	failed = cmocka_run_group_tests_name("progress", tests, NULL, NULL);
	calendar_free(calendar);
	return failed != 0;
}
