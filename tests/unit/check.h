/* What every unit test includes: cmocka wants these four headers before its own. */
#ifndef TS_CHECK_H
#define TS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
