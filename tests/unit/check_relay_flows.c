/* The whole relay: searches, and the way back of their answers. */
#include "relay_bench.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SEARCHES                                                               \
	HEAD "  g: { broadcast: true, port: 65001, replies: proxy, "           \
	     "interfaces: [one, two, three] }\n"

/* A search that has come to a device: who crier seems to be. */
static void come(struct bench *b, int ear, const char *text, char source[64],
	uint16_t *port)
{
	bench_expect(b, ear, text, strlen(text));
	(void)snprintf(source, 64, "%s", b->d.source);
	*port = b->d.port;
}

static struct relay_flow_info flow(struct bench *b, size_t n)
{
	const struct relay_flow *f = NULL;
	struct relay_flow_info i = { 0 };
	size_t k;

	for (k = 0; k <= n; k++) {
		f = relay_flow_next(b->relay, f);
		ck_assert_ptr_nonnull(f);
	}
	relay_flow_get(f, &i);
	return i;
}

START_TEST(an_answer_comes_back_to_who_searched)
{
	char source[64];
	struct bench b;
	uint16_t port;
	int phone, device, three;

	bench_setup(&b, 3, SEARCHES);
	phone = house_hear(&b.house, 1, "10.9.1.2", 40000);
	device = house_hear(&b.house, 2, "255.255.255.255", 65001);
	three = house_hear(&b.house, 3, "255.255.255.255", 65001);
	house_say(&b.house, phone, 1, "255.255.255.255", 65001, "who", 3);
	come(&b, device, "who", source, &port);
	ck_assert_str_eq(source, "10.9.2.1");
	ck_assert_uint_ne(port, 65001);
	bench_expect(&b, three, "who", 3);
	house_send(&b.house, 2, source, port, 65001, 64, "me", 2);
	bench_expect(&b, phone, "me", 2);
	ck_assert_str_eq(b.d.source, "10.9.1.1");
	ck_assert_uint_eq(b.d.port, 65001);
	ck_assert_int_eq(b.d.ttl, 64);
	ck_assert_uint_eq(flow(&b, 0).answers + flow(&b, 1).answers, 1);
	ck_assert_uint_eq(flow(&b, 0).searches, 1);
	/* An identical one from the same host is not handed on again. */
	house_send(&b.house, 2, source, port, 65001, 64, "me", 2);
	ck_assert(house_is_silent(&b.house, phone));
	ck_assert_uint_eq(bench_dropped(&b, "g", "two", RELAY_LOOP), 1);
	(void)close(phone);
	(void)close(device);
	(void)close(three);
	bench_close(&b);
}
END_TEST

START_TEST(who_asks_the_same_joins_and_gets_all_answers)
{
	struct relay_limit l;
	char source[64];
	struct bench b;
	uint16_t port;
	int first, second, device;

	bench_setup(&b, 3, SEARCHES);
	first = house_hear(&b.house, 1, "10.9.1.2", 40000);
	second = house_hear(&b.house, 3, "10.9.3.2", 40000);
	device = house_hear(&b.house, 2, "255.255.255.255", 65001);
	house_say(&b.house, first, 1, "255.255.255.255", 65001, "who", 3);
	come(&b, device, "who", source, &port);
	house_send(&b.house, 2, source, port, 65001, 64, "early", 5);
	bench_expect(&b, first, "early", 5);
	house_say(&b.house, second, 3, "255.255.255.255", 65001, "who", 3);
	bench_expect(&b, second, "early", 5);
	ck_assert(house_is_silent(&b.house, device));
	house_send(&b.house, 2, source, port, 65001, 64, "late", 4);
	bench_expect(&b, first, "late", 4);
	bench_expect(&b, second, "late", 4);
	relay_flows(b.relay, &l);
	ck_assert_uint_eq(l.bound, 1024);
	/* Who repeats itself is sent again, from the same port. */
	house_say(&b.house, second, 3, "255.255.255.255", 65001, "who", 3);
	come(&b, device, "who", source, &port);
	house_send(&b.house, 2, source, port, 65001, 64, "again", 5);
	bench_expect(&b, second, "again", 5);
	(void)close(first);
	(void)close(second);
	(void)close(device);
	bench_close(&b);
}
END_TEST

/* A second search let through found the flow's answers known: they were
 * dropped as copies, and who was new to it got nothing. */
