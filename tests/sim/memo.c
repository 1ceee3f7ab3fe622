/* What was once made is sent again: for benchmarks of a client that shares the processors. */
#include "memo.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "data.h"

#define BUCKETS 4096

struct entry {
	struct entry *next;
	struct text body;
	bool gzip;
	char uri[];
};

struct memo {
	pthread_mutex_t lock;
	size_t left; /* bytes that may still be kept */
	struct entry *bucket[BUCKETS];
};

struct memo *
memo_new(size_t max)
{
	struct memo *m = calloc(1, sizeof *m);

	if (m == NULL)
		return NULL;
	m->left = max;
	pthread_mutex_init(&m->lock, NULL);
	return m;
}

void
memo_free(struct memo *m)
{
	struct entry *e, *next;

	if (m == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		for (e = m->bucket[i]; e != NULL; e = next) {
			next = e->next;
			text_free(&e->body);
			free(e);
		}
	}
	pthread_mutex_destroy(&m->lock);
	free(m);
}

static struct entry **
find(struct memo *m, const char *uri, bool gzip)
{
	struct entry **e = &m->bucket[sim_hash(uri) % BUCKETS];

	while (*e != NULL && ((*e)->gzip != gzip || strcmp((*e)->uri, uri) != 0))
		e = &(*e)->next;
	return e;
}

bool
memo_get(struct memo *m, const char *uri, bool gzip, struct text *body)
{
	struct entry *e;

	if (m == NULL)
		return false;
	pthread_mutex_lock(&m->lock);
	if ((e = *find(m, uri, gzip)) != NULL)
		*body = e->body;
	pthread_mutex_unlock(&m->lock);
	return e != NULL;
}

bool
memo_put(struct memo *m, const char *uri, bool gzip, const struct text *body)
{
	struct entry **place, *e;
	size_t n = strlen(uri) + 1;

	if (m == NULL || body->p == NULL || (e = malloc(sizeof *e + n)) == NULL)
		return false;
	*e = (struct entry){.body = *body, .gzip = gzip};
	memcpy(e->uri, uri, n);
	pthread_mutex_lock(&m->lock);
	place = find(m, uri, gzip);
	if (*place == NULL && body->cap <= m->left) {
		m->left -= body->cap;
		*place = e;
		e = NULL;
	}
	pthread_mutex_unlock(&m->lock);
	free(e);
	return e == NULL;
}
