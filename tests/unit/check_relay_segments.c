/* The whole relay: segments that come, go and change. */
#include "relay_bench.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

START_TEST(follows_a_device_that_goes_and_comes_again)
{
	struct bench b;
	char text[16];
	int ear;

	bench_setup(&b, 1, ONE_TWO);
	bench_wait(&b, "g", "two", RELAY_ABSENT);
	ear = house_hear(&b.house, 1, "239.1.1.1", 5000);
	/* More often than a socket may join: each is left again. */
	for (int round = 0; round < 25; round++) {
		house_add(&b.house, 2, false);
		bench_wait(&b, "g", "two", RELAY_JOINED);
		(void)snprintf(text, sizeof(text), "%d", round);
		house_send(&b.house, 2, "239.1.1.1", 5000, 0, 1, text,
			strlen(text));
		bench_expect(&b, ear, text, strlen(text));
		house_run("ip link delete r2");
		bench_wait(&b, "g", "two", RELAY_ABSENT);
	}
	(void)close(ear);
	bench_close(&b);
}
END_TEST

START_TEST(takes_back_a_device_with_the_same_index)
{
	struct bench b;
	int ear;

	bench_setup(&b, 2, ONE_TWO);
	ear = house_hear(&b.house, 1, "239.1.1.1", 5000);
	house_run(
		"i=$(ip -o link show r2 | cut -d: -f1) && ip link delete r2 && "
		"ip link add r2 index $i type veth peer name h2 netns "
		"/proc/%d/fd/%d && ip address add 10.9.2.1/24 dev r2 && "
		"ip link set r2 up",
		(int)getpid(), b.house.hosts);
	house_run("nsenter --net=/proc/%d/fd/%d sh -c 'ip address add "
		  "10.9.2.2/24 dev h2 && ip link set h2 up'",
		(int)getpid(), b.house.hosts);
	bench_wait(&b, "g", "two", RELAY_JOINED);
	do {
		house_send(&b.house, 2, "239.1.1.1", 5000, 0, 1, "x", 1);
		house_next(&b.house, ear, &b.d);
	} while (b.d.size < 0);
	(void)close(ear);
	bench_close(&b);
}
END_TEST

START_TEST(follows_addresses_and_flags)
{
	struct bench b;
	int ear;

	bench_open(&b);
	house_add(&b.house, 1, false);
	house_add(&b.house, 2, true);
	bench_configure(&b, ONE_TWO);
	bench_wait(&b, "g", "two", RELAY_NO_ADDR);
	ear = house_hear(&b.house, 2, "239.1.1.1", 5000);
	house_send(&b.house, 1, "239.1.1.1", 5000, 0, 1, "1", 1);
	ck_assert(house_is_silent(&b.house, ear));
	ck_assert_uint_eq(bench_dropped(&b, "g", "two", RELAY_NO_ADDRESS), 1);
	house_run("ip address add 10.9.2.7/24 dev r2");
	bench_wait(&b, "g", "two", RELAY_JOINED);
	house_send(&b.house, 1, "239.1.1.1", 5000, 0, 1, "2", 1);
	bench_expect(&b, ear, "2", 1);
	ck_assert_str_eq(b.d.source, "10.9.2.7");
	house_run("ip link set r2 down");
	bench_wait(&b, "g", "two", RELAY_DOWN);
	house_run("ip link set r2 up");
	bench_wait(&b, "g", "two", RELAY_JOINED);
	house_send(&b.house, 1, "239.1.1.1", 5000, 0, 1, "3", 1);
	bench_expect(&b, ear, "3", 1);
	(void)close(ear);
	bench_close(&b);
}
END_TEST

struct source_wish {
	struct bench *bench;
	int ear;
	const char *source;
	unsigned n;
};

/* Sends until a datagram comes from the new address. */
static bool comes_from(void *data)
{
	struct source_wish *w = data;
	char text[16];

	(void)snprintf(text, sizeof(text), "%u", w->n++);
	house_send(&w->bench->house, 1, "239.1.1.1", 5000, 0, 1, text,
		strlen(text));
	house_next(&w->bench->house, w->ear, &w->bench->d);
	return strcmp(w->bench->d.source, w->source) == 0;
}

