/* Services of crier's own: who asks for them, in namespaces. */
#include "service_stage.h"

#include "mdns_fixture.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* "#" stands for a letter: the questions of a table are asked at once, each of
 * a service of its own. */
static const char *own(const char *text, size_t k, char out_text[128])
{
	char *at;

	(void)snprintf(out_text, 128, "%s", text);
	for (at = out_text; (at = strchr(at, '#')); at++)
		*at = (char)('a' + k);
	return out_text;
}

/* Services of run time of which each is called as own() has it. */
static void begin_each(struct stage *s, size_t n)
{
	char name[128], text[128];

	stage_setup(s, 1, M);
	stage_start(s);
	for (size_t k = 0; k < n; k++)
		ck_assert_int_eq(
			stage_add(s, own("#", k, name),
				own("{ group: m, interval: 1h, service: { "
				    "name: Lab#, type: _t#._tcp, port: 631, "
				    "host: h# } }",
					k, text)),
			0);
	stage_wait_sent(s, 2 * (unsigned)n);
}

static void assert_answered(struct stage *s, size_t k, bool is_answered)
{
	char name[128];

	ck_assert_msg(
		stage_info(s, own("#", k, name)).sent == (is_answered ? 3 : 2),
		"number %zu", k);
	ck_assert_uint_gt(stage_info(s, name).next_in_ms, NOT_SOON_MS);
}

static const struct {
	const char *name;
	uint16_t type, from;
	bool is_answered;
} questions[] = {
	{ "_t#._tcp.local", MDNS_PTR, 5353, true },
	{ "_T#._tcp.LOCAL", MDNS_PTR, 5353, true },
	{ "_t#._tcp.local", MDNS_ANY, 5353, true },
	{ "_t#._tcp.local", MDNS_PTR, 0, true },
	{ "_t#._tcp.local", MDNS_SRV, 5353, false },
	{ "_color._sub._t#._tcp.local", MDNS_PTR, 5353, false },
	{ "_t#._udp.local", MDNS_PTR, 5353, false },
	{ "_t#._tcp.example", MDNS_PTR, 5353, false },
	{ "Lab#._t#._tcp.local", MDNS_SRV, 5353, true },
	{ "Lab#._t#._tcp.local", MDNS_TXT, 5353, true },
	{ "Lab#._t#._tcp.local", MDNS_ANY, 5353, true },
	{ "lAB#._t#._tcp.local", MDNS_SRV, 5353, true },
	{ "Lab#._t#._tcp.local", MDNS_A, 5353, false },
	{ "Lab#2._t#._tcp.local", MDNS_SRV, 5353, false },
	{ "h#.local", MDNS_A, 5353, true },
	{ "h#.local", MDNS_AAAA, 5353, true },
	{ "h#.local", MDNS_ANY, 5353, true },
	{ "h#.local", MDNS_SRV, 5353, false },
	{ "h#", MDNS_A, 5353, false },
};

START_TEST(questions_for_its_names_bring_the_announcement)
{
	const size_t n = COUNT(questions);
	unsigned answers = 0;
	struct stage s;
	char name[128];

	begin_each(&s, n);
	for (size_t k = 0; k < n; k++) {
		service_ask(&s, own(questions[k].name, k, name),
			questions[k].type, questions[k].from);
		answers += questions[k].is_answered;
	}
	stage_wait_sent(&s, 2 * (unsigned)n + answers);
	for (size_t k = 0; k < n; k++)
		assert_answered(&s, k, questions[k].is_answered);
	stage_close(&s);
}
END_TEST

START_TEST(an_answer_waits_20_to_120_ms)
{
	struct stage s;
	int ear = service_begin(&s, M LAB);
	uint64_t asked;

	for (unsigned n = 0; n < 3; n++) {
		service_wait_for_quiet(&s);
		asked = uv_now(&s.b.house.loop);
		service_ask(&s, "_ipp._tcp.local", MDNS_PTR, 5353);
		stage_wait_next(&s, "lab", NOT_SOON_MS);
		ck_assert_uint_le(stage_info(&s, "lab").next_in_ms, 120);
		service_expect(&s, ear);
		ck_assert_uint_ge(s.now_ms - asked, 20);
	}
	service_end(&s, ear);
}
END_TEST

