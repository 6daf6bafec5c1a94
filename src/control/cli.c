/*
 * crierctl. One run:
 *   1. cli_parse() reads the options, the command and its arguments into the
 *      parameters of the method that has the command's name.
 *   2. run() calls it on the control socket, page by page where there are
 *      pages (or monitors what happens there).
 *   3. Its result is printed as a table or as JSON, its error to `err`.
 */
#include "control/cli.h"

#include "control/client.h"
#include "control/control.h"
#include "control/monitor.h"
#include "control/table.h"
#include "control/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
	return CLI_UNREACHABLE;
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
	/* Without a file it is what the command line says, which the message
	 * tells already. */
	json_array_foreach(json_object_get(data, "errors"), i, one) if (file)
		print_config_error(c, file, one);
	return CLI_REFUSED;
}

static bool is_coloured(FILE *out)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (no_color && *no_color) /* no-color.org */
		return false;
	return isatty(fileno(out)) && term && strcmp(term, "dumb") != 0;
}

/* As it is, but for what a terminal must not be shown. */
static int print_json(const struct cli *c, const json_t *result)
{
	char *text = text_escape_json(
		json_dumps(result, JSON_INDENT(2) | JSON_ENCODE_ANY));

	if (!text)
		return -ENOMEM;
	(void)fprintf(c->out, "%s\n", text);
	free(text);
	return 0;
}

static int print_result(const struct cli *c, const json_t *result)
{
	int r;

	r = c->json ? print_json(c, result)
		    : c->command->show(result, c->out, is_coloured(c->out));
	return r == -ENOMEM ? cli_no_memory(c) : CLI_DONE;
}

static int print_answer(const struct cli *c, const json_t *answer)
{
	const json_t *result = json_object_get(answer, "result");

	if (!result)
		return refused(c, json_object_get(answer, "error"));
	return print_result(c, result);
}

/* ---- pages ---- */

/* Small ones: the daemon relays between them. */
enum { PAGE = 250 };

/*
 * Adds what a page has to `entries`. Returns 1, and the next page's cursor is
 * in the parameters; 0 where this was the last one; -ENOMEM.
 */
static int take_page(const struct cli *c, const json_t *result, json_t *entries)
{
	json_t *some = json_object_get(result, "entries");
	json_t *cursor = json_object_get(result, "cursor");

	if (json_is_array(some) && json_array_extend(entries, some) < 0)
		return -ENOMEM;
	/* One that stays where it is would never end. */
	if (!json_is_string(cursor) ||
		json_equal(cursor, json_object_get(c->params, "cursor")))
		return 0;
	return json_object_set(c->params, "cursor", cursor) < 0 ? -ENOMEM : 1;
}

/* Calls until there is no more, for one answer that has it all. */
static int call_pages(const struct cli *c, struct client *client,
	json_t *entries, json_t **ret)
{
	json_t *answer, *result;
	int r;

	do {
		r = client_call(client, c->command->name, c->params, &answer);
		if (r < 0)
			return r;
		result = json_object_get(answer, "result");
		if (!json_is_object(result)) {
			*ret = answer;
			return 0;
		}
		r = take_page(c, result, entries);
		if (r == 0 &&
			json_object_set(result, "entries", entries) == 0 &&
			json_object_set_new(result, "cursor", json_null()) == 0)
			*ret = answer;
		else
			json_decref(answer);
	} while (r > 0);
	return r == 0 && !*ret ? -ENOMEM : r;
}

static int call_paged(const struct cli *c, struct client *client, json_t **ret)
{
	json_t *entries = json_array();
	int r = -ENOMEM;

	if (entries && json_object_set_new(
			       c->params, "limit", json_integer(PAGE)) == 0)
		r = call_pages(c, client, entries, ret);
	json_decref(entries);
	return r;
}

/* ---- one run ---- */

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
	if (c->command->paged)
		return call_paged(c, client, ret);
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
		return cli_no_memory(c);
	if (r < 0)
		return unreachable(c, r);
	if (!answer) /* the monitor has shown all that was asked for */
		return CLI_DONE;
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
	int r = CLI_GO_ON;

	if (!c.params)
		return cli_no_memory(&c);
	r = cli_parse(&c, argc, argv);
	if (r == CLI_GO_ON)
		r = run(&c);
	json_decref(c.params);
	if (fflush(out) || ferror(out)) {
		(void)fprintf(err,
			"crierctl: the output cannot be written: "
			"%s\n",
			strerror(errno));
		return CLI_REFUSED;
	}
	return r;
}
