/* The table that a person reads, and the same as records. */
#include "report.h"

#include "timestamp.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* How many names the certificate lists before it only counts. */
enum { LISTED = 200, LINE_BYTES = 300 };

static void __attribute__((format(printf, 2, 3)))
add(struct buffer *b, const char *fmt, ...)
{
	char line[LINE_BYTES];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	buffer_str(b, line);
}

/* Text as it may stand on a terminal, filled up to a width. */
static void
add_name(struct buffer *b, struct slice name, size_t width)
{
	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = (unsigned char)name.p[i];

		buffer_byte(b, c < ' ' || c == 0x7f ? '?' : (char)c);
	}
	for (size_t i = name.n; i < width; i++)
		buffer_byte(b, ' ');
}

const char *
report_verdict(enum verdict v)
{
	static const char *const names[VERDICT_COUNT] = {"complete", "holes", "empty"};

	return names[v];
}

static void
list(struct report *r, struct slice symbol, struct slice timeframe, const char *why)
{
	if (r->listed++ >= LISTED)
		return;
	buffer_str(&r->text, r->listed == 1 ? ": " : ", ");
	add_name(&r->text, symbol, 0);
	buffer_byte(&r->text, ' ');
	add_name(&r->text, timeframe, 0);
	add(&r->text, " %s", why);
}

void
report_count(struct report *r, const struct series *s)
{
	r->series++;
	r->verdicts[s->verdict]++;
	if (s->verdict != VERDICT_COMPLETE)
		list(r, s->symbol, slice_of(timeframe_name(s->schedule->tf)),
			report_verdict(s->verdict));
}

void
report_failed(struct report *r, const struct record *task)
{
	r->series++;
	r->failed++;
	list(r, task->symbol.p == NULL ? slice_of("job") : task->symbol,
		task->timeframe.p == NULL ? task->job_id : task->timeframe, "failed");
}

static struct buffer *
head(struct report *r)
{
	struct buffer *b = writer_room(r->out);

	if (!r->headed)
		buffer_str(b, "symbol   timeframe  sessions      bars share  first      last"
			      "       verdict\n");
	r->headed = true;
	return b;
}

/* The date of a key: New York's, for an instant. */
static void
add_date(struct buffer *b, const struct report *r, enum timeframe tf, int64_t key)
{
	char text[DATE_SIZE];

	buffer_str(b, date_format(text, timeframe_intraday(tf) ? calendar_date(r->calendar, key)
							       : (int32_t)key));
}

static void
add_runs(struct buffer *b, const struct series *s)
{
	const struct period *p = s->schedule->period;
	const char *before = " ";
	char from[DATE_SIZE], to[DATE_SIZE];

	for (size_t first = 0, last; series_run(s, &first, &last); first = last + 1) {
		(void)date_format(from, p[first].first);
		(void)date_format(to, timeframe_intraday(s->schedule->tf) ? p[last].last
									  : (int32_t)p[last].start);
		add(b, first == last ? "%s%s" : "%s%s..%s", before, from, to);
		before = ", ";
	}
}

static void
add_verdict(struct buffer *b, const struct series *s)
{
	buffer_str(b, report_verdict(s->verdict));
	if (s->verdict == VERDICT_HOLES)
		add_runs(b, s);
	if (s->nulls > 0)
		add(b, "; %" PRIu64 " with NULL", s->nulls);
	if (s->crossed > 0)
		add(b, "; %" PRIu64 " with high below low", s->crossed);
	if (s->outside > 0)
		add(b, "; %" PRIu64 " outside of sessions", s->outside);
	buffer_byte(b, '\n');
}

