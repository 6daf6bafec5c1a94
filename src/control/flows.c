/*
 * The method `flows`: the searches that wait for unicast answers.
 */
#include "control/methods.h"
#include "control/render.h"

/* "10.0.0.1:5353@cabin", "@cabin". */
static json_t *at_site(const struct relay_searcher *w)
{
	json_t *at, *whole;

	if (!net_address_is_set(&w->address))
		return json_sprintf("@%s", w->site);
	at = render_endpoint(&w->address, w->port, NULL);
	whole = at ? json_sprintf("%s@%s", json_string_value(at), w->site)
		   : NULL;
	json_decref(at);
	return whole;
}

static void append_searcher(void *data, const struct relay_searcher *w)
{
	struct relay_segment_info i;

	relay_segment_get(w->segment, &i);
	render_append(data,
		w->site ? at_site(w)
			: render_endpoint(&w->address, w->port, i.device));
}

static json_t *searchers(const struct relay_flow *f)
{
	struct render r;

	render_array(&r);
	relay_flow_each_searcher(f, append_searcher, &r);
	return render_end(&r);
}

static const char *group_name(const struct relay_segment *s)
{
	const struct relay_channel *c = relay_segment_channel(s);

	return relay_group_config(relay_channel_group(c))->name;
}

static json_t *flow(const struct relay_flow *f)
{
	struct relay_segment_info out;
	struct relay_flow_info i;
	struct render r;

	relay_flow_get(f, &i);
	relay_segment_get(i.segment, &out);
	render_object(&r);
	render_put(&r, "id", render_number(i.id));
	render_put(&r, "group", render_text(group_name(i.segment)));
	render_put(&r, "searchers", searchers(f));
	/* Null: it asks other sites. */
	render_put(&r, "interface", render_name(out.interface));
	render_put(&r, "device", render_name(out.device));
	render_put(&r, "port", i.port ? render_number(i.port) : json_null());
	render_put(&r, "searches", render_number(i.searches));
	render_put(&r, "answers", render_number(i.answers));
	/* Rounded up: at 0 it is gone. */
	render_put(&r, "expires_in",
		render_number((i.expires_in_ms + 999) / 1000));
	return render_end(&r);
}

int methods_flows(void *context, const json_t *params, json_t **ret,
	struct rpc_error *error)
{
	const struct methods_context *m = context;
	const struct relay_flow *f = NULL;
	struct render r;

	(void)params;
	(void)error;
	render_array(&r);
	while ((f = relay_flow_next(m->handles->relay, f)))
		render_append(&r, flow(f));
	return methods_give(render_end(&r), ret);
}
