/* Faults on demand: the fault file, which line strikes which request, and how often. */
#include "fault.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "data.h"

#define COUNTERS (1u << 16)
#define PRICING "https://massive.com/pricing"

const char body_no_key[] = API_ERROR("API Key was not provided");
const char body_unknown_key[] = API_ERROR("Unknown API Key");
const char body_not_found[] = API_MESSAGE("NOT_FOUND", "Data not found.");
const char body_bad_from[] = API_ERROR(
	"Could not parse the time parameter: 'from'. Use YYYY-MM-DD or Unix MS Timestamps");
const char body_rate[] =
	API_ERROR("You've exceeded the maximum requests per minute, please wait or "
		  "upgrade your subscription to continue. " PRICING);
static const char body_plan[] = API_MESSAGE("NOT_AUTHORIZED",
	"Your plan doesn't include this data timeframe. Please upgrade your plan at " PRICING);
static const char body_entitled[] = API_MESSAGE("NOT_AUTHORIZED",
	"You are not entitled to this data. Please upgrade your plan at " PRICING);
static const char body_forbidden[] = API_MESSAGE("NOT_AUTHORIZED", "forbidden");
static const char body_internal[] = API_ERROR("internal server error");
static const char body_html[] = "<html>\n<head><title>502 Bad Gateway</title></head>\n"
				"<body><h1>502 Bad Gateway</h1></body>\n</html>\n";

/* What may follow a name after "=". */
enum argument { NO_ARGUMENT, NUMBER, DEFECT };

static const struct fault_name {
	const char *name;
	enum fault_class class;
	int code;
	const char *body;
	enum argument argument;
} fault_names[] = {
	{"401", FAULT_REPLY, 401, body_unknown_key, NO_ARGUMENT},
	{"403plan", FAULT_REPLY, 403, body_plan, NO_ARGUMENT},
	{"403entitled", FAULT_REPLY, 403, body_entitled, NO_ARGUMENT},
	{"403forbidden", FAULT_REPLY, 403, body_forbidden, NO_ARGUMENT},
	{"404", FAULT_REPLY, 404, body_not_found, NO_ARGUMENT},
	{"400", FAULT_REPLY, 400, body_bad_from, NO_ARGUMENT},
	{"429", FAULT_REPLY, 429, body_rate, NO_ARGUMENT},
	{"429empty", FAULT_REPLY, 429, "", NO_ARGUMENT},
	{"429retry", FAULT_REPLY, 429, body_rate, NUMBER},
	{"429retryday", FAULT_REPLY, 429, body_rate, NO_ARGUMENT},
	{"500", FAULT_REPLY, 500, body_internal, NO_ARGUMENT},
	{"502html", FAULT_REPLY, 502, body_html, NO_ARGUMENT},
	{"503retry", FAULT_REPLY, 503, body_internal, NUMBER},
	{"200error", FAULT_REPLY, 200, body_internal, NO_ARGUMENT},
	{"200notauth", FAULT_REPLY, 200, body_entitled, NO_ARGUMENT},
	{"200notfound", FAULT_REPLY, 200, body_not_found, NO_ARGUMENT},
	{"html200", FAULT_REPLY, 200, body_html, NO_ARGUMENT},
	{"redirect", FAULT_REPLY, 302, "", NO_ARGUMENT},
	{"recorded", FAULT_RECORDED, 0, NULL, NUMBER},
	{"cutjson", FAULT_BODY, BODY_CUT_JSON, NULL, NO_ARGUMENT},
	{"garbage", FAULT_BODY, BODY_GARBAGE, NULL, NO_ARGUMENT},
	{"cut", FAULT_SEND, SEND_CUT, NULL, NO_ARGUMENT},
	{"stall", FAULT_SEND, SEND_STALL, NULL, NO_ARGUMENT},
	{"slow", FAULT_SEND, SEND_SLOW, NULL, NO_ARGUMENT},
	{"reset", FAULT_SEND, SEND_RESET, NULL, NO_ARGUMENT},
	{"huge", FAULT_SEND, SEND_HUGE, NULL, NO_ARGUMENT},
	{"otherticker", FAULT_PAGE, PAGE_OTHER_TICKER, NULL, NO_ARGUMENT},
	{"otheradjusted", FAULT_PAGE, PAGE_OTHER_ADJUSTED, NULL, NO_ARGUMENT},
	{"delayed", FAULT_PAGE, PAGE_DELAYED, NULL, NO_ARGUMENT},
	{"wrongcount", FAULT_PAGE, PAGE_WRONG_COUNT, NULL, NO_ARGUMENT},
	{"loop", FAULT_PAGE, PAGE_LOOP, NULL, NO_ARGUMENT},
	{"endless", FAULT_PAGE, PAGE_ENDLESS, NULL, NO_ARGUMENT},
	{"otherhost", FAULT_PAGE, PAGE_OTHER_HOST, NULL, NO_ARGUMENT},
	{"emptypage", FAULT_PAGE, PAGE_EMPTY, NULL, NO_ARGUMENT},
	{"badrow", FAULT_PAGE, PAGE_BAD_ROW, NULL, DEFECT},
	{"unsorted", FAULT_PAGE, PAGE_UNSORTED, NULL, NO_ARGUMENT},
	{"dup", FAULT_PAGE, PAGE_DUP, NULL, NO_ARGUMENT},
	{"bignum", FAULT_PAGE, PAGE_EXPONENTS, NULL, NO_ARGUMENT},
	{"restated", FAULT_PAGE, PAGE_RESTATED, NULL, NO_ARGUMENT},
	{"otherday", FAULT_PAGE, PAGE_OTHER_DAY, NULL, NO_ARGUMENT},
	{"otherhour", FAULT_PAGE, PAGE_OTHER_HOUR, NULL, NO_ARGUMENT},
	{"norows", FAULT_PAGE, PAGE_NO_ROWS, NULL, NO_ARGUMENT},
	{"otherhours", FAULT_PAGE, PAGE_OTHER_HOURS, NULL, NO_ARGUMENT},
};

