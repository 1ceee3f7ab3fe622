/* For tests that need the calendar: it is there from set_up() to tear_down(). */
#ifndef TS_CHECK_CALENDAR_H
#define TS_CHECK_CALENDAR_H

#include "check.h"

#include "calendar.h"
#include "timestamp.h"

static struct calendar *calendar;

static int
set_up(void **state)
{
	const char *why;

	(void)state;
	calendar = calendar_new(&why);
	return calendar == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
	(void)state;
	calendar_free(calendar);
	return 0;
}

/* The instant that a text names. */
static inline int64_t
at(const char *text)
{
	int64_t t = 0;

	assert_int_equal(timestamp_parse(slice_of(text), &t), 0);
	return t;
}

#endif
