/*
 * The method `discovered`: what an entry shows, filters, and pages.
 */
#include "control_fixture.h"

#include "control/rpc.h"

#include <stdlib.h>
#include <string.h>

static struct fixture f;

static void setup(void)
{
	fixture_open(&f);
}

static void teardown(void)
{
	fixture_close(&f);
}

static void check_error(const char *params, int code, const char *message)
{
	fixture_check_error(&f, "discovered", params, code, message);
}

/* ---- what an entry shows ---- */

START_TEST(an_empty_table_is_an_empty_page)
{
	fixture_check_result(
		&f, "discovered", NULL, "{\"entries\":[],\"cursor\":null}");
	f.handles.discovery = NULL;
	fixture_check_result(
		&f, "discovered", NULL, "{\"entries\":[],\"cursor\":null}");
}
END_TEST

START_TEST(an_mdns_service_shows_all_of_the_contract)
{
	struct discovery_info i = fixture_entry("Living Room");

	(void)fixture_add_entry(f.discovery, &i);
	fixture_check_result(&f, "discovered", "{}",
		"{\"entries\":[{\"group\":\"mdns\",\"interface\":\"iot\","
		"\"device\":\"eth0.20\",\"source\":\"192.0.2.7\","
		"\"site\":null,\"key\":\"living room._http._tcp\","
		"\"protocol\":\"mdns\",\"name\":\"Living Room\","
		"\"type\":\"_http._tcp\",\"host\":\"tv.local\",\"port\":8009,"
		"\"location\":null,"
		"\"addresses\":[\"192.0.2.7\",\"fe80::7%eth0.20\"],"
		"\"txt\":[\"a=1\",\"b\"],"
		"\"first_seen\":\"2023-11-14T22:13:20.123Z\","
		"\"last_seen\":\"2023-11-14T22:14:20.999Z\","
		"\"expires_in\":120,\"count\":7}],\"cursor\":null}");
}
END_TEST

START_TEST(an_ssdp_device_shows_its_server)
{
	struct discovery_info i = fixture_entry("uuid:1::upnp:rootdevice");

	i.protocol = CONFIG_PAYLOAD_SSDP;
	i.type = "upnp:rootdevice";
	i.host = "";
	i.port = 0;
	i.location = "http://192.0.2.7/d.xml";
	i.detail = "Linux UPnP/1.0";
	i.n_addresses = 0;
	i.expires_in_ms = 119000;
	(void)fixture_add_entry(f.discovery, &i);
	fixture_check_result(&f, "discovered", "{}",
		"{\"entries\":[{\"group\":\"mdns\",\"interface\":\"iot\","
		"\"device\":\"eth0.20\",\"source\":\"192.0.2.7\","
		"\"site\":null,\"key\":\"uuid:1::upnp:rootdevice\","
		"\"protocol\":\"ssdp\",\"name\":\"uuid:1::upnp:rootdevice\","
		"\"type\":\"upnp:rootdevice\",\"host\":null,\"port\":null,"
		"\"location\":\"http://192.0.2.7/d.xml\","
		"\"addresses\":[],\"server\":\"Linux UPnP/1.0\","
		"\"first_seen\":\"2023-11-14T22:13:20.123Z\","
		"\"last_seen\":\"2023-11-14T22:14:20.999Z\","
		"\"expires_in\":119,\"count\":7}],\"cursor\":null}");
}
END_TEST

/* What others have no words for is not there, and not null. */
START_TEST(others_show_neither_txt_nor_server)
{
	static const enum config_payload protocols[] = { CONFIG_PAYLOAD_WSD,
		CONFIG_PAYLOAD_NONE };
	struct discovery_info i = fixture_entry("urn:uuid:1");
	json_t *answer, *entry;

	i.protocol = protocols[_i];
	i.type = "";
	(void)fixture_add_entry(f.discovery, &i);
	answer = fixture_call(&f, "discovered", NULL);
	entry = json_array_get(
		json_object_get(json_object_get(answer, "result"), "entries"),
		0);
	ck_assert_ptr_nonnull(entry);
	ck_assert_ptr_null(json_object_get(entry, "txt"));
	ck_assert_ptr_null(json_object_get(entry, "server"));
	ck_assert(json_is_null(json_object_get(entry, "type")));
	json_decref(answer);
}
END_TEST

START_TEST(hostile_names_are_json_all_the_same)
{
	struct discovery_info i =
		fixture_entry("a\xff\x1b[31m\"\\\xe2\x80\xae\xf0\x9f");
	json_t *answer, *entry;

	i.detail = "\n\xc3\n=";
	(void)fixture_add_entry(f.discovery, &i);
	answer = fixture_call(&f, "discovered", NULL);
	entry = json_array_get(
		json_object_get(json_object_get(answer, "result"), "entries"),
		0);
	ck_assert_str_eq(json_string_value(json_object_get(entry, "name")),
		"a\xef\xbf\xbd\x1b[31m\"\\\xe2\x80\xae\xef\xbf\xbd\xef\xbf"
		"\xbd");
	entry = json_object_get(entry, "txt");
	ck_assert_uint_eq(json_array_size(entry), 3);
	ck_assert_str_eq(json_string_value(json_array_get(entry, 0)), "");
	ck_assert_str_eq(
		json_string_value(json_array_get(entry, 1)), "\xef\xbf\xbd");
	ck_assert_str_eq(json_string_value(json_array_get(entry, 2)), "=");
	json_decref(answer);
}
END_TEST

