/*
 * How it is, to crierd, which shows it: `crierctl status` and metrics.
 */
#include "mqtt/carrier.h"

#include <stdio.h>
#include <syslog.h>
#include <time.h>

enum {
	TELL_MS = 1000,   /* at most so often */
	TELL_SITES = 100, /* in one call, which has to fit into one line */
};

static json_t *time_text(int64_t ms)
{
	char text[sizeof("2026-01-01T00:00:00Z")];
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;

	if (ms == 0 || gmtime_r(&seconds, &tm) == NULL ||
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return json_null();
	return json_string(text);
}

static json_t *site(const struct site *s)
{
	json_t *o = json_object();
	uint64_t dropped = 0;

	for (unsigned i = 0; i < SITE_DROPS; i++)
		dropped += s->dropped[i];
	(void)json_object_set_new(o, "site", json_string(s->name));
	(void)json_object_set_new(o, "online", json_boolean(s->online));
	(void)json_object_set_new(
		o, "entries", json_integer((json_int_t)s->entries));
	(void)json_object_set_new(
		o, "taken", json_integer((json_int_t)s->taken));
	(void)json_object_set_new(
		o, "dropped", json_integer((json_int_t)dropped));
	(void)json_object_set_new(o, "last_seen", time_text(s->last_seen_ms));
	return o;
}

/* The sites that changed, up to TELL_SITES; true where there are more. */
static bool changed_sites(struct carrier *c, json_t *list)
{
	struct site *s = NULL;
	size_t n = 0;

	while ((s = sites_next(&c->sites, s)) != NULL) {
		if (!s->changed)
			continue;
		if (n++ == TELL_SITES)
			return true;
		s->changed = false;
		(void)json_array_append_new(list, site(s));
	}
	return false;
}

static const char *state_word(const struct carrier *c)
{
	switch (broker_state(c->broker)) {
	case BROKER_CONNECTED:
		return "connected";
	case BROKER_CONNECTING:
		return "connecting";
	default:
		return "waiting";
	}
}

static json_t *report(struct carrier *c, bool *ret_more)
{
	const char *error = broker_error(c->broker);
	json_t *o = json_object(), *list = json_array();

	*ret_more = changed_sites(c, list);
	(void)json_object_set_new(o, "site", json_string(c->c->site));
	(void)json_object_set_new(
		o, "broker", json_string(broker_url(c->broker)));
	(void)json_object_set_new(o, "state", json_string(state_word(c)));
	(void)json_object_set_new(o, "error",
		error[0] != '\0' ? json_string(error) : json_null());
	(void)json_object_set_new(
		o, "own", json_integer((json_int_t)shelf_count(&c->own)));
	(void)json_object_set_new(
		o, "queued", json_integer((json_int_t)c->to_publish.n));
	(void)json_object_set_new(o, "lost", json_integer((json_int_t)c->lost));
	(void)json_object_set_new(
		o, "published", json_integer((json_int_t)c->published));
	(void)json_object_set_new(
		o, "taken", json_integer((json_int_t)c->taken));
	(void)json_object_set_new(o, "sites", list);
	return o;
}

static void on_told(void *data, const json_t *result, const json_t *error)
{
	struct carrier *c = data;

	(void)result;
	if (error == NULL || c->is_untold)
		return;
	c->is_untold = true;
	service_log(c->log, LOG_WARNING, NULL,
		"crierd does not show the sites: %s",
		carrier_text(error, "message"));
}

void tell_timer(uv_timer_t *t)
{
	struct carrier *c = t->data;
	bool more;
	json_t *params;

	if (!link_is_connected(c->link))
		return;
	if (link_room(c->link) == 0) {
		tell_soon(c);
		return;
	}
	params = report(c, &more);
	(void)link_call(c->link, "sites", params, on_told, c);
	if (more)
		tell_soon(c);
}

void tell_soon(struct carrier *c)
{
	if (c->closing || uv_is_active((uv_handle_t *)&c->timers.report))
		return;
	(void)uv_timer_start(&c->timers.report, tell_timer, TELL_MS, 0);
}

void tell_again(struct carrier *c)
{
	struct site *s = NULL;

	c->is_untold = false;
	while ((s = sites_next(&c->sites, s)) != NULL)
		s->changed = true;
	tell_soon(c);
}
