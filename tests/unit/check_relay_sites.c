/* The whole relay: what comes from other sites, and what goes there. */
#include "site_bench.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

START_TEST(what_a_site_brings_leaves_everywhere_from_criers_own_address)
{
	static const char *const sources[] = { "own", "own-port", "preserve" };
	struct relay_brought x =
		site_says("cabin", "10.77.0.9", ALL_PORTS, "here");
	struct relay_site_counts n;
	struct relay_counters c;
	char text[512];
	struct bench b;
	int one, two;

	(void)snprintf(text, sizeof(text), TWO ", source: %s }\n", sources[_i]);
	site_setup(&b, 2, text);
	one = house_hear(&b.house, 1, "255.255.255.255", ALL_PORTS);
	two = house_hear(&b.house, 2, "255.255.255.255", ALL_PORTS);
	ck_assert_uint_eq(site_sent(&b, &x), 2);
	bench_expect(&b, one, "here", 4);
	ck_assert_str_eq(b.d.source, "10.9.1.1");
	ck_assert_uint_eq(b.d.port, ALL_PORTS);
	bench_expect(&b, two, "here", 4);
	ck_assert_str_eq(b.d.source, "10.9.2.1");
	/* The table is told once, and by whom. */
	ck_assert_uint_eq(taken.times, 1);
	ck_assert_str_eq(taken.site, "cabin");
	ck_assert(!taken.copy);
	/* Received on no segment. */
	relay_totals(b.relay, &c);
	ck_assert_uint_eq(c.received, 0);
	ck_assert_uint_eq(c.sent, 2);
	relay_site_counts(b.relay, &n);
	ck_assert_uint_eq(n.relayed, 1);
	ck_assert_uint_eq(n.carried, 0);
	(void)close(one);
	(void)close(two);
	bench_close(&b);
}
END_TEST

START_TEST(a_ttl_that_follows_what_was_heard_is_one)
{
	static const char *const ttls[] = { "keep", "decrement", "7" };
	static const int expected[] = { 1, 1, 7 };
	struct relay_brought x = site_says("cabin", NULL, 0, "here");
	char text[512];
	struct bench b;
	int ear;

	(void)snprintf(text, sizeof(text),
		HEAD "  g: { address: 239.1.1.1, port: 5000, ttl: %s, "
		     "interfaces: [one] }\n",
		ttls[_i]);
	site_setup(&b, 1, text);
	ear = house_hear(&b.house, 1, "239.1.1.1", 5000);
	ck_assert_uint_eq(site_sent(&b, &x), 1);
	bench_expect(&b, ear, "here", 4);
	ck_assert_int_eq(b.d.ttl, expected[_i]);
	(void)close(ear);
	bench_close(&b);
}
END_TEST

START_TEST(what_was_said_a_moment_ago_is_not_said_again)
{
	struct relay_brought x =
		site_says("cabin", "10.77.0.9", ALL_PORTS, "here");
	struct relay_brought y =
		site_says("barn", "10.78.0.9", ALL_PORTS, "local");
	struct bench b;
	int one, two;

	site_setup(&b, 2, TWO " }\n");
	one = house_hear(&b.house, 1, "255.255.255.255", ALL_PORTS);
	two = house_hear(&b.house, 2, "255.255.255.255", ALL_PORTS);
	ck_assert_uint_eq(site_sent(&b, &x), 2);
	bench_expect(&b, one, "here", 4);
	bench_expect(&b, two, "here", 4);
	/* Neither by the same host, as who delivers twice does, nor by any. */
	ck_assert_uint_eq(site_sent(&b, &x), 0);
	ck_assert(taken.copy);
	x.origin.site = "barn";
	ck_assert_uint_eq(site_sent(&b, &x), 0);
	ck_assert_uint_eq(site_dropped(&b, RELAY_LOOP), 4);
	ck_assert_uint_eq(b.storms, 0);
	/* A segment that has heard it is not sent it, the other was already. */
	house_say(&b.house, one, 1, "255.255.255.255", ALL_PORTS, "local", 5);
	bench_expect(&b, two, "local", 5);
	ck_assert_uint_eq(site_sent(&b, &y), 0);
	ck_assert(house_is_silent(&b.house, two));
	(void)close(one);
	(void)close(two);
	bench_close(&b);
}
END_TEST

START_TEST(after_the_window_it_is_said_again)
{
	struct relay_brought x = site_says("cabin", NULL, 0, "here");
	struct bench b;
	int one;

	site_setup(&b, 1, ONE ", dedup: 50ms }\n");
	one = house_hear(&b.house, 1, "255.255.255.255", ALL_PORTS);
	ck_assert_uint_eq(site_sent(&b, &x), 1);
	bench_expect(&b, one, "here", 4);
	ck_assert_uint_eq(site_sent(&b, &x), 0);
	(void)usleep(60 * 1000);
	uv_update_time(&b.house.loop);
	ck_assert_uint_eq(site_sent(&b, &x), 1);
	bench_expect(&b, one, "here", 4);
	(void)close(one);
	bench_close(&b);
}
END_TEST

