/* Tests of mqtt/sites: other sites, and what of theirs waits. */
#include "mqtt/sites.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GROUPS = 3 };

static const struct siphash_key key = { 5, 6 };
static struct sites s;
static struct shelf shelf;

static void open_sites(void)
{
	sites_init(&s, GROUPS, &key);
	shelf_init(&shelf, 1000, &key, NULL, NULL);
}

static void close_sites(void)
{
	shelf_done(&shelf);
	sites_done(&s);
	ck_assert_ptr_null(sites_next(&s, NULL));
}

static struct site *get(const char *name)
{
	struct site *site = sites_get(&s, name);

	ck_assert_ptr_nonnull(site);
	ck_assert_str_eq(site->name, name);
	return site;
}

static struct shelf_item *put(const char *name)
{
	struct net_address nobody = { .family = AF_INET };
	struct shelf_item *i;

	ck_assert_int_eq(shelf_put(&shelf, name, &nobody, &i), 1);
	return i;
}

START_TEST(makes_each_site_once_with_a_lane_for_each_group)
{
	struct site *site;

	ck_assert_ptr_null(sites_find(&s, "home"));
	site = get("home");
	ck_assert_ptr_eq(get("home"), site);
	ck_assert_ptr_eq(sites_find(&s, "home"), site);
	ck_assert_uint_eq(s.n, 1);
	for (size_t i = 0; i < GROUPS; i++) {
		ck_assert_ptr_eq(site->lanes[i].site, site);
		ck_assert_uint_eq(site->lanes[i].group, i);
	}
	sites_forget(&s, site);
	ck_assert_ptr_null(sites_find(&s, "home"));
	ck_assert_uint_eq(s.n, 0);
}
END_TEST

START_TEST(keeps_the_longest_name_whole)
{
	char name[CONFIG_SITE_NAME + 1];

	memset(name, 'x', CONFIG_SITE_NAME);
	name[CONFIG_SITE_NAME] = '\0';
	get(name);
	ck_assert_ptr_nonnull(sites_find(&s, name));
}
END_TEST

static void fill(bool online)
{
	char name[16];

	for (unsigned n = 0; n < SITES_MAX; n++) {
		(void)snprintf(name, sizeof(name), "s%u", n);
		get(name)->online = online;
	}
}

START_TEST(one_of_which_nothing_is_known_makes_room)
{
	fill(true);
	ck_assert_ptr_null(sites_get(&s, "more"));
	ck_assert_uint_eq(s.refused, 1);
	/* Those that are there already are found all the same. */
	get("s0");
	get("s7")->online = false;
	get("more");
	ck_assert_ptr_null(sites_find(&s, "s7"));
	ck_assert_uint_eq(s.n, SITES_MAX);
	ck_assert_uint_eq(s.refused, 1);
}
END_TEST

START_TEST(one_that_has_entries_or_something_waiting_makes_none)
{
	struct site *site;

	fill(true);
	site = sites_find(&s, "s7");
	site->online = false;
	site->entries = 1;
	ck_assert_ptr_null(sites_get(&s, "more"));
	site->entries = 0;
	sites_list(&s, &site->lanes[2], put("a"));
	ck_assert_ptr_null(sites_get(&s, "more"));
	ck_assert_ptr_nonnull(shelf_list_take(&site->lanes[2].todo));
	/* It is in the round until its turn comes. */
	ck_assert_ptr_null(sites_turn(&s));
	get("more");
}
END_TEST

START_TEST(walks_all_of_them)
{
	struct site *site = NULL;
	unsigned n = 0;

	get("a");
	get("b");
	get("c");
	while ((site = sites_next(&s, site)) != NULL)
		n++;
	ck_assert_uint_eq(n, 3);
}
END_TEST

START_TEST(each_site_is_a_holder_of_its_own)
{
	struct net_address a, again, b;

	sites_holder(&s, "a", &a);
	sites_holder(&s, "a", &again);
	sites_holder(&s, "b", &b);
	ck_assert_mem_eq(&a, &again, sizeof(a));
	ck_assert_mem_ne(a.bytes, b.bytes, 8);
}
END_TEST

/* ---- lanes ---- */

/* How many of `n` may pass now. */
static unsigned may(struct site_lane *l, uint32_t rate, uint64_t at, unsigned n)
{
	unsigned passed = 0;

	while (n-- > 0)
		passed += lane_may(l, rate, at);
	return passed;
}

START_TEST(a_rate_lets_a_second_of_it_pass_at_once)
{
	struct site_lane *l = get("a")->lanes;

	ck_assert_uint_eq(may(l, 10, 5000, 20), 10);
	/* A tenth of a second is worth one, and not before it is over. */
	ck_assert_uint_eq(may(l, 10, 5099, 5), 0);
	ck_assert_uint_eq(may(l, 10, 5100, 5), 1);
	ck_assert_uint_eq(may(l, 10, 5350, 5), 2);
	ck_assert_uint_eq(may(l, 10, 5400, 5), 1);
	ck_assert_uint_eq(may(l, 10, 6399, 50), 9);
	ck_assert_uint_eq(may(l, 10, 600000, 50), 10);
}
END_TEST

