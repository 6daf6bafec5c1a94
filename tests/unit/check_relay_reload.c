/* The whole relay: reload, standby, storms, explain. */
#include "relay_bench.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

START_TEST(a_reload_leaves_what_stays_untouched)
{
	struct relay_segment_info i;
	struct bench b;
	unsigned told;
	int ear;

	bench_setup(&b, 3, ONE_TWO);
	ear = house_hear(&b.house, 2, "239.1.1.1", 5000);
	house_send(&b.house, 1, "239.1.1.1", 5000, 0, 1, "x", 1);
	bench_expect(&b, ear, "x", 1);
	told = b.told;
	bench_configure(&b, HEAD "  other: { address: 239.1.1.1, port: 5000, "
				 "from: [one], to: [three] }\n"
				 "  g: { address: 239.1.1.1, port: 5000, "
				 "interfaces: [one, two] }\n");
	ck_assert(bench_find(&b, "g", "two", NULL, &i));
	ck_assert_uint_eq(i.counters->sent, 1);
	ck_assert_uint_eq(b.told, told + 2);
	ck_assert_str_eq(
		relay_group_config(relay_group_next(b.relay, NULL))->name,
		"other");
	bench_configure(&b, ONE_TWO);
	house_send(&b.house, 1, "239.1.1.1", 5000, 0, 1, "y", 1);
	bench_expect(&b, ear, "y", 1);
	ck_assert_ptr_null(relay_group_find(b.relay, "other"));
	ck_assert(bench_find(&b, "g", "two", NULL, &i));
	ck_assert_uint_eq(i.counters->sent, 2);
	(void)close(ear);
	bench_close(&b);
}
END_TEST

START_TEST(totals_keep_what_is_no_more)
{
	struct relay_counters c;
	struct bench b;
	int ear;

	bench_setup(&b, 2, ONE_TWO);
	ear = house_hear(&b.house, 2, "239.1.1.1", 5000);
	house_send(&b.house, 1, "239.1.1.1", 5000, 0, 1, "xyz", 3);
	bench_expect(&b, ear, "xyz", 3);
	bench_configure(&b, HEAD "  h: { address: 239.1.1.2, port: 5000, "
				 "interfaces: [one, two] }\n");
	relay_totals(b.relay, &c);
	ck_assert_uint_eq(c.received, 1);
	ck_assert_uint_eq(c.received_bytes, 3);
	ck_assert_uint_eq(c.sent, 1);
	ck_assert_uint_eq(c.sent_bytes, 3);
	(void)close(ear);
	bench_close(&b);
}
END_TEST

START_TEST(standby_concerns_only_who_says_so)
{
	struct bench b;
	int a, c;

	bench_setup(&b, 2,
		HEAD "  a: { address: 239.1.1.1, port: 5000, "
		     "interfaces: [one, two], standby: true }\n"
		     "  c: { address: 239.1.1.2, port: 5000, "
		     "interfaces: [one, two] }\n");
	ck_assert(relay_is_standby(b.relay));
	a = house_hear(&b.house, 2, "239.1.1.1", 5000);
	c = house_hear(&b.house, 2, "239.1.1.2", 5000);
	house_send(&b.house, 1, "239.1.1.1", 5000, 0, 1, "x", 1);
	house_send(&b.house, 1, "239.1.1.2", 5000, 0, 1, "x", 1);
	bench_expect(&b, c, "x", 1);
	ck_assert(house_is_silent(&b.house, a));
	ck_assert_uint_eq(bench_dropped(&b, "a", "two", RELAY_STANDBY), 1);
	relay_set_standby(b.relay, false);
	house_send(&b.house, 1, "239.1.1.1", 5000, 0, 1, "y", 1);
	bench_expect(&b, a, "y", 1);
	(void)close(a);
	(void)close(c);
	bench_close(&b);
}
END_TEST

