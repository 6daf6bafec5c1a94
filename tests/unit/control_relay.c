/*
 * The relay that only remembers; and of net/ the table of devices.
 */
#include "control_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHANNELS = 2, SEGMENTS = 3 };

struct relay_segment {
	const struct relay_channel *channel;
	struct relay_segment_info info;
	struct relay_counters counters;
};

struct relay_channel {
	const struct relay_group *group;
	struct net_address address;
	uint16_t port;
	struct relay_segment segments[SEGMENTS];
	struct relay_segment outside;
	size_t n;
};

struct relay_group {
	struct config_group config;
	struct relay_channel channels[CHANNELS];
	size_t n;
};

struct relay_flow {
	struct relay_flow_info info;
	struct relay_searcher searchers[2];
};

const char *relay_verdict_word(enum relay_verdict v)
{
	static const char *const words[] = { "sent", "own", "loop", "direction",
		"filter", "rate", "size", "ttl", "standby", "no_address",
		"queue", "error", "kernel" };

	return words[v];
}

const char *relay_state_word(enum relay_state s)
{
	static const char *const words[] = { "joined", "absent", "down",
		"no-address", "failed" };

	return words[s];
}

void relay_set_standby(struct relay *r, bool standby)
{
	r->standby = standby;
}

bool relay_is_standby(const struct relay *r)
{
	return r->standby;
}

void relay_totals(const struct relay *r, struct relay_counters *ret)
{
	*ret = r->totals;
}

void relay_remembered(struct relay *r, struct relay_limit *ret)
{
	*ret = r->remembered;
}

void relay_watch(struct relay *r, bool on)
{
	r->watched = on;
	r->watches++;
}

void relay_carry(struct relay *r, bool on)
{
	r->carried = on;
}

void relay_site_counts(const struct relay *r, struct relay_site_counts *ret)
{
	*ret = r->sites;
}

/* The one that has no interface. */
bool relay_segment_is_outside(const struct relay_segment *s)
{
	return !*s->info.interface;
}

static int take(struct relay *r, const struct relay_origin *origin,
	const void *data, size_t size)
{
	struct fixture_brought *to = &r->brought;

	to->times++;
	to->b.origin = *origin;
	to->b.origin.site = NULL;
	(void)snprintf(to->site, sizeof(to->site), "%s", origin->site);
	to->b.size = size;
	memcpy(to->data, data, size);
	return to->error;
}

int relay_bring(struct relay *r, const struct relay_group *g,
	const struct relay_brought *b, struct relay_brought_result *ret)
{
	int error;

	r->brought.b = *b;
	(void)snprintf(r->brought.group, sizeof(r->brought.group), "%s",
		g->config.name);
	error = take(r, &b->origin, b->data, b->size);
	if (error == 0)
		*ret = r->brought.result;
	return error;
}

int relay_bring_answer(struct relay *r, uint64_t flow,
	const struct relay_origin *origin, const void *data, size_t size,
	size_t *ret_sent)
{
	int error = take(r, origin, data, size);

	r->brought.flow = flow;
	if (error == 0)
		*ret_sent = r->brought.result.sent;
	return error;
}

void relay_flows(const struct relay *r, struct relay_limit *ret)
{
	*ret = r->flow_limit;
}

const struct relay_flow *relay_flow_next(
	const struct relay *r, const struct relay_flow *after)
{
	const struct relay_flow *f = after ? after + 1 : r->flows;

	return f < r->flows + r->n_flows ? f : NULL;
}

void relay_flow_get(const struct relay_flow *f, struct relay_flow_info *ret)
{
	*ret = f->info;
}

void relay_flow_each_searcher(const struct relay_flow *f,
	void (*each)(void *data, const struct relay_searcher *w), void *data)
{
	for (size_t i = 0; i < f->info.n_searchers; i++)
		each(data, &f->searchers[i]);
}

const struct relay_group *relay_group_next(
	const struct relay *r, const struct relay_group *after)
{
	if (!after)
		return r->groups[0];
	return after == r->groups[0] ? r->groups[1] : NULL;
}

const struct relay_group *relay_group_find(
	const struct relay *r, const char *name)
{
	for (size_t i = 0; i < 2; i++)
		if (!strcmp(r->groups[i]->config.name, name))
			return r->groups[i];
	return NULL;
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

	return s < c->segments + c->n ? s : NULL;
}

const struct config_group *relay_group_config(const struct relay_group *g)
{
	return &g->config;
}

const struct relay_group *relay_channel_group(const struct relay_channel *c)
{
	return c->group;
}

