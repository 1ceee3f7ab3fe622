/* Leases and the gate. The scripts are the protocol; see share.h for the keys. */
#include "lease.h"

#include "log.h"

#include <string.h>

/*
 * Takes over what has been idle for longer than the lease, then takes what nobody has had; answers
 * id, deliveries and line of each, and "alone" where one that was delivered twice waits until this
 * hand is empty: whoever dies with several in hand would have the innocent condemned with the
 * guilty. Without the stream it answers nil. Arguments: host, lease in ms, tries, how many, how
 * many are in hand.
 */
static const char take_script[] =
	"local k, me, want = KEYS[1], ARGV[1], tonumber(ARGV[4])\n"
	"local out, alone = {}, false\n"
	"local function add(id, n, e) out[#out + 1] = id out[#out + 1] = n out[#out + 1] = e[2] "
	"end\n"
	"local function claim(id, n)\n"
	"  local e = redis.call('XCLAIM', k, 'work', me, 0, id)[1]\n"
	"  if e then add(id, n, e[2]) end\n"
	"end\n"
	"if redis.call('EXISTS', k) == 0 then return false end\n"
	"for _, p in ipairs(redis.call('XPENDING', k, 'work', 'IDLE', ARGV[2], '-', '+', 100)) do\n"
	"  local id, n = p[1], p[4] + 1\n"
	"  if n >= tonumber(ARGV[3]) then claim(id, n)\n"
	"  elseif n < 3 then if #out / 3 < want then claim(id, n) end\n"
	"  elseif #out == 0 and ARGV[5] == '0' then claim(id, n) return out\n"
	"  else alone = true end\n"
	"end\n"
	"if alone then out[#out + 1] = 'alone' return out end\n"
	"if #out / 3 < want then\n"
	"  local r = redis.call('XREADGROUP', 'GROUP', 'work', me, 'COUNT', want - #out / 3, "
	"'STREAMS', k, '>')\n"
	"  if r then for _, e in ipairs(r[1][2]) do add(e[1], 1, e[2]) end end\n"
	"end\n"
	"return out";

/* The gate: the first verdict of a task is passed on. Arguments: id, what is kept of it, field. */
static const char gate_script[] =
	"if redis.call('XACK', KEYS[1], 'work', ARGV[1]) == 0 then return 0 end\n"
	"redis.call('XDEL', KEYS[1], ARGV[1])\n"
	"redis.call('XADD', KEYS[2], '*', ARGV[3], ARGV[2])\n"
	"redis.call('EXPIRE', KEYS[2], 86400)\n"
	"return 1";

/* What is not a verdict passes as long as the job goes on. Argument: line. */
static const char pass_script[] = "if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end\n"
				  "redis.call('XADD', KEYS[2], '*', 'v', ARGV[1])\n"
				  "return redis.call('EXPIRE', KEYS[2], 86400)";

/*
 * Renews a lease that is still held, or gives it back. Arguments: host, id, milliseconds that the
 * entry is idle from now, and how many of its deliveries do not count.
 */
static const char hold_script[] =
	"local p = redis.call('XPENDING', KEYS[1], 'work', ARGV[2], ARGV[2], 1)[1]\n"
	"if not p or p[2] ~= ARGV[1] then return 0 end\n"
	"redis.call('XCLAIM', KEYS[1], 'work', ARGV[1], 0, ARGV[2], 'IDLE', ARGV[3],\n"
	"  'RETRYCOUNT', math.max(p[4] - ARGV[4], 0), 'JUSTID')\n"
	"return 1";

/* No connection, no tasks, no cancel: whoever asked without an answer asks again later. */
static bool
is_useless(struct hand *h, const struct redis_reply *reply)
{
	/* The stream is there and its group is not: ts-share is about to make it. */
	if (redis_kind(reply) == REDIS_KIND_ERROR && strstr(redis_text(reply).p, "NOGROUP") != NULL)
		return true;
	return share_failed(h->share, reply);
}

static void
on_gate(void *data, const struct redis_reply *reply)
{
	struct held *t = data;
	struct hand *h = t->hand;

	/* It is asked again over the next connection. */
	if (is_useless(h, reply))
		return;
	if (redis_integer(reply) == 1) {
		h->accepted++;
	} else {
		h->dropped++;
		log_info("a verdict was dropped: another host was first, or the job is over: %.*s",
			(int)(t->key_n < 100 ? t->key_n : 100), t->key);
	}
	hand_drop(h, t);
	h->due = 0;
}

void
lease_gate(struct held *t)
{
	const struct share_job *j = &t->job->shared;
	struct buffer *packed = &t->hand->key;
	const char *field = share_pack(j, buffer_slice(&t->verdict), packed);

	SHARE_CALL(t->hand->share, on_gate, t, slice_of("EVAL"), slice_of(gate_script),
		slice_of("2"), buffer_slice(&j->tasks), buffer_slice(&j->verdicts),
		buffer_slice(&t->id), buffer_slice(packed), slice_of(field));
}

static void
on_done(void *data, const struct redis_reply *reply)
{
	(void)is_useless(data, reply);
}

