/* What clients bring from other sites over the control socket, and carry. */
#include "control/rpc.h"
#include "control_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct fixture f;

static void setup(void)
{
	fixture_open(&f);
	fixture_serve(&f);
}

static void teardown(void)
{
	fixture_close(&f);
}

#define G  "\"group\":\"mdns\""
#define P  "\"payload\":\"aGkA/yE=\""
#define GP "{" G "," P
#define FP "{\"flow\":7," P

static void check_error(
	const char *method, const char *params, int code, const char *message)
{
	fixture_check_error(&f, method, params, code, message);
	ck_assert_uint_eq(f.relay->brought.times, 0);
}

static void check_address(const struct net_address *a, const char *expected)
{
	char text[NET_ADDRESS_TEXT];

	ck_assert_str_eq(net_address_format(a, NULL, text), expected);
}

/* ---- relay ---- */

START_TEST(relay_hands_over_all_that_it_is_told)
{
	const struct fixture_brought *b = &f.relay->brought;

	f.relay->brought.result = (struct relay_brought_result){
		.sent = 2, .flows = { 31, 32 }, .n_flows = 2
	};
	fixture_check_result(&f, "relay",
		GP ",\"kind\":\"search\",\"origin\":{"
		   "\"address\":\"10.77.0.9\",\"port\":40000,"
		   "\"site\":\"cabin\"},\"channel\":{"
		   "\"address\":\"ff02::fb\",\"port\":5353}}",
		"{\"sent\":2,\"flow\":31,\"flows\":[31,32]}");
	ck_assert_uint_eq(b->times, 1);
	ck_assert_str_eq(b->group, "mdns");
	ck_assert_str_eq(b->site, "cabin");
	check_address(&b->b.origin.address, "10.77.0.9");
	ck_assert_uint_eq(b->b.origin.port, 40000);
	ck_assert_int_eq(b->b.kind, PROTO_SEARCH);
	check_address(&b->b.channel, "ff02::fb");
	ck_assert_uint_eq(b->b.channel_port, 5353);
	ck_assert_uint_eq(b->b.size, 5);
	ck_assert_mem_eq(b->data, "hi\0\377!", 5);
	/* One for each datagram: not for the log. */
	ck_assert_uint_eq(f.changes, 0);
}
END_TEST

START_TEST(relay_needs_no_more_than_a_group_and_a_payload)
{
	static const char *const params[] = { GP "}", GP ",\"origin\":{}}",
		GP ",\"origin\":{\"address\":null,\"port\":null,"
		   "\"site\":null},\"channel\":{}}" };
	const struct fixture_brought *b = &f.relay->brought;

	fixture_check_result(&f, "relay", params[_i], "{\"sent\":0}");
	ck_assert_str_eq(b->site, "elsewhere");
	ck_assert(!net_address_is_set(&b->b.origin.address));
	ck_assert_uint_eq(b->b.origin.port, 0);
	ck_assert_int_eq(b->b.kind, PROTO_UNKNOWN);
	ck_assert(!net_address_is_set(&b->b.channel));
	ck_assert_uint_eq(b->b.channel_port, 0);
}
END_TEST

/* What it is link-local to there says nothing here. */
START_TEST(a_link_local_address_loses_its_device)
{
	fixture_check_result(&f, "relay",
		GP ",\"origin\":{\"address\":\"fe80::7%br-lan\"}}",
		"{\"sent\":0}");
	check_address(&f.relay->brought.b.origin.address, "fe80::7");
	ck_assert_uint_eq(f.relay->brought.b.origin.address.scope, 0);
}
END_TEST

static const char site_rule[] =
	"\"origin.site\" is 1 to 63 letters (A to Z, a to z), digits, \"_\", "
	"\".\" and \"-\", and begins with none of the last two";
static const char address_rule[] =
	"\"origin.address\" is the address of a host";
static const char base64_rule[] = "\"payload\" is base64, with its padding";

#define ORIGIN(what) GP ",\"origin\":{" what "}}"
#define S64          "sixtyfour-sixtyfour-sixtyfour-sixtyfour-sixtyfour-sixtyfour-0123"

