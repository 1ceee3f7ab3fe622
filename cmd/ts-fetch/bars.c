/*
 * From rows of a page to bar records, without a copy in between: see ts-records(5) for their form.
 */
#include "bars.h"

#include "number.h"

#include <string.h>

enum { BAR_BYTES = 256 + COLUMNS * NUMBER_TEXT };

void
bars_init(
	struct bars *b, const struct calendar *calendar, const struct series *series, bool extended)
{
	*b = (struct bars){.calendar = calendar,
		.series = *series,
		.extended = extended,
		.index = series->symbol.n > 2 && slice_starts(series->symbol, "I:")};
}

void
bars_resume(struct bars *b, uint64_t count, int32_t first, int32_t last)
{
	b->count = count;
	b->first = calendar_instant(b->calendar, first, 0);
	b->last = calendar_instant(b->calendar, last, 0);
}

/* Minute bars come by the hundred thousand: what is known of their day is kept. */
static void
look_at_day(struct bars *b, int64_t t)
{
	int32_t date;

	if (t >= b->day && t < b->day_end)
		return;
	date = calendar_date(b->calendar, t);
	b->day = calendar_instant(b->calendar, date, 0);
	b->day_end = calendar_instant(b->calendar, date + 1, 0);
	b->open = b->close = 0;
	if (calendar_session(b->calendar, date) == SESSION_NONE)
		return;
	b->open = calendar_instant(b->calendar, date, REGULAR_OPEN);
	b->close = calendar_instant(b->calendar, date, calendar_regular_close(b->calendar, date));
}

bool
bars_belong(struct bars *b, int64_t t)
{
	const struct series *s = &b->series;
	int seconds;
	int32_t date;

	if (!timeframe_intraday(s->tf)) {
		date = calendar_date(b->calendar, t);
		return date >= s->start && timeframe_last(s->tf, date) <= s->end;
	}
	seconds = timeframe_seconds(s->tf);
	if (t < s->start || t + seconds > s->end)
		return false;
	if (b->extended)
		return true;
	look_at_day(b, t);
	return t < b->close && t + seconds > b->open;
}

static const char *
cell_reason(int column, uint32_t fault)
{
#define REASONS(name)                                                                              \
	{                                                                                          \
		[CELL_MISSING] = name " is missing", [CELL_NULL] = name " is null",                \
		[CELL_NO_NUMBER] = name " is not a number", [CELL_TOO_LONG] = name " is too long"  \
	}
	static const char *const reasons[COLUMNS][4] = {[COLUMN_OPEN] = REASONS("open"),
		[COLUMN_HIGH] = REASONS("high"),
		[COLUMN_LOW] = REASONS("low"),
		[COLUMN_CLOSE] = REASONS("close"),
		[COLUMN_VOLUME] = REASONS("volume")};
#undef REASONS
	return reasons[column][fault];
}

static char *
put_text(char *p, const char *s, size_t n)
{
	memcpy(p, s, n);
	return p + n;
}

#define PUT(p, literal) put_text(p, literal, sizeof(literal) - 1)

static struct slice
cell_text(const struct page *page, const struct row *row, int column)
{
	if (row->n[column] == 0)
		return (struct slice){0};
	return (struct slice){page->body.p + row->at[column], row->n[column]};
}

static bool
all_digits(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	}
	return true;
}

/* The API sends 1.2e+06 and fractions of shares; a volume is a whole number. */
static const char *
add_volume(struct buffer *out, struct slice s)
{
	struct number d;
	int64_t v;

	if (s.n <= 18 && all_digits(s)) {
		buffer_add(out, s.p, s.n);
		return NULL;
	}
	if (number_parse(s, &d) != 0 || number_to_int(&d, 0, &v) != 0) {
		buffer_str(out, "null");
		return "volume is out of range";
	}
	buffer_int(out, v);
	return NULL;
}

char *
bars_key(const struct bars *b, int64_t t, char out[TIMESTAMP_SIZE])
{
	if (timeframe_intraday(b->series.tf))
		return timestamp_format(out, t);
	return date_format(out, calendar_date(b->calendar, t));
}

/* The record up to its prices. */
static char *
put_head(const struct bars *b, char *p, int64_t t)
{
	const struct series *s = &b->series;
	const char *tf = timeframe_name(s->tf);
	char key[TIMESTAMP_SIZE];

	p = PUT(p, "{\"type\":\"bar\",\"symbol\":\"");
	p = put_text(p, s->symbol.p, s->symbol.n);
	p = PUT(p, "\",\"timeframe\":\"");
	p = put_text(p, tf, strlen(tf));
	p = timeframe_intraday(s->tf) ? PUT(p, "\",\"timestamp\":\"") : PUT(p, "\",\"date\":\"");
	(void)bars_key(b, t, key);
	p = put_text(p, key, timeframe_intraday(s->tf) ? TIMESTAMP_SIZE - 1 : DATE_SIZE - 1);
	return PUT(p, "\"");
}

const char *
bars_add(struct bars *b, const struct page *page, const struct row *row, struct buffer *out)
{
	static const char *const name[COLUMNS] = {
		",\"open\":", ",\"high\":", ",\"low\":", ",\"close\":", ",\"volume\":"};
	char *start = buffer_room(out, BAR_BYTES + b->series.symbol.n);
	char *p = put_head(b, start, row->t);
	const char *fault = NULL, *fault_volume = NULL;
	struct slice s;

	for (int i = 0; i < COLUMNS; i++) {
		p = put_text(p, name[i], strlen(name[i]));
		s = cell_text(page, row, i);
		if (s.p == NULL) {
			p = PUT(p, "null");
			if (fault == NULL && !(i == COLUMN_VOLUME && b->index))
				fault = cell_reason(i, row->at[i]);
		} else if (i != COLUMN_VOLUME) {
			p = put_text(p, s.p, s.n);
		}
	}
	out->len += (size_t)(p - start);
	if (s.p != NULL)
		fault_volume = add_volume(out, s);
	buffer_add(out, "}\n", 2);
	/* The chunks of a long task come in any order. */
	b->first = b->count == 0 || row->t < b->first ? row->t : b->first;
	b->last = b->count == 0 || row->t > b->last ? row->t : b->last;
	b->count++;
	return fault != NULL ? fault : fault_volume;
}
