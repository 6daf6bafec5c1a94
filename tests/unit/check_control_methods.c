/*
 * The shape of each method's result, and each method's own errors.
 */
#include "control_fixture.h"

#include "control/rpc.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct fixture f;

static void setup(void)
{
	fixture_open(&f);
}

static void teardown(void)
{
	fixture_close(&f);
}

static json_t *call(const char *method, const char *params)
{
	return fixture_call(&f, method, params);
}

static void check_result(
	const char *method, const char *params, const char *expected)
{
	fixture_check_result(&f, method, params, expected);
}

static void check_error(
	const char *method, const char *params, int code, const char *message)
{
	fixture_check_error(&f, method, params, code, message);
}

START_TEST(status_tells_all_of_the_contract)
{
	char expected[2048];

	(void)snprintf(expected, sizeof(expected),
		"{\"version\":\"0.1.0\",\"pid\":%d,\"uptime_seconds\":3,"
		"\"config\":{\"path\":\"/etc/crier/crierd.yaml\","
		"\"generation\":1,\"loaded_at\":\"2023-11-14T22:13:20Z\"},"
		"\"totals\":{\"received\":100,\"sent\":90,\"dropped\":{"
		"\"own\":0,\"loop\":10,\"direction\":0,\"filter\":0,"
		"\"rate\":0,\"size\":0,\"ttl\":0,\"standby\":0,"
		"\"no_address\":0,\"queue\":0,\"error\":0,\"kernel\":0},"
		"\"received_bytes\":10000,\"sent_bytes\":9000,"
		"\"relayed\":0,\"carried\":0,\"answered\":0},"
		"\"groups\":2,\"segments\":{\"joined\":2,\"absent\":2,"
		"\"down\":1,\"no-address\":0,\"failed\":2},"
		"\"announcements\":2,\"standby\":true,\"limits\":{"
		"\"discovered\":{\"used\":0,\"bound\":65536,\"refused\":3,"
		"\"evicted\":2},"
		"\"flows\":{\"used\":2,\"bound\":1024,\"refused\":1,"
		"\"evicted\":5},"
		"\"clients\":{\"used\":1,\"bound\":4,\"refused\":2,"
		"\"evicted\":0},"
		"\"remembered\":{\"used\":4,\"bound\":65536,\"refused\":0,"
		"\"evicted\":9}},\"sites\":[]}",
		(int)getpid());
	check_result("status", NULL, expected);
}
END_TEST

START_TEST(interfaces_show_devices_as_the_kernel_has_them)
{
	check_result("interfaces", "{}",
		"[{\"name\":\"lan\",\"device\":\"eth\xef\xbf\xbd\","
		"\"index\":7,\"state\":\"up\",\"addresses\":[\"10.0.0.1/24\","
		"\"fe80::1%eth\xef\xbf\xbd/64\"],\"mtu\":1500,\"error\":\"\"},"
		"{\"name\":\"iot\",\"device\":\"eth\xef\xbf\xbd\","
		"\"index\":7,\"state\":\"failed\",\"addresses\":[],"
		"\"mtu\":1500,\"error\":\"eth is taken by lan\"},"
		"{\"name\":\"guest\",\"device\":null,\"index\":null,"
		"\"state\":\"absent\",\"addresses\":[],\"mtu\":null,"
		"\"error\":\"\"}]");
}
END_TEST

#define NOTHING_DROPPED                                                        \
	"\"dropped\":{\"own\":0,\"loop\":0,\"direction\":0,\"filter\":0,"      \
	"\"rate\":0,\"size\":0,\"ttl\":0,\"standby\":0,\"no_address\":0,"      \
	"\"queue\":0,\"error\":0,\"kernel\":0},"
#define NO_TRAFFIC                                                             \
	"\"received\":0,\"sent\":0," NOTHING_DROPPED                           \
	"\"received_bytes\":0,\"sent_bytes\":0"
