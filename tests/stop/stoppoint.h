#ifndef TS_STOPPOINT_H
#define TS_STOPPOINT_H

/*
 * For tests alone: included in front of every source of the copies that tests/stop/build.sh makes,
 * and linked with them. The shipped programs know nothing of it.
 *
 * A stop point is a place at which a death is most awkward. The process kills itself there, as kill
 * -9 would, when the environment's TS_STOP is "name:n" and it comes by for the n-th time.
 */
void stop_point(const char *name);

/*
 * Calls that must come in a certain order are written as a line each to the file that TS_STOP_TRACE
 * names, and a few have a stop point of their own.
 */
#define fsync stop_fsync
#define renameat stop_renameat
#define unlinkat stop_unlinkat
#define write stop_write

#endif
