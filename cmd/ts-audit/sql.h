#ifndef TS_SQL_H
#define TS_SQL_H

#include "pg/table.h"
#include "verdict.h"

/* What the queries of an audit have in common: how values go there and come back, and who takes
 * them. */

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

/* Append a key as text, the symbols of n series as an array, the bounds of all periods as an array.
 */
void sql_key(struct buffer *, enum timeframe, int64_t key);
void sql_symbols(struct buffer *, struct series *const *, size_t n);

/* Between two elements of an array, and before the first. */
void sql_comma(struct buffer *, size_t i);

/* A whole number of a result, which may have a sign; 0 for NULL. */
int64_t sql_number(const PGresult *, int row, int column);

/* The series of a symbol, of n that are in ascending order of their symbols; NULL if there is none.
 */
struct series *sql_series(struct series *const *, size_t n, const char *symbol);

/*
 * Runs a query with n parameters in a transaction of its own, with patience. begin is called before
 * the first row, also when it is done again.
 */
enum outcome sql_run(struct pg *, const char *query, struct buffer *values, int n,
	void (*begin)(void *), const struct pg_sink *);

#endif