#define MDNS_SEGMENTS                                                          \
	"[{\"interface\":\"lan\",\"device\":\"br-lan\",\"state\":\"joined\","  \
	"\"direction\":\"both\",\"ttl\":255,\"error\":\"\",\"received\":12,"   \
	"\"sent\":3,\"dropped\":{\"own\":5,\"loop\":0,\"direction\":0,"        \
	"\"filter\":0,\"rate\":0,\"size\":0,\"ttl\":0,\"standby\":0,"          \
	"\"no_address\":0,\"queue\":0,\"error\":0,\"kernel\":2},"              \
	"\"received_bytes\":1200,\"sent_bytes\":300},"                         \
	"{\"interface\":\"iot\",\"device\":\"eth0.20\",\"state\":\"failed\","  \
	"\"direction\":\"from\",\"ttl\":\"decrement\","                        \
	"\"error\":\"cannot join: No buffer space available\"," NO_TRAFFIC     \
	"},{\"interface\":\"guest\",\"device\":null,\"state\":\"absent\","     \
	"\"direction\":\"to\",\"ttl\":\"keep\",\"error\":\"\"," NO_TRAFFIC     \
	"}]"
#define MDNS                                                                         \
	"{\"name\":\"mdns\",\"preset\":\"mdns\",\"payload\":\"mdns\",\"channels\":[" \
	"{\"address\":\"224.0.0.251\",\"port\":5353,"                                \
	"\"segments\":" MDNS_SEGMENTS "},"                                           \
	"{\"address\":\"ff02::fb\",\"port\":5353,"                                   \
	"\"segments\":" MDNS_SEGMENTS "}]}"
#define BEACON                                                                     \
	"{\"name\":\"beacon\",\"preset\":null,\"payload\":\"none\",\"channels\":[" \
	"{\"address\":\"239.255.42.42\",\"port\":4242,\"segments\":["              \
	"{\"interface\":\"lan\",\"device\":\"br-lan\",\"state\":\"down\","         \
	"\"direction\":\"both\",\"ttl\":255,\"error\":\"\"," NO_TRAFFIC            \
	"}]}]}"

START_TEST(groups_show_channels_and_segments)
{
	check_result("groups", NULL, "[" MDNS "," BEACON "]");
	check_result("groups", "{\"name\":\"beacon\"}", "[" BEACON "]");
	check_error("groups", "{\"name\":\"becaon\"}", RPC_NOT_FOUND,
		"no group \"becaon\", did you mean \"beacon\"?");
	check_error(
		"groups", "{\"name\":\"\"}", RPC_NOT_FOUND, "no group \"\"");
}
END_TEST

START_TEST(flows_are_shown_with_who_waits)
{
	check_result("flows", NULL,
		"[{\"id\":7,\"group\":\"mdns\",\"searchers\":["
		"\"192.0.2.7:50000\",\"[fe80::7%br-lan]:1900\"],"
		"\"interface\":\"iot\",\"device\":\"eth0.20\","
		"\"port\":32001,\"searches\":3,\"answers\":2,"
		"\"expires_in\":10},"
		"{\"id\":9,\"group\":\"beacon\",\"searchers\":["
		"\"192.0.2.8:50001\"],\"interface\":\"lan\","
		"\"device\":\"br-lan\",\"port\":32002,\"searches\":1,"
		"\"answers\":0,\"expires_in\":1}]");
	f.relay->n_flows = 0;
	check_result("flows", NULL, "[]");
}
END_TEST

START_TEST(presets_are_shown_as_data)
{
	check_result("presets", NULL,
		"[{\"name\":\"mdns\",\"built_in\":true,\"notes\":null,"
		"\"addresses\":[\"224.0.0.251\",\"ff02::fb\"],"
		"\"ports\":[5353],\"ttl\":255,\"payload\":\"mdns\","
		"\"replies\":\"proxy\",\"rate\":500},"
		"{\"name\":\"mine\",\"built_in\":false,"
		"\"notes\":\"open port 6666\","
		"\"addresses\":[\"255.255.255.255\"],\"ports\":[5353,6666],"
		"\"ttl\":null,\"payload\":\"none\",\"replies\":\"none\","
		"\"rate\":0}]");
}
END_TEST