START_TEST(asked_again_the_same_answer_passes_again)
{
	int phone, other, device;
	char source[64];
	struct bench b;
	uint16_t port;

	bench_setup(&b, 2, SEARCHES);
	phone = house_hear(&b.house, 1, "10.9.1.2", 40000);
	other = house_hear(&b.house, 1, "10.9.1.2", 40001);
	device = house_hear(&b.house, 2, "255.255.255.255", 65001);
	house_say(&b.house, phone, 1, "255.255.255.255", 65001, "who", 3);
	come(&b, device, "who", source, &port);
	house_send(&b.house, 2, source, port, 65001, 64, "me", 2);
	bench_expect(&b, phone, "me", 2);
	/* Another program of the same host: what is kept, and what comes. */
	house_say(&b.house, other, 1, "255.255.255.255", 65001, "who", 3);
	come(&b, device, "who", source, &port);
	bench_expect(&b, other, "me", 2);
	house_send(&b.house, 2, source, port, 65001, 64, "me", 2);
	bench_expect(&b, phone, "me", 2);
	bench_expect(&b, other, "me", 2);
	(void)close(phone);
	(void)close(other);
	(void)close(device);
	bench_close(&b);
}
END_TEST

/* One host may have many programs that ask the same at once. */
START_TEST(a_hundred_that_ask_the_same_all_get_the_answer)
{
	enum { N = 100 };
	struct bench b;
	char source[64];
	uint16_t port;
	int phone[N], device;

	bench_setup(&b, 2, SEARCHES);
	device = house_hear(&b.house, 2, "255.255.255.255", 65001);
	for (uint16_t i = 0; i < N; i++) {
		phone[i] = house_hear(
			&b.house, 1, "10.9.1.2", (uint16_t)(40000 + i));
		house_say(&b.house, phone[i], 1, "255.255.255.255", 65001,
			"who", 3);
	}
	come(&b, device, "who", source, &port);
	house_send(&b.house, 2, source, port, 65001, 64, "me", 2);
	for (unsigned i = 0; i < N; i++) {
		bench_expect(&b, phone[i], "me", 2);
		(void)close(phone[i]);
	}
	(void)close(device);
	bench_close(&b);
}
END_TEST

/* The answers that are kept for a searcher who joins were judged in the scratch
 * of the search's own decision: it then leaked to segments behind. */
START_TEST(who_joins_does_not_make_the_search_leak)
{
	int first, second, device, guest;
	char source[64];
	struct bench b;
	uint16_t port;

	bench_setup(&b, 3,
		HEAD "  g: { address: 239.1.1.1, port: 5000, replies: proxy, "
		     "searchers: [one, three], devices: [two] }\n");
	first = house_hear(&b.house, 1, "10.9.1.2", 40000);
	second = house_hear(&b.house, 1, "10.9.1.2", 40001);
	device = house_hear(&b.house, 2, "239.1.1.1", 5000);
	guest = house_hear(&b.house, 3, "239.1.1.1", 5000);
	house_say(&b.house, first, 1, "239.1.1.1", 5000, "who", 3);
	come(&b, device, "who", source, &port);
	house_send(&b.house, 2, source, port, 5000, 64, "me", 2);
	bench_expect(&b, first, "me", 2);
	house_say(&b.house, second, 1, "239.1.1.1", 5000, "who", 3);
	bench_expect(&b, second, "me", 2);
	ck_assert(house_is_silent(&b.house, guest));
	ck_assert_uint_eq(bench_dropped(&b, "g", "three", RELAY_DIRECTION), 2);
	(void)close(first);
	(void)close(second);
	(void)close(device);
	(void)close(guest);
	bench_close(&b);
}
END_TEST

START_TEST(two_with_the_same_port_stay_apart)
{
	char one[64], three[64];
	uint16_t to_one, to_three;
	struct bench b;
	int a, c, device;

	bench_setup(&b, 3, SEARCHES);
	a = house_hear(&b.house, 1, "10.9.1.2", 40000);
	c = house_hear(&b.house, 3, "10.9.3.2", 40000);
	device = house_hear(&b.house, 2, "255.255.255.255", 65001);
	house_say(&b.house, a, 1, "255.255.255.255", 65001, "who", 3);
	come(&b, device, "who", one, &to_one);
	house_say(&b.house, c, 3, "255.255.255.255", 65001, "what", 4);
	come(&b, device, "what", three, &to_three);
	ck_assert_uint_ne(to_one, to_three);
	house_send(&b.house, 2, one, to_one, 65001, 64, "1", 1);
	house_send(&b.house, 2, three, to_three, 65001, 64, "3", 1);
	bench_expect(&b, a, "1", 1);
	bench_expect(&b, c, "3", 1);
	ck_assert(house_is_silent(&b.house, a));
	ck_assert(house_is_silent(&b.house, c));
	(void)close(a);
	(void)close(c);
	(void)close(device);
	bench_close(&b);
}
END_TEST

