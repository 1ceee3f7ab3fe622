/* next_url: what comes out is a path of the same series, without host and key. */
#include "fuzz.h"

#include "url.h"

#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char path[] = "/v2/aggs/ticker/AAPL/range/1/day/";
	struct slice base = {"https://api.massive.com", 23}, text = {(const char *)data, size};
	struct series s = {.symbol = {"AAPL", 4},
		.tf = TF_DAY,
		.start = 17000,
		.end = 20000,
		.adjusted = true};
	struct buffer out = {0};
	const char *query;

	if (url_next(&out, text, base, &s) == NULL) {
		MUST(out.len >= sizeof path - 1 && memcmp(out.p, path, sizeof path - 1) == 0);
		for (size_t i = 0; i < out.len; i++)
			MUST(out.p[i] > ' ' && out.p[i] < 0x7f);
		MUST(strstr(buffer_cstr(&out), "&apiKey=") == NULL);
		query = strchr(buffer_cstr(&out), '?');
		MUST(query == NULL || strncmp(query, "?apiKey=", 8) != 0);
	}
	(void)url_base(&text);
	buffer_release(&out);
	return 0;
}