/* ---- explain ---- */

#define Q "\"group\":\"mdns\",\"interface\":\"lan\""

START_TEST(explain_asks_the_relay_what_was_asked)
{
	const struct relay_question *q = &f.relay->asked;
	char text[NET_ADDRESS_TEXT];

	check_result("explain",
		"{" Q ",\"source\":\"fe80::7%br-lan\",\"port\":5353,"
		"\"destination\":\"ff02::fb\",\"ttl\":255,\"size\":65507,"
		"\"kind\":\"search\",\"names\":[\"_hap._tcp\",\"_x._udp\"]}",
		"[{\"interface\":\"iot\",\"device\":\"eth0.20\","
		"\"verdict\":\"sent\","
		"\"rule\":\"nothing speaks against it\"},"
		"{\"interface\":\"guest\",\"device\":null,"
		"\"verdict\":\"no_address\",\"rule\":\"\"}]");
	ck_assert_str_eq(
		net_address_format(&q->source, NULL, text), "fe80::7%3");
	ck_assert_str_eq(
		net_address_format(&q->destination, NULL, text), "ff02::fb");
	ck_assert_uint_eq(q->port, 5353);
	ck_assert_int_eq(q->ttl, 255);
	ck_assert_uint_eq(q->size, 65507);
	ck_assert_int_eq(q->kind, PROTO_SEARCH);
	ck_assert_str_eq(f.relay->asked_names, "_hap._tcp,_x._udp");
}
END_TEST

START_TEST(explain_leaves_open_what_was_not_asked)
{
	const struct relay_question *q = &f.relay->asked;

	json_decref(call("explain", "{" Q ",\"source\":\"192.0.2.7\"}"));
	ck_assert(!net_address_is_set(&q->destination));
	ck_assert_uint_eq(q->port, 0);
	ck_assert_int_eq(q->ttl, -1);
	ck_assert_uint_eq(q->size, 0);
	ck_assert_int_eq(q->kind, PROTO_UNKNOWN);
	ck_assert_uint_eq(q->n_names, 0);
	ck_assert_ptr_null(q->names);
}
END_TEST

static const struct {
	const char *word;
	enum proto_kind kind;
} kinds[] = {
	{ "search", PROTO_SEARCH },
	{ "announcement", PROTO_ANNOUNCEMENT },
	{ "probe", PROTO_PROBE },
	{ "other", PROTO_OTHER },
};

START_TEST(explain_knows_the_kinds)
{
	char params[128];

	(void)snprintf(params, sizeof(params),
		"{" Q ",\"source\":\"192.0.2.7\",\"kind\":\"%s\"}",
		kinds[_i].word);
	json_decref(call("explain", params));
	ck_assert_int_eq(f.relay->asked.kind, kinds[_i].kind);
}
END_TEST

