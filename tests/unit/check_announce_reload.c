/* crier's own announcements: from one configuration to the next. */
#include "announce_stage.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define G HEAD "  g: { address: 239.1.1.1, port: 5000, interfaces: [one] }\n"
#define G_TTL                                                                  \
	HEAD "  g: { address: 239.1.1.1, port: 5000, interfaces: [one], "      \
	     "ttl: 7 }\n"
#define H         HEAD "  h: { address: 239.1.1.2, port: 5000, interfaces: [one] }\n"
#define FROM_FILE "announcements:\n"
#define A                                                                      \
	"  a: { group: g, payload: { text: hi }, goodbye: { text: bye }, "     \
	"interval: 1h }\n"
#define A_ELSE                                                                 \
	"  a: { group: g, payload: { text: else }, goodbye: { text: bye }, "   \
	"interval: 1h }\n"
#define B                                                                      \
	"  b: { group: g, payload: { text: other }, "                          \
	"goodbye: { text: never }, interval: 1h }\n"
#define RUNTIME                                                                \
	"{ group: g, payload: { text: run }, goodbye: { text: stop }, "        \
	"interval: 1h }"

static int listen_on(struct stage *s)
{
	return house_hear(&s->b.house, 1, "239.1.1.1", 5000);
}

START_TEST(what_stays_the_same_goes_on_undisturbed)
{
	struct stage s;
	int ear;

	stage_setup(&s, 1, G FROM_FILE A B);
	ear = listen_on(&s);
	stage_start(&s);
	stage_expect(&s, ear, "hi");
	stage_expect(&s, ear, "other");
	stage_reload(&s, G FROM_FILE "# moved\n" B A);
	ck_assert(house_is_silent(&s.b.house, ear));
	ck_assert_uint_eq(stage_info(&s, "a").sent, 1);
	ck_assert_uint_gt(stage_info(&s, "a").next_in_ms, 3000000);
	ck_assert_str_eq(stage_info(&s, "a").name, "a");
	ck_assert_uint_eq(s.goodbyes + s.states + s.removed, 0);
	(void)close(ear);
	stage_close(&s);
}
END_TEST

START_TEST(what_is_changed_says_goodbye_and_begins_anew)
{
	struct stage s;
	int ear;

	stage_setup(&s, 1, G FROM_FILE A B);
	ear = listen_on(&s);
	stage_start(&s);
	stage_expect(&s, ear, "hi");
	stage_expect(&s, ear, "other");
	stage_reload(&s, G FROM_FILE A_ELSE B);
	stage_expect(&s, ear, "bye");
	stage_expect(&s, ear, "else");
	ck_assert(house_is_silent(&s.b.house, ear));
	ck_assert_uint_eq(stage_info(&s, "a").sent, 1);
	ck_assert_uint_eq(stage_info(&s, "b").sent, 1);
	ck_assert_uint_eq(s.goodbyes, 1);
	ck_assert_uint_eq(s.removed, 0);
	(void)close(ear);
	stage_close(&s);
}
END_TEST

START_TEST(what_is_removed_says_goodbye)
{
	struct stage s;
	int ear;

	stage_setup(&s, 1, G FROM_FILE A B);
	ear = listen_on(&s);
	stage_start(&s);
	stage_expect(&s, ear, "hi");
	stage_expect(&s, ear, "other");
	stage_reload(&s, G FROM_FILE B);
	stage_expect(&s, ear, "bye");
	ck_assert(house_is_silent(&s.b.house, ear));
	ck_assert(!stage_has(&s, "a"));
	ck_assert_uint_eq(s.removed, 1);
	(void)close(ear);
	stage_close(&s);
}
END_TEST

START_TEST(a_changed_group_hears_goodbye_and_then_all_anew)
{
	struct stage s;
	int ear;

	stage_setup(&s, 1, G FROM_FILE A);
	ear = listen_on(&s);
	stage_start(&s);
	stage_expect(&s, ear, "hi");
	ck_assert_int_eq(stage_add(&s, "r", RUNTIME), 0);
	stage_expect(&s, ear, "run");
	stage_reload(&s, G_TTL FROM_FILE A);
	stage_expect(&s, ear, "bye");
	ck_assert_int_eq(s.b.d.ttl, 1);
	stage_expect(&s, ear, "stop");
	stage_expect(&s, ear, "hi");
	ck_assert_int_eq(s.b.d.ttl, 7);
	stage_expect(&s, ear, "run");
	ck_assert(house_is_silent(&s.b.house, ear));
	ck_assert_uint_eq(s.goodbyes, 2);
	ck_assert_uint_eq(s.states + s.removed, 0);
	(void)close(ear);
	stage_close(&s);
}
END_TEST

