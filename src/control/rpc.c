/*
 * One request goes this way:
 *   1. rpc_answer() parses the line, serve() looks at the envelope.
 *   2. call() finds the method, asks whether the caller may, checks the
 *      parameters against the method's table, and runs it.
 *   3. answer_text() writes the envelope around the result or the error.
 */
#include "control/rpc.h"

#include "config/config.h"
#include "control/render.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How much of a hostile name is repeated in an error. */
#define NAME "%.48s"

int rpc_fail(struct rpc_error *e, int code, const char *format, ...)
{
	va_list ap;

	e->code = code;
	va_start(ap, format);
	(void)vsnprintf(e->message, sizeof(e->message), format, ap);
	va_end(ap);
	return -EINVAL;
}

/* ---- parameters ---- */

static const struct rpc_param *param_find(
	const struct rpc_param *p, const char *name)
{
	for (; p && p->name; p++)
		if (!strcmp(p->name, name))
			return p;
	return NULL;
}

static int unknown_param(
	const struct rpc_method *m, const char *name, struct rpc_error *e)
{
	const struct rpc_param *p = m->params;
	struct config_nearest n;

	if (!p)
		return rpc_fail(e, RPC_INVALID_PARAMS,
			"unknown parameter \"" NAME "\": %s takes none", name,
			m->name);
	config_nearest_init(&n, name);
	for (; p->name; p++)
		config_nearest_offer(&n, p->name);
	if (n.best)
		return rpc_fail(e, RPC_INVALID_PARAMS,
			"unknown parameter \"" NAME "\", did you mean \"%s\"?",
			name, n.best);
	return rpc_fail(
		e, RPC_INVALID_PARAMS, "unknown parameter \"" NAME "\"", name);
}

static int check_strings(
	const struct rpc_param *p, const json_t *value, struct rpc_error *e)
{
	size_t i;
	json_t *one;

	json_array_foreach(
		value, i, one) if (!json_is_string(one)) return rpc_fail(e,
		RPC_INVALID_PARAMS, "\"%s\" is an array of strings", p->name);
	return 0;
}

static int check_objects(
	const struct rpc_param *p, const json_t *value, struct rpc_error *e)
{
	for (size_t i = 0; i < json_array_size(value); i++)
		if (!json_is_object(json_array_get(value, i)))
			return rpc_fail(e, RPC_INVALID_PARAMS,
				"\"%s\" is an array of objects", p->name);
	return 0;
}

static int check_integer(
	const struct rpc_param *p, const json_t *value, struct rpc_error *e)
{
	json_int_t i = json_integer_value(value);

	if (i < p->low || i > p->high)
		return rpc_fail(e, RPC_INVALID_PARAMS,
			"\"%s\" is out of range, %" JSON_INTEGER_FORMAT
			" to %" JSON_INTEGER_FORMAT,
			p->name, p->low, p->high);
	return 0;
}

static int check_value(
	const struct rpc_param *p, const json_t *value, struct rpc_error *e)
{
	switch (p->type) {
	case RPC_STRING:
		if (json_is_string(value))
			return 0;
		return rpc_fail(
			e, RPC_INVALID_PARAMS, "\"%s\" is a string", p->name);
	case RPC_INTEGER:
		if (json_is_integer(value))
			return check_integer(p, value, e);
		return rpc_fail(e, RPC_INVALID_PARAMS,
			"\"%s\" is a whole number", p->name);
	case RPC_BOOLEAN:
		if (json_is_boolean(value))
			return 0;
		return rpc_fail(e, RPC_INVALID_PARAMS,
			"\"%s\" is true or false", p->name);
	case RPC_STRINGS:
		if (json_is_array(value))
			return check_strings(p, value, e);
		return rpc_fail(e, RPC_INVALID_PARAMS,
			"\"%s\" is an array of strings", p->name);
	case RPC_OBJECT:
		if (json_is_object(value))
			return 0;
		return rpc_fail(
			e, RPC_INVALID_PARAMS, "\"%s\" is an object", p->name);
	case RPC_OBJECTS:
		if (json_is_array(value))
			return check_objects(p, value, e);
		return rpc_fail(e, RPC_INVALID_PARAMS,
			"\"%s\" is an array of objects", p->name);
	case RPC_STRING_OR_NULL:
		if (json_is_string(value) || json_is_null(value))
			return 0;
		return rpc_fail(e, RPC_INVALID_PARAMS,
			"\"%s\" is a string or null", p->name);
	case RPC_DURATION:
		if (json_is_integer(value))
			return check_integer(p, value, e);
		if (json_is_string(value))
			return 0;
		return rpc_fail(e, RPC_INVALID_PARAMS,
			"\"%s\" is a whole number of seconds, or a text such "
			"as \"30s\"",
			p->name);
	}
	return -EINVAL;
}

