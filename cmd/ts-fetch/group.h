#ifndef TS_FETCH_GROUP_H
#define TS_FETCH_GROUP_H

#include "buffer.h"
#include "bars.h"
#include "chunk.h"
#include "grouped.h"
#include "hash.h"
#include "rollup.h"
#include "task.h"

/* What grouped.c and sample.c share: a group, whose own each of them is in part. */
struct member {
	UT_hash_handle hh; /* by its symbol */
	struct task *task;
	struct bars bars;
	struct rider *riders;
	size_t row; /* of the page that was checked last, if look is the group's */
	uint64_t look;
	bool done;   /* it has its verdict */
	bool sample; /* it is asked for singly */
};

/* A member that is asked for singly. */
struct sample {
	struct member *member;
	struct rollup own; /* its days, and the first that differs from its grouped one */
	bool failed;	   /* nothing is compared with it */
};

struct group {
	ARRAY(struct member) members;
	struct member *by_symbol;
	struct chunk *chunk;
	int64_t start, end; /* dates */
	int32_t date;	    /* that is asked for */
	uint64_t look;	    /* number of the page that is checked */
	unsigned dates;	    /* that were asked for */
	unsigned pages;	    /* that have come */
	ARRAY(struct sample) samples;
	size_t asked; /* samples that have come; all: dates are asked for */
	/* The first page that has rows of members, until the samples have come. */
	struct buffer body;
	ARRAY(struct row) rows;
};

/* A row of a grouped page as the API has it in a series: a day begins at midnight. */
struct row group_day_of(
	struct tasks *, const struct group *, const struct page *, const struct member *);

/*
 * A day of a member's: is written, if it belongs, and goes into what is made of it; before is the
 * start of the one in front of it.
 */
void group_add_day(
	struct tasks *, struct member *, const struct page *, const struct row *, int64_t before);

/* The page of a date that was checked last; the next date, or the end. */
void group_date(struct tasks *, struct active *, const struct page *);
void group_go_on(struct tasks *, struct active *);

/* The verdict of one member; the end, good or not. */
void group_finish_member(struct tasks *, struct active *, struct member *);
void group_finish(struct tasks *, struct active *, bool good);

/* Chooses the samples of a page, and keeps it until they have come; none if it has no members. */
void sample_take(struct tasks *, struct group *, const struct page *);

/* Compares the samples with their rows of the page that was checked last. */
void sample_compare(struct tasks *, const struct group *, const struct page *);

/* A page of the member that is asked for singly. */
void sample_page(struct tasks *, struct active *, const struct page *);

/* Whether no sample has been found to differ yet, and there is one; if one does, that is told. */
bool sample_proven(struct tasks *, const struct group *);

#endif
