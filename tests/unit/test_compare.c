/* What the table has is compared with the batch: which reads it takes, and what they show. */
#include "check_batch.h"

#include "encode.h"
#include "load.h"
#include "number.h"
#include "wire.h"

#include <string.h>

enum { ROWS = 4096, ANSWERS = 512, MINUTE = 60000000, FIELDS = 6, SYMBOLS = 200 };

/* The table, and what came to the server that has it. */
static struct {
	struct {
		const char *symbol;
		int64_t key, volume; /* -1: NULL */
		const char *open;
	} row[ROWS];
	int rows;
	bool backwards; /* a range is given from its end on */

	PGresult *answer[ANSWERS]; /* NULL: none of a statement that asks */
	int answers, given;
	int ranges, pairs, parses, syncs, refused; /* refused: the answer that is an error, or 0 */
	int most;				   /* rows asked for by one statement */
	bool asks_pairs;
} db;

static struct load loader;

static PGresult *
empty(void)
{
	static PGresAttDesc column[FIELDS];
	static char name[] = "column";
	PGresult *res = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);

	for (int i = 0; i < FIELDS; i++)
		column[i] = (PGresAttDesc){.name = name, .format = 1};
	assert_true(PQsetResultAttrs(res, FIELDS, column));
	return res;
}

static void
set_field(PGresult *res, int row, int column, const void *p, size_t n)
{
	char copy[NUMBER_BYTES];

	memcpy(copy, p, n);
	assert_true(PQsetvalue(res, row, column, copy, (int)n));
}

/* Gives a row of the table, with the slot or the key in front. */
static void
give(PGresult *res, int at, const unsigned char *first, size_t length)
{
	static const char *const prices[] = {"", "2", "1", "1.25"};
	unsigned char bytes[NUMBER_BYTES];
	int row = PQntuples(res);
	struct number d;

	set_field(res, row, 0, first, length);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(
			number_parse(slice_of(i == 0 ? db.row[at].open : prices[i]), &d), 0);
		set_field(res, row, 1 + i, bytes, number_binary(&d, bytes));
	}
	wire_put64(bytes, (uint64_t)db.row[at].volume);
	if (db.row[at].volume >= 0)
		set_field(res, row, 5, bytes, 8);
	else
		assert_true(PQsetvalue(res, row, 5, NULL, -1));
}

static bool
is_symbol(int at, const char *p, int n)
{
	return strlen(db.row[at].symbol) == (size_t)n &&
	       memcmp(db.row[at].symbol, p, (size_t)n) == 0;
}

static PGresult *
read_range(const struct pg_values *v)
{
	int64_t low = encode_key_of(TF_1MIN, v->value[1]),
		high = encode_key_of(TF_1MIN, v->value[2]);
	PGresult *res = empty();
	unsigned char key[8];

	db.ranges++;
	for (int i = 0; i < db.rows; i++) {
		int at = db.backwards ? db.rows - 1 - i : i;

		if (is_symbol(at, v->value[0], v->length[0]) && db.row[at].key >= low &&
			db.row[at].key <= high)
			give(res, at, key, encode_key(TF_1MIN, db.row[at].key, key));
	}
	return res;
}

/* An element of an array, length and bytes; moves on behind it. */
static const unsigned char *
element(const unsigned char **p, int *length)
{
	const unsigned char *at = *p + 4;

	*length = (int)wire_get32(*p);
	*p = at + *length;
	return at;
}

static PGresult *
read_pairs(const struct pg_values *v)
{
	const unsigned char *p[3];
	PGresult *res = empty();
	int n;

	db.pairs++;
	for (int i = 0; i < 3; i++)
		p[i] = (const unsigned char *)v->value[i] + 20;
	n = (int)wire_get32(p[0] - 8);
	db.most = n > db.most ? n : db.most;
	while (n-- > 0) {
		int length[3];
		const unsigned char *slot = element(&p[0], &length[0]);
		const unsigned char *symbol = element(&p[1], &length[1]);
		int64_t key = encode_key_of(TF_1MIN, (const char *)element(&p[2], &length[2]));

		for (int i = 0; i < db.rows; i++) {
			if (is_symbol(i, (const char *)symbol, length[1]) && db.row[i].key == key)
				give(res, i, slot, 4);
		}
	}
	return res;
}

const PGconn *__wrap_pg_conn(const struct pg *);
enum outcome __wrap_pg_pipeline(struct pg *);
enum outcome __wrap_pg_unpipe(struct pg *);
enum outcome __wrap_pg_synced(struct pg *);
enum outcome __wrap_pg_send_parse(struct pg *, const char *);
enum outcome __wrap_pg_send(struct pg *, const struct pg_values *);
enum outcome __wrap_pg_sync(struct pg *);
enum outcome __wrap_pg_next(struct pg *, PGresult **);
enum outcome __wrap_pg_query(struct pg *, const char *, const struct pg_values *, PGresult **);

