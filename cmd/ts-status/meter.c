/* The meter. It shows only printable ASCII: names come from outside, and a terminal obeys. */
#include "meter.h"

#include "log.h"
#include "summary.h"

#include <inttypes.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { REDRAW_MS = 200, LINES_MS = 10000, WIDTH = 80, NAME_WIDTH = 32, WAITING_WIDTH = 200 };

void
meter_init(struct meter *m, bool quiet)
{
	bool terminal = log_terminal();

	*m = (struct meter){.terminal = terminal && !quiet, .lines = !terminal && !quiet};
}

void
meter_release(struct meter *m)
{
	buffer_release(&m->text);
	buffer_release(&m->name);
}

static size_t
terminal_width(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return WIDTH;
	return size.ws_col;
}

void
meter_hide(struct meter *m)
{
	if (!m->drawn)
		return;
	m->drawn = false;
	/* What comes next is seen anyway. */
	if (write(STDERR_FILENO, LOG_WIPE, sizeof LOG_WIPE - 1) < 0)
		return;
}

int64_t
meter_deadline(const struct meter *m, const struct progress *p)
{
	return (m->terminal || m->lines) && progress_running(p) > 0 ? m->due : INT64_MAX;
}

static void
add_name(struct buffer *b, struct slice s, size_t width)
{
	for (size_t i = 0; i < s.n && i < width; i++)
		buffer_byte(b, s.p[i] >= ' ' && s.p[i] < 0x7f ? s.p[i] : '?');
}

/* 1:05:09, 5:09 or 0:09 */
static void
add_time(struct buffer *b, uint64_t seconds)
{
	unsigned minutes = (unsigned)(seconds / 60 % 60), rest = (unsigned)(seconds % 60);

	if (seconds < 3600)
		buffer_printf(b, "%u:%02u", minutes, rest);
	else
		buffer_printf(b, "%" PRIu64 ":%02u:%02u", seconds / 3600, minutes, rest);
}

/* Parts of the line that a narrow terminal goes without, in this order. */
enum { RATE = 1, BYTES = 2, ELAPSED = 4, BARS = 8, WORD = 16, SYMBOL = 32, ALL = 63 };

/* Milliseconds left if the rest takes as long as what is done, bar by bar; -1 when that is not
 * known. */
static int64_t
time_left(const struct job *j, uint64_t ms)
{
	uint64_t finished = j->stored + j->failed;

	if (!j->header || finished == 0)
		return -1;
	/* What is known of the timeframes may be wrong; that a task is left is not. */
	if (j->weight > 0 && j->weight < j->weight_total)
		return (int64_t)((double)ms * (double)(j->weight_total - j->weight) /
				 (double)j->weight);
	return (int64_t)((double)ms * (double)job_missing(j) / (double)finished);
}

static void
add_tasks(struct buffer *b, const struct job *j, unsigned parts)
{
	if (j->header)
		buffer_printf(b, "%d%% ", summary_percent(j));
	buffer_uint(b, j->stored + j->failed);
	if (j->header)
		buffer_printf(b, "/%" PRIu64, j->total);
	if ((parts & WORD) != 0)
		buffer_str(b, " tasks");
	if (j->failed > 0)
		buffer_printf(b, " (%" PRIu64 " failed)", j->failed);
}

/* How fast it goes: what is left out while nothing moves. */
static void
add_pace(struct buffer *b, const struct job *j, uint64_t ms, unsigned parts)
{
	int64_t rest = time_left(j, ms);
	char count[COUNT_SIZE];

	if ((parts & BARS) != 0)
		buffer_printf(
			b, ", %s %s", summary_count(count, j->bars), j->bars == 1 ? "bar" : "bars");
	if ((parts & RATE) != 0)
		buffer_printf(b, ", %s/s", summary_count(count, j->bars * 1000 / ms));
	if ((parts & BYTES) != 0 && j->bytes > 0) {
		buffer_str(b, ", ");
		buffer_bytes(b, j->bytes);
	}
	if ((parts & ELAPSED) != 0) {
		buffer_str(b, ", ");
		add_time(b, ms / 1000);
	}
	if (rest >= 0) {
		buffer_str(b, ", ");
		add_time(b, (uint64_t)rest / 1000);
		buffer_str(b, " left");
	}
}

static void
add_line(struct buffer *b, const struct job *j, uint64_t ms, unsigned parts)
{
	add_name(b, buffer_slice(j->source.len > 0 ? &j->source : &j->id), NAME_WIDTH);
	buffer_byte(b, ' ');
	add_tasks(b, j, parts);
	if (j->waiting.len > 0) {
		buffer_str(b, ", waiting: ");
		add_name(b, buffer_slice(&j->waiting), WAITING_WIDTH);
		return;
	}
	add_pace(b, j, ms, parts);
	if ((parts & SYMBOL) != 0 && j->symbol.len > 0) {
		buffer_str(b, ", ");
		add_name(b, buffer_slice(&j->symbol), NAME_WIDTH);
		buffer_byte(b, ' ');
		add_name(b, buffer_slice(&j->timeframe), NAME_WIDTH);
	}
}

void
meter_line(struct buffer *b, const struct job *j, int64_t now, size_t width)
{
	uint64_t ms = now > j->started.mono ? (uint64_t)(now - j->started.mono) : 1;
	size_t start = b->len;

	/* One part less each time, from the lowest bit on, until the line fits. */
	for (unsigned parts = ALL;; parts &= parts - 1) {
		b->len = start;
		add_line(b, j, ms, parts);
		if (b->len - start <= width || parts == 0)
			break;
	}
	if (b->len - start > width)
		b->len = start + width;
}

/*
 * The job that runs, or all that do as one, which is about where the current one is; name takes
 * what that is called. It borrows all that it holds.
 */
static struct job
running_jobs(const struct progress *p, struct buffer *name)
{
	struct job all = {.status = JOB_COMPLETED};
	uint64_t n = 0;

	for (const struct job *j = p->jobs; j != NULL; j = j->hh.next) {
		if (j->status != JOB_RUNNING)
			continue;
		if (n++ == 0) {
			all = *j;
			continue;
		}
		if (j == p->current) {
			all.symbol = j->symbol;
			all.timeframe = j->timeframe;
			all.waiting = j->waiting;
		}
		all.header = all.header && j->header;
		all.total += j->total;
		all.stored += j->stored;
		all.failed += j->failed;
		all.bars += j->bars;
		all.bytes += j->bytes;
		all.weight += j->weight;
		all.weight_total += j->weight_total;
	}
	if (n > 1) {
		name->len = 0;
		buffer_printf(name, "%" PRIu64 " jobs", n);
		all.source = *name;
	}
	return all;
}

void
meter_show(struct meter *m, const struct progress *p, int64_t now)
{
	struct job j;

	if (now < m->due || !(m->terminal || m->lines))
		return;
	j = running_jobs(p, &m->name);
	if (j.status != JOB_RUNNING)
		return;
	m->text.len = 0;
	if (!m->terminal) {
		/* The start was logged just before. */
		if (m->due != 0 && now - j.started.mono >= LINES_MS) {
			meter_line(&m->text, &j, now, 400);
			log_info("progress %s", buffer_cstr(&m->text));
		}
		m->due = now + LINES_MS;
		return;
	}
	buffer_byte(&m->text, '\r');
	/* The last column stays free: some terminals wrap as soon as it is filled. */
	meter_line(&m->text, &j, now, terminal_width() - 1);
	buffer_str(&m->text, "\033[K");
	if (write(STDERR_FILENO, m->text.p, m->text.len) > 0)
		m->drawn = true;
	m->due = now + REDRAW_MS;
}
