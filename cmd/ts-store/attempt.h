#ifndef TS_ATTEMPT_H
#define TS_ATTEMPT_H

#include "load.h"

/* A part of a batch: the places from first on, up to but not including end. */
struct part {
	size_t first, end;
};

/* A group's share of a part. */
struct share {
	struct group *group;
	size_t first, end;
};

/* Goes to the first share of a part, where share is {0}, or to the next; false behind the last. */
bool part_next(const struct batch *, struct part, struct share *);

/*
 * One transaction that stores a part of a batch: on PG_OK it is committed, and the fates are
 * noted. On anything else nothing is stored, no fate is noted that counts, and the session is
 * where it can begin anew. Groups whose table has a fault are given that fault and left out.
 */
enum outcome attempt_part(struct load *, struct batch *, struct part);

#endif