struct line {
	char text[128]; /* the line's words, one blank between */
	char ticker[64];
	enum span span; /* SPANS: any */
	struct fault fault;
	bool later;	     /* page2-: only requests with a cursor */
	bool together;	     /* =N: one count for all tickers and spans */
	unsigned long count; /* 0: always */
	uint64_t id;	     /* survives a re-reading of the file that keeps the line */
};

struct faults {
	char *path;
	struct line *lines;
	size_t n;
	uint64_t last_id;
	struct stat seen;
	pthread_mutex_t lock;
	struct counter {
		uint64_t key;
		unsigned long used;
	} counters[COUNTERS];
};

static int
parse_number(const char *s, unsigned long *n)
{
	char *end;

	if (*s < '0' || *s > '9')
		return -1;
	*n = strtoul(s, &end, 10);
	return *end == '\0' && *n < 1000000000 ? 0 : -1;
}

static int
parse_fault(const char *word, struct line *l)
{
	const struct fault_name *k = fault_names;
	unsigned long n = 0;
	const char *arg;
	size_t i, len;

	if (strncmp(word, "page2-", 6) == 0) {
		l->later = true;
		word += 6;
	}
	len = strcspn(word, "=");
	arg = word[len] == '=' ? word + len + 1 : NULL;
	for (i = 0; i < sizeof fault_names / sizeof *k; i++, k++)
		if (strlen(k->name) == len && memcmp(k->name, word, len) == 0)
			break;
	if (i == sizeof fault_names / sizeof *k || (arg != NULL) != (k->argument != NO_ARGUMENT))
		return -1;
	if (k->argument == NUMBER && parse_number(arg, &n) != 0)
		return -1;
	if (k->argument == DEFECT && (l->fault.defect = defect_named(arg)) == NULL)
		return -1;
	l->fault.class = k->class;
	l->fault.code = k->code;
	l->fault.body = k->body;
	l->fault.number = strcmp(k->name, "429retryday") == 0 ? RETRY_DATE
			  : k->argument == NUMBER	      ? (long)n
							      : -1;
	return 0;
}

/* 1: a fault; 0: nothing on this line; -1: wrong. */
static int
parse_line(const char *s, struct line *l)
{
	char span[16], word[48], count[16] = "", rest[2];
	int words;

	memset(l, 0, sizeof *l);
	words = sscanf(s, "%63s %15s %47s %15s %1s", l->ticker, span, word, count, rest);
	if (words <= 0 || l->ticker[0] == '#')
		return 0;
	if (words < 3 || words > 4)
		return -1;
	l->together = count[0] == '=';
	l->span = strcmp(span, "1min") == 0 ? SPAN_MINUTE : span_named(span, strlen(span));
	if ((l->span == SPANS && strcmp(span, "*") != 0) || parse_fault(word, l) != 0)
		return -1;
	if (words == 4 && (parse_number(count + l->together, &l->count) != 0 || l->count == 0))
		return -1;
	snprintf(l->text, sizeof l->text, "%.60s %.12s %.40s %.10s", l->ticker, span, word, count);
	return 1;
}

