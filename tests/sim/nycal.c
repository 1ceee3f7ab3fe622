/* New York's days and the exchange's sessions, from the system's zone data and a calendar file. It
 * knows no bars. */
#include "nycal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAYS 47482 /* 1970-01-01 to 2099-12-31 */

static int64_t midnights[DAYS + 1];

static int32_t
days_from_civil(int y, int m, int d)
{
	int era, yoe, doy;

	y -= m <= 2;
	era = y / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void
civil_from_days(int32_t day, int *y, int *m, int *d)
{
	int z = day + 719468, era = z / 146097, doe = z - era * 146097;
	int yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;

	*d = doy - (153 * mp + 2) / 5 + 1;
	*m = mp + (mp < 10 ? 3 : -9);
	*y = yoe + era * 400 + (*m <= 2);
}

static int32_t
clamp_day(int32_t day)
{
	return day < 0 ? 0 : day >= DAYS ? DAYS - 1 : day;
}

int64_t
ny_midnight(int32_t day)
{
	return midnights[clamp_day(day)];
}

int32_t
ny_day(int64_t ms)
{
	int32_t day;

	if (ms < midnights[0])
		return 0;
	if (ms >= midnights[DAYS - 1])
		return DAYS - 1;
	day = clamp_day((int32_t)((ms - midnights[0]) / (24 * HOUR_MS)));
	while (midnights[day] > ms)
		day--;
	while (midnights[day + 1] <= ms)
		day++;
	return day;
}

int32_t
ny_sunday(int32_t day)
{
	return day - (day + 4) % 7;
}

int32_t
ny_month(int32_t day, int k)
{
	int y, m, d;

	civil_from_days(day, &y, &m, &d);
	y += (m - 1 + k) / 12;
	m = (m - 1 + k) % 12 + 1;
	return days_from_civil(y, m, 1);
}

int
ny_parse_date(const char *s, size_t len, int32_t *day)
{
	int n[3] = {0, 0, 0}, part = 0, y, m, d;
	size_t i;

	if (len != 10)
		return -1;
	for (i = 0; i < len; i++) {
		if (i == 4 || i == 7) {
			if (s[i] != '-')
				return -1;
			part++;
		} else if (s[i] < '0' || s[i] > '9') {
			return -1;
		} else {
			n[part] = n[part] * 10 + (s[i] - '0');
		}
	}
	if (n[0] < 1 || n[1] < 1 || n[1] > 12)
		return -1;
	*day = days_from_civil(n[0], n[1], n[2]);
	civil_from_days(*day, &y, &m, &d);
	return y == n[0] && m == n[1] && d == n[2] ? 0 : -1;
}

int
ny_parse_instant(const char *s, int64_t *ms)
{
	int h, m, sec;
	int32_t day;
	char z, rest, *end;
	long long n;

	errno = 0;
	n = strtoll(s, &end, 10);
	if (errno == 0 && end != s && *end == '\0' && n >= 0 && n <= 4102444800LL) {
		*ms = n * 1000;
		return 0;
	}
	if (strlen(s) != 20 || ny_parse_date(s, 10, &day) != 0 ||
		sscanf(s + 10, "T%2d:%2d:%2d%c%c", &h, &m, &sec, &z, &rest) != 4 || z != 'Z' ||
		h > 23 || m > 59 || sec > 60)
		return -1;
	*ms = (((int64_t)day * 24 + h) * 60 + m) * MINUTE_MS + sec * 1000;
	return 0;
}

/* The only use of the host's zone data: the midnights of all days. */
static int
find_midnights(void)
{
	struct tm tm;
	int32_t day;
	int y, m, d;

	if (setenv("TZ", "America/New_York", 1) != 0)
		return -1;
	tzset();
	for (day = 0; day <= DAYS; day++) {
		civil_from_days(day, &y, &m, &d);
		memset(&tm, 0, sizeof tm);
		tm.tm_year = y - 1900;
		tm.tm_mon = m - 1;
		tm.tm_mday = d;
		tm.tm_isdst = -1;
		midnights[day] = (int64_t)mktime(&tm) * 1000;
	}
	/* 2025-07-01 is summer time: 04:00Z. Without zone data the C library silently answers in
	 * UTC. */
	return midnights[20270] == (int64_t)20270 * 24 * HOUR_MS + 4 * HOUR_MS ? 0 : -1;
}

/* Read the calendar file into kind[day]: 0 ordinary, 1 holiday, 2 half day. */
static int
read_kinds(const char *path, unsigned char *kind, int32_t *first, int32_t *last)
{
	char line[256];
	FILE *f;
	int32_t day;
	int rc = 0;

	if ((f = fopen(path, "r")) == NULL)
		return -1;
	*first = DAYS;
	*last = -1;
	while (fgets(line, sizeof line, f) != NULL) {
		if (line[0] == '#' || strncmp(line, "date\t", 5) == 0)
			continue;
		if (ny_parse_date(line, 10, &day) != 0 || day < 0 || day >= DAYS ||
			(strncmp(line + 10, "\tholiday\t", 9) != 0 &&
				strncmp(line + 10, "\tearly\t", 7) != 0)) {
			rc = -1;
			break;
		}
		kind[day] = line[11] == 'h' ? 1 : 2;
		*first = day < *first ? day : *first;
		*last = day > *last ? day : *last;
	}
	fclose(f);
	return *last < 0 ? -1 : rc;
}

/* The first day of the year a day lies in, or of the next. */
static int32_t
year_start(int32_t day, int next)
{
	int y, m, d;

	civil_from_days(day, &y, &m, &d);
	return days_from_civil(y + next, 1, 1);
}

static int
fill_sessions(struct nycal *cal, const unsigned char *kind, int32_t first, int32_t end)
{
	struct session *s;
	int32_t day;

	if ((cal->v = malloc((size_t)(end - first) * sizeof *cal->v)) == NULL)
		return -1;
	for (day = first; day < end; day++) {
		if ((day + 4) % 7 == 0 || (day + 4) % 7 == 6 || kind[day] == 1)
			continue;
		s = &cal->v[cal->n++];
		s->midnight = midnights[day];
		s->day = day;
		s->minutes = kind[day] == 2 ? 780 : 960;
		s->regular = kind[day] == 2 ? 210 : 390;
	}
	return 0;
}

int
nycal_load(struct nycal *cal, const char *path)
{
	unsigned char *kind;
	int32_t first = 0, last = 0;
	int rc = -1;

	memset(cal, 0, sizeof *cal);
	if ((kind = calloc(DAYS, 1)) == NULL)
		return -1;
	if (find_midnights() != 0)
		fprintf(stderr, "ts-sim: error: no zone data for America/New_York\n");
	else if (read_kinds(path, kind, &first, &last) != 0)
		fprintf(stderr, "ts-sim: error: cannot read the calendar %s\n", path);
	else
		rc = fill_sessions(cal, kind, year_start(first, 0), clamp_day(year_start(last, 1)));
	free(kind);
	return rc;
}

void
nycal_release(struct nycal *cal)
{
	free(cal->v);
	cal->v = NULL;
	cal->n = 0;
}

size_t
nycal_lower(const struct nycal *cal, int32_t day)
{
	size_t lo = 0, hi = cal->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (cal->v[mid].day < day)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}