START_TEST(many_questions_bring_one_answer_a_second)
{
	struct stage s;
	int ear = service_begin(&s, M LAB);

	for (unsigned round = 1; round <= 2; round++) {
		for (unsigned n = 0; n < 5; n++) {
			service_ask(&s, "_ipp._tcp.local", MDNS_PTR, 5353);
			service_ask(&s, INSTANCE, MDNS_SRV, 5353);
			ck_assert(house_is_silent(&s.b.house, ear));
		}
		service_expect(&s, ear);
		ck_assert_uint_ge(s.gap_ms, 1000);
		ck_assert_uint_eq(s.sent, 2 + round);
		ck_assert(house_is_silent(&s.b.house, ear));
		ck_assert_uint_gt(
			stage_info(&s, "lab").next_in_ms, NOT_SOON_MS);
	}
	service_end(&s, ear);
}
END_TEST

START_TEST(a_probe_for_its_name_is_answered_at_once)
{
	struct mdns_name n = fixture_name(INSTANCE);
	struct mdns_name host = fixture_name("other.local");
	struct mdns_writer w;
	struct stage s;
	int ear = service_begin(&s, M LAB);

	w = service_message(&s, 0);
	ck_assert_int_eq(mdns_put_question(&w, &n, MDNS_ANY, true), 0);
	ck_assert_int_eq(
		mdns_put_srv(&w, MDNS_AUTHORITY, &n, 120, 80, &host), 0);
	service_say(&s, &w, 5353);
	stage_wait_next(&s, "lab", NOT_SOON_MS);
	ck_assert_uint_le(stage_info(&s, "lab").next_in_ms, 250);
	service_expect(&s, ear);
	ck_assert_uint_ge(s.gap_ms, 250);
	ck_assert_uint_lt(s.gap_ms, 1000);
	/* Which is no announcement of another host. */
	ck_assert_int_eq(stage_info(&s, "lab").state, ANNOUNCE_ACTIVE);
	service_end(&s, ear);
}
END_TEST

/* A question for `type`, whose known answer is `name` to `target`. */
static void ask_knowing(struct stage *s, const char *asked, const char *name,
	const char *target, uint32_t ttl, const char *more)
{
	struct mdns_name q = fixture_name(asked), n = fixture_name(name);
	struct mdns_name t = fixture_name(target);
	struct mdns_writer w = service_message(s, 0);

	ck_assert_int_eq(mdns_put_question(&w, &q, MDNS_PTR, false), 0);
	if (more) {
		struct mdns_name m = fixture_name(more);

		ck_assert_int_eq(mdns_put_question(&w, &m, MDNS_SRV, false), 0);
	}
	ck_assert_int_eq(mdns_put_ptr(&w, MDNS_ANSWER, &n, ttl, &t), 0);
	service_say(s, &w, 5353);
}

static const struct {
	const char *asked, *name, *target;
	uint32_t ttl;
	const char *more;
	bool is_answered;
} known[] = {
	{ "_t#._tcp.local", "_t#._tcp.local", "Lab#._t#._tcp.local", 4500, NULL,
		false },
	{ "_t#._tcp.local", "_T#._tcp.local", "LAB#._t#._tcp.local", 2250, NULL,
		false },
	{ "_t#._tcp.local", "_t#._tcp.local", "Lab#._t#._tcp.local", 2249, NULL,
		true },
	{ "_t#._tcp.local", "_t#._tcp.local", "Lab#2._t#._tcp.local", 4500,
		NULL, true },
	{ "_t#._tcp.local", "_t#._tcp.local", "Lab#._t#._tcp.local", 4500,
		"Lab#._t#._tcp.local", true },
	{ "_t#._tcp.local", "_u#._tcp.local", "Lab#._t#._tcp.local", 4500, NULL,
		true },
	{ "_t#._tcp.local", ENUMERATION, "_t#._tcp.local", 4500, NULL, true },
};

