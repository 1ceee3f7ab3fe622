/* Pages of the API: every row of a page that is taken lies within it and in order. */
#include "fuzz.h"

#include "page.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice base = {"https://api.massive.com", 23};
	struct page_reader *m = page_reader_new(base);
	struct series s = {.symbol = {"AAPL", 4},
		.tf = TF_DAY,
		.start = 17000,
		.end = 20000,
		.adjusted = true};
	struct page page;
	struct slice body = {(const char *)data, size}, words, id;

	if (page_read(m, body, &s, INT64_MIN, &page) == PAGE_OK) {
		for (size_t i = 0; i < page.rows; i++) {
			MUST(i == 0 || page.row[i].t >= page.row[i - 1].t);
			for (int c = 0; c < COLUMNS; c++)
				MUST(page.row[i].n[c] == 0 ||
					page.row[i].at[c] + page.row[i].n[c] <= size);
		}
	} else {
		MUST(page.why.n > 0);
	}
	page_words(m, body, &words, &id);
	page_reader_free(m);
	return 0;
}
