#include "control/methods.h"

#include "control/peer.h"
#include "control/render.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int methods_give(json_t *value, json_t **ret)
{
	if (!value)
		return -ENOMEM;
	*ret = value;
	return 0;
}

static struct control_running running(const struct methods_context *m)
{
	struct control_running now;

	m->handles->running(m->handles->data, &now);
	return now;
}

/* ---- status ---- */

static json_t *status_totals(const struct relay *relay)
{
	struct relay_counters totals;
	struct render r;

	relay_totals(relay, &totals);
	render_object(&r);
	render_put_counters(&r, &totals);
	return render_end(&r);
}

/* Counts the groups, and the segments by state. */
static size_t count(const struct relay *relay, uint64_t states[RELAY_STATES])
{
	const struct relay_group *g = NULL;
	const struct relay_channel *c;
	const struct relay_segment *s;
	struct relay_segment_info info;
	size_t groups = 0;

	for (; (g = relay_group_next(relay, g)); groups++)
		for (c = NULL; (c = relay_channel_next(g, c));)
			for (s = NULL; (s = relay_segment_next(c, s));) {
				relay_segment_get(s, &info);
				states[info.state]++;
			}
	return groups;
}

static json_t *status_segments(const uint64_t states[RELAY_STATES])
{
	struct render r;

	render_object(&r);
	for (enum relay_state i = 0; i < RELAY_STATES; i++)
		render_put(&r, relay_state_word(i), render_number(states[i]));
	return render_end(&r);
}

static json_t *status_limits(
	const struct methods_context *m, const struct config_limits *bounds)
{
	/* Nothing fills this one yet. */
	struct relay_limit discovered = { .bound = bounds->discovered };
	struct relay_limit flows = { 0 }, remembered = { 0 };
	struct render r;

	relay_flows(m->handles->relay, &flows);
	relay_remembered(m->handles->relay, &remembered);
	render_object(&r);
	render_put(&r, "discovered", render_limit(&discovered));
	render_put(&r, "flows", render_limit(&flows));
	render_put(&r, "clients", render_limit(&m->clients));
	render_put(&r, "remembered", render_limit(&remembered));
	return render_end(&r);
}

static json_t *status_config(const struct control_running *now)
{
	struct render r;

	render_object(&r);
	render_put(&r, "path", render_text(now->config->path));
	render_put(&r, "generation", render_number(now->generation));
	render_put(&r, "loaded_at", render_time(now->loaded_at));
	return render_end(&r);
}

static int run_status(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error)
{
	const struct methods_context *m = context;
	const struct control_handles *h = m->handles;
	struct control_running now = running(m);
	uint64_t states[RELAY_STATES] = { 0 };
	size_t groups = count(h->relay, states);
	struct render r;

	(void)params;
	(void)error;
	render_object(&r);
	render_put(&r, "version", render_text(h->version));
	render_put(&r, "pid", json_integer(getpid()));
	render_put(&r, "uptime_seconds",
		render_number((m->now_ms - h->started_ms) / 1000));
	render_put(&r, "config", status_config(&now));
	render_put(&r, "totals", status_totals(h->relay));
	render_put(&r, "groups", render_number(groups));
	render_put(&r, "segments", status_segments(states));
	render_put(&r, "standby", json_boolean(relay_is_standby(h->relay)));
	render_put(&r, "limits", status_limits(m, &now.config->limits));
	return methods_give(render_end(&r), ret);
}

/* ---- interfaces ---- */

static json_t *device_addresses(const struct net_device *d)
{
	struct render r;

	render_array(&r);
	for (size_t i = 0; d && i < d->n_addresses; i++)
		render_append(
			&r, render_prefix(&d->addresses[i].local, d->name));
	return render_end(&r);
}

/* The contract's word for an interface whose device is there and up. */
static const char *interface_state(enum relay_state s)
{
	return s == RELAY_JOINED ? "up" : relay_state_word(s);
}

