#ifndef TS_CALENDAR_H
#define TS_CALENDAR_H

#include "timestamp.h"

#include <stdint.h>

/*
 * New York: its time of day, by the system's time zone data, and the sessions of the New York Stock
 * Exchange, by rule. Dates are New York dates, minutes count from New York's midnight.
 *
 * Sessions are known from 2000-01-01 to 2035-12-31: weekdays less the holidays and special closures
 * of NYSE Rule 7.2, some of them half days that end at 13:00. Before 2000 every weekday counts as a
 * full session (the API has no bars there). After 2035 there are none.
 */
struct calendar;

enum session { SESSION_NONE, SESSION_HALF, SESSION_FULL };

/* Minutes of the day. Bars of extended hours lie between EXTENDED_OPEN and
 * calendar_extended_close(). */
enum { EXTENDED_OPEN = 4 * 60, REGULAR_OPEN = 9 * 60 + 30 };

/*
 * Reads the time zone and works out the sessions, with what the exchange decided beside its rule:
 * in the file that TS_CLOSURES names a line is a date and "closed", or a date and "13:00" for a
 * half day; blank lines and lines that begin with # are passed over. Whatever is not understood is
 * told, so that no closure is passed over in silence. NULL, with a sentence in *why that lasts,
 * when that file cannot be used or America/New_York cannot be found: the C library would take it
 * for UTC in silence. calendar_free() frees it.
 */
struct calendar *calendar_new(const char **why);
void calendar_free(struct calendar *);

/* The first and the last date whose sessions are known by rule: 2000-01-01 and 2035-12-31. */
enum { CALENDAR_FIRST = 10957, CALENDAR_LAST = 24105 };

enum session calendar_session(const struct calendar *, int32_t date);

/* The last session on or before, the first on or after a date; after 2035 the date itself. */
int32_t calendar_session_before(const struct calendar *, int32_t date);
int32_t calendar_session_after(const struct calendar *, int32_t date);

/* How many sessions there are from one date to another, both included; 0 if to lies before from. */
int calendar_sessions(const struct calendar *, int32_t from, int32_t to);

/* When the regular hours of a session end: 960 (16:00), 780 (13:00) on a half day. */
int calendar_regular_close(const struct calendar *, int32_t date);

/* When its extended hours end and its bars are final: 1200 (20:00), 1020 (17:00) on a half day. */
int calendar_extended_close(const struct calendar *, int32_t date);

/* New York's date and minute of the day at an instant (timestamp.h). */
int32_t calendar_date(const struct calendar *, int64_t instant);
int calendar_minute(const struct calendar *, int64_t instant);

/* The instant at which New York's clocks show that minute of that date. */
int64_t calendar_instant(const struct calendar *, int32_t date, int minute);

#endif
