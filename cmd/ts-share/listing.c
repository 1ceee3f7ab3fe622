/* ts-share -l: what is shared now. One question a job, so that its line is of one moment. */
#include "listing.h"

#include "log.h"
#include "signals.h"
#include "timestamp.h"

#include <inttypes.h>
#include <poll.h>

enum { PATIENCE_MS = 10000 };

/*
 * Answers the id that it is given, tasks in the stream, verdicts, then for each host name, tasks in
 * hand, milliseconds since its last word, and of its tasks the longest time since a word of it and
 * the most deliveries.
 */
static const char job_script[] =
	"local k, v = KEYS[1], KEYS[2]\n"
	"if redis.call('EXISTS', k) == 0 then return {} end\n"
	"local out = {ARGV[1], redis.call('XLEN', k), redis.call('XLEN', v)}\n"
	"for _, c in ipairs(redis.call('XINFO', 'CONSUMERS', k, 'work')) do\n"
	"  local idle, most = 0, 0\n"
	"  for _, p in ipairs(redis.call('XPENDING', k, 'work', '-', '+', 1000, c[2])) do\n"
	"    idle = math.max(idle, p[3]) most = math.max(most, p[4])\n"
	"  end\n"
	"  for _, x in ipairs({c[2], c[4], c[6], idle, most}) do out[#out + 1] = x end\n"
	"end\n"
	"return out";

struct listing {
	struct share *share;
	struct writer *out;
	bool asked;
	size_t waiting; /* answers */
	size_t jobs;
};

static int64_t
number_at(const struct redis_reply *reply, size_t i)
{
	return redis_integer(redis_item(reply, i));
}

static void
on_job(void *data, const struct redis_reply *reply)
{
	enum { FIRST = 3, COLUMNS = 5, WIDTH = 41 };
	struct listing *t = data;
	struct buffer *to = writer_room(t->out);
	int64_t in_hand = 0;

	t->waiting--;
	if (share_failed(t->share, reply) || redis_item(reply, 0) == NULL)
		return;
	for (size_t i = FIRST; redis_item(reply, i) != NULL; i += COLUMNS)
		in_hand += number_at(reply, i + 1);
	t->jobs++;
	buffer_str(to, "job ");
	buffer_shown(to, redis_text(redis_item(reply, 0)));
	buffer_printf(to, ": %" PRId64 " tasks waiting, %" PRId64 " in hand, %" PRId64 " done\n",
		number_at(reply, 1) - in_hand, in_hand, number_at(reply, 2));
	for (size_t i = FIRST; redis_item(reply, i) != NULL; i += COLUMNS) {
		size_t start = to->len, width;

		buffer_str(to, "    ");
		buffer_shown(to, redis_text(redis_item(reply, i)));
		width = to->len - start;
		buffer_printf(to,
			"%*s%3" PRId64 " in hand, idle %" PRId64 " s, deliveries %" PRId64
			", seen %" PRId64 " s ago\n",
			width < WIDTH + 4 ? (int)(WIDTH + 4 - width) : 1, "",
			number_at(reply, i + 1), number_at(reply, i + 3) / 1000,
			number_at(reply, i + 4), number_at(reply, i + 2) / 1000);
	}
	writer_done(t->out);
}

static void
on_jobs(void *data, const struct redis_reply *reply)
{
	struct listing *t = data;
	const struct redis_reply *name;

	t->waiting--;
	if (share_failed(t->share, reply))
		return;
	for (size_t i = 0; (name = redis_item(reply, i)) != NULL; i++) {
		struct share_job j;

		if (redis_room(t->share->link.redis) == 0)
			break;
		share_job_init(&j, redis_text(name));
		t->waiting++;
		SHARE_CALL(t->share, on_job, t, slice_of("EVAL"), slice_of(job_script),
			slice_of("2"), buffer_slice(&j.tasks), buffer_slice(&j.verdicts), j.id);
		share_job_release(&j);
	}
}

int
listing_show(struct share *s, struct writer *out)
{
	int64_t start = clock_mono_ms(), now = start;
	struct listing t = {.share = s, .out = out};
	int status = STATUS_SERVICE;

	while (now < start + PATIENCE_MS && !signals_stop() && !s->refused &&
		!(t.asked && t.waiting == 0)) {
		struct pollfd fds[2] = {
			{.fd = signals_fd(), .events = POLLIN}, redis_pollfd(s->link.redis)};
		int64_t due = redis_link_deadline(&s->link);

		due = due < start + PATIENCE_MS ? due : start + PATIENCE_MS;
		if (poll(fds, 2, clock_wait_ms(due, now)) < 0)
			fds[1].revents = 0;
		now = clock_mono_ms();
		if (share_serve(s, fds[1].revents, now) == REDIS_EVENT_READY) {
			t.asked = true;
			t.waiting++;
			SHARE_CALL(s, on_jobs, &t, slice_of("SMEMBERS"), slice_of(SHARE_JOBS));
		}
	}
	if (s->refused) {
		log_error("Redis: %s", s->refusal);
		status = STATUS_USAGE;
	} else if (t.asked && t.waiting == 0 && !s->link.away) {
		if (t.jobs == 0)
			writer_line(out, slice_of("no job is shared"));
		status = STATUS_DONE;
	}
	return status;
}
