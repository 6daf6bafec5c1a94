/* A table over every reason to drop that relay/decide knows. */
#include "relay/decide.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { LAN, IOT, DEAF, MUTE, SEARCHER, DEVICE, SEGMENTS };

enum { BOTH = CONFIG_HEARS | CONFIG_SENT_TO };

static const struct config_filter nothing;

struct bench {
	struct decide_segment segment[SEGMENTS + DECIDE_SITES];
	struct decide_channel channel;
	struct decide_facts facts;
	struct config_filter filter;
	struct net_prefix prefix;
	struct config_sizes sizes;
};

static void setup(struct bench *b)
{
	static const unsigned roles[SEGMENTS] = {
		[LAN] = BOTH,
		[IOT] = BOTH,
		[DEAF] = CONFIG_SENT_TO,
		[MUTE] = CONFIG_HEARS,
		[SEARCHER] = BOTH | CONFIG_SEARCHERS,
		[DEVICE] = BOTH | CONFIG_DEVICES,
	};

	memset(b, 0, sizeof(*b));
	for (size_t i = 0; i < SEGMENTS; i++)
		b->segment[i] = (struct decide_segment){
			.role = roles[i],
			.ttl = 1,
			.usable = true,
			.has_address = true,
			.has_broadcast = true,
			.allow = &nothing,
			.deny = &nothing,
		};
	b->channel = (struct decide_channel){
		.allow = &nothing,
		.deny = &nothing,
		.segments = b->segment,
		.n_segments = SEGMENTS,
	};
	b->facts = (struct decide_facts){ .size = 100, .ttl = 64 };
	(void)net_address_parse("192.0.2.7", &b->facts.source);
	(void)net_prefix_parse("192.0.2.0/24", &b->prefix);
	b->sizes = (struct config_sizes){ 50, 100 };
}

static void with_sources(struct bench *b, const char *prefix)
{
	(void)net_prefix_parse(prefix, &b->prefix);
	b->filter.sources = &b->prefix;
	b->filter.n_sources = 1;
}

static void with_sizes(struct bench *b, uint32_t low, uint32_t high)
{
	b->sizes = (struct config_sizes){ low, high };
	b->filter.sizes = &b->sizes;
	b->filter.n_sizes = 1;
}

/* ---- what each row changes ---- */

static void as_it_is(struct bench *b)
{
	(void)b;
}

static void from_this_host(struct bench *b)
{
	b->facts.own = true;
}

static void from_elsewhere(struct bench *b)
{
	b->facts.elsewhere = true;
}

static void denied_source(struct bench *b)
{
	with_sources(b, "192.0.2.0/24");
	b->channel.deny = &b->filter;
}

static void other_denied(struct bench *b)
{
	with_sources(b, "192.0.3.0/24");
	b->channel.deny = &b->filter;
}

static void allowed_source(struct bench *b)
{
	with_sources(b, "192.0.2.7");
	b->channel.allow = &b->filter;
}

static void other_allowed(struct bench *b)
{
	with_sources(b, "192.0.2.8");
	b->channel.allow = &b->filter;
}

static void allowed_and_denied(struct bench *b)
{
	allowed_source(b);
	b->channel.deny = &b->filter;
}

static void denied_here_on_lan(struct bench *b)
{
	with_sources(b, "192.0.2.7");
	b->segment[LAN].deny = &b->filter;
}

static void denied_there_on_iot(struct bench *b)
{
	with_sources(b, "192.0.2.7");
	b->segment[IOT].deny = &b->filter;
}

static void at_the_largest_size(struct bench *b)
{
	with_sizes(b, 1, 100);
	b->channel.allow = &b->filter;
}

static void one_byte_over(struct bench *b)
{
	with_sizes(b, 1, 99);
	b->channel.allow = &b->filter;
}

static void at_the_smallest_size(struct bench *b)
{
	with_sizes(b, 100, 200);
	b->channel.allow = &b->filter;
}

static void one_byte_under(struct bench *b)
{
	with_sizes(b, 101, 200);
	b->channel.allow = &b->filter;
}

static void denied_size(struct bench *b)
{
	with_sizes(b, 100, 100);
	b->channel.deny = &b->filter;
}

static void keep(struct bench *b)
{
	b->segment[IOT].ttl = CONFIG_TTL_KEEP;
}

static void keep_zero(struct bench *b)
{
	keep(b);
	b->facts.ttl = 0;
}

static void decrement(struct bench *b)
{
	b->segment[IOT].ttl = CONFIG_TTL_DECREMENT;
}

static void decrement_two(struct bench *b)
{
	decrement(b);
	b->facts.ttl = 2;
}

static void decrement_one(struct bench *b)
{
	decrement(b);
	b->facts.ttl = 1;
}

