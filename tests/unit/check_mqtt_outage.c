/*
 * What a loss does to what is carried: of the broker, of other sites, of
 * crierd.
 */
#include "mqtt_stage.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define CONFIG                                                                 \
	"site: home\nbrokers: mqtts://broker.example\ngroups: { raw: {} }\n"
#define ALIVE "[{'key':'k','expires_in':90,'goodbye':false}]"
#define BYE   "[{'key':'k','expires_in':0,'goodbye':true}]"

static const char topic[] = "crier/1/home/raw/announce/k";
static const char theirs[] = "crier/1/cabin/raw/announce/k";
static struct stage s;

static void open_home(void)
{
	stage_open(&s, CONFIG);
	stage_ready(&s, "raw=none");
	stage_heard(&s, "raw", "announcement", "hello", ALIVE, NULL);
	stage_clear(&s);
}

static void close_stage(void)
{
	stage_close(&s);
}

static void lose_broker(void)
{
	stage_disconnect(&s);
	stage_clear(&s);
}

static void say_bye(void)
{
	stage_heard(&s, "raw", "announcement", "bye", BYE, NULL);
}

/* It is kept for all who come back within `expires_s`. */
static void is_kept(const struct stage_message *m, uint32_t expires_s)
{
	ck_assert_str_eq(m->topic, topic);
	ck_assert(m->retain);
	ck_assert_int_eq(m->qos, 1);
	ck_assert_mem_eq(m->payload, "bye", 3);
	ck_assert(m->m.goodbye);
	ck_assert_uint_eq(m->m.expires_s, expires_s);
}

/* For whoever is there; then there is nothing. */
static void is_not_kept(void)
{
	ck_assert_uint_eq(s.n_said, 2);
	ck_assert(!s.said[0].retain);
	ck_assert(s.said[0].m.goodbye);
	ck_assert(s.said[1].retain);
	ck_assert_uint_eq(s.said[1].size, 0);
}

/* ---- goodbyes ---- */

/* Others may come back after this site, to a broker that has forgotten all:
 * what they know would live on there. */
START_TEST(a_goodbye_while_the_broker_is_away_is_kept_for_others)
{
	lose_broker();
	say_bye();
	stage_wait(&s, 10000);
	stage_connect(&s);
	ck_assert_ptr_nonnull(stage_said(&s, topic));
	is_kept(stage_said(&s, topic), 80);
}
END_TEST

START_TEST(so_is_one_that_the_broker_may_not_have_passed_on)
{
	say_bye();
	is_not_kept();
	lose_broker();
	stage_connect(&s);
	ck_assert_ptr_nonnull(stage_said(&s, topic));
	is_kept(stage_said(&s, topic), 90);
}
END_TEST

START_TEST(so_is_one_soon_after_a_return_and_later_none)
{
	lose_broker();
	stage_connect(&s);
	stage_wait(&s, 59999);
	stage_clear(&s);
	say_bye();
	ck_assert_uint_eq(s.n_said, 1);
	is_kept(&s.said[0], 31);
	stage_heard(&s, "raw", "announcement", "hello", ALIVE, NULL);
	stage_wait(&s, 1);
	stage_clear(&s);
	say_bye();
	is_not_kept();
}
END_TEST

START_TEST(so_is_one_while_another_site_is_away)
{
	stage_message(&s, "crier/1/cabin/online", "offline", NULL, true);
	say_bye();
	ck_assert_uint_eq(s.n_said, 1);
	is_kept(&s.said[0], 90);
	stage_heard(&s, "raw", "announcement", "hello", ALIVE, NULL);
	stage_message(&s, "crier/1/cabin/online", "online", NULL, false);
	stage_clear(&s);
	say_bye();
	is_not_kept();
}
END_TEST

START_TEST(a_goodbye_is_kept_for_ten_minutes_at_most)
{
	lose_broker();
	stage_heard(&s, "raw", "announcement", "hello",
		"[{'key':'k','expires_in':3600,'goodbye':false}]", NULL);
	say_bye();
	stage_connect(&s);
	is_kept(stage_said(&s, topic), 600);
	stage_wait(&s, 601000);
	ck_assert_uint_eq(shelf_count(&s.c->own), 0);
}
END_TEST

START_TEST(a_goodbye_is_not_said_where_it_is_alive_again)
{
	lose_broker();
	say_bye();
	stage_heard(&s, "raw", "announcement", "again", ALIVE, NULL);
	stage_connect(&s);
	ck_assert(!stage_said(&s, topic)->m.goodbye);
	ck_assert_mem_eq(stage_said(&s, topic)->payload, "again", 5);
	/* Nor is an old one when that ends without a word. */
	stage_clear(&s);
	stage_event(&s, "{'event':'expired','group':'raw','key':'k'}");
	ck_assert_uint_eq(s.n_said, 1);
	ck_assert_uint_eq(s.said[0].size, 0);
}
END_TEST

