/*
 * The methods `announcements`, `announce` and `withdraw`: what crier says
 * itself.
 */
#include "control/entry.h"
#include "control/methods.h"
#include "control/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *string(const json_t *params, const char *key)
{
	return json_string_value(json_object_get(params, key));
}

/* ---- announcements ---- */

static json_t *announcement(const struct announce_info *i)
{
	bool waits = i->next_in_ms == UINT64_MAX;
	struct render r;

	render_object(&r);
	entry_put_announcement(&r, i);
	render_put(&r, "interval", render_seconds(i->interval_ms));
	render_put(&r, "sent", render_number(i->sent));
	/* Rounded up: it is not due before. */
	render_put(&r, "next_in",
		waits ? json_null()
		      : render_number(i->next_in_ms / 1000 +
				      (i->next_in_ms % 1000 != 0)));
	return render_end(&r);
}

int methods_announcements(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error)
{
	const struct methods_context *m = context;
	const struct announce *a = m->handles->announce;
	const struct announce_entry *e = NULL;
	struct announce_info i;
	struct render r;

	(void)params;
	(void)error;
	render_array(&r);
	while (a && (e = announce_next(a, e))) {
		announce_get(a, e, &i);
		render_append(&r, announcement(&i));
	}
	return methods_give(render_end(&r), ret);
}

/* ---- announce ---- */

/* The parameters as the configuration would have them. */
static char *declaration(const json_t *params)
{
	json_t *copy = json_copy((json_t *)params);
	const json_t *interval = json_object_get(copy, "interval");
	char *text = NULL;
	int r;

	if (!copy)
		return NULL;
	r = json_object_del(copy, "name");
	if (json_is_integer(interval))
		r |= json_object_set_new(copy, "interval",
			json_sprintf("%" JSON_INTEGER_FORMAT "s",
				json_integer_value(interval)));
	if (r == 0)
		text = text_escape_json(json_dumps(copy, 0));
	json_decref(copy);
	return text;
}

/* What YAML would not tell apart: a text from a number. NULL: it is right. */
static const char *wrong_texts(const json_t *data)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)data, key, value) if (
		!json_is_string(value)) return "a payload is a string";
	return NULL;
}

static const char *wrong_service(const json_t *service)
{
	const char *key;
	json_t *value, *one;
	size_t i;

	json_object_foreach((json_t *)service, key, value)
	{
		if (!strcmp(key, "port") && !json_is_integer(value))
			return "service.port is a number";
		if (!strcmp(key, "txt") && !json_is_array(value))
			return "service.txt is an array of strings";
		if (strcmp(key, "port") != 0 && strcmp(key, "txt") != 0 &&
			!json_is_string(value))
			return "name, type and host of a service are strings";
		json_array_foreach(value, i, one) if (!json_is_string(one))
		{
			return "service.txt is an array of strings";
		}
	}
	return NULL;
}

static int check_types(const json_t *params, struct rpc_error *error)
{
	const char *wrong = wrong_texts(json_object_get(params, "payload"));

	if (!wrong)
		wrong = wrong_texts(json_object_get(params, "goodbye"));
	if (!wrong)
		wrong = wrong_service(json_object_get(params, "service"));
	return wrong ? rpc_fail(error, RPC_INVALID_PARAMS, "%s", wrong) : 0;
}

static int refuse(const struct config_errors *errors, struct rpc_error *error)
{
	const struct config_error *first = errors->at;
	struct render data;

	render_object(&data);
	render_put(&data, "errors", methods_config_errors(errors));
	error->data = render_end(&data);
	if (!error->data)
		return -ENOMEM;
	if (errors->n == 0)
		return rpc_fail(error, RPC_INVALID_PARAMS, "it is not valid");
	return rpc_fail(error, RPC_INVALID_PARAMS, "%s%s%s", first->path,
		*first->path ? ": " : "", first->message);
}

static int read_announcement(const struct methods_context *m,
	const json_t *params, struct config_announcement **ret,
	struct rpc_error *error)
{
	const struct config *config = methods_running(m).config;
	struct config_errors errors = { 0 };
	char *text = declaration(params);
	int r;

	if (!text)
		return -ENOMEM;
	r = config_parse_announcement(config, string(params, "name"), text,
		strlen(text), ret, &errors);
	if (r == -EINVAL)
		r = refuse(&errors, error);
	config_errors_done(&errors);
	free(text);
	return r;
}

/* Why announce_add() refuses. */
static int refused(int r, const char *name, struct rpc_error *error)
{
	switch (r) {
	case -EEXIST:
		return rpc_fail(error, RPC_EXISTS,
			"an announcement \"%.63s\" is there already", name);
	case -ENOTUNIQ:
		return rpc_fail(error, RPC_EXISTS,
			"another announcement has this service in that group");
	case -ENOSPC:
		return rpc_fail(error, RPC_BOUND,
			"%d announcements were added at run time: withdraw one",
			ANNOUNCE_RUNTIME_MAX);
	case -EMSGSIZE:
		return rpc_fail(error, RPC_INVALID_PARAMS,
			"it is too large for a datagram");
	default:
		return r;
	}
}

static int add(const struct methods_context *m, const json_t *params,
	struct rpc_error *error)
{
	struct config_announcement *c;
	int r;

	r = read_announcement(m, params, &c, error);
	if (r < 0)
		return r;
	r = announce_add(m->handles->announce, c);
	if (r < 0)
		config_announcement_free(c);
	return refused(r, string(params, "name"), error);
}

static int give_name(const json_t *params, json_t **ret)
{
	struct render r;

	render_object(&r);
	render_put(&r, "name", render_text(string(params, "name")));
	return methods_give(render_end(&r), ret);
}

int methods_announce(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error)
{
	const struct methods_context *m = context;
	const struct relay *relay = m->handles->relay;
	const char *group = string(params, "group");
	int r;

	if (!methods_is_name(string(params, "name")))
		return rpc_fail(error, RPC_INVALID_PARAMS,
			"\"name\" is 1 to 63 letters (A to Z, a to z), digits, "
			"\"_\", \".\" and \"-\", and begins with none of the "
			"last two");
	if (!relay_group_find(relay, group))
		return methods_no_such_group(relay, group, error);
	if (!m->handles->announce)
		return -ENOTSUP;
	r = check_types(params, error);
	if (r == 0)
		r = add(m, params, error);
	return r < 0 ? r : give_name(params, ret);
}

/* ---- withdraw ---- */

static int no_such_name(
	const struct announce *a, const char *name, struct rpc_error *error)
{
	const struct announce_entry *e = NULL;
	struct config_nearest n;
	struct announce_info i;

	config_nearest_init(&n, name);
	while (a && (e = announce_next(a, e))) {
		announce_get(a, e, &i);
		config_nearest_offer(&n, i.name);
	}
	if (n.best)
		return rpc_fail(error, RPC_NOT_FOUND,
			"no announcement \"%.48s\", did you mean \"%.63s\"?",
			name, n.best);
	return rpc_fail(
		error, RPC_NOT_FOUND, "no announcement \"%.48s\"", name);
}

int methods_withdraw(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error)
{
	const struct methods_context *m = context;
	const char *name = string(params, "name");
	struct announce *a = m->handles->announce;
	int r;

	r = a ? announce_withdraw(a, name) : -ENOENT;
	if (r == -ENOENT)
		return no_such_name(a, name, error);
	if (r == -EPERM)
		return rpc_fail(error, RPC_NOT_PERMITTED,
			"\"%.63s\" is declared by the file: remove it there "
			"and reload",
			name);
	return r < 0 ? r : give_name(params, ret);
}