static void
answer(PGresult *res)
{
	assert_true(db.answers < ANSWERS);
	db.answer[db.answers++] = res;
}

const PGconn *
__wrap_pg_conn(const struct pg *p)
{
	/* Whatever it is, it is connected. */
	return (const PGconn *)(const void *)p;
}

enum outcome
__wrap_pg_pipeline(struct pg *p)
{
	(void)p;
	/* To the transaction and its settings. */
	answer(NULL);
	answer(NULL);
	return PG_OK;
}

enum outcome
__wrap_pg_unpipe(struct pg *p)
{
	(void)p;
	return PG_OK;
}

enum outcome
__wrap_pg_synced(struct pg *p)
{
	(void)p;
	return PG_OK;
}

enum outcome
__wrap_pg_send_parse(struct pg *p, const char *sql)
{
	(void)p;
	db.parses++;
	db.asks_pairs = strcmp(sql, "pairs") == 0;
	answer(empty());
	return PG_OK;
}

enum outcome
__wrap_pg_send(struct pg *p, const struct pg_values *v)
{
	(void)p;
	answer(db.asks_pairs ? read_pairs(v) : read_range(v));
	return PG_OK;
}

enum outcome
__wrap_pg_sync(struct pg *p)
{
	(void)p;
	db.syncs++;
	return PG_OK;
}

enum outcome
__wrap_pg_next(struct pg *p, PGresult **res)
{
	(void)p;
	assert_true(db.given < db.answers);
	*res = db.answer[db.given++];
	if (db.given != db.refused)
		return PG_OK;
	PQclear(*res);
	*res = NULL;
	return PG_DATA;
}

enum outcome
__wrap_pg_query(struct pg *p, const char *sql, const struct pg_values *v, PGresult **res)
{
	(void)p;
	assert_string_equal(sql, "pairs");
	*res = read_pairs(v);
	return PG_OK;
}

static int
begin(void **state)
{
	memset(&db, 0, sizeof db);
	memset(&loader, 0, sizeof loader);
	loader.pg = (struct pg *)(void *)&db;
	for (int tf = 0; tf < TF_COUNT; tf++) {
		struct pg_table *t = &loader.table[tf];

		*t = (struct pg_table){
			.tf = (enum timeframe)tf, .range = "range", .pairs = "pairs"};
		for (int i = 0; i < PG_TABLE_VALUES; i++) {
			t->type[i] = i < 4 ? PG_NUMERIC : PG_INT8;
			t->scale[i] = INT32_MAX;
		}
	}
	return set_up(state);
}

static int
end(void **state)
{
	for (size_t i = 0; i < sizeof loader.array / sizeof loader.array[0]; i++)
		buffer_release(&loader.array[i]);
	free(loader.scattered.p);
	return tear_down(state);
}

/* The table has a bar. */
static void
stored(const char *symbol, int64_t key, int64_t volume)
{
	assert_true(db.rows < ROWS);
	db.row[db.rows].symbol = symbol;
	db.row[db.rows].key = key;
	db.row[db.rows].volume = volume;
	db.row[db.rows++].open = "1.50";
}

/* Closes the batch and compares all of it; one slot, if any, is refused already. */
static enum outcome
compare_all(struct batch *b, int refused)
{
	batch_close(b);
	memset(b->status, ROW_NEW, b->slots);
	if (refused >= 0)
		b->status[refused] = ROW_REFUSED;
	return compare_range(&loader, b, (struct range){0, b->slots});
}

/* Bars that follow each other take one read, in whichever order the rows come. */
static void
neighbours(void **state)
{
	struct fixture *f = *state;

	for (int backwards = 0; backwards < 2; backwards++) {
		end(state);
		begin(state);
		f = *state;
		for (int i = 0; i < 100; i++) {
			add(f, "A", TF_1MIN, (int64_t)i * MINUTE, i);
			if (i % 3 != 0)
				stored("A", (int64_t)i * MINUTE, i % 3 == 1 ? i : i + 1);
		}
		stored("A", (int64_t)200 * MINUTE, 1);
		stored("B", 0, 0);
		db.backwards = backwards == 1;
		assert_int_equal(compare_all(&f->batch, 1), PG_OK);
		assert_int_equal(db.ranges, 1);
		assert_int_equal(db.pairs, 0);
		assert_int_equal(f->batch.status[1], ROW_REFUSED);
		for (int i = 2; i < 100; i++)
			assert_int_equal(f->batch.status[i], i % 3 == 0	  ? ROW_NEW
							     : i % 3 == 1 ? ROW_SAME
									  : ROW_CHANGED);
	}
}