/* The window is full between the two halves of a goodbye. */
START_TEST(a_goodbye_that_was_said_is_not_said_again)
{
	s.window = 1;
	say_bye();
	ck_assert_uint_eq(s.n_said, 1);
	ck_assert(s.said[0].m.goodbye);
	s.window = SIZE_MAX;
	s.broker.ready(s.broker.data);
	is_not_kept();
}
END_TEST

/* ---- what others say again ---- */

START_TEST(relays_a_goodbye_that_was_kept_once)
{
	struct message m = stage_from("cabin", "t1");

	stage_message(&s, theirs, "hello", &m, true);
	lose_broker();
	stage_connect(&s);
	m = stage_from("cabin", "t2");
	m.goodbye = true;
	for (unsigned i = 0; i < 3; i++)
		stage_message(&s, theirs, "bye", &m, true);
	ck_assert_uint_eq(stage_calls(&s, "relay"), 1);
	ck_assert_str_eq(stage_payload(stage_call(&s, "relay")), "bye");
	ck_assert_uint_eq(shelf_count(&s.c->known), 0);
	ck_assert_uint_eq(sites_find(&s.c->sites, "cabin")->entries, 0);
}
END_TEST

/* What the broker had on its disk is older than what it said last. */
START_TEST(relays_nothing_that_it_relayed_before)
{
	struct message one = stage_from("cabin", "t1");
	struct message two = stage_from("cabin", "t2");

	stage_message(&s, theirs, "one", &one, false);
	stage_message(&s, theirs, "two", &two, false);
	lose_broker();
	stage_connect(&s);
	stage_message(&s, theirs, "one", &one, true);
	stage_message(&s, theirs, "two", &two, false);
	ck_assert_uint_eq(stage_calls(&s, "relay"), 0);
}
END_TEST

START_TEST(takes_nobody_for_there_while_the_broker_is_away)
{
	const json_t *sites;

	stage_message(&s, "crier/1/cabin/online", "online", NULL, true);
	stage_message(&s, "crier/1/yard/online", "online", NULL, true);
	stage_wait(&s, 2000);
	lose_broker();
	stage_wait(&s, 2000);
	sites = json_object_get(stage_call(&s, "sites")->params, "sites");
	ck_assert_uint_eq(json_array_size(sites), 2);
	for (size_t i = 0; i < 2; i++)
		ck_assert(json_is_false(
			json_object_get(json_array_get(sites, i), "online")));
	/* One comes back, of the other nothing is said. */
	stage_connect(&s);
	stage_message(&s, "crier/1/cabin/online", "online", NULL, true);
	ck_assert(sites_find(&s.c->sites, "cabin")->online);
	ck_assert(!sites_find(&s.c->sites, "yard")->online);
}
END_TEST

/* ---- another crierd ---- */

/* It has been there for a while when it is looked at. */
static void another_crierd(const char *discovered)
{
	s.linked = false;
	s.link.disconnected(s.link.data, "gone");
	stage_link(&s, "raw=none");
	s.n_patterns = 0;
	stage_clear(&s);
	stage_wait(&s, 4000);
	stage_answer(&s, stage_call(&s, "status"), "{'uptime_seconds':500}");
	stage_answer(&s, stage_call(&s, "discovered"), discovered);
}

START_TEST(a_crierd_that_knows_nothing_is_told_again)
{
	struct message m = stage_from("cabin", "t1");

	stage_message(&s, theirs, "hello", &m, true);
	another_crierd("{'entries':[],'cursor':null}");
	/* It asks the broker for all of it, and lets it pass then. */
	ck_assert(stage_has_pattern(&s, "crier/1/+/raw/announce/+"));
	stage_clear(&s);
	stage_message(&s, theirs, "hello", &m, true);
	stage_message(&s, theirs, "hello", &m, true);
	ck_assert_uint_eq(stage_calls(&s, "relay"), 1);
}
END_TEST

START_TEST(one_that_knows_it_all_is_not)
{
	struct message m = stage_from("cabin", "t1");

	stage_message(&s, theirs, "hello", &m, true);
	another_crierd("{'entries':[{'group':'raw','key':'k','site':'cabin'}],"
		       "'cursor':null}");
	ck_assert_uint_eq(s.n_patterns, 0);
	stage_message(&s, theirs, "hello", &m, true);
	ck_assert_uint_eq(stage_calls(&s, "relay"), 0);
}
END_TEST

/* ---- another crier-mqtt ---- */

static char now[CARRIER_TIME];