static const struct wrong {
	const char *params, *message;
} wrongs[] = {
	{ "{" G ",\"payload\":\"aGk\"}", base64_rule },
	{ "{" G ",\"payload\":\"aGk*\"}", base64_rule },
	{ "{" G ",\"payload\":\"=\"}", base64_rule },
	{ "{" G ",\"payload\":\"aG k\"}", base64_rule },
	{ GP ",\"kind\":\"Search\"}",
		"\"kind\" is search, announcement, probe or other" },
	{ GP ",\"kind\":\"unknown\"}",
		"\"kind\" is search, announcement, probe or other" },
	{ ORIGIN("\"site\":\"\""), site_rule },
	{ ORIGIN("\"site\":\"a/b\""), site_rule },
	{ ORIGIN("\"site\":\"#\""), site_rule },
	{ ORIGIN("\"site\":\"-a\""), site_rule },
	{ ORIGIN("\"site\":\"caf\xc3\xa9\""), site_rule },
	{ ORIGIN("\"site\":\"" S64 "\""), site_rule },
	{ ORIGIN("\"site\":7"), "\"origin.site\" is a string" },
	{ ORIGIN("\"address\":\"\""), address_rule },
	{ ORIGIN("\"address\":\"cabin\""), address_rule },
	{ ORIGIN("\"address\":\"%\""), address_rule },
	{ ORIGIN("\"address\":\"224.0.0.251\""), address_rule },
	{ ORIGIN("\"address\":\"ff02::fb\""), address_rule },
	{ ORIGIN("\"address\":\"255.255.255.255\""), address_rule },
	{ ORIGIN("\"address\":\"0.0.0.0\""), address_rule },
	{ ORIGIN("\"address\":\"::\""), address_rule },
	{ ORIGIN("\"address\":\"" S64 S64 "\""), address_rule },
	{ ORIGIN("\"address\":[]"), "\"origin.address\" is a string" },
	{ ORIGIN("\"port\":0"), "\"origin.port\" is 1 to 65535" },
	{ ORIGIN("\"port\":65536"), "\"origin.port\" is 1 to 65535" },
	{ ORIGIN("\"port\":-1"), "\"origin.port\" is 1 to 65535" },
	{ ORIGIN("\"port\":1.5"), "\"origin.port\" is 1 to 65535" },
	{ ORIGIN("\"port\":\"1\""), "\"origin.port\" is 1 to 65535" },
	{ ORIGIN("\"ports\":1"), "unknown member \"ports\" of \"origin\"" },
	{ GP ",\"channel\":{\"address\":\"x\"}}",
		"\"channel.address\" is an address of the group" },
	{ GP ",\"channel\":{\"port\":65536}}",
		"\"channel.port\" is 1 to 65535" },
	{ GP ",\"channel\":{\"site\":\"a\"}}",
		"unknown member \"site\" of \"channel\"" },
};

START_TEST(relay_refuses_what_is_wrong)
{
	check_error("relay", wrongs[_i].params, RPC_INVALID_PARAMS,
		wrongs[_i].message);
}
END_TEST

START_TEST(relay_knows_its_groups_and_channels)
{
	check_error("relay", "{\"group\":\"mdnss\"," P "}", RPC_NOT_FOUND,
		"no group \"mdnss\", did you mean \"mdns\"?");
	f.relay->brought.error = -ENOENT;
	fixture_check_error(&f, "relay", GP ",\"channel\":{\"port\":1}}",
		RPC_NOT_FOUND, "group \"mdns\" has no such channel");
	f.relay->brought.error = -EMSGSIZE;
	fixture_check_error(&f, "relay", GP "}", RPC_INVALID_PARAMS,
		"\"payload\" is larger than a datagram");
	f.relay->brought.error = -ENOMEM;
	fixture_check_error(&f, "relay", GP "}", RPC_INTERNAL,
		"relay: Cannot allocate memory");
}
END_TEST

/* ---- answer ---- */

START_TEST(answer_hands_over_all_that_it_is_told)
{
	const struct fixture_brought *b = &f.relay->brought;

	f.relay->brought.result.sent = 3;
	fixture_check_result(&f, "answer",
		FP ",\"origin\":{\"address\":\"10.77.0.9\",\"port\":1900,"
		   "\"site\":\"cabin\"}}",
		"{\"sent\":3}");
	ck_assert_uint_eq(b->flow, 7);
	ck_assert_str_eq(b->site, "cabin");
	check_address(&b->b.origin.address, "10.77.0.9");
	ck_assert_uint_eq(b->b.origin.port, 1900);
	ck_assert_uint_eq(b->b.size, 5);
	ck_assert_mem_eq(b->data, "hi\0\377!", 5);
	fixture_check_result(&f, "answer",
		"{\"flow\":9223372036854775807,\"payload\":\"\"}",
		"{\"sent\":3}");
	ck_assert_uint_eq(b->flow, INT64_MAX);
	ck_assert_str_eq(b->site, "elsewhere");
	ck_assert_uint_eq(b->b.size, 0);
}
END_TEST

