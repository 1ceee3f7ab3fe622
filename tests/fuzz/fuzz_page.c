/* Pages of the API: every row of a page that is taken lies within it and in order. */
#include "fuzz.h"

#include "massive.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice base = {"https://api.massive.com", 23};
	struct massive *m = massive_new(base);
	struct series s = {.symbol = {"AAPL", 4}, .tf = TF_DAY, .start = 17000, .end = 20000,
		.adjusted = true};
	struct massive_page page;
	struct slice body = {(const char *)data, size}, why = {0}, words, id;

	if (massive_page(m, body, &s, INT64_MIN, &page, &why) == MASSIVE_OK) {
		for (size_t i = 0; i < page.rows; i++) {
			MUST(i == 0 || page.row[i].t >= page.row[i - 1].t);
			for (int c = 0; c < COLUMNS; c++)
				MUST(page.row[i].n[c] == 0 ||
					page.row[i].at[c] + page.row[i].n[c] <= size);
		}
	} else {
		MUST(why.p != NULL && why.n > 0);
	}
	massive_words(m, body, &words, &id);
	massive_free(m);
	return 0;
}