START_TEST(what_is_heard_goes_to_other_sites_once)
{
	struct bench b;
	int one, two;

	site_setup(&b, 2, TWO " }\n");
	one = house_hear(&b.house, 1, "255.255.255.255", ALL_PORTS);
	two = house_hear(&b.house, 2, "255.255.255.255", ALL_PORTS);
	/* Nobody carries. */
	house_say(&b.house, one, 1, "255.255.255.255", ALL_PORTS, "none", 4);
	bench_expect(&b, two, "none", 4);
	ck_assert_uint_eq(carried.times, 0);
	site_carry(&b, true);
	house_say(&b.house, one, 1, "255.255.255.255", ALL_PORTS, "hello", 5);
	bench_expect(&b, two, "hello", 5);
	ck_assert_uint_eq(carried.times, 1);
	ck_assert_str_eq(carried.text, "hello");
	ck_assert_str_eq(carried.site, "");
	ck_assert_int_eq(carried.verdict, RELAY_SENT);
	site_carry(&b, false);
	house_say(&b.house, one, 1, "255.255.255.255", ALL_PORTS, "over", 4);
	bench_expect(&b, two, "over", 4);
	ck_assert_uint_eq(carried.times, 1);
	(void)close(one);
	(void)close(two);
	bench_close(&b);
}
END_TEST

/* Another relay here may hand on what came from there. */
START_TEST(what_a_site_brought_does_not_go_back)
{
	struct relay_brought x =
		site_says("cabin", "10.77.0.9", ALL_PORTS, "here");
	struct bench b;
	int one;

	site_setup(&b, 1, ONE " }\n");
	one = house_hear(&b.house, 1, "10.9.1.2", ALL_PORTS);
	site_carry(&b, true);
	ck_assert_uint_eq(site_sent(&b, &x), 1);
	ck_assert_uint_eq(carried.times, 0);
	house_say(&b.house, one, 1, "255.255.255.255", ALL_PORTS, "here", 4);
	ck_assert(house_is_silent(&b.house, one));
	ck_assert_uint_eq(carried.times, 1);
	ck_assert_int_eq(carried.verdict, RELAY_LOOP);
	(void)close(one);
	bench_close(&b);
}
END_TEST

/* The rules of the group hold for what is brought. */
static const struct rule {
	const char *group;
	const char *address;
	enum proto_kind kind;
	size_t sent;
	enum relay_verdict why;
} rules[] = {
	{ ", deny: { sources: [10.77.0.0/16] } }\n", "10.77.0.9",
		PROTO_ANNOUNCEMENT, 0, RELAY_FILTER },
	{ ", allow: { sources: [10.78.0.0/16] } }\n", "10.77.0.9",
		PROTO_ANNOUNCEMENT, 0, RELAY_FILTER },
	{ ", allow: { sources: [10.78.0.0/16] } }\n", "10.78.0.9",
		PROTO_ANNOUNCEMENT, 2, RELAY_SENT },
	/* Of whom nobody says who it is. */
	{ ", allow: { sources: [10.78.0.0/16] } }\n", NULL, PROTO_ANNOUNCEMENT,
		2, RELAY_SENT },
	{ ", deny: { sizes: [4] } }\n", NULL, PROTO_ANNOUNCEMENT, 0,
		RELAY_SIZE },
	{ ", standby: true }\n", NULL, PROTO_ANNOUNCEMENT, 0, RELAY_STANDBY },
};

START_TEST(the_rules_of_the_group_hold)
{
	const struct rule *r = &rules[_i];
	struct relay_brought x = site_says("cabin", r->address, 0, "here");
	char text[512];
	struct bench b;

	x.kind = r->kind;
	(void)snprintf(text, sizeof(text), TWO "%s", r->group);
	site_setup(&b, 2, text);
	ck_assert_uint_eq(site_sent(&b, &x), r->sent);
	if (r->why != RELAY_SENT)
		ck_assert_uint_ge(site_dropped(&b, r->why), 1);
	bench_close(&b);
}
END_TEST

/* How many of 20 different ones of a site are sent. */
static size_t flood(
	const struct bench *b, const char *site, const char *address)
{
	size_t n = 0;
	char text[16];

	for (unsigned i = 0; i < 20; i++) {
		struct relay_brought x;

		(void)snprintf(text, sizeof(text), "%s%u", site, i);
		x = site_says(site, address, 0, text);
		n += site_sent(b, &x);
	}
	return n;
}

START_TEST(each_site_has_a_rate_of_its_own)
{
	struct bench b;

	site_setup(&b, 1, ONE ", rate: 5/s }\n");
	ck_assert_uint_eq(flood(&b, "cabin", NULL), 5);
	ck_assert_uint_eq(flood(&b, "barn", NULL), 5);
	ck_assert_uint_eq(flood(&b, "attic", "10.77.0.9"), 5);
	/* The same address at another site is somebody else. */
	ck_assert_uint_eq(flood(&b, "mill", "10.77.0.9"), 5);
	ck_assert_uint_eq(site_dropped(&b, RELAY_RATE), 60);
	bench_close(&b);
}
END_TEST

