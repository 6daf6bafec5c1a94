/*
 * What is heard here, to the broker.
 */
#include "mqtt/carrier.h"
#include "proto/proto.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
	/* A goodbye is of use to whoever hears it, not to who comes later. */
	GOODBYE_S = 10,
	/* Where others may have missed it, it is kept for them so long. */
	KEPT_MS = 600000,
	/* All come back from a loss of the broker within that, mostly. */
	RETURN_MS = 60000,
};

/* ---- what leaves ---- */

static int publish(struct carrier *c, const struct topic *t,
	const struct message *m, const void *payload, size_t size, int qos,
	bool retain)
{
	char topic[TOPIC_TEXT];
	mosquitto_property *properties = NULL;
	int r;

	if (broker_state(c->broker) != BROKER_CONNECTED)
		return -ENOTCONN;
	if (m != NULL && message_write(m, &properties) < 0)
		return -ENOMEM;
	r = broker_publish(c->broker, topic_format(c->c->prefix, t, topic),
		payload, size, qos, retain, properties);
	mosquitto_property_free_all(&properties);
	if (r == 0)
		c->published++;
	return r;
}

int publish_live(struct carrier *c, const struct topic *t,
	const struct message *m, const void *payload, size_t size)
{
	int r = publish(c, t, m, payload, size, 0, false);

	if (r < 0)
		c->lost++;
	tell_soon(c);
	return r;
}

/* The topic of an item of this site. */
static struct topic topic_of(
	const struct carrier *c, const struct shelf_item *i)
{
	struct topic t = { .kind = TOPIC_ANNOUNCE };
	size_t size = strcspn(i->name, "/");

	(void)snprintf(t.site, sizeof(t.site), "%s", c->c->site);
	(void)snprintf(t.group, sizeof(t.group), "%.*s", (int)size, i->name);
	(void)snprintf(t.last, sizeof(t.last), "%s", i->name + size + 1);
	return t;
}

static uint32_t seconds_left(
	const struct carrier *c, const struct shelf_item *i)
{
	return (uint32_t)((i->expires_ms - uv_now(c->loop) + 999) / 1000);
}

/* Some site that was here is away now, or is not back yet. */
static bool others_may_miss(const struct carrier *c)
{
	const struct site *s = NULL;

	if (c->returned_ms != 0 && uv_now(c->loop) - c->returned_ms < RETURN_MS)
		return true;
	while ((s = sites_next(&c->sites, s)) != NULL)
		if (!s->online)
			return true;
	return false;
}

/* Its last words, once, and then that there is nothing; or, for those who may
 * miss them, its last words instead of what it said before. */
static int publish_goodbye(
	struct carrier *c, struct shelf_item *i, const struct topic *t)
{
	bool kept = i->again || others_may_miss(c);
	struct message m;
	int r;

	if (i->message != NULL && !i->said) {
		m = *i->message;
		m.goodbye = true;
		m.expires_s = kept ? seconds_left(c, i) : GOODBYE_S;
		r = publish(c, t, &m, i->payload, i->size, 1, kept);
		if (kept || r == -EAGAIN || r == -ENOTCONN || r == -ENOMEM)
			return r;
		i->said = true;
	}
	r = publish(c, t, NULL, NULL, 0, 1, true);
	i->said = r < 0;
	return r;
}

/* Returns as broker_publish(). What has ended is removed. */
static int publish_item(struct carrier *c, struct shelf_item *i)
{
	struct topic t = topic_of(c, i);
	struct message m;

	if (i->expires_ms <= uv_now(c->loop)) {
		shelf_remove(&c->own, i);
		return 0;
	}
	if (i->gone)
		return publish_goodbye(c, i, &t);
	if (i->message == NULL)
		return 0;
	m = *i->message;
	m.expires_s = seconds_left(c, i);
	return publish(c, &t, &m, i->payload, i->size, 1, true);
}

void publish_flush(struct carrier *c)
{
	struct shelf_item *i;
	int r = 0;

	while (r == 0 && broker_state(c->broker) == BROKER_CONNECTED &&
		(i = shelf_list_take(&c->to_publish)) != NULL) {
		r = publish_item(c, i);
		if (r == -EAGAIN || r == -ENOTCONN || r == -ENOMEM) {
			shelf_list_add(&c->to_publish, i);
		} else if (r < 0) {
			/* It never will. */
			c->lost++;
			r = 0;
		}
	}
	tell_soon(c);
}

static void list_again(void *data, struct shelf_item *i)
{
	struct carrier *c = data;

	/* What was said last may have reached nobody. */
	i->again = true;
	i->said = false;
	shelf_list_add(&c->to_publish, i);
}

void publish_again(struct carrier *c)
{
	shelf_each(&c->own, list_again, c);
	publish_flush(c);
}

