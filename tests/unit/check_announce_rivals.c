/* Services of crier's own: rivals, and hosts of the same name. */
#include "service_stage.h"

#include "mdns_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- rivals ---- */

static void say_srv(struct stage *s, const char *name, uint16_t port,
	const char *host, uint32_t ttl)
{
	struct mdns_writer w =
		service_message(s, MDNS_RESPONSE | MDNS_AUTHORITATIVE);
	struct mdns_name n = fixture_name(name), h = fixture_name(host);

	ck_assert_int_eq(mdns_put_srv(&w, MDNS_ANSWER, &n, ttl, port, &h), 0);
	service_say(s, &w, 5353);
}

START_TEST(a_rival_silences_and_its_goodbye_frees)
{
	struct announce_info i;
	struct stage s;
	int ear = service_begin(&s, M LAB);
	uint64_t freed;

	say_srv(&s, "LAB._ipp._tcp.local", 80, "other.local", 120);
	stage_wait_state(&s, "lab", ANNOUNCE_SILENT);
	i = stage_info(&s, "lab");
	ck_assert_str_eq(i.error,
		"10.9.1.2 announces this name (port 80 of other.local)");
	ck_assert(i.next_in_ms == UINT64_MAX);
	ck_assert_uint_eq(s.states, 1);
	service_ask(&s, "_ipp._tcp.local", MDNS_PTR, 5353);
	ck_assert(house_is_silent(&s.b.house, ear));
	ck_assert(stage_info(&s, "lab").next_in_ms == UINT64_MAX);
	/* Not the goodbye of somebody else. */
	say_srv(&s, INSTANCE, 81, "other.local", 0);
	ck_assert(house_is_silent(&s.b.house, ear));
	freed = uv_now(&s.b.house.loop);
	say_srv(&s, INSTANCE, 80, "Other.local", 0);
	stage_wait_state(&s, "lab", ANNOUNCE_ACTIVE);
	/* It lives for a second more. */
	ck_assert_uint_ge(uv_now(&s.b.house.loop), freed + 1000);
	ck_assert_str_eq(stage_info(&s, "lab").error, "");
	ck_assert_uint_eq(s.goodbyes, 0);
	ck_assert_uint_eq(s.states, 2);
	ck_assert(service_next(&s, ear).is_question);
	service_expect(&s, ear);
	service_expect(&s, ear);
	service_end(&s, ear);
}
END_TEST

/* What was said before the silence stayed in the caches of those to whom the
 * rival said no goodbye, as over the other family. */
START_TEST(who_may_speak_again_owes_a_goodbye_still)
{
	struct stage s;
	int ear = service_begin(&s, M LAB);

	say_srv(&s, INSTANCE, 80, "other.local", 120);
	stage_wait_state(&s, "lab", ANNOUNCE_SILENT);
	say_srv(&s, INSTANCE, 80, "other.local", 0);
	stage_wait_state(&s, "lab", ANNOUNCE_ACTIVE);
	/* Before it has said a word. */
	announce_close(s.a);
	s.a = NULL;
	service_expect_goodbye(&s, ear);
	service_end(&s, ear);
}
END_TEST

/* Responses from another port than 5353 are nobody's (RFC 6762, 6). */
START_TEST(who_speaks_from_another_port_is_no_rival)
{
	struct mdns_name n = fixture_name(INSTANCE),
			 h = fixture_name("o.local");
	struct stage s;
	int ear = service_begin(&s, M LAB);
	struct mdns_writer w =
		service_message(&s, MDNS_RESPONSE | MDNS_AUTHORITATIVE);

	ck_assert_int_eq(mdns_put_srv(&w, MDNS_ANSWER, &n, 120, 80, &h), 0);
	service_say(&s, &w, 40000);
	ck_assert(house_is_silent(&s.b.house, ear));
	ck_assert_int_eq(stage_info(&s, "lab").state, ANNOUNCE_ACTIVE);
	service_end(&s, ear);
}
END_TEST

/* It announced at once, and a host that had the name gave way. */
START_TEST(a_name_that_is_taken_is_never_announced)
{
	struct stage s;
	int ear;

	stage_setup(&s, 1, M LAB);
	ear = service_hear(&s, 1);
	stage_start(&s);
	ck_assert(service_next(&s, ear).is_question);
	ck_assert_uint_le(stage_info(&s, "lab").next_in_ms, 250);
	/* Not before it was announced itself. */
	service_ask(&s, "_ipp._tcp.local", MDNS_PTR, 5353);
	say_srv(&s, INSTANCE, 80, "other.local", 2);
	stage_wait_state(&s, "lab", ANNOUNCE_SILENT);
	ck_assert(service_next(&s, ear).is_question);
	ck_assert_uint_eq(s.sent, 0);
	ck_assert_uint_eq(s.states, 1);
	service_end(&s, ear);
}
END_TEST

