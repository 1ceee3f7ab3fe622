/*
 * The common path piece by piece: CPU time of reading, scanning, checking and writing bars, each by
 * itself, so that it shows where a pipeline's time goes. Five rounds; the median is told.
 */
#include "batch.h"
#include "lines.h"
#include "record.h"
#include "timestamp.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SYMBOLS = 50, BARS_EACH = 4000, BARS = SYMBOLS * BARS_EACH, ROUNDS = 5, BATCH = 20000 };

struct bench {
	struct buffer text;  /* lines as ts-fetch writes them */
	struct buffer loose; /* the same bars in another form: the general road */
	struct slice *line, *loose_line;
	struct record *record; /* of each line */
	struct record_parser *parser;
	struct bar bar;
	struct series_set set;
	struct batch batch;
	struct buffer out;
	int file, null;
};

static double
cpu(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) != 0)
		exit(1);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
must(bool good, const char *what)
{
	if (good)
		return;
	(void)fprintf(stderr, "parts: %s went wrong\n", what);
	exit(1);
}

/* Writes the bars in both forms. */
static void
make_lines(struct bench *b)
{
	char line[300], at[TIMESTAMP_SIZE];

	b->line = memory_grow(NULL, BARS, sizeof *b->line);
	b->loose_line = memory_grow(NULL, BARS, sizeof *b->loose_line);
	b->record = memory_grow(NULL, BARS, sizeof *b->record);
	(void)buffer_room(&b->text, (size_t)BARS * 160);
	(void)buffer_room(&b->loose, (size_t)BARS * 160);
	for (int i = 0; i < BARS; i++) {
		int cents = 25000 + i * 7 % 5000;
		int n;

		(void)timestamp_format(at, 1700000040 + (int64_t)(i % BARS_EACH) * 60);
		n = snprintf(line, sizeof line,
			"{\"type\":\"bar\",\"symbol\":\"SYM%d\",\"timeframe\":\"1min\","
			"\"timestamp\":\"%s\","
			"\"open\":%d.%02d,\"high\":%d.%02d,\"low\":%d.5,\"close\":%d.%04d,"
			"\"volume\":%d}",
			i / BARS_EACH, at, cents / 100, cents % 100, cents / 100 + 1, cents % 100,
			cents / 100 - 1, cents / 100, i % 10000, 1000 + i);
		must(n > 0 && (size_t)n < sizeof line, "making a line");
		b->line[i] = (struct slice){b->text.p + b->text.len, (size_t)n};
		buffer_add(&b->text, line, (size_t)n);
		buffer_byte(&b->text, '\n');
		b->loose_line[i] = (struct slice){b->loose.p + b->loose.len, (size_t)n + 1};
		buffer_str(&b->loose, "{ ");
		buffer_add(&b->loose, line + 1, (size_t)n - 1);
	}
}

static void
read_lines(struct bench *b)
{
	struct reader in;
	struct slice line;
	enum line kind = LINE_NONE;
	int n = 0;

	must(lseek(b->file, 0, SEEK_SET) == 0, "rewinding");
	reader_init(&in, b->file);
	while (kind != LINE_END) {
		kind = reader_next(&in, &line);
		if (kind == LINE_NONE)
			(void)reader_fill(&in);
		n += kind == LINE_OK;
	}
	reader_release(&in);
	must(n == BARS, "reading");
}

static void
parse(struct bench *b, const struct slice *line)
{
	for (int i = 0; i < BARS; i++)
		must(record_parse(b->parser, line[i], RECORD_BIT(RECORD_BAR), &b->record[i]) ==
					NULL &&
				b->record[i].fault == NULL && b->record[i].tf == TF_1MIN,
			"parsing");
}

static void
parse_exact(struct bench *b)
{
	parse(b, b->line);
}

static void
parse_loose(struct bench *b)
{
	parse(b, b->loose_line);
}

static void
check(struct bench *b)
{
	for (int i = 0; i < BARS; i++)
		must(bar_read(&b->record[i], &b->bar) == NULL, "checking");
}

static void
check_and_batch(struct bench *b)
{
	struct counts total = {0};

	for (int i = 0; i < BARS; i++) {
		const struct record *r = &b->record[i];

		must(bar_read(r, &b->bar) == NULL, "checking");
		batch_add(&b->batch, series_get(&b->set, r->symbol, r->tf, true), &b->bar, 1);
		if (!batch_full(&b->batch))
			continue;
		batch_close(&b->batch);
		batch_settle(&b->batch, &total);
		batch_clear(&b->batch);
	}
}

static void
write_records(struct bench *b)
{
	b->out.len = 0;
	for (int i = 0; i < BARS; i++) {
		record_write(&b->out, &b->record[i]);
		if (b->out.len > LINES_BUFFER)
			b->out.len = 0;
	}
}

static void
write_lines(struct bench *b)
{
	struct writer out;

	writer_init(&out, b->null);
	for (int i = 0; i < BARS; i++)
		writer_line(&out, b->line[i]);
	must(writer_flush(&out) == 0, "writing");
	writer_release(&out);
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
measure(struct bench *b, const char *name, void (*part)(struct bench *))
{
	double seconds[ROUNDS];

	part(b);
	for (int i = 0; i < ROUNDS; i++) {
		double start = cpu();

		part(b);
		seconds[i] = cpu() - start;
	}
	qsort(seconds, ROUNDS, sizeof seconds[0], by_size);
	(void)printf("| %-44s | %6.0f | %6.0f | %5.0f |\n", name, seconds[ROUNDS / 2] / BARS * 1e9,
		BARS / seconds[ROUNDS / 2] / 1e3, (double)b->text.len / seconds[ROUNDS / 2] / 1e6);
}

int
main(void)
{
	static struct bench b;
	char name[] = "/tmp/ts-parts.XXXXXX";

	make_lines(&b);
	b.parser = record_parser_new();
	batch_init(&b.batch, BATCH);
	b.file = mkstemp(name);
	b.null = open("/dev/null", O_WRONLY);
	must(b.file >= 0 && b.null >= 0 && unlink(name) == 0 &&
			write(b.file, b.text.p, b.text.len) == (ssize_t)b.text.len,
		"making a file");
	(void)printf("| part | ns a bar | k bars/s | MB/s |\n|---|---|---|---|\n");
	measure(&b, "reader: lines of a file", read_lines);
	measure(&b, "scanner: bars in their exact form", parse_exact);
	measure(&b, "scanner: the same, the general road", parse_loose);
	/* The general road's records point into its own lines: both are read alike from here on. */
	measure(&b, "check, and encode four NUMERICs", check);
	measure(&b, "the same, series, batch and its order", check_and_batch);
	measure(&b, "writer: a bar from its slices", write_records);
	measure(&b, "writer: lines copied to /dev/null", write_lines);
	record_parser_free(b.parser);
	batch_release(&b.batch);
	series_release(&b.set);
	buffer_release(&b.text);
	buffer_release(&b.loose);
	buffer_release(&b.out);
	free(b.line);
	free(b.loose_line);
	free(b.record);
	return 0;
}
