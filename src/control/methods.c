#include "control/methods.h"

#include "control/peer.h"
#include "control/render.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

enum { NAME_LENGTH_MAX = 63 };

int methods_give(json_t *value, json_t **ret)
{
	if (!value)
		return -ENOMEM;
	*ret = value;
	return 0;
}

struct control_running methods_running(const struct methods_context *m)
{
	struct control_running now;

	m->handles->running(m->handles->data, &now);
	return now;
}

/* ---- what changes the daemon ---- */

static bool is_permitted(const struct methods_context *m, const char *what)
{
	const struct control_handles *h = m->handles;
	struct ucred peer;

	if (!peer_may_change(m->fd, m->gid, &peer))
		return false;
	/* What comes by the hundred would drown the log. */
	if (h->changing && what)
		h->changing(h->data, what, peer.pid, peer.uid);
	return true;
}

static bool may_change(void *context, const struct rpc_method *method)
{
	return is_permitted(context, method->frequent ? NULL : method->name);
}

int methods_check_permission(const struct methods_context *m, const char *what,
	struct rpc_error *error)
{
	if (is_permitted(m, what))
		return 0;
	return rpc_fail(error, RPC_NOT_PERMITTED,
		"%s is for root, the daemon's own user and members of the "
		"control group",
		what);
}

/* crierctl takes a leading minus for an option. */
bool methods_is_name(const char *text)
{
	size_t length = strlen(text);

	if (length == 0 || length > NAME_LENGTH_MAX || *text == '.' ||
		*text == '-')
		return false;
	for (; *text; text++)
		if (!isascii(*text) ||
			(!isalnum(*text) && !strchr("_.-", *text)))
			return false;
	return true;
}

static json_t *config_error(const struct config_error *e)
{
	struct render r;

	render_object(&r);
	render_put(&r, "line", json_integer(e->line));
	render_put(&r, "column", json_integer(e->column));
	render_put(&r, "path", render_text(e->path));
	render_put(&r, "message", render_text(e->message));
	return render_end(&r);
}

json_t *methods_config_errors(const struct config_errors *errors)
{
	struct render r;

	render_array(&r);
	for (size_t i = 0; i < errors->n; i++)
		render_append(&r, config_error(&errors->at[i]));
	return render_end(&r);
}

/* The `data` of the error: the file, and what is wrong with it. */
static json_t *config_errors(
	const char *file, const struct config_errors *errors)
{
	struct render r;

	render_object(&r);
	render_put(&r, "file", render_text(file));
	render_put(&r, "errors", methods_config_errors(errors));
	return render_end(&r);
}

static int refuse_config(const struct methods_context *m,
	const struct config_errors *errors, struct rpc_error *error)
{
	error->data = config_errors(methods_running(m).config->path, errors);
	if (!error->data)
		return -ENOMEM;
	return rpc_fail(error, RPC_INVALID_CONFIG,
		"the configuration is not valid, %zu error%s: the old one "
		"stays",
		errors->n, errors->n == 1 ? "" : "s");
}

static int run_reload(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error)
{
	const struct methods_context *m = context;
	struct config_errors errors = { 0 };
	struct render result;
	int r;

	(void)params;
	r = m->handles->reload(m->handles->data, &errors);
	if (r == -EINVAL)
		r = refuse_config(m, &errors, error);
	config_errors_done(&errors);
	if (r < 0)
		return r;
	render_object(&result);
	render_put(&result, "generation",
		render_number(methods_running(m).generation));
	return methods_give(render_end(&result), ret);
}

static int run_standby(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error)
{
	const struct methods_context *m = context;
	bool on = json_is_true(json_object_get(params, "enabled"));
	struct render result;

	(void)error;
	relay_set_standby(m->handles->relay, on);
	render_object(&result);
	render_put(&result, "enabled", json_boolean(on));
	return methods_give(render_end(&result), ret);
}

static int run_log_level(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error)
{
	const struct methods_context *m = context;
	const char *level = json_string_value(json_object_get(params, "level"));
	struct render result;
	int r;

	r = m->handles->set_log_level(m->handles->data, level);
	if (r == -EINVAL)
		return rpc_fail(error, RPC_INVALID_PARAMS,
			"\"level\" is err, warning, notice, info or debug");
	if (r < 0)
		return r;
	render_object(&result);
	render_put(&result, "level", render_text(level));
	return methods_give(render_end(&result), ret);
}

/* ---- the table ---- */

static const struct rpc_param groups_params[] = {
	{ .name = "name", .type = RPC_STRING },
	{ .name = NULL },
};

static const struct rpc_param discovered_params[] = {
	{ .name = "group", .type = RPC_STRING },
	{ .name = "interface", .type = RPC_STRING },
	{ .name = "type", .type = RPC_STRING },
	{ .name = "limit", .type = RPC_INTEGER, .low = 1, .high = 1000 },
	{ .name = "cursor", .type = RPC_STRING },
	{ .name = NULL },
};

