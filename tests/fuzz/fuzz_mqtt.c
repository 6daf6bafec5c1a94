/*
 * Whatever a broker and the sites behind it send to crier-mqtt, and when: the
 * bounds hold, what is kept of each site adds up, what is published and relayed
 * is well formed, and what came from elsewhere goes on only with this site
 * among its hops.
 *
 * An input is lines. What a message has is gathered by "t TOPIC", "u NAME=TEXT"
 * (a user property), "e SECONDS", "r RESPONSE", "c CORRELATION" and "y
 * CONTENT"; "p PAYLOAD" sends it, "q PAYLOAD" as a retained one. "w MS" waits,
 * "d" and "b" lose the broker and have it back, "l" and "k" crierd; "j JSON" is
 * an event of crierd's, "a JSON" its answer to the last call.
 */
#include "../unit/mqtt_stage.h"
#include "fuzz.h"

#include <mqtt_protocol.h>
#include <string.h>

enum { KNOWN = 8, OWN = 8, SEARCHES = 4, LINES = 2000 };

static const char yaml[] =
	"site: home\n"
	"brokers: mqtts://broker.example\n"
	"hub: true\n"
	"limits: { known: 8, own: 8, searches: 4 }\n"
	"groups:\n"
	"  raw: { take: { rate: 20/s, from: [\"*\", \"!bad\"] } }\n"
	"  mdns: { take: { deny: { services: [_ssh._tcp] } } }\n"
	"  ssdp: { publish: { allow: { targets: [\"upnp:*\"] } } }\n";
static const char decoders[] = "raw=none,mdns=mdns,ssdp=ssdp";

struct input {
	char topic[1024];
	mosquitto_property *properties;
};

/* ---- what must hold ---- */

static void sum_entries(void *data, struct shelf_item *i)
{
	struct site_lane *lane = i->lane;

	MUST(lane->site->entries > 0);
	(*(size_t *)data)++;
}

static void check_message(const struct stage_message *m)
{
	struct topic t;

	MUST(topic_parse("crier", m->topic, &t) == 0);
	MUST(t.kind == TOPIC_ANSWER ? strcmp(t.last, "home") == 0
				    : strcmp(t.site, "home") == 0);
	if (t.kind == TOPIC_ONLINE || m->size == 0)
		return;
	MUST(m->has_properties);
	MUST(message_has_hop(&m->m, "home"));
	MUST(m->m.digest == topic_digest(m->payload, m->size));
	MUST(m->retain ? t.kind == TOPIC_ANNOUNCE && m->m.expires_s > 0 : true);
}

static void check_call(const struct stage_call *c)
{
	char *text = json_dumps(c->params, JSON_COMPACT);

	MUST(c->params == NULL || text != NULL);
	if (strcmp(c->method, "relay") == 0) {
		const json_t *origin = json_object_get(c->params, "origin");

		MUST(topic_is_site(carrier_text(origin, "site")));
		MUST(carrier_text(c->params, "payload")[0] != '\0');
	}
	free(text);
}

static void check(struct stage *s)
{
	const struct carrier *c = s->c;
	const struct site *site = NULL;
	size_t listed = 0, entries = 0, n = 0;

	MUST(shelf_count(&c->known) <= KNOWN);
	MUST(shelf_count(&c->own) <= OWN);
	MUST(c->searches.quota.used <= SEARCHES);
	MUST(c->sites.n <= SITES_MAX);
	shelf_each(&c->known, sum_entries, &listed);
	while ((site = sites_next(&c->sites, site)) != NULL) {
		entries += site->entries;
		n++;
	}
	MUST(entries == listed && n == c->sites.n);
	for (size_t i = 0; i < s->n_said && i < STAGE_KEPT; i++)
		check_message(&s->said[i]);
	for (size_t i = 0; i < s->n_calls; i++)
		check_call(&s->calls[i]);
}

/* ---- what comes ---- */

static void deliver(
	struct stage *s, struct input *in, const char *payload, bool retained)
{
	struct broker_message b = { .topic = in->topic,
		.payload = (const uint8_t *)payload,
		.size = strlen(payload),
		.retained = retained };
	char digest[17];

