/* The words for what went wrong, our own and those of others. */
#include "error_text.h"

#include "utf8.h"

#include <string.h>

enum {
	BODY = 80, /* characters that are quoted of it */
	TRIES_TEXT = sizeof " (25 tries)" - 1,
};

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

void
error_text_set(struct error_text *e, int http, struct slice words)
{
	e->text.len = 0;
	if (http > 0)
		buffer_printf(&e->text, "HTTP %d%s", http, words.n > 0 ? ": " : "");
	sanitize_add(&e->text, words, ERROR_TEXT_MAX - TRIES_TEXT - e->text.len, e->secret);
}

void
error_text_body(struct error_text *e, struct slice body)
{
	if (body.n == 0 || body.p[0] == '{')
		return;
	buffer_str(&e->text, ": \"");
	sanitize_add(&e->text, body, BODY, e->secret);
	buffer_byte(&e->text, '"');
}