static int check_params(
	const struct rpc_method *m, json_t *params, struct rpc_error *e)
{
	const struct rpc_param *p;
	const char *key;
	json_t *value;
	int r;

	if (params && !json_is_object(params))
		return rpc_fail(e, RPC_INVALID_PARAMS,
			"parameters go by name, in an object");
	json_object_foreach(params, key, value)
	{
		p = param_find(m->params, key);
		if (!p)
			return unknown_param(m, key, e);
		r = check_value(p, value, e);
		if (r < 0)
			return r;
	}
	for (p = m->params; p && p->name; p++)
		if (p->required && !json_object_get(params, p->name))
			return rpc_fail(e, RPC_INVALID_PARAMS,
				"parameter \"%s\" is missing", p->name);
	return 0;
}

/* ---- methods ---- */

static const struct rpc_method *method_find(
	const struct rpc *rpc, const char *name, struct rpc_error *e)
{
	struct config_nearest n;

	config_nearest_init(&n, name);
	for (size_t i = 0; i < rpc->n_methods; i++) {
		if (!strcmp(rpc->methods[i].name, name))
			return &rpc->methods[i];
		config_nearest_offer(&n, rpc->methods[i].name);
	}
	if (n.best)
		(void)rpc_fail(e, RPC_UNKNOWN_METHOD,
			"unknown method \"" NAME "\", did you mean \"%s\"?",
			name, n.best);
	else
		(void)rpc_fail(e, RPC_UNKNOWN_METHOD,
			"unknown method \"" NAME "\"", name);
	return NULL;
}

static int call(const struct rpc *rpc, void *context, const char *name,
	json_t *params, json_t **ret, struct rpc_error *e)
{
	const struct rpc_method *m;
	int r;

	m = method_find(rpc, name, e);
	if (!m)
		return -ENOSYS;
	if (m->changes && !rpc->may_change(context, m))
		return rpc_fail(e, RPC_NOT_PERMITTED,
			"%s is for root, the daemon's own user and members of "
			"the control group",
			m->name);
	r = check_params(m, params, e);
	if (r < 0)
		return r;
	r = m->run(context, params, ret, e);
	if (r < 0 && !e->code)
		(void)rpc_fail(
			e, RPC_INTERNAL, "%s: %s", m->name, strerror(-r));
	return r;
}

/* ---- the envelope ---- */

/* The JSON and a newline. Takes over `json`, NULL where memory ran out. */
static int write_text(json_t *json, char **ret_text, size_t *ret_size)
{
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL, *longer;
	size_t size;

	json_decref(json);
	if (!text)
		return -ENOMEM;
	size = strlen(text);
	longer = realloc(text, size + 2);
	if (!longer) {
		free(text);
		return -ENOMEM;
	}
	memcpy(longer + size, "\n", 2);
	*ret_text = longer;
	*ret_size = size + 1;
	return 0;
}

/* `key` is "result" or "error". Takes over `body`, as above. */
static int answer_text(json_t *id, const char *key, json_t *body,
	char **ret_text, size_t *ret_size)
{
	struct render r;

	render_object(&r);
	render_put(&r, "jsonrpc", json_string("2.0"));
	render_put(&r, "id", id ? json_incref(id) : json_null());
	render_put(&r, key, body);
	return write_text(render_end(&r), ret_text, ret_size);
}

