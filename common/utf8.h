#ifndef TS_UTF8_H
#define TS_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* UTF-8 as RFC 3629 has it: shortest form, no surrogates, up to U+10FFFF. */

/* How many bytes the character at p has, of which n may be read; 0 if it is not one. */
size_t utf8_length(const char *p, size_t n);

/*
 * Whether a character of len bytes, as utf8_length() gives it, must not reach a terminal: the
 * control characters C0, DEL and C1, the line and paragraph separators, and those that turn the
 * direction of writing (Unicode's Bidi_Control).
 */
bool utf8_control(const char *p, size_t len);

/* Copies text to out, what a terminal would obey as \xNN, as many whole characters as fit into cap
 * bytes; the length used, UTF8_ESCAPED times that of the text at most. */
enum { UTF8_ESCAPED = 4 };
size_t utf8_escape(char *out, size_t cap, const char *text, size_t len);

#endif
