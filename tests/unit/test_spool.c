/* The spool's table of states (spool.h), row by row: what each set of files means, and what is left
 * of it. */
#include "check.h"

#include "spool.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct slice id = {"job one", 7};
/* "job one" as a name: its FNV-1a in hexadecimal tells it from "job_one". */
#define NAME "job_one.91f3185a8a258188"

static char folder[64];
static int dir = -1;
static struct spool *spool;
static struct buffer seen; /* what the spool gave, "|" behind each line, "x" before a cancel */

static int
begin(void **state)
{
	const char *why;

	(void)state;
	(void)snprintf(folder, sizeof folder, "/tmp/ts-spool.XXXXXX");
	assert_non_null(mkdtemp(folder));
	dir = open(folder, O_RDONLY | O_DIRECTORY);
	assert_true(dir >= 0);
	spool = spool_open(folder, "listen", &why);
	assert_non_null(spool);
	return 0;
}

static int
end(void **state)
{
	DIR *d = opendir(folder);
	struct dirent *e;

	(void)state;
	while ((e = readdir(d)) != NULL) {
		if (unlinkat(dir, e->d_name, 0) != 0)
			(void)unlinkat(dir, e->d_name, AT_REMOVEDIR);
	}
	(void)closedir(d);
	(void)close(dir);
	assert_int_equal(rmdir(folder), 0);
	spool_close(spool);
	buffer_release(&seen);
	return 0;
}

static void
put(const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(close(fd), 0);
}

static bool
there(const char *name)
{
	return faccessat(dir, name, F_OK, 0) == 0;
}

static void
see_note(void *ctx, struct slice line)
{
	(void)ctx;
	buffer_add(&seen, line.p, line.n);
	buffer_byte(&seen, '|');
}

static const char *
see(void *ctx, struct slice line, bool cancel)
{
	if (slice_is(line, "garbage"))
		return "is garbage";
	buffer_str(&seen, cancel ? "x" : "");
	see_note(ctx, line);
	return NULL;
}

/* "(name why)", with a ! where it was set aside. */
static void
see_left_out(void *ctx, const char *name, const char *why, bool bad)
{
	(void)ctx;
	buffer_str(&seen, bad ? "!(" : "(");
	buffer_str(&seen, name);
	buffer_byte(&seen, ' ');
	buffer_str(&seen, why);
	buffer_str(&seen, ")|");
}

static const struct spool_reader reader = {see, see_left_out, NULL};

static const char *
jobs(void)
{
	seen.len = 0;
	assert_int_equal(spool_jobs(spool, &reader), SPOOL_OK);
	return buffer_cstr(&seen);
}

static const char *
notes(void)
{
	seen.len = 0;
	assert_int_equal(spool_notes(spool, id, see_note, NULL), SPOOL_OK);
	return buffer_cstr(&seen);
}

/* Nothing but what is half written: no job. */
static void
test_unfinished(void **state)
{
	(void)state;
	put(".new", "{\"job_id\":\"a\"");
	assert_string_equal(jobs(), "");
	assert_false(there(".new"));
}

static void
test_kept(void **state)
{
	int64_t accepted;

	(void)state;
	assert_false(spool_has(spool, id));
	assert_int_equal(spool_accepted(spool, id), -1);
	assert_int_equal(spool_keep(spool, id, slice_of("{1}")), SPOOL_OK);
	assert_true(there(NAME ".job"));
	assert_true(spool_has(spool, id));
	assert_false(spool_cancelled(spool, id));
	assert_int_equal(spool_keep(spool, id, slice_of("{2}")), SPOOL_EXISTS);
	assert_string_equal(jobs(), "{1}|");
	assert_string_equal(notes(), "");
	accepted = spool_accepted(spool, id);
	assert_int_equal(spool_note(spool, id, slice_of("{n}")), SPOOL_OK);
	assert_int_equal(spool_accepted(spool, id), accepted);
	assert_int_equal(spool_remove(spool, id), SPOOL_OK);
	assert_int_equal(spool_keep(spool, id, slice_of("{1}")), SPOOL_OK);
	assert_true(spool_accepted(spool, id) > accepted);
}

