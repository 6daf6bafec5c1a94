#include "mqtt/carrier.h"
#include "control/control.h"
#include "relay/relay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <syslog.h>
#include <time.h>

enum {
	/* The broker's own memory of us comes first. */
	SURVEY_AFTER_MS = 3000,
	/* Where events were lost. */
	SURVEY_AGAIN_MS = 30000,
};

/* ---- small things that all parts need ---- */

int carrier_group(const struct carrier *c, const char *name)
{
	for (size_t i = 0; i < c->c->n_groups; i++)
		if (strcmp(c->c->groups[i].name, name) == 0)
			return (int)i;
	return -ENOENT;
}

uint64_t carrier_ends_ms(const struct carrier *c, const struct message *m)
{
	uint64_t seconds = m->expires_s ? m->expires_s : MESSAGE_EXPIRES_S;

	return uv_now(c->loop) + seconds * 1000;
}

bool carrier_sift(struct carrier *c, size_t group,
	const struct config_filter *allow, const struct config_filter *deny,
	const struct net_address *origin, const void **data, size_t *size)
{
	enum relay_sifted sifted = relay_sift(allow, deny, c->payloads[group],
		origin, *data, *size, c->sifted, size);

	if (sifted == RELAY_SIFT_EDITED)
		*data = c->sifted;
	return sifted != RELAY_SIFT_DROPPED;
}

int64_t carrier_wall_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void carrier_time(int64_t wall_ms, char ret[CARRIER_TIME])
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm tm;
	size_t used = 0;

	if (gmtime_r(&seconds, &tm) != NULL)
		used = strftime(ret, CARRIER_TIME, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(ret + used, CARRIER_TIME - used, ".%03uZ",
		(unsigned)(wall_ms % 1000));
}

/* avahi says the same over IPv4 and IPv6, at the same time. */
uint64_t carrier_heard(const struct carrier *c, const struct message *m)
{
	const struct siphash_key *key = &c->known.key;
	uint64_t channel = siphash_behind(key, m->channel_port,
		m->channel.bytes, net_address_size(&m->channel));

	return siphash_behind(
		key, m->digest ^ channel, m->heard, strlen(m->heard));
}

const char *carrier_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "";
}

void carrier_endpoint(const json_t *address, const json_t *port,
	struct net_address *ret_address, uint16_t *ret_port)
{
	const char *text = json_string_value(address);
	json_int_t number = json_integer_value(port);
	char plain[NET_ADDRESS_TEXT];

	*ret_address = (struct net_address){ 0 };
	*ret_port = number > 0 && number <= UINT16_MAX ? (uint16_t)number : 0;
	if (text == NULL)
		return;
	/* A scope means something on this host alone. */
	(void)snprintf(
		plain, sizeof(plain), "%.*s", (int)strcspn(text, "%"), text);
	(void)net_address_parse(plain, ret_address);
}

int carrier_payload(struct carrier *c, const json_t *event, size_t *ret_size)
{
	const json_t *text = json_object_get(event, "payload");

	if (!json_is_string(text) ||
		json_string_length(text) / 4 * 3 > CARRIER_SCRATCH ||
		base64_decode(json_string_value(text), json_string_length(text),
			c->datagram, ret_size) < 0)
		return -EBADMSG;
	return *ret_size > 0 ? 0 : -EBADMSG;
}

void carrier_key(const char *identity, bool ipv6, char key[TOPIC_KEY + 1])
{
	topic_key(identity, ipv6 ? "~6" : "", key);
}

const char *carrier_name(const char *site, const char *group, const char *key,
	char buffer[CARRIER_NAME])
{
	if (site != NULL)
		(void)snprintf(
			buffer, CARRIER_NAME, "%s/%s/%s", site, group, key);
	else
		(void)snprintf(buffer, CARRIER_NAME, "%s/%s", group, key);
	return buffer;
}

/* ---- the ends of announcements ---- */

static void known_leaves(void *data, struct shelf_item *i)
{
	struct site_lane *lane = i->lane;

	lane->site->entries--;
	lane->site->changed = true;
	tell_soon(data);
}

static void on_expiry(uv_timer_t *t);

static void expire(struct shelf *s, uint64_t now_ms)
{
	struct shelf_item *i;

	while ((i = shelf_soonest(s)) != NULL && i->expires_ms <= now_ms)
		shelf_remove(s, i);
}

