/* HTTP: a thread for each connection, so that a delayed or stalled reply holds up no other. */
#include "serve.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "data.h"
#include "send.h"

#define CONNECTIONS 256
#define CONTROL "/sim/"
#define NOW CONTROL "now/"   /* and then a moment */
#define HOLD CONTROL "hold/" /* and then how many requests are answered before all others wait */
#define GO CONTROL "go"	     /* they wait no longer */

struct server {
	struct server_options options;
	struct MHD_Daemon *daemon;
	int stop[2];	      /* a pipe; readable from server_stop on */
	pthread_mutex_t lock; /* of the quota, of now and of left */
	int64_t now;	      /* ms; -1: the wall clock */
	bool told;	      /* now was told by a request */
	long left;	      /* so many requests may still be answered; -1: all */
	int64_t *times;	      /* the last ${quota} accepted requests, a ring */
	size_t at;
};

struct request {
	int64_t arrived; /* monotonic ms */
	bool begun;
	char uri[]; /* as sent, percent-encoded */
};

static int64_t
clock_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t
read_now(struct server *srv, bool *told)
{
	int64_t now;

	pthread_mutex_lock(&srv->lock);
	now = srv->now;
	*told = srv->told;
	pthread_mutex_unlock(&srv->lock);
	return now >= 0 ? now : clock_ms(CLOCK_REALTIME);
}

/* What is asked from here on is asked at this moment. */
static void
tell_now(struct server *srv, const char *text, struct reply *r)
{
	int64_t now;

	if (ny_parse_instant(text, &now) != 0) {
		reply_set(r, 400, API_ERROR("not a moment"));
		return;
	}
	pthread_mutex_lock(&srv->lock);
	srv->now = now;
	srv->told = true;
	pthread_mutex_unlock(&srv->lock);
	reply_set(r, 200, "ok\n");
}

static void
hold(struct server *srv, long left, struct reply *r)
{
	pthread_mutex_lock(&srv->lock);
	srv->left = left;
	pthread_mutex_unlock(&srv->lock);
	reply_set(r, 200, "ok\n");
}

/* A request waits for its turn while all are held. */
static void
wait_for_turn(struct server *srv)
{
	bool held;

	do {
		pthread_mutex_lock(&srv->lock);
		held = srv->left == 0;
		if (srv->left > 0)
			srv->left--;
		pthread_mutex_unlock(&srv->lock);
	} while (held && !send_wait(srv->stop[0], 5));
}

static bool
over_quota(struct server *srv, int64_t now)
{
	bool over;

	if (srv->options.quota == 0)
		return false;
	pthread_mutex_lock(&srv->lock);
	over = srv->times[srv->at] != 0 && now - srv->times[srv->at] < 60000;
	if (!over) {
		srv->times[srv->at] = now;
		srv->at = (srv->at + 1) % (size_t)srv->options.quota;
	}
	pthread_mutex_unlock(&srv->lock);
	return over;
}

/* Return true if the reply is that the key will not do. */
static bool
refused(const struct server *srv, struct MHD_Connection *con, struct reply *r)
{
	const char *h =
		MHD_lookup_connection_value(con, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);

	if (srv->options.key == NULL)
		return false;
	if (h == NULL || h[0] == '\0')
		reply_set(r, 401, body_no_key);
	else if (strncmp(h, "Bearer ", 7) != 0 || strcmp(h + 7, srv->options.key) != 0)
		reply_set(r, 401, body_unknown_key);
	else
		return false;
	return true;
}

static void
set_query_error(struct reply *r, enum query_error err)
{
	switch (err) {
	case QUERY_FROM:
		reply_set(r, 400, body_bad_from);
		break;
	case QUERY_TO:
		reply_set(r, 400,
			API_ERROR("Could not parse the time parameter: 'to'. "
				  "Use YYYY-MM-DD or Unix MS Timestamps"));
		break;
	case QUERY_ORDER:
		reply_set(r, 400,
			API_ERROR("The parameter 'to' cannot be a time that occurs before 'from'"));
		break;
	case QUERY_PARAMETER:
		reply_set(r, 400, API_ERROR("Could not parse a query parameter"));
		break;
	default:
		reply_set(r, 404, body_not_found);
	}
}

