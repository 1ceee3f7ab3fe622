/* The keys of jobs that several hosts share, and the server that keeps them. */
#include "share.h"

#include "log.h"
#include "spool.h"

#include <stdio.h>
#include <string.h>

void
share_job_init(struct share_job *j, struct slice name)
{
	char coded[SPOOL_NAME_SIZE];
	size_t run = slice_until(name, ":");

	*j = (struct share_job){0};
	buffer_add(&j->name, name.p, name.n);
	j->id = buffer_slice(&j->name);
	if (run < name.n)
		j->id = slice_after(j->id, run + 1);
	spool_name(coded, name, "");
	buffer_printf(&j->tasks, "tickstock.share:{%s}:tasks", coded);
	buffer_printf(&j->verdicts, "tickstock.share:{%s}:verdicts", coded);
	buffer_str(&j->member, "\"job_id\":");
	buffer_json(&j->member, j->id);
	buffer_byte(&j->member, ',');
}

void
share_job_release(struct share_job *j)
{
	buffer_release(&j->name);
	buffer_release(&j->tasks);
	buffer_release(&j->verdicts);
	buffer_release(&j->member);
}

/* Where the job_id stands in a verdict: behind {"type":"stored", or {"type":"failed", */
enum { ID_AT = 17 };

const char *
share_pack(const struct share_job *j, struct slice line, struct buffer *to)
{
	size_t behind = ID_AT + j->member.len;

	buffer_set(to, line);
	if (line.n <= behind || memcmp(line.p + ID_AT, j->member.p, j->member.len) != 0)
		return SHARE_WHOLE;
	to->len = ID_AT;
	buffer_add(to, line.p + behind, line.n - behind);
	return SHARE_SHORT;
}

void
share_unpack(const struct share_job *j, struct slice field, struct slice packed, struct buffer *to)
{
	size_t before = slice_is(field, SHARE_SHORT) && packed.n > ID_AT ? ID_AT : packed.n;

	to->len = 0;
	buffer_add(to, packed.p, before);
	if (before == packed.n)
		return;
	buffer_add(to, j->member.p, j->member.len);
	buffer_add(to, packed.p + before, packed.n - before);
}

void
share_natural(struct buffer *b, const struct record *r)
{
	const struct slice part[] = {r->job_id, r->symbol, r->timeframe, r->from, r->to};

	b->len = 0;
	for (size_t i = 0; i < sizeof part / sizeof part[0]; i++) {
		if (part[i].p != NULL)
			buffer_add(b, part[i].p, part[i].n);
		/* No string of a record holds it. */
		buffer_byte(b, '\0');
	}
}

void
share_init(struct share *s, const struct redis_url *url)
{
	*s = (struct share){.link = {.redis = redis_new(url, NULL, NULL)}};
}

bool
share_ready(const struct share *s)
{
	return s->announced && !s->refused && redis_ready(s->link.redis);
}

/* Gives up, with that reason. */
static void
refuse_server(struct share *s, const char *why)
{
	if (!s->refused)
		(void)snprintf(s->refusal, sizeof s->refusal, "%s", why);
	s->refused = true;
}

/* Whether an error holds these words. */
static bool
says_words(const struct redis_reply *reply, const char *words)
{
	return strstr(redis_text(reply).p, words) != NULL;
}

bool
share_failed(struct share *s, const struct redis_reply *reply)
{
	if (reply == NULL)
		return true;
	if (redis_kind(reply) != REDIS_KIND_ERROR)
		return false;
	if (says_words(reply, "MOVED") || says_words(reply, "CROSSSLOT"))
		refuse_server(s, "this server is one of a cluster and other keys are elsewhere: "
				 "what works is a "
				 "single server, Sentinel, or one node that has all slots");
	else if (says_words(reply, "nknown command") || says_words(reply, "nknown Redis command"))
		refuse_server(s, "this Redis has no streams: 6.2 or newer is needed");
	else if (says_words(reply, "NOPERM") || says_words(reply, "WRONGTYPE") ||
		 says_words(reply, "can't run this command"))
		refuse_server(s, redis_text(reply).p);
	else
		redis_abandon(s->link.redis, redis_text(reply).p);
	return true;
}

/* The value of a line "name:value" of INFO; absent when there is none. */
static struct slice
info_value(struct slice text, const char *name)
{
	while (text.n > 0) {
		struct slice line = slice_part(&text, "\r\n");

		if (slice_is(slice_part(&line, ":"), name))
			return line;
	}
	return (struct slice){0};
}

/* Whether a version is older than 6.2, which has brought XPENDING IDLE. */
static bool
too_old(struct slice version)
{
	uint64_t major, minor;

	return slice_count(slice_part(&version, "."), &major) == 0 &&
	       slice_count(slice_part(&version, "."), &minor) == 0 &&
	       (major < 6 || (major == 6 && minor < 2));
}

static void
on_info(void *data, const struct redis_reply *reply)
{
	struct share *s = data;
	struct slice text, policy;
	char why[200];

	if (reply == NULL)
		return;
	s->checked = true;
	text = redis_text(reply);
	/* Who may not ask goes on. */
	if (redis_kind(reply) != REDIS_KIND_STRING)
		return;
	policy = info_value(text, "maxmemory_policy");
	if (too_old(info_value(text, "redis_version"))) {
		refuse_server(s, "this Redis has no streams as they are needed: 6.2 or newer is");
	} else if (policy.p != NULL && !slice_is(policy, "noeviction")) {
		(void)snprintf(why, sizeof why,
			"maxmemory-policy is %.*s, which throws tasks away: set it to noeviction",
			(int)(policy.n < 40 ? policy.n : 40), policy.p);
		refuse_server(s, why);
	} else if (slice_is(info_value(text, "aof_enabled"), "0") && !s->lossy) {
		s->lossy = true;
		log_warning("Redis keeps no append-only file (appendonly no): when it dies, tasks "
			    "are handed out again");
	}
}

enum redis_event
share_serve(struct share *s, short revents, int64_t now)
{
	enum redis_event event = redis_link_serve(&s->link, revents, now);

	if (event == REDIS_EVENT_READY && s->any)
		s->checked = true;
	else if (event == REDIS_EVENT_READY)
		SHARE_CALL(s, on_info, s, slice_of("INFO"));
	else if (event != REDIS_EVENT_NONE)
		s->checked = s->announced = false;
	if (event == REDIS_EVENT_DENIED)
		refuse_server(s, redis_why(s->link.redis));
	if (s->refused)
		return REDIS_EVENT_DENIED;
	if (event == REDIS_EVENT_LOST)
		return event;
	if (!s->checked || s->announced)
		return REDIS_EVENT_NONE;
	s->announced = true;
	redis_link_recovered(&s->link, now);
	return REDIS_EVENT_READY;
}
