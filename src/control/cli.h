/*
 * cli: one run of crierctl. Private to control/.
 */
#ifndef CRIER_CONTROL_CLI_H
#define CRIER_CONTROL_CLI_H

#include "control/commands.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Exit statuses, and that there is none yet. */
enum {
	CLI_GO_ON = -1,
	CLI_DONE = 0,
	CLI_REFUSED = 1,
	CLI_USAGE = 2,
	CLI_UNREACHABLE = 3,
};

struct cli {
	FILE *out, *err;
	const char *version;
	const char *socket;
	bool json;
	const struct command *command;
	json_t *params; /* of the method */
};

/*
 * Reads the command line into `c`. Returns CLI_GO_ON; or the exit status,
 * where all is done, or where it is wrong and that was told.
 */
int cli_parse(struct cli *c, int argc, char *argv[]);

/* Tells it. Returns CLI_REFUSED. */
int cli_no_memory(const struct cli *c);

#endif
