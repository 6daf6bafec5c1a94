/*
 * crierctl. One run:
 *   1. parse() reads the options, the command and its arguments into the
 *      parameters of the method that has the command's name.
 *   2. run() calls it on the control socket (or monitors what happens there).
 *   3. Its result is printed as a table or as JSON, its error to `err`.
 */
#include "control/client.h"
#include "control/commands.h"
#include "control/control.h"
#include "control/monitor.h"
#include "control/table.h"
#include "control/text.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { GO_ON = -1, DONE = 0, REFUSED = 1, USAGE = 2, UNREACHABLE = 3 };

struct cli {
	FILE *out, *err;
	const char *version;
	const char *socket;
	bool json;
	const struct command *command;
	json_t *params;
};

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
	return USAGE;
}

static int out_of_memory(const struct cli *c)
{
	(void)fprintf(c->err, "crierctl: %s\n", strerror(ENOMEM));
	return REFUSED;
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
	return GO_ON;
}

static int read_switch(const struct cli *c, const char *value, json_t **ret)
{
	bool on = !strcmp(value, "on");

	if (!on && strcmp(value, "off"))
		return misused(c, "\"%s\" is neither on nor off", value);
	*ret = json_boolean(on);
	return GO_ON;
}

/* The value (NULL: of a flag) as JSON; NULL in `*ret` where memory ran out. */
static int read_value(const struct cli *c, const struct command_argument *a,
	const char *value, json_t **ret)
{
	const char *rest = value;
	uint32_t character;

	while (rest && *rest) {
		rest += text_decode(rest, &character);
		if (character == TEXT_INVALID)
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
		return GO_ON;
	case COMMAND_STRING:
	case COMMAND_LIST:
		break;
	}
	*ret = json_string(value);
	return GO_ON;
}

static int append_param(json_t *params, const char *key, json_t *value)
{
	json_t *list = json_object_get(params, key);

	if (list)
		return json_array_append_new(list, value);
	return json_object_set_new(params, key, json_pack("[o]", value));
}

static int set_argument(const struct cli *c, const struct command_argument *a,
	const char *value)
{
	json_t *json = NULL;
	int r;

	r = read_value(c, a, value, &json);
	if (r != GO_ON)
		return r;
	if (a->kind == COMMAND_LIST)
		r = append_param(c->params, a->param, json);
	else
		r = json_object_set_new(c->params, a->param, json);
	return r < 0 ? out_of_memory(c) : GO_ON;
}

/* What getopt_long() returns for the long options, from here on. */
enum { OPTION_JSON = 256, OPTION_ARGUMENT };

enum { OPTIONS_MAX = 20 };

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
	return DONE;
}

