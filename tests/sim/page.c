/* One page of the aggregates endpoint: base bars counted, joined to the bars asked for, and written
 * as JSON. */
#include "page.h"

#include <stdio.h>
#include <string.h>

#include "data.h"

#define FRONT 256 /* room for what stands before the rows */
#define ROW 400	  /* the longest row */
#define CLOSE_STAMP (16 * HOUR_MS)
#define HOST "https://api.massive.com"

static const struct defect defects[] = {{"hl", "h", "0.0001"}, {"noc", "c", NULL},
	{"nullo", "o", "null"}, {"negv", "v", "-5"}, {"zerop", "l", "0"}, {"strp", "c", "\"1.0\""},
	{"nan", "c", "NaN"}, {"nanstr", "c", "\"NaN\""}, {"huge", "h", "1e400"},
	{"hugev", "v", "1e30"}};

struct builder {
	const struct page_order *order;
	const struct query *q;
	struct symbol sym;
	struct text *out;     /* NULL: only count */
	struct bar cur, held; /* the bar being joined; the row put back by PAGE_UNSORTED */
	int64_t cur_end;
	int64_t next;	  /* where the next page begins; -1: nowhere */
	long limit, base; /* base bars allowed, used */
	long rows, odd;	  /* rows so far, the one a fault strikes */
	bool open, holding;
};

const struct defect *
defect_named(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof defects / sizeof defects[0]; i++)
		if (strcmp(defects[i].name, name) == 0)
			return &defects[i];
	return NULL;
}

static int64_t
bar_start(enum span span, int64_t t)
{
	switch (span) {
	case SPAN_MINUTE:
		return t - t % MINUTE_MS;
	case SPAN_HOUR:
		return t - t % HOUR_MS;
	case SPAN_DAY:
		return ny_midnight(ny_day(t));
	case SPAN_WEEK:
		return ny_midnight(ny_sunday(ny_day(t)));
	default:
		return ny_midnight(ny_month(ny_day(t), 0));
	}
}

static int64_t
bar_end(enum span span, int64_t start)
{
	switch (span) {
	case SPAN_MINUTE:
		return start + MINUTE_MS;
	case SPAN_HOUR:
		return start + HOUR_MS;
	case SPAN_DAY:
		return ny_midnight(ny_day(start) + 1);
	case SPAN_WEEK:
		return ny_midnight(ny_day(start) + 7);
	default:
		return ny_midnight(ny_month(ny_day(start), 1));
	}
}

static char *
write_literal(char *p, const char *s)
{
	size_t n = strlen(s);

	memcpy(p, s, n);
	return p + n;
}

static char *
write_volume(char *p, uint64_t v, uint64_t bits)
{
	bool whole = v % SHARE_ONE == 0;

	if (v >= 1000000 * SHARE_ONE && (!whole || (bits & 31) > 1))
		return fmt_exp(p, v, 6);
	if (!whole)
		return fmt_fixed(p, v, 6);
	p = fmt_u64(p, v / SHARE_ONE);
	return (bits & 31) == 0 ? write_literal(p, ".0") : p;
}

static char *
write_price(char *p, int64_t price, bool exponent)
{
	return exponent ? fmt_exp(p, (uint64_t)price, 4) : fmt_fixed(p, (uint64_t)price, 4);
}

