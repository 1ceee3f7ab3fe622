/* Tasks in hand, by what a verdict has of them; lease.c talks to the server. */
#include "lease.h"

#include "log.h"
#include "timestamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

enum {
	POLL_MS = 200, /* between two looks for tasks and cancels */
};

void
hand_init(struct hand *h)
{
	struct utsname node;

	h->parser = record_parser_new();
	(void)uname(&node);
	buffer_printf(&h->name, "%s:%d:%" PRId64, node.nodename, (int)getpid(), clock_wall());
	h->lost = clock_mono_ms();
}

void
hand_drop(struct hand *h, struct held *t)
{
	HASH_DEL(h->table, t);
	t->job->held--;
	if (HASH_COUNT(h->table) == 0)
		h->alone = false;
	buffer_release(&t->id);
	buffer_release(&t->verdict);
	free(t);
}

static void
free_job(struct work_job *j)
{
	share_job_release(&j->shared);
	free(j);
}

void
hand_release(struct hand *h)
{
	while (h->table != NULL)
		hand_drop(h, h->table);
	for (struct work_job *j = h->jobs, *next; j != NULL; j = next) {
		next = j->next;
		free_job(j);
	}
	record_parser_free(h->parser);
	buffer_release(&h->name);
	buffer_release(&h->key);
}

size_t
hand_size(const struct hand *h)
{
	return HASH_COUNT(h->table);
}

size_t
hand_verdicts(const struct hand *h)
{
	size_t n = 0;

	for (const struct held *t = h->table; t != NULL; t = t->hh.next)
		n += t->verdict.len > 0;
	return n;
}

static struct held *
find_task(struct hand *h, const struct record *r)
{
	struct held *t;

	share_natural(&h->key, r);
	HASH_FIND(hh, h->table, h->key.p, h->key.len, t);
	return t;
}

static void
take_verdict(struct held *t, struct slice line)
{
	if (t->verdict.len > 0)
		return;
	buffer_add(&t->verdict, line.p, line.n);
	if (share_ready(t->hand->share))
		lease_gate(t);
}

int
hand_line(struct hand *h, struct slice line)
{
	unsigned owned =
		RECORD_BIT(RECORD_STORED) | RECORD_BIT(RECORD_FAILED) | RECORD_BIT(RECORD_LOADING);
	struct record r;
	struct held *t;
	const char *why = record_parse(h->parser, line, owned, &r);

	if (why != NULL) {
		log_warning("the command wrote a line that is not a record: %s", why);
		return 0;
	}
	switch (r.type) {
	case RECORD_STORED:
	case RECORD_FAILED:
		t = find_task(h, &r);
		h->spoke = clock_mono_ms();
		if (t != NULL)
			take_verdict(t, line);
		return 0;
	case RECORD_BAR:
	case RECORD_FETCHED:
		log_error("the command wrote bars: ts-store must stand at its end");
		return -1;
	case RECORD_CANCEL:
	case RECORD_TASK:
		return 0;
	default:
		lease_pass(h, r.job_id, line);
		return 0;
	}
}

struct work_job *
hand_job(struct hand *h, struct slice name)
{
	struct work_job *j = h->jobs;

	while (j != NULL && !slice_eq(buffer_slice(&j->shared.name), name))
		j = j->next;
	if (j != NULL)
		return j;
	j = memory_grow(NULL, 1, sizeof *j);
	*j = (struct work_job){.next = h->jobs, .hand = h};
	h->jobs = j;
	share_job_init(&j->shared, name);
	return j;
}

/* Delivered so many times without an end: the verdict is ours. */
static void
condemn_task(struct held *t, const struct record *task, int64_t deliveries)
{
	struct record r = *task;
	struct buffer line = {0};
	char error[160];

	(void)snprintf(error, sizeof error,
		"delivered %" PRId64 " times, and each host that tried it before ended without a "
		"verdict",
		deliveries);
	r.type = RECORD_FAILED;
	r.stage = slice_of("work");
	r.error = slice_of(error);
	record_write(&line, &r);
	line.len--;
	log_warning("failed symbol=%.*s timeframe=%.*s: %s", (int)r.symbol.n, r.symbol.p,
		(int)r.timeframe.n, r.timeframe.p == NULL ? "" : r.timeframe.p, error);
	t->hand->poisoned++;
	take_verdict(t, buffer_slice(&line));
	buffer_release(&line);
}