START_TEST(a_host_without_end_is_silenced_and_told_of_once)
{
	struct relay_limit l;
	struct bench b;
	int ear;

	bench_setup(&b, 2, ONE_TWO);
	ear = house_hear(&b.house, 2, "239.1.1.1", 5000);
	for (unsigned i = 0; i < 100; i++)
		house_send(&b.house, 1, "239.1.1.1", 5000, 0, 1, "x", 1);
	for (unsigned i = 0; i < 16; i++)
		bench_expect(&b, ear, "x", 1);
	ck_assert(house_is_silent(&b.house, ear));
	ck_assert_uint_eq(bench_dropped(&b, "g", "two", RELAY_LOOP), 84);
	ck_assert_uint_eq(b.storms, 1);
	relay_remembered(b.relay, &l);
	ck_assert_uint_eq(l.used, 1);
	ck_assert_uint_eq(l.bound, 65536);
	(void)close(ear);
	bench_close(&b);
}
END_TEST

START_TEST(what_this_host_sends_is_not_relayed)
{
	struct bench b;
	int ear;

	bench_setup(&b, 2, ONE_TWO);
	ear = house_hear(&b.house, 2, "239.1.1.1", 5000);
	house_run("echo own | socat - UDP4-DATAGRAM:239.1.1.1:5000,"
		  "ip-multicast-if=10.9.1.1");
	ck_assert(house_is_silent(&b.house, ear));
	ck_assert_uint_eq(bench_dropped(&b, "g", "one", RELAY_OWN), 1);
	(void)close(ear);
	bench_close(&b);
}
END_TEST

struct said {
	unsigned n;
	struct relay_answer answer;
	char interface[32];
};

static void note(void *data, const struct relay_answer *a)
{
	struct relay_segment_info i;
	struct said *s = data;

	relay_segment_get(a->segment, &i);
	(void)snprintf(s->interface, sizeof(s->interface), "%s", i.interface);
	s->answer = *a;
	s->n++;
}

static enum relay_verdict explained(struct bench *b, const char *group,
	const char *from, const char *source)
{
	struct relay_question q = {
		.group = group, .interface = from, .ttl = -1, .size = 10
	};
	struct said said = { 0 };

	ck_assert_int_eq(net_address_parse(source, &q.source), 0);
	ck_assert_int_eq(relay_explain(b->relay, &q, note, &said), 0);
	ck_assert_uint_eq(said.n, 1);
	ck_assert_ptr_nonnull(said.answer.rule);
	return said.answer.verdict;
}

START_TEST(explains_as_it_decides)
{
	struct relay_question q = {
		.group = "g", .interface = "one", .ttl = -1
	};
	struct said said = { 0 };
	struct bench b;

	bench_setup(&b, 2, ONE_TWO);
	ck_assert_int_eq(explained(&b, "g", "one", "10.9.1.2"), RELAY_SENT);
	ck_assert_int_eq(explained(&b, "g", "r1", "10.9.1.2"), RELAY_SENT);
	ck_assert_int_eq(explained(&b, "g", "one", "10.9.1.1"), RELAY_OWN);
	ck_assert_int_eq(explained(&b, "g", "one", "10.9.2.2"), RELAY_LOOP);
	house_run("ip link set r2 down");
	bench_wait(&b, "g", "two", RELAY_DOWN);
	ck_assert_int_eq(explained(&b, "g", "one", "10.9.1.2"), RELAY_ERROR);
	ck_assert_int_eq(net_address_parse("10.9.1.2", &q.source), 0);
	q.group = "h";
	ck_assert_int_eq(relay_explain(b.relay, &q, note, &said), -ENOENT);
	q.group = "g";
	q.interface = "three";
	ck_assert_int_eq(relay_explain(b.relay, &q, note, &said), -ENODEV);
	q.interface = "one";
	ck_assert_int_eq(net_address_parse("fd09:1::2", &q.source), 0);
	ck_assert_int_eq(relay_explain(b.relay, &q, note, &said), -ENODEV);
	ck_assert_uint_eq(said.n, 0);
	bench_close(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("relay_reload");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_reload_leaves_what_stays_untouched);
	tcase_add_test(t, totals_keep_what_is_no_more);
	tcase_add_test(t, standby_concerns_only_who_says_so);
	tcase_add_test(t, a_host_without_end_is_silenced_and_told_of_once);
	tcase_add_test(t, what_this_host_sends_is_not_relayed);
	tcase_add_test(t, explains_as_it_decides);
	suite_add_tcase(s, t);
	return bench_main(s);
}
