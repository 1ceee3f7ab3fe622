/* What is known of a series, as a record. */
#include "report.h"

#include "timestamp.h"

#include <inttypes.h>

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

/* Each run of a finding, behind a comma but for the first of the list: [what, from, to, factor]. */
static void
add_runs(struct buffer *b, const struct series *s, uint32_t bit, const char *what)
{
	const struct period *p = s->schedule->period;
	char from[DATE_SIZE], to[DATE_SIZE];

	for (size_t first = 0, last; series_run(s, bit, &first, &last); first = last + 1) {
		buffer_printf(b, "%s[%s\"%s\",\"%s\"", b->p[b->len - 1] == '[' ? "" : ",", what,
			date_format(from, p[first].first), date_format(to, p[last].last));
		if (bit == FOUND_BASIS)
			buffer_printf(b, ",%.6g", series_factor(s, first, last));
		buffer_byte(b, ']');
	}
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
			x->ratio[0], x->ratio[1], x->range, x->share, x->price, x->volume);
	else
		buffer_printf(b, "\"roll_up\":%.6f,\"roll_up_volume\":%.1f}", x->price, x->volume);
}

void
report_record(struct report *r, const struct series *s)
{
	static const char *const checks[FOUND_NO_DAY + 1] = {[FOUND_BASIS] = "\"basis\",",
		[FOUND_ROLL_UP] = "\"roll-up\",",
		[FOUND_HOURS] = "\"hours\",",
		[FOUND_RANGE] = "\"range\",",
		[FOUND_VOLUME] = "\"volume\",",
		[FOUND_NO_DAY] = "\"no day\","};
	struct buffer *b = writer_room(r->out);
	const struct schedule *d = s->schedule;

	buffer_str(b, "{\"type\":\"audit\"");
	add_text(b, "job_id", s->job_id);
	add_text(b, "symbol", s->symbol);
	add_text(b, "timeframe", slice_of(timeframe_name(d->tf)));
	add_key(b, "from", d->tf, d->from);
	add_key(b, "to", d->tf, d->to);
	add_text(b, "verdict", slice_of(verdict_name(s->verdict)));
	buffer_printf(b,
		",\"expected\":%zu,\"present\":%zu,\"expected_bars\":%" PRIu64 ",\"bars\":%" PRIu64,
		d->due, s->present, d->due_bars, s->bars);
	if (s->first <= s->last) {
		add_key(b, "first", d->tf, s->first);
		add_key(b, "last", d->tf, s->last);
	}
	buffer_printf(b,
		",\"nulls\":%" PRIu64 ",\"crossed\":%" PRIu64 ",\"odd\":%" PRIu64
		",\"outside\":%" PRIu64 ",\"extra\":%" PRIu64 ",\"older\":%" PRIu64
		",\"missing\":[",
		s->nulls, s->crossed, s->odd, s->outside, s->answer.extra, s->answer.older);
	add_runs(b, s, FOUND_MISSING, "");
	buffer_printf(b, "],\"compared\":%zu,\"differs\":[", s->compared);
	for (uint32_t f = FOUND_BASIS; f <= FOUND_NO_DAY; f <<= 1)
		add_runs(b, s, f, checks[f]);
	buffer_byte(b, ']');
	add_extremes(b, s);
	buffer_str(b, "}\n");
	writer_done(r->out);
}