/* Another job_id whose harmless part is the same has a file of its own. */
static void
test_names(void **state)
{
	(void)state;
	assert_int_equal(spool_keep(spool, id, slice_of("{1}")), SPOOL_OK);
	assert_int_equal(spool_keep(spool, slice_of("job_one"), slice_of("{2}")), SPOOL_OK);
	assert_int_equal(spool_keep(spool, slice_of("../../job"), slice_of("{3}")), SPOOL_OK);
	assert_string_equal(jobs(), "{1}|{2}|{3}|");
}

static void
test_notes(void **state)
{
	(void)state;
	assert_int_equal(spool_note(spool, id, slice_of("{v0}")), SPOOL_OK);
	assert_false(there(NAME ".notes"));
	assert_int_equal(spool_keep(spool, id, slice_of("{1}")), SPOOL_OK);
	assert_int_equal(spool_note(spool, id, slice_of("{v1}")), SPOOL_OK);
	assert_string_equal(notes(), "{v1}|");
	/* A crash cut the last one: it is passed over, and the next one stands on a line of its
	 * own. */
	put(NAME ".notes", "\n{v1}\n\n{v2");
	assert_string_equal(notes(), "{v1}|");
	assert_int_equal(spool_note(spool, id, slice_of("{v3}")), SPOOL_OK);
	assert_string_equal(notes(), "{v1}|{v2|{v3}|");
}

static void
test_cancelled(void **state)
{
	(void)state;
	assert_int_equal(spool_cancel(spool, id, slice_of("{c}")), SPOOL_OK);
	assert_false(there(NAME ".cancel"));
	assert_int_equal(spool_keep(spool, id, slice_of("{1}")), SPOOL_OK);
	assert_int_equal(spool_cancel(spool, id, slice_of("{c}")), SPOOL_OK);
	assert_true(spool_cancelled(spool, id));
	assert_string_equal(jobs(), "{1}|x{c}|");
}

static void
test_removed(void **state)
{
	(void)state;
	assert_int_equal(spool_keep(spool, id, slice_of("{1}")), SPOOL_OK);
	assert_int_equal(spool_note(spool, id, slice_of("{v1}")), SPOOL_OK);
	assert_int_equal(spool_cancel(spool, id, slice_of("{c}")), SPOOL_OK);
	assert_int_equal(spool_remove(spool, id), SPOOL_OK);
	assert_false(there(NAME ".job") || there(NAME ".notes") || there(NAME ".cancel"));
	assert_int_equal(spool_remove(spool, id), SPOOL_OK);
	assert_string_equal(jobs(), "");
}

/* A crash came between the removals: what is left means nothing, and does not stay for ever. */
static void
test_orphans(void **state)
{
	(void)state;
	put(NAME ".notes", "\n{v1}\n");
	put("other.0123456789abcdef.cancel", "{c}\n");
	assert_int_equal(spool_keep(spool, slice_of("b"), slice_of("{b}")), SPOOL_OK);
	assert_int_equal(spool_note(spool, slice_of("b"), slice_of("{vb}")), SPOOL_OK);
	assert_string_equal(jobs(), "{b}|");
	assert_false(there(NAME ".notes"));
	assert_false(there("other.0123456789abcdef.cancel"));
	seen.len = 0;
	assert_int_equal(spool_notes(spool, slice_of("b"), see_note, NULL), SPOOL_OK);
	assert_string_equal(buffer_cstr(&seen), "{vb}|");
}

/* A job of an id that had one before does not inherit its verdicts. */
static void
test_notes_of_another_life(void **state)
{
	(void)state;
	put(NAME ".notes", "\n{v1}\n");
	put(NAME ".cancel", "{c}\n");
	assert_int_equal(spool_keep(spool, id, slice_of("{1}")), SPOOL_OK);
	assert_string_equal(notes(), "");
	assert_string_equal(jobs(), "{1}|");
}

static void
set_age(const char *name, time_t s, long ns)
{
	struct timespec t[2] = {{s, ns}, {s, ns}};

	assert_int_equal(utimensat(dir, name, t, 0), 0);
}

/* Oldest first, whatever their names are. */
static void
test_order(void **state)
{
	static const char *const names[] = {"a.job", "b.job", "c.job", "d.job"};
	static const struct timespec age[] = {{3000, 0}, {1000, 2}, {1000, 1}, {2000, 0}};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		char text[] = {(char)('a' + i), '\n', '\0'};

		put(names[i], text);
		set_age(names[i], age[i].tv_sec, age[i].tv_nsec);
	}
	assert_string_equal(jobs(), "c|b|d|a|");
}

