/*
 * The command line of crierctl: options, the command, and its arguments, which
 * become the parameters of the method that has the command's name.
 */
#include "control/base64.h"
#include "control/cli.h"
#include "proto/proto.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- complaints ---- */

__attribute__((format(printf, 2, 3))) static int misused(
	const struct cli *c, const char *format, ...)
{
	const char *command = c->command ? c->command->name : "";
	va_list ap;

	(void)fputs("crierctl: ", c->err);
	va_start(ap, format);
	(void)vfprintf(c->err, format, ap);
	va_end(ap);
	(void)fprintf(c->err, "\nTry \"crierctl %s%s--help\".\n", command,
		*command ? " " : "");
	return CLI_USAGE;
}

int cli_no_memory(const struct cli *c)
{
	(void)fprintf(c->err, "crierctl: %s\n", strerror(ENOMEM));
	return CLI_REFUSED;
}

/* ---- the command line ---- */

static int read_number(const struct cli *c, const struct command_argument *a,
	const char *value, json_t **ret)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(value, &end, 10);
	if (errno || end == value || *end)
		return misused(
			c, "\"%s\" is no number for --%s", value, a->option);
	if (a->kind == COMMAND_COUNT && number < 1)
		return misused(c, "--%s is 1 or more", a->option);
	*ret = json_integer(number);
	return CLI_GO_ON;
}

static int read_switch(const struct cli *c, const char *value, json_t **ret)
{
	bool on = !strcmp(value, "on");

	if (!on && strcmp(value, "off") != 0)
		return misused(c, "\"%s\" is neither on nor off", value);
	*ret = json_boolean(on);
	return CLI_GO_ON;
}

/* What of a file goes into a request of the greatest length, with the words
 * around it (CONNECTION_LINE_MAX). */
enum { FILE_MAX = 48000 };

static int read_file(const struct cli *c, const char *path, json_t **ret)
{
	uint8_t data[FILE_MAX + 1];
	char text[BASE64_TEXT(FILE_MAX)];
	FILE *file = fopen(path, "re");
	size_t size;
	int error;

	if (!file)
		return misused(c, "%s: %s", path, strerror(errno));
	errno = 0;
	size = fread(data, 1, sizeof(data), file);
	error = ferror(file) ? errno : 0;
	(void)fclose(file);
	if (error)
		return misused(c, "%s: %s", path, strerror(error));
	if (size > FILE_MAX)
		return misused(c,
			"%s is larger than the %d bytes that a request can "
			"carry",
			path, FILE_MAX);
	*ret = json_stringn(text, base64_encode(data, size, text));
	return CLI_GO_ON;
}

/* The value (NULL: of a flag) as JSON; NULL in `*ret` where memory ran out. */
static int read_value(const struct cli *c, const struct command_argument *a,
	const char *value, json_t **ret)
{
	const char *rest = value;
	uint32_t character;

	while (rest && *rest) {
		rest += utf8_decode(rest, &character);
		if (character == UTF8_INVALID)
			return misused(c, "\"%s\" is not UTF-8", value);
	}
	switch (a->kind) {
	case COMMAND_NUMBER:
	case COMMAND_COUNT:
		return read_number(c, a, value, ret);
	case COMMAND_SWITCH:
		return read_switch(c, value, ret);
	case COMMAND_FLAG:
		*ret = json_true();
		return CLI_GO_ON;
	case COMMAND_FILE:
		return read_file(c, value, ret);
	case COMMAND_STRING:
	case COMMAND_LIST:
		break;
	}
	*ret = json_string(value);
	return CLI_GO_ON;
}

/* The object that the parameter `path` goes to: "payload.text" to the member
 * `payload`. The rest of the path to `*ret_key`. NULL: no memory. */
static json_t *find_object(
	json_t *params, const char *path, const char **ret_key)
{
	const char *dot = strchr(path, '.');
	json_t *object;
	char key[32];

	*ret_key = dot ? dot + 1 : path;
	if (!dot)
		return params;
	(void)snprintf(key, sizeof(key), "%.*s", (int)(dot - path), path);
	object = json_object_get(params, key);
	if (!object &&
		json_object_set_new(params, key, object = json_object()) < 0)
		return NULL;
	return object;
}

/* Takes over `value`. */
static int append_param(json_t *params, const char *key, json_t *value)
{
	json_t *list = json_object_get(params, key);

	if (list)
		return json_array_append_new(list, value);
	return json_object_set_new(params, key, json_pack("[o]", value));
}

static int put_param(
	json_t *params, const struct command_argument *a, json_t *value)
{
	const char *key;
	json_t *object = find_object(params, a->param, &key);

	if (object && a->kind == COMMAND_LIST)
		return append_param(object, key, value);
	return json_object_set_new(object, key, value);
}

