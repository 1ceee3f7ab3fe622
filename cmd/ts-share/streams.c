/* Tasks into a stream for each job, verdicts out of another. See share.h for both. */
#include "streams.h"

#include "log.h"
#include "timestamp.h"

#include <inttypes.h>
#include <string.h>

enum {
	SENT_MAX = 1000, /* tasks on their way to the server */
	PAGE = 500,	 /* entries that are asked for at once */
	POLL_MS = 50,	 /* between two looks for verdicts */
	CHECK_MS = 5000, /* between two looks whether the server still has what it was given */
	ROOM = 64,	 /* requests that a job may make at once, its tasks apart */
	QUIET_MS = 1000, /* so long without a task, a job without one outstanding is over */
};

/* What the entry of a task is called. */
static struct slice
entry_id(struct buffer *b, uint64_t n)
{
	b->len = 0;
	buffer_printf(b, "%" PRIu64 "-0", n);
	return buffer_slice(b);
}

static uint64_t
entry_n(struct slice id)
{
	uint64_t n;

	return slice_count(slice_part(&id, "-"), &n) == 0 ? n : 0;
}

/* The field of an entry, as XRANGE and XREAD give it: id and an array of names and values. */
static struct slice
entry_line(const struct redis_reply *entry)
{
	return redis_text(redis_item(redis_item(entry, 1), 1));
}

static void
open_job(struct job *j)
{
	struct jobs *all = j->all;
	struct buffer first = j->first;
	struct record r;

	j->state = OPEN;
	j->look = j->check = 0;
	j->loaded = true;
	j->first = (struct buffer){0};
	if (first.len > 0 && record_parse(all->parser, buffer_slice(&first),
				     RECORD_BIT(RECORD_TASK), &r) == NULL)
		jobs_task(all, &r, buffer_slice(&first));
	buffer_release(&first);
}

/* A server that has forgotten what it had last is given that again. */
static void
rewind_to(struct job *j, uint64_t last)
{
	for (j->cursor = 0; j->cursor < j->task.n; j->cursor++) {
		const struct task *t = j->task.p[j->cursor];

		if (!t->done && (t->n == 0 || t->n > last))
			break;
	}
	if (last > j->last_n)
		j->last_n = last;
}

static void read_verdicts(struct job *j, const char *count);
static void on_page(void *data, const struct redis_reply *reply);

static void
ask_page(struct job *j, uint64_t after)
{
	struct buffer from = {0};

	buffer_printf(&from, "(%" PRIu64 "-0", after);
	SHARE_CALL(j->all->share, on_page, j, slice_of("XRANGE"), buffer_slice(&j->shared.tasks),
		buffer_slice(&from), slice_of("+"), slice_of("COUNT"), slice_of("500"));
	buffer_release(&from);
}

/* Tasks that an earlier life has handed out. */
static void
on_page(void *data, const struct redis_reply *reply)
{
	struct job *j = data;
	const struct redis_reply *entry;
	struct record r;
	uint64_t n = 0;
	size_t i;

	if (share_failed(j->all->share, reply) || j->state != LOADING)
		return;
	for (i = 0; (entry = redis_item(reply, i)) != NULL; i++) {
		struct slice line = entry_line(entry);

		n = entry_n(redis_text(redis_item(entry, 0)));
		if (line.p == NULL ||
			record_parse(j->all->parser, line, RECORD_BIT(RECORD_TASK), &r) != NULL ||
			jobs_find(j, &r) != NULL)
			continue;
		(void)jobs_add(j, n, line);
		j->all->resumed++;
	}
	if (i == PAGE) {
		ask_page(j, n);
		return;
	}
	j->cursor = j->task.n;
	read_verdicts(j, "500");
}

static void
on_info(void *data, const struct redis_reply *reply)
{
	struct job *j = data;
	const struct redis_reply *name;
	uint64_t last = 0;

	if (share_failed(j->all->share, reply) || j->state != ASKED)
		return;
	for (size_t i = 0; (name = redis_item(reply, i)) != NULL; i += 2) {
		if (slice_is(redis_text(name), "last-generated-id"))
			last = entry_n(redis_text(redis_item(reply, i + 1)));
	}
	rewind_to(j, last);
	j->read.len = 0;
	buffer_byte(&j->read, '0');
	j->state = j->loaded || last == 0 ? OPEN : LOADING;
	if (j->state == LOADING)
		ask_page(j, 0);
	else
		open_job(j);
}

