/*
 * What crierd knows before it has told of it: the decoders of its groups, and
 * what was announced while nobody listened.
 *
 * A survey walks crierd's table once. What this site has published and crierd
 * no longer has is gone; what crierd has and this site has not published, it
 * searches for, so that it is heard again. What other sites have announced and
 * a crierd that is new does not know, such as one that was started without its
 * state, it is told again.
 */
#include "mqtt/carrier.h"
#include "proto/proto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

enum {
	PAGE = 500, /* entries that are asked for at once */
	TYPES = 64, /* of services that are searched for */
	/* A crierd that is younger may not have heard of all. */
	YOUNG_S = 120,
};

struct survey {
	struct carrier *c;
	bool is_young;
	/* Of crierd. What it heard itself it knows, however young it is. */
	char began[CARRIER_TIME];
	bool lacks; /* something that other sites have */
	/* Each is a group's number and a type. */
	struct {
		size_t group;
		char type[MDNS_SERVICE_TEXT];
	} types[TYPES];
	size_t n;
};

/* ---- groups ---- */

static enum config_payload payload_of(const json_t *group)
{
	static const enum config_payload payloads[] = { CONFIG_PAYLOAD_MDNS,
		CONFIG_PAYLOAD_SSDP, CONFIG_PAYLOAD_WSD };
	const char *word = carrier_text(group, "payload");

	for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++)
		if (strcmp(word, config_payload_word(payloads[i])) == 0)
			return payloads[i];
	return CONFIG_PAYLOAD_NONE;
}

/* A filter that the group's decoder cannot apply would let all pass. */
static bool is_void(const struct config_filter *f, enum config_payload p)
{
	return (f->services.n > 0 && p != CONFIG_PAYLOAD_MDNS) ||
	       (f->targets.n > 0 && p != CONFIG_PAYLOAD_SSDP);
}

static void open_group(struct carrier *c, size_t at, const json_t *group)
{
	const struct config_site_group *g = &c->c->groups[at];
	enum config_payload p = payload_of(group);

	c->payloads[at] = p;
	c->open[at] = !is_void(&g->publish_allow, p) &&
		      !is_void(&g->publish_deny, p) &&
		      !is_void(&g->take_allow, p) && !is_void(&g->take_deny, p);
	if (!c->open[at])
		service_log(c->log, LOG_ERR, NULL,
			"group %s is left out: it has filters by services or "
			"targets, and its payload is \"%s\" for crierd",
			g->name, config_payload_word(p));
}

static void on_groups(void *data, const json_t *result, const json_t *error)
{
	struct carrier *c = data;
	const json_t *group;
	size_t at;

	if (result == NULL) {
		if (error != NULL)
			service_log(c->log, LOG_ERR, NULL,
				"crierd does not tell its groups: %s",
				carrier_text(error, "message"));
		return;
	}
	for (size_t i = 0; i < c->c->n_groups; i++)
		c->open[i] = false;
	json_array_foreach(result, at, group)
	{
		int i = carrier_group(c, carrier_text(group, "name"));

		if (i >= 0)
			open_group(c, (size_t)i, group);
	}
	c->takes = true;
	carrier_begin(c);
}

void survey_groups(struct carrier *c)
{
	(void)link_call(c->link, "groups", NULL, on_groups, c);
}

/* ---- the walk ---- */

void survey_end(struct carrier *c)
{
	/* Its answers are called with what is not there any more. */
	free(c->surveying);
	c->surveying = NULL;
}

static void ask_page(struct carrier *c, const json_t *cursor);

static void remember_type(struct survey *s, size_t group, const char *type)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->types[i].group == group &&
			strcmp(s->types[i].type, type) == 0)
			return;
	if (s->n == TYPES || strlen(type) >= sizeof(s->types[0].type))
		return;
	s->types[s->n].group = group;
	(void)stpcpy(s->types[s->n++].type, type);
}

static void look_at(struct survey *s, const json_t *entry)
{
	struct carrier *c = s->c;
	const char *name = carrier_text(entry, "group");
	const char *site = json_string_value(json_object_get(entry, "site"));
	int group = carrier_group(c, name);
	char key[TOPIC_KEY + 1], text[CARRIER_NAME];
	bool is_known = false;
	struct shelf_item *i;

	if (group < 0)
		return;
	for (int ipv6 = 0; ipv6 <= 1; ipv6++) {
		carrier_key(carrier_text(entry, "key"), ipv6, key);
		i = shelf_find(site == NULL ? &c->own : &c->known,
			carrier_name(site, name, key, text));
		if (i == NULL)
			continue;
		i->survey = c->survey;
		is_known = true;
	}
	if (site == NULL && !is_known &&
		c->payloads[group] == CONFIG_PAYLOAD_MDNS &&
		c->c->groups[group].publishes)
		remember_type(s, (size_t)group, carrier_text(entry, "type"));
}

