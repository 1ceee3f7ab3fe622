/* The market: bars as a pure function of symbol and time. Nothing is stored, so any range can be
 * asked for in any order. */
#include "data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPLIT_DAY 18505	   /* 2020-08-31: before it the unadjusted prices are 4 times as high */
#define FRACTION_DAY 20454 /* 2026-01-01: fractional shares from here on */
#define REUSE_GAP 42	   /* days without bars before another security has the name */
#define WRONG_EVERY 10	   /* the minutes that are corrected */

int
universe_load(struct universe *u, const char *path)
{
	FILE *f = fopen(path, "r");
	char line[64], (*grown)[64];

	while (f != NULL && fgets(line, sizeof line, f) != NULL) {
		line[strcspn(line, " \t\n")] = '\0';
		if ((grown = realloc(u->v, (u->n + 1) * sizeof *grown)) == NULL)
			break;
		u->v = grown;
		snprintf(u->v[u->n++], sizeof *u->v, "%s", line);
	}
	if (f == NULL || ferror(f) || !feof(f)) {
		fprintf(stderr, "ts-sim: error: cannot read the tickers %s\n", path);
		return -1;
	}
	fclose(f);
	return 0;
}

uint64_t
sim_mix(uint64_t a, uint64_t b)
{
	uint64_t x = a + b * 0x9e3779b97f4a7c15u;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

uint64_t
sim_hash(const char *s)
{
	uint64_t h = 14695981039346656037u;

	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211u;
	return sim_mix(h, 1);
}

static bool
prefixed(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

void
symbol_init(struct symbol *sym, const char *ticker, bool adjusted, const struct market *market)
{
	const struct nycal *cal = market->cal;
	int64_t now = market->now;
	uint64_t h = sim_hash(ticker);
	size_t begun = nycal_lower(cal, ny_day(now));

	sym->ticker = ticker;
	sym->market = market;
	sym->seed = h;
	sym->base = (8 + (int64_t)(h % 400)) * PRICE_ONE + (int64_t)(h >> 9 & 0xfff);
	sym->liquidity = 1u << (h >> 21 & 7);
	sym->extended = 40 + (uint32_t)(h >> 24 & 127);
	sym->kind = prefixed(ticker, "NONE")	   ? SYMBOL_NONE
		    : prefixed(ticker, "NULL")	   ? SYMBOL_NULL
		    : prefixed(ticker, "EMPTYARR") ? SYMBOL_EMPTY
						   : SYMBOL_PLAIN;
	sym->index = prefixed(ticker, "I:");
	sym->thin = prefixed(ticker, "THIN");
	sym->sparse = prefixed(ticker, "SPARSE");
	sym->exponents = prefixed(ticker, "EXP");
	sym->adjusted = adjusted;
	sym->first = 0;
	sym->end = cal->n;
	if (begun < cal->n && cal->v[begun].midnight + SESSION_OPEN * MINUTE_MS < now)
		begun++;
	if (prefixed(ticker, "LATE"))
		sym->first = begun < 30 ? 0 : begun - 30;
	if (prefixed(ticker, "GONE"))
		sym->end = nycal_lower(cal, ny_day(now) - 731);
}

/* A piecewise linear wander in -range..range, with a corner every ${step} days. */
static int64_t
wander(uint64_t seed, int32_t day, int32_t step, int64_t range)
{
	int32_t at = day / step;
	int64_t a = (int64_t)(sim_mix(seed, (uint64_t)at) >> 32),
		b = (int64_t)(sim_mix(seed, (uint64_t)at + 1) >> 32);

	a += (b - a) * (day % step) / step;
	return ((a >> 8) * range * 2 >> 24) - range;
}

static int64_t
level(const struct symbol *sym, int32_t day)
{
	int64_t w = wander(sym->seed + 1, day, 300, 20000) + wander(sym->seed + 2, day, 20, 5000) +
		    wander(sym->seed + 3, day, 1, 1000);

	return sym->base + sym->base * w / 65536;
}

/* A bar's price and volume under a ratio: of a split, or of another security under the name. */
static void
scale(struct path *p, int64_t num, int64_t den)
{
	p->price[0] *= num;
	p->price[1] *= den;
	p->volume[0] *= den;
	p->volume[1] *= num;
}

bool
symbol_path(const struct symbol *sym, const struct session *s, struct path *p)
{
	const struct events *ev = sym->market->events;
	int32_t today = ny_day(sym->market->now);
	const struct event *e = NULL;

	*p = (struct path){level(sym, s->day), level(sym, s->day + 1), {1, 1}, {1, 1}, false};
	if (!sym->adjusted && s->day < SPLIT_DAY)
		scale(p, 4, 1);
	while ((e = events_next(ev, sym->ticker, EVENT_GONE, e)) != NULL)
		if (e->day == s->day && e->since <= today)
			return false;
	while ((e = events_next(ev, sym->ticker, EVENT_REUSE, e)) != NULL) {
		if (s->day >= e->day - REUSE_GAP && s->day < e->day)
			return false;
		if (s->day < e->day)
			scale(p, 7, 1);
	}
	while ((e = events_next(ev, sym->ticker, EVENT_SPLIT, e)) != NULL)
		if (e->day <= today && (sym->adjusted || s->day >= e->day))
			scale(p, e->b, e->a);
	while ((e = events_next(ev, sym->ticker, EVENT_CORRECT, e)) != NULL)
		p->wrong |= e->day == s->day && today <= e->day;
	return true;
}

int32_t
symbol_reach(const struct symbol *sym)
{
	const struct event *e = events_next(sym->market->events, sym->ticker, EVENT_REACH, NULL);

	return e == NULL ? 0 : ny_day(sym->market->now) - (int32_t)e->a;
}

uint64_t
minute_bits(const struct symbol *sym, const struct session *s, int m)
{
	uint64_t h = sim_mix(sym->seed + (uint64_t)s->day, (uint64_t)m) | 1;
	bool regular = m >= SESSION_REGULAR && m < SESSION_REGULAR + s->regular;

	if (sym->thin)
		return sim_mix(sym->seed, (uint64_t)s->day) % 4 != 0 &&
				       (h >> 40 & 255) < (regular ? 20 : 3)
			       ? h
			       : 0;
	if (sym->sparse && h >> 56 > 63)
		return 0;
	if (m == s->minutes)
		return (h >> 40) % 16 == 0 ? h : 0;
	return regular || (h >> 40 & 255) < sym->extended ? h : 0;
}

/* Mostly cents, sometimes three or four decimals, rarely a whole number. */
static int64_t
tick(int64_t p, uint64_t bits)
{
	static const int64_t unit[16] = {
		100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 50, 10, 1, 1};
	int64_t u = (bits & 63) == 0 ? PRICE_ONE : unit[bits >> 6 & 15];

	return (p + u / 2) / u * u;
}

/* Fill in prices, vw and n from opening, close, a reach beyond them, and bits. */
static void
shape(struct bar *b, int64_t open, int64_t close, int64_t reach, uint64_t bits)
{
	int64_t top, low;

	b->o = tick(open, bits >> 2);
	b->c = tick(close, bits >> 12);
	top = b->o > b->c ? b->o : b->c;
	low = b->o > b->c ? b->c : b->o;
	b->h = top + ((int64_t)(bits >> 22 & 63) * reach / 64 + 50) / 100 * 100;
	b->l = low - ((int64_t)(bits >> 28 & 63) * reach / 64 + 50) / 100 * 100;
	b->vw = b->l + (b->h - b->l) * (int64_t)(bits >> 34 & 15) / 15;
	if (bits >> 20 & 1 && bits % 3 == 0) /* one in six lies outside */
		b->vw = b->h + 1 + (int64_t)(bits >> 34 & 255);
	b->bits = bits;
}

/* Cut a bar back to the share ${done} of ${whole} that has passed. */
static void
unfinish(struct bar *b, int64_t done, int64_t whole)
{
	b->v = b->v / SHARE_ONE * (uint64_t)(done / 1000) / (uint64_t)(whole / 1000) * SHARE_ONE +
	       SHARE_ONE;
	b->c = tick(b->o + (b->c - b->o) * done / whole, b->bits >> 12);
	b->h = b->o > b->c ? b->o : b->c;
	b->l = b->o > b->c ? b->c : b->o;
	b->n = 1 + b->n * (uint64_t)(done / 1000) / (uint64_t)(whole / 1000);
}

static int64_t
scaled(int64_t price, const int64_t ratio[2])
{
	return (price * ratio[0] + ratio[1] / 2) / ratio[1];
}

/* Rounding keeps the order of prices, so that joined bars and their parts go on to agree. */
static void
rescale(struct bar *b, const struct path *p)
{
	if (p->price[0] == p->price[1])
		return;
	b->o = scaled(b->o, p->price);
	b->h = scaled(b->h, p->price);
	b->l = scaled(b->l, p->price);
	b->c = scaled(b->c, p->price);
	b->vw = scaled(b->vw, p->price);
	b->v = b->v / SHARE_ONE * (uint64_t)p->volume[0] / (uint64_t)p->volume[1] * SHARE_ONE +
	       SHARE_ONE;
}

static uint64_t
shares(const struct session *s, uint64_t whole, uint64_t bits)
{
	return whole * SHARE_ONE +
	       (s->day >= FRACTION_DAY && bits % 4 == 1 ? bits >> 30 & 0x7ffff : 0);
}

void
minute_make(const struct symbol *sym, const struct session *s, const struct path *p, int m,
	uint64_t bits, struct bar *b)
{
	int64_t now = sym->market->now, open = p->open + (p->close - p->open) * m / s->minutes,
		reach = open >> 10, whole;
	bool regular = m >= SESSION_REGULAR && m < SESSION_REGULAR + s->regular;

	bits = sim_mix(bits, 7);
	shape(b, open + ((int64_t)(bits >> 44 & 255) - 128) * reach / 128,
		open + ((int64_t)(bits >> 52 & 255) - 128) * reach / 128, reach, bits);
	b->t = s->midnight + (SESSION_OPEN + m) * MINUTE_MS;
	whole = 1 + (int64_t)(bits >> 48) * sym->liquidity / (regular ? 64 : 1024);
	if (m == SESSION_REGULAR || m == SESSION_REGULAR + s->regular - 1)
		whole *= 25;
	b->v = shares(s, (uint64_t)whole, bits);
	b->n = 1 + (uint64_t)whole / (40 + (bits >> 30 & 63));
	if (b->t + MINUTE_MS > now)
		unfinish(b, now - b->t, MINUTE_MS);
	if (p->wrong && regular && m % WRONG_EVERY == 0)
		b->h += b->h / 33;
	rescale(b, p);
}

static void
join_prices(struct bar *b, const struct bar *next)
{
	b->c = next->c;
	b->h = next->h > b->h ? next->h : b->h;
	b->l = next->l < b->l ? next->l : b->l;
}

bool
day_make(const struct symbol *sym, const struct session *s, const struct path *p, struct bar *b)
{
	uint64_t bits = sim_mix(sym->seed ^ 0x646179u, (uint64_t)s->day), minute;
	int64_t open = s->midnight + SESSION_OPEN * MINUTE_MS;
	int m, close = SESSION_REGULAR + s->regular;
	bool any = false, opened = false;
	struct bar x;

	*b = (struct bar){.t = s->midnight};
	for (m = 0; m <= s->minutes && open + m * MINUTE_MS < sym->market->now; m++) {
		if ((minute = minute_bits(sym, s, m)) == 0)
			continue;
		minute_make(sym, s, p, m, minute, &x);
		b->v += x.v;
		b->n += x.n;
		if (!any || (!opened && m >= SESSION_REGULAR && m < close)) {
			b->o = x.o;
			b->h = x.h;
			b->l = x.l;
			b->c = x.c;
		} else if (!opened || m < close) {
			join_prices(b, &x);
		} else if (m == close) { /* the closing print */
			x.h = x.l = x.c;
			join_prices(b, &x);
		}
		any = true;
		opened |= m >= SESSION_REGULAR && m < close;
	}
	/* Trades that no minute shows. */
	b->v = b->v / SHARE_ONE * (17 + (bits >> 40) % 16) / 16 * SHARE_ONE +
	       (s->day >= FRACTION_DAY && bits % 4 == 1 ? bits >> 30 & 0x7ffff : 0);
	b->vw = (b->h + b->l + b->c) / 3;
	b->bits = bits;
	return any;
}

void
bar_join(struct bar *b, const struct bar *next)
{
	join_prices(b, next);
	b->v += next->v;
	b->n += next->n;
	if ((b->bits >> 20 & 1) == 0)
		b->vw = (b->h + b->l + next->c) / 3;
}

void
bar_restate(const struct symbol *sym, struct bar *b)
{
	if (sim_mix(sym->seed ^ 0x726573u, (uint64_t)b->t) % 50 != 0)
		return;
	if (b->c == b->h)
		b->h += 100;
	b->c = b->h;
}