/* A line that was there before goes on with its counts. */
static void
keep_ids(struct faults *f, const struct line *old, size_t n)
{
	bool *taken = calloc(n + 1, sizeof *taken);
	size_t i, j;

	for (i = 0; i < f->n; i++) {
		for (j = 0; j < n; j++)
			if (taken != NULL && !taken[j] &&
				strcmp(old[j].text, f->lines[i].text) == 0)
				break;
		if (taken != NULL && j < n)
			taken[j] = true;
		f->lines[i].id = j < n ? old[j].id : ++f->last_id;
	}
	free(taken);
}

/* Return the number of wrong lines, -1 when the file cannot be read. */
static int
read_file(struct faults *f)
{
	struct line *old = f->lines, *grown, l;
	size_t n = f->n, cap = 0;
	char s[256];
	FILE *in;
	int wrong = 0, number = 0, rc;

	if ((in = fopen(f->path, "r")) == NULL)
		return -1;
	f->lines = NULL;
	f->n = 0;
	while (fgets(s, sizeof s, in) != NULL) {
		number++;
		if ((rc = parse_line(s, &l)) < 0) {
			fprintf(stderr, "ts-sim: error: %s line %d: not a fault\n", f->path,
				number);
			wrong++;
		}
		if (rc <= 0)
			continue;
		if (f->n == cap) {
			if ((grown = realloc(f->lines, (cap + 64) * sizeof l)) == NULL)
				break;
			f->lines = grown;
			cap += 64;
		}
		f->lines[f->n++] = l;
	}
	fclose(in);
	keep_ids(f, old, n);
	free(old);
	return wrong;
}

struct faults *
faults_new(const char *path)
{
	struct faults *f = calloc(1, sizeof *f);

	if (f == NULL || (f->path = strdup(path)) == NULL) {
		free(f);
		return NULL;
	}
	pthread_mutex_init(&f->lock, NULL);
	if (stat(path, &f->seen) != 0 || read_file(f) != 0) {
		fprintf(stderr, "ts-sim: error: cannot use the fault file %s\n", path);
		faults_free(f);
		return NULL;
	}
	return f;
}

void
faults_free(struct faults *f)
{
	if (f == NULL)
		return;
	pthread_mutex_destroy(&f->lock);
	free(f->lines);
	free(f->path);
	free(f);
}

static void
refresh(struct faults *f)
{
	struct stat st;

	if (stat(f->path, &st) != 0)
		return;
	if (st.st_mtim.tv_sec == f->seen.st_mtim.tv_sec &&
		st.st_mtim.tv_nsec == f->seen.st_mtim.tv_nsec && st.st_size == f->seen.st_size &&
		st.st_ino == f->seen.st_ino)
		return;
	f->seen = st;
	read_file(f);
}

/* The counter of a line for a request. When the table is full every further counter reads as used
 * up. */
static unsigned long *
counter(struct faults *f, const struct line *l, const struct query *q)
{
	static unsigned long full = (unsigned long)-1;
	uint64_t key = l->together ? sim_mix(l->id, 99)
				   : sim_mix(sim_hash(q->ticker) + (uint64_t)q->span, l->id);
	size_t i, at;

	for (i = 0; i < COUNTERS; i++) {
		at = (key + i) % COUNTERS;
		if (f->counters[at].key == 0)
			f->counters[at].key = key;
		if (f->counters[at].key == key)
			return &f->counters[at].used;
	}
	return &full;
}

static bool
concerns(const struct line *l, const struct query *q)
{
	if (l->fault.class == FAULT_PAGE && l->fault.code == PAGE_EMPTY && q->skipped)
		return false;
	return (strcmp(l->ticker, "*") == 0 || strcmp(l->ticker, q->ticker) == 0) &&
	       (l->span == SPANS || l->span == q->span);
}

void
faults_take(struct faults *f, const struct query *q, struct fault *hit)
{
	unsigned long *used, unlimited = 0;
	bool split = false;
	size_t i;

	memset(hit, 0, sizeof *hit);
	hit->number = -1;
	if (f == NULL)
		return;
	pthread_mutex_lock(&f->lock);
	refresh(f);
	for (i = 0; i < f->n && hit->class == FAULT_NONE; i++) {
		if (!concerns(&f->lines[i], q))
			continue;
		used = f->lines[i].count > 0 ? counter(f, &f->lines[i], q) : &unlimited;
		if (f->lines[i].count > 0 && *used >= f->lines[i].count)
			continue;
		if (f->lines[i].later && !q->paged) {
			split = true;
			continue;
		}
		*hit = f->lines[i].fault;
		++*used;
	}
	pthread_mutex_unlock(&f->lock);
	hit->split = split;
}