static const struct wrong wrong_answers[] = {
	{ "{\"flow\":7,\"payload\":\"aGk\"}", base64_rule },
	{ FP ",\"origin\":{\"site\":\"a b\"}}", site_rule },
	{ FP ",\"origin\":{\"flow\":7}}",
		"unknown member \"flow\" of \"origin\"" },
};

START_TEST(answer_refuses_what_is_wrong)
{
	check_error("answer", wrong_answers[_i].params, RPC_INVALID_PARAMS,
		wrong_answers[_i].message);
}
END_TEST

/* Whatever is wrong with a parameter itself, rpc.c says. */
static const char *const odd[] = { "{}", "{" P "}", "{\"flow\":0," P "}",
	"{\"flow\":-7," P "}", "{\"flow\":1.5," P "}", "{\"flow\":\"7\"," P "}",
	"{\"flow\":7}", "{\"flow\":7,\"payload\":7}",
	FP ",\"origin\":\"cabin\"}", FP ",\"site\":\"cabin\"}" };

START_TEST(answer_takes_nothing_odd)
{
	json_t *answer = fixture_call(&f, "answer", odd[_i]);
	const json_t *error = json_object_get(answer, "error");

	ck_assert_int_eq(json_integer_value(json_object_get(error, "code")),
		RPC_INVALID_PARAMS);
	ck_assert_uint_eq(f.relay->brought.times, 0);
	json_decref(answer);
}
END_TEST

START_TEST(a_flow_that_is_over_is_not_found)
{
	f.relay->brought.error = -ENOENT;
	fixture_check_error(&f, "answer", FP "}", RPC_NOT_FOUND,
		"no flow 7, or it waits no more");
	f.relay->brought.error = -EMSGSIZE;
	fixture_check_error(&f, "answer", FP "}", RPC_INVALID_PARAMS,
		"\"payload\" is larger than a datagram");
}
END_TEST

/* ---- carriers ---- */

#define CARRIER                                                                \
	"{\"events\":[\"datagram\",\"drop\",\"answer\"],\"payload\":true,"     \
	"\"carry\":true}"

static void check_member(int fd, const char *key, const char *expected)
{
	json_t *event = fixture_event(&f, fd);
	char *got = json_dumps(
		json_object_get(event, key), JSON_ENCODE_ANY | JSON_COMPACT);

	ck_assert_ptr_nonnull(got);
	ck_assert_str_eq(got, expected);
	free(got);
	json_decref(event);
}

START_TEST(the_relay_is_told_while_somebody_carries)
{
	int others = fixture_subscribe(&f, "{\"events\":[\"datagram\"]}");
	int answers = fixture_subscribe(
		&f, "{\"events\":[\"answer\"],\"carry\":true}");
	int fd;

	ck_assert(!f.relay->carried);
	ck_assert(!control_carries(f.control, "mdns"));
	fd = fixture_subscribe(&f, "{\"events\":[\"datagram\"],"
				   "\"groups\":[\"mdns\"],\"carry\":true}");
	ck_assert(f.relay->carried);
	ck_assert(control_carries(f.control, "mdns"));
	ck_assert(!control_carries(f.control, "beacon"));
	(void)close(fd);
	(void)close(others);
	(void)close(answers);
	/* Who comes next finds them gone. */
	fd = fixture_connect(&f);
	free(fixture_ask(&f, fd, CALL("status") "\n"));
	ck_assert(!f.relay->carried);
	ck_assert(!control_carries(NULL, "mdns"));
	(void)close(fd);
}
END_TEST

