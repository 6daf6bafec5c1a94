/* The whole relay: source modes, targets, peers and sources. */
#include "relay_bench.h"
#include "udp/udp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <unistd.h>

START_TEST(own_port_keeps_the_announcers_port)
{
	struct bench b;
	int ear;

	bench_setup(&b, 2,
		HEAD "  g: { address: 239.1.1.1, port: 5000, source: own-port, "
		     "ttl: 3, interfaces: [one, two] }\n");
	ear = house_hear(&b.house, 2, "239.1.1.1", 5000);
	house_send(&b.house, 1, "239.1.1.1", 5000, 1234, 1, "a", 1);
	bench_expect(&b, ear, "a", 1);
	ck_assert_str_eq(b.d.source, "10.9.2.1");
	ck_assert_uint_eq(b.d.port, 1234);
	ck_assert_int_eq(b.d.ttl, 3);
	house_send(&b.house, 1, "239.1.1.1", 5000, 5000, 1, "b", 1);
	bench_expect(&b, ear, "b", 1);
	ck_assert_uint_eq(b.d.port, 5000);
	(void)close(ear);
	bench_close(&b);
}
END_TEST

/* More ports than are kept open: the oldest gives way. */
START_TEST(own_port_serves_any_number_of_ports)
{
	struct bench b;
	char text[16];
	int ear;

	bench_setup(&b, 2,
		HEAD "  g: { address: 239.1.1.1, port: 5000, source: own-port, "
		     "interfaces: [one, two] }\n");
	ear = house_hear(&b.house, 2, "239.1.1.1", 5000);
	for (uint16_t port = 20000; port < 20600; port++) {
		(void)snprintf(text, sizeof(text), "%u", port);
		house_send(&b.house, 1, "239.1.1.1", 5000, port, 1, text,
			strlen(text));
		bench_expect(&b, ear, text, strlen(text));
		ck_assert_uint_eq(b.d.port, port);
	}
	(void)close(ear);
	bench_close(&b);
}
END_TEST

static const struct preserved {
	const char *key, *address, *source;
} preserved[] = {
	{ "address: 239.1.1.1", "239.1.1.1", "10.9.1.77" },
	{ "broadcast: true", "255.255.255.255", "10.9.1.77" },
	{ "address: \"ff15::99\"", "ff15::99", "fd09:1::77" },
};

START_TEST(preserve_keeps_the_announcers_address_and_port)
{
	const struct preserved *p = &preserved[_i];
	char text[512];
	struct bench b;
	unsigned k = 0;
	int ear;

	(void)snprintf(text, sizeof(text),
		HEAD "  g: { %s, port: 5000, source: preserve, ttl: 9, "
		     "interfaces: [one, two] }\n",
		p->key);
	bench_setup(&b, 2, text);
	/* Receivers judge the source of IPv4 by their routes. */
	house_run("nsenter --net=/proc/%d/fd/%d ip route add default dev h2",
		(int)getpid(), b.house.hosts);
	ear = house_hear(&b.house, 2, p->address, 5000);
	do {
		(void)snprintf(text, sizeof(text), "%u", k++);
		house_forge(&b.house, 1, p->source, p->address, 5000, 1234,
			text, strlen(text));
		ck_assert_uint_lt(k, 1000);
	} while (house_is_silent(&b.house, ear));
	house_next(&b.house, ear, &b.d);
	ck_assert_str_eq(b.d.source, p->source);
	ck_assert_uint_eq(b.d.port, 1234);
	ck_assert_int_eq(b.d.ttl, 9);
	(void)close(ear);
	bench_close(&b);
}
END_TEST

static bool one_was_a_loop(void *data)
{
	return bench_dropped(data, "g", "two", RELAY_LOOP) > 0;
}

/* What was dropped there as a repeater's was not known there, and so sent there
 * again. */
START_TEST(what_a_repeater_put_there_is_not_sent_there)
{
	struct bench b;
	int ear;

	bench_setup(&b, 3,
		HEAD "  g: { address: 239.1.1.1, port: 5000, "
		     "interfaces: [one, two, three] }\n");
	ear = house_hear(&b.house, 1, "239.1.1.1", 5000);
	house_forge(&b.house, 2, "10.9.1.77", "239.1.1.1", 5000, 5000, "x", 1);
	ck_assert(house_wait(&b.house, one_was_a_loop, &b));
	ck_assert(house_is_silent(&b.house, ear));
	house_send(&b.house, 3, "239.1.1.1", 5000, 5000, 1, "x", 1);
	bench_expect(&b, ear, "x", 1);
	ck_assert_uint_eq(bench_dropped(&b, "g", "two", RELAY_LOOP), 2);
	(void)close(ear);
	bench_close(&b);
}
END_TEST

