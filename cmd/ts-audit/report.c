/* The table that a person reads, and what it says in words. */
#include "report.h"

#include "timestamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* How many names the certificate lists before it only counts. */
enum { LISTED = 200 };

/* A name as it may stand on a terminal, filled up to a width. */
static void
add_name(struct buffer *b, struct slice name, size_t width)
{
	size_t start = b->len;

	buffer_shown(b, name);
	while (b->len - start < width)
		buffer_byte(b, ' ');
}

/* The runs of periods with a finding behind a sentence, if there are any; weeks and months by their
 * own dates. */
static void
add_runs(struct buffer *b, const struct series *s, uint32_t bit, const char *sentence)
{
	const struct period *p = s->schedule->period;
	bool intraday = timeframe_intraday(s->schedule->tf);
	char from[DATE_SIZE], to[DATE_SIZE];

	for (size_t first = 0, last; series_run(s, bit, &first, &last); first = last + 1) {
		(void)date_format(to, intraday ? p[last].last : (int32_t)p[last].start);
		buffer_printf(b, "%s%s%s%s", sentence, date_format(from, p[first].first),
			first == last ? "" : "..", first == last ? "" : to);
		sentence = ", ";
	}
}

/* "prices before 2025-12-22 are 4 times the days'" */
static void
add_stretch(struct buffer *b, const struct series *s, size_t first, size_t last)
{
	const struct period *p = s->schedule->period;
	char from[DATE_SIZE], to[DATE_SIZE];
	size_t before = first;

	while (before > 0 && s->cell[before - 1].bars == 0)
		before--;
	if (before == 0 && last + 1 < s->schedule->count)
		buffer_printf(b, "prices before %s", date_format(to, p[last + 1].first));
	else if (first == last)
		buffer_printf(b, "prices of %s", date_format(from, p[first].first));
	else
		buffer_printf(b, "prices from %s to %s", date_format(from, p[first].first),
			date_format(to, p[last].first));
	buffer_printf(b, " are %.4g times the days'", series_factor(s, first, last));
}

/* History that a restatement did not reach, if there is any. */
static void
add_old_basis(struct buffer *b, const struct series *s, const char *before)
{
	if (series_old_basis(s))
		buffer_printf(b,
			"%sprices before %s are on another basis, %s times, and older than the API "
			"reaches",
			before, s->answer.basis.before, s->answer.basis.factor);
}

static const char *const sentences[FOUND_ANSWERED + 1] = {
	[FOUND_ROLL_UP] = "; not what the days make ",
	[FOUND_HOURS] = "; hours and minutes differ ",
	[FOUND_RANGE] = "; prices outside of the day's ",
	[FOUND_VOLUME] = "; more volume than the day ",
	[FOUND_NO_DAY] = "; no day ",
	[FOUND_CLOSED] = "; closed? ",
	[FOUND_RENAMED] = "; two securities? no bars ",
	[FOUND_ANSWERED] = "; the API has no more of ",
};

static void
add_count(struct buffer *b, uint64_t n, const char *what)
{
	if (n > 0)
		buffer_printf(b, "; %" PRIu64 "%s", n, what);
}

/* The verdict with all that was found. */
static void
add_verdict(struct buffer *b, const struct series *s)
{
	buffer_str(b, verdict_name(s->verdict));
	if (s->verdict == VERDICT_HOLES)
		add_runs(b, s, FOUND_MISSING, " ");
	add_old_basis(b, s, "; ");
	for (size_t first = 0, last; series_run(s, FOUND_BASIS, &first, &last); first = last + 1) {
		buffer_str(b, "; ");
		add_stretch(b, s, first, last);
	}
	for (uint32_t f = FOUND_ROLL_UP; f <= FOUND_ANSWERED; f <<= 1) {
		if (sentences[f] != NULL)
			add_runs(b, s, f, sentences[f]);
	}
	add_count(b, s->nulls, " with NULL");
	add_count(b, s->crossed, " with high below low");
	add_count(b, s->odd, " with open or close outside of low and high");
	add_count(b, s->outside, " outside of sessions");
	add_count(b, s->answer.extra, " that the API does not have");
	add_count(b, s->answer.older, " older than the API reaches, before ");
	if (s->answer.older > 0)
		buffer_str(b, s->answer.reach);
	buffer_byte(b, '\n');
}

/* "AAPL day", in a list of LISTED; whether there was room. */
static bool
list_series(struct listed *l, struct slice symbol, struct slice timeframe)
{
	if (l->n++ >= LISTED)
		return false;
	buffer_str(&l->text, l->n == 1 ? ": " : ", ");
	buffer_shown(&l->text, symbol);
	buffer_byte(&l->text, ' ');
	buffer_shown(&l->text, timeframe);
	return true;
}