static void fixed(struct bench *b)
{
	b->segment[IOT].ttl = 255;
	b->facts.ttl = 1;
}

static void on_standby(struct bench *b)
{
	b->channel.standby = true;
}

static void without_address(struct bench *b)
{
	b->segment[IOT].has_address = false;
}

static void directed(struct bench *b)
{
	b->facts.directed = true;
}

static void directed_without_broadcast(struct bench *b)
{
	b->facts.directed = true;
	b->segment[IOT].has_broadcast = false;
}

static void limited_without_broadcast(struct bench *b)
{
	b->segment[IOT].has_broadcast = false;
}

static void not_usable(struct bench *b)
{
	b->segment[IOT].usable = false;
}

static void a_search(struct bench *b)
{
	b->facts.kind = PROTO_SEARCH;
}

static void an_announcement(struct bench *b)
{
	b->facts.kind = PROTO_ANNOUNCEMENT;
}

static void a_probe(struct bench *b)
{
	b->facts.kind = PROTO_PROBE;
}

static void a_stranger(struct bench *b)
{
	b->facts.stranger = true;
}

static void an_answer(struct bench *b)
{
	b->facts.answer = true;
	b->facts.kind = PROTO_ANNOUNCEMENT;
}

static void an_answer_to_a_denied_segment(struct bench *b)
{
	an_answer(b);
	denied_there_on_iot(b);
}

static char *light[] = { "*:Light:*" };

static void of_target(struct bench *b, const char *target)
{
	b->facts.payload = CONFIG_PAYLOAD_SSDP;
	b->facts.target = (struct ssdp_text){ target, strlen(target) };
	b->filter.targets = (struct config_strings){ light, 1 };
}

static void an_allowed_target(struct bench *b)
{
	of_target(b, "urn:schemas-upnp-org:device:Light:1");
	b->channel.allow = &b->filter;
}

static void another_target(struct bench *b)
{
	of_target(b, "urn:schemas-upnp-org:device:MediaServer:1");
	b->channel.allow = &b->filter;
}

static void a_denied_target(struct bench *b)
{
	of_target(b, "urn:schemas-upnp-org:device:Light:1");
	b->segment[IOT].deny = &b->filter;
}

static char *cast[] = { "_googlecast._tcp" };
static const char *const services[] = { "_airplay._tcp", "_googlecast._tcp" };

static void of_services(struct bench *b, size_t n)
{
	b->facts.payload = CONFIG_PAYLOAD_MDNS;
	b->facts.services = services;
	b->facts.n_services = n;
	b->filter.services = (struct config_strings){ cast, 1 };
	b->channel.allow = &b->filter;
}

static void another_service(struct bench *b)
{
	of_services(b, 1);
}

static void one_service_of_two(struct bench *b)
{
	of_services(b, 2);
}

static void no_service(struct bench *b)
{
	of_services(b, 0);
}