START_TEST(only_who_was_asked_may_answer)
{
	char source[64];
	struct bench b;
	uint16_t port;
	int phone, device;

	bench_setup(&b, 3, SEARCHES);
	phone = house_hear(&b.house, 1, "10.9.1.2", 40000);
	device = house_hear(&b.house, 2, "255.255.255.255", 65001);
	house_say(&b.house, phone, 1, "255.255.255.255", 65001, "who", 3);
	come(&b, device, "who", source, &port);
	/* From segment three, to the address on segment two. */
	house_run("nsenter --net=/proc/%d/fd/%d ip route add 10.9.2.1 via "
		  "10.9.3.1 dev h3",
		(int)getpid(), b.house.hosts);
	house_send(&b.house, 3, source, port, 65001, 64, "liar", 4);
	ck_assert(house_is_silent(&b.house, phone));
	ck_assert_uint_eq(bench_dropped(&b, "g", "two", RELAY_FILTER), 1);
	(void)close(phone);
	(void)close(device);
	bench_close(&b);
}
END_TEST

START_TEST(an_announcement_needs_no_flow)
{
	struct bench b;
	int ear;

	bench_setup(&b, 3, SEARCHES);
	ear = house_hear(&b.house, 2, "255.255.255.255", 65001);
	house_send(&b.house, 1, "255.255.255.255", 65001, 65001, 64, "hi", 2);
	bench_expect(&b, ear, "hi", 2);
	ck_assert_uint_eq(b.d.port, 65001);
	ck_assert_ptr_null(relay_flow_next(b.relay, NULL));
	(void)close(ear);
	bench_close(&b);
}
END_TEST

static bool has_no_flow(void *data)
{
	const struct bench *b = data;

	return !relay_flow_next(b->relay, NULL);
}

START_TEST(a_flow_ends_after_its_time_and_with_its_segment)
{
	struct bench b;
	int phone, device;

	bench_setup(&b, 2,
		HEAD "  g: { address: 239.1.1.1, port: 5000, replies: proxy, "
		     "reply-timeout: 200ms, interfaces: [one, two] }\n");
	phone = house_hear(&b.house, 1, "10.9.1.2", 40000);
	device = house_hear(&b.house, 2, "239.1.1.1", 5000);
	house_say(&b.house, phone, 1, "239.1.1.1", 5000, "who", 3);
	bench_expect(&b, device, "who", 3);
	ck_assert_ptr_nonnull(relay_flow_next(b.relay, NULL));
	ck_assert(house_wait(&b.house, has_no_flow, &b));
	house_say(&b.house, phone, 1, "239.1.1.1", 5000, "what", 4);
	bench_expect(&b, device, "what", 4);
	house_run("ip address flush dev r2");
	bench_wait(&b, "g", "two", RELAY_NO_ADDR);
	ck_assert(has_no_flow(&b));
	(void)close(phone);
	(void)close(device);
	bench_close(&b);
}
END_TEST

START_TEST(ports_come_from_the_range_and_flows_have_a_bound)
{
	struct relay_limit l;
	struct bench b;
	char text[16];
	int phone, device;

	bench_setup(&b, 2,
		"limits: { flows: 4 }\n"
		"flow-ports: 32000-32009\n" HEAD
		"  g: { address: 239.1.1.1, port: 5000, replies: proxy, "
		"interfaces: [one, two] }\n");
	phone = house_hear(&b.house, 1, "10.9.1.2", 40000);
	device = house_hear(&b.house, 2, "239.1.1.1", 5000);
	for (int i = 0; i < 20; i++) {
		(void)snprintf(text, sizeof(text), "who %d", i);
		house_say(&b.house, phone, 1, "239.1.1.1", 5000, text,
			strlen(text));
		bench_expect(&b, device, text, strlen(text));
		ck_assert_uint_ge(b.d.port, 32000);
		ck_assert_uint_le(b.d.port, 32009);
	}
	relay_flows(b.relay, &l);
	ck_assert_uint_eq(l.used, 4);
	ck_assert_uint_eq(l.evicted, 16);
	ck_assert_uint_eq(l.refused, 0);
	(void)close(phone);
	(void)close(device);
	bench_close(&b);
}
END_TEST

