/* Characters: where they end, and which of them a terminal would obey. */
#include "utf8.h"

#include <string.h>

size_t
utf8_length(const char *p, size_t n)
{
	const unsigned char *s = (const unsigned char *)p;
	unsigned low = 0x80, high = 0xbf;
	size_t len;

	if (n == 0)
		return 0;
	if (s[0] < 0x80)
		return 1;
	len = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc2 || s[0] > 0xf4 || n < len)
		return 0;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++) {
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0;
	}
	return len;
}

bool
utf8_control(const char *p, size_t len)
{
	const unsigned char *s = (const unsigned char *)p;
	unsigned c;

	if (len == 1)
		return s[0] < 0x20 || s[0] == 0x7f;
	if (len == 2)
		return (s[0] == 0xc2 && s[1] < 0xa0) || (s[0] == 0xd8 && s[1] == 0x9c);
	c = len == 3 ? (s[0] & 0xfu) << 12 | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu) : 0;
	return c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

size_t
utf8_escape(char *out, size_t cap, const char *text, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0, length;

	for (; len > 0; text += length, len -= length) {
		size_t whole = utf8_length(text, len);
		bool obeyed = whole > 0 && utf8_control(text, whole);

		length = whole > 0 ? whole : 1;
		if (n + (obeyed ? UTF8_ESCAPED : 1) * length > cap)
			break;
		for (size_t i = 0; i < length; i++) {
			unsigned char c = (unsigned char)text[i];
			const char code[UTF8_ESCAPED] = {'\\', 'x', hex[c >> 4], hex[c & 15]};

			memcpy(out + n, obeyed ? code : text + i, obeyed ? sizeof code : 1);
			n += obeyed ? sizeof code : 1;
		}
	}
	return n;
}
