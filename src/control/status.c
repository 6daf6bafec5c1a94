/*
 * The methods `status`, `interfaces` and `presets`.
 */
#include "control/methods.h"
#include "control/render.h"

#include <unistd.h>

/* ---- status ---- */

static json_t *status_totals(const struct relay *relay)
{
	struct relay_counters totals;
	struct relay_site_counts sites;
	struct render r;

	relay_totals(relay, &totals);
	render_object(&r);
	render_put_counters(&r, &totals);
	relay_site_counts(relay, &sites);
	render_put(&r, "relayed", render_number(sites.relayed));
	render_put(&r, "carried", render_number(sites.carried));
	render_put(&r, "answered", render_number(sites.answered));
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
	const struct discovery *d = m->handles->discovery;
	struct relay_limit discovered = { .bound = bounds->discovered };
	struct relay_limit flows = { 0 }, remembered = { 0 };
	struct render r;

	if (d)
		discovery_limit(d, &discovered);
	relay_flows(m->handles->relay, &flows);
	relay_remembered(m->handles->relay, &remembered);
	render_object(&r);
	render_put(&r, "discovered", render_limit(&discovered));
	render_put(&r, "flows", render_limit(&flows));
	render_put(&r, "clients", render_limit(&m->clients));
	render_put(&r, "remembered", render_limit(&remembered));
	return render_end(&r);
}

static uint64_t count_announcements(const struct announce *a)
{
	const struct announce_entry *e = NULL;
	uint64_t n = 0;

	while (a && (e = announce_next(a, e)))
		n++;
	return n;
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

int methods_status(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error)
{
	const struct methods_context *m = context;
	const struct control_handles *h = m->handles;
	struct control_running now = methods_running(m);
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
	render_put(&r, "announcements",
		render_number(count_announcements(h->announce)));
	render_put(&r, "standby", json_boolean(relay_is_standby(h->relay)));
	render_put(&r, "limits", status_limits(m, &now.config->limits));
	render_put(&r, "sites", methods_reports(m));
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

int methods_interfaces(void *context, const json_t *params, json_t **ret,
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

int methods_presets(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error)
{
	const struct config *config = methods_running(context).config;
	struct render r;

	(void)params;
	(void)error;
	render_array(&r);
	for (size_t i = 0; i < config->n_presets; i++)
		render_append(&r, preset(&config->presets[i]));
	return methods_give(render_end(&r), ret);
}