static void give_up_raw(void)
{
	cap_value_t raw = CAP_NET_RAW;
	cap_t caps = cap_get_proc();

	ck_assert_ptr_nonnull(caps);
	ck_assert_int_eq(
		cap_set_flag(caps, CAP_EFFECTIVE, 1, &raw, CAP_CLEAR), 0);
	ck_assert_int_eq(
		cap_set_flag(caps, CAP_PERMITTED, 1, &raw, CAP_CLEAR), 0);
	ck_assert_int_eq(cap_set_proc(caps), 0);
	(void)cap_free(caps);
}

START_TEST(preserve_without_the_capability_says_what_it_needs)
{
	struct relay_segment_info i;
	struct bench b;

	bench_open(&b);
	house_add(&b.house, 1, false);
	house_add(&b.house, 2, false);
	ck_assert_int_eq(net_devices_refresh(b.devices), 0);
	give_up_raw();
	bench_configure(&b,
		HEAD "  g: { address: 239.1.1.1, port: 5000, source: preserve, "
		     "interfaces: [one, two] }\n"
		     "  h: { address: 239.1.1.2, port: 5000, "
		     "interfaces: [one, two] }\n");
	bench_wait(&b, "g", "one", RELAY_FAILED);
	ck_assert(bench_find(&b, "g", "one", NULL, &i));
	ck_assert_ptr_nonnull(strstr(i.error, "CAP_NET_RAW"));
	bench_wait(&b, "h", "one", RELAY_JOINED);
	bench_close(&b);
}
END_TEST

/* It is permitted, but effective only while it is used. */
START_TEST(preserve_raises_the_capability_only_for_the_call)
{
	cap_flag_value_t effective;
	struct bench b;
	cap_t caps;

	ck_assert_int_eq(udp_lower_raw(), 0);
	bench_setup(&b, 2,
		HEAD "  g: { address: 239.1.1.1, port: 5000, "
		     "source: preserve, interfaces: [one, two] }\n");
	caps = cap_get_proc();
	ck_assert_int_eq(
		cap_get_flag(caps, CAP_NET_RAW, CAP_EFFECTIVE, &effective), 0);
	ck_assert_int_eq(effective, CAP_CLEAR);
	(void)cap_free(caps);
	bench_close(&b);
}
END_TEST

START_TEST(rp_filter_is_named_where_it_may_drop)
{
	struct relay_segment_info i;
	struct bench b;

	bench_open(&b);
	house_add(&b.house, 1, false);
	house_add(&b.house, 2, true);
	house_run("sysctl -qw net.ipv4.conf.r1.rp_filter=1 "
		  "net.ipv4.conf.r2.rp_filter=1");
	ck_assert_int_eq(net_devices_refresh(b.devices), 0);
	bench_configure(&b, ONE_TWO);
	bench_wait(&b, "g", "two", RELAY_NO_ADDR);
	ck_assert(bench_find(&b, "g", "two", NULL, &i));
	ck_assert_ptr_nonnull(strstr(i.error, "rp_filter"));
	bench_wait(&b, "g", "one", RELAY_JOINED);
	ck_assert(bench_find(&b, "g", "one", NULL, &i));
	ck_assert_str_eq(i.error, "");
	bench_close(&b);
}
END_TEST

START_TEST(a_target_replaces_the_destination_there)
{
	struct bench b;
	int unicast, group, three;

	bench_setup(&b, 3,
		HEAD "  g: { address: 239.1.1.1, port: 5000, ttl: 4, "
		     "interfaces: [one, { name: two, target: 10.9.2.2 }, "
		     "three] }\n");
	unicast = house_hear(&b.house, 2, "10.9.2.2", 5000);
	group = house_hear(&b.house, 2, "239.1.1.1", 5000);
	three = house_hear(&b.house, 3, "239.1.1.1", 5000);
	house_send(&b.house, 1, "239.1.1.1", 5000, 0, 1, "x", 1);
	bench_expect(&b, unicast, "x", 1);
	ck_assert_int_eq(b.d.ttl, 4);
	ck_assert_uint_eq(b.d.port, 5000);
	bench_expect(&b, three, "x", 1);
	ck_assert(house_is_silent(&b.house, group));
	(void)close(unicast);
	(void)close(group);
	(void)close(three);
	bench_close(&b);
}
END_TEST

#define TUNNEL                                                                 \
	"interfaces:\n"                                                        \
	"  one: { device: r1 }\n"                                              \
	"  two: { device: r2, peers: [10.9.2.2] }\n"                           \
	"groups:\n"                                                            \
	"  g: { address: 239.1.1.1, port: 5000 }\n"

START_TEST(peers_get_and_send_unicast_copies)
{
	int peer, one, group;
	struct bench b;

	bench_setup(&b, 2, TUNNEL);
	peer = house_hear(&b.house, 2, "10.9.2.2", 5000);
	group = house_hear(&b.house, 2, "239.1.1.1", 5000);
	one = house_hear(&b.house, 1, "239.1.1.1", 5000);
	house_send(&b.house, 1, "239.1.1.1", 5000, 0, 1, "out", 3);
	bench_expect(&b, peer, "out", 3);
	ck_assert_str_eq(b.d.source, "10.9.2.1");
	ck_assert_uint_eq(b.d.port, 5000);
	ck_assert(house_is_silent(&b.house, group));
	house_say(&b.house, peer, 2, "10.9.2.1", 5000, "in", 2);
	bench_expect(&b, one, "in", 2);
	(void)close(peer);
	(void)close(group);
	(void)close(one);
	bench_close(&b);
}
END_TEST