/* One odd entry costs only itself. What can never be used is set aside, and told once. */
static void
test_odd(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(spool_keep(spool, id, slice_of("{1}")), SPOOL_OK);
	set_age(NAME ".job", 9000, 0);
	assert_int_equal(mkdirat(dir, "a.job", 0700), 0);
	set_age("a.job", 1000, 0);
	assert_int_equal(mkfifoat(dir, "b.job", 0600), 0);
	set_age("b.job", 2000, 0);
	put("secret", "{secret}\n");
	assert_int_equal(symlinkat("secret", dir, "c.job"), 0);
	put("d.job", "garbage\n");
	set_age("d.job", 4000, 0);
	put("e.job", "no newline");
	set_age("e.job", 5000, 0);
	fd = openat(dir, "f.job", O_WRONLY | O_CREAT, 0600);
	assert_int_equal(ftruncate(fd, 3L << 30), 0);
	(void)close(fd);
	set_age("f.job", 6000, 0);
	assert_string_equal(jobs(),
		"!(a.job is not a regular file)|!(b.job is not a regular file)|"
		"!(d.job is garbage)|!(e.job holds no line)|!(f.job is too large)|{1}|"
		"!(c.job is not a regular file)|");
	assert_true(there("a.bad") && there("d.bad") && there(NAME ".job"));
	assert_string_equal(jobs(), "{1}|");
}

/* Notes and cancels are not written through a link; nor is what is half written. */
static void
test_links(void **state)
{
	(void)state;
	put("secret", "{secret}\n");
	assert_int_equal(spool_keep(spool, id, slice_of("{1}")), SPOOL_OK);
	assert_int_equal(symlinkat("secret", dir, NAME ".notes"), 0);
	assert_int_equal(spool_note(spool, id, slice_of("{v}")), SPOOL_ERROR);
	assert_int_equal(spool_notes(spool, id, see_note, NULL), SPOOL_ERROR);
	assert_int_equal(symlinkat("secret", dir, ".new"), 0);
	assert_int_equal(spool_cancel(spool, id, slice_of("{c}")), SPOOL_ERROR);
	assert_int_equal(spool_keep(spool, slice_of("b"), slice_of("{2}")), SPOOL_ERROR);
	assert_string_equal(jobs(), "{1}|");
}

static void
test_others_may_write(void **state)
{
	struct spool *other;
	const char *why;

	(void)state;
	assert_int_equal(fchmod(dir, 0777), 0);
	other = spool_open(folder, "status", &why);
	assert_null(other);
	assert_non_null(strstr(why, "others may write to it"));
}

static void
test_gone(void **state)
{
	char name[80];

	(void)state;
	assert_false(spool_gone(spool));
	(void)snprintf(name, sizeof name, "%s.away", folder);
	assert_int_equal(rename(folder, name), 0);
	assert_true(spool_gone(spool));
	assert_int_equal(rename(name, folder), 0);
	assert_false(spool_gone(spool));
}

static void
test_one_each(void **state)
{
	const char *why;
	struct spool *other = spool_open(folder, "status", &why);

	(void)state;
	assert_non_null(other);
	spool_close(other);
}

static void
test_listening(void **state)
{
	(void)state;
	assert_int_equal(spool_touched(spool), -1);
	for (int64_t t = 1766510113; t < 1766510115; t++) {
		spool_touch(spool, t);
		assert_int_equal(spool_touched(spool), t);
	}
	assert_string_equal(jobs(), "");
	assert_true(there(".listening"));
}

#define spool_test(f) cmocka_unit_test_setup_teardown(f, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		spool_test(test_unfinished),
		spool_test(test_kept),
		spool_test(test_names),
		spool_test(test_notes),
		spool_test(test_cancelled),
		spool_test(test_removed),
		spool_test(test_orphans),
		spool_test(test_notes_of_another_life),
		spool_test(test_order),
		spool_test(test_odd),
		spool_test(test_links),
		spool_test(test_others_may_write),
		spool_test(test_gone),
		spool_test(test_one_each),
		spool_test(test_listening),
	};

	return cmocka_run_group_tests_name("spool", tests, NULL, NULL) != 0;
}
