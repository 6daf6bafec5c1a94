/*
 * The methods that read the relay's groups: `groups` and `explain`.
 */
#include "control/methods.h"
#include "control/render.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- groups ---- */

static json_t *segment(const struct relay_segment *s)
{
	struct relay_segment_info i;
	struct render r;

	relay_segment_get(s, &i);
	render_object(&r);
	render_put(&r, "interface", render_text(i.interface));
	render_put(&r, "device", render_name(i.device));
	render_put(&r, "state", render_text(relay_state_word(i.state)));
	render_put(&r, "direction", render_text(i.direction));
	render_put(&r, "ttl", render_ttl(i.ttl));
	render_put(&r, "error", render_text(i.error));
	render_put_counters(&r, i.counters);
	return render_end(&r);
}

static json_t *segments(const struct relay_channel *c)
{
	const struct relay_segment *s = NULL;
	struct render r;

	render_array(&r);
	while ((s = relay_segment_next(c, s)))
		render_append(&r, segment(s));
	return render_end(&r);
}

static json_t *channel(const struct relay_channel *c)
{
	struct render r;

	render_object(&r);
	render_put(
		&r, "address", render_address(relay_channel_address(c), NULL));
	render_put(&r, "port", render_number(relay_channel_port(c)));
	render_put(&r, "segments", segments(c));
	return render_end(&r);
}

static json_t *channels(const struct relay_group *g)
{
	const struct relay_channel *c = NULL;
	struct render r;

	render_array(&r);
	while ((c = relay_channel_next(g, c)))
		render_append(&r, channel(c));
	return render_end(&r);
}

static json_t *group(const struct relay_group *g)
{
	const struct config_group *config = relay_group_config(g);
	struct render r;

	render_object(&r);
	render_put(&r, "name", render_text(config->name));
	render_put(&r, "preset", render_name(config->preset));
	render_put(&r, "payload",
		render_text(config_payload_word(config->payload)));
	render_put(&r, "channels", channels(g));
	return render_end(&r);
}

int methods_no_such_group(
	const struct relay *relay, const char *name, struct rpc_error *error)
{
	const struct relay_group *g = NULL;
	struct config_nearest n;

	config_nearest_init(&n, name);
	while ((g = relay_group_next(relay, g)))
		config_nearest_offer(&n, relay_group_config(g)->name);
	if (n.best)
		return rpc_fail(error, RPC_NOT_FOUND,
			"no group \"%.48s\", did you mean \"%.48s\"?", name,
			n.best);
	return rpc_fail(error, RPC_NOT_FOUND, "no group \"%.48s\"", name);
}

int methods_groups(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error)
{
	const struct methods_context *m = context;
	const struct relay *relay = m->handles->relay;
	const char *name = json_string_value(json_object_get(params, "name"));
	const struct relay_group *g = NULL;
	struct render r;

	if (name && !relay_group_find(relay, name))
		return methods_no_such_group(relay, name, error);
	render_array(&r);
	while ((g = relay_group_next(relay, g)))
		if (!name || !strcmp(name, relay_group_config(g)->name))
			render_append(&r, group(g));
	return methods_give(render_end(&r), ret);
}

/* ---- explain ---- */

/* An address as people write it: its scope may be a device's name. */
static int parse_address(const struct net_devices *devices, const char *text,
	struct net_address *ret)
{
	const char *percent = strchr(text, '%');
	const struct net_device *device;
	char address[INET6_ADDRSTRLEN];
	struct net_address a;

	if (!percent || net_address_parse(text, &a) == 0)
		return net_address_parse(text, ret);
	if ((size_t)(percent - text) >= sizeof(address))
		return -EINVAL;
	*stpncpy(address, text, (size_t)(percent - text)) = '\0';
	device = net_devices_by_name(devices, percent + 1);
	if (!device || net_address_parse(address, &a) < 0 ||
		a.family != AF_INET6)
		return -EINVAL;
	a.scope = device->index;
	*ret = a;
	return 0;
}

