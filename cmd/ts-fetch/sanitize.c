/* Other people's words, made fit for our lines. */
#include "sanitize.h"

#include "utf8.h"

#include <string.h>

void
sanitize_add(struct buffer *b, struct slice text, size_t max, struct slice secret)
{
	size_t end = b->len + max;

	for (size_t i = 0, len; i < text.n; i += len) {
		const char *p = text.p + i, *as = p;
		size_t as_len;

		if (secret.n > 0 && text.n - i >= secret.n && memcmp(p, secret.p, secret.n) == 0) {
			len = secret.n;
			as = "***";
			as_len = 3;
		} else {
			len = as_len = utf8_length(p, text.n - i);
			if (len == 0 || utf8_control(p, len)) {
				len = len == 0 ? 1 : len;
				as = " ";
				as_len = 1;
			}
		}
		if (b->len + as_len > end)
			return;
		buffer_add(b, as, as_len);
	}
}
