/* ts-store: bars into Postgres, and the word on each task only after COMMIT. See ts-store(1). */
#include "command.h"
#include "create.h"
#include "database_url.h"
#include "input.h"
#include "lines.h"
#include "log.h"
#include "schema.h"
#include "signals.h"
#include "timestamp.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	CONNECTIONS = 2, /* what was fastest on two processors; see ts-store(1) */
	BATCH_ROWS = 20000,
	BATCH_ROWS_MAX = 100000,
	PAUSE_MS = 20, /* input that brings nothing for so long is taken to rest */
	AGE_MS = 250,  /* bars wait no longer, however steadily input trickles in */
};

struct options {
	bool create;
	bool dry;
	bool remove;
	const char *url; /* of -u or DATABASE_URL; NULL: libpq's own variables */
	uint64_t batch_rows, connections;
	const char *rejects; /* NULL: not kept */
};

static const struct command_option letters[] = {
	COMMAND_FLAG('i', create, "create missing tables and go on"),
	COMMAND_FLAG('n', dry, "check and count, write nothing"),
	COMMAND_FLAG('d', remove, "delete rows that the API does not have"),
	COMMAND_TEXT(
		'u', "database-url", url, "the database ($DATABASE_URL, else libpq's variables)"),
	COMMAND_NUMBER('j', "connections", connections, 1, POOL_MAX, "how many at once (2)"),
	COMMAND_NUMBER(
		'b', "batch-rows", batch_rows, 1, BATCH_ROWS_MAX, "rows a transaction (20000)"),
	COMMAND_TEXT('R', "rejects", rejects,
		"the file to which bars are added that could not be stored"),
	{0},
};

static const struct command self = {"ts-store", NULL, letters, "DATABASE_URL PGPASSWORD"};

/* What the loop remembers. */
struct wait {
	uint64_t batch; /* the one being filled, */
	int64_t since;	/* and since when it holds bars */
	bool announced; /* the first signal is in the log */
};

/* How long poll(2) may wait. */
static int
wait_ms(const struct tasks *s, int64_t since)
{
	int64_t left;

	/*
	 * Without bars in hand nothing can happen but input, a signal, or a reader that goes away;
	 * while all workers are busy, that one is done, for which they have their deadlines.
	 */
	if (!tasks_waiting(s) || !tasks_free(s))
		return -1;
	left = since + AGE_MS - clock_mono_ms();
	if (left < 0)
		return 0;
	return left < PAUSE_MS ? (int)left : PAUSE_MS;
}

/* Waits for input or a worker; commits when input rests, or when bars have waited for long. */
static void
wait_for_input(struct reader *in, struct tasks *s, struct wait *w)
{
	/* stdout is watched for errors only: they tell that its reader has gone. */
	struct pollfd fds[4] = {{.fd = in->fd, .events = POLLIN}, {.fd = s->out->fd},
		{.fd = signals_stop() ? -1 : signals_fd(), .events = POLLIN},
		{.fd = s->pool == NULL ? -1 : pool_fd(s->pool), .events = POLLIN}};
	int n;

	if (!tasks_waiting(s) || w->batch != s->n.batches) {
		w->batch = s->n.batches;
		w->since = clock_mono_ms();
	}
	if (writer_flush(s->out) != 0)
		return;
	n = poll(fds, 4, wait_ms(s, w->since));
	if (n > 0)
		writer_watch(s->out, fds[1].revents);
	if (n > 0 && fds[0].revents != 0)
		(void)reader_fill(in);
	if (signals_stop() && !w->announced) {
		log_info("told to stop: going on to the end of input");
		w->announced = true;
	}
	if (n > 0 && fds[3].revents != 0)
		tasks_settle(s);
	if (tasks_waiting(s) && tasks_free(s) && (n == 0 || clock_mono_ms() - w->since >= AGE_MS))
		tasks_commit(s);
}

/* Reads all input; the exit status, as far as it is reading's. */
static int
run_loop(struct tasks *s)
{
	struct reader in;
	struct slice line;
	enum line kind = LINE_NONE;
	struct wait wait = {0};
	int status;

	reader_init(&in, STDIN_FILENO);
	while (kind != LINE_END && kind != LINE_ERROR && tasks_ok(s) && s->out->error == 0) {
		kind = reader_next(&in, &line);
		if (kind == LINE_OK)
			input_line(s, line, in.lineno);
		else if (kind == LINE_NONE)
			wait_for_input(&in, s, &wait);
		else if (kind == LINE_CUT || kind == LINE_LONG)
			input_refuse(s, in.lineno, (struct slice){0}, line_reason(kind), NULL);
	}
	status = reader_end(&in, STATUS_DONE);
	/* Without a reader of the verdicts bars that nobody has begun to store are let go. */
	while (s->out->error != 0 && s->pool != NULL && pool_busy(s->pool) > 0)
		tasks_settle(s);
	if (s->out->error == 0)
		tasks_finish(s);
	reader_release(&in);
	return status;
}

static int
status_of(const struct tasks *s, int read)
{
	const struct totals *n = &s->n;

	if (s->trouble == PG_CONFIG)
		return STATUS_USAGE;
	if (!tasks_ok(s) || read != STATUS_DONE)
		return STATUS_SERVICE;
	return kinds_status(&n->kinds,
		n->refused.n + n->bars.rejected + n->bars.dropped + n->failed > 0 ? STATUS_REFUSED
										  : STATUS_DONE);
}