START_TEST(who_searches_without_end_ends_no_search_of_others)
{
	enum { OTHERS = 5, BOUND = 8, FLOOD = 40 };
	const struct relay_flow *f = NULL;
	struct relay_flow_info info;
	int device, evil, other[OTHERS];
	struct relay_limit l;
	char text[32];
	struct bench b;

	bench_setup(&b, 2,
		"limits: { flows: 8 }\n" HEAD
		"  g: { address: 239.1.1.1, port: 5000, replies: proxy, "
		"interfaces: [one, two] }\n");
	device = house_hear(&b.house, 2, "239.1.1.1", 5000);
	for (unsigned i = 0; i < OTHERS; i++) {
		(void)snprintf(text, sizeof(text), "10.9.1.%u", 10 + i);
		house_run("nsenter --net=/proc/%d/fd/%d ip address add %s/24 "
			  "dev h1",
			(int)getpid(), b.house.hosts, text);
		other[i] = house_hear(&b.house, 1, text, 40000);
		house_say(&b.house, other[i], 1, "239.1.1.1", 5000, text,
			strlen(text));
		bench_expect(&b, device, text, strlen(text));
	}
	evil = house_hear(&b.house, 1, "10.9.1.2", 40000);
	for (unsigned i = 0; i < FLOOD; i++) {
		(void)snprintf(text, sizeof(text), "who %u", i);
		house_say(&b.house, evil, 1, "239.1.1.1", 5000, text,
			strlen(text));
		bench_expect(&b, device, text, strlen(text));
	}
	/* The oldest come first: those of others, as they were. */
	for (unsigned i = 0; i < OTHERS; i++) {
		f = relay_flow_next(b.relay, f);
		ck_assert_ptr_nonnull(f);
		relay_flow_get(f, &info);
		ck_assert_uint_eq(info.id, i + 1);
		(void)close(other[i]);
	}
	relay_flows(b.relay, &l);
	ck_assert_uint_eq(l.used, BOUND);
	ck_assert_uint_eq(l.evicted, OTHERS + FLOOD - BOUND);
	(void)close(evil);
	(void)close(device);
	bench_close(&b);
}
END_TEST

START_TEST(works_over_ipv6_link_local_too)
{
	struct bench b;
	char text[16], source[64];
	uint16_t port;
	int phone, device;
	unsigned k = 0;

	bench_setup(&b, 2,
		HEAD "  g: { address: \"ff02::99\", port: 5000, "
		     "replies: proxy, interfaces: [one, two] }\n");
	phone = house_hear(&b.house, 1, "::", 40000);
	device = house_hear(&b.house, 2, "ff02::99", 5000);
	/* IPv6 is deaf for a second after a device came up. */
	do {
		(void)snprintf(text, sizeof(text), "who %u", k++);
		house_say(&b.house, phone, 1, "ff02::99", 5000, text,
			strlen(text));
		ck_assert_uint_lt(k, 1000);
	} while (house_is_silent(&b.house, device));
	house_next(&b.house, device, &b.d);
	ck_assert_int_eq(strncmp(b.d.source, "fe80:", 5), 0);
	(void)snprintf(source, sizeof(source), "%s", b.d.source);
	port = b.d.port;
	house_send(&b.house, 2, source, port, 5000, 64, "me", 2);
	bench_expect(&b, phone, "me", 2);
	ck_assert_uint_eq(b.d.port, 5000);
	(void)close(phone);
	(void)close(device);
	bench_close(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("relay_flows");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, an_answer_comes_back_to_who_searched);
	tcase_add_test(t, who_asks_the_same_joins_and_gets_all_answers);
	tcase_add_test(t, asked_again_the_same_answer_passes_again);
	tcase_add_test(t, a_hundred_that_ask_the_same_all_get_the_answer);
	tcase_add_test(t, who_joins_does_not_make_the_search_leak);
	tcase_add_test(t, two_with_the_same_port_stay_apart);
	tcase_add_test(t, only_who_was_asked_may_answer);
	tcase_add_test(t, an_announcement_needs_no_flow);
	tcase_add_test(t, a_flow_ends_after_its_time_and_with_its_segment);
	tcase_add_test(t, ports_come_from_the_range_and_flows_have_a_bound);
	tcase_add_test(t, who_searches_without_end_ends_no_search_of_others);
	tcase_add_test(t, works_over_ipv6_link_local_too);
	suite_add_tcase(s, t);
	return bench_main(s);
}