/* Not written by snprintf and without a NUL: this is where a benchmark's time goes. */
static char *
write_row(char *p, const struct bar *b, const struct builder *pg)
{
	bool all = pg->order->fault == PAGE_EXPONENTS, some = pg->sym.exponents;
	uint64_t bits = b->bits;

	*p++ = '{';
	if (pg->q->grouped) {
		p = write_literal(p, "\"T\":\"");
		p = write_literal(p, pg->sym.ticker);
		p = write_literal(p, "\",");
	}
	if (!pg->sym.index) {
		p = write_literal(p, "\"v\":");
		p = write_volume(p, b->v, bits);
		if ((bits >> 40 & 63) != 0) {
			p = write_literal(p, ",\"vw\":");
			p = fmt_fixed(p, (uint64_t)b->vw, 4);
		}
		*p++ = ',';
	}
	p = write_literal(p, "\"o\":");
	p = write_price(p, b->o, all || (some && (bits >> 3 & 7) == 0));
	p = write_literal(p, ",\"c\":");
	p = write_price(p, b->c, all || (some && (bits >> 6 & 7) == 0));
	p = write_literal(p, ",\"h\":");
	p = write_price(p, b->h, all || (some && (bits >> 9 & 7) == 0));
	p = write_literal(p, ",\"l\":");
	p = write_price(p, b->l, all || (some && (bits >> 12 & 7) == 0));
	p = write_literal(p, ",\"t\":");
	p = fmt_u64(p, (uint64_t)b->t);
	if (!pg->sym.index && (bits >> 46 & 63) != 0) {
		p = write_literal(p, ",\"n\":");
		p = fmt_u64(p, b->n);
	}
	*p++ = '}';
	return p;
}

/* Spoil the row at out->p[start..]. */
static void
spoil(struct text *out, size_t start, const struct defect *d)
{
	char row[ROW], *field, *value, *end, key[8];

	memcpy(row, out->p + start, out->len - start);
	row[out->len - start] = '\0';
	snprintf(key, sizeof key, "\"%s\":", d->field);
	field = strstr(row, key);
	value = field + strlen(key);
	end = value + strcspn(value, ",}");
	out->len = start;
	if (d->text == NULL) {
		text_put(out, row, (size_t)(field - 1 - row));
	} else {
		text_put(out, row, (size_t)(value - row));
		text_str(out, d->text);
	}
	text_str(out, end);
}

static void
put_row(struct builder *pg, const struct bar *b)
{
	struct text *out = pg->out;
	size_t start;

	if (out != NULL) {
		text_room(out, ROW);
		if (pg->rows > 0)
			out->p[out->len++] = ',';
		start = out->len;
		out->len = (size_t)(write_row(out->p + start, b, pg) - out->p);
		if (pg->order->fault == PAGE_BAD_ROW && pg->rows == pg->odd)
			spoil(out, start, pg->order->defect);
	}
	pg->rows++;
}

static void
put_bar(struct builder *pg, struct bar *b)
{
	bool odd = pg->rows == pg->odd && pg->out != NULL;

	if (pg->order->fault == PAGE_RESTATED)
		bar_restate(&pg->sym, b);
	if (pg->order->fault == PAGE_UNSORTED && odd && !pg->holding) {
		pg->held = *b;
		pg->holding = true;
		return;
	}
	put_row(pg, b);
	if (pg->order->fault == PAGE_DUP && odd) {
		b->h = b->c == b->h ? b->h + 100 : b->h;
		b->c = b->h;
		put_row(pg, b);
	}
	if (pg->holding) {
		pg->holding = false;
		pg->odd = -1;
		put_row(pg, &pg->held);
	}
}

/* Take the next base bar. Return false when the page is full without it. */
static bool
add(struct builder *pg, const struct bar *b)
{
	bool joins = pg->open && b->t < pg->cur_end;

	if (pg->base >= pg->limit && !(joins && pg->rows == 0)) {
		pg->next = joins ? pg->cur.t : pg->cur_end;
		if (!joins)
			put_bar(pg, &pg->cur);
		pg->open = false;
		return false;
	}
	pg->base++;
	if (joins) {
		bar_join(&pg->cur, b);
		return true;
	}
	if (pg->open)
		put_bar(pg, &pg->cur);
	pg->cur = *b;
	pg->cur.t = bar_start(pg->q->span, b->t);
	pg->cur_end = bar_end(pg->q->span, pg->cur.t);
	pg->open = true;
	return true;
}

