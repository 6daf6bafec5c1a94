/* Tests of mqtt/searches: who waits for answers, and how long. */
#include "mqtt/searches.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BOUND = 4 };

static const struct siphash_key key = { 7, 8 };
static struct searches s;
static char asked[256]; /* the sites that were called for, in order */

static void open_searches(void)
{
	searches_init(&s, BOUND, &key);
}

static void close_searches(void)
{
	searches_done(&s);
	ck_assert_uint_eq(s.quota.used, 0);
}

static struct net_address holder(unsigned n)
{
	struct net_address a = { .family = AF_INET };

	a.v4.s_addr = htonl(0xc0000200u + n);
	return a;
}

static void add(const char *site, int64_t flow, unsigned who, uint64_t at)
{
	struct search search = { .flow = flow };
	struct net_address a = holder(who);

	(void)snprintf(search.site, sizeof(search.site), "%s", site);
	ck_assert_int_eq(searches_add(&s, &search, &a, at), 0);
}

static void note(void *data, const struct search *search)
{
	ck_assert_ptr_eq(data, &s);
	(void)strcat(asked, search->site);
}

/* Those who wait for a flow. */
static const char *waiting(int64_t flow, uint64_t at)
{
	asked[0] = '\0';
	ck_assert_uint_eq(searches_each(&s, flow, at, note, &s), strlen(asked));
	return asked;
}

START_TEST(calls_for_all_who_wait_for_a_flow)
{
	add("a", 1, 1, 0);
	add("b", 2, 1, 0);
	add("c", 1, 2, 0);
	ck_assert_str_eq(waiting(1, 0), "ac");
	ck_assert_str_eq(waiting(2, 0), "b");
	ck_assert_str_eq(waiting(3, 0), "");
	/* Again and again: there may be many answers. */
	ck_assert_str_eq(waiting(1, 0), "ac");
}
END_TEST

START_TEST(waits_exactly_as_long_as_it_should)
{
	add("a", 1, 1, 1000);
	add("b", 1, 1, 2000);
	ck_assert_str_eq(waiting(1, 1000 + SEARCHES_WAIT_MS - 1), "ab");
	ck_assert_str_eq(waiting(1, 1000 + SEARCHES_WAIT_MS), "b");
	ck_assert_str_eq(waiting(1, 2000 + SEARCHES_WAIT_MS - 1), "b");
	ck_assert_str_eq(waiting(1, 2000 + SEARCHES_WAIT_MS), "");
	ck_assert_uint_eq(s.quota.used, 0);
}
END_TEST

START_TEST(who_asks_most_loses_its_oldest)
{
	add("a", 1, 1, 0);
	add("b", 1, 2, 0);
	add("c", 1, 2, 0);
	add("d", 1, 2, 0);
	ck_assert_str_eq(waiting(1, 0), "abcd");
	add("e", 1, 3, 0);
	ck_assert_str_eq(waiting(1, 0), "acde");
	add("f", 1, 2, 0);
	ck_assert_str_eq(waiting(1, 0), "adef");
	ck_assert_uint_eq(s.quota.evicted, 2);
}
END_TEST

START_TEST(what_has_ended_makes_room_before_anybody_loses)
{
	for (unsigned n = 0; n < BOUND; n++)
		add("a", 1, 1, 0);
	add("b", 1, 2, SEARCHES_WAIT_MS);
	ck_assert_str_eq(waiting(1, SEARCHES_WAIT_MS), "b");
	ck_assert_uint_eq(s.quota.evicted, 0);
}
END_TEST

/* ---- answers that come too early ---- */

static void keep(int64_t flow, int number, uint64_t at)
{
	json_t *event = json_pack("{s:i}", "n", number);

	searches_keep(&s, flow, event, at);
	/* What is kept is a copy. */
	(void)json_object_set_new(event, "n", json_integer(-1));
	json_decref(event);
}

/* -1: none. */
static int kept(int64_t flow, uint64_t at)
{
	json_t *event = searches_kept(&s, flow, at);
	int n = event == NULL
			? -1
			: (int)json_integer_value(json_object_get(event, "n"));

	json_decref(event);
	return n;
}

START_TEST(gives_back_the_early_ones_of_a_flow_in_order_and_once)
{
	keep(1, 10, 0);
	keep(2, 20, 0);
	keep(1, 11, 0);
	ck_assert_int_eq(kept(3, 0), -1);
	ck_assert_int_eq(kept(1, 0), 10);
	ck_assert_int_eq(kept(1, 0), 11);
	ck_assert_int_eq(kept(1, 0), -1);
	ck_assert_int_eq(kept(2, 0), 20);
}
END_TEST

START_TEST(keeps_early_ones_for_a_moment_only)
{
	keep(1, 10, 1000);
	keep(1, 11, 1001);
	ck_assert_int_eq(kept(1, 1000 + SEARCHES_EARLY_MS), 11);
	keep(1, 12, 1000);
	ck_assert_int_eq(kept(1, 1000 + SEARCHES_EARLY_MS - 1), 12);
}
END_TEST

START_TEST(keeps_the_last_few_early_ones_in_order)
{
	for (int n = 0; n < SEARCHES_EARLY + 3; n++)
		keep(1, n, 0);
	for (int n = 3; n < SEARCHES_EARLY + 3; n++)
		ck_assert_int_eq(kept(1, 0), n);
	ck_assert_int_eq(kept(1, 0), -1);
}
END_TEST

/* A sanitizer sees what is not let go of. */
START_TEST(lets_go_of_all_at_its_end)
{
	add("a", 1, 1, 0);
	keep(1, 10, 0);
	searches_done(&s);
	ck_assert_int_eq(kept(1, 0), -1);
	searches_init(&s, BOUND, &key);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mqtt_searches");
	TCase *t = tcase_create("searches");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(t, open_searches, close_searches);
	tcase_add_test(t, calls_for_all_who_wait_for_a_flow);
	tcase_add_test(t, waits_exactly_as_long_as_it_should);
	tcase_add_test(t, who_asks_most_loses_its_oldest);
	tcase_add_test(t, what_has_ended_makes_room_before_anybody_loses);
	tcase_add_test(
		t, gives_back_the_early_ones_of_a_flow_in_order_and_once);
	tcase_add_test(t, keeps_early_ones_for_a_moment_only);
	tcase_add_test(t, keeps_the_last_few_early_ones_in_order);
	tcase_add_test(t, lets_go_of_all_at_its_end);
	suite_add_tcase(suite, t);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
