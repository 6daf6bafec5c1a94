/* The whole relay: hosts that ask, answer or name more than there is room for.
 */
#include "mdns_fixture.h"
#include "relay/flow.h"
#include "relay_bench.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SEARCHES(more)                                                         \
	HEAD "  g: { broadcast: true, port: 65001, replies: proxy, " more      \
	     "interfaces: [one, two, three] }\n"
#define HOMES                                                                  \
	HEAD "  g: { address: 224.0.0.251, port: 5353, payload: mdns, "        \
	     "strip: [multi-homed], interfaces: [one, two, three] }\n"

enum { PHONE_PORT = 40000 };

/* Asks from a port of a host on segment one. Returns its ear. */
static int ask(struct bench *b, const char *address, unsigned port)
{
	int ear = house_hear(&b->house, 1, address, (uint16_t)port);

	house_say(&b->house, ear, 1, "255.255.255.255", 65001, "who", 3);
	return ear;
}

/* What the first search comes to at a device: who crier seems to be. */
static void come(struct bench *b, int device, char source[64], uint16_t *port)
{
	bench_expect(b, device, "who", 3);
	(void)snprintf(source, 64, "%s", b->d.source);
	*port = b->d.port;
}

START_TEST(one_port_too_many_costs_the_oldest_of_that_host_alone)
{
	int phone[FLOW_PORTS + 1], device, other;
	char source[64];
	struct bench b;
	uint16_t port;

	bench_setup(&b, 3, SEARCHES(""));
	device = house_hear(&b.house, 2, "255.255.255.255", 65001);
	/* The oldest of all, and of another host. */
	other = house_hear(&b.house, 3, "10.9.3.2", PHONE_PORT);
	house_say(&b.house, other, 3, "255.255.255.255", 65001, "who", 3);
	come(&b, device, source, &port);
	for (unsigned i = 0; i <= FLOW_PORTS; i++)
		phone[i] = ask(&b, "10.9.1.2", PHONE_PORT + i);
	house_send(&b.house, 2, source, port, 65001, 64, "me", 2);
	bench_expect(&b, other, "me", 2);
	for (unsigned i = 1; i <= FLOW_PORTS; i++)
		bench_expect(&b, phone[i], "me", 2);
	ck_assert(house_is_silent(&b.house, phone[0]));
	for (unsigned i = 0; i <= FLOW_PORTS; i++)
		(void)close(phone[i]);
	(void)close(device);
	(void)close(other);
	bench_close(&b);
}
END_TEST

START_TEST(one_searcher_too_many_costs_the_oldest_of_all)
{
	/* Several hosts, since one has not that many ports. */
	enum { HOSTS = 5, EACH = 103 };
	int phone[HOSTS * EACH], device, lost = HOSTS * EACH - FLOW_SEARCHERS,
					 n = 0;
	char source[64], address[16];
	struct bench b;
	uint16_t port;

	bench_setup(&b, 2, SEARCHES(""));
	device = house_hear(&b.house, 2, "255.255.255.255", 65001);
	for (unsigned i = 0; i < HOSTS; i++) {
		(void)snprintf(address, sizeof(address), "10.9.1.%u", 2 + i);
		if (i > 0)
			house_run("nsenter --net=/proc/%d/fd/%d ip address add "
				  "%s/24 dev h1",
				(int)getpid(), b.house.hosts, address);
		for (unsigned k = 0; k < EACH; k++)
			phone[n++] = ask(&b, address, PHONE_PORT + k);
	}
	come(&b, device, source, &port);
	house_send(&b.house, 2, source, port, 65001, 64, "me", 2);
	for (int i = lost; i < n; i++)
		bench_expect(&b, phone[i], "me", 2);
	for (int i = 0; i < lost; i++)
		ck_assert(house_is_silent(&b.house, phone[i]));
	for (int i = 0; i < n; i++)
		(void)close(phone[i]);
	(void)close(device);
	bench_close(&b);
}
END_TEST

