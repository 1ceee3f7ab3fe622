#ifndef SIM_DATA_H
#define SIM_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "nycal.h"

/* Prices are in units of 0.0001, volumes in millionths of a share, so that every value is an
 * integer. */
#define PRICE_ONE ((int64_t)10000)
#define SHARE_ONE ((uint64_t)1000000)

struct bar {
	int64_t t; /* start, ms */
	int64_t o, h, l, c, vw;
	uint64_t v;
	uint64_t n;
	uint64_t bits; /* hash that decides how the numbers are written and whether vw and n are
			  there */
};

/* What a name prefix stands for. */
enum symbol_kind { SYMBOL_PLAIN, SYMBOL_NONE, SYMBOL_NULL, SYMBOL_EMPTY };

/* The tickers of the market. */
struct universe {
	char (*v)[64];
	size_t n;
};

/* universe_load(universe, path): one ticker a line. Return 0, or -1 with a sentence on stderr. */
int universe_load(struct universe *, const char *);

/* What is known when: the sessions, the events and the moment of the question. */
struct market {
	const struct universe *universe; /* whose days are grouped */
	const struct nycal *cal;
	const struct events *events; /* NULL: none */
	int64_t now;
};

struct symbol {
	const char *ticker;
	const struct market *market;
	uint64_t seed;
	int64_t base; /* the price its path wanders around */
	uint32_t liquidity;
	uint32_t extended; /* share of the extended-hours minutes that have a bar, of 256 */
	size_t first, end; /* the sessions it is listed in: indexes into the calendar */
	enum symbol_kind kind;
	bool index; /* without volume and number of trades */
	bool thin, sparse;
	bool exponents;
	bool adjusted;
};

/* The straight line a symbol's price follows through one session, besides the noise; and what
 * events make of it: prices times price[0] / price[1], volumes the other way round. */
struct path {
	int64_t open, close;
	int64_t price[2], volume[2];
	bool wrong; /* its high is still to be corrected */
};

/* hash of any two numbers */
uint64_t sim_mix(uint64_t, uint64_t);

/* hash of a string */
uint64_t sim_hash(const char *);

/**
 * symbol_init(sym, ticker, adjusted, market):
 * Everything that follows from the name. Prefixes: NONE unknown; NULL, EMPTYARR without data and
 * answered in another way; THIN trades on some days and in few minutes; SPARSE in one minute of
 * four; LATE listed for the last 30 sessions that have begun; GONE without bars in the last two
 * years; EXP sometimes prints prices with an exponent. Names are case-sensitive. No bar starts at
 * the market's now or later. The symbol keeps ${ticker} and ${market}.
 */
void symbol_init(struct symbol *, const char *, bool, const struct market *);

/* symbol_path(sym, s, p): the path of a session; all minutes of the session are made from it. False
 * if an event leaves no bar of it. */
bool symbol_path(const struct symbol *, const struct session *, struct path *);

/* symbol_reach(sym): the first day that there are bars of, when the market's reach ends. */
int32_t symbol_reach(const struct symbol *);

/* minute_bits(sym, s, m): nonzero when there is a bar in minute ${m} after 04:00; ${m} up to
 * s->minutes, the bar at the close. */
uint64_t minute_bits(const struct symbol *, const struct session *, int);

/* minute_make(sym, s, path, m, bits, b): that bar. One that ends after now is as far as it has
 * come. */
void minute_make(const struct symbol *, const struct session *, const struct path *, int, uint64_t,
	struct bar *);

/* day_make(sym, s, path, b): the bar of a session: the prices of its regular minutes with the
 * closing print, and more than the volume of all its minutes. Return false if it has no trade
 * before now. */
bool day_make(const struct symbol *, const struct session *, const struct path *, struct bar *);

/* bar_join(b, next): extend ${b} by a later bar: how hours come from minutes, weeks and months from
 * days. */
void bar_join(struct bar *, const struct bar *);

/* bar_restate(sym, b): correct the close of 2 % of all bars, always the same ones. */
void bar_restate(const struct symbol *, struct bar *);

#endif
