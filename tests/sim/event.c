/* The events file: what splits, is corrected, disappears. It knows no bars. */
#include "event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nycal.h"

/* Read "4:1" or a number of days. */
static int
parse_numbers(const char *s, struct event *e)
{
	long long a, b = 1;
	char rest;
	int n = sscanf(s, "%lld:%lld%c", &a, &b, &rest);

	e->a = a;
	e->b = b;
	return n != (e->kind == EVENT_SPLIT ? 2 : 1) || a < 1 || b < 1 || a > 10000 || b > 10000
		       ? -1
		       : 0;
}

static int
parse_event(const char *line, struct event *e)
{
	static const char *const kinds[] = {"split", "correct", "gone", "reuse", "reach"};
	char kind[16], first[16], second[16] = "", rest[2];
	int n = sscanf(line, "%63s %15s %15s %15s %1s", e->ticker, kind, first, second, rest);
	size_t k = 0;

	while (k < sizeof kinds / sizeof kinds[0] && strcmp(kinds[k], kind) != 0)
		k++;
	if (n < 3 || n > 4 || k == sizeof kinds / sizeof kinds[0])
		return -1;
	e->kind = (enum event_kind)k;
	if (e->kind == EVENT_REACH)
		return n == 3 ? parse_numbers(first, e) : -1;
	if (ny_parse_date(first, strlen(first), &e->day) != 0)
		return -1;
	e->since = 0;
	if (e->kind == EVENT_SPLIT)
		return parse_numbers(second, e);
	if (e->kind == EVENT_GONE && n == 4)
		return ny_parse_date(second, strlen(second), &e->since);
	return n == 3 ? 0 : -1;
}

int
events_load(struct events *ev, const char *path)
{
	char line[256];
	struct event e, *grown;
	FILE *f = fopen(path, "r");
	int number = 0, rc = f == NULL ? -1 : 0;

	while (rc == 0 && fgets(line, sizeof line, f) != NULL) {
		number++;
		if (line[0] == '#' || line[strspn(line, " \t\n")] == '\0')
			continue;
		if ((rc = parse_event(line, &e)) != 0)
			break;
		if ((grown = realloc(ev->v, (ev->n + 1) * sizeof *grown)) == NULL)
			rc = -1;
		else
			(ev->v = grown)[ev->n++] = e;
	}
	if (rc != 0)
		fprintf(stderr, "ts-sim: error: cannot read the events %s, line %d\n", path,
			number);
	if (f != NULL)
		fclose(f);
	return rc;
}

void
events_release(struct events *ev)
{
	free(ev->v);
	ev->v = NULL;
	ev->n = 0;
}

const struct event *
events_next(
	const struct events *ev, const char *ticker, enum event_kind kind, const struct event *e)
{
	if (ev == NULL || ev->n == 0)
		return NULL;
	for (e = e == NULL ? ev->v : e + 1; e < ev->v + ev->n; e++)
		if (e->kind == kind && (e->ticker[0] == '*' || strcmp(e->ticker, ticker) == 0))
			return e;
	return NULL;
}