static bool
add_minutes(struct builder *pg, const struct session *s, const struct path *path, int64_t lo,
	int64_t hi)
{
	int64_t open = s->midnight + SESSION_OPEN * MINUTE_MS;
	struct bar b;
	uint64_t bits;
	int m, last;

	m = lo > open ? (int)((lo - open) / MINUTE_MS) : 0;
	last = hi - open > s->minutes * MINUTE_MS ? s->minutes : (int)((hi - open - 1) / MINUTE_MS);
	for (; m <= last; m++) {
		if ((bits = minute_bits(&pg->sym, s, m)) == 0)
			continue;
		if (pg->order->fault == PAGE_OTHER_HOURS && m < SESSION_REGULAR)
			continue;
		minute_make(&pg->sym, s, path, m, bits, &b);
		if (!add(pg, &b))
			return false;
	}
	return true;
}

/* Go through the base bars of the range, which snaps outward to whole bars. */
static void
build(struct builder *pg)
{
	const struct nycal *cal = pg->order->market.cal;
	int64_t lo = bar_start(pg->q->span, pg->q->from), now = pg->order->market.now,
		hi = bar_end(pg->q->span, bar_start(pg->q->span, pg->q->to)),
		reach = bar_start(pg->q->span, ny_midnight(symbol_reach(&pg->sym)));
	const struct session *s;
	struct path path;
	struct bar b;
	bool fits = true;
	size_t i;

	hi = hi < now ? hi : now;
	lo = lo > reach ? lo : reach;
	i = nycal_lower(cal, ny_day(lo));
	for (i = i < pg->sym.first ? pg->sym.first : i; fits && i < pg->sym.end; i++) {
		s = &cal->v[i];
		if (s->midnight + (pg->q->span < SPAN_DAY ? SESSION_OPEN * MINUTE_MS : 0) >= hi)
			break;
		if (!symbol_path(&pg->sym, s, &path))
			continue;
		if (pg->q->span < SPAN_DAY)
			fits = add_minutes(pg, s, &path, lo, hi);
		else if (day_make(&pg->sym, s, &path, &b))
			fits = add(pg, &b);
	}
	if (pg->open)
		put_bar(pg, &pg->cur);
	if (pg->holding)
		put_row(pg, &pg->held);
}

/* The day of every ticker that traded on it, stamped with the close, in the order of their file.
 * What is traded over the counter is not among them. */
static void
build_grouped(struct builder *pg)
{
	const struct market *market = &pg->order->market;
	const struct universe *u = market->universe;
	size_t at = nycal_lower(market->cal, ny_day(pg->q->from));
	const struct session *s = &market->cal->v[at];
	struct path path;
	struct bar b;

	if (at == market->cal->n || s->day != ny_day(pg->q->from))
		return;
	for (size_t i = 0; i < u->n; i++) {
		symbol_init(&pg->sym, u->v[i], pg->q->adjusted, market);
		if (pg->sym.kind != SYMBOL_PLAIN || pg->sym.index ||
			strncmp(u->v[i], "OTC", 3) == 0 || at < pg->sym.first ||
			at >= pg->sym.end || s->day < symbol_reach(&pg->sym) ||
			!symbol_path(&pg->sym, s, &path) || !day_make(&pg->sym, s, &path, &b))
			continue;
		pg->base++;
		b.t += CLOSE_STAMP - (pg->order->fault == PAGE_OTHER_DAY ? 24 * HOUR_MS : 0);
		if (pg->order->fault == PAGE_OTHER_HOUR)
			b.t += pg->rows % 2 == 0 ? -CLOSE_STAMP
						 : 24 * HOUR_MS - MINUTE_MS - CLOSE_STAMP;
		put_bar(pg, &b);
	}
	if (pg->holding)
		put_row(pg, &pg->held);
}

static void
build_any(struct builder *pg)
{
	if (pg->q->grouped)
		build_grouped(pg);
	else
		build(pg);
}