const struct relay_channel *relay_segment_channel(const struct relay_segment *s)
{
	return s->channel;
}

const struct net_address *relay_channel_address(const struct relay_channel *c)
{
	return &c->address;
}

uint16_t relay_channel_port(const struct relay_channel *c)
{
	return c->port;
}

void relay_segment_get(
	const struct relay_segment *s, struct relay_segment_info *ret)
{
	*ret = s->info;
}

/* One that is up, one whose device another interface took, and one that is
 * absent. The device's name is no UTF-8: the kernel allows that. */
void relay_each_interface(const struct relay *r,
	void (*each)(void *data, const struct relay_interface_info *i),
	void *data)
{
	struct net_device_address addresses[2] = { 0 };
	struct net_device device = { .name = "eth\xff",
		.index = 7,
		.mtu = 1500,
		.addresses = addresses,
		.n_addresses = 2 };
	struct relay_interface_info info = { .name = "lan",
		.device = device.name,
		.kernel = &device,
		.state = RELAY_JOINED,
		.error = "" };

	(void)r;
	ck_assert_int_eq(
		net_prefix_parse("10.0.0.1/24", &addresses[0].local), 0);
	ck_assert_int_eq(
		net_prefix_parse("fe80::1/64", &addresses[1].local), 0);
	each(data, &info);
	device.n_addresses = 0;
	info.name = "iot";
	info.state = RELAY_FAILED;
	info.error = "eth is taken by lan";
	each(data, &info);
	info = (struct relay_interface_info){ .name = "guest",
		.device = "",
		.state = RELAY_ABSENT,
		.error = "" };
	each(data, &info);
}

int relay_explain(const struct relay *r, const struct relay_question *q,
	void (*each)(void *data, const struct relay_answer *a), void *data)
{
	struct relay *fake = (struct relay *)r;
	struct relay_answer answer = { .verdict = RELAY_SENT,
		.rule = "nothing speaks against it" };

	fake->asked = *q;
	fake->asked_names[0] = '\0';
	for (size_t i = 0; i < q->n_names; i++) {
		size_t used = strlen(fake->asked_names);

		(void)snprintf(fake->asked_names + used,
			sizeof(fake->asked_names) - used, "%s%s", i ? "," : "",
			q->names[i]);
	}
	if (r->explain_error)
		return r->explain_error;
	answer.segment = &r->groups[0]->channels[0].segments[1];
	each(data, &answer);
	answer.segment = &r->groups[0]->channels[0].segments[2];
	answer.verdict = RELAY_NO_ADDRESS;
	answer.rule = "";
	each(data, &answer);
	return 0;
}

static void fill_channel(
	struct relay_channel *c, const char *address, uint16_t port)
{
	ck_assert_int_eq(net_address_parse(address, &c->address), 0);
	c->port = port;
}

static struct relay_segment *add_segment(struct relay_channel *c,
	const char *interface, const char *device, enum relay_state state)
{
	struct relay_segment *s = &c->segments[c->n++];

	s->channel = c;
	s->info = (struct relay_segment_info){ .interface = interface,
		.device = device,
		.state = state,
		.direction = "both",
		.ttl = 255,
		.error = "",
		.counters = &s->counters };
	return s;
}

static void fill_mdns_channel(struct relay_channel *c, const char *address)
{
	struct relay_segment *s;

	fill_channel(c, address, 5353);
	c->outside.channel = c;
	c->outside.info = (struct relay_segment_info){
		.interface = "", .device = "", .error = ""
	};
	s = add_segment(c, "lan", "br-lan", RELAY_JOINED);
	s->counters = (struct relay_counters){ .received = 12,
		.sent = 3,
		.received_bytes = 1200,
		.sent_bytes = 300 };
	s->counters.dropped[RELAY_OWN] = 5;
	s->counters.dropped[RELAY_KERNEL] = 2;
	s = add_segment(c, "iot", "eth0.20", RELAY_FAILED);
	s->info.direction = "from";
	s->info.ttl = CONFIG_TTL_DECREMENT;
	s->info.error = "cannot join: No buffer space available";
	s = add_segment(c, "guest", "", RELAY_ABSENT);
	s->info.direction = "to";
	s->info.ttl = CONFIG_TTL_KEEP;
}

static void fill_searcher(struct relay_flow *f, const char *address,
	uint16_t port, const struct relay_segment *segment)
{
	struct relay_searcher *s = &f->searchers[f->info.n_searchers++];

	ck_assert_int_eq(net_address_parse(address, &s->address), 0);
	s->port = port;
	s->segment = segment;
}