/* Uses up the error's data. */
static int answer_error(
	json_t *id, struct rpc_error *e, char **ret_text, size_t *ret_size)
{
	struct render r;

	render_object(&r);
	render_put(&r, "code", json_integer(e->code));
	render_put(&r, "message", render_text(e->message));
	if (e->data)
		render_put(&r, "data", e->data);
	e->data = NULL;
	return answer_text(id, "error", render_end(&r), ret_text, ret_size);
}

static bool is_id(const json_t *id)
{
	return json_is_string(id) || json_is_number(id) || json_is_null(id);
}

/*
 * Looks at the envelope and calls. `*ret_method` stays NULL where the request
 * is not one at all.
 */
static int serve(const struct rpc *rpc, void *context, json_t *request,
	const char **ret_method, json_t **ret, struct rpc_error *e)
{
	json_t *id = json_object_get(request, "id");
	json_t *params = json_object_get(request, "params");
	const char *version, *method;

	if (json_is_array(request))
		return rpc_fail(e, RPC_INVALID_REQUEST,
			"batches are not served: one request a line");
	if (!json_is_object(request))
		return rpc_fail(
			e, RPC_INVALID_REQUEST, "a request is an object");
	version = json_string_value(json_object_get(request, "jsonrpc"));
	if (!version || strcmp(version, "2.0") != 0)
		return rpc_fail(
			e, RPC_INVALID_REQUEST, "\"jsonrpc\" must be \"2.0\"");
	if (id && !is_id(id))
		return rpc_fail(e, RPC_INVALID_REQUEST,
			"\"id\" is a string, a number or null");
	method = json_string_value(json_object_get(request, "method"));
	if (!method)
		return rpc_fail(e, RPC_INVALID_REQUEST,
			"\"method\" is the name of one");
	if (params && !json_is_object(params) && !json_is_array(params))
		return rpc_fail(
			e, RPC_INVALID_REQUEST, "\"params\" is an object");
	*ret_method = method;
	if (rpc->refusal)
		return rpc_fail(e, RPC_INVALID_REQUEST, "%s", rpc->refusal);
	return call(rpc, context, method, params, ret, e);
}

int rpc_notify(
	const char *method, json_t *params, char **ret_text, size_t *ret_size)
{
	struct render r;

	render_object(&r);
	render_put(&r, "jsonrpc", json_string("2.0"));
	render_put(&r, "method", json_string(method));
	render_put(&r, "params", json_incref(params));
	return write_text(render_end(&r), ret_text, ret_size);
}

static bool is_blank(const char *line, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
			return false;
	return true;
}

int rpc_complain(
	int code, const char *message, char **ret_text, size_t *ret_size)
{
	struct rpc_error e = { 0 };

	(void)rpc_fail(&e, code, "%s", message);
	return answer_error(NULL, &e, ret_text, ret_size);
}

static int answer_request(const struct rpc *rpc, void *context, json_t *request,
	char **ret_text, size_t *ret_size)
{
	json_t *id = json_object_get(request, "id"), *result = NULL;
	struct rpc_error e = { 0 };
	const char *method = NULL;
	int r;

	r = serve(rpc, context, request, &method, &result, &e);
	if (method && !id) { /* a notification hears nothing */
		json_decref(e.data);
		json_decref(result);
		return 0;
	}
	if (r < 0)
		return answer_error(
			is_id(id) ? id : NULL, &e, ret_text, ret_size);
	return answer_text(id, "result", result, ret_text, ret_size);
}

int rpc_answer(const struct rpc *rpc, void *context, const char *line,
	size_t size, char **ret_text, size_t *ret_size)
{
	json_t *request;
	json_error_t where = { .text = "" };
	int r;

	*ret_text = NULL;
	*ret_size = 0;
	if (is_blank(line, size))
		return 0;
	/* DECODE_ANY, so that a bare 5 is called what it is: JSON, but no
	 * request. */
	request = json_loadb(
		line, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where);
	if (!request) {
		/* Where memory runs out, jansson says nothing at all. */
		if (!*where.text)
			return -ENOMEM;
		return rpc_complain(
			RPC_PARSE_ERROR, where.text, ret_text, ret_size);
	}
	r = answer_request(rpc, context, request, ret_text, ret_size);
	json_decref(request);
	return r;
}