/* They would take each to other sites once for each segment here. */
START_TEST(carriers_are_told_only_of_what_is_to_go_there)
{
	int fd = fixture_subscribe(&f, CARRIER);
	struct relay_fate fate = fixture_fate(f.relay);

	control_tell_fate(f.control, &fate);
	fate.out = NULL;
	control_tell_fate(f.control, &fate);
	fate.verdict = RELAY_LOOP;
	control_tell_fate(f.control, &fate);
	fate.out = fixture_outside(f.relay);
	fate.size = 2;
	control_tell_fate(f.control, &fate);
	check_member(fd, "event", "\"drop\"");
	fate.verdict = RELAY_SENT;
	fate.flow = 12;
	fate.kind = PROTO_SEARCH;
	control_tell_fate(f.control, &fate);
	control_tell_fate(f.control, &fate);
	control_tell_fate(f.control, &fate);
	check_member(fd, "to", "{\"interface\":null,\"device\":null}");
	check_member(fd, "flow", "12");
	check_member(fd, "entries", "[]");
	(void)close(fd);
}
END_TEST

START_TEST(others_are_told_of_that_too)
{
	int fd = fixture_subscribe(&f, "{\"events\":[\"datagram\"]}");
	struct relay_fate fate = fixture_fate(f.relay);

	control_tell_fate(f.control, &fate);
	check_member(
		fd, "to", "{\"interface\":\"iot\",\"device\":\"eth0.20\"}");
	fate.out = fixture_outside(f.relay);
	control_tell_fate(f.control, &fate);
	check_member(fd, "to", "{\"interface\":null,\"device\":null}");
	(void)close(fd);
}
END_TEST

START_TEST(what_a_site_brought_is_told_as_such)
{
	int fd = fixture_subscribe(&f, "{\"events\":[\"datagram\"]}");
	struct relay_fate fate = fixture_fate(f.relay);

	fate.in = fixture_outside(f.relay);
	fate.site = "cabin";
	fate.source = (struct net_address){ 0 };
	fate.port = 0;
	for (int i = 0; i < 4; i++)
		control_tell_fate(f.control, &fate);
	check_member(fd, "site", "\"cabin\"");
	check_member(fd, "interface", "null");
	check_member(fd, "source", "null");
	check_member(fd, "port", "null");
	(void)close(fd);
}
END_TEST

static struct relay_heard heard(void)
{
	return (struct relay_heard){ .in = fixture_segment(f.relay, 0, 1),
		.kind = PROTO_ANNOUNCEMENT,
		.data = (const uint8_t *)"hi",
		.size = 2,
		.flow = 7 };
}

START_TEST(answers_are_told_to_carriers_by_whom_they_searched_for)
{
	int carrier = fixture_subscribe(&f, CARRIER);
	int other = fixture_subscribe(&f, "{\"events\":[\"answer\"]}");
	struct relay_heard h = heard();

	control_tell_answer(f.control, &h);
	h.flow = 8;
	control_tell_answered(f.control, &h);
	check_member(carrier, "flow", "8");
	check_member(other, "flow", "7");
	h.flow = 9;
	control_tell_answer(f.control, &h);
	check_member(other, "flow", "9");
	(void)close(carrier);
	(void)close(other);
}
END_TEST

/* ---- what an announcement tells of ---- */

/* PTR, SRV and TXT of "Tv" and "tv2" with 120 s, but for one's SRV with 9 s. */
static const uint8_t two_services[] =
	"\0\0\x84\0\0\0\0\3\0\0\0\0"
	"\5_http\4_tcp\5local\0\0\f\0\1\0\0\0\x78\0\5\2Tv\xc0\f"
	"\xc0\x28\0\x21\x80\1\0\0\0\x9\0\10\0\0\0\0\0\x50\xc0\x17"
	"\3tv2\xc0\f\0\x21\x80\1\0\0\0\x9\0\10\0\0\0\0\0\x50\xc0\x17";
static const uint8_t goodbye[] =
	"\0\0\x84\0\0\0\0\1\0\0\0\0"
	"\5_http\4_tcp\5local\0\0\f\0\1\0\0\0\0\0\5\2Tv\xc0\f";

