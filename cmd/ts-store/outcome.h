#ifndef TS_OUTCOME_H
#define TS_OUTCOME_H

#include "session.h"

/*
 * What can be done about an error, by its SQLSTATE of five letters (PostgreSQL's documentation,
 * appendix A, "Error Codes").
 */
enum outcome outcome_of(const char *sqlstate);

#endif