	/* By chance it would never be right. */
	(void)snprintf(digest, sizeof(digest), "%016llx",
		(unsigned long long)topic_digest(payload, strlen(payload)));
	if (b.size % 8 != 7)
		(void)mosquitto_property_add_string_pair(&in->properties,
			MQTT_PROP_USER_PROPERTY, "digest", digest);
	b.properties = in->properties;
	if (s->state == BROKER_CONNECTED)
		s->broker.message(s->broker.data, &b);
}

static void add_property(struct input *in, char kind, char *text)
{
	char *value = strchr(text, '=');
	size_t size = strlen(text);

	switch (kind) {
	case 'u':
		if (value == NULL)
			break;
		*value = '\0';
		(void)mosquitto_property_add_string_pair(&in->properties,
			MQTT_PROP_USER_PROPERTY, text, value + 1);
		break;
	case 'e':
		(void)mosquitto_property_add_int32(&in->properties,
			MQTT_PROP_MESSAGE_EXPIRY_INTERVAL,
			(uint32_t)strtoul(text, NULL, 10));
		break;
	case 'r':
		(void)mosquitto_property_add_string(
			&in->properties, MQTT_PROP_RESPONSE_TOPIC, text);
		break;
	case 'y':
		(void)mosquitto_property_add_string(
			&in->properties, MQTT_PROP_CONTENT_TYPE, text);
		break;
	case 'c':
		(void)mosquitto_property_add_binary(&in->properties,
			MQTT_PROP_CORRELATION_DATA, text,
			(uint16_t)(size < UINT16_MAX ? size : UINT16_MAX));
		break;
	default:
		break;
	}
}

static void event(struct stage *s, const char *text)
{
	json_t *o = json_loads(text, 0, NULL);

	if (json_is_object(o) && s->linked)
		s->link.event(s->link.data, o);
	json_decref(o);
}

static void answer(struct stage *s, const char *text)
{
	json_t *o = json_loads(text, JSON_DECODE_ANY, NULL);

	for (size_t i = s->n_calls; i > 0 && s->linked; i--) {
		struct stage_call *c = &s->calls[i - 1];
		link_answer call = c->answer;

		if (call == NULL)
			continue;
		c->answer = NULL;
		call(c->data, o, o == NULL ? c->params : NULL);
		break;
	}
	json_decref(o);
}

static void lose_crierd(struct stage *s)
{
	if (!s->linked)
		return;
	s->linked = false;
	s->link.disconnected(s->link.data, "lost");
	stage_clear(s);
}

static void run_line(struct stage *s, struct input *in, char *line)
{
	char *text = line[0] != '\0' && line[1] != '\0' ? line + 2 : line + 1;

	switch (line[0]) {
	case 't':
		(void)snprintf(in->topic, sizeof(in->topic), "%s", text);
		mosquitto_property_free_all(&in->properties);
		break;
	case 'p':
	case 'q':
		deliver(s, in, text, line[0] == 'q');
		break;
	case 'w':
		stage_wait(s, strtoul(text, NULL, 10) % 200000);
		break;
	case 'd':
		if (s->state == BROKER_CONNECTED)
			stage_disconnect(s);
		break;
	case 'b':
		if (s->state != BROKER_CONNECTED)
			stage_connect(s);
		break;
	case 'l':
		lose_crierd(s);
		break;
	case 'k':
		if (!s->linked)
			stage_link(s, decoders);
		break;
	case 'j':
		event(s, text);
		break;
	case 'a':
		answer(s, text);
		break;
	default:
		if (line[0] != '\0')
			add_property(in, line[0], text);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct stage s;
	struct input in = { 0 };
	char *copy = malloc(size + 1), *line, *save = NULL;
	unsigned n = 0;

	MUST(copy != NULL);
	memcpy(copy, data, size);
	copy[size] = '\0';
	stage_open(&s, yaml);
	stage_ready(&s, decoders);
	for (line = strtok_r(copy, "\n", &save); line != NULL && n++ < LINES;
		line = strtok_r(NULL, "\n", &save)) {
		run_line(&s, &in, line);
		check(&s);
		if (s.n_calls > STAGE_KEPT / 2 || s.n_said > STAGE_KEPT / 2)
			stage_clear(&s);
	}
	mosquitto_property_free_all(&in.properties);
	stage_close(&s);
	free(copy);
	return 0;
}