/* A time that is so long after now. */
static const char *heard_in(int64_t ms)
{
	carrier_time(carrier_wall_ms() + ms, now);
	return now;
}

START_TEST(ends_what_a_young_crierd_has_heard_itself_and_lost)
{
	struct message m;

	stage_close(&s);
	stage_open(&s, CONFIG);
	stage_link(&s, "raw=none");
	stage_connect(&s);
	m = stage_from("home", heard_in(-4000));
	stage_message(&s, topic, "x", &m, true);
	m = stage_from("home", heard_in(-6000));
	stage_message(&s, "crier/1/home/raw/announce/old", "x", &m, true);
	stage_clear(&s);
	stage_wait(&s, 4000);
	stage_answer(&s, stage_call(&s, "status"), "{'uptime_seconds':5}");
	stage_answer(&s, stage_call(&s, "discovered"),
		"{'entries':[],'cursor':null}");
	ck_assert_ptr_nonnull(stage_said(&s, topic));
	ck_assert_uint_eq(stage_said(&s, topic)->size, 0);
	/* That was before it began: it may not have heard of it yet. */
	ck_assert_ptr_null(stage_said(&s, "crier/1/home/raw/announce/old"));
}
END_TEST

/* It is on none of the pages that were read before. */
START_TEST(does_not_end_what_is_heard_while_it_looks)
{
	another_crierd("{'entries':[],'cursor':1}");
	stage_heard(&s, "raw", "announcement", "hello", ALIVE, NULL);
	stage_answer(&s, stage_call(&s, "discovered"),
		"{'entries':[],'cursor':null}");
	ck_assert_uint_eq(s.n_said, 1);
	ck_assert_uint_eq(s.said[0].size, 5);
}
END_TEST

START_TEST(knows_another_with_its_name_by_what_that_announces)
{
	struct message m = stage_from("home", heard_in(-60000));

	/* Its own, of an earlier life. */
	stage_message(&s, "crier/1/home/raw/announce/a", "x", &m, true);
	ck_assert_uint_eq(s.c->impostors, 0);
	m = stage_from("home", heard_in(1000));
	stage_message(&s, "crier/1/home/raw/announce/b", "x", &m, true);
	ck_assert_uint_eq(s.c->impostors, 1);
}
END_TEST

START_TEST(is_not_taken_in_by_what_it_said_before_a_loss)
{
	struct message m;

	lose_broker();
	stage_connect(&s);
	m = stage_said(&s, topic)->m;
	stage_message(&s, topic, "hello", &m, true);
	say_bye();
	stage_message(&s, topic, "hello", &m, true);
	ck_assert_uint_eq(s.c->impostors, 0);
}
END_TEST

START_TEST(what_waits_for_room_goes_on_when_others_have_left_it)
{
	struct message m = stage_from("cabin", "t1");

	s.room = 16;
	stage_message(&s, theirs, "hello", &m, true);
	ck_assert_uint_eq(stage_calls(&s, "relay"), 0);
	s.room = 17;
	stage_wait(&s, 20);
	ck_assert_uint_eq(stage_calls(&s, "relay"), 1);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("mqtt/outage");
	TCase *t = tcase_create("loss");

	tcase_add_checked_fixture(t, open_home, close_stage);
	tcase_add_test(
		t, a_goodbye_while_the_broker_is_away_is_kept_for_others);
	tcase_add_test(t, so_is_one_that_the_broker_may_not_have_passed_on);
	tcase_add_test(t, so_is_one_soon_after_a_return_and_later_none);
	tcase_add_test(t, so_is_one_while_another_site_is_away);
	tcase_add_test(t, a_goodbye_is_kept_for_ten_minutes_at_most);
	tcase_add_test(t, a_goodbye_is_not_said_where_it_is_alive_again);
	tcase_add_test(t, a_goodbye_that_was_said_is_not_said_again);
	tcase_add_test(t, relays_a_goodbye_that_was_kept_once);
	tcase_add_test(t, relays_nothing_that_it_relayed_before);
	tcase_add_test(t, takes_nobody_for_there_while_the_broker_is_away);
	tcase_add_test(t, a_crierd_that_knows_nothing_is_told_again);
	tcase_add_test(t, one_that_knows_it_all_is_not);
	tcase_add_test(t, ends_what_a_young_crierd_has_heard_itself_and_lost);
	tcase_add_test(t, does_not_end_what_is_heard_while_it_looks);
	tcase_add_test(t, knows_another_with_its_name_by_what_that_announces);
	tcase_add_test(t, is_not_taken_in_by_what_it_said_before_a_loss);
	tcase_add_test(t, what_waits_for_room_goes_on_when_others_have_left_it);
	suite_add_tcase(suite, t);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(make_suite());
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
