/* What Redis has answered, as hiredis parsed it. */
#include "redis_reply.h"

#include <hiredis/hiredis.h>

#include <string.h>

enum redis_kind
redis_kind(const struct redis_reply *reply)
{
	const redisReply *r = (const redisReply *)(const void *)reply;

	switch (r == NULL ? REDIS_REPLY_NIL : r->type) {
	case REDIS_REPLY_STRING:
	case REDIS_REPLY_STATUS:
		return REDIS_KIND_STRING;
	case REDIS_REPLY_ERROR:
		return REDIS_KIND_ERROR;
	case REDIS_REPLY_ARRAY:
		return REDIS_KIND_ARRAY;
	case REDIS_REPLY_INTEGER:
		return REDIS_KIND_INTEGER;
	default:
		return REDIS_KIND_NIL;
	}
}

struct slice
redis_text(const struct redis_reply *reply)
{
	const redisReply *r = (const redisReply *)(const void *)reply;
	enum redis_kind kind = redis_kind(reply);

	if (kind != REDIS_KIND_STRING && kind != REDIS_KIND_ERROR)
		return (struct slice){0};
	return (struct slice){r->str, r->len};
}

int64_t
redis_integer(const struct redis_reply *reply)
{
	const redisReply *r = (const redisReply *)(const void *)reply;

	return redis_kind(reply) == REDIS_KIND_INTEGER ? r->integer : 0;
}

const struct redis_reply *
redis_item(const struct redis_reply *reply, size_t i)
{
	const redisReply *r = (const redisReply *)(const void *)reply;

	if (redis_kind(reply) != REDIS_KIND_ARRAY || i >= r->elements)
		return NULL;
	return (const struct redis_reply *)(const void *)r->element[i];
}

const struct redis_reply *
redis_stream_entry(const struct redis_reply *reply, size_t i)
{
	return redis_item(redis_item(redis_item(reply, 0), 1), i);
}

bool
redis_is_error(const struct redis_reply *reply, const char *word)
{
	struct slice s = redis_text(reply);
	size_t n = strlen(word);

	return redis_kind(reply) == REDIS_KIND_ERROR && s.n >= n && memcmp(s.p, word, n) == 0;
}
