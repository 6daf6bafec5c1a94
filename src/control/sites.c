/*
 * The methods `relay` and `answer`: what other sites said, brought by whoever
 * carries datagrams between them.
 */
#include "control/base64.h"
#include "control/methods.h"
#include "control/render.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Of whom nobody says where he is. */
static const char somewhere[] = "elsewhere";

static const char *string(const json_t *params, const char *key)
{
	return json_string_value(json_object_get(params, key));
}

/* ---- parameters ---- */

/* The bytes of `payload`, for the caller to free. */
static int read_payload(const json_t *params, uint8_t **ret, size_t *ret_size,
	struct rpc_error *error)
{
	const json_t *text = json_object_get(params, "payload");
	size_t length = json_string_length(text);
	uint8_t *data = malloc(length / 4 * 3 + 1);

	if (!data)
		return -ENOMEM;
	if (base64_decode(json_string_value(text), length, data, ret_size) ==
		0) {
		*ret = data;
		return 0;
	}
	free(data);
	return rpc_fail(error, RPC_INVALID_PARAMS,
		"\"payload\" is base64, with its padding");
}

/* Refuses members that nobody knows: `known` ends with NULL. */
static int check_members(const json_t *object, const char *name,
	const char *const *known, struct rpc_error *error)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value)
	{
		const char *const *k = known;

		while (*k && strcmp(*k, key) != 0)
			k++;
		if (!*k)
			return rpc_fail(error, RPC_INVALID_PARAMS,
				"unknown member \"%.48s\" of \"%s\"", key,
				name);
	}
	return 0;
}

/* A port, 0 where there is none. */
static int read_port(const json_t *object, const char *name, uint16_t *ret,
	struct rpc_error *error)
{
	const json_t *port = json_object_get(object, "port");
	json_int_t number = json_integer_value(port);

	if (!port || json_is_null(port))
		return 0;
	if (!json_is_integer(port) || number < 1 || number > UINT16_MAX)
		return rpc_fail(error, RPC_INVALID_PARAMS,
			"\"%s.port\" is 1 to 65535", name);
	*ret = (uint16_t)number;
	return 0;
}

/* Which device it is link-local to says nothing here. */
static int parse_address(const char *text, struct net_address *ret)
{
	char address[NET_ADDRESS_TEXT];
	size_t length = strcspn(text, "%");

	if (length >= sizeof(address))
		return -EINVAL;
	(void)snprintf(address, sizeof(address), "%.*s", (int)length, text);
	return net_address_parse(address, ret);
}

/* A string, null or nothing; NULL in `*ret` then. */
static int read_text(const json_t *object, const char *name, const char *key,
	const char **ret, struct rpc_error *error)
{
	const json_t *value = json_object_get(object, key);

	if (value && !json_is_null(value) && !json_is_string(value))
		return rpc_fail(error, RPC_INVALID_PARAMS,
			"\"%s.%s\" is a string", name, key);
	*ret = json_string_value(value);
	return 0;
}

static bool is_host(const struct net_address *a)
{
	return !net_address_is_multicast(a) && !net_address_is_broadcast(a) &&
	       !net_address_is_any(a);
}

/* `origin` may be NULL. */
static int read_origin(
	const json_t *origin, struct relay_origin *ret, struct rpc_error *error)
{
	static const char *const known[] = { "address", "port", "site", NULL };
	const char *address = NULL, *site = NULL;

	*ret = (struct relay_origin){ .site = somewhere };
	if (check_members(origin, "origin", known, error) < 0 ||
		read_text(origin, "origin", "address", &address, error) < 0 ||
		read_text(origin, "origin", "site", &site, error) < 0 ||
		read_port(origin, "origin", &ret->port, error) < 0)
		return -EINVAL;
	if (address && (parse_address(address, &ret->address) < 0 ||
			       !is_host(&ret->address)))
		return rpc_fail(error, RPC_INVALID_PARAMS,
			"\"origin.address\" is the address of a host");
	if (site && !methods_is_name(site))
		return rpc_fail(error, RPC_INVALID_PARAMS,
			"\"origin.site\" is 1 to 63 letters (A to Z, a to z), "
			"digits, \"_\", \".\" and \"-\", and begins with "
			"none of the last two");
	if (site)
		ret->site = site;
	return 0;
}

