/* Connects again after waits that grow. */
#include "redis_link.h"

#include "log.h"

static void
note_loss(struct redis_link *l, bool denied, int64_t now)
{
	l->denied = l->denied || (denied && !l->ever);
	if (!l->away && !l->denied)
		log_warning("%s Redis: %s; %strying again until it answers",
			l->ever ? "lost" : "cannot connect to", redis_why(l->redis),
			l->meanwhile == NULL ? "" : l->meanwhile);
	else
		log_debug("Redis: %s", redis_why(l->redis));
	l->away = true;
	backoff_failed(&l->backoff, now);
}

enum redis_event
redis_link_serve(struct redis_link *l, short revents, int64_t now)
{
	enum redis_event event = redis_serve(l->redis, revents, now);

	if (event == REDIS_EVENT_LOST || event == REDIS_EVENT_DENIED) {
		note_loss(l, event == REDIS_EVENT_DENIED, now);
		event = l->denied ? REDIS_EVENT_DENIED : REDIS_EVENT_LOST;
	}
	if (redis_down(l->redis) && now >= l->backoff.due && !l->denied)
		redis_connect(l->redis, now);
	return event;
}

int64_t
redis_link_deadline(const struct redis_link *l)
{
	if (!redis_down(l->redis))
		return redis_deadline(l->redis);
	return l->denied ? INT64_MAX : l->backoff.due;
}

void
redis_link_recovered(struct redis_link *l, int64_t now)
{
	if (l->away)
		log_info("Redis is %s", l->ever ? "back" : "there now");
	l->away = false;
	l->ever = true;
	backoff_succeeded(&l->backoff, now);
}

void
redis_link_refuse(struct redis_link *l, const char *why)
{
	l->denied = !l->ever;
	redis_abandon(l->redis, why);
}