int methods_read_kind(
	const char *word, enum proto_kind *ret, struct rpc_error *error)
{
	for (enum proto_kind k = PROTO_SEARCH; k <= PROTO_OTHER; k++)
		if (!strcmp(word, render_kind_word(k))) {
			*ret = k;
			return 0;
		}
	return rpc_fail(error, RPC_INVALID_PARAMS,
		"\"kind\" is search, announcement, probe or other");
}

static const char *string(const json_t *params, const char *key)
{
	return json_string_value(json_object_get(params, key));
}

static int number(const json_t *params, const char *key, int otherwise)
{
	const json_t *value = json_object_get(params, key);

	return value ? (int)json_integer_value(value) : otherwise;
}

static int read_addresses(const struct methods_context *m, const json_t *params,
	struct relay_question *q, struct rpc_error *error)
{
	const struct net_devices *devices = m->handles->devices;
	const char *source = string(params, "source");
	const char *destination = string(params, "destination");

	if (parse_address(devices, source, &q->source) < 0 ||
		net_address_is_multicast(&q->source))
		return rpc_fail(error, RPC_INVALID_PARAMS,
			"\"source\" is the address of a host");
	if (!destination)
		return 0;
	if (parse_address(devices, destination, &q->destination) < 0)
		return rpc_fail(error, RPC_INVALID_PARAMS,
			"\"destination\" is an address");
	if (q->source.family != q->destination.family)
		return rpc_fail(error, RPC_INVALID_PARAMS,
			"\"source\" and \"destination\" are of one family");
	return 0;
}

static int read_question(const struct methods_context *m, const json_t *params,
	struct relay_question *q, struct rpc_error *error)
{
	const char *kind = string(params, "kind");

	q->group = string(params, "group");
	q->interface = string(params, "interface");
	q->port = (uint16_t)number(params, "port", 0);
	q->ttl = number(params, "ttl", -1);
	q->size = (size_t)number(params, "size", 0);
	if (kind && methods_read_kind(kind, &q->kind, error) < 0)
		return -EINVAL;
	return read_addresses(m, params, q, error);
}

/* The strings of a JSON array, borrowed from it; the array is the caller's. */
static int read_names(const json_t *array, const char ***ret, size_t *ret_n)
{
	size_t i, n = json_array_size(array);
	const char **names;
	json_t *name;

	if (!n)
		return 0;
	names = calloc(n, sizeof(*names));
	if (!names)
		return -ENOMEM;
	json_array_foreach(array, i, name) names[i] = json_string_value(name);
	*ret = names;
	*ret_n = n;
	return 0;
}

static void append_answer(void *data, const struct relay_answer *a)
{
	struct relay_segment_info i;
	struct render r;

	relay_segment_get(a->segment, &i);
	render_object(&r);
	render_put(&r, "interface", render_text(i.interface));
	render_put(&r, "device", render_name(i.device));
	render_put(&r, "verdict", render_text(relay_verdict_word(a->verdict)));
	render_put(&r, "rule", render_text(a->rule));
	render_append(data, render_end(&r));
}

static int explain(const struct relay *relay, const struct relay_question *q,
	json_t **ret, struct rpc_error *error)
{
	struct render answers;
	int r;

	render_array(&answers);
	r = relay_explain(relay, q, append_answer, &answers);
	if (r == 0)
		return methods_give(render_end(&answers), ret);
	json_decref(answers.json);
	if (r == -ENOENT)
		return methods_no_such_group(relay, q->group, error);
	if (r == -ENODEV)
		return rpc_fail(error, RPC_NOT_FOUND,
			"group \"%.48s\" has no interface or device \"%.48s\" "
			"that hears IPv%c",
			q->group, q->interface,
			q->source.family == AF_INET ? '4' : '6');
	return r;
}

int methods_explain(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error)
{
	const struct methods_context *m = context;
	struct relay_question q = { 0 };
	const char **names = NULL;
	int r;

	r = read_question(m, params, &q, error);
	if (r < 0)
		return r;
	r = read_names(json_object_get(params, "names"), &names, &q.n_names);
	if (r < 0)
		return r;
	q.names = names;
	r = explain(m->handles->relay, &q, ret, error);
	free(names);
	return r;
}
