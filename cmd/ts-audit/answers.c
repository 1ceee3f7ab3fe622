/* Verdicts of one night, and those of older nights that still matter. */
#include "answers.h"

#include <string.h>

static void
put_text(char *to, size_t size, struct slice s)
{
	size_t n = s.n < size - 1 ? s.n : size - 1;

	memcpy(to, n == 0 ? "" : s.p, n);
	to[n] = '\0';
}

static bool
is_series(const struct answer *a, struct slice symbol, enum timeframe tf)
{
	return a->tf == tf && slice_is(symbol, a->symbol);
}

static void
copy_basis(struct answer *now, const struct answer *old)
{
	memcpy(now->before, old->before, sizeof now->before);
	memcpy(now->factor, old->factor, sizeof now->factor);
}

void
answers_take(struct answers *a, const struct record *r)
{
	struct answer now = {.tf = r->tf, .extra = r->extra, .older = r->older};

	if (r->symbol.n >= sizeof now.symbol)
		return;
	put_text(now.symbol, sizeof now.symbol, r->symbol);
	put_text(now.from, sizeof now.from, r->from);
	put_text(now.to, sizeof now.to, r->to);
	put_text(now.reach, sizeof now.reach, r->first);
	if (now.older > 0 && r->factor.p != NULL) {
		put_text(now.factor, sizeof now.factor, r->factor);
		memcpy(now.before, now.reach, sizeof now.before);
	}
	for (size_t i = 0; i < a->all.n; i++) {
		struct answer *old = &a->all.p[i];

		if (!is_series(old, r->symbol, r->tf) || strcmp(now.from, old->from) > 0 ||
			strcmp(now.to, old->to) < 0)
			continue;
		if (now.older > 0 && now.factor[0] == '\0')
			copy_basis(&now, old);
		*old = a->all.p[--a->all.n];
		i--;
	}
	if (now.extra + now.older > 0)
		*array_add(&a->all) = now;
}

struct answer
answers_of(const struct answers *a, struct slice symbol, enum timeframe tf)
{
	struct answer sum = {.tf = tf};

	for (size_t i = 0; i < a->all.n; i++) {
		const struct answer *one = &a->all.p[i];
		bool own = is_series(one, symbol, tf);

		if (own) {
			sum.extra += one->extra;
			sum.older += one->older;
		}
		if (own && one->older > 0)
			memcpy(sum.reach, one->reach, sizeof sum.reach);
		if (one->factor[0] != '\0' && (own || is_series(one, symbol, TF_DAY)))
			copy_basis(&sum, one);
	}
	return sum;
}