/* BUSYGROUP: it was there. */
static void
on_group(void *data, const struct redis_reply *reply)
{
	struct job *j = data;

	if (reply != NULL && !redis_is_error(reply, "BUSYGROUP"))
		(void)share_failed(j->all->share, reply);
}

static void
on_done(void *data, const struct redis_reply *reply)
{
	(void)share_failed(((struct job *)data)->all->share, reply);
}

/* The set of jobs comes last: who finds a job there finds its stream as well. */
static void
ask_job(struct job *j)
{
	struct share *s = j->all->share;
	struct slice key = buffer_slice(&j->shared.tasks);

	SHARE_CALL(s, on_group, j, slice_of("XGROUP"), slice_of("CREATE"), key, slice_of("work"),
		slice_of("0"), slice_of("MKSTREAM"));
	SHARE_CALL(s, on_done, j, slice_of("SADD"), slice_of(SHARE_JOBS),
		buffer_slice(&j->shared.name));
	SHARE_CALL(s, on_info, j, slice_of("XINFO"), slice_of("STREAM"), key);
	j->state = ASKED;
}

/* Entries that the server has already are refused; that is what their numbers are for. */
static void
on_added(void *data, const struct redis_reply *reply)
{
	struct job *j = data;

	j->sent--;
	if (reply != NULL && !redis_is_error(reply, "ERR The ID specified in XADD is equal"))
		(void)share_failed(j->all->share, reply);
}

static void
send_tasks(struct job *j)
{
	struct share *s = j->all->share;
	struct buffer id = {0};

	for (; j->cursor < j->task.n && j->sent < SENT_MAX && redis_room(s->link.redis) > ROOM;
		j->cursor++) {
		struct task *t = j->task.p[j->cursor];

		if (t->done)
			continue;
		if (t->n == 0)
			t->n = ++j->last_n;
		SHARE_CALL(s, on_added, j, slice_of("XADD"), buffer_slice(&j->shared.tasks),
			entry_id(&id, t->n), slice_of("t"), t->line);
		j->sent++;
	}
	buffer_release(&id);
}

/* Removed from the stream, since only verdicts are of use to a later life. */
static void
forget_spent(struct job *j)
{
	const char *at = j->spent.p, *end = at + j->spent.len;

	while (at < end) {
		SHARE_CALL(j->all->share, on_done, j, slice_of("XDEL"),
			buffer_slice(&j->shared.verdicts), slice_of(at));
		at += strlen(at) + 1;
	}
	j->spent.len = 0;
}

/*
 * Tasks are missing that are in neither stream: somebody has removed keys, or the server has begun
 * anew. They are handed out again, under new numbers.
 */
static void
hand_out_again(struct job *j)
{
	uint64_t lost = 0;

	j->empty = false;
	for (size_t i = 0; i < j->task.n; i++) {
		struct task *t = j->task.p[i];

		lost += !t->done;
		t->n = t->done ? t->n : 0;
	}
	if (lost == 0)
		return;
	log_warning("Redis has lost %" PRIu64 " tasks of job_id=%.*s: they are handed out again",
		lost, (int)(j->shared.id.n < 100 ? j->shared.id.n : 100), j->shared.id.p);
	j->state = NEW;
}

static void
on_verdicts(void *data, const struct redis_reply *reply)
{
	struct job *j = data;
	const struct redis_reply *entry;
	struct buffer line = {0};
	size_t i = 0;

	j->reading = false;
	if (share_failed(j->all->share, reply))
		return;
	for (; (entry = redis_stream_entry(reply, i)) != NULL; i++) {
		struct slice id = redis_text(redis_item(entry, 0)), packed = entry_line(entry);

		if (id.p == NULL || packed.p == NULL)
			continue;
		buffer_set(&j->read, id);
		share_unpack(
			&j->shared, redis_text(redis_item(redis_item(entry, 1), 0)), packed, &line);
		jobs_take(j, id, buffer_slice(&line));
	}
	buffer_release(&line);
	j->caught_up = i == 0;
	j->look = i == 0 ? clock_mono_ms() + POLL_MS : 0;
	if (j->state == LOADING && i > 0)
		read_verdicts(j, "500");
	else if (j->state == LOADING)
		open_job(j);
	else if (j->state == OPEN && i == 0 && j->empty)
		hand_out_again(j);
}

