/* Other people's words, made fit for our lines. */
#include "clean.h"

#include "json.h"

#include <string.h>

/* How many bytes the UTF-8 sequence at p has; 0 if it is none, or a control character. */
static size_t
sequence(const char *p, size_t n)
{
	const unsigned char *s = (const unsigned char *)p;
	char quoted[6] = {'"'};
	size_t len = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;

	if (s[0] < 0x20 || s[0] == 0x7f || len > n || (s[0] == 0xc2 && s[1] < 0xa0))
		return 0;
	if (len == 1)
		return 1;
	memcpy(quoted + 1, p, len);
	quoted[len + 1] = '"';
	return json_end((struct slice){quoted, len + 2}, 0, NULL, NULL) == 0 ? 0 : len;
}

void
clean_add(struct buffer *b, struct slice text, size_t max, struct slice secret)
{
	size_t end = b->len + max;

	for (size_t i = 0; i < text.n;) {
		size_t len;

		if (secret.n > 0 && text.n - i >= secret.n &&
			memcmp(text.p + i, secret.p, secret.n) == 0) {
			if (b->len + 3 > end)
				return;
			buffer_str(b, "***");
			i += secret.n;
			continue;
		}
		len = sequence(text.p + i, text.n - i);
		if (b->len + (len == 0 ? 1 : len) > end)
			return;
		if (len == 0)
			buffer_byte(b, ' ');
		else
			buffer_add(b, text.p + i, len);
		i += len == 0 ? 1 : len;
	}
}
