/* The per-job memory of what has had its verdict: one copy of each name and an open hash table. */
#include "names.h"

#include "hash.h"

#include <stdlib.h>
#include <string.h>

struct name {
	uint32_t at; /* in text */
	uint32_t n;
	uint32_t hash;
};

/* Of a, NUL and b, as a name is kept: no name of ours holds a NUL. */
static uint32_t
hash_of(struct slice a, struct slice b)
{
	uint64_t h = hash_add(HASH_START, a.p, a.n);

	h = hash_add(h, "", 1);
	return (uint32_t)hash_add(h, b.p, b.n);
}

static bool
same_name(const struct names *s, const struct name *m, struct slice a, struct slice b)
{
	const char *p = s->text.p + m->at;

	return m->n == a.n + 1 + b.n && memcmp(p, a.p, a.n) == 0 && p[a.n] == '\0' &&
	       (b.n == 0 || memcmp(p + a.n + 1, b.p, b.n) == 0);
}

static void
slot_of(struct names *s, size_t number)
{
	size_t i = s->name[number].hash & (s->slots - 1);

	while (s->slot[i] != 0)
		i = (i + 1) & (s->slots - 1);
	s->slot[i] = (uint32_t)number + 1;
}

/* Room for one more, the table at most half full. */
static void
grow_table(struct names *s)
{
	if (s->count == s->cap) {
		s->cap = s->cap == 0 ? 4 : s->cap * 2;
		s->name = memory_grow(s->name, s->cap, sizeof *s->name);
	}
	if ((s->count + 1) * 2 <= s->slots)
		return;
	s->slots = s->slots == 0 ? 8 : s->slots * 2;
	s->slot = memory_grow(s->slot, s->slots, sizeof *s->slot);
	memset(s->slot, 0, s->slots * sizeof *s->slot);
	for (size_t i = 0; i < s->count; i++)
		slot_of(s, i);
}

size_t
names_add(struct names *s, struct slice a, struct slice b, bool *fresh)
{
	uint32_t hash = hash_of(a, b);
	size_t i;

	*fresh = false;
	for (i = hash & (s->slots - 1); s->slots > 0 && s->slot[i] != 0;
		i = (i + 1) & (s->slots - 1)) {
		const struct name *m = &s->name[s->slot[i] - 1];

		if (m->hash == hash && same_name(s, m, a, b))
			return s->slot[i] - 1;
	}
	grow_table(s);
	*fresh = true;
	s->name[s->count] = (struct name){(uint32_t)s->text.len, (uint32_t)(a.n + 1 + b.n), hash};
	buffer_add(&s->text, a.p, a.n);
	buffer_byte(&s->text, '\0');
	buffer_add(&s->text, b.p, b.n);
	slot_of(s, s->count);
	return s->count++;
}

struct slice
names_at(const struct names *s, size_t number)
{
	return (struct slice){s->text.p + s->name[number].at, s->name[number].n - 1};
}

void
names_release(struct names *s)
{
	buffer_release(&s->text);
	free(s->name);
	free(s->slot);
	*s = (struct names){0};
}
