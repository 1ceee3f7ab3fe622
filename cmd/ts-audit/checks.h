#ifndef TS_CHECKS_H
#define TS_CHECKS_H

/*
 * All thresholds of the checks in one place. Where they come from: minutes, hours, days, weeks and
 * months of 11,585 real sessions laid over each other; see ts-audit(1).
 */

/*
 * Basis: middle of the four ratios of a session's regular prices to its day's. One session alone
 * may be off by more than the median of several in a row, which the window slides over.
 */
#define CHECK_BASIS_ONE 0.03
#define CHECK_BASIS_FEW 0.005
#define CHECK_BASIS_MANY 0.002
enum { CHECK_FEW = 5, CHECK_MANY = 10, CHECK_WINDOW = 20 };
/* Sessions whose factors are as near to each other are one stretch. */
#define CHECK_SAME_FACTOR 0.02

/* Week and month against their days, hour against its minutes: prices. Room for a rounded double.
 */
#define CHECK_ROLL_UP 0.000101

/* Regular minutes against the day's low and high: a share of the price, and an amount. */
#define CHECK_RANGE 0.002
#define CHECK_RANGE_AMOUNT "0.0002"

/* Regular volume against the day's. */
#define CHECK_VOLUME 1.05

/* How unlikely a silence must be by the share of minutes with a trade, to be a hole. */
#define CHECK_SILENCE 1e-7

/* A session that at least so many symbols of an audit, and all that there are, lack is not a hole.
 */
enum { CHECK_CLOSED_SYMBOLS = 20 };

/* Behind a gap of more sessions than this a price level so many times as high, or as low, is that
 * of another security. */
enum { CHECK_GAP = 20, CHECK_LEVEL = 3 };

#endif