/* Bars of no task have no verdict that would say it. */
static void
say_untold(uint64_t n, const char *what)
{
	if (n > 0)
		log_warning("%" PRIu64 " bar%s of no task %s", n, n == 1 ? "" : "s", what);
}

static void
say_end(const struct tasks *s, int64_t start)
{
	const struct totals *n = &s->n;
	const struct counts *b = &n->bars;
	int64_t ms = clock_mono_ms() - start;

	if (s->pool == NULL) {
		log_end(log_info, "end checked:",
			(const struct log_count[]){{"bars", b->received}, {"rejected", b->rejected},
				{"refused", n->refused.n}, {"rounded", b->rounded}, {"odd", b->odd},
				{0}},
			ms);
		return;
	}
	say_untold(b->odd - n->stated.odd,
		"with open or close outside of low and high: stored as it came");
	say_untold(b->rounded - n->stated.rounded, "rounded to what the columns hold");
	say_untold(b->restated - n->stated.restated, "changed a stored price by more than 0.5 %");
	log_end(log_run, "end",
		(const struct log_count[]){{"bars", b->received}, {"inserted", b->inserted},
			{"updated", b->updated}, {"unchanged", b->unchanged},
			{"rejected", b->rejected}, {"dropped", b->dropped},
			{"refused", n->refused.n}, {"stored", n->stored}, {"failed", n->failed},
			{"rounded", b->rounded}, {"odd", b->odd}, {"extra", b->extra},
			{"deleted", b->deleted}, {"restated", b->restated}, {"batches", n->batches},
			{0}},
		ms);
}

/* Reads, stores and reports; pool is NULL for -n, and rejects where they are not kept. */
static int
run_store(const struct options *o, struct pool *pool, struct rejects *rejects)
{
	int64_t start = clock_mono_ms();
	struct writer out;
	struct tasks s;
	int status;

	writer_init(&out, STDOUT_FILENO);
	tasks_init(&s, pool, rejects, &out, o->batch_rows);
	s.remove = o->remove;
	status = run_loop(&s);
	if (rejects_flush(rejects) != 0)
		s.unkept = true;
	status = writer_end(&out, status_of(&s, status));
	say_end(&s, start);
	tasks_release(&s);
	writer_release(&out);
	return status;
}

/* Connects, so that a wrong password shows at once and not with the first bar. */
static int
connect_first(const struct options *o, struct pg *pg)
{
	enum outcome outcome = pg_ready(pg);
	const PGconn *c = pg_conn(pg);

	if (outcome == PG_OK) {
		pg_recovered(pg);
		log_run("start version=%s host=%s database=%s user=%s connections=%" PRIu64 " "
			"batch-rows=%" PRIu64,
			TS_VERSION, PQhost(c), PQdb(c), PQuser(c), o->connections, o->batch_rows);
		if (o->create)
			outcome = create_all(pg, schema_sql);
		else if (o->dry)
			outcome = create_tell(pg);
	}
	if (outcome == PG_OK)
		return STATUS_DONE;
	return outcome == PG_CONFIG ? STATUS_USAGE : STATUS_SERVICE;
}

/* Everything that needs a server. */
static int
run_connected(const struct options *o, struct rejects *rejects)
{
	const char *why;
	struct calendar *calendar = calendar_new(&why);
	struct pool *pool = pool_new(o->url, (int)o->connections, calendar);
	int status = STATUS_USAGE;

	if (calendar == NULL)
		log_error("%s", why);
	else
		status = connect_first(o, pool_pg(pool));
	if (status == STATUS_DONE && !o->dry && pool_start(pool) != 0) {
		log_error("starting a thread: %s", strerror(errno));
		status = STATUS_SERVICE;
	}
	if (status == STATUS_DONE)
		status = run_store(o, o->dry ? NULL : pool, rejects);
	pool_free(pool);
	calendar_free(calendar);
	return status;
}

static int
run_any(const struct options *o, struct rejects *rejects)
{
	/* Without a database named bars are checked all the same. */
	if (!o->dry || o->url != NULL)
		return run_connected(o, rejects);
	log_run("start version=%s checks only", TS_VERSION);
	return run_store(o, NULL, rejects);
}

static int
open_rejects(const char *path, struct rejects *rejects)
{
	if (rejects_open(rejects, path) == 0)
		return STATUS_DONE;
	log_error("-R %s: %s", path, strerror(errno));
	/* What time may mend, and what it will not. */
	return errno == ENOSPC || errno == EDQUOT || errno == EIO || errno == EMFILE ||
			       errno == ENFILE || errno == ENOMEM
		       ? STATUS_SERVICE
		       : STATUS_USAGE;
}

int
main(int argc, char **argv)
{
	struct options o = {.batch_rows = BATCH_ROWS, .connections = CONNECTIONS};
	struct rejects rejects;
	int status;

	command_options(&self, argc, argv, &o);
	if (o.create && o.dry)
		command_misuse(&self, NULL, "-i creates tables and -n writes nothing: choose one");
	o.url = database_url(&self, o.url);
	/* No grace has to pass: it runs to the end of its input. */
	command_signals(-1);
	if (o.rejects == NULL)
		return run_any(&o, NULL);
	if ((status = open_rejects(o.rejects, &rejects)) != STATUS_DONE)
		return status;
	status = run_any(&o, &rejects);
	rejects_release(&rejects);
	return status;
}