/* What is not a verdict goes with its job; of no job, with the first that is worked on. */
void
lease_pass(struct hand *h, struct slice job_id, struct slice line)
{
	const struct work_job *j = h->jobs;

	while (j != NULL && (job_id.p == NULL ? j->held == 0 : !slice_eq(j->shared.id, job_id)))
		j = j->next;
	if (j == NULL || redis_room(h->share->link.redis) < LEASE_ROOM || !share_ready(h->share))
		return;
	SHARE_CALL(h->share, on_done, h, slice_of("EVAL"), slice_of(pass_script), slice_of("2"),
		buffer_slice(&j->shared.tasks), buffer_slice(&j->shared.verdicts), line);
}

static void
hold_entry(const struct work_job *j, struct slice id, const char *idle, const char *uncounted)
{
	struct hand *h = j->hand;

	SHARE_CALL(h->share, on_done, h, slice_of("EVAL"), slice_of(hold_script), slice_of("1"),
		buffer_slice(&j->shared.tasks), buffer_slice(&h->name), id, slice_of(idle),
		slice_of(uncounted));
}

static void
on_taken(void *data, const struct redis_reply *reply)
{
	struct work_job *j = data;
	struct hand *h = j->hand;
	const struct redis_reply *id;

	h->asking--;
	if (is_useless(h, reply))
		return;
	/* Its ts-share died at its end, a day ago; one that is alive has it there again soon. */
	if (redis_kind(reply) == REDIS_KIND_NIL)
		SHARE_CALL(h->share, on_done, h, slice_of("SREM"), slice_of(SHARE_JOBS),
			buffer_slice(&j->shared.name));
	for (size_t i = 0; (id = redis_item(reply, i)) != NULL; i += 3) {
		const struct redis_reply *n = redis_item(reply, i + 1),
					 *line = redis_item(reply, i + 2);

		if (n == NULL)
			h->lone = j;
		else if (line != NULL &&
			 (h->given || h->child->in < 0 ||
				 !hand_take(j, redis_text(id), redis_integer(n), redis_text(line))))
			hold_entry(j, redis_text(id), GIVEN_BACK, "1");
	}
	if (h->asking == 0 && h->got)
		h->due = 0;
}

static void
ask_tasks(struct work_job *j, size_t want, size_t in_hand)
{
	struct hand *h = j->hand;
	struct buffer b = {0};
	size_t lease, tries, count, held;

	buffer_int(&b, h->lease);
	lease = b.len;
	buffer_uint(&b, h->tries);
	tries = b.len;
	buffer_uint(&b, want);
	count = b.len;
	buffer_uint(&b, in_hand);
	held = b.len;
	h->asking++;
	SHARE_CALL(h->share, on_taken, j, slice_of("EVAL"), slice_of(take_script), slice_of("1"),
		buffer_slice(&j->shared.tasks), buffer_slice(&h->name), {b.p, lease},
		{b.p + lease, tries - lease}, {b.p + tries, count - tries},
		{b.p + count, held - count});
	buffer_release(&b);
}

/* The job whose turn it is, which is the last one then. */
static struct work_job *
next_job(struct hand *h)
{
	struct work_job *j = h->jobs, **end = &h->jobs->next;

	if (j->next == NULL)
		return j;
	while (*end != NULL)
		end = &(*end)->next;
	h->jobs = j->next;
	*end = j;
	j->next = NULL;
	return j;
}

/* All jobs by turns. One of which nothing is in hand gets one, however full the hand is. */
static void
ask_all(struct hand *h)
{
	size_t most = (size_t)h->parallel * 2, held = hand_size(h), jobs = 0, each;
	struct work_job *lone = h->lone;

	h->got = false;
	if (h->alone || (lone != NULL && held > 0))
		return;
	h->lone = NULL;
	if (lone != NULL) {
		ask_tasks(lone, 1, 0);
		return;
	}
	for (const struct work_job *j = h->jobs; j != NULL; j = j->next)
		jobs++;
	each = jobs == 0 || held >= most ? 0 : (most - held + jobs - 1) / jobs;
	for (; jobs > 0 && held < most + h->parallel; jobs--) {
		struct work_job *j = next_job(h);
		size_t want = each > 0 ? each : j->held == 0;

		if (want > 0)
			ask_tasks(j, want, held);
		held += want;
	}
}

static void
on_jobs(void *data, const struct redis_reply *reply)
{
	struct hand *h = data;
	const struct redis_reply *id;

	h->asking--;
	if (is_useless(h, reply))
		return;
	for (struct work_job *j = h->jobs; j != NULL; j = j->next)
		j->seen = false;
	for (size_t i = 0; (id = redis_item(reply, i)) != NULL; i++)
		hand_job(h, redis_text(id))->seen = true;
	hand_forget_unseen(h);
	if (!h->given && h->child->in >= 0)
		ask_all(h);
}

/* Renews the lease of each task, or gives it back. */
void
lease_hold(struct hand *h, const char *idle, const char *uncounted)
{
	for (struct held *t = h->table; t != NULL; t = t->hh.next)
		hold_entry(t->job, buffer_slice(&t->id), idle, uncounted);
}

void
lease_look(struct hand *h)
{
	h->asking++;
	SHARE_CALL(h->share, on_jobs, h, slice_of("SMEMBERS"), slice_of(SHARE_JOBS));
}