static const struct row {
	void (*change)(struct bench *b);
	size_t in, out;
	enum relay_verdict verdict;
	int ttl;
} rows[] = {
	{ as_it_is, LAN, IOT, RELAY_SENT, 1 },
	{ as_it_is, LAN, DEAF, RELAY_SENT, 1 },
	{ from_this_host, LAN, IOT, RELAY_OWN, 0 },
	{ from_elsewhere, LAN, IOT, RELAY_LOOP, 0 },
	{ as_it_is, DEAF, IOT, RELAY_DIRECTION, 0 },
	{ as_it_is, LAN, MUTE, RELAY_DIRECTION, 0 },
	{ as_it_is, MUTE, LAN, RELAY_SENT, 1 },
	{ denied_source, LAN, IOT, RELAY_FILTER, 0 },
	{ other_denied, LAN, IOT, RELAY_SENT, 1 },
	{ allowed_source, LAN, IOT, RELAY_SENT, 1 },
	{ other_allowed, LAN, IOT, RELAY_FILTER, 0 },
	{ allowed_and_denied, LAN, IOT, RELAY_FILTER, 0 },
	{ denied_here_on_lan, LAN, IOT, RELAY_FILTER, 0 },
	{ denied_here_on_lan, IOT, LAN, RELAY_FILTER, 0 },
	{ denied_here_on_lan, IOT, DEAF, RELAY_SENT, 1 },
	{ denied_there_on_iot, LAN, IOT, RELAY_FILTER, 0 },
	{ denied_there_on_iot, LAN, DEAF, RELAY_SENT, 1 },
	{ at_the_largest_size, LAN, IOT, RELAY_SENT, 1 },
	{ one_byte_over, LAN, IOT, RELAY_SIZE, 0 },
	{ at_the_smallest_size, LAN, IOT, RELAY_SENT, 1 },
	{ one_byte_under, LAN, IOT, RELAY_SIZE, 0 },
	{ denied_size, LAN, IOT, RELAY_SIZE, 0 },
	{ keep, LAN, IOT, RELAY_SENT, 64 },
	{ keep_zero, LAN, IOT, RELAY_TTL, 0 },
	{ decrement, LAN, IOT, RELAY_SENT, 63 },
	{ decrement_two, LAN, IOT, RELAY_SENT, 1 },
	{ decrement_one, LAN, IOT, RELAY_TTL, 0 },
	{ decrement_one, LAN, DEAF, RELAY_SENT, 1 },
	{ fixed, LAN, IOT, RELAY_SENT, 255 },
	{ on_standby, LAN, IOT, RELAY_STANDBY, 0 },
	{ without_address, LAN, IOT, RELAY_NO_ADDRESS, 0 },
	{ without_address, LAN, DEAF, RELAY_SENT, 1 },
	{ without_address, IOT, LAN, RELAY_SENT, 1 },
	{ directed, LAN, IOT, RELAY_SENT, 1 },
	{ directed_without_broadcast, LAN, IOT, RELAY_NO_ADDRESS, 0 },
	{ limited_without_broadcast, LAN, IOT, RELAY_SENT, 1 },
	{ not_usable, LAN, IOT, RELAY_ERROR, 0 },
	{ a_search, SEARCHER, DEVICE, RELAY_SENT, 1 },
	{ a_search, DEVICE, SEARCHER, RELAY_DIRECTION, 0 },
	{ an_announcement, DEVICE, SEARCHER, RELAY_SENT, 1 },
	{ an_announcement, SEARCHER, DEVICE, RELAY_DIRECTION, 0 },
	{ a_probe, SEARCHER, DEVICE, RELAY_DIRECTION, 0 },
	{ a_probe, DEVICE, SEARCHER, RELAY_DIRECTION, 0 },
	{ a_stranger, LAN, IOT, RELAY_FILTER, 0 },
	{ an_answer, LAN, MUTE, RELAY_SENT, 1 },
	{ an_answer, DEAF, IOT, RELAY_SENT, 1 },
	{ an_answer, DEVICE, SEARCHER, RELAY_SENT, 1 },
	{ an_answer_to_a_denied_segment, LAN, IOT, RELAY_FILTER, 0 },
	{ an_allowed_target, LAN, IOT, RELAY_SENT, 1 },
	{ another_target, LAN, IOT, RELAY_FILTER, 0 },
	{ a_denied_target, LAN, IOT, RELAY_FILTER, 0 },
	{ a_denied_target, LAN, DEAF, RELAY_SENT, 1 },
	{ another_service, LAN, IOT, RELAY_FILTER, 0 },
	{ one_service_of_two, LAN, IOT, RELAY_SENT, 1 },
	{ no_service, LAN, IOT, RELAY_SENT, 1 },
};

START_TEST(decides_as_the_table_says)
{
	const struct row *row = &rows[_i];
	struct decision d[SEGMENTS];
	struct bench b;

	setup(&b);
	row->change(&b);
	decide(&b.channel, row->in, &b.facts, d);
	ck_assert_str_eq(relay_verdict_word(d[row->out].verdict),
		relay_verdict_word(row->verdict));
	ck_assert_int_eq(d[row->out].ttl, row->ttl);
	ck_assert_ptr_nonnull(d[row->out].rule);
}
END_TEST

START_TEST(the_arriving_segment_speaks_of_the_whole)
{
	struct decision d[SEGMENTS];
	struct bench b;

	setup(&b);
	b.facts.own = true;
	decide(&b.channel, LAN, &b.facts, d);
	for (size_t i = 0; i < SEGMENTS; i++)
		ck_assert_int_eq(d[i].verdict, RELAY_OWN);
	setup(&b);
	decide(&b.channel, LAN, &b.facts, d);
	ck_assert_int_eq(d[LAN].verdict, RELAY_SENT);
}
END_TEST

START_TEST(searchers_hear_no_searchers_and_devices_no_devices)
{
	struct decision d[2];
	struct bench b;

	setup(&b);
	b.channel.n_segments = 2;
	for (unsigned role = CONFIG_SEARCHERS; role <= CONFIG_DEVICES;
		role *= 2)
		for (unsigned kind = 0; kind <= PROTO_OTHER; kind++) {
			b.segment[0].role = BOTH | role;
			b.segment[1].role = BOTH | role;
			b.facts.kind = (enum proto_kind)kind;
			decide(&b.channel, 0, &b.facts, d);
			ck_assert_int_eq(d[1].verdict, RELAY_DIRECTION);
		}
}
END_TEST

/* Says the same with what was prepared as without, of every kind and segment,
 * and with filters on both sides or on none. */
