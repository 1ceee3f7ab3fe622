#ifndef SIM_TEXT_H
#define SIM_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* A growing byte buffer. The content is p[off..len); ${off} leaves room for what is only known
 * afterwards. */
struct text {
	char *p;
	size_t off, len, cap;
};

/* text_room(t, n): make room for ${n} more bytes and return where they go; out of memory ends the
 * process. */
char *text_room(struct text *, size_t);

/* text_put(t, s, n), text_str(t, s), text_num(t, x): append. */
void text_put(struct text *, const char *, size_t);
void text_str(struct text *, const char *);
void text_num(struct text *, uint64_t);

/* text_front(t, s, n): put ${n} bytes before the content; there must be ${n} bytes of ${off}. */
void text_front(struct text *, const char *, size_t);

void text_free(struct text *);

/* Write a number at p and return the place after it; at most 24 bytes, no NUL. */
char *fmt_u64(char *, uint64_t);

/* fmt_fixed(p, x, scale): x * 10^-scale without trailing zeros: 195.5, 150. */
char *fmt_fixed(char *, uint64_t, int);

/* fmt_exp(p, x, scale): the same value as 1.12117471e+08. */
char *fmt_exp(char *, uint64_t, int);

#endif
