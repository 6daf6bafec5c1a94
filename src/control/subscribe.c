/*
 * The method `subscribe`.
 */
#include "control/methods.h"
#include "control/render.h"

#include <errno.h>
#include <string.h>

static int unknown_event(const char *word, struct rpc_error *error)
{
	struct config_nearest n;

	config_nearest_init(&n, word);
	for (enum event_kind k = 0; k < EVENT_KINDS; k++)
		config_nearest_offer(&n, event_kind_word(k));
	if (n.best)
		return rpc_fail(error, RPC_INVALID_PARAMS,
			"unknown event \"%.48s\", did you mean \"%s\"?", word,
			n.best);
	return rpc_fail(error, RPC_INVALID_PARAMS,
		"unknown event \"%.48s\", known: discovered, expired, "
		"segment, config, announcement, datagram, drop, storm, answer",
		word);
}

static int read_events(
	const json_t *array, unsigned *ret, struct rpc_error *error)
{
	unsigned events = 0;
	enum event_kind k;
	const char *word;
	json_t *one;
	size_t i;

	json_array_foreach(array, i, one)
	{
		word = json_string_value(one);
		for (k = 0; k < EVENT_KINDS; k++)
			if (!strcmp(word, event_kind_word(k)))
				break;
		if (k == EVENT_KINDS)
			return unknown_event(word, error);
		events |= 1U << k;
	}
	if (!events)
		return rpc_fail(
			error, RPC_INVALID_PARAMS, "\"events\" names none");
	*ret = events;
	return 0;
}

static int add_groups(struct subscription *s, const struct relay *relay,
	const json_t *array, struct rpc_error *error)
{
	const char *name;
	json_t *one;
	size_t i;
	int r;

	json_array_foreach(array, i, one)
	{
		name = json_string_value(one);
		if (!relay_group_find(relay, name))
			return methods_no_such_group(relay, name, error);
		r = subscription_add_group(s, name);
		if (r < 0)
			return r;
	}
	return 0;
}

/* What was understood, in the contract's order. */
static json_t *answer(const struct subscription *s)
{
	struct render result, events;

	render_array(&events);
	for (enum event_kind k = 0; k < EVENT_KINDS; k++)
		if (s->events & 1U << k)
			render_append(&events, json_string(event_kind_word(k)));
	render_object(&result);
	render_put(&result, "events", render_end(&events));
	return render_end(&result);
}

int methods_subscribe(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error)
{
	const struct methods_context *m = context;
	struct subscription *s = NULL;
	bool carries = json_is_true(json_object_get(params, "carry"));
	unsigned events = 0;
	int r;

	/* Searches wait then for what it brings. */
	if (carries && methods_check_permission(m, "carry", error) < 0)
		return -EINVAL;
	r = read_events(json_object_get(params, "events"), &events, error);
	if (r < 0)
		return r;
	r = subscription_new(
		&s, events, json_is_true(json_object_get(params, "payload")));
	if (r < 0)
		return r;
	s->carries = carries;
	r = add_groups(
		s, m->handles->relay, json_object_get(params, "groups"), error);
	if (r == 0)
		r = methods_give(answer(s), ret);
	if (r < 0)
		goto fail;
	*m->subscription = s;
	return 0;
fail:
	subscription_free(s);
	return r;
}
