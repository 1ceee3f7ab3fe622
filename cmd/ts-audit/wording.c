/* The words for what was found. */
#include "wording.h"

#include "timestamp.h"

#include <inttypes.h>
#include <string.h>

/* Text as it may stand on a terminal, filled up to a width. */
void
wording_name(struct buffer *b, struct slice name, size_t width)
{
	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = (unsigned char)name.p[i];

		buffer_byte(b, c < ' ' || c == 0x7f ? '?' : (char)c);
	}
	for (size_t i = name.n; i < width; i++)
		buffer_byte(b, ' ');
}

const char *
wording_verdict_name(enum verdict v)
{
	static const char *const names[VERDICT_COUNT] = {
		"complete", "holes", "differs", "outside", "empty", "unusable"};

	return names[v];
}

/* How findings are told in a sentence, and in records. */
static const char *const findings[FOUND_KINDS][2] = {
	[FOUND_BASIS] = {"prices", "basis"},
	[FOUND_ROLL_UP] = {"not what the days make", "roll-up"},
	[FOUND_HOURS] = {"hours and minutes differ", "hours"},
	[FOUND_RANGE] = {"prices outside of the day's", "range"},
	[FOUND_VOLUME] = {"more volume than the day", "volume"},
	[FOUND_NO_DAY] = {"no day", "no day"},
};

const char *
wording_check(enum finding f)
{
	return findings[f][1];
}

/* The dates of a run: of weeks and months their own. */
static const char *
run_dates(char text[2 * DATE_SIZE + 4], const struct series *s, size_t first, size_t last)
{
	const struct period *p = s->schedule->period;
	int32_t end = timeframe_intraday(s->schedule->tf) ? p[last].last : (int32_t)p[last].start;
	size_t n;

	(void)date_format(text, p[first].first);
	n = strlen(text);
	if (first != last) {
		memcpy(text + n, "..", 3);
		(void)date_format(text + n + 2, end);
	}
	return text;
}

void
wording_runs(struct buffer *b, const struct series *s, uint32_t bits, const char *before)
{
	char text[2 * DATE_SIZE + 4];

	for (size_t first = 0, last; series_run(s, bits, &first, &last); first = last + 1) {
		buffer_printf(b, "%s%s", before, run_dates(text, s, first, last));
		before = ", ";
	}
}

/* "prices before 2025-12-22 are 4 times the days'" */
void
wording_stretch(struct buffer *b, const struct series *s, size_t first, size_t last)
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

/* History that a restatement did not reach. */
void
wording_old_basis(struct buffer *b, const struct series *s, const char *before)
{
	if (series_old_basis(s))
		buffer_printf(b,
			"%sprices before %s are on another basis, %s times, and older than the API "
			"reaches",
			before, s->answer.before, s->answer.factor);
}

static void
add_findings(struct buffer *b, const struct series *s)
{
	const char *before = "; ";

	wording_old_basis(b, s, before);
	for (size_t first = 0, last; series_run(s, FOUND_BIT(FOUND_BASIS), &first, &last);
		first = last + 1) {
		buffer_str(b, before);
		wording_stretch(b, s, first, last);
	}
	for (int f = FOUND_BASIS + 1; f < FOUND_KINDS; f++) {
		size_t first = 0, last;

		if (!series_run(s, FOUND_BIT(f), &first, &last))
			continue;
		buffer_printf(b, "; %s ", findings[f][0]);
		wording_runs(b, s, FOUND_BIT(f), "");
	}
}

static void
add_counts(struct buffer *b, const struct series *s)
{
	if (s->nulls > 0)
		buffer_printf(b, "; %" PRIu64 " with NULL", s->nulls);
	if (s->crossed > 0)
		buffer_printf(b, "; %" PRIu64 " with high below low", s->crossed);
	if (s->odd > 0)
		buffer_printf(
			b, "; %" PRIu64 " with open or close outside of low and high", s->odd);
	if (s->outside > 0)
		buffer_printf(b, "; %" PRIu64 " outside of sessions", s->outside);
	if (s->answer.extra > 0)
		buffer_printf(b, "; %" PRIu64 " that the API does not have", s->answer.extra);
	if (s->answer.older > 0)
		buffer_printf(b, "; %" PRIu64 " older than the API reaches, before %s",
			s->answer.older, s->answer.reach);
}

void
wording_gap(struct buffer *b, const struct series *s, uint32_t bit, const char *before)
{
	size_t first = 0, last;

	if (!series_run(s, bit, &first, &last))
		return;
	buffer_str(b, before);
	wording_runs(b, s, bit, "");
}

void
wording_verdict(struct buffer *b, const struct series *s)
{
	buffer_str(b, wording_verdict_name(s->verdict));
	if (s->verdict == VERDICT_HOLES)
		wording_runs(b, s, FOUND_BIT(FOUND_MISSING), " ");
	add_findings(b, s);
	wording_gap(b, s, FOUND_BIT(FOUND_CLOSED), TOLD_CLOSED);
	wording_gap(b, s, FOUND_BIT(FOUND_RENAMED), "; two securities? no bars ");
	wording_gap(b, s, FOUND_BIT(FOUND_ANSWERED), "; the API has no more of ");
	add_counts(b, s);
	buffer_byte(b, '\n');
}
