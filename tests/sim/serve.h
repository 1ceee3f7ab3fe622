#ifndef SIM_SERVE_H
#define SIM_SERVE_H

#include <stdint.h>

#include "event.h"
#include "fault.h"
#include "memo.h"
#include "nycal.h"
#include "recorded.h"

/* The caller owns what this points to and keeps it until server_stop. */
struct server_options {
	const struct nycal *cal;
	const struct events *events; /* NULL: none */
	const struct universe *universe;
	struct faults *faults;	   /* NULL: none */
	struct recorded *recorded; /* NULL: none */
	struct memo *memo;	   /* NULL: every reply is made anew */
	const char *key;	   /* NULL: any key or none */
	int64_t now;		   /* ms; -1: the wall clock */
	long latency;		   /* ms before each reply */
	long quota;		   /* requests in 60 s; 0: no limit */
	long max_limit;		   /* highest limit */
	int log;		   /* descriptor, -1: no log */
};

struct server;

/**
 * server_start(options, port):
 * Listen on 127.0.0.1 at ${port}, 0 for a free one, and store the port. Signals must be blocked by
 * the caller. Return NULL when that fails.
 */
struct server *server_start(const struct server_options *, uint16_t *);

/* server_stop(server): close all connections, also those being delayed, and free everything. */
void server_stop(struct server *);

#endif