static const struct {
	const char *params, *message;
} bad_questions[] = {
	{ "{}", "parameter \"group\" is missing" },
	{ "{\"group\":\"mdns\"}", "parameter \"interface\" is missing" },
	{ "{" Q "}", "parameter \"source\" is missing" },
	{ "{" Q ",\"source\":\"\"}", "\"source\" is the address of a host" },
	{ "{" Q ",\"source\":\"host\"}",
		"\"source\" is the address of a host" },
	{ "{" Q ",\"source\":\"224.0.0.251\"}",
		"\"source\" is the address of a host" },
	{ "{" Q ",\"source\":\"fe80::1%none\"}",
		"\"source\" is the address of a host" },
	{ "{" Q ",\"source\":\"192.0.2.7%br-lan\"}",
		"\"source\" is the address of a host" },
	{ "{" Q ",\"source\":\"%br-lan\"}",
		"\"source\" is the address of a host" },
	{ "{" Q ",\"source\":\"0000:0000:0000:0000:0000:0000:0000:0000:0000:"
	  "0000%br-lan\"}",
		"\"source\" is the address of a host" },
	{ "{" Q ",\"source\":\"192.0.2.7\",\"destination\":\"x\"}",
		"\"destination\" is an address" },
	{ "{" Q ",\"source\":\"192.0.2.7\",\"destination\":\"ff02::fb\"}",
		"\"source\" and \"destination\" are of one family" },
	{ "{" Q ",\"source\":\"192.0.2.7\",\"kind\":\"Search\"}",
		"\"kind\" is search, announcement, probe or other" },
	{ "{" Q ",\"source\":\"192.0.2.7\",\"port\":0}",
		"\"port\" is out of range, 1 to 65535" },
	{ "{" Q ",\"source\":\"192.0.2.7\",\"port\":65536}",
		"\"port\" is out of range, 1 to 65535" },
	{ "{" Q ",\"source\":\"192.0.2.7\",\"ttl\":0}",
		"\"ttl\" is out of range, 1 to 255" },
	{ "{" Q ",\"source\":\"192.0.2.7\",\"ttl\":256}",
		"\"ttl\" is out of range, 1 to 255" },
	{ "{" Q ",\"source\":\"192.0.2.7\",\"size\":-1}",
		"\"size\" is out of range, 0 to 65507" },
	{ "{" Q ",\"source\":\"192.0.2.7\",\"size\":65508}",
		"\"size\" is out of range, 0 to 65507" },
	{ "{" Q ",\"source\":\"192.0.2.7\",\"sise\":1}",
		"unknown parameter \"sise\", did you mean \"size\"?" },
};

START_TEST(explain_refuses_questions_that_make_no_sense)
{
	check_error("explain", bad_questions[_i].params, RPC_INVALID_PARAMS,
		bad_questions[_i].message);
}
END_TEST

START_TEST(explain_tells_what_is_not_there)
{
	f.relay->explain_error = -ENOENT;
	check_error("explain",
		"{\"group\":\"mdsn\",\"interface\":\"lan\","
		"\"source\":\"192.0.2.7\"}",
		RPC_NOT_FOUND, "no group \"mdsn\", did you mean \"mdns\"?");
	f.relay->explain_error = -ENODEV;
	check_error("explain", "{" Q ",\"source\":\"192.0.2.7\"}",
		RPC_NOT_FOUND,
		"group \"mdns\" has no interface or device \"lan\" that hears "
		"IPv4");
	check_error("explain", "{" Q ",\"source\":\"2001:db8::7\"}",
		RPC_NOT_FOUND,
		"group \"mdns\" has no interface or device \"lan\" that hears "
		"IPv6");
	f.relay->explain_error = -ENOMEM;
	check_error("explain", "{" Q ",\"source\":\"192.0.2.7\"}", RPC_INTERNAL,
		"explain: Cannot allocate memory");
}
END_TEST

/* ---- what changes the daemon ---- */

START_TEST(reload_tells_the_new_generation)
{
	char expected[64];

	check_result("reload", NULL, "{\"generation\":2}");
	check_result("reload", NULL, "{\"generation\":3}");
	(void)snprintf(expected, sizeof(expected), "reload %u", geteuid());
	ck_assert_str_eq(f.changing, expected);
	ck_assert_uint_eq(f.changes, 2);
}
END_TEST

START_TEST(reload_hands_over_every_error)
{
	json_t *answer, *data, *right;

	f.reload_result = -EINVAL;
	check_error("reload", NULL, RPC_INVALID_CONFIG,
		"the configuration is not valid, 2 errors: the old one stays");
	answer = call("reload", NULL);
	data = json_object_get(json_object_get(answer, "error"), "data");
	right = json_loads("{\"file\":\"/etc/crier/crierd.yaml\",\"errors\":["
			   "{\"line\":14,\"column\":10,"
			   "\"path\":\"groups.beacon.ttl\","
			   "\"message\":\"300 is out of range, 1 to 255\"},"
			   "{\"line\":20,\"column\":1,\"path\":\"grups\","
			   "\"message\":\"unknown \\u001b[31m key\"}]}",
		0, NULL);
	ck_assert(json_equal(data, right));
	json_decref(right);
	json_decref(answer);
	ck_assert_uint_eq(f.generation, 1);
}
END_TEST

