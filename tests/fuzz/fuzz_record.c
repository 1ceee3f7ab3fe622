/* Lines: what is read can be written, reads as the same again, and both roads of a bar agree. */
#include "fuzz.h"

#include "record.h"

#include <string.h>

static void
same_number(struct slice a, struct slice b)
{
	MUST(slice_eq(a, b));
}

/* A blank in front is all it takes to leave the fast road. */
static void
roads_agree(struct record_parser *p, struct slice line, const struct record *fast)
{
	struct buffer spaced = {0};
	struct record_values values;
	struct record slow;

	buffer_byte(&spaced, ' ');
	buffer_add(&spaced, line.p, line.n);
	MUST(record_parse(p, buffer_slice(&spaced), ~0u, &slow) == NULL);
	MUST(slow.type == fast->type && slow.tf == fast->tf);
	MUST((slow.fault == NULL) == (fast->fault == NULL));
	same_number(slow.open, fast->open);
	same_number(slow.high, fast->high);
	same_number(slow.low, fast->low);
	same_number(slow.close, fast->close);
	same_number(slow.volume, fast->volume);
	MUST(record_check_values(&slow, &values) == record_check_values(fast, &values));
	buffer_release(&spaced);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct record_parser *p = record_parser_new(), *q = record_parser_new();
	struct slice line = {(const char *)data, size};
	struct buffer once = {0}, twice = {0};
	struct record r, s;
	const char *why = record_parse(p, line, ~0u, &r);

	if (why != NULL) {
		MUST(strlen(why) < 200);
	} else if (r.type >= RECORD_JOB && r.fault == NULL) {
		if (r.type == RECORD_BAR)
			roads_agree(q, line, &r);
		record_write(&once, &r);
		MUST(record_parse(q, (struct slice){once.p, once.len - 1}, ~0u, &s) == NULL);
		MUST(s.type == r.type && s.fault == NULL);
		record_write(&twice, &s);
		MUST(slice_eq(buffer_slice(&once), buffer_slice(&twice)));
	}
	buffer_release(&once);
	buffer_release(&twice);
	record_parser_free(p);
	record_parser_free(q);
	return 0;
}