static void
read_verdicts(struct job *j, const char *count)
{
	SHARE_CALL(j->all->share, on_verdicts, j, slice_of("XREAD"), slice_of("COUNT"),
		slice_of(count), slice_of("STREAMS"), buffer_slice(&j->shared.verdicts),
		buffer_slice(&j->read));
	j->reading = true;
}

/* What is no task there, and not among the verdicts that are read after this, is lost. */
static void
on_length(void *data, const struct redis_reply *reply)
{
	struct job *j = data;

	j->empty = !share_failed(j->all->share, reply) && redis_integer(reply) == 0 &&
		   j->sent == 0 && j->cursor == j->task.n;
}

/* Both streams live for a day from the last time. */
static void
check_job(struct job *j, int64_t now)
{
	struct share *s = j->all->share;
	struct slice tasks = buffer_slice(&j->shared.tasks), ttl = slice_of("86400");

	j->check = now + CHECK_MS;
	j->look = 0;
	SHARE_CALL(s, on_done, j, slice_of("EXPIRE"), tasks, ttl);
	SHARE_CALL(s, on_done, j, slice_of("EXPIRE"), buffer_slice(&j->shared.verdicts), ttl);
	SHARE_CALL(s, on_done, j, slice_of("SADD"), slice_of(SHARE_JOBS),
		buffer_slice(&j->shared.name));
	SHARE_CALL(s, on_done, j, slice_of("EXPIRE"), slice_of(SHARE_JOBS), ttl);
	SHARE_CALL(s, on_length, j, slice_of("XLEN"), tasks);
}

static void
on_closed(void *data, const struct redis_reply *reply)
{
	struct job *j = data;

	if (share_failed(j->all->share, reply))
		return;
	if (j->left > 0 && !j->cancelled) {
		/* Tasks came meanwhile. */
		j->state = NEW;
		return;
	}
	jobs_drop(j);
}

/* What passed the gate before the tasks went is read once more. */
static void
close_job(struct job *j)
{
	struct share *s = j->all->share;

	SHARE_CALL(s, on_done, j, slice_of("SREM"), slice_of(SHARE_JOBS),
		buffer_slice(&j->shared.name));
	SHARE_CALL(s, on_done, j, slice_of("DEL"), buffer_slice(&j->shared.tasks));
	read_verdicts(j, "200000");
	j->state = CLOSED;
	SHARE_CALL(s, on_closed, j, slice_of("DEL"), buffer_slice(&j->shared.verdicts));
}

static void
serve_job(struct job *j, bool open, int64_t now)
{
	if (j->state == NEW)
		ask_job(j);
	if (j->state == OPEN) {
		send_tasks(j);
		if (j->spent.len > 0 && redis_room(j->all->share->link.redis) > 2 * PAGE)
			forget_spent(j);
		if (now >= j->check)
			check_job(j, now);
		if (!j->reading && now >= j->look)
			read_verdicts(j, "500");
		if (j->left == 0 && j->caught_up && j->sent == 0 && !j->reading &&
			(!open || now - j->came >= QUIET_MS))
			j->state = CLOSING;
	}
	if (j->state == CLOSING && !j->reading)
		close_job(j);
}

void
jobs_serve(struct jobs *all, bool open, int64_t now)
{
	for (struct job *j = all->list, *next; j != NULL; j = next) {
		next = j->next;
		if (!share_ready(all->share) || redis_room(all->share->link.redis) < ROOM)
			return;
		serve_job(j, open, now);
	}
}

void
jobs_ready(struct jobs *all)
{
	for (struct job *j = all->list; j != NULL; j = j->next) {
		j->reading = j->empty = false;
		j->spent.len = 0;
		j->state = j->state == CLOSING || j->state == CLOSED ? CLOSING : NEW;
	}
}

int64_t
jobs_deadline(const struct jobs *all)
{
	int64_t due = INT64_MAX;

	if (!share_ready(all->share))
		return due;
	for (const struct job *j = all->list; j != NULL; j = j->next) {
		if (j->state == NEW || j->state == CLOSING)
			return 0;
		if (j->state != OPEN)
			continue;
		due = j->check < due ? j->check : due;
		due = !j->reading && j->look < due ? j->look : due;
	}
	return due;
}