static void await_expiry(struct carrier *c)
{
	const struct shelf_item *own = shelf_soonest(&c->own);
	const struct shelf_item *known = shelf_soonest(&c->known);
	uint64_t now = uv_now(c->loop), at = UINT64_MAX;

	if (own != NULL)
		at = own->expires_ms;
	if (known != NULL && known->expires_ms < at)
		at = known->expires_ms;
	if (at == UINT64_MAX || c->closing)
		return;
	/* Many that end together are one piece of work. */
	(void)uv_timer_start(&c->timers.expiry, on_expiry,
		at > now + 1000 ? at - now : 1000, 0);
}

static void on_expiry(uv_timer_t *t)
{
	struct carrier *c = t->data;

	expire(&c->own, uv_now(c->loop));
	expire(&c->known, uv_now(c->loop));
	await_expiry(c);
}

/* ---- the broker ---- */

static const char *online_topic(const struct carrier *c, char *buffer)
{
	struct topic t = { .kind = TOPIC_ONLINE };

	(void)snprintf(t.site, sizeof(t.site), "%s", c->c->site);
	return topic_format(c->c->prefix, &t, buffer);
}

static void say(struct carrier *c, const char *word)
{
	char topic[TOPIC_TEXT];

	(void)broker_publish(c->broker, online_topic(c, topic), word,
		strlen(word), 1, true, NULL);
}

void carrier_say_online(struct carrier *c)
{
	say(c, "online");
}

/* Once both ends are known. */
static void begin(struct carrier *c)
{
	if (broker_state(c->broker) != BROKER_CONNECTED || !c->takes)
		return;
	take_subscribe(c);
	publish_again(c);
	survey_soon(c, SURVEY_AFTER_MS);
}

static void on_broker(void *data)
{
	struct carrier *c = data;

	if (c->was_connected)
		c->returned_ms = uv_now(c->loop);
	c->was_connected = true;
	service_log(c->log, LOG_NOTICE, NULL, "connected to %s",
		broker_url(c->broker));
	service_notify_status("Connected to %s.", broker_url(c->broker));
	carrier_say_online(c);
	begin(c);
	tell_soon(c);
}

static void on_no_broker(void *data, const char *why)
{
	struct carrier *c = data;
	struct site *s = NULL;

	service_log(c->log, LOG_WARNING, NULL, "%s", why);
	service_notify_status("Not connected: %s", why);
	/* Nobody says any more who is there. */
	while ((s = sites_next(&c->sites, s)) != NULL) {
		s->changed |= s->online;
		s->online = false;
	}
	/* What was on its way is said again when it is back. */
	c->subscribed = 0;
	json_decref(c->patterns);
	c->patterns = NULL;
	tell_soon(c);
}

static void on_message(void *data, const struct broker_message *m)
{
	struct carrier *c = data;

	take_message(c, m);
	if (!uv_is_active((uv_handle_t *)&c->timers.expiry))
		await_expiry(c);
}

static void on_broker_ready(void *data)
{
	take_subscribe_more(data);
	publish_flush(data);
}

static void on_warned(void *data, const char *what)
{
	const struct carrier *c = data;

	service_log(c->log, LOG_WARNING, NULL, "%s", what);
}

static void on_refused(void *data, const char *why)
{
	struct carrier *c = data;
	uint64_t now = uv_now(c->loop);

	c->refused++;
	if (c->refused_ms != 0 && now - c->refused_ms < 60000)
		return;
	c->refused_ms = now;
	service_log(c->log, LOG_WARNING, NULL, "the broker refused: %s", why);
}

/* ---- crierd ---- */

static void on_crierd(void *data)
{
	struct carrier *c = data;

	service_log(c->log, LOG_NOTICE, NULL, "connected to crierd on %s",
		c->c->socket);
	c->is_new_crierd = true;
	survey_groups(c);
	tell_again(c);
}

static void on_no_crierd(void *data, const char *why)
{
	struct carrier *c = data;

	service_log(c->log, LOG_WARNING, NULL, "%s", why);
	survey_end(c);
}

static void on_event(void *data, const json_t *params)
{
	struct carrier *c = data;
	const char *event = carrier_text(params, "event");

	if (json_integer_value(json_object_get(params, "lost")) > 0)
		survey_soon(c, SURVEY_AGAIN_MS);
	if (strcmp(event, "datagram") == 0)
		publish_datagram(c, params);
	else if (strcmp(event, "answer") == 0)
		answers_heard(c, params);
	else if (strcmp(event, "expired") == 0)
		publish_expired(c, params);
	else if (strcmp(event, "config") == 0)
		survey_groups(c);
	if (!uv_is_active((uv_handle_t *)&c->timers.expiry))
		await_expiry(c);
}

static void on_crierd_ready(void *data)
{
	take_flush(data);
}

