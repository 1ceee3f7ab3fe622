/* The table that a person reads, and the same as records. */
#include "report.h"

#include "timestamp.h"
#include "wording.h"

#include <inttypes.h>
#include <stdio.h>

/* How many names the certificate lists before it only counts. */
enum { LISTED = 200 };

static bool
list_series(struct report *r, struct slice symbol, struct slice timeframe)
{
	if (r->listed++ >= LISTED)
		return false;
	buffer_str(&r->text, r->listed == 1 ? ": " : ", ");
	wording_name(&r->text, symbol, 0);
	buffer_byte(&r->text, ' ');
	wording_name(&r->text, timeframe, 0);
	return true;
}

void
report_failed(struct report *r, const struct record *task)
{
	r->series++;
	r->failed++;
	if (list_series(r, task->symbol.p == NULL ? slice_of("job") : task->symbol,
		    task->timeframe.p == NULL ? task->job_id : task->timeframe))
		buffer_str(&r->text, " failed");
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

void
report_count(struct report *r, const struct series *s)
{
	struct slice tf = slice_of(timeframe_name(s->schedule->tf));
	size_t first = 0, last;

	r->series++;
	r->verdicts[s->verdict]++;
	r->answered += s->answered;
	r->older += s->answer.older;
	r->extra += s->answer.extra;
	if (r->closed.len == 0)
		wording_gap(&r->closed, s, FOUND_BIT(FOUND_CLOSED), TOLD_CLOSED);
	if (s->schedule->tf == TF_DAY && series_run(s, FOUND_BIT(FOUND_RENAMED), &first, &last)) {
		buffer_str(&r->renamed, r->renamed.len == 0 ? "; two securities? " : ", ");
		wording_name(&r->renamed, s->symbol, 0);
	}
	if (s->verdict != VERDICT_COMPLETE) {
		if (!list_series(r, s->symbol, tf))
			return;
		buffer_printf(&r->text, " %s", wording_verdict_name(s->verdict));
		/* Another basis is the one thing that a name alone would not tell. */
		if (series_run(s, FOUND_BIT(FOUND_BASIS), &first, &last)) {
			buffer_str(&r->text, ": ");
			wording_stretch(&r->text, s, first, last);
		}
		wording_old_basis(&r->text, s, ": ");
	} else if (s->compared == 0 && s->schedule->due > 0 && r->presence++ < LISTED) {
		buffer_str(&r->uncompared, r->presence == 1 ? ": " : ", ");
		wording_name(&r->uncompared, s->symbol, 0);
		buffer_byte(&r->uncompared, ' ');
		wording_name(&r->uncompared, tf, 0);
	}
}

void
report_row(struct report *r, const struct series *s)
{
	const struct schedule *d = s->schedule;
	struct buffer *b = add_head(r);
	char counts[48];

	wording_name(b, s->symbol, 8);
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
	wording_verdict(b, s);
	writer_done(r->out);
}

void
report_failed_row(struct report *r, const struct record *task)
{
	struct buffer *b = add_head(r);

	wording_name(b, task->symbol.p == NULL ? slice_of("job") : task->symbol, 8);
	buffer_byte(b, ' ');
	wording_name(b, task->timeframe.p == NULL ? task->job_id : task->timeframe, 9);
	buffer_str(b, "         -         -     -  -          -          failed: ");
	wording_name(b, task->error, 0);
	buffer_byte(b, '\n');
	writer_done(r->out);
}

static void
add_list(struct buffer *b, const struct buffer *text, uint64_t listed)
{
	if (text->len > 0)
		buffer_add(b, text->p, text->len);
	if (listed > LISTED)
		buffer_printf(b, " and %" PRIu64 " more", listed - LISTED);
}

void
report_certificate(struct report *r)
{
	struct buffer *b = writer_room(r->out);

	buffer_printf(
		b, "%" PRIu64 " of %" PRIu64 " complete", r->verdicts[VERDICT_COMPLETE], r->series);
	add_list(b, &r->text, r->listed);
	if (r->presence > 0 && r->presence == r->verdicts[VERDICT_COMPLETE]) {
		buffer_str(b, "; presence only");
	} else if (r->presence > 0) {
		buffer_printf(b, "; of %" PRIu64 " presence only", r->presence);
		add_list(b, &r->uncompared, r->presence);
	}
	buffer_add(b, r->closed.p, r->closed.len);
	buffer_add(b, r->renamed.p, r->renamed.len);
	if (r->answered > 0)
		buffer_printf(b,
			"; %" PRIu64 " sessions, weeks or months that the API does not have",
			r->answered);
	if (r->extra > 0)
		buffer_printf(b, "; rows that the API does not have: %" PRIu64, r->extra);
	if (r->older > 0)
		buffer_printf(b, "; %" PRIu64 " bars older than the API reaches", r->older);
	buffer_byte(b, '\n');
	writer_done(r->out);
}

static void
add_text(struct buffer *b, const char *key, struct slice value)
{
	buffer_printf(b, ",\"%s\":", key);
	buffer_json(b, value);
}

static void
add_key(struct buffer *b, const char *name, enum timeframe tf, int64_t key)
{
	char text[TIMESTAMP_SIZE];

	add_text(b, name, slice_of(timeframe_write(text, tf, key)));
}

static void
add_missing(struct buffer *b, const struct series *s)
{
	const struct period *p = s->schedule->period;
	const uint32_t bits = FOUND_BIT(FOUND_MISSING);
	const char *before = "";
	char from[DATE_SIZE], to[DATE_SIZE];

	buffer_str(b, ",\"missing\":[");
	for (size_t first = 0, last; series_run(s, bits, &first, &last); first = last + 1) {
		buffer_printf(b, "%s[\"%s\",\"%s\"]", before, date_format(from, p[first].first),
			date_format(to, p[last].last));
		before = ",";
	}
	buffer_byte(b, ']');
}

/* [what, from, to], and the factor of another basis. */
static void
add_differs(struct buffer *b, const struct series *s)
{
	const struct period *p = s->schedule->period;
	const char *before = "";
	char from[DATE_SIZE], to[DATE_SIZE];

	buffer_str(b, ",\"differs\":[");
	for (int f = 0; f < FOUND_KINDS; f++) {
		for (size_t first = 0, last; series_run(s, FOUND_BIT(f), &first, &last);
			first = last + 1) {
			buffer_printf(b, "%s[\"%s\",\"%s\",\"%s\"", before,
				wording_check((enum finding)f), date_format(from, p[first].first),
				date_format(to, p[last].last));
			if (f == FOUND_BASIS)
				buffer_printf(b, ",%.6g", series_factor(s, first, last));
			buffer_byte(b, ']');
			before = ",";
		}
	}
	buffer_byte(b, ']');
}

/* What was measured, for those who want to judge the thresholds. */
static void
add_extremes(struct buffer *b, const struct series *s)
{
	const struct extremes *x = &s->extremes;

	if (s->compared == 0)
		return;
	buffer_str(b, ",\"extremes\":{");
	if (timeframe_intraday(s->schedule->tf))
		buffer_printf(b,
			"\"basis\":[%.6f,%.6f],\"range\":%.6f,\"share\":%.6f,\"hour\":%.6f,"
			"\"hour_volume\":%.1f}",
			x->ratio[0], x->ratio[1], x->range, x->share, x->hour, x->hour_volume);
	else
		buffer_printf(b, "\"roll_up\":%.6f,\"roll_up_volume\":%.1f}", x->roll_up,
			x->roll_up_volume);
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
	add_text(b, "verdict", slice_of(wording_verdict_name(s->verdict)));
	buffer_printf(b,
		",\"expected\":%zu,\"present\":%zu,\"expected_bars\":%" PRIu64 ",\"bars\":%" PRIu64,
		d->due, s->present, d->due_bars, s->bars);
	if (s->first <= s->last) {
		add_key(b, "first", d->tf, s->first);
		add_key(b, "last", d->tf, s->last);
	}
	buffer_printf(b,
		",\"nulls\":%" PRIu64 ",\"crossed\":%" PRIu64 ",\"odd\":%" PRIu64
		",\"outside\":%" PRIu64 ",\"extra\":%" PRIu64 ",\"older\":%" PRIu64,
		s->nulls, s->crossed, s->odd, s->outside, s->answer.extra, s->answer.older);
	add_missing(b, s);
	buffer_printf(b, ",\"compared\":%zu", s->compared);
	add_differs(b, s);
	add_extremes(b, s);
	buffer_str(b, "}\n");
	writer_done(r->out);
}

void
report_release(struct report *r)
{
	buffer_release(&r->text);
	buffer_release(&r->uncompared);
	buffer_release(&r->closed);
	buffer_release(&r->renamed);
}
