/* The whole relay: searches that go to other sites, or come from there. */
#include "site_bench.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

START_TEST(a_search_on_the_only_segment_is_answered_from_elsewhere)
{
	struct relay_origin tv = { .site = "cabin", .port = ALL_PORTS };
	struct relay_flow_info i;
	struct bench b;
	size_t n = 9;
	int phone;

	site_setup(&b, 1, ONE ", replies: proxy }\n");
	site_carry(&b, true);
	phone = house_hear(&b.house, 1, "10.9.1.2", 40000);
	house_say(&b.house, phone, 1, "255.255.255.255", ALL_PORTS, "who", 3);
	ck_assert(house_is_silent(&b.house, phone));
	ck_assert_uint_eq(carried.times, 1);
	ck_assert_uint_ne(carried.flow, 0);
	relay_flow_get(relay_flow_next(b.relay, NULL), &i);
	ck_assert_uint_eq(i.id, carried.flow);
	ck_assert(relay_segment_is_outside(i.segment));
	ck_assert_uint_eq(i.port, 0);
	ck_assert_int_eq(net_address_parse("10.77.0.9", &tv.address), 0);
	ck_assert_int_eq(
		relay_bring_answer(b.relay, carried.flow, &tv, "me", 2, &n), 0);
	ck_assert_uint_eq(n, 1);
	bench_expect(&b, phone, "me", 2);
	ck_assert_str_eq(b.d.source, "10.9.1.1");
	ck_assert_uint_eq(b.d.port, ALL_PORTS);
	ck_assert_int_eq(b.d.ttl, 64);
	ck_assert_str_eq(taken.site, "cabin");
	ck_assert_uint_eq(taken.flow, carried.flow);
	/* Each identical one once, */
	ck_assert_int_eq(
		relay_bring_answer(b.relay, carried.flow, &tv, "me", 2, &n), 0);
	ck_assert_uint_eq(n, 0);
	ck_assert(house_is_silent(&b.house, phone));
	ck_assert_uint_eq(site_dropped(&b, RELAY_LOOP), 1);
	/* and none for a search that nobody made. */
	ck_assert_int_eq(
		relay_bring_answer(b.relay, carried.flow + 1, &tv, "me", 2, &n),
		-ENOENT);
	(void)close(phone);
	bench_close(&b);
}
END_TEST

START_TEST(who_searches_later_gets_what_was_kept_from_elsewhere)
{
	struct relay_origin tv = { .site = "cabin" };
	struct bench b;
	int first, second;
	size_t n;

	site_setup(&b, 2, TWO ", replies: proxy }\n");
	site_carry(&b, true);
	first = house_hear(&b.house, 1, "10.9.1.2", 40000);
	second = house_hear(&b.house, 1, "10.9.1.2", 40001);
	house_say(&b.house, first, 1, "255.255.255.255", ALL_PORTS, "who", 3);
	ck_assert(house_is_silent(&b.house, first));
	/* The flow to segment two is another one. */
	ck_assert_int_eq(
		relay_bring_answer(b.relay, carried.flow, &tv, "me", 2, &n), 0);
	bench_expect(&b, first, "me", 2);
	house_say(&b.house, second, 1, "255.255.255.255", ALL_PORTS, "who", 3);
	bench_expect(&b, second, "me", 2);
	ck_assert(house_is_silent(&b.house, second));
	(void)close(first);
	(void)close(second);
	bench_close(&b);
}
END_TEST

/* Where the search of another site comes to a device. */
static void ask(struct bench *b, int device, const char *text, char source[64],
	uint16_t *port)
{
	bench_expect(b, device, text, strlen(text));
	(void)snprintf(source, 64, "%s", b->d.source);
	*port = b->d.port;
}

START_TEST(a_search_of_another_site_is_answered_to_whoever_brought_it)
{
	struct relay_brought x = site_says("cabin", "10.77.0.9", 40000, "who");
	struct relay_brought_result r = { 0 };
	char source[64];
	struct bench b;
	uint16_t port;
	int device;

	site_setup(&b, 2, TWO ", replies: proxy }\n");
	device = house_hear(&b.house, 2, "255.255.255.255", ALL_PORTS);
	ck_assert_int_eq(site_bring(&b, &x, &r), 0);
	ck_assert_uint_eq(r.sent, 2);
	ck_assert_uint_eq(r.n_flows, 2);
	ask(&b, device, "who", source, &port);
	ck_assert_str_eq(source, "10.9.2.1");
	ck_assert_uint_ne(port, ALL_PORTS);
	house_send(&b.house, 2, source, port, ALL_PORTS, 64, "me", 2);
	ck_assert(house_is_silent(&b.house, device));
	ck_assert_uint_eq(answers.times, 1);
	ck_assert_str_eq(answers.text, "me");
	ck_assert(answers.flow == r.flows[0] || answers.flow == r.flows[1]);
	/* Another site that asks the same joins, and gets what was kept. */
	x.origin.site = "barn";
	ck_assert_int_eq(site_bring(&b, &x, &r), 0);
	ck_assert_uint_eq(r.sent, 0);
	ck_assert_uint_eq(r.n_flows, 2);
	ck_assert_uint_eq(answers.times, 2);
	ck_assert(house_is_silent(&b.house, device));
	/* What comes now is told once, for both. */
	house_send(&b.house, 2, source, port, ALL_PORTS, 64, "late", 4);
	ck_assert(house_is_silent(&b.house, device));
	ck_assert_uint_eq(answers.times, 3);
	(void)close(device);
	bench_close(&b);
}
END_TEST

