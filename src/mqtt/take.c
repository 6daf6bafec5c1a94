/*
 * What other sites announce, to crierd.
 */
#include "control/control.h"
#include "mqtt/carrier.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

enum {
	PACE_MS = 20, /* until a rate, or the room, may let something pass */
	/* Calls that are left for what cannot wait. */
	ROOM_FOR_LIVE = 16,
};

/* ---- to crierd ---- */

static json_t *endpoint(const struct net_address *address, uint16_t port)
{
	char text[NET_ADDRESS_TEXT];
	json_t *o = json_object();

	if (net_address_is_set(address))
		(void)json_object_set_new(o, "address",
			json_string(net_address_format(address, NULL, text)));
	if (port != 0)
		(void)json_object_set_new(o, "port", json_integer(port));
	return o;
}

json_t *take_params(struct carrier *c, const char *site,
	const struct message *m, const void *payload, size_t size)
{
	json_t *params = json_object();
	json_t *origin = endpoint(&m->origin, m->origin_port);
	size_t length = base64_encode(payload, size, c->text);

	(void)json_object_set_new(origin, "site", json_string(site));
	(void)json_object_set_new(params, "origin", origin);
	if (json_object_set_new(
		    params, "payload", json_stringn(c->text, length)) == 0)
		return params;
	json_decref(params);
	return NULL;
}

void take_channel(json_t *params, const struct message *m)
{
	if (net_address_is_set(&m->channel))
		(void)json_object_set_new(params, "channel",
			endpoint(&m->channel, m->channel_port));
}

/* There is room for another. */
static void on_relayed(void *data, const json_t *result, const json_t *error)
{
	struct carrier *c = data;

	if (result == NULL && error != NULL)
		c->unrelayed++;
	take_flush(c);
}

/* `kind` NULL: crierd finds out. Returns as link_call(). */
static int relay(struct carrier *c, const struct site_lane *l, const char *kind,
	const struct message *m, const void *payload, size_t size)
{
	json_t *params = take_params(c, l->site->name, m, payload, size);
	const char *group = c->c->groups[l->group].name;

	if (params == NULL)
		return -ENOMEM;
	(void)json_object_set_new(params, "group", json_string(group));
	if (kind != NULL)
		(void)json_object_set_new(params, "kind", json_string(kind));
	take_channel(params, m);
	return link_call(c->link, "relay", params, on_relayed, c);
}

static void taken(struct carrier *c, struct site *site)
{
	c->taken++;
	site->taken++;
	site->changed = true;
	tell_soon(c);
}

static void dropped(struct carrier *c, struct site *site, enum site_drop why)
{
	site->dropped[why]++;
	site->changed = true;
	tell_soon(c);
}

/* Returns 0 or -EAGAIN, where it has to wait. */
static int relay_item(
	struct carrier *c, struct site_lane *l, struct shelf_item *i)
{
	int r = 0;

	if (i->message == NULL || i->expires_ms <= uv_now(c->loop))
		goto done;
	/* One datagram may tell of many entries. */
	if (lane_repeats(l, i->heard))
		goto done;
	r = relay(c, l, "announcement", i->message, i->payload, i->size);
	if (r == -EAGAIN || r == -ENOTCONN) {
		lane_forgets(l, i->heard);
		return -EAGAIN;
	}
	if (r < 0)
		dropped(c, l->site, SITE_DROP_QUEUE);
	else
		taken(c, l->site);
done:
	shelf_empty(i);
	if (i->gone)
		shelf_remove(&c->known, i);
	return 0;
}

void take_flush(struct carrier *c)
{
	const struct site_lane *blocked = NULL;
	struct shelf_item *i;
	struct site_lane *l;

	while (link_is_connected(c->link) &&
		link_room(c->link) > ROOM_FOR_LIVE &&
		(l = sites_turn(&c->sites)) != NULL && l != blocked) {
		if (!lane_may(
			    l, c->c->groups[l->group].rate, uv_now(c->loop))) {
			/* Once round, and nobody may. */
			if (blocked == NULL)
				blocked = l;
			continue;
		}
		blocked = NULL;
		i = shelf_list_take(&l->todo);
		if (relay_item(c, l, i) < 0)
			sites_list(&c->sites, l, i);
	}
	/* What fills the room now may be calls of others. */
	if (c->sites.busy != NULL && link_is_connected(c->link) && !c->closing)
		(void)uv_timer_start(&c->timers.pace, take_timer, PACE_MS, 0);
}

void take_timer(uv_timer_t *t)
{
	take_flush(t->data);
}