START_TEST(sends_from_the_new_address_when_it_changes)
{
	struct source_wish w = { .source = "10.9.2.9" };
	struct bench b;

	bench_setup(&b, 2, ONE_TWO);
	w.bench = &b;
	w.ear = house_hear(&b.house, 2, "239.1.1.1", 5000);
	house_run("ip address flush dev r2");
	bench_wait(&b, "g", "two", RELAY_NO_ADDR);
	house_run("ip address add 10.9.2.9/24 dev r2");
	bench_wait(&b, "g", "two", RELAY_JOINED);
	ck_assert(house_wait(&b.house, comes_from, &w));
	(void)close(w.ear);
	bench_close(&b);
}
END_TEST

START_TEST(follows_the_broadcast_address)
{
	struct bench b;
	int ear;

	bench_setup(&b, 2,
		HEAD "  g: { broadcast: true, port: 6666, "
		     "interfaces: [one, two] }\n");
	ear = house_hear(&b.house, 2, "10.9.2.255", 6666);
	house_run("ip address flush dev r1");
	bench_wait(&b, "g", "one", RELAY_NO_ADDR);
	house_run("ip address add 10.9.1.1/25 brd + dev r1");
	bench_wait(&b, "g", "one", RELAY_JOINED);
	house_run("nsenter --net=/proc/%d/fd/%d ip address replace "
		  "10.9.1.2/25 brd 10.9.1.127 dev h1",
		(int)getpid(), b.house.hosts);
	house_send(&b.house, 1, "10.9.1.127", 6666, 0, 1, "x", 1);
	bench_expect(&b, ear, "x", 1);
	(void)close(ear);
	bench_close(&b);
}
END_TEST

START_TEST(a_pattern_follows_what_matches)
{
	struct relay_segment_info i;
	struct bench b;

	bench_open(&b);
	bench_configure(&b, "interfaces:\n"
			    "  x: { device: [\"r*\", \"!r3\"] }\n"
			    "  y: { device: r2 }\n"
			    "groups:\n"
			    "  g: { address: 239.1.1.1, port: 5000 }\n");
	ck_assert(bench_find(&b, "g", "x", "", &i));
	ck_assert_int_eq(i.state, RELAY_ABSENT);
	for (unsigned n = 1; n <= 3; n++)
		house_add(&b.house, n, false);
	bench_wait(&b, "g", "y", RELAY_JOINED);
	ck_assert(!bench_find(&b, "g", "x", "", &i));
	ck_assert(!bench_find(&b, "g", "x", "r3", &i));
	ck_assert(bench_find(&b, "g", "x", "r1", &i));
	ck_assert_int_eq(i.state, RELAY_JOINED);
	/* The exact name wins, and the loser says whose the device is. */
	ck_assert(bench_find(&b, "g", "x", "r2", &i));
	ck_assert_int_eq(i.state, RELAY_FAILED);
	ck_assert_ptr_nonnull(strstr(i.error, "\"y\""));
	house_run("ip link delete r1");
	house_run("ip link delete r2");
	bench_wait(&b, "g", "y", RELAY_ABSENT);
	ck_assert(bench_find(&b, "g", "x", "", &i));
	bench_close(&b);
}
END_TEST

START_TEST(a_port_that_nobody_shares_is_a_failed_segment)
{
	struct relay_segment_info i;
	struct bench b;
	int thief;

	bench_open(&b);
	house_add(&b.house, 1, false);
	ck_assert_int_eq(net_devices_refresh(b.devices), 0);
	thief = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	{
		struct sockaddr_in a = { .sin_family = AF_INET,
			.sin_port = htons(5000) };

		ck_assert_int_eq(
			bind(thief, (struct sockaddr *)&a, sizeof(a)), 0);
	}
	bench_configure(&b, ONE_TWO);
	ck_assert(bench_find(&b, "g", "one", NULL, &i));
	ck_assert_int_eq(i.state, RELAY_FAILED);
	ck_assert_ptr_nonnull(strstr(i.error, "port 5000"));
	/* No event tells that it has come free: it is tried again. */
	(void)close(thief);
	bench_wait(&b, "g", "one", RELAY_JOINED);
	bench_close(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("relay_segments");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, follows_a_device_that_goes_and_comes_again);
	tcase_add_test(t, takes_back_a_device_with_the_same_index);
	tcase_add_test(t, follows_addresses_and_flags);
	tcase_add_test(t, sends_from_the_new_address_when_it_changes);
	tcase_add_test(t, follows_the_broadcast_address);
	tcase_add_test(t, a_pattern_follows_what_matches);
	tcase_add_test(t, a_port_that_nobody_shares_is_a_failed_segment);
	suite_add_tcase(s, t);
	return bench_main(s);
}