static void compare_prepared(struct bench *b)
{
	struct decision without[SEGMENTS], with[SEGMENTS];
	struct decision made[128];
	struct decide_channel prepared;

	ck_assert_uint_le(decide_prepared(SEGMENTS), 128);
	for (size_t i = 0; i < SEGMENTS; i++)
		b->segment[i].open =
			decide_is_open(b->segment[i].allow, b->segment[i].deny);
	prepared = b->channel;
	decide_prepare(&prepared, made);
	for (size_t in = 0; in < b->channel.n_segments; in++)
		for (unsigned kind = 0; kind <= PROTO_OTHER; kind++) {
			b->facts.kind = (enum proto_kind)kind;
			decide(&b->channel, in, &b->facts, without);
			decide(&prepared, in, &b->facts, with);
			for (size_t i = 0; i < b->channel.n_segments; i++) {
				ck_assert_int_eq(
					with[i].verdict, without[i].verdict);
				ck_assert_int_eq(with[i].ttl, without[i].ttl);
				ck_assert_pstr_eq(
					with[i].rule, without[i].rule);
			}
		}
}

/* By what arrives from other sites, and what goes there. */
static const struct {
	unsigned role; /* of the segment here */
	enum proto_kind kind;
	bool comes, goes;
} crossings[] = {
	{ BOTH, PROTO_SEARCH, true, true },
	{ BOTH, PROTO_ANNOUNCEMENT, true, true },
	{ BOTH, PROTO_OTHER, true, true },
	{ CONFIG_SENT_TO, PROTO_SEARCH, true, false },
	{ CONFIG_HEARS, PROTO_SEARCH, false, true },
	{ BOTH | CONFIG_SEARCHERS, PROTO_SEARCH, false, true },
	{ BOTH | CONFIG_SEARCHERS, PROTO_ANNOUNCEMENT, true, false },
	{ BOTH | CONFIG_SEARCHERS, PROTO_PROBE, false, false },
	{ BOTH | CONFIG_DEVICES, PROTO_SEARCH, true, false },
	{ BOTH | CONFIG_DEVICES, PROTO_ANNOUNCEMENT, false, true },
	{ BOTH | CONFIG_DEVICES, PROTO_OTHER, false, false },
};

START_TEST(other_sites_search_for_devices_and_announce_to_searchers)
{
	bool search = crossings[_i].kind == PROTO_SEARCH;
	struct decision d;
	struct bench b;

	setup(&b);
	b.channel.n_segments = 1;
	b.segment[0].role = crossings[_i].role;
	decide_add_sites(b.segment, 1);
	b.facts.kind = crossings[_i].kind;
	d = decide_one(&b.channel,
		1 + (search ? DECIDE_SEARCHERS_OUTSIDE
			    : DECIDE_DEVICES_OUTSIDE),
		0, &b.facts);
	ck_assert_int_eq(
		d.verdict, crossings[_i].comes ? RELAY_SENT : RELAY_DIRECTION);
	d = decide_one(&b.channel, 0, 1 + DECIDE_OUTSIDE, &b.facts);
	ck_assert_int_eq(
		d.verdict, crossings[_i].goes ? RELAY_SENT : RELAY_DIRECTION);
}
END_TEST

START_TEST(decides_the_same_beforehand)
{
	struct bench b;

	setup(&b);
	rows[_i].change(&b);
	compare_prepared(&b);
	/* And without searchers and devices. */
	b.channel.n_segments = SEARCHER;
	compare_prepared(&b);
}
END_TEST

START_TEST(a_row_is_not_made_anew)
{
	struct decision made[128], scratch[SEGMENTS];
	struct decide_channel c;
	struct bench b;

	setup(&b);
	for (size_t i = 0; i < SEGMENTS; i++)
		b.segment[i].open = true;
	c = b.channel;
	decide_prepare(&c, made);
	ck_assert_ptr_ne(decide_outs(&c, LAN, &b.facts, scratch), scratch);
	/* A segment that looks at the TTL of each. */
	b.segment[IOT].ttl = CONFIG_TTL_KEEP;
	decide_prepare(&c, made);
	ck_assert_ptr_eq(decide_outs(&c, LAN, &b.facts, scratch), scratch);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("relay_decide");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_loop_test(t, decides_as_the_table_says, 0,
		(int)(sizeof(rows) / sizeof(rows[0])));
	tcase_add_loop_test(t,
		other_sites_search_for_devices_and_announce_to_searchers, 0,
		sizeof(crossings) / sizeof(crossings[0]));
	tcase_add_loop_test(t, decides_the_same_beforehand, 0,
		(int)(sizeof(rows) / sizeof(rows[0])));
	tcase_add_test(t, a_row_is_not_made_anew);
	tcase_add_test(t, the_arriving_segment_speaks_of_the_whole);
	tcase_add_test(t, searchers_hear_no_searchers_and_devices_no_devices);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
