/*
 * commands: what crierctl can be told to do, as a table. Immutable.
 */
#ifndef CRIER_CONTROL_COMMANDS_H
#define CRIER_CONTROL_COMMANDS_H

#include "control/show.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* What a word of the command line is for the daemon. */
enum command_kind {
	COMMAND_STRING,
	COMMAND_NUMBER,
	COMMAND_SWITCH, /* "on" or "off": true or false */
	COMMAND_LIST,   /* may be repeated: an array of strings */
	COMMAND_COUNT,  /* a number from 1 on */
	COMMAND_FLAG,   /* an option without a value: true */
	COMMAND_FILE,   /* a file's name: what it holds, in base64 */
};

struct command_argument {
	const char *option; /* its name; NULL: a word behind the command */
	/* The method's, or monitor_run()'s; "a.b" is a member of the object
	 * "a". */
	const char *param;
	enum command_kind kind;
	bool required;
	const char *shown; /* what stands for the value in the help; of a
			      flag NULL */
	const char *help;
};

/* Its name is also the method's. */
struct command {
	const char *name;
	show_result show; /* NULL: monitor_run() does it all */
	bool paged;       /* the result is one page of `entries` */
	const struct command_argument *arguments;
	size_t n_arguments;
	const char *help;
};

/* NULL: there is none; then `*ret_nearest` is one that may have been meant, or
 * NULL. */
const struct command *command_find(const char *name, const char **ret_nearest);

/* The help of all, or of one. */
void commands_print_help(FILE *out);
void command_print_help(const struct command *command, FILE *out);

#endif