/* Few bars of each symbol, and bars far apart, are asked for one by one in one statement. */
static void
scattered(void **state)
{
	static const char *const symbols[] = {"A", "B", "C", "D", "E"};
	struct fixture *f = *state;

	for (int i = 0; i < 5; i++) {
		add(f, symbols[i], TF_1MIN, (int64_t)i * MINUTE, 1);
		stored(symbols[i], (int64_t)(i - i % 2) * MINUTE, 1);
	}
	for (int i = 0; i < 20; i++)
		add(f, "Z", TF_1MIN, (int64_t)i * MINUTE * 1440, 1);
	stored("Z", (int64_t)5 * MINUTE * 1440, 2);
	assert_int_equal(compare_all(&f->batch, -1), PG_OK);
	assert_int_equal(db.ranges, 0);
	assert_int_equal(db.pairs, 1);
	assert_int_equal(db.most, 25);
	for (int i = 0; i < 5; i++)
		assert_int_equal(f->batch.status[i], i % 2 == 0 ? ROW_SAME : ROW_NEW);
	for (int i = 0; i < 20; i++)
		assert_int_equal(f->batch.status[5 + i], i == 5 ? ROW_CHANGED : ROW_NEW);
}

/* A result stays small, and no more requests are under way than the pipeline holds. */
static void
limits(void **state)
{
	static char symbols[SYMBOLS][4];
	struct fixture *f = *state;

	batch_release(&f->batch);
	batch_init(&f->batch, (size_t)SYMBOLS * 8);
	for (int i = 0; i < SYMBOLS; i++) {
		symbols[i][0] = (char)('A' + i / 26);
		symbols[i][1] = (char)('A' + i % 26);
		for (int k = 0; k < 8; k++)
			add(f, symbols[i], TF_1MIN, (int64_t)k * MINUTE, 1);
		stored(symbols[i], (int64_t)(i % 8) * MINUTE, 1);
	}
	assert_int_equal(compare_all(&f->batch, -1), PG_OK);
	assert_int_equal(db.ranges, SYMBOLS);
	assert_int_equal(db.parses, 1);
	assert_int_equal(db.syncs, 2);
	assert_int_equal(db.given, 2 + 1 + SYMBOLS);
	for (int i = 0; i < SYMBOLS * 8; i++)
		assert_int_equal(f->batch.status[i], i % 8 == i / 8 % 8 ? ROW_SAME : ROW_NEW);
	end(state);
	begin(state);
	f = *state;
	/* 512 bars at most, and what lies between two stretches is not read. */
	for (int i = 0; i < 600; i++)
		add(f, "A", TF_1MIN, (int64_t)i * MINUTE, 1);
	for (int i = 0; i < 400; i++)
		add(f, "A", TF_1MIN, (int64_t)(i + 20000) * MINUTE, 1);
	assert_int_equal(compare_all(&f->batch, -1), PG_OK);
	assert_int_equal(db.ranges, 3);
	assert_int_equal(db.pairs, 0);
}

/* What was read without a gap is seen to hold nothing else, unless it does. */
static void
seen(void **state)
{
	struct fixture *f = *state;
	const struct group *g;

	/* Two reads, of which the second is of few bars, and a night between these. */
	for (int i = 0; i < 516; i++)
		add(f, "A", TF_1MIN, (int64_t)(i < 514 ? i : i + 1000) * MINUTE, 1);
	assert_int_equal(compare_all(&f->batch, -1), PG_OK);
	assert_int_equal(db.ranges, 2);
	g = &f->batch.groups.p[0];
	assert_true(g->seen.from == 1 - MINUTE && g->seen.to == (int64_t)1515 * MINUTE + 1);
	batch_commit(&f->batch, 0, 516);
	batch_clear(&f->batch);
	/* The next batch goes on where that ended. */
	for (int i = 0; i < 20; i++)
		add(f, "A", TF_1MIN, (int64_t)(i + 2000) * MINUTE, 1);
	assert_int_equal(compare_all(&f->batch, -1), PG_OK);
	g = &f->batch.groups.p[0];
	assert_true(g->seen.from == (int64_t)1515 * MINUTE + 1);
	batch_commit(&f->batch, 0, 20);
	assert_int_equal(g->series->seen.n, 1);
	assert_true(g->series->seen.p[0].from == 1 - MINUTE &&
		    g->series->seen.p[0].to == (int64_t)2019 * MINUTE + 1);
	batch_clear(&f->batch);
	/* A row more, between two batches. */
	stored("A", (int64_t)2050 * MINUTE, 1);
	for (int i = 0; i < 20; i++)
		add(f, "A", TF_1MIN, (int64_t)(i + 2100) * MINUTE, 1);
	assert_int_equal(compare_all(&f->batch, -1), PG_OK);
	assert_true(f->batch.groups.p[0].seen.to == 0);
	/* A single bar is asked for among others, and shows nothing. */
	batch_clear(&f->batch);
	db.pairs = 0;
	add(f, "A", TF_1MIN, (int64_t)2120 * MINUTE, 1);
	assert_int_equal(compare_all(&f->batch, -1), PG_OK);
	assert_int_equal(db.pairs, 1);
	assert_true(f->batch.groups.p[0].seen.to == 0);
	/* A piece that comes late is seen by itself, in two batches. */
	for (int part = 0; part < 2; part++) {
		batch_clear(&f->batch);
		for (int i = 0; i < 20; i++)
			add(f, "A", TF_1MIN, (int64_t)(i + 20 * part - 9000) * MINUTE, 1);
		assert_int_equal(compare_all(&f->batch, -1), PG_OK);
		g = &f->batch.groups.p[0];
		batch_commit(&f->batch, 0, 20);
	}
	assert_int_equal(g->series->seen.n, 2);
	assert_true(g->series->seen.p[1].from == (int64_t)-9001 * MINUTE + 1 &&
		    g->series->seen.p[1].to == (int64_t)-8961 * MINUTE + 1);
}