/* ---- from the broker ---- */

/* What came, and whose lane it is in. */
struct brought {
	struct topic topic;
	struct site_lane *lane;
	const struct config_site_group *group;
	struct message m;
	const void *data;
	size_t size;
	bool retained;
};

/* The announcement has ended, and what was to be relayed of it still is. */
static void end_item(struct carrier *c, struct shelf_item *i)
{
	i->gone = true;
	if (i->list == NULL)
		shelf_remove(&c->known, i);
}

static void take_ended(struct carrier *c, const struct brought *b)
{
	char name[CARRIER_NAME];
	struct shelf_item *i = shelf_find(
		&c->known, carrier_name(b->topic.site, b->topic.group,
				   b->topic.last, name));

	if (c->c->hub)
		publish_onward(c, &b->topic, &b->m, NULL, 0);
	if (i != NULL)
		end_item(c, i);
	tell_soon(c);
}

static void take_announcement(struct carrier *c, const struct brought *b)
{
	struct site *site = b->lane->site;
	char name[CARRIER_NAME];
	struct net_address holder;
	struct shelf_item *i;
	uint64_t heard = carrier_heard(c, &b->m);
	int r;

	sites_holder(&c->sites, site->name, &holder);
	r = shelf_put(&c->known,
		carrier_name(
			b->topic.site, b->topic.group, b->topic.last, name),
		&holder, &i);
	if (r < 0) {
		dropped(c, site, SITE_DROP_QUEUE);
		return;
	}
	if (r > 0) {
		i->lane = b->lane;
		site->entries++;
		site->changed = true;
	}
	shelf_expires(&c->known, i, carrier_ends_ms(c, &b->m));
	i->gone = b->m.goodbye;
	/* The same again, as after a loss of the broker: nothing is new. */
	if (r == 0 && i->heard == heard && !i->gone)
		return;
	i->heard = heard;
	if (shelf_fill(i, &b->m, b->data, b->size) < 0) {
		dropped(c, site, SITE_DROP_QUEUE);
		return;
	}
	sites_list(&c->sites, b->lane, i);
	if (c->c->hub)
		publish_onward(c, &b->topic, &b->m, b->data, b->size);
	take_flush(c);
}

/* What is worth something only now. */
static void take_live(struct carrier *c, const struct brought *b)
{
	struct site *site = b->lane->site;
	const char *kind = strcmp(b->m.kind, "probe") == 0 ||
					   strcmp(b->m.kind, "other") == 0
				   ? b->m.kind
				   : NULL;
	uint64_t heard = carrier_heard(c, &b->m);

	if (b->retained || lane_repeats(b->lane, heard))
		return;
	if (!lane_may(b->lane, b->group->rate, uv_now(c->loop))) {
		dropped(c, site, SITE_DROP_RATE);
		lane_forgets(b->lane, heard);
		return;
	}
	if (b->topic.kind == TOPIC_SEARCH) {
		answers_search(c, site, &b->topic, &b->m, b->data, b->size);
	} else if (relay(c, b->lane, kind, &b->m, b->data, b->size) < 0) {
		dropped(c, site, SITE_DROP_QUEUE);
		lane_forgets(b->lane, heard);
	} else {
		taken(c, site);
	}
}

/* True where what is said of the message holds, and it may be taken. */
static bool may_take(
	struct carrier *c, struct brought *b, const struct broker_message *m)
{
	struct site *site = b->lane->site;
	char first[CONFIG_SITE_NAME + 1];

	if (message_read(m->properties, &b->m) < 0 ||
		(m->size > 0 &&
			b->m.digest != topic_digest(m->payload, m->size))) {
		dropped(c, site, SITE_DROP_BAD);
		return false;
	}
	if (message_has_hop(&b->m, c->c->site)) {
		dropped(c, site, SITE_DROP_LOOP);
		return false;
	}
	/* Who has published it is the last of them. */
	message_first_hop(&b->m, first);
	if (first[0] != '\0' && !message_has_hop(&b->m, b->topic.site)) {
		dropped(c, site, SITE_DROP_BAD);
		return false;
	}
	if (first[0] == '\0')
		(void)message_add_hop(&b->m, b->topic.site);
	return true;
}