static const struct telling {
	const uint8_t *data;
	size_t size;
	const char *entries;
} tellings[] = {
	{ two_services, sizeof(two_services) - 1,
		"[{\"key\":\"tv._http._tcp\",\"expires_in\":120,"
		"\"goodbye\":false},{\"key\":\"tv2._http._tcp\","
		"\"expires_in\":9,\"goodbye\":false}]" },
	{ goodbye, sizeof(goodbye) - 1,
		"[{\"key\":\"tv._http._tcp\",\"expires_in\":0,"
		"\"goodbye\":true}]" },
	{ goodbye, sizeof(goodbye) - 2, "[]" }, /* cut off */
	{ goodbye, 12, "[]" },
	{ goodbye, 0, "[]" },
};

START_TEST(an_announcement_tells_of_its_entries)
{
	int fd = fixture_subscribe(&f, CARRIER);
	const struct telling *t = &tellings[_i];
	const struct proto_view view = { .payload = PROTO_MDNS,
		.kind = PROTO_ANNOUNCEMENT };
	struct relay_fate fate = fixture_fate(f.relay);
	/* Of the exact size, for a sanitizer to see. */
	uint8_t *data = malloc(t->size ? t->size : 1);

	ck_assert_ptr_nonnull(data);
	memcpy(data, t->data, t->size);
	fate.out = fixture_outside(f.relay);
	fate.data = data;
	fate.size = t->size;
	fate.view = &view;
	control_tell_fate(f.control, &fate);
	check_member(fd, "entries", t->entries);
	free(data);
	(void)close(fd);
}
END_TEST

START_TEST(an_entry_is_told_with_what_told_of_it)
{
	int fd = fixture_subscribe(&f, "{\"events\":[\"discovered\","
				       "\"expired\"],\"payload\":true}");
	struct discovery_info info = fixture_entry("TV");
	const struct discovery_entry *e;
	struct relay_heard h = heard();

	info.site = "cabin";
	info.interface = info.device = "";
	(void)fixture_add_entry(f.discovery, &info);
	e = discovery_after(f.discovery, 0);
	f.discovery->message = &h;
	control_tell_entry(f.control, e, DISCOVERY_NEW, DISCOVERY_STAYS);
	check_member(fd, "payload", "\"aGk=\"");
	control_tell_entry(f.control, e, DISCOVERY_NEW, DISCOVERY_STAYS);
	check_member(fd, "site", "\"cabin\"");
	/* It tells of another that this one gave way. */
	control_tell_entry(f.control, e, DISCOVERY_GONE, DISCOVERY_EVICTED);
	json_t *event = fixture_event(&f, fd);
	ck_assert_ptr_null(json_object_get(event, "payload"));
	ck_assert(json_is_null(json_object_get(event, "interface")));
	json_decref(event);
	(void)close(fd);
}
END_TEST

static void add_tests(TCase *t)
{
	tcase_add_test(t, relay_hands_over_all_that_it_is_told);
	tcase_add_loop_test(
		t, relay_needs_no_more_than_a_group_and_a_payload, 0, 3);
	tcase_add_test(t, a_link_local_address_loses_its_device);
	tcase_add_loop_test(t, relay_refuses_what_is_wrong, 0,
		sizeof(wrongs) / sizeof(wrongs[0]));
	tcase_add_test(t, relay_knows_its_groups_and_channels);
	tcase_add_test(t, answer_hands_over_all_that_it_is_told);
	tcase_add_loop_test(t, answer_refuses_what_is_wrong, 0,
		sizeof(wrong_answers) / sizeof(wrong_answers[0]));
	tcase_add_loop_test(
		t, answer_takes_nothing_odd, 0, sizeof(odd) / sizeof(odd[0]));
	tcase_add_test(t, a_flow_that_is_over_is_not_found);
	tcase_add_test(t, the_relay_is_told_while_somebody_carries);
	tcase_add_test(t, carriers_are_told_only_of_what_is_to_go_there);
	tcase_add_test(t, others_are_told_of_that_too);
	tcase_add_test(t, what_a_site_brought_is_told_as_such);
	tcase_add_test(
		t, answers_are_told_to_carriers_by_whom_they_searched_for);
	tcase_add_loop_test(t, an_announcement_tells_of_its_entries, 0,
		sizeof(tellings) / sizeof(tellings[0]));
	tcase_add_test(t, an_entry_is_told_with_what_told_of_it);
}

int main(void)
{
	Suite *s = suite_create("sites");
	TCase *t = tcase_create("control");

	tcase_add_checked_fixture(t, setup, teardown);
	add_tests(t);
	suite_add_tcase(s, t);
	return fixture_main(s);
}
