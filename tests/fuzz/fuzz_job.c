/* Job messages: usable or refused with a sentence; what is usable is in order and each once. */
#include "fuzz.h"

#include "job.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct job j;
	const char *why;

	job_init(&j);
	why = job_read(&j, (struct slice){(const char *)data, size});
	MUST(why != NULL || j.job_id.p != NULL);
	if (why == NULL) {
		MUST(j.symbols.n > 0 && j.job_id.n > 0);
		for (size_t i = 1; i < j.symbols.n; i++)
			MUST(slice_cmp(j.symbols.p[i - 1], j.symbols.p[i]) < 0);
	}
	job_release(&j);
	return 0;
}
