#include "discovery_relay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the relay ---- */

const struct relay_group *relay_group_next(
	const struct relay *r, const struct relay_group *after)
{
	const struct relay_group *g = after ? after + 1 : r->groups;

	while (g < r->groups + STAND_GROUPS && g->is_gone)
		g++;
	return g < r->groups + STAND_GROUPS ? g : NULL;
}

const struct relay_channel *relay_channel_next(
	const struct relay_group *g, const struct relay_channel *after)
{
	const struct relay_channel *c = after ? after + 1 : g->channels;

	return c < g->channels + g->n ? c : NULL;
}

const struct relay_segment *relay_segment_next(
	const struct relay_channel *c, const struct relay_segment *after)
{
	const struct relay_segment *s = after ? after + 1 : c->segments;

	return s < c->segments + STAND_SEGMENTS ? s : NULL;
}

const struct config_group *relay_group_config(const struct relay_group *g)
{
	return &g->config;
}

const struct relay_group *relay_group_find(
	const struct relay *r, const char *name)
{
	const struct relay_group *g = NULL;

	while ((g = relay_group_next(r, g)))
		if (strcmp(g->config.name, name) == 0)
			return g;
	return NULL;
}

const struct net_address *relay_channel_address(const struct relay_channel *c)
{
	return &c->address;
}

uint16_t relay_channel_port(const struct relay_channel *c)
{
	(void)c;
	return 5000;
}

const struct relay_group *relay_channel_group(const struct relay_channel *c)
{
	return c->group;
}

const struct relay_channel *relay_segment_channel(const struct relay_segment *s)
{
	return s->channel;
}

const char *relay_segment_device(const struct relay_segment *s)
{
	return s->info.device;
}

unsigned relay_segment_index(const struct relay_segment *s)
{
	return s->info.index;
}

void relay_segment_get(
	const struct relay_segment *s, struct relay_segment_info *ret)
{
	*ret = s->info;
}

uint64_t relay_segment_id(const struct relay_segment *s)
{
	return s->id;
}

const struct relay_segment *relay_segment_by_id(
	const struct relay *r, uint64_t id)
{
	const struct relay_group *g = NULL;

	while ((g = relay_group_next(r, g)))
		for (size_t c = 0; c < g->n; c++)
			for (size_t i = 0; i < STAND_SEGMENTS; i++)
				if (g->channels[c].segments[i].id == id)
					return &g->channels[c].segments[i];
	return NULL;
}

static struct stand *stand_of(const uv_loop_t *loop)
{
	return loop->data;
}

size_t relay_repeat(struct relay *r, const struct relay_kept *k,
	const struct relay_segment *only)
{
	const struct stand *s = (struct stand *)(void *)r; /* the first */
	size_t n = k->size < 31 ? k->size : 31;

	if (r->n_said < STAND_SAID) {
		r->said[r->n_said].segment = k->segment;
		r->said[r->n_said].only = only ? only->id : 0;
		r->said[r->n_said].at_ms = s->now_ms;
		r->said[r->n_said].size = k->size;
		memcpy(r->said[r->n_said].text, k->data, n);
		r->said[r->n_said].text[n] = '\0';
	}
	r->n_said++;
	return 1;
}

static void fill_group(struct relay *r, enum stand_group g, const char *name,
	enum config_payload payload)
{
	static const char *const interfaces[] = { "lan", "iot" };
	static const char *const devices[] = { "br-lan", "eth0.20" };
	struct relay_group *to = &r->groups[g];

	to->config.name = (char *)name;
	to->config.payload = payload;
	to->config.hold_ms = 120000;
	to->n = g == MDNS ? 2 : 1;
	for (unsigned c = 0; c < to->n; c++) {
		to->channels[c].group = to;
		to->channels[c].address.family = c ? AF_INET6 : AF_INET;
		for (unsigned i = 0; i < STAND_SEGMENTS; i++)
			to->channels[c].segments[i] = (struct relay_segment){
				.channel = &to->channels[c],
				.id = 100 + 10 * g + 2 * c + i,
				.info = { .interface = interfaces[i],
					.device = devices[i],
					.index = 1 + i },
			};
	}
}

/* ---- the clock ---- */

uint64_t __wrap_uv_now(const uv_loop_t *loop);
int __wrap_uv_timer_start(
	uv_timer_t *t, uv_timer_cb run, uint64_t timeout, uint64_t repeat);
int __wrap_uv_timer_stop(uv_timer_t *t);

uint64_t __wrap_uv_now(const uv_loop_t *loop)
{
	return stand_of(loop)->now_ms;
}

int __wrap_uv_timer_start(
	uv_timer_t *t, uv_timer_cb run, uint64_t timeout, uint64_t repeat)
{
	struct stand *s = stand_of(t->loop);

	if (repeat)
		abort(); /* it is a clock of single alarms */
	s->timer = t;
	s->run = run;
	s->due_ms = s->now_ms + timeout;
	return 0;
}

