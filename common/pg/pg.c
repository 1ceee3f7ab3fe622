/*
 * A connection with deadlines, and patience when it is lost or slow. Nothing here knows about bars.
 */
#include "impl.h"

#include "log.h"
#include "timestamp.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	MOST_MS = 600000, /* of a statement that gets more time each time */
	SAY_MS = 1000,	  /* a trouble that is over sooner is not worth a word */
	SPARE_MS = 15000, /* how much longer the server's answer is waited for */
};

struct pg *
pg_new(const struct pg_options *o)
{
	struct pg *p = memory_grow(NULL, 1, sizeof *p);

	*p = (struct pg){.o = *o};
	return p;
}

void
pg_hang_up(struct pg *p)
{
	PQfinish(p->conn);
	p->conn = NULL;
}

void
pg_free(struct pg *p)
{
	if (p == NULL)
		return;
	pg_hang_up(p);
	free(p);
}

bool
pg_ever(const struct pg *p)
{
	return p->ever;
}

const char *
pg_why(const struct pg *p)
{
	return p->why;
}

const PGconn *
pg_conn(const struct pg *p)
{
	return p->conn;
}

/* Also the time of the transaction as a whole, which servers have since 17. */
static const char raise_sql[] =
	"%s, set_config('statement_timeout', '%" PRId64 "', true),"
	" (SELECT set_config(name, '0', true) FROM pg_catalog.pg_settings WHERE name = "
	"'transaction_timeout')";

const char *
pg_settings(struct pg *p)
{
	if (p->raised == 0)
		return p->o.settings;
	(void)snprintf(p->settings, sizeof p->settings, raise_sql, p->o.settings, p->raised);
	return p->settings;
}

int64_t
pg_allowed(const struct pg *p)
{
	return p->raised > 0 ? p->raised : p->limit;
}

void
pg_allow(struct pg *p, int64_t ms)
{
	if (p->raised > 0)
		p->raised = ms > MOST_MS ? MOST_MS : ms > p->limit ? ms : 0;
}

/* Gives a statement that took too long twice the time; false where it has had the most. */
static bool
allow_twice(struct pg *p)
{
	int64_t now = pg_allowed(p);

	if (now <= 0 || now >= MOST_MS)
		return false;
	p->raised = 2 * now > MOST_MS ? MOST_MS : 2 * now;
	log_info("Postgres: %s: trying again with %.1f s", p->why, (double)p->raised / 1000);
	return true;
}

/* Waits for a descriptor, -1 for none. */
static enum outcome
wait_for(const struct pg *p, int fd, short *events, int64_t until)
{
	for (;;) {
		struct pollfd fds[3] = {{.fd = fd, .events = *events},
			{.fd = p->o.stop_fd, .events = POLLIN}, {.fd = p->o.out_fd}};
		int64_t left = until - clock_mono_ms();
		int n = poll(fds, 3, left < 0 ? 0 : (int)left);

		if (n > 0 && (fds[1].revents != 0 || (fds[2].revents & POLLERR) != 0))
			return PG_STOP;
		if (n > 0) {
			*events = fds[0].revents;
			return PG_OK;
		}
		if ((n < 0 && errno != EINTR) || left <= 0)
			return PG_LOST;
	}
}

enum outcome
pg_wait(struct pg *p, short *events, int64_t until)
{
	enum outcome o = wait_for(p, PQsocket(p->conn), events, until);

	if (o == PG_STOP) {
		PGcancel *cancel = PQgetCancel(p->conn);
		char text[256];

		/* The server would go on for nobody. */
		if (cancel != NULL)
			(void)PQcancel(cancel, text, sizeof text);
		PQfreeCancel(cancel);
		pg_hang_up(p);
		return pg_fail(p, PG_STOP, "told to stop");
	}
	return o;
}

enum outcome
pg_wait_answer(struct pg *p, short *events)
{
	int64_t raised = p->raised > 0 ? p->raised + SPARE_MS : 0;
	int64_t silence = raised > p->o.silence_ms ? raised : p->o.silence_ms;
	enum outcome o = pg_wait(p, events, clock_mono_ms() + silence);

	if (o == PG_LOST) {
		/* One that is still to be ended holds more than this, which was to end it. */
		if (p->behind.pid[0] == '\0')
			p->behind = p->backend;
		return pg_lost(p, "the server gives no sign of life");
	}
	return o;
}