START_TEST(a_stranger_is_no_peer)
{
	struct bench b;
	int one;

	bench_setup(&b, 2, TUNNEL);
	house_run("nsenter --net=/proc/%d/fd/%d ip address replace "
		  "10.9.2.3/24 dev h2",
		(int)getpid(), b.house.hosts);
	house_run("nsenter --net=/proc/%d/fd/%d ip address delete "
		  "10.9.2.2/24 dev h2",
		(int)getpid(), b.house.hosts);
	one = house_hear(&b.house, 1, "239.1.1.1", 5000);
	house_send(&b.house, 2, "10.9.2.1", 5000, 0, 64, "in", 2);
	ck_assert(house_is_silent(&b.house, one));
	ck_assert_uint_eq(bench_dropped(&b, "g", "two", RELAY_FILTER), 1);
	(void)close(one);
	bench_close(&b);
}
END_TEST

/* Two groups want other sources of the same address. */
START_TEST(source_specific_groups_hear_their_sources_alone)
{
	struct bench b;
	int two, three;

	bench_setup(&b, 3,
		HEAD "  a: { address: 239.1.1.1, port: 5000, from: [one], "
		     "to: [two], sources: [10.9.1.2] }\n"
		     "  b: { address: 239.1.1.1, port: 5000, from: [one], "
		     "to: [three], sources: [10.9.1.9] }\n");
	house_run("nsenter --net=/proc/%d/fd/%d ip address add 10.9.1.9/24 "
		  "dev h1",
		(int)getpid(), b.house.hosts);
	two = house_hear(&b.house, 2, "239.1.1.1", 5000);
	three = house_hear(&b.house, 3, "239.1.1.1", 5000);
	house_send(&b.house, 1, "239.1.1.1", 5000, 0, 1, "x", 1);
	bench_expect(&b, two, "x", 1);
	ck_assert(house_is_silent(&b.house, three));
	/* Into any-source and out again, by a reload. */
	bench_configure(&b,
		HEAD "  b: { address: 239.1.1.1, port: 5000, from: [one], "
		     "to: [three] }\n");
	house_send(&b.house, 1, "239.1.1.1", 5000, 0, 1, "y", 1);
	bench_expect(&b, three, "y", 1);
	bench_configure(&b,
		HEAD "  b: { address: 239.1.1.1, port: 5000, from: [one], "
		     "to: [three], sources: [10.9.1.9] }\n");
	house_send(&b.house, 1, "239.1.1.1", 5000, 0, 1, "z", 1);
	ck_assert(house_is_silent(&b.house, three));
	(void)close(two);
	(void)close(three);
	bench_close(&b);
}
END_TEST

START_TEST(too_many_sources_name_the_sysctl)
{
	struct relay_segment_info i;
	struct bench b;

	bench_open(&b);
	house_add(&b.house, 1, false);
	ck_assert_int_eq(net_devices_refresh(b.devices), 0);
	bench_configure(&b,
		HEAD "  g: { address: 239.1.1.1, port: 5000, from: [one], "
		     "to: [], sources: [10.0.0.1, 10.0.0.2, 10.0.0.3, "
		     "10.0.0.4, 10.0.0.5, 10.0.0.6, 10.0.0.7, 10.0.0.8, "
		     "10.0.0.9, 10.0.0.10, 10.0.0.11] }\n");
	ck_assert(bench_find(&b, "g", "one", NULL, &i));
	ck_assert_int_eq(i.state, RELAY_FAILED);
	ck_assert_ptr_nonnull(strstr(i.error, "igmp_max_msf"));
	bench_close(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("relay_modes");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, own_port_keeps_the_announcers_port);
	tcase_add_test(t, own_port_serves_any_number_of_ports);
	tcase_add_loop_test(t, preserve_keeps_the_announcers_address_and_port,
		0, (int)(sizeof(preserved) / sizeof(preserved[0])));
	tcase_add_test(t, rp_filter_is_named_where_it_may_drop);
	tcase_add_test(t, what_a_repeater_put_there_is_not_sent_there);
	tcase_add_test(t, a_target_replaces_the_destination_there);
	tcase_add_test(t, peers_get_and_send_unicast_copies);
	tcase_add_test(t, a_stranger_is_no_peer);
	tcase_add_test(t, source_specific_groups_hear_their_sources_alone);
	tcase_add_test(t, too_many_sources_name_the_sysctl);
	/* Last: these give something up, also where tests share a process. */
	tcase_add_test(t, preserve_raises_the_capability_only_for_the_call);
	tcase_add_test(t, preserve_without_the_capability_says_what_it_needs);
	suite_add_tcase(s, t);
	return bench_main(s);
}