START_TEST(reload_survives_a_lack_of_memory)
{
	f.reload_result = -ENOMEM;
	check_error(
		"reload", NULL, RPC_INTERNAL, "reload: Cannot allocate memory");
}
END_TEST

START_TEST(standby_is_switched)
{
	check_result("standby", "{\"enabled\":false}", "{\"enabled\":false}");
	ck_assert(!f.relay->standby);
	check_result("standby", "{\"enabled\":true}", "{\"enabled\":true}");
	ck_assert(f.relay->standby);
	check_error("standby", NULL, RPC_INVALID_PARAMS,
		"parameter \"enabled\" is missing");
	check_error("standby", "{\"enabled\":\"on\"}", RPC_INVALID_PARAMS,
		"\"enabled\" is true or false");
}
END_TEST

START_TEST(log_level_is_set_by_its_word)
{
	check_result(
		"log-level", "{\"level\":\"debug\"}", "{\"level\":\"debug\"}");
	ck_assert_str_eq(f.log_level, "debug");
	check_error("log-level", "{\"level\":\"loud\"}", RPC_INVALID_PARAMS,
		"\"level\" is err, warning, notice, info or debug");
}
END_TEST

/* As in tests of a relay alone. */
START_TEST(status_needs_neither_table_nor_announcements)
{
	json_t *answer, *status, *limit;

	f.handles.discovery = NULL;
	f.handles.announce = NULL;
	answer = call("status", NULL);
	status = json_object_get(answer, "result");
	ck_assert_int_eq(
		json_integer_value(json_object_get(status, "announcements")),
		0);
	limit = json_object_get(
		json_object_get(status, "limits"), "discovered");
	ck_assert_int_eq(
		json_integer_value(json_object_get(limit, "bound")), 65536);
	json_decref(answer);
}
END_TEST

/* Readers take no parameters, and change nothing. */
START_TEST(reading_is_no_change)
{
	static const char *const readers[] = { "status", "interfaces", "groups",
		"presets", "flows", "discovered", "announcements", "metrics" };

	json_decref(call(readers[_i], NULL));
	ck_assert_uint_eq(f.changes, 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("control/methods");
	TCase *t = tcase_create("methods");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, status_tells_all_of_the_contract);
	tcase_add_test(t, interfaces_show_devices_as_the_kernel_has_them);
	tcase_add_test(t, groups_show_channels_and_segments);
	tcase_add_test(t, flows_are_shown_with_who_waits);
	tcase_add_test(t, presets_are_shown_as_data);
	tcase_add_test(t, explain_asks_the_relay_what_was_asked);
	tcase_add_test(t, explain_leaves_open_what_was_not_asked);
	tcase_add_loop_test(t, explain_knows_the_kinds, 0, 4);
	tcase_add_loop_test(t, explain_refuses_questions_that_make_no_sense, 0,
		sizeof(bad_questions) / sizeof(bad_questions[0]));
	tcase_add_test(t, explain_tells_what_is_not_there);
	tcase_add_test(t, reload_tells_the_new_generation);
	tcase_add_test(t, reload_hands_over_every_error);
	tcase_add_test(t, reload_survives_a_lack_of_memory);
	tcase_add_test(t, standby_is_switched);
	tcase_add_test(t, log_level_is_set_by_its_word);
	tcase_add_test(t, status_needs_neither_table_nor_announcements);
	tcase_add_loop_test(t, reading_is_no_change, 0, 8);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return fixture_main(suite());
}