static void
spoil_body(struct text *body, enum body_fault fault)
{
	size_t half = body->off + (body->len - body->off) / 2;
	char *colon;

	if (fault == BODY_CUT_JSON) {
		body->len = half;
		return;
	}
	if ((colon = memchr(body->p + half, ':', body->len - half)) != NULL)
		*colon = ';';
}

/* The bars, recorded or made, with the fault in them. */
static void
set_page(struct server *srv, const struct query *q, const char *uri, const struct fault *f,
	bool gzip, struct reply *r)
{
	struct page_order order = {.market = {.cal = srv->options.cal,
					   .events = srv->options.events,
					   .universe = srv->options.universe},
		.defect = f->defect,
		.split = f->split};
	bool told;
	char id[40];

	r->status = 200;
	r->type = TYPE_JSON;
	order.market.now = read_now(srv, &told);
	r->lasting = f->class == FAULT_NONE && srv->options.now >= 0 && !told;
	if (r->lasting && memo_get(srv->options.memo, uri, gzip, &r->body)) {
		r->kept = true;
		/* Two bytes that no JSON begins with. */
		r->gzip = (unsigned char)r->body.p[r->body.off] == 0x1f;
		return;
	}
	if (!recorded_page(srv->options.recorded, q, uri, &r->body)) {
		snprintf(id, sizeof id, "%016llx%016llx", (unsigned long long)sim_hash(uri),
			(unsigned long long)sim_mix(sim_hash(uri), 2));
		order.request_id = id;
		order.fault = f->class == FAULT_PAGE ? (enum page_fault)f->code : PAGE_PLAIN;
		page_write(&order, q, &r->body);
	}
	if (f->class == FAULT_BODY)
		spoil_body(&r->body, (enum body_fault)f->code);
	if (f->class == FAULT_SEND)
		r->how = (enum send_fault)f->code;
}

static void
make_reply(struct server *srv, struct MHD_Connection *con, const struct request *req,
	const char *method, struct reply *r)
{
	enum query_error err;
	struct query q;
	struct fault f;

	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0) {
		reply_set(r, 405, body_not_found);
	} else if (strcmp(req->uri, "/sim/health") == 0) {
		reply_set(r, 200, "ok\n");
		r->type = "text/plain";
	} else if (strncmp(req->uri, NOW, strlen(NOW)) == 0) {
		tell_now(srv, req->uri + strlen(NOW), r);
	} else if (strncmp(req->uri, HOLD, strlen(HOLD)) == 0) {
		hold(srv, strtol(req->uri + strlen(HOLD), NULL, 10), r);
	} else if (strcmp(req->uri, GO) == 0) {
		hold(srv, -1, r);
	} else if (refused(srv, con, r)) {
		return;
	} else if (over_quota(srv, req->arrived)) {
		reply_set(r, 429, body_rate);
	} else if ((err = query_parse(req->uri, srv->options.max_limit, &q)) != QUERY_OK) {
		set_query_error(r, err);
	} else {
		faults_take(srv->options.faults, &q, &f);
		r->retry = f.number;
		if (f.class == FAULT_REPLY)
			reply_set(r, f.code, f.body);
		else if (f.class != FAULT_RECORDED)
			set_page(srv, &q, req->uri, &f, wants_gzip(con), r);
		else if (recorded_error(srv->options.recorded, f.number, &r->status, &r->body))
			r->retry = -1;
		else
			reply_set(r, 500, "no such recorded body\n");
	}
}

/* One write for each line. A key given in the query does not get into the log. */
static void
log_request(const struct server *srv, struct MHD_Connection *con, const struct request *req,
	int status, size_t bytes)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(con, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr_in *peer =
		(const struct sockaddr_in *)(const void *)info->client_addr;
	char line[3072], *key, *p;
	int n;

	if (srv->options.log < 0)
		return;
	n = snprintf(line, sizeof line - 1, "%lld %u %d %zu %s", (long long)req->arrived,
		ntohs(peer->sin_port), status, bytes, req->uri);
	if (n > (int)sizeof line - 2)
		n = (int)sizeof line - 2;
	for (p = line; *p != '\0'; p++)
		if (*p < ' ')
			*p = '?';
	if ((key = strstr(line, "apiKey=")) != NULL)
		for (key += 7; *key != '\0' && *key != '&'; key++)
			*key = '*';
	line[n++] = '\n';
	if (write(srv->options.log, line, (size_t)n) != n)
		fprintf(stderr, "ts-sim: error: cannot write the log\n");
}

