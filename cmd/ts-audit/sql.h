#ifndef TS_SQL_H
#define TS_SQL_H

#include "pg/table.h"
#include "verdict.h"

/* What the queries of an audit have in common: how values go there and come back, and who takes
 * them. */

/* Series of one schedule, each with another symbol, in ascending order of these. */
struct group {
	struct series *const *series;
	size_t n;
};

/* Appends the words of a list; use the macro. */
void sql_words(struct buffer *, const char *const *);
#define SQL(b, ...) sql_words(b, (const char *const[]){__VA_ARGS__, NULL})

/* Appends "symbol = ANY (...) AND key >= ... AND key < ...", of parameters 1, first and first + 1.
 */
void sql_where(struct buffer *, const struct pg_table *, int first);

/*
 * Appends "(...) x": the symbol (as text), t, open, high, low, close and volume of those rows, of
 * parameters 1 to 3. t is the key: a date's days since 1970, or an instant's whole minutes or hours
 * since then, beside which stand its seconds in e. So nothing needs to read dates, and each is
 * computed once. bin is the number of bounds at or below it; 0 where bounds, an array, is NULL.
 */
void sql_rows(struct buffer *, const struct pg_table *, const char *bounds);

/* Appends open, high, low, close and volume of a table; what REAL rounds is rounded in all of them.
 */
void sql_values(struct buffer *, const struct pg_table *);

/* Append a key as text, the symbols of a group as an array. */
void sql_key(struct buffer *, enum timeframe, int64_t key);
void sql_symbols(struct buffer *, const struct group *);

/* Between two elements of an array, and before the first. */
void sql_comma(struct buffer *, size_t i);

/* A whole number of a result, which may have a sign; 0 for NULL. */
int64_t sql_number(const PGresult *, int row, int column);

/* The series of a symbol; NULL if there is none. */
struct series *sql_series(const struct group *, const char *symbol);

/*
 * A query, its parameters as text and who takes the rows; begin, which may be NULL, is called
 * before the first row, also when it is done again.
 */
enum { SQL_PARAMETERS = 8 };
struct query {
	struct buffer text, value[SQL_PARAMETERS];
	int n;
	void (*begin)(void *data);
	struct pg_sink sink;
};

/* Runs it in a transaction of its own, with patience, and releases its buffers. */
enum outcome sql_run(struct pg *, struct query *);

#endif
