/*
 * What the API answers. The rows of a page are read by rows.c; what stands around them, with a null
 * in their place, is an object for the general parser.
 */
#include "page.h"

#include <stdlib.h>

struct page_reader {
	struct slice base;
	struct json *json;
	struct rows rows;
	struct buffer head;    /* the page without its rows */
	struct buffer scratch; /* strings of it, decoded */
	struct buffer next;
	struct buffer why;
};

struct page_reader *
page_reader_new(struct slice base)
{
	struct page_reader *m = memory_grow(NULL, 1, sizeof *m);

	*m = (struct page_reader){.json = json_new(), .base = base};
	m->rows.json = m->json;
	return m;
}

void
page_reader_free(struct page_reader *m)
{
	if (m == NULL)
		return;
	json_free(m->json);
	rows_release(&m->rows);
	buffer_release(&m->head);
	buffer_release(&m->scratch);
	buffer_release(&m->next);
	buffer_release(&m->why);
	free(m);
}

static bool
refuse_page(struct page_reader *m, const char *what, const char *why)
{
	buffer_printf(&m->why, "%s%s", what, why);
	return false;
}

/* Where the array "results" of the object at body[at] begins; 0 if there is none, or what stands
 * before it is not JSON. */
static size_t
find_results(struct page_reader *m, struct slice body, size_t at)
{
	size_t key, end;

	do {
		key = end = json_skip(body, at + 1);
		if (key == body.n || body.p[key] != '"' || json_end(m->json, body, &end) != NULL)
			return 0;
		at = json_skip(body, end);
		if (at == body.n || body.p[at] != ':')
			return 0;
		at = json_skip(body, at + 1);
		if (slice_is((struct slice){body.p + key, end - key}, "\"results\""))
			return at < body.n && body.p[at] == '[' ? at : 0;
		if (json_end(m->json, body, &at) != NULL)
			return 0;
		at = json_skip(body, at);
	} while (at < body.n && body.p[at] == ',');
	return 0;
}

/* The whole body: rows into m->rows, all else into m->json. */
static bool
walk_body(struct page_reader *m, struct slice body)
{
	size_t start = json_skip(body, 0), results, end = 0;
	const char *why;
	json_at at;

	m->rows.n = 0;
	m->head.len = m->why.len = 0;
	if (start == body.n || body.p[start] != '{')
		return refuse_page(
			m, "bad page: ", body.n == 0 ? "it is empty" : "it is not a JSON object");
	results = find_results(m, body, start);
	if (results > 0) {
		end = rows_read(&m->rows, body, results);
		if (end == 0) {
			buffer_printf(&m->why, "bad page: row %zu: %s", m->rows.n, m->rows.why);
			return false;
		}
		buffer_add(&m->head, body.p, results);
		buffer_str(&m->head, "null");
	}
	buffer_add(&m->head, body.p + end, body.n - end);
	m->scratch.len = 0;
	(void)buffer_room(&m->scratch, m->head.len);
	if ((why = json_parse(m->json, buffer_slice(&m->head))) != NULL)
		return refuse_page(
			m, results > 0 ? "bad page: around its rows: " : "bad page: ", why);
	at = json_find(m->json, 0, "results");
	if (at >= 0 && json_type(m->json, at) != JSON_NULL)
		return refuse_page(m, "bad page: ", "results is not an array");
	return true;
}

static struct slice
member_text(struct page_reader *m, const char *key)
{
	struct slice s = json_decode(m->json, json_find(m->json, 0, key), &m->scratch);

	return s.n == 0 ? (struct slice){0} : s;
}

/* error for status ERROR, message for the others; whichever is there. */
static struct slice
words_of(struct page_reader *m)
{
	struct slice words = member_text(m, "error");

	return words.p != NULL ? words : member_text(m, "message");
}