static void take_group(struct carrier *c, struct brought *b, int group,
	const struct broker_message *m)
{
	struct site *site;
	bool wanted;

	b->group = &c->c->groups[group];
	wanted = b->topic.kind == TOPIC_SEARCH
			 ? b->group->publishes && b->group->searches
			 : b->group->takes;
	if (!wanted)
		return;
	site = sites_get(&c->sites, b->topic.site);
	if (site == NULL)
		return;
	site->last_seen_ms = carrier_wall_ms();
	site->changed = true;
	b->lane = &site->lanes[group];
	if (!config_site_matches(&b->group->from, site->name)) {
		dropped(c, site, SITE_DROP_FILTER);
		return;
	}
	if (b->topic.kind == TOPIC_ANNOUNCE && m->size == 0) {
		take_ended(c, b);
		return;
	}
	if (!may_take(c, b, m))
		return;
	if (m->size == 0 || m->size > CONFIG_MAX_PAYLOAD) {
		dropped(c, site, SITE_DROP_BAD);
		return;
	}
	if (!carrier_sift(c, (size_t)group, &b->group->take_allow,
		    &b->group->take_deny, &b->m.origin, &b->data, &b->size)) {
		dropped(c, site, SITE_DROP_FILTER);
		return;
	}
	if (b->topic.kind == TOPIC_ANNOUNCE)
		take_announcement(c, b);
	else
		take_live(c, b);
}

bool take_is_online(const struct broker_message *m)
{
	return m->size == 6 && memcmp(m->payload, "online", 6) == 0;
}

static void take_online(struct carrier *c, const struct topic *t,
	const struct broker_message *m)
{
	struct site *site = sites_get(&c->sites, t->site);

	if (site == NULL)
		return;
	site->online = take_is_online(m);
	site->last_seen_ms = carrier_wall_ms();
	site->changed = true;
	tell_soon(c);
}

/* ---- subscriptions ---- */

static void add_pattern(struct carrier *c, enum topic_kind kind,
	const char *site, const char *group)
{
	struct topic t = { .kind = kind };
	char text[TOPIC_TEXT];

	(void)snprintf(t.site, sizeof(t.site), "%s", site);
	(void)snprintf(t.group, sizeof(t.group), "%s", group);
	if (kind == TOPIC_ANNOUNCE)
		(void)snprintf(t.last, sizeof(t.last), "+");
	(void)json_array_append_new(
		c->patterns, json_string(topic_format(c->c->prefix, &t, text)));
}

/* Where all that is taken from are named, only theirs comes over the wire;
 * else the filter is here. */
static void add_patterns(struct carrier *c, enum topic_kind kind,
	const struct config_site_group *g)
{
	size_t i = 0;

	while (i < g->from.n && topic_is_site(g->from.at[i]))
		i++;
	if (i < g->from.n) {
		add_pattern(c, kind, "+", g->name);
		return;
	}
	for (i = 0; i < g->from.n; i++)
		add_pattern(c, kind, g->from.at[i], g->name);
}

void take_subscribe(struct carrier *c)
{
	char own[TOPIC_TEXT];

	json_decref(c->patterns);
	c->patterns = json_array();
	c->subscribed = 0;
	/* Answers, and what the broker remembers of us. */
	(void)snprintf(own, sizeof(own), "%s/1/%s/#", c->c->prefix, c->c->site);
	(void)json_array_append_new(c->patterns, json_string(own));
	add_pattern(c, TOPIC_ONLINE, "+", "");
	for (size_t i = 0; i < c->c->n_groups; i++) {
		const struct config_site_group *g = &c->c->groups[i];

		if (!c->open[i])
			continue;
		if (g->publishes && g->searches)
			add_patterns(c, TOPIC_SEARCH, g);
		if (!g->takes)
			continue;
		add_patterns(c, TOPIC_DATAGRAM, g);
		add_patterns(c, TOPIC_ANNOUNCE, g);
	}
	take_subscribe_more(c);
}

void take_subscribe_more(struct carrier *c)
{
	while (c->subscribed < json_array_size(c->patterns) &&
		broker_subscribe(c->broker,
			json_string_value(
				json_array_get(c->patterns, c->subscribed)),
			1, false) == 0)
		c->subscribed++;
}

void take_message(struct carrier *c, const struct broker_message *m)
{
	struct brought b = {
		.data = m->payload, .size = m->size, .retained = m->retained
	};
	int group;

	if (topic_parse(c->c->prefix, m->topic, &b.topic) < 0)
		return;
	if (strcmp(b.topic.site, c->c->site) == 0) {
		own_message(c, &b.topic, m);
		return;
	}
	if (b.topic.kind == TOPIC_ONLINE) {
		take_online(c, &b.topic, m);
		return;
	}
	group = carrier_group(c, b.topic.group);
	if (group >= 0 && c->open[group] && b.topic.kind != TOPIC_ANSWER)
		take_group(c, &b, group, m);
}