int __wrap_uv_timer_stop(uv_timer_t *t)
{
	stand_of(t->loop)->due_ms = 0;
	return 0;
}

void stand_wait(struct stand *s, uint64_t ms)
{
	uint64_t until = s->now_ms + ms;

	while (s->due_ms && s->due_ms <= until) {
		s->now_ms = s->due_ms;
		s->due_ms = 0;
		s->n_runs++;
		s->run(s->timer);
	}
	s->now_ms = until;
}

/* ---- the table ---- */

static void note(void *data, const struct discovery_entry *e,
	enum discovery_change change, enum discovery_reason why)
{
	static const char *const words[] = { "new", "changed", "gone" };
	struct stand *s = data;
	struct discovery_info i;
	size_t used = strlen(s->events);

	discovery_get(s->discovery, e, &i);
	(void)snprintf(s->events + used, sizeof(s->events) - used,
		"%s %s%s%s\n", words[change], i.name,
		why == DISCOVERY_STAYS ? "" : " ", discovery_reason_word(why));
	s->n_events++;
}

static void begin(struct stand *s)
{
	const struct discovery_callbacks callbacks = { note, s };

	s->now_ms = 1000000;
	if (discovery_new(&s->discovery, &s->loop, &s->relay,
		    s->config.limits.discovered, &callbacks) < 0)
		abort();
	stand_clear(s);
}

static void end(struct stand *s)
{
	discovery_close(s->discovery);
	(void)uv_run(&s->loop, UV_RUN_DEFAULT);
	s->due_ms = 0;
}

void stand_open(struct stand *s, size_t bound)
{
	memset(s, 0, sizeof(*s));
	fill_group(&s->relay, MDNS, "mdns", CONFIG_PAYLOAD_MDNS);
	fill_group(&s->relay, SSDP, "ssdp", CONFIG_PAYLOAD_SSDP);
	fill_group(&s->relay, WSD, "wsd", CONFIG_PAYLOAD_WSD);
	fill_group(&s->relay, RAW, "raw", CONFIG_PAYLOAD_NONE);
	s->config.limits.discovered = (uint32_t)bound;
	if (uv_loop_init(&s->loop) < 0 || wsd_parser_new(&s->parser, 42) < 0)
		abort();
	s->loop.data = s;
	begin(s);
}

void stand_renew(struct stand *s)
{
	end(s);
	begin(s);
}

int stand_close(struct stand *s)
{
	end(s);
	wsd_parser_free(s->parser);
	free(s->data);
	return uv_loop_close(&s->loop);
}

void stand_clear(struct stand *s)
{
	s->events[0] = '\0';
	s->n_events = 0;
	s->relay.n_said = 0;
	s->n_runs = 0;
}

const struct relay_segment *stand_segment(
	const struct stand *s, enum stand_group g, enum stand_segment i)
{
	return &s->relay.groups[g].channels[0].segments[i];
}

static enum proto_payload payload_of(enum config_payload p)
{
	switch (p) {
	case CONFIG_PAYLOAD_MDNS:
		return PROTO_MDNS;
	case CONFIG_PAYLOAD_SSDP:
		return PROTO_SSDP;
	case CONFIG_PAYLOAD_WSD:
		return PROTO_WSD;
	default:
		return PROTO_NONE;
	}
}

struct relay_heard stand_heard(struct stand *s, enum stand_group g,
	enum stand_segment i, const char *source, const void *data, size_t size)
{
	static const uint16_t ports[] = { 5353, 1900, 3702, 4242 };
	const struct relay_group *group = &s->relay.groups[g];
	enum proto_payload payload = payload_of(group->config.payload);
	struct relay_heard h = {
		.port = ports[g], .size = size, .ttl = 1, .now_ms = s->now_ms
	};

	free(s->data);
	s->data = malloc(size ? size : 1);
	if (!s->data || net_address_parse(source, &h.source) < 0)
		abort();
	if (size)
		memcpy(s->data, data, size);
	h.data = s->data;
	h.in = &group->channels[g == MDNS && h.source.family == AF_INET6]
			.segments[i];
	if (payload != PROTO_NONE && proto_inspect(payload, s->parser, s->data,
					     size, &s->view) == 0) {
		h.view = &s->view;
		h.kind = s->view.kind;
	}
	return h;
}

void stand_take(struct stand *s, const struct relay_heard *h)
{
	discovery_heard(s->discovery, h);
}

size_t stand_count(const struct stand *s)
{
	const struct discovery_entry *e;
	struct discovery_info i = { .id = 0 };
	size_t n = 0;

	while ((e = discovery_after(s->discovery, i.id))) {
		discovery_get(s->discovery, e, &i);
		n++;
	}
	return n;
}