START_TEST(a_rate_holds_over_time_however_often_it_is_asked)
{
	struct site_lane *l = get("a")->lanes;
	unsigned passed = 0;

	for (uint64_t at = 1; at <= 10000; at++)
		passed += may(l, 3, at, 2);
	ck_assert_uint_ge(passed, 3 * 10);
	ck_assert_uint_le(passed, 3 * 11);
}
END_TEST

START_TEST(without_a_rate_all_passes)
{
	struct site_lane *l = get("a")->lanes;

	ck_assert_uint_eq(may(l, 0, 1, 100000), 100000);
}
END_TEST

START_TEST(lanes_have_a_rate_each)
{
	struct site *a = get("a"), *b = get("b");

	ck_assert_uint_eq(may(&a->lanes[0], 5, 1, 9), 5);
	ck_assert_uint_eq(may(&a->lanes[1], 5, 1, 9), 5);
	ck_assert_uint_eq(may(&b->lanes[0], 5, 1, 9), 5);
}
END_TEST

/*
 * Each had a place of its own number, which another could take long before:
 * what a broker said again after a loss was relayed twice then.
 */
START_TEST(a_lane_remembers_the_last_of_them_whatever_they_are)
{
	struct site_lane *l = get("a")->lanes;

	/* The same place each, if there were places. */
	for (uint64_t n = 1; n <= LANE_RECENT; n++)
		ck_assert(!lane_repeats(l, n * LANE_RECENT * 2));
	for (uint64_t n = 1; n <= LANE_RECENT; n++)
		ck_assert(lane_repeats(l, n * LANE_RECENT * 2));
	/* One more, and the first is forgotten, but no other. */
	ck_assert(!lane_repeats(l, 2));
	for (uint64_t n = 2; n <= LANE_RECENT; n++)
		ck_assert(lane_repeats(l, n * LANE_RECENT * 2));
	ck_assert(!lane_repeats(l, LANE_RECENT * 2));
}
END_TEST

START_TEST(a_lane_forgets_what_it_is_to)
{
	struct site_lane *l = get("a")->lanes;

	ck_assert(!lane_repeats(l, 0));
	ck_assert(lane_repeats(l, 0));
	lane_forgets(l, 0);
	ck_assert(!lane_repeats(l, 0));
	ck_assert(!lane_repeats(l, 100));
	lane_forgets(l, 100);
	lane_forgets(l, 100);
	lane_forgets(l, 12345);
	ck_assert(lane_repeats(l, 0));
	ck_assert(!lane_repeats(l, 100));
}
END_TEST

START_TEST(lanes_take_turns)
{
	struct site *a = get("a"), *b = get("b");

	ck_assert_ptr_null(sites_turn(&s));
	sites_list(&s, &a->lanes[0], put("1"));
	sites_list(&s, &a->lanes[0], put("2"));
	sites_list(&s, &a->lanes[0], put("3"));
	sites_list(&s, &b->lanes[1], put("4"));
	ck_assert_ptr_eq(sites_turn(&s), &a->lanes[0]);
	ck_assert_ptr_eq(sites_turn(&s), &b->lanes[1]);
	ck_assert_ptr_eq(sites_turn(&s), &a->lanes[0]);
	/* One with nothing left is passed over. */
	ck_assert_ptr_nonnull(shelf_list_take(&b->lanes[1].todo));
	ck_assert_ptr_eq(sites_turn(&s), &a->lanes[0]);
	ck_assert(!b->lanes[1].busy);
	/* And comes again when it has something. */
	sites_list(&s, &b->lanes[1], put("5"));
	ck_assert_ptr_eq(sites_turn(&s), &a->lanes[0]);
	ck_assert_ptr_eq(sites_turn(&s), &b->lanes[1]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mqtt_sites");
	TCase *t = tcase_create("sites");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(t, open_sites, close_sites);
	tcase_add_test(t, makes_each_site_once_with_a_lane_for_each_group);
	tcase_add_test(t, keeps_the_longest_name_whole);
	tcase_add_test(t, one_of_which_nothing_is_known_makes_room);
	tcase_add_test(t, one_that_has_entries_or_something_waiting_makes_none);
	tcase_add_test(t, walks_all_of_them);
	tcase_add_test(t, each_site_is_a_holder_of_its_own);
	tcase_add_test(t, a_rate_lets_a_second_of_it_pass_at_once);
	tcase_add_test(t, a_rate_holds_over_time_however_often_it_is_asked);
	tcase_add_test(t, without_a_rate_all_passes);
	tcase_add_test(t, lanes_have_a_rate_each);
	tcase_add_test(t, a_lane_remembers_the_last_of_them_whatever_they_are);
	tcase_add_test(t, a_lane_forgets_what_it_is_to);
	tcase_add_test(t, lanes_take_turns);
	suite_add_tcase(suite, t);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