#define CHANNELS                                                               \
	HEAD "  g: { address: [239.1.1.1, \"ff15::4242\"], "                   \
	     "port: [5000, 5001], interfaces: [one] }\n"

static const struct choice {
	const char *origin, *channel;
	uint16_t port;
	size_t sent;
	int error;
} choices[] = {
	{ "10.77.0.9", NULL, 0, 2, 0 },    /* of its family, both ports */
	{ "fd00::9", NULL, 0, 2, 0 },      /* likewise */
	{ NULL, NULL, 0, 4, 0 },           /* all */
	{ "10.77.0.9", NULL, 5001, 1, 0 }, /* and of one port */
	{ NULL, "ff15::4242", 0, 2, 0 },   /* of one address */
	{ "10.77.0.9", "ff15::4242", 5000, 1, 0 }, /* which wins */
	{ NULL, "239.1.1.2", 0, 0, -ENOENT },
	{ NULL, NULL, 5002, 0, -ENOENT },
};

START_TEST(the_channel_is_that_of_its_family_or_the_one_that_is_named)
{
	const struct choice *c = &choices[_i];
	struct relay_brought x = site_says("cabin", c->origin, 0, "here");
	struct relay_brought_result r = { 0 };
	struct bench b;

	if (c->channel)
		ck_assert_int_eq(net_address_parse(c->channel, &x.channel), 0);
	x.channel_port = c->port;
	site_setup(&b, 1, CHANNELS);
	ck_assert_int_eq(site_bring(&b, &x, &r), c->error);
	ck_assert_uint_eq(r.sent, c->sent);
	ck_assert_uint_eq(taken.times, c->error ? 0 : 1);
	bench_close(&b);
}
END_TEST

/* A second relay, which takes up what the first one wrote. */
static struct relay *inherit(struct bench *b, const char *text)
{
	static const struct relay_callbacks none;
	int file = memfd_create("stash", MFD_CLOEXEC);
	struct config *c = bench_parse(text);
	struct stash_writer w;
	struct stash_reader in;
	struct relay *next;

	stash_begin(&w, file, 1);
	relay_save(b->relay, &w);
	ck_assert_int_eq(stash_end(&w), 0);
	ck_assert_int_eq(
		relay_new(&next, &b->house.loop, b->devices, &none), 0);
	ck_assert_int_eq(stash_open(&in, file), 0);
	relay_inherit(next, &in);
	ck_assert_int_eq(relay_configure(next, c), 0);
	relay_resume(next, &in);
	stash_close(&in);
	config_unref(c);
	(void)close(file);
	return next;
}

START_TEST(the_next_process_knows_what_was_brought)
{
	static const char text[] = ONE ", dedup: 60s }\n";
	struct relay_brought x = site_says("cabin", NULL, 0, "here");
	struct relay_brought y = site_says("cabin", NULL, 0, "new");
	struct relay_brought_result r = { 0 };
	struct relay_site_counts n;
	struct relay *next;
	struct bench b;

	site_setup(&b, 1, text);
	ck_assert_uint_eq(site_sent(&b, &x), 1);
	ck_assert_uint_eq(site_sent(&b, &x), 0);
	next = inherit(&b, text);
	relay_site_counts(next, &n);
	ck_assert_uint_eq(n.relayed, 2);
	ck_assert_int_eq(
		relay_bring(next, relay_group_find(next, "g"), &x, &r), 0);
	ck_assert_uint_eq(r.sent, 0);
	ck_assert_int_eq(
		relay_bring(next, relay_group_find(next, "g"), &y, &r), 0);
	ck_assert_uint_eq(r.sent, 1);
	relay_close(next);
	bench_close(&b);
}
END_TEST

static void add_tests(TCase *t)
{
	tcase_add_loop_test(t,
		what_a_site_brings_leaves_everywhere_from_criers_own_address, 0,
		3);
	tcase_add_loop_test(t, a_ttl_that_follows_what_was_heard_is_one, 0, 3);
	tcase_add_test(t, what_was_said_a_moment_ago_is_not_said_again);
	tcase_add_test(t, after_the_window_it_is_said_again);
	tcase_add_test(t, what_is_heard_goes_to_other_sites_once);
	tcase_add_test(t, what_a_site_brought_does_not_go_back);
	tcase_add_loop_test(t, the_rules_of_the_group_hold, 0,
		sizeof(rules) / sizeof(rules[0]));
	tcase_add_test(t, each_site_has_a_rate_of_its_own);
	tcase_add_loop_test(t,
		the_channel_is_that_of_its_family_or_the_one_that_is_named, 0,
		sizeof(choices) / sizeof(choices[0]));
}

int main(void)
{
	Suite *s = suite_create("sites");
	TCase *t = tcase_create("sites");

	add_tests(t);
	tcase_add_test(t, the_next_process_knows_what_was_brought);
	suite_add_tcase(s, t);
	return bench_main(s);
}