START_TEST(searchers_of_both_kinds_share_a_flow)
{
	struct relay_brought x = site_says("cabin", NULL, 0, "who");
	struct relay_brought_result r = { 0 };
	char source[64];
	struct bench b;
	uint16_t port;
	int phone, device;

	x.kind = PROTO_SEARCH;
	site_setup(&b, 2, TWO ", replies: proxy }\n");
	phone = house_hear(&b.house, 1, "10.9.1.2", 40000);
	device = house_hear(&b.house, 2, "255.255.255.255", ALL_PORTS);
	house_say(&b.house, phone, 1, "255.255.255.255", ALL_PORTS, "who", 3);
	ask(&b, device, "who", source, &port);
	ck_assert_int_eq(site_bring(&b, &x, &r), 0);
	/* One flow was there, and segment one has heard it. */
	ck_assert_uint_eq(r.sent, 0);
	ck_assert_uint_eq(r.n_flows, 1);
	house_send(&b.house, 2, source, port, ALL_PORTS, 64, "me", 2);
	bench_expect(&b, phone, "me", 2);
	ck_assert_uint_eq(answers.times, 1);
	ck_assert_uint_eq(answers.flow, r.flows[0]);
	(void)close(phone);
	(void)close(device);
	bench_close(&b);
}
END_TEST

START_TEST(searches_come_to_the_devices_and_announcements_to_the_searchers)
{
	static const enum proto_kind kinds[] = { PROTO_SEARCH,
		PROTO_ANNOUNCEMENT, PROTO_PROBE, PROTO_OTHER };
	static const char *const heard_at[] = { "two", "one", "", "" };
	struct relay_brought x = site_says("cabin", NULL, 0, "here");
	int ears[2];
	struct bench b;

	x.kind = kinds[_i];
	site_setup(&b, 2, SIDES);
	ears[0] = house_hear(&b.house, 1, "255.255.255.255", ALL_PORTS);
	ears[1] = house_hear(&b.house, 2, "255.255.255.255", ALL_PORTS);
	ck_assert_uint_eq(site_sent(&b, &x), *heard_at[_i] ? 1 : 0);
	for (int i = 0; i < 2; i++) {
		if (!strcmp(heard_at[_i], i ? "two" : "one"))
			bench_expect(&b, ears[i], "here", 4);
		ck_assert(house_is_silent(&b.house, ears[i]));
		(void)close(ears[i]);
	}
	bench_close(&b);
}
END_TEST

START_TEST(searchers_ask_other_sites_and_devices_announce_there)
{
	struct bench b;
	int phone, device;

	site_setup(&b, 2, SIDES);
	site_carry(&b, true);
	phone = house_hear(&b.house, 1, "10.9.1.2", 40000);
	device = house_hear(&b.house, 2, "10.9.2.2", ALL_PORTS);
	house_say(&b.house, phone, 1, "255.255.255.255", ALL_PORTS, "who", 3);
	ck_assert(house_is_silent(&b.house, phone));
	ck_assert_int_eq(carried.verdict, RELAY_SENT);
	ck_assert_str_eq(carried.text, "who");
	house_say(&b.house, device, 2, "255.255.255.255", ALL_PORTS, "me", 2);
	ck_assert(house_is_silent(&b.house, device));
	ck_assert_int_eq(carried.verdict, RELAY_SENT);
	ck_assert_str_eq(carried.text, "me");
	/* Never the other way. */
	house_send(
		&b.house, 2, "255.255.255.255", ALL_PORTS, 40000, 9, "no", 2);
	ck_assert(house_is_silent(&b.house, device));
	ck_assert_int_eq(carried.verdict, RELAY_DIRECTION);
	ck_assert_uint_eq(carried.times, 3);
	(void)close(phone);
	(void)close(device);
	bench_close(&b);
}
END_TEST

