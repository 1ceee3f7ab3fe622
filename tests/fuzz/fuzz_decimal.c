/* Numbers: the two encoders agree, and what Postgres would be sent is what was written. */
#include "fuzz.h"

#include "decimal.h"
#include "json.h"
#include "numeric.h"

/* The bytes as Postgres' binary form, then as text, then read again: the same number. */
static void
round_trip(const struct decimal *d)
{
	unsigned char bytes[NUMERIC_MAX];
	size_t n = numeric_of_decimal(d, bytes);
	struct buffer text = {0};
	struct decimal back;

	MUST(n >= 8 && n <= NUMERIC_MAX);
	numeric_write((struct slice){(const char *)bytes, n}, &text);
	if (decimal_parse(buffer_slice(&text), &back) == 0)
		MUST(decimal_cmp(d, &back) == 0);
	else
		MUST(text.len > DECIMAL_TEXT);
	buffer_release(&text);
}

static void
encoders_agree(struct slice text, const struct decimal *d)
{
	unsigned char a[NUMERIC_MAX], b[NUMERIC_MAX];
	struct plain plain;
	size_t n, m;

	if (!plain_read(text, &plain))
		return;
	n = numeric_of_plain(&plain, a);
	m = numeric_of_decimal(d, b);
	MUST(slice_eq((struct slice){(const char *)a, n}, (struct slice){(const char *)b, m}));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = {(const char *)data, size};
	struct decimal d;
	int64_t rounded;
	bool taken = decimal_parse(text, &d) == 0;

	/* What decimals take is JSON, and what JSON takes as a number is refused for its size alone. */
	if (taken)
		MUST(json_end(text, 0, NULL, NULL) == size);
	if (!taken)
		return 0;
	MUST(decimal_cmp(&d, &d) == 0);
	round_trip(&d);
	encoders_agree(text, &d);
	if (decimal_round(&d, 0, &rounded) == 0 && decimal_sign(&d) >= 0)
		MUST(rounded >= 0);
	return 0;
}