void publish_gone(struct carrier *c, struct shelf_item *i)
{
	if (i->gone)
		return;
	i->gone = true;
	i->again = i->said = false;
	shelf_empty(i);
	if (i->expires_ms > uv_now(c->loop) + KEPT_MS)
		shelf_expires(&c->own, i, uv_now(c->loop) + KEPT_MS);
	shelf_list_add(&c->to_publish, i);
}

/* ---- what comes ---- */

/* A datagram that crierd heard. */
struct heard {
	const struct config_site_group *group;
	struct topic topic; /* of this site and that group */
	struct message m;
	const void *data;
	size_t size;
};

/* Printable ASCII, as all that a message says of a datagram. */
static void copy(char *ret, size_t size, const char *text)
{
	(void)snprintf(ret, size, "%s", text);
	for (; *ret != '\0'; ret++)
		if (*ret < ' ' || *ret > '~')
			*ret = '?';
}

static bool read_heard(struct carrier *c, const json_t *event, struct heard *h)
{
	const json_t *channel = json_object_get(event, "channel");
	const char *name = carrier_text(event, "group");
	int group = carrier_group(c, name);
	struct message *m = &h->m;

	if (group < 0 || !c->open[group])
		return false;
	h->group = &c->c->groups[group];
	copy(h->topic.site, sizeof(h->topic.site), c->c->site);
	copy(h->topic.group, sizeof(h->topic.group), name);
	if (carrier_payload(c, event, &h->size) < 0)
		return false;
	h->data = c->datagram;
	copy(m->hops, sizeof(m->hops), c->c->site);
	copy(m->heard, sizeof(m->heard), carrier_text(event, "time"));
	copy(m->segment, sizeof(m->segment), carrier_text(event, "interface"));
	copy(m->kind, sizeof(m->kind), carrier_text(event, "kind"));
	copy(m->content, sizeof(m->content),
		message_content_type(carrier_text(event, "protocol")));
	carrier_endpoint(json_object_get(event, "source"),
		json_object_get(event, "port"), &m->origin, &m->origin_port);
	carrier_endpoint(json_object_get(channel, "address"),
		json_object_get(channel, "port"), &m->channel,
		&m->channel_port);
	if (!carrier_sift(c, (size_t)group, &h->group->publish_allow,
		    &h->group->publish_deny, &m->origin, &h->data, &h->size))
		return false;
	m->digest = topic_digest(h->data, h->size);
	return true;
}

/* Bits of what a message of mDNS tells of one instance: a PTR alone is not
 * worth the whole of it. 0 where the instance is not in it. */
static unsigned tells_of(const struct heard *h, const char *identity)
{
	struct mdns_reader reader;
	struct mdns_item item;
	struct mdns_telling t;
	struct proto_piece label;
	char type[MDNS_SERVICE_TEXT], text[MDNS_SERVICE_TEXT + 80];
	unsigned bits = 0, addresses = 0;

	if (mdns_open(&reader, h->data, h->size) < 0)
		return 0;
	while (mdns_next(&reader, &item) > 0) {
		if (!mdns_tells(&item, &t))
			continue;
		if (t.what == MDNS_TELLS_ADDRESS) {
			addresses = 1U << t.what;
			continue;
		}
		if (!mdns_name_instance(t.subject, &label, type))
			continue;
		(void)snprintf(text, sizeof(text), "%.*s.%s", (int)label.size,
			label.at, type);
		if (strcasecmp(text, identity) == 0)
			bits |= 1U << t.what;
	}
	return bits ? bits | addresses : 0;
}

/* An entry that the datagram tells of. True where the datagram waits to be
 * published for it. */
static bool shelve(struct carrier *c, const struct heard *h,
	const json_t *entry, bool *goodbye_said)
{
	const char *identity = carrier_text(entry, "key");
	double expires =
		json_number_value(json_object_get(entry, "expires_in"));
	bool is_mdns = strcmp(h->m.content, "application/dns-message") == 0;
	unsigned tells = is_mdns ? tells_of(h, identity) : 0;
	char key[TOPIC_KEY + 1], name[CARRIER_NAME];
	struct shelf_item *i;
	int r;

	carrier_key(identity, h->m.channel.family == AF_INET6, key);
	carrier_name(NULL, h->topic.group, key, name);
	if (json_is_true(json_object_get(entry, "goodbye"))) {
		i = shelf_find(&c->own, name);
		if (i == NULL || i->gone)
			return false;
		publish_gone(c, i);
		if (!*goodbye_said)
			(void)shelf_fill(i, &h->m, h->data, h->size);
		*goodbye_said = true;
		return true;
	}
	r = shelf_put(&c->own, name, &h->m.origin, &i);
	if (r < 0) {
		c->lost++;
		return false;
	}
	/* What tells less does not replace what tells more. */
	if (r == 0 && !i->gone && i->message != NULL && tells != 0 &&
		(i->tells & ~tells) != 0)
		return false;
	if (shelf_fill(i, &h->m, h->data, h->size) < 0) {
		c->lost++;
		if (r > 0)
			shelf_remove(&c->own, i);
		return false;
	}
	i->gone = false;
	i->adopted = false;
	/* A survey that is under way may have passed it by. */
	i->survey = c->survey;
	i->tells = tells;
	if (!(expires >= 1))
		expires = 1;
	if (expires > MESSAGE_EXPIRES_S)
		expires = MESSAGE_EXPIRES_S;
	shelf_expires(&c->own, i, uv_now(c->loop) + (uint64_t)(expires * 1000));
	shelf_list_add(&c->to_publish, i);
	return true;
}