START_TEST(what_is_larger_than_a_datagram_is_refused)
{
	static char large[65508];
	struct relay_brought x = site_says("cabin", NULL, 0, "here");
	struct relay_brought_result r = { 0 };
	struct bench b;
	size_t n;

	site_setup(&b, 1, ONE ", replies: proxy }\n");
	x.data = large;
	x.size = sizeof(large);
	ck_assert_int_eq(site_bring(&b, &x, &r), -EMSGSIZE);
	x.size = 0;
	ck_assert_int_eq(site_bring(&b, &x, &r), 0);
	ck_assert_uint_eq(r.sent, 1);
	x = site_says("cabin", NULL, 0, "who");
	x.kind = PROTO_SEARCH;
	ck_assert_int_eq(site_bring(&b, &x, &r), 0);
	ck_assert_uint_eq(r.n_flows, 1);
	ck_assert_int_eq(relay_bring_answer(b.relay, r.flows[0], &x.origin,
				 large, sizeof(large), &n),
		-EMSGSIZE);
	bench_close(&b);
}
END_TEST

/* A reload that changes the group ends its flows, and no count. */
START_TEST(a_group_that_changes_ends_its_flows_and_forgets_no_count)
{
	struct relay_brought x = site_says("cabin", NULL, 0, "who");
	struct relay_brought_result r = { 0 };
	struct relay_site_counts n;
	struct relay_limit l;
	struct bench b;
	int phone;

	x.kind = PROTO_SEARCH;
	site_setup(&b, 1, ONE ", replies: proxy }\n");
	site_carry(&b, true);
	phone = house_hear(&b.house, 1, "10.9.1.2", 40000);
	house_say(&b.house, phone, 1, "255.255.255.255", ALL_PORTS, "what", 4);
	ck_assert(house_is_silent(&b.house, phone));
	ck_assert_int_eq(site_bring(&b, &x, &r), 0);
	x = site_says("cabin", NULL, 0, "here");
	ck_assert_uint_eq(site_sent(&b, &x), 1);
	ck_assert_uint_eq(site_sent(&b, &x), 0);
	relay_flows(b.relay, &l);
	ck_assert_uint_eq(l.used, 2);
	bench_configure(&b, ONE ", replies: proxy, hold: 7s }\n");
	relay_flows(b.relay, &l);
	ck_assert_uint_eq(l.used, 0);
	relay_site_counts(b.relay, &n);
	ck_assert_uint_eq(n.carried, 1);
	ck_assert_uint_eq(n.relayed, 3);
	ck_assert_uint_eq(site_dropped(&b, RELAY_LOOP), 1);
	(void)close(phone);
	bench_close(&b);
}
END_TEST

/* Sites share the bound on flows with hosts here, and evict fairly. */
START_TEST(one_site_does_not_push_out_the_flows_of_others)
{
	struct relay_brought x = site_says("barn", NULL, 0, "first");
	struct relay_brought_result r = { 0 };
	struct relay_limit l;
	char text[16];
	struct bench b;

	x.kind = PROTO_SEARCH;
	site_setup(&b, 1, "limits: { flows: 4 }\n" ONE ", replies: proxy }\n");
	ck_assert_uint_eq(site_sent(&b, &x), 1);
	for (unsigned i = 0; i < 12; i++) {
		(void)snprintf(text, sizeof(text), "who%u", i);
		x = site_says("cabin", NULL, 0, text);
		x.kind = PROTO_SEARCH;
		ck_assert_uint_eq(site_sent(&b, &x), 1);
	}
	relay_flows(b.relay, &l);
	ck_assert_uint_eq(l.used, 4);
	ck_assert_uint_eq(l.evicted, 9);
	/* That of barn is still there: who asks the same now joins it. */
	x = site_says("mill", NULL, 0, "first");
	x.kind = PROTO_SEARCH;
	ck_assert_int_eq(site_bring(&b, &x, &r), 0);
	ck_assert_uint_eq(r.n_flows, 1);
	ck_assert_uint_eq(r.sent, 0);
	bench_close(&b);
}
END_TEST

static void add_tests(TCase *t)
{
	tcase_add_test(
		t, a_search_on_the_only_segment_is_answered_from_elsewhere);
	tcase_add_test(t, who_searches_later_gets_what_was_kept_from_elsewhere);
	tcase_add_test(
		t, a_search_of_another_site_is_answered_to_whoever_brought_it);
	tcase_add_test(t, searchers_of_both_kinds_share_a_flow);
	tcase_add_loop_test(t,
		searches_come_to_the_devices_and_announcements_to_the_searchers,
		0, 4);
	tcase_add_test(t, searchers_ask_other_sites_and_devices_announce_there);
	tcase_add_test(t, what_is_larger_than_a_datagram_is_refused);
	tcase_add_test(
		t, a_group_that_changes_ends_its_flows_and_forgets_no_count);
	tcase_add_test(t, one_site_does_not_push_out_the_flows_of_others);
}

int main(void)
{
	Suite *s = suite_create("sites");
	TCase *t = tcase_create("searches");

	add_tests(t);
	suite_add_tcase(s, t);
	return bench_main(s);
}
