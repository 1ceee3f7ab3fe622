/* A hash table in the order in which the jobs came. */
#include "passed.h"

#include "hash.h"

#include <stdlib.h>
#include <string.h>

enum { PASSED_MAX = 10000 };

struct passed {
	UT_hash_handle hh;
	size_t n;
	char id[];
};

static struct passed *
find_id(struct passed *set, struct slice id)
{
	struct passed *p;

	HASH_FIND(hh, set, id.p, id.n, p);
	return p;
}

static void
take_out(struct passed **set, struct passed *p)
{
	HASH_DEL(*set, p);
	free(p);
}

void
passed_add(struct passed **set, struct slice id)
{
	struct passed *p;

	passed_drop(set, id);
	if (HASH_COUNT(*set) == PASSED_MAX)
		take_out(set, *set);
	p = memory_grow(NULL, 1, sizeof *p + id.n);
	memset(p, 0, sizeof *p);
	p->n = id.n;
	memcpy(p->id, id.p, id.n);
	HASH_ADD_KEYPTR(hh, *set, p->id, p->n, p);
}

void
passed_drop(struct passed **set, struct slice id)
{
	struct passed *p = find_id(*set, id);

	if (p != NULL)
		take_out(set, p);
}

int
passed_take(struct passed **set, struct buffer *id)
{
	if (*set == NULL)
		return -1;
	buffer_set(id, (struct slice){(*set)->id, (*set)->n});
	take_out(set, *set);
	return 0;
}