/*
 * A connection that rested while another one met the trouble and told of it is found dead when all
 * is over: that is not news. If the server cannot be reached now, it is.
 */
static bool
is_old_news(const struct pg *p, bool first)
{
	return first && p->conn == NULL && p->made != 0 && p->made < p->o.shared->broke;
}

/* Notes a failure and says so the first time; whether there is time for another try. */
static bool
in_trouble(struct pg *p)
{
	int64_t now = clock_mono_ms();
	struct pollfd quit = {.fd = p->o.quit_fd, .events = POLLIN};
	bool first = p->since == 0;

	if (first)
		p->since = now;
	if (now - p->since >= (p->ever ? p->o.budget_ms : p->o.first_ms) ||
		(!first && poll(&quit, 1, 0) > 0)) {
		if (!atomic_exchange(&p->o.shared->end_logged, true))
			log_error("gave up on Postgres after %" PRId64 " s: %s",
				(now - p->since) / 1000, p->why);
		return false;
	}
	if (is_old_news(p, first)) {
		log_debug("an idle connection is gone: %s", p->why);
		return true;
	}
	if (p->conn == NULL)
		p->o.shared->broke = now;
	if (!p->announced && atomic_fetch_add(&p->o.shared->troubled, 1) == 0)
		log_warning("Postgres: %s: trying again", p->why);
	p->announced = true;
	return true;
}

/* A little longer after each failure. */
static enum outcome
pause_for_a_while(struct pg *p)
{
	int64_t now = clock_mono_ms();
	short events = POLLIN;

	backoff_failed(&p->backoff, now);
	if (p->o.shared->waits != NULL && now - p->since >= SAY_MS)
		p->o.shared->waits(p->o.shared->data, p->why, p->backoff.due);
	return wait_for(p, p->o.quit_fd, &events, p->backoff.due) == PG_STOP ? PG_STOP : PG_OK;
}

enum outcome
pg_ready(struct pg *p)
{
	enum outcome o = PG_OK;

	while (o == PG_OK && p->conn == NULL) {
		o = pg_connect(p);
		if (o == PG_CONFIG && !p->ever && !p->o.extra)
			log_error("Postgres: %s", p->why);
		else if (o == PG_CONFIG && p->ever)
			o = PG_LOST;
		if (o != PG_LOST)
			return o;
		if ((p->o.extra && !p->ever) || !in_trouble(p))
			return PG_LOST;
		o = pause_for_a_while(p);
	}
	return o;
}

/*
 * After PG_BUSY or PG_LOST: says so once, waits a little longer each time, connects again
 * where needed. PG_OK: try again; else as pg_ready().
 */
static enum outcome
recover_connection(struct pg *p)
{
	bool again = p->since != 0;
	enum outcome o = PG_OK;

	if (!in_trouble(p))
		return PG_LOST;
	/* A connection that was closed while nobody used it is opened again at once. */
	if (p->busy || again)
		o = pause_for_a_while(p);
	return o == PG_OK ? pg_ready(p) : o;
}

void
pg_recovered(struct pg *p)
{
	if (p->announced && atomic_fetch_sub(&p->o.shared->troubled, 1) == 1)
		log_info("Postgres is back after %.1f s",
			(double)(clock_mono_ms() - p->since) / 1000);
	p->announced = false;
	p->since = 0;
	p->backoff = (struct backoff){0};
}

enum outcome
pg_patiently(struct pg *p, enum outcome (*work)(struct pg *, void *), void *data)
{
	enum outcome o = pg_ready(p);

	while (o == PG_OK) {
		o = work(p, data);
		if (o == PG_OK)
			break;
		pg_rollback(p);
		if (o == PG_SLOW && allow_twice(p))
			o = pg_ready(p);
		else if (o == PG_SLOW)
			o = p->o.writes ? PG_LARGE : PG_TABLE;
		else if (o == PG_BUSY || o == PG_LOST)
			o = recover_connection(p);
	}
	if (o == PG_OK || o == PG_DATA || o == PG_LARGE)
		pg_recovered(p);
	return o;
}