/* Count first where a fault has to know the size of the page. */
static void
plan(struct builder *pg)
{
	enum page_fault fault = pg->order->fault;
	struct builder trial = *pg;

	if (!pg->order->split && fault != PAGE_OTHER_HOST && fault != PAGE_BAD_ROW &&
		fault != PAGE_UNSORTED && fault != PAGE_DUP)
		return;
	trial.out = NULL;
	build_any(&trial);
	pg->odd = (trial.rows - 1) / 2;
	if ((pg->order->split || fault == PAGE_OTHER_HOST) && trial.next < 0 && trial.base > 1)
		pg->limit = trial.base / 2;
}

/* The fields after the rows. */
static void
put_tail(struct builder *pg, long count)
{
	enum page_fault fault = pg->order->fault;
	struct query next = *pg->q;
	int64_t from = pg->next;
	char url[512];

	text_str(pg->out, fault == PAGE_DELAYED ? "\"status\":\"DELAYED\",\"request_id\":\""
						: "\"status\":\"OK\",\"request_id\":\"");
	text_str(pg->out, pg->order->request_id);
	text_str(pg->out, "\",\"count\":");
	text_num(pg->out, (uint64_t)count);
	if (fault == PAGE_LOOP || fault == PAGE_EMPTY)
		from = pg->q->from;
	if (fault == PAGE_EMPTY)
		next.skipped = true;
	if (fault == PAGE_ENDLESS) {
		next.turn++;
		from = from < 0 ? pg->q->to : from;
	}
	if (from >= 0) {
		query_next(&next, from, url, sizeof url);
		text_str(pg->out, fault == PAGE_OTHER_HOST ? ",\"next_url\":\"http://127.0.0.1:1"
							   : ",\"next_url\":\"" HOST);
		text_str(pg->out, url);
		text_str(pg->out, "\"");
	}
	text_str(pg->out, "}");
}

/* What is known about the rows stands before them. */
static void
put_head(struct builder *pg, const char *ticker, long count)
{
	char head[FRONT];
	int n;

	n = pg->q->grouped ? snprintf(head, sizeof head, "{")
			   : snprintf(head, sizeof head, "{\"ticker\":\"%s\",", ticker);
	n += snprintf(head + n, sizeof head - (size_t)n,
		"\"queryCount\":%ld,\"resultsCount\":%ld,\"adjusted\":%s,%s", pg->base, count,
		pg->q->adjusted != (pg->order->fault == PAGE_OTHER_ADJUSTED) ? "true" : "false",
		pg->rows > 0		       ? "\"results\":["
		: pg->sym.kind == SYMBOL_NULL  ? "\"results\":null,"
		: pg->sym.kind == SYMBOL_EMPTY ? "\"results\":[],"
					       : "");
	text_front(pg->out, head, (size_t)n);
}

void
page_write(const struct page_order *order, const struct query *q, struct text *out)
{
	struct builder pg = {
		.order = order, .q = q, .out = out, .limit = q->limit, .next = -1, .odd = -1};
	const char *ticker = q->ticker;
	long count;

	if (order->fault == PAGE_OTHER_TICKER)
		ticker = strcmp(ticker, "ZZZZ") == 0 ? "YYYY" : "ZZZZ";
	symbol_init(&pg.sym, ticker, q->adjusted != (order->fault == PAGE_OTHER_ADJUSTED),
		&order->market);
	text_room(out, FRONT);
	out->off = out->len = FRONT;
	if (pg.sym.kind == SYMBOL_PLAIN && order->fault != PAGE_EMPTY &&
		order->fault != PAGE_NO_ROWS &&
		!(order->fault == PAGE_ENDLESS && q->turn > 0 && q->from >= q->to)) {
		plan(&pg);
		build_any(&pg);
	}
	if (pg.rows > 0)
		text_str(out, "],");
	count = pg.rows + (order->fault == PAGE_WRONG_COUNT);
	put_tail(&pg, count);
	put_head(&pg, ticker, count);
}