START_TEST(a_known_answer_is_not_given_again)
{
	char asked[128], name[128], target[128], more[128];
	const size_t n = COUNT(known);
	unsigned answers = 0;
	struct stage s;

	begin_each(&s, n);
	for (size_t k = 0; k < n; k++) {
		ask_knowing(&s, own(known[k].asked, k, asked),
			own(known[k].name, k, name),
			own(known[k].target, k, target), known[k].ttl,
			known[k].more ? own(known[k].more, k, more) : NULL);
		answers += known[k].is_answered;
	}
	stage_wait_sent(&s, 2 * (unsigned)n + answers);
	for (size_t k = 0; k < n; k++)
		assert_answered(&s, k, known[k].is_answered);
	stage_close(&s);
}
END_TEST

START_TEST(a_type_is_known_where_types_are_asked_for)
{
	struct stage s;
	int ear = service_begin(&s, M LAB);

	ask_knowing(
		&s, ENUMERATION, ENUMERATION, "_ipp._tcp.local", 2250, NULL);
	ck_assert(house_is_silent(&s.b.house, ear));
	ck_assert_uint_gt(stage_info(&s, "lab").next_in_ms, NOT_SOON_MS);
	ask_knowing(
		&s, ENUMERATION, ENUMERATION, "_ipp._tcp.local", 2249, NULL);
	service_expect(&s, ear);
	service_wait_for_quiet(&s);
	ask_knowing(&s, ENUMERATION, "_ipp._tcp.local", INSTANCE, 4500, NULL);
	service_expect(&s, ear);
	service_end(&s, ear);
}
END_TEST

START_TEST(an_answer_goes_where_the_question_came_from)
{
	struct stage s;
	int ear[3];

	stage_setup(&s, 2,
		HEAD "  m: { address: 224.0.0.251, port: 5353, ttl: 255, "
		     "interfaces: [one, two], payload: mdns }\n"
		     "announcements:\n" LAB);
	for (unsigned n = 1; n <= 2; n++)
		ear[n] = service_hear(&s, n);
	stage_start(&s);
	for (unsigned n = 1; n <= 2; n++) {
		ck_assert(service_next(&s, ear[n]).is_question);
		service_expect(&s, ear[n]);
		service_expect(&s, ear[n]);
	}
	service_ask(&s, "_ipp._tcp.local", MDNS_PTR, 5353);
	service_expect(&s, ear[1]);
	ck_assert_uint_eq(s.sent, 5);
	/* The question was relayed, and the answer was not said there. */
	ck_assert_uint_eq(service_next(&s, ear[2]).ptr, 0);
	ck_assert(house_is_silent(&s.b.house, ear[2]));
	(void)close(ear[2]);
	service_end(&s, ear[1]);
}
END_TEST

START_TEST(a_thousand_questions_cost_little)
{
	struct mdns_name n = fixture_name("_ipp._tcp.local");
	struct mdns_writer w;
	char name[16], text[128];
	struct stage s;

	stage_setup(&s, 1, M LAB);
	stage_start(&s);
	for (unsigned i = 0; i < ANNOUNCE_RUNTIME_MAX; i++) {
		(void)snprintf(name, sizeof(name), "s%u", i);
		(void)snprintf(text, sizeof(text),
			"{ group: m, interval: 1h, service: { name: %s, "
			"type: _ipp._tcp, port: 1 } }",
			name);
		ck_assert_int_eq(stage_add(&s, name, text), 0);
	}
	stage_wait_sent(&s, 2 * (ANNOUNCE_RUNTIME_MAX + 1));
	w = service_message(&s, 0);
	while (mdns_put_question(&w, &n, MDNS_PTR, false) == 0)
		;
	for (unsigned i = 0; i < 100; i++)
		service_say(&s, &w, 5353);
	stage_wait_sent(&s, 3 * (ANNOUNCE_RUNTIME_MAX + 1));
	stage_close(&s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("announce_mdns");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, questions_for_its_names_bring_the_announcement);
	tcase_add_test(t, an_answer_waits_20_to_120_ms);
	tcase_add_test(t, many_questions_bring_one_answer_a_second);
	tcase_add_test(t, a_probe_for_its_name_is_answered_at_once);
	tcase_add_test(t, a_known_answer_is_not_given_again);
	tcase_add_test(t, a_type_is_known_where_types_are_asked_for);
	tcase_add_test(t, an_answer_goes_where_the_question_came_from);
	tcase_add_test(t, a_thousand_questions_cost_little);
	suite_add_tcase(s, t);
	return bench_main(s);
}