START_TEST(a_silent_one_says_no_goodbye)
{
	struct stage s;
	int ear = service_begin(&s, M LAB);

	say_srv(&s, INSTANCE, 631, "other.local", 120);
	stage_wait_state(&s, "lab", ANNOUNCE_SILENT);
	stage_reload(&s, M);
	ck_assert(!stage_has(&s, "lab"));
	ck_assert_uint_eq(s.goodbyes, 0);
	ck_assert(house_is_silent(&s.b.house, ear));
	service_end(&s, ear);
}
END_TEST

START_TEST(a_rival_is_asked_for_before_its_record_ends)
{
	struct stage s;
	int ear = service_begin(&s, M LAB);

	say_srv(&s, INSTANCE, 80, "other.local", 2);
	stage_wait_state(&s, "lab", ANNOUNCE_SILENT);
	ck_assert(service_next(&s, ear).is_question);
	/* It is there still. */
	say_srv(&s, INSTANCE, 80, "other.local", 2);
	ck_assert(service_next(&s, ear).is_question);
	ck_assert_int_eq(stage_info(&s, "lab").state, ANNOUNCE_SILENT);
	ck_assert_uint_eq(s.sent, 2);
	/* And now it is not. */
	ck_assert(service_next(&s, ear).is_question);
	service_expect(&s, ear);
	service_expect(&s, ear);
	ck_assert_uint_eq(s.states, 2);
	service_end(&s, ear);
}
END_TEST

static const struct {
	const char *name;
	uint16_t port;
	const char *host;
	uint32_t ttl;
} no_rivals[] = {
	/* Our own, brought back by another relay. */
	{ INSTANCE, 631, "lab.local", 120 },
	{ "LAB._IPP._TCP.LOCAL", 631, "LAB.LOCAL", 120 },
	{ INSTANCE, 80, "other.local", 0 },
	{ "Lab2._ipp._tcp.local", 80, "other.local", 120 },
	{ "_ipp._tcp.local", 80, "other.local", 120 },
	{ "lab.local", 80, "other.local", 120 },
};

START_TEST(what_does_not_contradict_is_no_rival)
{
	struct stage s;
	int ear = service_begin(&s, M LAB);

	for (size_t k = 0; k < COUNT(no_rivals); k++)
		say_srv(&s, no_rivals[k].name, no_rivals[k].port,
			no_rivals[k].host, no_rivals[k].ttl);
	ck_assert(house_is_silent(&s.b.house, ear));
	ck_assert_uint_eq(s.states, 0);
	service_end(&s, ear);
}
END_TEST

/* Two announcements of one service contradicted each other. */
START_TEST(a_service_is_announced_once)
{
	struct stage s;

	stage_setup(&s, 1, M LAB);
	stage_start(&s);
	ck_assert_int_eq(stage_add(&s, "x",
				 "{ group: m, service: { name: LAB, "
				 "type: _ipp._tcp, port: 1 } }"),
		-ENOTUNIQ);
	ck_assert_int_eq(stage_add(&s, "x",
				 "{ group: m, service: { name: Lab 2, "
				 "type: _ipp._tcp, port: 1 } }"),
		0);
	/* The file has the word, also by another name. */
	stage_reload(&s, M LAB "  two: { group: m, service: { name: lab 2, "
			       "type: _ipp._tcp, port: 2 } }\n");
	ck_assert(!stage_has(&s, "x"));
	ck_assert(stage_has(&s, "two"));
	stage_close(&s);
}
END_TEST

/* ---- hosts ---- */

static void say_address(struct stage *s, const char *name, const char *address)
{
	struct mdns_writer w =
		service_message(s, MDNS_RESPONSE | MDNS_AUTHORITATIVE);
	struct mdns_name n = fixture_name(name);
	struct net_address a;

	ck_assert_int_eq(net_address_parse(address, &a), 0);
	ck_assert_int_eq(mdns_put_address(&w, MDNS_ANSWER, &n, 2, a.bytes,
				 net_address_size(&a)),
		0);
	service_say(s, &w, 5353);
}

START_TEST(a_host_that_has_the_name_speaks_for_itself)
{
	struct reply r;
	struct stage s;
	int ear = service_begin(&s, M LAB);

	say_address(&s, "lab.local", "10.9.1.2");
	service_ask(&s, "lab.local", MDNS_A, 5353);
	ck_assert(house_is_silent(&s.b.house, ear));
	ck_assert_uint_gt(stage_info(&s, "lab").next_in_ms, NOT_SOON_MS);
	service_ask(&s, INSTANCE, MDNS_SRV, 5353);
	r = service_next(&s, ear);
	ck_assert_uint_eq(r.srv, 1);
	ck_assert_uint_eq(r.a + r.aaaa, 0);
	ck_assert_int_eq(stage_info(&s, "lab").state, ANNOUNCE_ACTIVE);
	/* Until its record ends. */
	service_wait_for_quiet(&s);
	service_ask(&s, INSTANCE, MDNS_SRV, 5353);
	service_wait_for_quiet(&s);
	(void)service_next(&s, ear);
	service_ask(&s, INSTANCE, MDNS_SRV, 5353);
	service_expect(&s, ear);
	service_end(&s, ear);
}
END_TEST

