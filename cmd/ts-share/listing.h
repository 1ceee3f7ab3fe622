#ifndef TS_SHARE_LISTING_H
#define TS_SHARE_LISTING_H

#include "lines.h"
#include "share.h"

/*
 * Writes what the server knows at this moment: a line for each job, and under it one for each host
 * that has ever asked for its tasks. The exit status.
 */
int listing_show(struct share *, struct writer *);

#endif
