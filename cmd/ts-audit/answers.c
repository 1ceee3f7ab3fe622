/* Verdicts of one night, and those of older nights that still matter. */
#include "answers.h"

#include <stdio.h>
#include <string.h>

#define COPY(to, s) (void)snprintf((to), sizeof(to), "%.*s", SLICE(s))

static bool
is_series(const struct answer *a, struct slice symbol, enum timeframe tf)
{
	return a->tf == tf && slice_is(symbol, a->symbol);
}

void
answers_take(struct answers *a, const struct record *r)
{
	struct answer now = {.tf = r->tf, .extra = r->extra, .older = r->older};

	if (r->symbol.n >= sizeof now.symbol)
		return;
	COPY(now.symbol, r->symbol);
	COPY(now.from, r->from);
	COPY(now.to, r->to);
	COPY(now.reach, r->first);
	if (now.older > 0 && r->factor.p != NULL) {
		COPY(now.basis.factor, r->factor);
		COPY(now.basis.before, r->first);
	}
	for (size_t i = 0; i < a->all.n; i++) {
		struct answer *old = &a->all.p[i];

		if (!is_series(old, r->symbol, r->tf) || strcmp(now.from, old->from) > 0 ||
			strcmp(now.to, old->to) < 0)
			continue;
		if (now.older > 0 && now.basis.factor[0] == '\0')
			now.basis = old->basis;
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
		if (one->basis.factor[0] != '\0' && (own || is_series(one, symbol, TF_DAY)))
			sum.basis = one->basis;
	}
	return sum;
}