START_TEST(answers_are_held_to_the_rate)
{
	enum { N = 30 };
	uint64_t sent, dropped;
	struct relay_flow_info i;
	char source[64], text[16];
	struct bench b;
	uint16_t port;
	int phone, device;

	bench_setup(&b, 2, SEARCHES("rate: 1/s, "));
	device = house_hear(&b.house, 2, "255.255.255.255", 65001);
	phone = ask(&b, "10.9.1.2", PHONE_PORT);
	come(&b, device, source, &port);
	for (int k = 0; k < N; k++) {
		(void)snprintf(text, sizeof(text), "me %d", k);
		house_send(&b.house, 2, source, port, 65001, 64, text,
			strlen(text));
	}
	bench_expect(&b, phone, "me 0", 4);
	(void)house_is_silent(&b.house, device);
	relay_flow_get(relay_flow_next(b.relay, NULL), &i);
	sent = i.answers;
	dropped = bench_dropped(&b, "g", "two", RELAY_RATE);
	ck_assert_uint_eq(sent + dropped, N);
	/* A second more for each that passed. */
	ck_assert_uint_ge(sent, 1);
	ck_assert_uint_ge(dropped, 1);
	(void)close(phone);
	(void)close(device);
	bench_close(&b);
}
END_TEST

START_TEST(what_is_kept_for_who_joins_has_a_bound)
{
	enum {
		SIZE = 1400,
		KEPT = FLOW_KEPT_BYTES / (sizeof(struct flow_kept) + SIZE),
		N = KEPT + 4
	};
	char source[64], answer[SIZE];
	int phone, late, device;
	struct bench b;
	uint16_t port;

	bench_setup(&b, 2, SEARCHES(""));
	device = house_hear(&b.house, 2, "255.255.255.255", 65001);
	phone = ask(&b, "10.9.1.2", PHONE_PORT);
	come(&b, device, source, &port);
	for (int i = 0; i < N; i++) {
		memset(answer, 'a' + i, sizeof(answer));
		house_send(&b.house, 2, source, port, 65001, 64, answer,
			sizeof(answer));
		bench_expect(&b, phone, answer, sizeof(answer));
	}
	late = ask(&b, "10.9.1.2", PHONE_PORT + 1);
	for (int i = 0; i < KEPT; i++) {
		memset(answer, 'a' + i, sizeof(answer));
		bench_expect(&b, late, answer, sizeof(answer));
	}
	ck_assert(house_is_silent(&b.house, late));
	(void)close(phone);
	(void)close(late);
	(void)close(device);
	bench_close(&b);
}
END_TEST

/* Sends an mDNS answer with an address for each host of a range. */
static size_t name_hosts(unsigned from, unsigned to, uint8_t *message)
{
	char text[8192];
	size_t used = 0;

	for (unsigned i = from; i < to; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
			"%san h%u.local A 192.0.2.%u", i > from ? "\n" : "", i,
			i);
	return fixture_build(FIXTURE_RESPONSE, text, message);
}

/* An edit is made once for all segments that know the same of its hosts; they
 * are compared by a bit for each of 64. With more, the one made for a segment
 * must not be taken for another. */
START_TEST(a_host_behind_64_others_is_told_apart_all_the_same)
{
	enum { HOSTS = 70, LAST = HOSTS - 1 };
	uint8_t all[MDNS_MAX_BYTES], one[MDNS_MAX_BYTES], rest[MDNS_MAX_BYTES];
	size_t all_size = name_hosts(0, HOSTS, all);
	size_t one_size =
		fixture_build(FIXTURE_RESPONSE, "an h69.local A 10.9.3.2", one);
	size_t rest_size = name_hosts(0, LAST, rest);
	struct bench b;
	int two, three;

	bench_setup(&b, 3, HOMES);
	two = house_hear(&b.house, 2, "224.0.0.251", 5353);
	three = house_hear(&b.house, 3, "224.0.0.251", 5353);
	/* It has a leg on three. */
	house_send(&b.house, 3, "224.0.0.251", 5353, 5353, 255, one, one_size);
	bench_expect(&b, two, one, one_size);
	house_send(&b.house, 1, "224.0.0.251", 5353, 5353, 255, all, all_size);
	bench_expect(&b, two, all, all_size);
	bench_expect(&b, three, rest, rest_size);
	(void)close(two);
	(void)close(three);
	bench_close(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("relay_floods");
	TCase *tc = tcase_create("floods");

	tcase_set_timeout(tc, 60);
	suite_add_tcase(s, tc);
	tcase_add_test(
		tc, one_port_too_many_costs_the_oldest_of_that_host_alone);
	tcase_add_test(tc, one_searcher_too_many_costs_the_oldest_of_all);
	tcase_add_test(tc, answers_are_held_to_the_rate);
	tcase_add_test(tc, what_is_kept_for_who_joins_has_a_bound);
	tcase_add_test(tc, a_host_behind_64_others_is_told_apart_all_the_same);
	return bench_main(s);
}
