/*
 * The method `discovered`: the table, a page at a time.
 *
 * A cursor is the id of the last entry that was looked at. Ids only grow, so a
 * reader that goes on behind one misses and repeats nothing that stayed.
 */
#include "control/entry.h"
#include "control/methods.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	PAGE_MAX = 1000,
	/* Entries that one call may look at: a filter that fits nothing must
	 * not hold up the relay. */
	LOOK_MAX = 16384,
};

struct query {
	const char *group, *interface, *type; /* NULL: any */
	uint64_t after;                       /* an id; 0: from the start */
	size_t limit;
};

static bool matches(const struct query *q, const struct discovery_info *i)
{
	if (q->group && strcmp(q->group, i->group) != 0)
		return false;
	if (q->interface && strcmp(q->interface, i->interface) != 0 &&
		strcmp(q->interface, i->device) != 0)
		return false;
	return !q->type || strcasecmp(q->type, i->type) == 0;
}

/* ---- the parameters ---- */

static int read_cursor(const char *text, uint64_t *ret, struct rpc_error *error)
{
	char *end;

	if (!text)
		return 0;
	errno = 0;
	/* strtoull() takes blanks and signs too. */
	*ret = strtoull(text, &end, 10);
	if (errno || *end || *text < '1' || *text > '9')
		return rpc_fail(error, RPC_INVALID_PARAMS,
			"\"cursor\" is one that an answer gave");
	return 0;
}

struct search {
	const char *name;
	struct config_nearest nearest;
	bool found;
};

static void compare(void *data, const struct relay_interface_info *i)
{
	struct search *s = data;

	if (!strcmp(s->name, i->name) || !strcmp(s->name, i->device))
		s->found = true;
	config_nearest_offer(&s->nearest, i->name);
}

static int check_interface(
	const struct relay *relay, const char *name, struct rpc_error *error)
{
	struct search s = { .name = name };

	config_nearest_init(&s.nearest, name);
	relay_each_interface(relay, compare, &s);
	if (s.found && *name)
		return 0;
	if (s.nearest.best)
		return rpc_fail(error, RPC_NOT_FOUND,
			"no interface or device \"%.48s\", did you mean "
			"\"%.48s\"?",
			name, s.nearest.best);
	return rpc_fail(
		error, RPC_NOT_FOUND, "no interface or device \"%.48s\"", name);
}

static const char *string(const json_t *params, const char *key)
{
	return json_string_value(json_object_get(params, key));
}

static int read_query(const struct relay *relay, const json_t *params,
	struct query *q, struct rpc_error *error)
{
	const json_t *limit = json_object_get(params, "limit");

	q->group = string(params, "group");
	q->interface = string(params, "interface");
	q->type = string(params, "type");
	q->limit = limit ? (size_t)json_integer_value(limit) : PAGE_MAX;
	if (q->group && !relay_group_find(relay, q->group))
		return methods_no_such_group(relay, q->group, error);
	if (q->interface && check_interface(relay, q->interface, error) < 0)
		return -EINVAL;
	return read_cursor(string(params, "cursor"), &q->after, error);
}

/* ---- the page ---- */

static json_t *entry(const struct discovery_info *i)
{
	struct render r;

	render_object(&r);
	entry_put(&r, i);
	return render_end(&r);
}

/* Looks from `q->after` on, and moves it to the last entry that was looked
 * at. */
static json_t *page(const struct discovery *d, struct query *q)
{
	const struct discovery_entry *e;
	struct discovery_info i;
	struct render r;
	size_t n = 0, looked = 0;

	render_array(&r);
	while (n < q->limit && looked++ < LOOK_MAX &&
		(e = discovery_after(d, q->after))) {
		discovery_get(d, e, &i);
		q->after = i.id;
		if (!matches(q, &i))
			continue;
		render_append(&r, entry(&i));
		n++;
	}
	return render_end(&r);
}

static json_t *cursor(const struct discovery *d, uint64_t after)
{
	char text[24];

	if (!d || !discovery_after(d, after))
		return json_null();
	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)after);
	return json_string(text);
}

int methods_discovered(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error)
{
	const struct methods_context *m = context;
	const struct discovery *d = m->handles->discovery;
	struct query q = { .after = 0 };
	struct render r;
	int result;

	result = read_query(m->handles->relay, params, &q, error);
	if (result < 0)
		return result;
	render_object(&r);
	render_put(&r, "entries", d ? page(d, &q) : json_array());
	render_put(&r, "cursor", cursor(d, q.after));
	return methods_give(render_end(&r), ret);
}