static int set_argument(const struct cli *c, const struct command_argument *a,
	const char *value)
{
	json_t *json = NULL;
	int r;

	r = read_value(c, a, value, &json);
	if (r != CLI_GO_ON)
		return r;
	r = put_param(c->params, a, json);
	return r < 0 ? cli_no_memory(c) : CLI_GO_ON;
}

/* What getopt_long() returns for the long options, from here on. */
enum { OPTION_JSON = 256, OPTION_ARGUMENT };

enum { OPTIONS_MAX = 24 };

/* The options of every command, and of the one that is known by now. */
static void fill_options(
	const struct command *command, struct option options[OPTIONS_MAX])
{
	static const struct option common[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, OPTION_JSON },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
	};
	size_t n = sizeof(common) / sizeof(common[0]);

	memset(options, 0, OPTIONS_MAX * sizeof(options[0]));
	memcpy(options, common, sizeof(common));
	for (size_t i = 0; command && i < command->n_arguments; i++)
		if (command->arguments[i].option)
			options[n++] = (struct option){
				.name = command->arguments[i].option,
				.has_arg = command->arguments[i].shown
						   ? required_argument
						   : no_argument,
				.val = OPTION_ARGUMENT + (int)i,
			};
}

static int help(const struct cli *c)
{
	if (c->command)
		command_print_help(c->command, c->out);
	else
		commands_print_help(c->out);
	return CLI_DONE;
}

static int take_option(struct cli *c, int option, const char *word)
{
	switch (option) {
	case 's':
		c->socket = optarg;
		return CLI_GO_ON;
	case OPTION_JSON:
		c->json = true;
		return CLI_GO_ON;
	case 'h':
		return help(c);
	case 'V':
		(void)fprintf(c->out, "crierctl %s\n", c->version);
		return CLI_DONE;
	case ':':
		return misused(c, "option \"%s\" needs a value", word);
	case '?':
		if (optopt && optopt < OPTION_JSON)
			return misused(c, "unknown option \"-%c\"", optopt);
		return misused(c, "unknown option \"%s\"", word);
	default:
		return set_argument(c,
			&c->command->arguments[option - OPTION_ARGUMENT],
			optarg);
	}
}

/* Reads options; `how` is getopt's, and says where it ends. optind tells. */
static int read_options(struct cli *c, int argc, char *argv[], const char *how)
{
	struct option options[OPTIONS_MAX];
	int option, r = CLI_GO_ON;

	fill_options(c->command, options);
	opterr = 0;
	optind = 0; /* begin anew, as glibc and musl understand it */
	while (r == CLI_GO_ON) {
		option = getopt_long(argc, argv, how, options, NULL);
		if (option < 0)
			return CLI_GO_ON;
		r = take_option(c, option, argv[optind - 1]);
	}
	return r;
}

static int read_words(struct cli *c, int argc, char *argv[])
{
	const struct command_argument *a = c->command->arguments;
	int next = 0, r;

	for (size_t i = 0; i < c->command->n_arguments; i++) {
		if (a[i].option || next == argc)
			continue;
		r = set_argument(c, &a[i], argv[next++]);
		if (r != CLI_GO_ON)
			return r;
	}
	if (next < argc)
		return misused(c, "\"%s\" is one word too many", argv[next]);
	for (size_t i = 0; i < c->command->n_arguments; i++)
		if (a[i].required && !json_object_get(c->params, a[i].param))
			return misused(c, "%s needs %s%s", c->command->name,
				a[i].option ? "--" : "",
				a[i].option ? a[i].option : a[i].shown);
	return CLI_GO_ON;
}

static int find_command(struct cli *c, const char *name)
{
	const char *nearest;

	c->command = command_find(name, &nearest);
	if (c->command)
		return CLI_GO_ON;
	if (nearest)
		return misused(c,
			"unknown command \"%s\", did you mean "
			"\"%s\"?",
			name, nearest);
	return misused(c, "unknown command \"%s\"", name);
}

int cli_parse(struct cli *c, int argc, char *argv[])
{
	int r;

	r = read_options(c, argc, argv, "+:s:hV");
	if (r != CLI_GO_ON)
		return r;
	if (optind >= argc)
		return misused(c, "a command is missing");
	argc -= optind;
	argv += optind;
	r = find_command(c, argv[0]);
	if (r != CLI_GO_ON)
		return r;
	r = read_options(c, argc, argv, ":s:hV");
	if (r != CLI_GO_ON)
		return r;
	return read_words(c, argc - optind, argv + optind);
}
