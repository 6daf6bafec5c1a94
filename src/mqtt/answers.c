/*
 * Searches, and the answers to them, both ways.
 *
 * A search that leaves is marked with the number of crierd's flow that waits
 * for its answers, so nothing need be remembered of it here. A search that
 * comes is remembered with the flow that crierd makes of it.
 */
#include "mqtt/carrier.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- marks ---- */

struct mark {
	uint64_t nonce;
	int64_t flow; /* below 0: a search that was passed on */
};

void answers_mark(const struct carrier *c, const struct topic *t, int64_t flow,
	struct message *m)
{
	struct mark mark = { c->nonce, flow };
	char topic[TOPIC_TEXT];

	/* Without what stands behind it: each answerer adds its own name. */
	(void)topic_format(c->c->prefix, t, topic);
	(void)snprintf(m->response, sizeof(m->response), "%.*s",
		(int)strlen(topic) - 1, topic);
	memcpy(m->correlation, &mark, sizeof(mark));
	m->correlation_size = sizeof(mark);
}

/* The flow that an answer is for. Returns 0 or -EBADMSG. */
static int read_mark(
	const struct carrier *c, const struct message *m, int64_t *ret)
{
	struct mark mark;

	if (m->correlation_size != sizeof(mark))
		return -EBADMSG;
	memcpy(&mark, m->correlation, sizeof(mark));
	if (mark.nonce != c->nonce)
		return -EBADMSG;
	*ret = mark.flow;
	return 0;
}

/* ---- answers from here ---- */

/* An answer, on its way to those who asked. */
struct answer {
	struct carrier *c;
	struct message m;
	const void *data;
	size_t size;
};

static void send_answer(void *data, const struct search *s)
{
	struct answer *a = data;
	struct carrier *c = a->c;
	struct topic t = { .kind = TOPIC_ANSWER };

	(void)snprintf(t.site, sizeof(t.site), "%s", s->site);
	(void)snprintf(
		t.group, sizeof(t.group), "%s", c->c->groups[s->group].name);
	(void)snprintf(t.last, sizeof(t.last), "%s", c->c->site);
	memcpy(a->m.correlation, s->correlation, s->correlation_size);
	a->m.correlation_size = s->correlation_size;
	(void)publish_live(c, &t, &a->m, a->data, a->size);
}

static void send_answers(struct carrier *c, int64_t flow, const json_t *event)
{
	int group = carrier_group(c, carrier_text(event, "group"));
	const struct config_site_group *g;
	struct answer a = { .c = c };

	if (group < 0 || !c->open[group] ||
		carrier_payload(c, event, &a.size) < 0)
		return;
	g = &c->c->groups[group];
	carrier_endpoint(json_object_get(event, "source"),
		json_object_get(event, "port"), &a.m.origin, &a.m.origin_port);
	a.data = c->datagram;
	if (!carrier_sift(c, (size_t)group, &g->publish_allow, &g->publish_deny,
		    &a.m.origin, &a.data, &a.size))
		return;
	a.m.digest = topic_digest(a.data, a.size);
	(void)snprintf(a.m.hops, sizeof(a.m.hops), "%s", c->c->site);
	(void)snprintf(a.m.heard, sizeof(a.m.heard), "%s",
		carrier_text(event, "time"));
	(void)snprintf(a.m.segment, sizeof(a.m.segment), "%s",
		carrier_text(event, "interface"));
	(void)snprintf(a.m.kind, sizeof(a.m.kind), "announcement");
	(void)snprintf(a.m.content, sizeof(a.m.content), "%s",
		message_content_type(carrier_text(event, "protocol")));
	(void)searches_each(
		&c->searches, flow, uv_now(c->loop), send_answer, &a);
}

static void count(void *data, const struct search *s)
{
	(void)data;
	(void)s;
}

void answers_heard(struct carrier *c, const json_t *event)
{
	int64_t flow = json_integer_value(json_object_get(event, "flow"));
	uint64_t now = uv_now(c->loop);

	if (searches_each(&c->searches, flow, now, count, NULL) > 0)
		send_answers(c, flow, event);
	else
		searches_keep(&c->searches, flow, event, now);
}

/* ---- searches from elsewhere ---- */

/* One that crierd was given, until it says which flows it made. */
struct asked {
	struct carrier *c;
	struct search search;
};

static void wait_for(struct asked *a, int64_t flow)
{
	struct carrier *c = a->c;
	struct net_address holder;
	json_t *event;

	a->search.flow = flow;
	sites_holder(&c->sites, a->search.site, &holder);
	if (searches_add(&c->searches, &a->search, &holder, uv_now(c->loop)) <
		0)
		return;
	while ((event = searches_kept(&c->searches, flow, uv_now(c->loop))) !=
		NULL) {
		send_answers(c, flow, event);
		json_decref(event);
	}
}

