#ifndef SIM_PAGE_H
#define SIM_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "data.h"
#include "query.h"
#include "text.h"

/* What can be wrong with a page that is otherwise made of the ordinary bars; README says what each
 * one does. */
enum page_fault {
	PAGE_PLAIN,
	PAGE_OTHER_TICKER,
	PAGE_OTHER_ADJUSTED,
	PAGE_DELAYED,
	PAGE_WRONG_COUNT,
	PAGE_LOOP,
	PAGE_ENDLESS,
	PAGE_OTHER_HOST,
	PAGE_EMPTY,
	PAGE_BAD_ROW,
	PAGE_UNSORTED,
	PAGE_DUP,
	PAGE_EXPONENTS,
	PAGE_RESTATED,
	PAGE_OTHER_HOURS,
	PAGE_OTHER_DAY,
	PAGE_OTHER_HOUR,
	PAGE_NO_ROWS
};

/* A way to spoil one row: the field's value replaced by text, or the field removed (text NULL). */
struct defect {
	const char *name, *field, *text;
};

struct page_order {
	struct market market;
	const char *request_id;
	const struct defect *defect; /* of PAGE_BAD_ROW */
	enum page_fault fault;
	bool split; /* make two pages of what would fit one */
};

/* defect_named(name): one of the defects, or NULL. */
const struct defect *defect_named(const char *);

/**
 * page_write(order, q, out):
 * Write the reply to ${q} into the empty text ${out}.
 */
void page_write(const struct page_order *, const struct query *, struct text *);

#endif