static const struct rpc_param announce_params[] = {
	{ .name = "name", .type = RPC_STRING, .required = true },
	{ .name = "group", .type = RPC_STRING, .required = true },
	{ .name = "payload", .type = RPC_OBJECT },
	{ .name = "service", .type = RPC_OBJECT },
	{ .name = "interval", .type = RPC_DURATION, .low = 1, .high = 86400 },
	{ .name = "burst", .type = RPC_INTEGER, .low = 1, .high = 100 },
	{ .name = "goodbye", .type = RPC_OBJECT },
	{ .name = NULL },
};

static const struct rpc_param withdraw_params[] = {
	{ .name = "name", .type = RPC_STRING, .required = true },
	{ .name = NULL },
};

static const struct rpc_param explain_params[] = {
	{ .name = "group", .type = RPC_STRING, .required = true },
	{ .name = "interface", .type = RPC_STRING, .required = true },
	{ .name = "source", .type = RPC_STRING, .required = true },
	{ .name = "port", .type = RPC_INTEGER, .low = 1, .high = 65535 },
	{ .name = "destination", .type = RPC_STRING },
	{ .name = "ttl", .type = RPC_INTEGER, .low = 1, .high = 255 },
	{ .name = "size", .type = RPC_INTEGER, .low = 0, .high = 65507 },
	{ .name = "kind", .type = RPC_STRING },
	{ .name = "names", .type = RPC_STRINGS },
	{ .name = NULL },
};

static const struct rpc_param subscribe_params[] = {
	{ .name = "events", .type = RPC_STRINGS, .required = true },
	{ .name = "payload", .type = RPC_BOOLEAN },
	{ .name = "groups", .type = RPC_STRINGS },
	{ .name = "carry", .type = RPC_BOOLEAN },
	{ .name = NULL },
};

static const struct rpc_param relay_params[] = {
	{ .name = "group", .type = RPC_STRING, .required = true },
	{ .name = "payload", .type = RPC_STRING, .required = true },
	{ .name = "kind", .type = RPC_STRING },
	{ .name = "origin", .type = RPC_OBJECT },
	{ .name = "channel", .type = RPC_OBJECT },
	{ .name = NULL },
};

static const struct rpc_param answer_params[] = {
	{ .name = "flow",
		.type = RPC_INTEGER,
		.required = true,
		.low = 1,
		.high = INT64_MAX },
	{ .name = "payload", .type = RPC_STRING, .required = true },
	{ .name = "origin", .type = RPC_OBJECT },
	{ .name = NULL },
};

/* A number that is counted. */
#define COUNT .type = RPC_INTEGER, .low = 0, .high = INT64_MAX

static const struct rpc_param sites_params[] = {
	{ .name = "site", .type = RPC_STRING, .required = true },
	{ .name = "broker", .type = RPC_STRING, .required = true },
	{ .name = "state", .type = RPC_STRING, .required = true },
	{ .name = "error", .type = RPC_STRING_OR_NULL },
	{ .name = "own", COUNT },
	{ .name = "queued", COUNT },
	{ .name = "lost", COUNT },
	{ .name = "published", COUNT },
	{ .name = "taken", COUNT },
	{ .name = "sites", .type = RPC_OBJECTS },
	{ .name = NULL },
};

static const struct rpc_param standby_params[] = {
	{ .name = "enabled", .type = RPC_BOOLEAN, .required = true },
	{ .name = NULL },
};

static const struct rpc_param log_level_params[] = {
	{ .name = "level", .type = RPC_STRING, .required = true },
	{ .name = NULL },
};

static const struct rpc_method methods[] = {
	{ .name = "status", .run = methods_status },
	{ .name = "interfaces", .run = methods_interfaces },
	{ .name = "groups", .run = methods_groups, .params = groups_params },
	{ .name = "explain", .run = methods_explain, .params = explain_params },
	{ .name = "flows", .run = methods_flows },
	{ .name = "discovered",
		.run = methods_discovered,
		.params = discovered_params },
	{ .name = "announcements", .run = methods_announcements },
	{ .name = "presets", .run = methods_presets },
	{ .name = "metrics", .run = methods_metrics },
	{ .name = "subscribe",
		.run = methods_subscribe,
		.params = subscribe_params },
	{ .name = "announce",
		.run = methods_announce,
		.changes = true,
		.params = announce_params },
	{ .name = "withdraw",
		.run = methods_withdraw,
		.changes = true,
		.params = withdraw_params },
	{ .name = "relay",
		.run = methods_relay,
		.frequent = true,
		.changes = true,
		.params = relay_params },
	{ .name = "answer",
		.run = methods_answer,
		.frequent = true,
		.changes = true,
		.params = answer_params },
	{ .name = "sites",
		.run = methods_sites,
		.frequent = true,
		.changes = true,
		.params = sites_params },
	{ .name = "reload", .run = run_reload, .changes = true },
	{ .name = "standby",
		.run = run_standby,
		.changes = true,
		.params = standby_params },
	{ .name = "log-level",
		.run = run_log_level,
		.changes = true,
		.params = log_level_params },
};

const struct rpc methods_rpc = {
	.methods = methods,
	.n_methods = sizeof(methods) / sizeof(methods[0]),
	.may_change = may_change,
};

const struct rpc methods_rpc_subscribed = {
	.refusal = "this connection is a stream of events: ask on another one",
};