static void append_interface(void *data, const struct relay_interface_info *i)
{
	const struct net_device *d = i->kernel;
	struct render r;

	render_object(&r);
	render_put(&r, "name", render_text(i->name));
	render_put(&r, "device", render_name(i->device));
	render_put(&r, "index", d ? render_number(d->index) : json_null());
	render_put(&r, "state", render_text(interface_state(i->state)));
	render_put(&r, "addresses", device_addresses(d));
	render_put(&r, "mtu", d ? render_number(d->mtu) : json_null());
	render_put(&r, "error", render_text(i->error));
	render_append(data, render_end(&r));
}

static int run_interfaces(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error)
{
	const struct methods_context *m = context;
	struct render r;

	(void)params;
	(void)error;
	render_array(&r);
	relay_each_interface(m->handles->relay, append_interface, &r);
	return methods_give(render_end(&r), ret);
}

/* ---- presets ---- */

static json_t *preset_addresses(const struct config_group *g)
{
	static const struct net_address everybody = {
		.family = AF_INET,
		.v4 = { INADDR_BROADCAST },
	};
	struct render r;

	render_array(&r);
	for (size_t i = 0; i < g->n_addresses; i++)
		render_append(&r, render_address(&g->addresses[i], NULL));
	if (g->broadcast)
		render_append(&r, render_address(&everybody, NULL));
	return render_end(&r);
}

static json_t *preset_ports(const struct config_group *g)
{
	struct render r;

	render_array(&r);
	for (size_t i = 0; i < g->n_ports; i++)
		render_append(&r, render_number(g->ports[i]));
	return render_end(&r);
}

static json_t *preset(const struct config_preset *p)
{
	const struct config_group *g = &p->group;
	struct render r;

	render_object(&r);
	render_put(&r, "name", render_text(p->name));
	render_put(&r, "built_in", json_boolean(p->built_in));
	render_put(&r, "notes", render_name(p->notes));
	render_put(&r, "addresses", preset_addresses(g));
	render_put(&r, "ports", preset_ports(g));
	render_put(&r, "ttl", render_ttl(g->ttl));
	render_put(&r, "payload", render_text(config_payload_word(g->payload)));
	render_put(&r, "replies", render_text(config_replies_word(g->replies)));
	render_put(&r, "rate", render_number(g->rate));
	return render_end(&r);
}

static int run_presets(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error)
{
	const struct config *config = running(context).config;
	struct render r;

	(void)params;
	(void)error;
	render_array(&r);
	for (size_t i = 0; i < config->n_presets; i++)
		render_append(&r, preset(&config->presets[i]));
	return methods_give(render_end(&r), ret);
}

/* ---- what changes the daemon ---- */

static bool may_change(void *context, const struct rpc_method *method)
{
	const struct methods_context *m = context;
	const struct control_handles *h = m->handles;
	struct ucred peer;

	if (!peer_may_change(m->fd, m->gid, &peer))
		return false;
	if (h->changing)
		h->changing(h->data, method->name, peer.pid, peer.uid);
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

/* The `data` of the error: the file, and what is wrong with it. */
static json_t *config_errors(
	const char *file, const struct config_errors *errors)
{
	struct render data, list;

	render_array(&list);
	for (size_t i = 0; i < errors->n; i++)
		render_append(&list, config_error(&errors->at[i]));
	render_object(&data);
	render_put(&data, "file", render_text(file));
	render_put(&data, "errors", render_end(&list));
	return render_end(&data);
}

static int refuse_config(const struct methods_context *m,
	const struct config_errors *errors, struct rpc_error *error)
{
	error->data = config_errors(running(m).config->path, errors);
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
	render_put(&result, "generation", render_number(running(m).generation));
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
	{ .name = "status", .run = run_status },
	{ .name = "interfaces", .run = run_interfaces },
	{ .name = "groups", .run = methods_groups, .params = groups_params },
	{ .name = "explain", .run = methods_explain, .params = explain_params },
	{ .name = "flows", .run = methods_flows },
	{ .name = "presets", .run = run_presets },
	{ .name = "subscribe",
		.run = methods_subscribe,
		.params = subscribe_params },
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
