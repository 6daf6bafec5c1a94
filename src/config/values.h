/*
 * values: what the configurations of crierd and of crier-mqtt are both made of,
 * and the errors of either.
 */
#ifndef CRIER_CONFIG_VALUES_H
#define CRIER_CONFIG_VALUES_H

#include "net/net.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct config_strings {
	char **at;
	size_t n;
};

struct config_sizes { /* bytes, both ends included */
	uint32_t low, high;
};

/* `allow` or `deny`; an empty list says nothing. */
struct config_filter {
	struct net_prefix *sources;
	size_t n_sources;
	struct config_strings services; /* "_hap._tcp", lower case, no domain */
	struct config_strings targets;  /* globs */
	struct config_sizes *sizes;
	size_t n_sizes;
};

/* One thing that is wrong with a file. Line and column count from 1; both are
 * 0 where the file could not be read at all. */
struct config_error {
	int line, column;
	char *path;    /* "groups.beacon.ttl"; "" for the file as a whole */
	char *message; /* what is wrong, and what would be right */
};

struct config_errors {
	struct config_error *at;
	size_t n;
};

/* The largest file that is read. */
enum { CONFIG_MAX_BYTES = 1024 * 1024 };

void config_errors_done(struct config_errors *errors);

/* One error as a line of text without a newline:
 * FILE:LINE:COLUMN: PATH: MESSAGE. */
void config_error_print(
	const struct config_error *e, const char *file, FILE *out);
/* All of them, each with a newline. */
void config_errors_print(
	const struct config_errors *errors, const char *file, FILE *out);

#endif