/* What each value has to do with "the same": decimals do not count, NULL is the same as none alone.
 */
static void
values(void **state)
{
	static const struct {
		int64_t mine, theirs;
		const char *open;
		enum row_status status;
	} cases[] = {{5, 5, "1.5", ROW_SAME}, {5, 5, "1.500", ROW_SAME},
		{5, 5, "1.51", ROW_CHANGED}, {5, 6, "1.5", ROW_CHANGED},
		{5, -1, "1.5", ROW_CHANGED}, {-1, 5, "1.5", ROW_CHANGED},
		{-1, -1, "1.5", ROW_SAME}};
	struct fixture *f = *state;
	int n = (int)(sizeof cases / sizeof cases[0]);

	for (int i = 0; i < n; i++) {
		add(f, "A", TF_1MIN, (int64_t)i * MINUTE, cases[i].mine);
		stored("A", (int64_t)i * MINUTE, cases[i].theirs);
		db.row[i].open = cases[i].open;
	}
	assert_int_equal(compare_all(&f->batch, -1), PG_OK);
	for (int i = 0; i < n; i++)
		assert_int_equal(f->batch.status[i], cases[i].status);
}

/* The first error counts, and the table that it was about is told; a slot keeps what it has. */
static void
errors(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 100; i++)
		add(f, "A", TF_1MIN, (int64_t)i * MINUTE, 1);
	add(f, "B", TF_DAY, 20000, 1);
	stored("A", 0, 1);
	loader.at = TF_NONE;
	db.refused = 4; /* behind the transaction and the statement */
	assert_int_equal(compare_all(&f->batch, -1), PG_DATA);
	assert_int_equal(loader.at, TF_1MIN);
	assert_int_equal(f->batch.status[0], ROW_NEW);
}

/* Only what is doubted is looked at again. */
static void
doubts(void **state)
{
	struct fixture *f = *state;
	unsigned char tmp[8];
	struct pg_values v;

	for (int i = 0; i < 3; i++) {
		add(f, "A", TF_1MIN, (int64_t)i * MINUTE, 1);
		stored("A", (int64_t)i * MINUTE, i == 1 ? 2 : 1);
	}
	batch_close(&f->batch);
	memset(f->batch.status, ROW_DOUBTED, 3);
	f->batch.status[2] = ROW_REFUSED;
	encode_array(&loader.array[0], PG_INT4);
	encode_array(&loader.array[1], PG_TEXT);
	encode_array(&loader.array[2], PG_TIMESTAMPTZ);
	for (uint32_t i = 0; i < 3; i++) {
		wire_put32(tmp, i);
		encode_element(&loader.array[0], tmp, 4);
		encode_element(&loader.array[1], "A", 1);
		encode_element(
			&loader.array[2], tmp, encode_key(TF_1MIN, (int64_t)i * MINUTE, tmp));
	}
	v = encode_values(loader.array, 3);
	encode_bound(&v, TF_1MIN, 0);
	encode_bound(&v, TF_1MIN, (int64_t)2 * MINUTE);
	assert_int_equal(compare_doubted(&loader, &f->batch, &loader.table[TF_1MIN], &v), PG_OK);
	assert_int_equal(f->batch.status[0], ROW_SAME);
	assert_int_equal(f->batch.status[1], ROW_DOUBTED);
	assert_int_equal(f->batch.status[2], ROW_REFUSED);
}

#define compare_test(f) cmocka_unit_test_setup_teardown(f, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		compare_test(neighbours),
		compare_test(scattered),
		compare_test(limits),
		compare_test(seen),
		compare_test(values),
		compare_test(errors),
		compare_test(doubts),
	};

	return cmocka_run_group_tests_name("compare", tests, NULL, NULL);
}
