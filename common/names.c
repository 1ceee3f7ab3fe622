/* What has been seen: tasks that have their verdict, and symbols. */
#include "names.h"

#include <stdlib.h>
#include <string.h>

struct name *
names_find(struct names *s, struct slice a, struct slice b)
{
	struct name *m;

	buffer_set(&s->key, a);
	buffer_byte(&s->key, '\0');
	buffer_add(&s->key, b.p, b.n);
	HASH_FIND(hh, s->first, s->key.p, s->key.len, m);
	return m;
}

struct name *
names_add(struct names *s, struct slice a, struct slice b)
{
	struct name *m = names_find(s, a, b);

	if (m == NULL) {
		m = memory_grow(NULL, 1, sizeof *m + s->key.len);
		memset(m, 0, sizeof *m);
		memcpy(m->text, s->key.p, s->key.len);
		HASH_ADD_KEYPTR(hh, s->first, m->text, s->key.len, m);
	}
	return m;
}

void
names_release(struct names *s)
{
	while (s->first != NULL) {
		struct name *m = s->first;

		HASH_DEL(s->first, m);
		free(m);
	}
	buffer_release(&s->key);
}