void carrier_begin(struct carrier *c)
{
	begin(c);
	take_flush(c);
}

/* ---- begin and end ---- */

static void release(struct carrier *c)
{
	shelf_done(&c->own);
	shelf_done(&c->known);
	sites_done(&c->sites);
	searches_done(&c->searches);
	json_decref(c->patterns);
	config_sites_free(c->c);
	free(c->payloads);
	free(c->open);
	free(c->datagram);
	free(c->sifted);
	free(c->text);
	free(c);
}

static void on_closed(uv_handle_t *h)
{
	struct carrier *c = h->data;

	if (--c->handles == 0)
		release(c);
}

static void init_timer(struct carrier *c, uv_timer_t *t)
{
	(void)uv_timer_init(c->loop, t); /* cannot fail */
	t->data = c;
	c->handles++;
}

static int make_room(struct carrier *c)
{
	size_t n = c->c->n_groups;

	c->payloads = calloc(n, sizeof(*c->payloads));
	c->open = calloc(n, sizeof(*c->open));
	c->datagram = malloc(CARRIER_SCRATCH + 3);
	c->sifted = malloc(CARRIER_SCRATCH);
	c->text = malloc(BASE64_TEXT((size_t)CARRIER_SCRATCH));
	if (c->payloads == NULL || c->open == NULL || c->datagram == NULL ||
		c->sifted == NULL || c->text == NULL)
		return -ENOMEM;
	return 0;
}

static int make_broker(struct carrier *c)
{
	struct broker_callbacks callbacks = {
		.connected = on_broker,
		.disconnected = on_no_broker,
		.message = on_message,
		.ready = on_broker_ready,
		.refused = on_refused,
		.warned = on_warned,
		.data = c,
	};
	char topic[TOPIC_TEXT];
	struct broker_will will = { online_topic(c, topic), "offline", 7 };

	return broker_new(&c->broker, c->loop, c->c, &will, &callbacks);
}

static int make_link(struct carrier *c)
{
	struct link_callbacks callbacks = {
		.connected = on_crierd,
		.disconnected = on_no_crierd,
		.event = on_event,
		.ready = on_crierd_ready,
		.data = c,
	};
	json_t *groups = json_array();
	int r;

	for (size_t i = 0; i < c->c->n_groups; i++)
		(void)json_array_append_new(
			groups, json_string(c->c->groups[i].name));
	r = link_new(&c->link, c->loop, c->c->socket, groups, &callbacks);
	json_decref(groups);
	return r;
}

int carrier_new(struct carrier **ret, uv_loop_t *loop,
	struct config_sites *config, const struct service_log *log)
{
	struct carrier *c = calloc(1, sizeof(*c));
	struct siphash_key key;
	int r;

	if (c == NULL)
		return -ENOMEM;
	c->loop = loop;
	carrier_time(carrier_wall_ms(), c->began);
	c->c = config;
	c->log = log;
	if (getrandom(&key, sizeof(key), 0) != sizeof(key) ||
		getrandom(&c->nonce, sizeof(c->nonce), 0) != sizeof(c->nonce)) {
		free(c);
		return -EIO;
	}
	shelf_init(&c->own, config->limits.own, &key, NULL, NULL);
	shelf_init(&c->known, config->limits.known, &key, known_leaves, c);
	sites_init(&c->sites, config->n_groups, &key);
	searches_init(&c->searches, config->limits.searches, &key);
	init_timer(c, &c->timers.expiry);
	init_timer(c, &c->timers.pace);
	init_timer(c, &c->timers.report);
	init_timer(c, &c->timers.survey);
	r = make_room(c);
	if (r == 0)
		r = make_broker(c);
	if (r == 0)
		r = make_link(c);
	if (r < 0) {
		carrier_close(c);
		c->c = NULL; /* it stays the caller's */
		return r;
	}
	broker_start(c->broker);
	link_start(c->link);
	*ret = c;
	return 0;
}

void carrier_close(struct carrier *c)
{
	if (c == NULL || c->closing)
		return;
	c->closing = true;
	if (c->broker != NULL && broker_state(c->broker) == BROKER_CONNECTED)
		say(c, "offline");
	survey_end(c);
	link_close(c->link);
	broker_close(c->broker);
	uv_close((uv_handle_t *)&c->timers.expiry, on_closed);
	uv_close((uv_handle_t *)&c->timers.pace, on_closed);
	uv_close((uv_handle_t *)&c->timers.report, on_closed);
	uv_close((uv_handle_t *)&c->timers.survey, on_closed);
}
