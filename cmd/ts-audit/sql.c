/* From statements.sql, where the notation is explained, to a statement. */
#include "sql.h"

#include "checks.h"
#include "statements.h"
#include "timestamp.h"

static bool
has_real(const struct pg_table *t, int values)
{
	for (int i = 0; t != NULL && i < values; i++) {
		if (t->type[i] == PG_FLOAT4)
			return true;
	}
	return false;
}

/* What REAL rounds is rounded in all prices; but of a sum it would lose whole shares. */
static void
add_values(struct buffer *b, const struct pg_table *t)
{
	buffer_str(b, has_real(t, 4) ? "open::real AS open, high::real AS high, low::real AS low,"
				       " close::real AS close, "
				     : "open, high, low, close, ");
	buffer_str(b, t->type[4] == PG_FLOAT4 ? "volume::float8 AS volume" : "volume");
}

static bool
is_true(const struct statement *s, struct slice flag)
{
	const struct {
		const char *name;
		bool holds;
	} flags[] = {{"intraday", timeframe_intraday(s->table->tf)}, {"bounds", s->bounds},
		{"values", s->values}, {"compared", s->compared}, {"days", s->days != NULL},
		{"hours", s->hours != NULL},
		/* Two numbers may differ by the rounding of both. */
		{"real", has_real(s->table, PG_TABLE_VALUES) ||
				 has_real(s->hours != NULL ? s->hours : s->days, PG_TABLE_VALUES)},
		{"early", REGULAR_OPEN * 60 % timeframe_seconds(s->table->tf) != 0}};
	size_t i = 0;

	while (!slice_is(flag, flags[i].name))
		i++;
	return flags[i].holds;
}

static void add_statement(struct buffer *, const struct statement *, struct slice name);

static void
add_word(struct buffer *b, const struct statement *s, struct slice word)
{
	bool days = slice_starts(word, "days."), hours = slice_starts(word, "hours.");
	struct slice name = slice_after(word, days ? 5 : hours ? 6 : 0);
	const struct pg_table *t = days ? s->days : hours ? s->hours : s->table;
	int seconds = timeframe_seconds(t->tf);
	const struct {
		const char *name, *text;
		int number;
	} words[] = {{"name", t->name, 0}, {"key", t->key, 0}, {"symbol", t->symbol_type, 0},
		{"type", timeframe_intraday(t->tf) ? "timestamptz" : "date", 0},
		{"amount", CHECK_RANGE_AMOUNT, 0}, {"seconds", NULL, seconds},
		{"hour", NULL, 3600 / seconds}, {"slice.start", NULL, schedule_slices(t->tf).start},
		{"slice.seconds", NULL, schedule_slices(t->tf).seconds}};
	struct statement part = *s;
	size_t i = 0;

	part.table = t;
	if (slice_is(name, "values")) {
		add_values(b, t);
	} else if (slice_starts(name, "@")) {
		add_statement(b, &part, name);
	} else {
		while (!slice_is(name, words[i].name))
			i++;
		if (words[i].text != NULL)
			buffer_str(b, words[i].text);
		else
			buffer_int(b, words[i].number);
	}
}

static void
add_line(struct buffer *b, const struct statement *s, struct slice line)
{
	bool not ;

	if (slice_starts(line, "--"))
		return;
	if (slice_starts(line, "?")) {
		not = slice_starts(line, "?!");
		line = slice_after(line, not ? 2 : 1);
		if (is_true(s, slice_part(&line, " ")) == not )
			return;
	}
	while (line.n > 0) {
		struct slice text = slice_part(&line, "{");

		buffer_add(b, text.p, text.n);
		if (line.n > 0)
			add_word(b, s, slice_part(&line, "}"));
	}
	buffer_byte(b, ' ');
}

/* The name begins with "@", as its line does. */
static void
add_statement(struct buffer *b, const struct statement *s, struct slice name)
{
	struct slice rest = slice_of(statements_sql);
	bool here = false;

	while (rest.n > 0) {
		struct slice line = slice_part(&rest, "\n");

		if (slice_starts(line, "@"))
			here = slice_eq(line, name);
		else if (here)
			add_line(b, s, line);
	}
}

void
sql_statement(struct buffer *b, const struct statement *s, const char *name)
{
	add_statement(b, s, slice_of(name));
}

void
sql_key(struct buffer *b, enum timeframe tf, int64_t key)
{
	char text[TIMESTAMP_SIZE];

	buffer_str(b, timeframe_write(text, tf, key));
}

void
sql_element(struct buffer *b, enum timeframe tf, int64_t key)
{
	buffer_byte(b, b->len == 0 ? '{' : ',');
	sql_key(b, tf, key);
}

/* Nothing that record_symbol_ok() lets pass needs an escape; but NULL is a symbol, too. */
void
sql_symbol(struct buffer *b, struct slice symbol)
{
	buffer_printf(b, "%s\"%.*s\"", b->len == 0 ? "{" : ",", SLICE(symbol));
}