static void publish_announcement(
	struct carrier *c, struct heard *h, const json_t *entries)
{
	const json_t *entry;
	bool shelved = false, goodbye_said = false;
	size_t at;

	json_array_foreach(entries, at, entry)
	{
		shelved |= shelve(c, h, entry, &goodbye_said);
	}
	if (shelved) {
		publish_flush(c);
		return;
	}
	h->topic.kind = TOPIC_DATAGRAM;
	(void)publish_live(c, &h->topic, &h->m, h->data, h->size);
}

static void publish_search(
	struct carrier *c, struct heard *h, const json_t *flow)
{
	struct topic response = h->topic;
	int64_t number = json_integer_value(flow);

	response.kind = TOPIC_ANSWER;
	h->topic.kind = TOPIC_SEARCH;
	if (json_is_integer(flow))
		answers_mark(c, &response, number, &h->m);
	(void)publish_live(c, &h->topic, &h->m, h->data, h->size);
}

void publish_datagram(struct carrier *c, const json_t *event)
{
	struct heard h = { 0 };
	bool is_search;

	if (!read_heard(c, event, &h))
		return;
	is_search = strcmp(h.m.kind, "search") == 0;
	/* Who searches wants what is announced elsewhere. */
	if (is_search && h.group->takes && h.group->searches)
		publish_search(c, &h, json_object_get(event, "flow"));
	if (!is_search && h.group->publishes)
		publish_announcement(c, &h, json_object_get(event, "entries"));
}

void publish_expired(struct carrier *c, const json_t *event)
{
	const char *group = carrier_text(event, "group");
	char key[TOPIC_KEY + 1], name[CARRIER_NAME];
	struct shelf_item *i;

	/* What came from elsewhere is not ours to end. */
	if (json_is_string(json_object_get(event, "site")) ||
		carrier_group(c, group) < 0)
		return;
	for (int ipv6 = 0; ipv6 <= 1; ipv6++) {
		carrier_key(carrier_text(event, "key"), ipv6, key);
		i = shelf_find(&c->own, carrier_name(NULL, group, key, name));
		if (i != NULL)
			publish_gone(c, i);
	}
	publish_flush(c);
}

void publish_adopt(struct carrier *c, const struct topic *t,
	const struct message *m, const void *payload, size_t size)
{
	char name[CARRIER_NAME];
	struct shelf_item *i;

	if (!message_has_hop(m, c->c->site) ||
		m->digest != topic_digest(payload, size))
		return;
	if (shelf_put(&c->own, carrier_name(NULL, t->group, t->last, name),
		    &m->origin, &i) <= 0)
		return;
	if (shelf_fill(i, m, payload, size) < 0) {
		shelf_remove(&c->own, i);
		return;
	}
	i->adopted = true;
	shelf_expires(&c->own, i, carrier_ends_ms(c, m));
}

void publish_onward(struct carrier *c, const struct topic *t,
	const struct message *m, const void *payload, size_t size)
{
	char joined[TOPIC_TEXT], key[TOPIC_KEY + 1], name[CARRIER_NAME];
	struct message onward = *m;
	struct net_address holder;
	struct shelf_item *i;

	/* Of it only what passes here goes on. */
	onward.digest = topic_digest(payload, size);
	(void)snprintf(joined, sizeof(joined), "%s/%s", t->site, t->last);
	topic_key(joined, "", key);
	carrier_name(NULL, t->group, key, name);
	if (size == 0 || m->goodbye) {
		i = shelf_find(&c->own, name);
		if (i == NULL || i->gone)
			return;
		publish_gone(c, i);
		if (size > 0 && message_add_hop(&onward, c->c->site) == 0)
			(void)shelf_fill(i, &onward, payload, size);
		publish_flush(c);
		return;
	}
	sites_holder(&c->sites, t->site, &holder);
	if (message_add_hop(&onward, c->c->site) < 0 ||
		shelf_put(&c->own, name, &holder, &i) < 0) {
		c->lost++;
		return;
	}
	if (shelf_fill(i, &onward, payload, size) < 0) {
		c->lost++;
		shelf_remove(&c->own, i);
		return;
	}
	i->gone = false;
	i->onward = true;
	shelf_expires(&c->own, i, carrier_ends_ms(c, m));
	shelf_list_add(&c->to_publish, i);
	publish_flush(c);
}