bool
hand_take(struct work_job *j, struct slice id, int64_t deliveries, struct slice line)
{
	struct hand *h = j->hand;
	struct record r;
	struct held *t;

	if (record_parse(h->parser, line, RECORD_BIT(RECORD_TASK), &r) != NULL)
		return true;
	t = find_task(h, &r);
	if (t != NULL) {
		/* It came back to us under a new lease, while the command works on it. */
		if (t->job == j)
			buffer_set(&t->id, id);
		return t->job == j;
	}
	if (h->table == NULL)
		h->spoke = clock_mono_ms();
	t = memory_grow(NULL, 1, sizeof *t + h->key.len);
	memset(t, 0, sizeof *t);
	t->hand = h;
	t->job = j;
	t->key_n = h->key.len;
	memcpy(t->key, h->key.p, h->key.len);
	buffer_add(&t->id, id.p, id.n);
	HASH_ADD_KEYPTR(hh, h->table, t->key, t->key_n, t);
	j->held++;
	h->taken++;
	h->got = true;
	if (deliveries >= (int64_t)h->tries) {
		condemn_task(t, &r, deliveries);
		return true;
	}
	h->alone = deliveries >= 3;
	child_line(h->child, line);
	return true;
}

/* What the command has of the job is of no use any more. */
static void
cancel_job(struct hand *h, struct work_job *j)
{
	struct record r = {.type = RECORD_CANCEL, .job_id = j->shared.id};
	struct buffer line = {0};
	uint64_t n = 0;

	for (struct held *t = h->table, *next; t != NULL; t = next) {
		next = t->hh.next;
		/* A verdict on its way meets a gate that is shut. */
		if (t->job != j || t->verdict.len > 0)
			continue;
		hand_drop(h, t);
		n++;
	}
	if (n == 0)
		return;
	h->cancelled += n;
	record_write(&line, &r);
	line.len--;
	child_line(h->child, buffer_slice(&line));
	log_info("cancelled job_id=%.*s tasks=%" PRIu64,
		(int)(j->shared.id.n < 100 ? j->shared.id.n : 100), j->shared.id.p, n);
	buffer_release(&line);
}

void
hand_forget_unseen(struct hand *h)
{
	for (struct work_job **at = &h->jobs; *at != NULL;) {
		struct work_job *j = *at;

		if (!j->seen)
			cancel_job(h, j);
		if (!j->seen && j->held == 0) {
			*at = j->next;
			h->lone = h->lone == j ? NULL : h->lone;
			free_job(j);
		} else {
			at = &j->next;
		}
	}
}

void
hand_give_back(struct hand *h, bool innocent)
{
	h->given = true;
	if (share_ready(h->share))
		lease_hold(h, GIVEN_BACK, innocent ? "1" : "0");
}

void
hand_ready(struct hand *h)
{
	h->lost = 0;
	h->asking = 0;
	h->due = h->renew = 0;
	for (struct held *t = h->table; t != NULL; t = t->hh.next) {
		if (t->verdict.len > 0)
			lease_gate(t);
	}
}

void
hand_lost(struct hand *h, int64_t now)
{
	if (h->lost == 0)
		h->lost = now;
}

/* Without the server for half the lease: others will take what is in hand, so it is let go. */
static void
let_go(struct hand *h)
{
	for (struct work_job *j = h->jobs; j != NULL; j = j->next)
		cancel_job(h, j);
}

void
hand_serve(struct hand *h, int64_t now)
{
	if (h->lost != 0 && now >= h->lost + h->lease / 2)
		let_go(h);
	if (!share_ready(h->share) || redis_room(h->share->link.redis) < LEASE_ROOM)
		return;
	if (!h->given && now >= h->renew) {
		h->renew = now + h->lease / 3;
		lease_hold(h, "0", "0");
	}
	if (h->asking == 0 && now >= h->due) {
		h->due = now + POLL_MS;
		lease_look(h);
	}
}

int64_t
hand_deadline(const struct hand *h)
{
	if (h->lost != 0)
		return hand_size(h) > hand_verdicts(h) ? h->lost + h->lease / 2 : INT64_MAX;
	if (!share_ready(h->share))
		return INT64_MAX;
	return h->asking > 0 || h->renew < h->due ? h->renew : h->due;
}
