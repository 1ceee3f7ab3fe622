/* Numbers: what Postgres would be sent is what was written. */
#include "fuzz.h"

#include "json.h"
#include "number.h"

/* As Postgres' binary form, then as text, then read again: the same number. */
static void
round_trip(const struct number *d)
{
	unsigned char bytes[NUMBER_BYTES];
	size_t n = number_binary(d, bytes);
	struct number back = number_of_binary((struct slice){(const char *)bytes, n});
	struct buffer text = {0};

	MUST(n >= 8 && n <= NUMBER_BYTES);
	MUST(number_cmp(d, &back) == 0 && back.scale == d->scale);
	number_write(&back, &text);
	MUST(number_parse(buffer_slice(&text), &back) == 0);
	MUST(number_cmp(d, &back) == 0 && back.scale == d->scale);
	buffer_release(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = {(const char *)data, size};
	struct number d, r;
	int64_t whole;

	if (number_parse(text, &d) != 0)
		return 0;
	/* What is taken is JSON. */
	MUST(json_number(text.p, text.p + size) == text.p + size);
	MUST(number_cmp(&d, &d) == 0);
	round_trip(&d);
	for (int scale = -70; scale <= 70; scale++) {
		r = d;
		if (number_round(&r, scale) != 0)
			continue;
		round_trip(&r);
		MUST(number_sign(&r) == 0 || number_sign(&r) == number_sign(&d));
	}
	if (number_to_int(&d, 0, &whole) == 0 && number_sign(&d) >= 0)
		MUST(whole >= 0);
	return 0;
}