/* ---- filters ---- */

static void add(const char *name, const char *group, const char *interface,
	const char *device, const char *type)
{
	struct discovery_info i = fixture_entry(name);

	i.group = group;
	i.interface = interface;
	i.device = device;
	i.type = type;
	(void)fixture_add_entry(f.discovery, &i);
}

/* The names on a page, between commas; its cursor to `cursor`, "" for none. */
static void page(const char *params, char names[512], char cursor[32])
{
	json_t *answer = fixture_call(&f, "discovered", params), *result, *one;
	const char *text;
	size_t i;

	result = json_object_get(answer, "result");
	ck_assert_ptr_nonnull(result);
	*names = '\0';
	json_array_foreach(json_object_get(result, "entries"), i, one)
	{
		strcat(names, i ? "," : "");
		strcat(names, json_string_value(json_object_get(one, "name")));
	}
	text = json_string_value(json_object_get(result, "cursor"));
	(void)stpcpy(cursor, text ? text : "");
	json_decref(answer);
}

static const struct {
	const char *params, *names;
} filters[] = {
	{ "{}", "a,b,c,d" },
	{ "{\"group\":\"beacon\"}", "b" },
	{ "{\"interface\":\"lan\"}", "b,c" },
	{ "{\"interface\":\"guest\"}", "" },
	{ "{\"type\":\"_HTTP._tcp\"}", "a,c" },
	{ "{\"type\":\"\"}", "d" },
	{ "{\"type\":\"_http._tcp\",\"group\":\"mdns\",\"interface\":\"lan\"}",
		"c" },
	{ "{\"type\":\"_http\"}", "" },
};

START_TEST(filters_choose)
{
	char names[512], cursor[32];

	add("a", "mdns", "iot", "eth0.20", "_http._tcp");
	add("b", "beacon", "lan", "br-lan", "_ipp._tcp");
	add("c", "mdns", "lan", "br-lan", "_Http._tcp");
	add("d", "mdns", "iot", "eth0.20", "");
	page(filters[_i].params, names, cursor);
	ck_assert_str_eq(names, filters[_i].names);
	ck_assert_str_eq(cursor, "");
}
END_TEST

static const struct {
	const char *params;
	int code;
	const char *message;
} refused[] = {
	{ "{\"group\":\"mdsn\"}", RPC_NOT_FOUND,
		"no group \"mdsn\", did you mean \"mdns\"?" },
	{ "{\"interface\":\"gest\"}", RPC_NOT_FOUND,
		"no interface or device \"gest\", did you mean \"guest\"?" },
	{ "{\"interface\":\"nothing\"}", RPC_NOT_FOUND,
		"no interface or device \"nothing\"" },
	{ "{\"interface\":\"\"}", RPC_NOT_FOUND,
		"no interface or device \"\"" },
/* Of more characters than any name has: crierd read from a null pointer. */
#define LONG_NAME "0123456789abcdef0123456789abcdef0123456789abcdef"
	{ "{\"interface\":\"" LONG_NAME "0123456789abcdef\"}", RPC_NOT_FOUND,
		"no interface or device \"" LONG_NAME "\"" },
	{ "{\"group\":\"" LONG_NAME "0123456789abcdef\"}", RPC_NOT_FOUND,
		"no group \"" LONG_NAME "\"" },
	{ "{\"limit\":0}", RPC_INVALID_PARAMS,
		"\"limit\" is out of range, 1 to 1000" },
	{ "{\"limit\":1001}", RPC_INVALID_PARAMS,
		"\"limit\" is out of range, 1 to 1000" },
	{ "{\"limit\":\"1\"}", RPC_INVALID_PARAMS,
		"\"limit\" is a whole number" },
	{ "{\"cursor\":1}", RPC_INVALID_PARAMS, "\"cursor\" is a string" },
	{ "{\"type\":1}", RPC_INVALID_PARAMS, "\"type\" is a string" },
#define BAD_CURSOR(text)                                                       \
	{                                                                      \
		"{\"cursor\":\"" text "\"}", RPC_INVALID_PARAMS,               \
			"\"cursor\" is one that an answer gave"                \
	}
	BAD_CURSOR(""),
	BAD_CURSOR("0"),
	BAD_CURSOR("-1"),
	BAD_CURSOR("+1"),
	BAD_CURSOR(" 1"),
	BAD_CURSOR("1 "),
	BAD_CURSOR("1x"),
	BAD_CURSOR("0x1"),
	BAD_CURSOR("18446744073709551616"),
};

START_TEST(what_makes_no_sense_is_refused)
{
	check_error(refused[_i].params, refused[_i].code, refused[_i].message);
}
END_TEST

/* ---- pages ---- */

