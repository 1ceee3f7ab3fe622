/* The market: bars as a pure function of symbol and time. Nothing is stored, so any range can be
 * asked for in any order. */
#include "data.h"

#include <string.h>

#define SPLIT_DAY 18505	   /* 2020-08-31: before it the unadjusted prices are 4 times as high */
#define FRACTION_DAY 20454 /* 2026-01-01: fractional shares from here on */

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
symbol_init(
	struct symbol *sym, const char *ticker, bool adjusted, const struct nycal *cal, int64_t now)
{
	uint64_t h = sim_hash(ticker);
	size_t begun = nycal_lower(cal, ny_day(now));

	sym->seed = h;
	sym->base = (8 + (int64_t)(h % 400)) * PRICE_ONE + (int64_t)(h >> 9 & 0xfff);
	sym->liquidity = 1u << (h >> 21 & 7);
	sym->extended = 40 + (uint32_t)(h >> 24 & 127);
	sym->kind = prefixed(ticker, "NONE")	   ? SYMBOL_NONE
		    : prefixed(ticker, "NULL")	   ? SYMBOL_NULL
		    : prefixed(ticker, "EMPTYARR") ? SYMBOL_EMPTY
						   : SYMBOL_PLAIN;
	sym->thin = prefixed(ticker, "THIN");
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

struct path
symbol_path(const struct symbol *sym, const struct session *s)
{
	struct path p = {level(sym, s->day), level(sym, s->day + 1)};

	return p;
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

static void
unadjust(const struct symbol *sym, const struct session *s, struct bar *b)
{
	if (sym->adjusted || s->day >= SPLIT_DAY)
		return;
	b->o *= 4;
	b->h *= 4;
	b->l *= 4;
	b->c *= 4;
	b->vw *= 4;
	b->v = b->v / SHARE_ONE / 4 * SHARE_ONE + SHARE_ONE;
}

static uint64_t
shares(const struct session *s, uint64_t whole, uint64_t bits)
{
	return whole * SHARE_ONE +
	       (s->day >= FRACTION_DAY && bits % 4 == 1 ? bits >> 30 & 0x7ffff : 0);
}

void
minute_make(const struct symbol *sym, const struct session *s, const struct path *p, int m,
	uint64_t bits, int64_t now, struct bar *b)
{
	int64_t open = p->open + (p->close - p->open) * m / s->minutes, reach = open >> 10, whole;
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
	unadjust(sym, s, b);
}

/* Has the session seen a trade? A bar later in the day settles it quickly for all but its first
 * minutes. */
static bool
traded(const struct symbol *sym, const struct session *s, int64_t now)
{
	int64_t minutes = (now - s->midnight + MINUTE_MS - 1) / MINUTE_MS - SESSION_OPEN;
	int m;

	m = minutes > s->minutes + 1 ? s->minutes : (int)minutes - 1;
	if (!sym->thin && m >= SESSION_REGULAR)
		return true;
	while (m >= 0 && minute_bits(sym, s, m) == 0)
		m--;
	return m >= 0;
}

bool
day_make(const struct symbol *sym, const struct session *s, int64_t now, struct bar *b)
{
	struct path p = symbol_path(sym, s);
	uint64_t bits = sim_mix(sym->seed ^ 0x646179u, (uint64_t)s->day);
	int64_t open = s->midnight + SESSION_OPEN * MINUTE_MS, whole;

	if (now <= open || !traded(sym, s, now))
		return false;
	shape(b, p.open, p.close, p.open / 50, bits);
	b->t = s->midnight;
	whole = 20000 + (int64_t)(bits >> 40) * sym->liquidity / (sym->thin ? 64 : 8);
	b->v = shares(s, (uint64_t)whole, bits);
	b->n = 1 + (uint64_t)whole / (90 + (bits >> 30 & 63));
	if (now < open + s->minutes * MINUTE_MS)
		unfinish(b, now - open, s->minutes * MINUTE_MS);
	unadjust(sym, s, b);
	return true;
}

void
bar_join(struct bar *b, const struct bar *next)
{
	b->c = next->c;
	b->h = next->h > b->h ? next->h : b->h;
	b->l = next->l < b->l ? next->l : b->l;
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