/* A reply of 200 whose status is not a success has failed like any other. */
static enum page_verdict
check_status(struct page_reader *m)
{
	struct slice status = member_text(m, "status");
	struct slice words;

	if (slice_is(status, "OK") || slice_is(status, "DELAYED"))
		return PAGE_OK;
	/* Whole: who shortens a text must see all of a key in it. */
	words = words_of(m);
	if (status.p == NULL)
		status = slice_of("missing");
	buffer_printf(&m->why, "status %.*s%s%.*s", SLICE(status), words.p == NULL ? "" : ": ",
		SLICE(words));
	return slice_is(status, "NOT_AUTHORIZED") || slice_is(status, "NOT_FOUND") ? PAGE_FAIL
										   : PAGE_RETRY;
}

/* Whether the page is about what was asked. */
static bool
check_echo(struct page_reader *m, const struct series *s)
{
	json_at adjusted = json_find(m->json, 0, "adjusted");
	json_at count = json_find(m->json, 0, "resultsCount");
	uint64_t n;

	if (s->symbol.n > 0 && !slice_eq(member_text(m, "ticker"), s->symbol))
		return refuse_page(m, "bad page: ", "it is about another ticker");
	if (json_type(m->json, adjusted) != JSON_BOOL ||
		slice_is(json_raw(m->json, adjusted), "true") != s->adjusted)
		return refuse_page(m, "bad page: ", "its adjusted is not what was asked for");
	if (count >= 0 && (json_type(m->json, count) != JSON_NUMBER ||
				  slice_count(json_raw(m->json, count), &n) != 0 || n != m->rows.n))
		return refuse_page(m, "bad page: ", "resultsCount is not the number of its rows");
	return true;
}

/* An absent, null or empty next_url is the end. */
static bool
read_next(struct page_reader *m, const struct series *s, struct page *page)
{
	json_at at = json_find(m->json, 0, "next_url");
	struct slice url = member_text(m, "next_url");
	const char *why;

	if (at < 0 || json_type(m->json, at) == JSON_NULL ||
		(json_type(m->json, at) == JSON_STRING && json_raw(m->json, at).n == 0))
		return true;
	m->next.len = 0;
	why = url.p == NULL ? "next_url is not a URL" : url_next(&m->next, url, m->base, s);
	if (why != NULL)
		return refuse_page(m, "bad page: ", why);
	page->next = buffer_slice(&m->next);
	return true;
}

/* How full the page is. It is only a hint, so what cannot be is passed over. */
static uint64_t
read_base(struct page_reader *m)
{
	json_at count = json_find(m->json, 0, "queryCount");
	uint64_t n;

	if (json_type(m->json, count) != JSON_NUMBER ||
		slice_count(json_raw(m->json, count), &n) != 0 || n < m->rows.n ||
		n > 2 * URL_LIMIT)
		return m->rows.n;
	return n;
}

static bool
check_after(struct page_reader *m, int64_t after)
{
	if (m->rows.n == 0 || m->rows.row[0].t >= after)
		return true;
	return refuse_page(m, "bad page: ", "it starts before the end of the page before");
}

enum page_verdict
page_read(struct page_reader *m, struct slice body, const struct series *s, int64_t after,
	struct page *page)
{
	enum page_verdict verdict = PAGE_RETRY;

	*page = (struct page){.body = body};
	m->rows.any_order = s->symbol.n == 0;
	if (walk_body(m, body)) {
		page->request_id = member_text(m, "request_id");
		verdict = check_status(m);
		if (verdict == PAGE_OK &&
			(!check_echo(m, s) || !read_next(m, s, page) || !check_after(m, after)))
			verdict = PAGE_RETRY;
	}
	page->row = m->rows.row;
	page->rows = m->rows.n;
	page->base = verdict == PAGE_OK ? read_base(m) : 0;
	page->why = slice_of(buffer_cstr(&m->why));
	return verdict;
}

void
page_words(struct page_reader *m, struct slice body, struct slice *words, struct slice *request_id)
{
	*words = *request_id = (struct slice){0};
	if (!walk_body(m, body))
		return;
	*words = words_of(m);
	*request_id = member_text(m, "request_id");
}