static void on_relayed(void *data, const json_t *result, const json_t *error)
{
	const json_t *flows = json_object_get(result, "flows"), *flow;
	struct asked *a = data;
	size_t at;

	(void)error;
	json_array_foreach(flows, at, flow)
	{
		if (json_is_integer(flow))
			wait_for(a, json_integer_value(flow));
	}
	free(a);
}

/* Remembers who asked; without correlation data nobody waits. */
static void fill_search(struct search *s, size_t group, const struct site *site,
	const struct message *m)
{
	s->group = group;
	(void)snprintf(s->site, sizeof(s->site), "%s", site->name);
	memcpy(s->correlation, m->correlation, m->correlation_size);
	s->correlation_size = m->correlation_size;
}

/* From a hub to all others, under its own name. */
static void search_onward(struct carrier *c, struct site *site, size_t group,
	const struct topic *t, const struct message *m, const void *payload,
	size_t size)
{
	struct topic onward = { .kind = TOPIC_SEARCH };
	struct message marked = *m;
	struct search search = { .flow = -++c->onward };
	struct net_address holder;

	marked.digest = topic_digest(payload, size);
	if (message_add_hop(&marked, c->c->site) < 0)
		return;
	(void)snprintf(onward.site, sizeof(onward.site), "%s", c->c->site);
	(void)snprintf(onward.group, sizeof(onward.group), "%s", t->group);
	if (m->correlation_size > 0) {
		struct topic response = onward;

		fill_search(&search, group, site, m);
		sites_holder(&c->sites, site->name, &holder);
		if (searches_add(&c->searches, &search, &holder,
			    uv_now(c->loop)) < 0)
			return;
		response.kind = TOPIC_ANSWER;
		answers_mark(c, &response, search.flow, &marked);
	}
	(void)publish_live(c, &onward, &marked, payload, size);
}

void answers_search(struct carrier *c, struct site *site, const struct topic *t,
	const struct message *m, const void *payload, size_t size)
{
	int group = carrier_group(c, t->group);
	json_t *params = take_params(c, site->name, m, payload, size);
	struct asked *a = calloc(1, sizeof(*a));

	if (params == NULL || a == NULL)
		goto fail;
	a->c = c;
	fill_search(&a->search, (size_t)group, site, m);
	(void)json_object_set_new(params, "group", json_string(t->group));
	(void)json_object_set_new(params, "kind", json_string("search"));
	take_channel(params, m);
	if (link_call(c->link, "relay", params,
		    m->correlation_size > 0 ? on_relayed : NULL, a) < 0) {
		params = NULL;
		goto fail;
	}
	if (m->correlation_size == 0)
		free(a);
	site->taken++;
	c->taken++;
	if (c->c->hub)
		search_onward(c, site, (size_t)group, t, m, payload, size);
	return;
fail:
	json_decref(params);
	free(a);
	site->dropped[SITE_DROP_QUEUE]++;
}

/* ---- answers from elsewhere ---- */

static void pass_on(struct carrier *c, int64_t flow, const struct message *m,
	const void *payload, size_t size)
{
	struct answer a = { .c = c, .m = *m, .data = payload, .size = size };

	a.m.digest = topic_digest(payload, size);
	if (message_add_hop(&a.m, c->c->site) == 0)
		(void)searches_each(
			&c->searches, flow, uv_now(c->loop), send_answer, &a);
}

void answers_arrived(struct carrier *c, const struct topic *t,
	const struct message *m, const void *payload, size_t size)
{
	int group = carrier_group(c, t->group);
	const struct config_site_group *g;
	struct site *site;
	json_t *params;
	int64_t flow;

	if (group < 0 || !c->open[group] || size == 0 ||
		size > CONFIG_MAX_PAYLOAD)
		return;
	g = &c->c->groups[group];
	site = sites_get(&c->sites, t->last);
	if (site == NULL || strcmp(site->name, c->c->site) == 0)
		return;
	site->changed = true;
	if (read_mark(c, m, &flow) < 0 ||
		m->digest != topic_digest(payload, size)) {
		site->dropped[SITE_DROP_BAD]++;
		return;
	}
	if (!g->takes || !config_site_matches(&g->from, site->name)) {
		site->dropped[SITE_DROP_FILTER]++;
		return;
	}
	if (!lane_may(&site->lanes[group], g->rate, uv_now(c->loop))) {
		site->dropped[SITE_DROP_RATE]++;
		return;
	}
	if (!carrier_sift(c, (size_t)group, &g->take_allow, &g->take_deny,
		    &m->origin, &payload, &size)) {
		site->dropped[SITE_DROP_FILTER]++;
		return;
	}
	if (flow < 0) {
		pass_on(c, flow, m, payload, size);
		return;
	}
	params = take_params(c, site->name, m, payload, size);
	if (params == NULL)
		return;
	(void)json_object_set_new(params, "flow", json_integer(flow));
	if (link_call(c->link, "answer", params, NULL, NULL) < 0) {
		site->dropped[SITE_DROP_QUEUE]++;
		return;
	}
	site->taken++;
	c->taken++;
}