static const struct {
	const char *name, *address;
} own_addresses[] = {
	{ "lab.local", "10.9.1.1" },
	{ "lab.local", "fd09:1::1" },
	{ "other.local", "10.9.1.2" },
};

START_TEST(our_own_address_brought_back_is_no_other_host)
{
	struct stage s;
	int ear = service_begin(&s, M LAB);

	for (size_t k = 0; k < COUNT(own_addresses); k++)
		say_address(
			&s, own_addresses[k].name, own_addresses[k].address);
	service_ask(&s, INSTANCE, MDNS_SRV, 5353);
	service_expect(&s, ear);
	service_end(&s, ear);
}
END_TEST

START_TEST(a_service_says_goodbye)
{
	struct stage s;
	int ear = service_begin(&s, M LAB);

	stage_reload(&s, M);
	service_expect_goodbye(&s, ear);
	ck_assert_uint_eq(s.goodbyes, 1);
	ck_assert(house_is_silent(&s.b.house, ear));
	service_end(&s, ear);
}
END_TEST

/* ---- anything ---- */

static const char *const messages[] = {
	"q _ipp._tcp.local PTR\nq " INSTANCE " SRV\nq lab.local A\n"
	"an _ipp._tcp.local PTR " INSTANCE,
	"q " INSTANCE " ANY\nau " INSTANCE " SRV #000000000050 other.local",
	"an " INSTANCE " SRV #000000000050 other.local\n"
	"ad lab.local A 10.9.1.2\nad lab.local AAAA fd09::2",
	"an " ENUMERATION " PTR _ipp._tcp.local\n"
	"an _ipp._tcp.local PTR " INSTANCE,
};

static void hear(struct stage *s, const struct relay_segment *in,
	const uint8_t *message, size_t size)
{
	uint8_t *exact = fixture_exact(message, size);
	struct proto_view view;
	struct relay_heard h = {
		.in = in,
		.port = 5353,
		.data = exact,
		.size = size,
		.now_ms = uv_now(&s->b.house.loop),
	};

	ck_assert_int_eq(net_address_parse("10.9.1.2", &h.source), 0);
	if (proto_inspect(PROTO_MDNS, NULL, exact, size, &view) == 0) {
		h.view = &view;
		h.kind = view.kind;
	}
	announce_heard(s->a, &h);
	/* Whatever the relay made of it. */
	h.view = &view;
	view.payload = PROTO_MDNS;
	for (int kind = PROTO_UNKNOWN; kind <= PROTO_OTHER; kind++) {
		h.kind = (enum proto_kind)kind;
		announce_heard(s->a, &h);
	}
	free(exact);
}

START_TEST(mutated_messages_do_no_harm)
{
	const struct relay_segment *in;
	uint8_t good[512], bad[512];
	struct announce_info i;
	struct stage s;
	int ear = service_begin(&s, M LAB);
	size_t size;

	in = relay_segment_next(
		relay_channel_next(relay_group_find(s.b.relay, "m"), NULL),
		NULL);
	srand(1);
	for (unsigned n = 0; n < 20000; n++) {
		size = fixture_build(
			n / 4 % 2 ? FIXTURE_RESPONSE : FIXTURE_QUERY,
			messages[n % COUNT(messages)], good);
		memcpy(bad, good, size);
		for (int k = rand() % 4; k > 0; k--)
			bad[(size_t)rand() % size] = (uint8_t)rand();
		hear(&s, in, bad, (size_t)rand() % (size + 1));
		hear(&s, in, bad, size);
	}
	i = stage_info(&s, "lab");
	ck_assert_uint_eq(i.sent, 2);
	ck_assert(i.state == ANNOUNCE_SILENT);
	service_end(&s, ear);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("announce_rivals");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_rival_silences_and_its_goodbye_frees);
	tcase_add_test(t, who_may_speak_again_owes_a_goodbye_still);
	tcase_add_test(t, a_name_that_is_taken_is_never_announced);
	tcase_add_test(t, a_silent_one_says_no_goodbye);
	tcase_add_test(t, who_speaks_from_another_port_is_no_rival);
	tcase_add_test(t, a_service_is_announced_once);
	tcase_add_test(t, a_rival_is_asked_for_before_its_record_ends);
	tcase_add_test(t, what_does_not_contradict_is_no_rival);
	tcase_add_test(t, a_host_that_has_the_name_speaks_for_itself);
	tcase_add_test(t, our_own_address_brought_back_is_no_other_host);
	tcase_add_test(t, a_service_says_goodbye);
	tcase_add_test(t, mutated_messages_do_no_harm);
	suite_add_tcase(s, t);
	return bench_main(s);
}