static enum MHD_Result
answer(void *cls, struct MHD_Connection *con, const char *url, const char *method,
	const char *version, const char *data, size_t *size, void **con_cls)
{
	struct server *srv = cls;
	struct request *req = *con_cls;
	struct reply r = {.status = 200, .type = TYPE_JSON, .retry = -1};
	size_t length;
	bool control;

	(void)url;
	(void)version;
	(void)data;
	if (req == NULL)
		return MHD_NO;
	if (!req->begun || *size > 0) {
		req->begun = true;
		*size = 0;
		return MHD_YES;
	}
	control = strncmp(req->uri, CONTROL, strlen(CONTROL)) == 0;
	if (!control) {
		send_wait(srv->stop[0], srv->options.latency);
		wait_for_turn(srv);
	}
	make_reply(srv, con, req, method, &r);
	length = reply_encode(&r, con);
	if (r.lasting && !r.kept)
		r.kept = memo_put(srv->options.memo, req->uri, wants_gzip(con), &r.body);
	if (!control)
		log_request(srv, con, req, r.how == SEND_RESET ? 0 : r.status, length);
	return reply_send(&r, con, srv->stop[0]);
}

/* Called with the request line, before it is parsed. */
static void *
note_uri(void *cls, const char *uri, struct MHD_Connection *con)
{
	size_t n = strlen(uri) + 1;
	struct request *req = malloc(sizeof *req + n);

	(void)cls;
	(void)con;
	if (req == NULL)
		return NULL;
	req->arrived = clock_ms(CLOCK_MONOTONIC);
	req->begun = false;
	memcpy(req->uri, uri, n);
	return req;
}

static void
completed(
	void *cls, struct MHD_Connection *con, void **con_cls, enum MHD_RequestTerminationCode code)
{
	(void)cls;
	(void)con;
	(void)code;
	free(*con_cls);
	*con_cls = NULL;
}

/* The path is decoded here, not by the library. */
static size_t
leave_escaped(void *cls, struct MHD_Connection *con, char *s)
{
	(void)cls;
	(void)con;
	return strlen(s);
}

static int
listen_on(struct server *srv, uint16_t *port)
{
	const union MHD_DaemonInfo *info;
	struct sockaddr_in addr;

	memset(&addr, 0, sizeof addr);
	addr.sin_family = AF_INET;
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	addr.sin_port = htons(*port);
	srv->daemon = MHD_start_daemon(
		MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL,
		*port, NULL, NULL, answer, srv, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&addr,
		MHD_OPTION_URI_LOG_CALLBACK, note_uri, NULL, MHD_OPTION_NOTIFY_COMPLETED, completed,
		NULL, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS, MHD_OPTION_THREAD_STACK_SIZE,
		(size_t)256 * 1024, MHD_OPTION_END);
	if (srv->daemon == NULL)
		return -1;
	if ((info = MHD_get_daemon_info(srv->daemon, MHD_DAEMON_INFO_BIND_PORT)) == NULL)
		return -1;
	*port = info->port;
	return 0;
}

struct server *
server_start(const struct server_options *options, uint16_t *port)
{
	struct server *srv = calloc(1, sizeof *srv);

	if (srv == NULL)
		return NULL;
	srv->options = *options;
	srv->now = options->now;
	srv->left = -1;
	srv->stop[0] = srv->stop[1] = -1;
	pthread_mutex_init(&srv->lock, NULL);
	srv->times = calloc((size_t)options->quota + 1, sizeof *srv->times);
	if (srv->times == NULL || pipe(srv->stop) != 0 || listen_on(srv, port) != 0) {
		server_stop(srv);
		return NULL;
	}
	return srv;
}

void
server_stop(struct server *srv)
{
	if (srv == NULL)
		return;
	if (srv->stop[1] >= 0 && write(srv->stop[1], "", 1) != 1)
		fprintf(stderr, "ts-sim: error: cannot wake the connections\n");
	if (srv->daemon != NULL)
		MHD_stop_daemon(srv->daemon);
	if (srv->stop[0] >= 0)
		close(srv->stop[0]);
	if (srv->stop[1] >= 0)
		close(srv->stop[1]);
	pthread_mutex_destroy(&srv->lock);
	free(srv->times);
	free(srv);
}