START_TEST(one_of_run_time_waits_for_its_group)
{
	struct stage s;
	int ear;

	stage_setup(&s, 1, G);
	ear = listen_on(&s);
	stage_start(&s);
	ck_assert_int_eq(stage_add(&s, "r", RUNTIME), 0);
	stage_expect(&s, ear, "run");
	stage_reload(&s, H);
	stage_expect(&s, ear, "stop");
	ck_assert_int_eq(stage_info(&s, "r").state, ANNOUNCE_NO_GROUP);
	ck_assert_str_eq(stage_info(&s, "r").error, "the group g is no more");
	ck_assert_str_eq(
		announce_state_word(stage_info(&s, "r").state), "no-group");
	ck_assert(stage_info(&s, "r").next_in_ms == UINT64_MAX);
	ck_assert_uint_eq(s.states, 1);
	stage_reload(&s, HEAD "  g: { address: 239.1.1.1, port: 5000, "
			      "from: [one] }\n");
	ck_assert_str_eq(
		stage_info(&s, "r").error, "the group g only listens now");
	ck_assert_uint_eq(s.states, 1);
	stage_reload(&s, G);
	stage_expect(&s, ear, "run");
	ck_assert_int_eq(stage_info(&s, "r").state, ANNOUNCE_ACTIVE);
	ck_assert_str_eq(stage_info(&s, "r").error, "");
	ck_assert_uint_eq(stage_info(&s, "r").sent, 2);
	ck_assert_uint_eq(s.states, 2);
	ck_assert_uint_eq(s.removed, 0);
	(void)close(ear);
	stage_close(&s);
}
END_TEST

START_TEST(a_service_of_run_time_needs_its_decoder)
{
#define M(decoder)                                                             \
	HEAD "  m: { address: 224.0.0.251, port: 5353, interfaces: [one], "    \
	     "payload: " decoder " }\n"
	struct stage s;

	stage_setup(&s, 1, M("mdns"));
	stage_start(&s);
	ck_assert_int_eq(stage_add(&s, "r",
				 "{ group: m, service: { name: N, "
				 "type: _x._tcp, port: 1 } }"),
		0);
	ck_assert(stage_info(&s, "r").is_service);
	stage_wait_sent(&s, 1);
	stage_reload(&s, M("none"));
	ck_assert_uint_eq(s.goodbyes, 1);
	ck_assert_int_eq(stage_info(&s, "r").state, ANNOUNCE_NO_GROUP);
	stage_reload(&s, M("mdns"));
	ck_assert_int_eq(stage_info(&s, "r").state, ANNOUNCE_ACTIVE);
	stage_wait_sent(&s, 2);
	stage_close(&s);
}
END_TEST

START_TEST(the_file_takes_over_a_name)
{
	struct stage s;
	int ear;

	stage_setup(&s, 1, G);
	ear = listen_on(&s);
	stage_start(&s);
	ck_assert_int_eq(stage_add(&s, "a", RUNTIME), 0);
	stage_expect(&s, ear, "run");
	stage_reload(&s, G FROM_FILE A);
	stage_expect(&s, ear, "stop");
	stage_expect(&s, ear, "hi");
	ck_assert(!stage_info(&s, "a").runtime);
	ck_assert_uint_eq(stage_info(&s, "a").sent, 1);
	ck_assert_ptr_null(announce_next(s.a, announce_next(s.a, NULL)));
	stage_reload(&s, G);
	stage_expect(&s, ear, "bye");
	ck_assert_ptr_null(announce_next(s.a, NULL));
	(void)close(ear);
	stage_close(&s);
}
END_TEST

START_TEST(those_of_the_file_come_first_in_its_order)
{
	static const char *const names[] = { "b", "a", "r1", "r2" };
	const struct announce_entry *e = NULL;
	struct announce_info i;
	struct stage s;

	stage_setup(&s, 1, G FROM_FILE A);
	stage_start(&s);
	ck_assert_int_eq(stage_add(&s, "r1", RUNTIME), 0);
	ck_assert_int_eq(stage_add(&s, "r2", RUNTIME), 0);
	stage_reload(&s, G FROM_FILE B A);
	for (size_t k = 0; k < 4; k++) {
		e = announce_next(s.a, e);
		ck_assert_ptr_nonnull(e);
		announce_get(s.a, e, &i);
		ck_assert_str_eq(i.name, names[k]);
	}
	ck_assert_ptr_null(announce_next(s.a, e));
	stage_close(&s);
}
END_TEST

START_TEST(a_next_one_that_is_not_taken_over_is_made_good)
{
	struct config *c;
	struct stage s;
	int ear;

	stage_setup(&s, 1, G FROM_FILE A);
	ear = listen_on(&s);
	stage_start(&s);
	stage_expect(&s, ear, "hi");
	c = bench_parse(G);
	announce_prepare(s.a, c);
	config_unref(c);
	stage_expect(&s, ear, "bye");
	stage_expect(&s, ear, "hi");
	(void)close(ear);
	stage_close(&s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("announce_reload");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, what_stays_the_same_goes_on_undisturbed);
	tcase_add_test(t, what_is_changed_says_goodbye_and_begins_anew);
	tcase_add_test(t, what_is_removed_says_goodbye);
	tcase_add_test(t, a_changed_group_hears_goodbye_and_then_all_anew);
	tcase_add_test(t, one_of_run_time_waits_for_its_group);
	tcase_add_test(t, a_service_of_run_time_needs_its_decoder);
	tcase_add_test(t, the_file_takes_over_a_name);
	tcase_add_test(t, those_of_the_file_come_first_in_its_order);
	tcase_add_test(t, a_next_one_that_is_not_taken_over_is_made_good);
	suite_add_tcase(s, t);
	return bench_main(s);
}