START_TEST(pages_follow_each_other)
{
	char names[512], cursor[32], params[64];

	add("a", "mdns", "iot", "eth0.20", "");
	add("b", "mdns", "iot", "eth0.20", "");
	add("c", "mdns", "iot", "eth0.20", "");
	page("{\"limit\":2}", names, cursor);
	ck_assert_str_eq(names, "a,b");
	(void)snprintf(params, sizeof(params), "{\"cursor\":\"%s\"}", cursor);
	page(params, names, cursor);
	ck_assert_str_eq(names, "c");
	ck_assert_str_eq(cursor, "");
	/* A full last page has no page behind it. */
	page("{\"limit\":3}", names, cursor);
	ck_assert_str_eq(cursor, "");
	/* Nor has one behind the end, wherever that is. */
	page("{\"cursor\":\"18446744073709551615\"}", names, cursor);
	ck_assert_str_eq(names, "");
	ck_assert_str_eq(cursor, "");
}
END_TEST

enum { ENTRIES = 997 };

/* The entries that a page had, marked in `seen`; none may be seen twice. */
static void mark(const json_t *result, unsigned seen[])
{
	json_t *one;
	size_t i;

	json_array_foreach(json_object_get(result, "entries"), i, one)
	{
		json_int_t n =
			json_integer_value(json_object_get(one, "count"));

		ck_assert_uint_eq(seen[n], 0);
		seen[n]++;
	}
}

/* Takes out those before and behind the reader, and adds some. */
static void disturb(unsigned round, unsigned *added, bool gone[])
{
	struct discovery_info i = fixture_entry("x");

	for (unsigned n = round; n < ENTRIES; n += 13) {
		fixture_remove_entry(f.discovery, n + 1);
		gone[n] = true;
	}
	if (round < 10) {
		i.count = (*added)++;
		(void)fixture_add_entry(f.discovery, &i);
	}
}

/*
 * However the table changes between pages: what was there all the time is seen
 * once, what came or went at most once.
 */
START_TEST(paging_neither_skips_nor_repeats)
{
	static unsigned seen[2 * ENTRIES];
	static bool gone[2 * ENTRIES];
	struct discovery_info i = fixture_entry("x");
	unsigned added = ENTRIES, rounds = 0;
	char params[64] = "{\"limit\":37}";
	json_t *answer, *cursor;

	for (unsigned n = 0; n < ENTRIES; n++) {
		i.count = n;
		(void)fixture_add_entry(f.discovery, &i);
	}
	do {
		answer = fixture_call(&f, "discovered", params);
		mark(json_object_get(answer, "result"), seen);
		cursor = json_object_get(
			json_object_get(answer, "result"), "cursor");
		if (json_is_string(cursor))
			(void)snprintf(params, sizeof(params),
				"{\"limit\":37,\"cursor\":\"%s\"}",
				json_string_value(cursor));
		else
			params[0] = '\0';
		json_decref(answer);
		disturb(rounds++, &added, gone);
	} while (params[0]);
	ck_assert_uint_gt(rounds, 10);
	for (unsigned n = 0; n < ENTRIES; n++)
		ck_assert(seen[n] == 1 || gone[n]);
	/* Those that came before the last page are behind all others. */
	for (unsigned n = ENTRIES; n < added - 1; n++)
		ck_assert_uint_eq(seen[n], 1);
}
END_TEST

enum { LOOK_MAX = 16384 };

/* A filter that fits nothing comes to an end, a piece at a time. */
START_TEST(one_call_looks_at_no_more_than_it_may)
{
	struct discovery_info i = fixture_entry("x");
	char names[512], cursor[32];

	i.type = "_other._tcp";
	for (unsigned n = 0; n < LOOK_MAX; n++)
		(void)fixture_add_entry(f.discovery, &i);
	page("{\"type\":\"_http._tcp\"}", names, cursor);
	ck_assert_str_eq(cursor, "");
	add("last", "mdns", "iot", "eth0.20", "_http._tcp");
	page("{\"type\":\"_http._tcp\"}", names, cursor);
	ck_assert_str_eq(names, "");
	ck_assert_str_eq(cursor, "16384");
	page("{\"type\":\"_http._tcp\",\"cursor\":\"16384\"}", names, cursor);
	ck_assert_str_eq(names, "last");
	ck_assert_str_eq(cursor, "");
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("control/discovered");
	TCase *t = tcase_create("discovered");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, an_empty_table_is_an_empty_page);
	tcase_add_test(t, an_mdns_service_shows_all_of_the_contract);
	tcase_add_test(t, an_ssdp_device_shows_its_server);
	tcase_add_loop_test(t, others_show_neither_txt_nor_server, 0, 2);
	tcase_add_test(t, hostile_names_are_json_all_the_same);
	tcase_add_loop_test(
		t, filters_choose, 0, sizeof(filters) / sizeof(filters[0]));
	tcase_add_loop_test(t, what_makes_no_sense_is_refused, 0,
		sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(t, pages_follow_each_other);
	tcase_add_test(t, paging_neither_skips_nor_repeats);
	tcase_add_test(t, one_call_looks_at_no_more_than_it_may);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return fixture_main(suite());
}
