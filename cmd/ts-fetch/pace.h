#ifndef TS_FETCH_PACE_H
#define TS_FETCH_PACE_H

#include "rate.h"
#include "share.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * A rate that several hosts share by its name: the key tickstock.share.rate:NAME in Redis holds the
 * moment up to which requests are granted, and each grant moves it on by one interval. Without
 * Redis a host keeps to a sixteenth of the rate. Times are clock_mono_ms().
 */
struct pace {
	struct share share;
	struct buffer key;
	struct buffer interval; /* us, as the script takes it */
	int64_t interval_ms;
	bool asking;
	int64_t asked;
	int64_t due;	 /* when to ask again */
	int64_t granted; /* from then on for a moment one request may be sent; -1: not known */
	int64_t alone;	 /* when the next one may be sent without Redis */
};

/* Reads RATE@NAME up to the @ into *rate: 0 with *name behind it, or absent; -1 if it is neither.
 */
int pace_parse(const char *text, struct rate *rate, const char **name);

/* The URL must outlive it. pace_release() may be called for {0} as well. */
void pace_init(struct pace *, struct rate, const char *name, const struct redis_url *);
void pace_release(struct pace *);

/* How many ms from now a request may be sent, which there is; 0: at once. */
int64_t pace_wait(struct pace *, int64_t now);

/* It is sent now. */
void pace_spend(struct pace *, int64_t now);

/* The API refuses: for so many ms from now no host sends anything. */
void pace_hold(struct pace *, int64_t ms);

/* As those of share.h. */
void pace_serve(struct pace *, short revents, int64_t now);

#endif
