/* What is handed out and what has come back: values only; streams.c talks to the server. */
#include "streams.h"

#include "log.h"
#include "timestamp.h"

#include <stdlib.h>
#include <string.h>

enum { HELD_MAX = 400000 };

void
jobs_init(struct jobs *all, struct share *share, struct writer *out)
{
	*all = (struct jobs){.share = share, .out = out, .parser = record_parser_new()};
}

static void
free_job(struct job *j)
{
	for (size_t i = 0; i < j->task.n; i++) {
		HASH_DEL(j->table, j->task.p[i]);
		free(j->task.p[i]);
	}
	free(j->task.p);
	share_job_release(&j->shared);
	buffer_release(&j->first);
	buffer_release(&j->read);
	buffer_release(&j->spent);
	free(j);
}

void
jobs_release(struct jobs *all)
{
	for (struct job *j = all->list, *next; j != NULL; j = next) {
		next = j->next;
		free_job(j);
	}
	record_parser_free(all->parser);
	buffer_release(&all->key);
	buffer_release(&all->header);
	buffer_release(&all->name);
}

void
jobs_drop(struct job *j)
{
	struct jobs *all = j->all;
	struct job **at = &all->list;

	while (*at != j)
		at = &(*at)->next;
	*at = j->next;
	all->count--;
	all->held -= j->left;
	all->cancelled += j->left;
	free_job(j);
}

static void
set_header(struct jobs *all, const struct record *r)
{
	buffer_set(&all->header, r->job_id);
	all->name.len = 0;
	if (r->run.p != NULL)
		buffer_add(&all->name, r->run.p, r->run.n);
	buffer_byte(&all->name, ':');
	buffer_add(&all->name, r->job_id.p, r->job_id.n);
}

/* The run that the last header speaks of, else the last one. */
static struct job *
find_job(struct jobs *all, struct slice id)
{
	bool named = slice_eq(buffer_slice(&all->header), id);
	struct job *j = all->list;

	while (j != NULL &&
		!(named ? slice_eq(buffer_slice(&j->shared.name), buffer_slice(&all->name))
			: slice_eq(j->shared.id, id)))
		j = j->next;
	return j;
}

static struct job *
add_job(struct jobs *all, struct slice id)
{
	struct job *j = memory_grow(NULL, 1, sizeof *j);

	if (!slice_eq(buffer_slice(&all->header), id))
		set_header(all, &(struct record){.job_id = id});
	*j = (struct job){.next = all->list, .all = all};
	share_job_init(&j->shared, buffer_slice(&all->name));
	buffer_byte(&j->read, '0');
	all->list = j;
	all->count++;
	return j;
}

struct task *
jobs_find(struct job *j, const struct record *r)
{
	struct buffer *key = &j->all->key;
	struct task *t;

	share_natural(key, r);
	HASH_FIND(hh, j->table, key->p, key->len, t);
	return t;
}

/* A task that jobs_find() has not found, with the key that it has made. */
struct task *
jobs_add(struct job *j, uint64_t n, struct slice line)
{
	const struct buffer *key = &j->all->key;
	struct task *t = memory_grow(NULL, 1, sizeof *t + key->len + line.n);

	memset(t, 0, sizeof *t);
	t->n = n;
	t->key_n = key->len;
	memcpy(t->key, key->p, key->len);
	t->line = (struct slice){t->key + key->len, line.n};
	if (line.n > 0)
		memcpy(t->key + key->len, line.p, line.n);
	HASH_ADD_KEYPTR(hh, j->table, t->key, t->key_n, t);
	*array_add(&j->task) = t;
	j->left++;
	j->all->held++;
	return t;
}

static void
settle_task(struct job *j, struct task *t)
{
	t->done = true;
	j->left--;
	j->all->held--;
}

void
jobs_header(struct jobs *all, const struct record *r)
{
	struct job *j;

	set_header(all, r);
	j = find_job(all, r->job_id);
	if (j == NULL || (j->left > 0 && !j->cancelled))
		return;
	j->again = true;
	if (j->state != CLOSED)
		j->state = CLOSING;
}

void
jobs_task(struct jobs *all, const struct record *r, struct slice line)
{
	struct job *j = find_job(all, r->job_id);

	if (j == NULL)
		j = add_job(all, r->job_id);
	if (j->cancelled)
		return;
	j->came = clock_mono_ms();
	if (!j->loaded) {
		buffer_add(&j->first, line.p, line.n);
		return;
	}
	if (jobs_find(j, r) != NULL) {
		log_debug("handed out before: %.*s", (int)(line.n < 200 ? line.n : 200), line.p);
		return;
	}
	all->tasks++;
	(void)jobs_add(j, 0, line);
}

void
jobs_cancel(struct jobs *all, struct slice job_id)
{
	struct job *j = find_job(all, job_id);

	if (j == NULL)
		j = add_job(all, job_id);
	j->cancelled = true;
	j->first.len = 0;
	if (j->state != CLOSED)
		j->state = CLOSING;
}

bool
jobs_full(const struct jobs *all)
{
	for (const struct job *j = all->list; j != NULL; j = j->next) {
		if (j->first.len > 0 || j->again)
			return true;
	}
	return all->held >= HELD_MAX;
}

/* A line from a host: a verdict counts once, whoever has given it; all else passes. */
void
jobs_take(struct job *j, struct slice id, struct slice line)
{
	struct jobs *all = j->all;
	struct record r;
	struct task *t;

	if (record_parse(all->parser, line, RECORD_BIT(RECORD_STORED) | RECORD_BIT(RECORD_FAILED),
		    &r) != NULL)
		return;
	if (r.type != RECORD_STORED && r.type != RECORD_FAILED) {
		buffer_add(&j->spent, id.p, id.n);
		buffer_byte(&j->spent, '\0');
		writer_line(all->out, line);
		return;
	}
	t = jobs_find(j, &r);
	if (t == NULL) {
		all->resumed++;
		t = jobs_add(j, 0, (struct slice){0});
	}
	if (t->done) {
		all->repeated++;
		return;
	}
	settle_task(j, t);
	all->stored += r.type == RECORD_STORED;
	all->failed += r.type == RECORD_FAILED;
	writer_line(all->out, line);
}