static int take_option(struct cli *c, int option, const char *word)
{
	switch (option) {
	case 's':
		c->socket = optarg;
		return GO_ON;
	case OPTION_JSON:
		c->json = true;
		return GO_ON;
	case 'h':
		return help(c);
	case 'V':
		(void)fprintf(c->out, "crierctl %s\n", c->version);
		return DONE;
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
	int option, r = GO_ON;

	fill_options(c->command, options);
	opterr = 0;
	optind = 0; /* begin anew, as glibc and musl understand it */
	while (r == GO_ON) {
		option = getopt_long(argc, argv, how, options, NULL);
		if (option < 0)
			return GO_ON;
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
		if (r != GO_ON)
			return r;
	}
	if (next < argc)
		return misused(c, "\"%s\" is one word too many", argv[next]);
	for (size_t i = 0; i < c->command->n_arguments; i++)
		if (a[i].required && !json_object_get(c->params, a[i].param))
			return misused(c, "%s needs %s%s", c->command->name,
				a[i].option ? "--" : "",
				a[i].option ? a[i].option : a[i].shown);
	return GO_ON;
}

static int find_command(struct cli *c, const char *name)
{
	const char *nearest;

	c->command = command_find(name, &nearest);
	if (c->command)
		return GO_ON;
	if (nearest)
		return misused(c,
			"unknown command \"%s\", did you mean "
			"\"%s\"?",
			name, nearest);
	return misused(c, "unknown command \"%s\"", name);
}

static int parse(struct cli *c, int argc, char *argv[])
{
	int r;

	r = read_options(c, argc, argv, "+:s:hV");
	if (r != GO_ON)
		return r;
	if (optind >= argc)
		return misused(c, "a command is missing");
	argc -= optind;
	argv += optind;
	r = find_command(c, argv[0]);
	if (r != GO_ON)
		return r;
	r = read_options(c, argc, argv, ":s:hV");
	if (r != GO_ON)
		return r;
	return read_words(c, argc - optind, argv + optind);
}

/* ---- the call ---- */

static int unreachable(const struct cli *c, int error)
{
	(void)fprintf(c->err, "crierctl: no daemon answers on %s: %s\n",
		c->socket,
		error == -EBADMSG ? "what came is no answer of crierd"
		: error == -EPIPE ? "it hung up"
				  : strerror(-error));
	if (error == -ENOENT || error == -ECONNREFUSED)
		(void)fputs("Start it with \"systemctl start crierd\" or "
			    "\"crierd -c FILE\", or name its socket with "
			    "-s.\n",
			c->err);
	else if (error == -EACCES || error == -EPERM)
		(void)fputs("The mode of the socket says who may connect: "
			    "control.mode and control.group in crierd.yaml.\n",
			c->err);
	return UNREACHABLE;
}

/* One error of a configuration. */
static void print_config_error(
	const struct cli *c, const char *file, const json_t *error)
{
	const char *path = json_string_value(json_object_get(error, "path"));
	const char *message =
		json_string_value(json_object_get(error, "message"));
	struct config_error e = {
		.line = (int)json_integer_value(json_object_get(error, "line")),
		.column = (int)json_integer_value(
			json_object_get(error, "column")),
		.path = text_escape(path ? path : ""),
		.message = text_escape(message ? message : ""),
	};

	if (e.path && e.message)
		config_error_print(&e, file, c->err);
	(void)fputc('\n', c->err);
	free(e.path);
	free(e.message);
}

static int refused(const struct cli *c, const json_t *error)
{
	const char *message =
		json_string_value(json_object_get(error, "message"));
	const json_t *data = json_object_get(error, "data");
	const char *file = json_string_value(json_object_get(data, "file"));
	json_t *one;
	size_t i;

	(void)fprintf(c->err, "crierctl: %s: ", c->command->name);
	(void)table_print_text(
		c->err, message ? message : "refused", TABLE_PLAIN, false);
	(void)fputc('\n', c->err);
	json_array_foreach(json_object_get(data, "errors"), i, one)
		print_config_error(c, file ? file : "", one);
	return REFUSED;
}

static bool is_coloured(FILE *out)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (no_color && *no_color) /* no-color.org */
		return false;
	return isatty(fileno(out)) && term && strcmp(term, "dumb");
}

static int print_result(const struct cli *c, const json_t *result)
{
	int r = 0;

	if (!c->json)
		r = c->command->show(result, c->out, is_coloured(c->out));
	else if (json_dumpf(result, c->out, JSON_INDENT(2) | JSON_ENCODE_ANY))
		r = -EIO;
	else
		(void)fputc('\n', c->out);
	return r == -ENOMEM ? out_of_memory(c) : DONE;
}

static int print_answer(const struct cli *c, const json_t *answer)
{
	const json_t *result = json_object_get(answer, "result");

	if (!result)
		return refused(c, json_object_get(answer, "error"));
	return print_result(c, result);
}

static int call(const struct cli *c, struct client *client, json_t **ret)
{
	json_t *params = json_object_size(c->params) ? c->params : NULL;
	const struct monitor_options monitor = {
		.out = c->out,
		.json = c->json,
		.coloured = is_coloured(c->out),
		.params = c->params,
	};

	if (!c->command->show)
		return monitor_run(client, &monitor, ret);
	return client_call(client, c->command->name, params, ret);
}

static int run(const struct cli *c)
{
	json_t *answer = NULL;
	struct client client;
	int r;

	r = client_open(&client, c->socket);
	if (r < 0)
		return unreachable(c, r);
	r = call(c, &client, &answer);
	client_done(&client);
	if (r == -ENOMEM)
		return out_of_memory(c);
	if (r < 0)
		return unreachable(c, r);
	if (!answer) /* the monitor has shown all that was asked for */
		return DONE;
	r = print_answer(c, answer);
	json_decref(answer);
	return r;
}

int control_cli(
	int argc, char *argv[], const char *version, FILE *out, FILE *err)
{
	struct cli c = {
		.out = out,
		.err = err,
		.version = version,
		.socket = CRIER_SOCKET,
		.params = json_object(),
	};
	int r = GO_ON;

	if (!c.params)
		return out_of_memory(&c);
	r = parse(&c, argc, argv);
	if (r == GO_ON)
		r = run(&c);
	json_decref(c.params);
	if (fflush(out) || ferror(out)) {
		(void)fprintf(err,
			"crierctl: the output cannot be written: "
			"%s\n",
			strerror(errno));
		return REFUSED;
	}
	return r;
}
