/*
 * report: collects the errors of a file, in any order and up to a bound.
 */
#ifndef CRIER_CONFIG_REPORT_H
#define CRIER_CONFIG_REPORT_H

#include "config/values.h"

#include <stdarg.h>

/* How many errors are kept; of the others only their number. */
enum { REPORT_MAX = 1000 };

struct report {
	struct config_errors *errors; /* not owned */
	size_t left_out;
	bool no_memory;
};

/* `line` and `column` from 1, or 0 for the file as a whole. */
__attribute__((format(printf, 5, 6))) void report_add(struct report *r,
	int line, int column, const char *path, const char *format, ...);
__attribute__((format(printf, 5, 0))) void report_add_va(struct report *r,
	int line, int column, const char *path, const char *format,
	va_list arguments);

/*
 * Puts the errors into the file's order and says how many were left out.
 * Returns 0 where there are none; -EINVAL; or -ENOMEM.
 */
int report_end(struct report *r);

#endif