static int read_channel(const json_t *channel, struct relay_brought *ret,
	struct rpc_error *error)
{
	static const char *const known[] = { "address", "port", NULL };
	const char *address = NULL;

	if (check_members(channel, "channel", known, error) < 0 ||
		read_text(channel, "channel", "address", &address, error) < 0 ||
		read_port(channel, "channel", &ret->channel_port, error) < 0)
		return -EINVAL;
	if (address && net_address_parse(address, &ret->channel) < 0)
		return rpc_fail(error, RPC_INVALID_PARAMS,
			"\"channel.address\" is an address of the group");
	return 0;
}

/* All but the payload. */
static int read_brought(const json_t *params, struct relay_brought *ret,
	struct rpc_error *error)
{
	const char *kind = string(params, "kind");
	int r;

	*ret = (struct relay_brought){ .kind = PROTO_UNKNOWN };
	if (kind && methods_read_kind(kind, &ret->kind, error) < 0)
		return -EINVAL;
	r = read_origin(json_object_get(params, "origin"), &ret->origin, error);
	if (r < 0)
		return r;
	return read_channel(json_object_get(params, "channel"), ret, error);
}

/* ---- relay ---- */

static json_t *result_of(const struct relay_brought_result *b)
{
	struct render r, flows;

	render_object(&r);
	render_put(&r, "sent", render_number(b->sent));
	if (!b->n_flows)
		return render_end(&r);
	render_array(&flows);
	for (size_t i = 0; i < b->n_flows; i++)
		render_append(&flows, render_number(b->flows[i]));
	render_put(&r, "flow", render_number(b->flows[0]));
	render_put(&r, "flows", render_end(&flows));
	return render_end(&r);
}

/* Why the relay refuses. */
static int refused(int r, const char *group, struct rpc_error *error)
{
	if (r == -EMSGSIZE)
		return rpc_fail(error, RPC_INVALID_PARAMS,
			"\"payload\" is larger than a datagram");
	if (r == -ENOENT)
		return rpc_fail(error, RPC_NOT_FOUND,
			"group \"%.48s\" has no such channel", group);
	return r;
}

static int bring(const struct methods_context *m, const json_t *params,
	struct relay_brought *b, json_t **ret, struct rpc_error *error)
{
	struct relay *relay = m->handles->relay;
	const char *group = string(params, "group");
	const struct relay_group *g = relay_group_find(relay, group);
	struct relay_brought_result result;
	int r;

	if (!g)
		return methods_no_such_group(relay, group, error);
	r = relay_bring(relay, g, b, &result);
	return r < 0 ? refused(r, group, error)
		     : methods_give(result_of(&result), ret);
}

int methods_relay(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error)
{
	struct relay_brought b;
	uint8_t *data = NULL;
	int r;

	r = read_brought(params, &b, error);
	if (r < 0)
		return r;
	r = read_payload(params, &data, &b.size, error);
	if (r < 0)
		return r;
	b.data = data;
	r = bring(context, params, &b, ret, error);
	free(data);
	return r;
}

/* ---- answer ---- */

static int bring_answer(const struct methods_context *m, const json_t *params,
	const struct relay_origin *origin, const uint8_t *data, size_t size,
	size_t *ret_sent, struct rpc_error *error)
{
	json_int_t flow = json_integer_value(json_object_get(params, "flow"));
	int r;

	r = relay_bring_answer(m->handles->relay, (uint64_t)flow, origin, data,
		size, ret_sent);
	if (r == -ENOENT)
		return rpc_fail(error, RPC_NOT_FOUND,
			"no flow %" JSON_INTEGER_FORMAT ", or it waits no more",
			flow);
	return r < 0 ? refused(r, "", error) : 0;
}

int methods_answer(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error)
{
	struct relay_origin origin;
	struct render result;
	size_t size = 0, sent = 0;
	uint8_t *data = NULL;
	int r;

	r = read_origin(json_object_get(params, "origin"), &origin, error);
	if (r < 0)
		return r;
	r = read_payload(params, &data, &size, error);
	if (r < 0)
		return r;
	r = bring_answer(context, params, &origin, data, size, &sent, error);
	free(data);
	if (r < 0)
		return r;
	render_object(&result);
	render_put(&result, "sent", render_number(sent));
	return methods_give(render_end(&result), ret);
}