void
report_row(struct report *r, const struct series *s)
{
	const struct schedule *d = s->schedule;
	struct buffer *b = head(r);
	char counts[48];

	add_name(b, s->symbol, 8);
	(void)snprintf(counts, sizeof counts, "%zu/%zu", s->present, d->due);
	add(b, " %-9s %9s %9" PRIu64, timeframe_name(d->tf), counts, s->bars);
	if (d->due_bars > 0)
		add(b, " %4" PRIu64 "%%  ", s->due_bars * 100 / d->due_bars);
	else
		buffer_str(b, "    -   ");
	if (s->first <= s->last) {
		add_date(b, r, d->tf, s->first);
		buffer_byte(b, ' ');
		add_date(b, r, d->tf, s->last);
	} else {
		buffer_str(b, "-          -         ");
	}
	buffer_byte(b, ' ');
	add_verdict(b, s);
	writer_done(r->out);
}

void
report_failed_row(struct report *r, const struct record *task)
{
	struct buffer *b = head(r);

	add_name(b, task->symbol.p == NULL ? slice_of("job") : task->symbol, 8);
	buffer_byte(b, ' ');
	add_name(b, task->timeframe.p == NULL ? task->job_id : task->timeframe, 9);
	buffer_str(b, "         -         -     -  -          -          failed: ");
	add_name(b, task->error, 0);
	buffer_byte(b, '\n');
	writer_done(r->out);
}

void
report_certificate(struct report *r)
{
	struct buffer *b = writer_room(r->out);

	add(b, "%" PRIu64 " of %" PRIu64 " complete", r->verdicts[VERDICT_COMPLETE], r->series);
	if (r->text.len > 0)
		buffer_add(b, r->text.p, r->text.len);
	if (r->listed > LISTED)
		add(b, " and %" PRIu64 " more", r->listed - LISTED);
	buffer_byte(b, '\n');
	writer_done(r->out);
}

static void
add_text(struct buffer *b, const char *key, struct slice value)
{
	add(b, ",\"%s\":", key);
	buffer_json(b, value);
}

static void
add_key(struct buffer *b, const char *name, enum timeframe tf, int64_t key)
{
	char text[TIMESTAMP_SIZE];

	add_text(b, name, slice_of(timeframe_intraday(tf) ? timestamp_format(text, key)
							  : date_format(text, (int32_t)key)));
}

static void
add_missing(struct buffer *b, const struct series *s)
{
	const struct period *p = s->schedule->period;
	char from[DATE_SIZE], to[DATE_SIZE];

	buffer_str(b, ",\"missing\":[");
	for (size_t first = 0, last, n = 0; series_run(s, &first, &last); first = last + 1)
		add(b, "%s[\"%s\",\"%s\"]", n++ == 0 ? "" : ",", date_format(from, p[first].first),
			date_format(to, p[last].last));
	buffer_byte(b, ']');
}

void
report_record(struct report *r, const struct series *s)
{
	struct buffer *b = writer_room(r->out);
	const struct schedule *d = s->schedule;

	buffer_str(b, "{\"type\":\"audit\"");
	add_text(b, "job_id", s->job_id);
	add_text(b, "symbol", s->symbol);
	add_text(b, "timeframe", slice_of(timeframe_name(d->tf)));
	add_key(b, "from", d->tf, d->from);
	add_key(b, "to", d->tf, d->to);
	add_text(b, "verdict", slice_of(report_verdict(s->verdict)));
	add(b, ",\"expected\":%zu,\"present\":%zu,\"expected_bars\":%" PRIu64 ",\"bars\":%" PRIu64,
		d->due, s->present, d->due_bars, s->bars);
	if (s->first <= s->last) {
		add_key(b, "first", d->tf, s->first);
		add_key(b, "last", d->tf, s->last);
	}
	add(b, ",\"nulls\":%" PRIu64 ",\"crossed\":%" PRIu64 ",\"outside\":%" PRIu64, s->nulls,
		s->crossed, s->outside);
	add_missing(b, s);
	buffer_str(b, "}\n");
	writer_done(r->out);
}

void
report_release(struct report *r)
{
	buffer_release(&r->text);
}