static void end_unknown(void *data, struct shelf_item *i)
{
	struct carrier *c = data;

	if (i->survey == c->survey || i->onward)
		return;
	if (!c->surveying->is_young ||
		(i->message != NULL &&
			strcmp(i->message->heard, c->surveying->began) > 0))
		publish_gone(c, i);
}

/* What crierd was told once, and does not know: it will be told when the broker
 * says it again. */
static void tell_unknown(void *data, struct shelf_item *i)
{
	struct carrier *c = data;

	if (i->survey == c->survey || i->list != NULL || i->gone)
		return;
	lane_forgets(i->lane, i->heard);
	i->heard = 0;
	c->surveying->lacks = true;
}

/* Once for each crierd: what it does not want, it will not want again. */
static void tell_new_crierd(struct carrier *c)
{
	if (!c->is_new_crierd)
		return;
	c->is_new_crierd = false;
	shelf_each(&c->known, tell_unknown, c);
	if (c->surveying->lacks && broker_state(c->broker) == BROKER_CONNECTED)
		take_subscribe(c);
}

/* Asks on all segments who offers services of a type. */
static void search_for(struct carrier *c, size_t group, const char *type)
{
	struct message m = { 0 };
	struct mdns_writer w;
	struct mdns_name name;
	char text[MDNS_SERVICE_TEXT + sizeof(".local")];
	json_t *params;

	(void)snprintf(text, sizeof(text), "%s.local", type);
	if (mdns_name_from_text(text, &name) < 0 ||
		mdns_begin(&w, c->sifted, CARRIER_SCRATCH, 0, 0) < 0 ||
		mdns_put_question(&w, &name, MDNS_PTR, false) < 0)
		return;
	params = take_params(c, c->c->site, &m, w.out, w.used);
	if (params == NULL)
		return;
	(void)json_object_set_new(
		params, "group", json_string(c->c->groups[group].name));
	(void)json_object_set_new(params, "kind", json_string("search"));
	(void)link_call(c->link, "relay", params, NULL, NULL);
}

static void finish(struct carrier *c)
{
	struct survey *s = c->surveying;

	shelf_each(&c->own, end_unknown, c);
	tell_new_crierd(c);
	for (size_t i = 0; i < s->n; i++)
		search_for(c, s->types[i].group, s->types[i].type);
	survey_end(c);
	publish_flush(c);
}

static void on_page(void *data, const json_t *result, const json_t *error)
{
	struct carrier *c = data;
	const json_t *entry, *cursor = json_object_get(result, "cursor");
	size_t at;

	(void)error;
	if (c->surveying == NULL)
		return;
	if (result == NULL) {
		survey_end(c);
		return;
	}
	json_array_foreach(json_object_get(result, "entries"), at, entry)
		look_at(c->surveying, entry);
	if (json_is_string(cursor) || json_is_integer(cursor))
		ask_page(c, cursor);
	else
		finish(c);
}

static void ask_page(struct carrier *c, const json_t *cursor)
{
	json_t *params = json_object();

	(void)json_object_set_new(params, "limit", json_integer(PAGE));
	if (cursor != NULL)
		(void)json_object_set_new(
			params, "cursor", json_deep_copy(cursor));
	if (link_call(c->link, "discovered", params, on_page, c) < 0)
		survey_end(c);
}

static void on_status(void *data, const json_t *result, const json_t *error)
{
	struct carrier *c = data;
	const json_t *uptime = json_object_get(result, "uptime_seconds");

	(void)error;
	if (c->surveying == NULL)
		return;
	c->surveying->is_young = json_number_value(uptime) < YOUNG_S;
	carrier_time(
		carrier_wall_ms() - (int64_t)(json_number_value(uptime) * 1000),
		c->surveying->began);
	ask_page(c, NULL);
}

void survey_timer(uv_timer_t *t)
{
	struct carrier *c = t->data;

	if (c->surveying != NULL || !link_is_connected(c->link))
		return;
	c->surveying = calloc(1, sizeof(*c->surveying));
	if (c->surveying == NULL)
		return;
	c->surveying->c = c;
	c->survey++;
	if (link_call(c->link, "status", NULL, on_status, c) < 0)
		survey_end(c);
}

void survey_soon(struct carrier *c, uint64_t delay_ms)
{
	if (c->closing || uv_is_active((uv_handle_t *)&c->timers.survey))
		return;
	(void)uv_timer_start(&c->timers.survey, survey_timer, delay_ms, 0);
}