static void fill_flows(struct relay *r)
{
	struct relay_segment *mdns = r->groups[0]->channels[0].segments;
	struct relay_segment *beacon = r->groups[1]->channels[0].segments;
	struct relay_flow *f = calloc(2, sizeof(*f));

	ck_assert_ptr_nonnull(f);
	f[0].info = (struct relay_flow_info){ .id = 7,
		.segment = &mdns[1],
		.port = 32001,
		.searches = 3,
		.answers = 2,
		.expires_in_ms = 9001 };
	fill_searcher(&f[0], "192.0.2.7", 50000, &mdns[0]);
	fill_searcher(&f[0], "fe80::7%3", 1900, &mdns[0]);
	f[1].info = (struct relay_flow_info){ .id = 9,
		.segment = &beacon[0],
		.port = 32002,
		.searches = 1,
		.expires_in_ms = 1000 };
	fill_searcher(&f[1], "192.0.2.8", 50001, &beacon[0]);
	r->flows = f;
	r->n_flows = 2;
	r->flow_limit = (struct relay_limit){ 2, 1024, 1, 5 };
}

struct relay *fixture_relay(void)
{
	struct relay *r = calloc(1, sizeof(*r));

	ck_assert_ptr_nonnull(r);
	for (size_t i = 0; i < 2; i++) {
		r->groups[i] = calloc(1, sizeof(*r->groups[i]));
		ck_assert_ptr_nonnull(r->groups[i]);
	}
	r->standby = true;
	r->remembered = (struct relay_limit){ 4, 65536, 0, 9 };
	r->totals = (struct relay_counters){ .received = 100,
		.sent = 90,
		.received_bytes = 10000,
		.sent_bytes = 9000 };
	r->totals.dropped[RELAY_LOOP] = 10;
	r->groups[0]->config.name = (char *)"mdns";
	r->groups[0]->config.preset = (char *)"mdns";
	r->groups[0]->n = 2;
	fill_mdns_channel(&r->groups[0]->channels[0], "224.0.0.251");
	fill_mdns_channel(&r->groups[0]->channels[1], "ff02::fb");
	r->groups[1]->config.name = (char *)"beacon";
	r->groups[1]->n = 1;
	fill_channel(&r->groups[1]->channels[0], "239.255.42.42", 4242);
	add_segment(&r->groups[1]->channels[0], "lan", "br-lan", RELAY_DOWN);
	for (size_t i = 0; i < 2; i++)
		for (size_t j = 0; j < r->groups[i]->n; j++)
			r->groups[i]->channels[j].group = r->groups[i];
	r->groups[0]->config.payload = CONFIG_PAYLOAD_MDNS;
	fill_flows(r);
	return r;
}

void fixture_relay_free(struct relay *r)
{
	for (size_t i = 0; i < 2; i++)
		free(r->groups[i]);
	free(r->flows);
	free(r);
}

const struct relay_segment *fixture_segment(
	const struct relay *r, size_t group, size_t segment)
{
	return &r->groups[group]->channels[0].segments[segment];
}

const struct relay_segment *fixture_outside(const struct relay *r)
{
	return &r->groups[0]->channels[0].outside;
}

void fixture_flow_outside(struct relay *r, const char *site)
{
	struct relay_flow *f = &r->flows[1];

	f->info.segment = fixture_outside(r);
	f->info.port = 0;
	f->info.n_searchers = 1;
	fill_searcher(f, "2001:db8::7", 1900, fixture_outside(r));
	f->searchers[0].site = f->searchers[1].site = site;
	f->searchers[0].address = (struct net_address){ 0 };
}

struct relay_fate fixture_fate(const struct relay *r)
{
	struct relay_fate f = { .in = fixture_segment(r, 0, 0),
		.out = fixture_segment(r, 0, 1),
		.rule = "nothing speaks against it",
		.port = 5353,
		.kind = PROTO_ANNOUNCEMENT,
		.data = (const uint8_t *)"hi\0\377!",
		.size = 5,
		.ttl = 255 };

	ck_assert_int_eq(net_address_parse("fe80::7%3", &f.source), 0);
	ck_assert_int_eq(net_address_parse("ff02::fb", &f.destination), 0);
	return f;
}

/* The one device that there is. */
const struct net_device *net_devices_by_name(
	const struct net_devices *d, const char *name)
{
	static const struct net_device device = { .name = "br-lan",
		.index = 3 };

	(void)d;
	return strcmp(name, device.name) ? NULL : &device;
}
