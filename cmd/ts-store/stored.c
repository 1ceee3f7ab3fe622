/* The words of a stored task. */
#include "stored.h"

#include "bar.h"
#include "log.h"

#include <inttypes.h>
#include <stdio.h>

enum { FACTOR_SIZE = 32 };

/* Rounding makes factors differ by less than this. */
static const double ONE_FACTOR = 1.01;

/* The factor by which a series was restated; absent if it was by several, or none. */
static struct slice
factor_of(const struct series *of, char text[FACTOR_SIZE])
{
	const struct restatement *r = &of->restated;

	if (of->n.restated == 0 || r->high > r->low * ONE_FACTOR)
		return (struct slice){0};
	(void)snprintf(text, FACTOR_SIZE, "%.5g", (r->low + r->high) / 2);
	return slice_of(text);
}

void
stored_write(struct buffer *to, struct record *r, const struct series *of)
{
	char factor[FACTOR_SIZE], first[TIMESTAMP_SIZE], last[TIMESTAMP_SIZE];

	r->type = RECORD_STORED;
	r->bars = of->n.received;
	r->inserted = of->n.inserted;
	r->updated = of->n.updated;
	r->unchanged = of->n.unchanged;
	r->rejected = of->n.rejected;
	r->rounded = of->n.rounded;
	r->odd = of->n.odd;
	r->extra = of->image.extra;
	r->deleted = of->image.deleted;
	r->older = of->image.older;
	r->restated = of->n.restated;
	r->factor = factor_of(of, factor);
	if (of->reason != NULL)
		r->reason = slice_of(of->reason);
	r->first = r->last = (struct slice){0};
	if (of->first <= of->last) {
		r->first = slice_of(bar_key(first, of->tf, of->first));
		r->last = slice_of(bar_key(last, of->tf, of->last));
	}
	record_write(to, r);
}

static void
tell_restated(const struct series *of)
{
	const struct image *m = &of->image;
	char text[FACTOR_SIZE], first[TIMESTAMP_SIZE], last[TIMESTAMP_SIZE];
	struct slice factor = factor_of(of, text);

	log_warning("%s %s: %" PRIu64 " bars from %s to %s are restated%s%.*s", of->symbol,
		timeframe_name(of->tf), of->n.restated, bar_key(first, of->tf, of->restated.first),
		bar_key(last, of->tf, of->restated.last),
		factor.n > 0 ? ": the old prices are the new ones times " : "", (int)factor.n,
		text);
	if (m->older > 0)
		log_warning("%s %s: %" PRIu64
			    " rows before them are older than the API reaches, and keep "
			    "the old basis",
			of->symbol, timeframe_name(of->tf), m->older);
}

/* What the table holds beside what the API sent. */
static void
tell_image(const struct series *of)
{
	const struct image *m = &of->image;
	char key[TIMESTAMP_SIZE];

	if (m->deleted > 0)
		log_warning("%s %s: deleted %" PRIu64
			    " rows that the API does not have, the first at %s",
			of->symbol, timeframe_name(of->tf), m->deleted,
			bar_key(key, of->tf, m->at));
	if (m->extra > 0)
		log_warning("%s %s: the table has %" PRIu64
			    " rows that the API does not have, the first "
			    "at %s: %s",
			of->symbol, timeframe_name(of->tf), m->extra, bar_key(key, of->tf, m->at),
			m->kept ? "more than a fifth of the range, so none is deleted"
				: "-d deletes them");
	if (m->older > 0)
		log_info("%s %s: %" PRIu64 " rows are older than the API reaches: kept", of->symbol,
			timeframe_name(of->tf), m->older);
}

void
stored_tell(const struct series *of)
{
	if (of->n.odd > 0)
		log_warning("%s %s: %" PRIu64
			    " bar%s with open or close outside of low and high: stored "
			    "as the vendor has it",
			of->symbol, timeframe_name(of->tf), of->n.odd, of->n.odd == 1 ? "" : "s");
	if (of->n.restated > 0)
		tell_restated(of);
	tell_image(of);
}