static struct buffer *
add_head(struct report *r)
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
add_series(struct report *r, const struct series *s)
{
	struct slice tf = slice_of(timeframe_name(s->schedule->tf));
	size_t first = 0, last;

	r->series++;
	r->verdicts[s->verdict]++;
	r->answered += s->answered;
	r->older += s->answer.older;
	r->extra += s->answer.extra;
	if (r->closed.len == 0)
		add_runs(&r->closed, s, FOUND_CLOSED, sentences[FOUND_CLOSED]);
	if (s->schedule->tf == TF_DAY && series_run(s, FOUND_RENAMED, &first, &last)) {
		buffer_str(&r->renamed, r->renamed.len == 0 ? "; two securities? " : ", ");
		buffer_shown(&r->renamed, s->symbol);
	}
	if (s->verdict == VERDICT_COMPLETE) {
		if (s->compared == 0 && s->schedule->due > 0)
			(void)list_series(&r->uncompared, s->symbol, tf);
	} else if (list_series(&r->incomplete, s->symbol, tf)) {
		struct buffer *b = &r->incomplete.text;

		buffer_printf(b, " %s", verdict_name(s->verdict));
		/* Another basis is the one thing that a name alone would not tell. */
		if (series_run(s, FOUND_BASIS, &first, &last)) {
			buffer_str(b, ": ");
			add_stretch(b, s, first, last);
		}
		add_old_basis(b, s, ": ");
	}
}

static void
write_row(struct report *r, const struct series *s)
{
	const struct schedule *d = s->schedule;
	struct buffer *b = add_head(r);
	char counts[48];

	add_name(b, s->symbol, 8);
	(void)snprintf(counts, sizeof counts, "%zu/%zu", s->present, d->due);
	buffer_printf(b, " %-9s %9s %9" PRIu64, timeframe_name(d->tf), counts, s->bars);
	if (d->due_bars > 0)
		buffer_printf(b, " %4" PRIu64 "%%  ", s->due_bars * 100 / d->due_bars);
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
report_series(struct report *r, const struct series *s)
{
	add_series(r, s);
	if (r->mode == MODE_TABLE)
		write_row(r, s);
	else if (r->mode == MODE_RECORDS)
		report_record(r, s);
}

void
report_failed(struct report *r, const struct record *task, struct slice line)
{
	struct slice symbol = task->symbol.p == NULL ? slice_of("job") : task->symbol;
	struct slice tf = task->timeframe.p == NULL ? task->job_id : task->timeframe;

	r->series++;
	r->failed++;
	if (list_series(&r->incomplete, symbol, tf))
		buffer_str(&r->incomplete.text, " failed");
	if (r->mode == MODE_TABLE) {
		struct buffer *b = add_head(r);

		add_name(b, symbol, 8);
		buffer_byte(b, ' ');
		add_name(b, tf, 9);
		buffer_str(b, "         -         -     -  -          -          failed: ");
		buffer_shown(b, task->error);
		buffer_byte(b, '\n');
		writer_done(r->out);
	} else if (r->mode == MODE_RECORDS) {
		writer_line(r->out, line);
	}
}

static void
add_list(struct buffer *b, const struct listed *l)
{
	buffer_add(b, l->text.p, l->text.len);
	if (l->n > LISTED)
		buffer_printf(b, " and %" PRIu64 " more", l->n - LISTED);
}

void
report_certificate(struct report *r)
{
	struct buffer *b = writer_room(r->out);

	buffer_printf(
		b, "%" PRIu64 " of %" PRIu64 " complete", r->verdicts[VERDICT_COMPLETE], r->series);
	add_list(b, &r->incomplete);
	if (r->uncompared.n > 0 && r->uncompared.n == r->verdicts[VERDICT_COMPLETE]) {
		buffer_str(b, "; presence only");
	} else if (r->uncompared.n > 0) {
		buffer_printf(b, "; of %" PRIu64 " presence only", r->uncompared.n);
		add_list(b, &r->uncompared);
	}
	buffer_add(b, r->closed.p, r->closed.len);
	buffer_add(b, r->renamed.p, r->renamed.len);
	add_count(b, r->answered, " sessions, weeks or months that the API does not have");
	if (r->extra > 0)
		buffer_printf(b, "; rows that the API does not have: %" PRIu64, r->extra);
	add_count(b, r->older, " bars older than the API reaches");
	buffer_byte(b, '\n');
	writer_done(r->out);
}

void
report_release(struct report *r)
{
	buffer_release(&r->incomplete.text);
	buffer_release(&r->uncompared.text);
	buffer_release(&r->closed);
	buffer_release(&r->renamed);
}
