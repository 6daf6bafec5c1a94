/*
 * crierctl's view of what is discovered and announced, against a daemon that
 * runs in a thread of its own.
 */
#include "control_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct fixture f;
static pthread_t thread;
static uv_async_t stop;

static void stop_now(uv_async_t *handle)
{
	control_close(f.control);
	f.control = NULL;
	uv_close((uv_handle_t *)handle, NULL);
}

static void *run_loop(void *data)
{
	(void)data;
	(void)uv_run(&f.loop, UV_RUN_DEFAULT);
	return NULL;
}

static void setup(void)
{
	fixture_open(&f);
	fixture_serve(&f);
	ck_assert_int_eq(uv_async_init(&f.loop, &stop, stop_now), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, run_loop, NULL), 0);
}

static void teardown(void)
{
	ck_assert_int_eq(uv_async_send(&stop), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	fixture_close(&f);
}

static void check_shown(const char *words, const char *expected)
{
	ck_assert_int_eq(fixture_crierctl(&f, words), 0);
	fixture_check_text(f.err, "");
	fixture_check_text(f.out, expected);
}

/* ---- discovered ---- */

/* The clock stands still, or an age would depend on how long a test takes. */
enum { NOW = 1700000000 };

time_t __wrap_time(time_t *ret);

time_t __wrap_time(time_t *ret)
{
	if (ret)
		*ret = NOW;
	return NOW;
}

/* One that is `age` seconds old. */
static struct discovery_info aged(const char *name, int64_t age)
{
	struct discovery_info i = fixture_entry(name);

	i.first_seen_ms = ((int64_t)NOW - age) * 1000;
	return i;
}

static void set_source(struct discovery_info *i, const char *address)
{
	ck_assert_int_eq(net_address_parse(address, &i->source), 0);
	i->n_addresses = 0;
}

static void add_television(void)
{
	struct discovery_info i = aged("Living Room", 200);

	i.type = "_googlecast._tcp";
	i.expires_in_ms = 4500000;
	(void)fixture_add_entry(f.discovery, &i);
	i = aged("Admin", 10000);
	i.interface = "lan";
	i.device = "br-lan";
	(void)fixture_add_entry(f.discovery, &i);
	i = aged("uuid:1::upnp:rootdevice", 90000);
	i.group = "ssdp";
	i.protocol = CONFIG_PAYLOAD_SSDP;
	i.type = "upnp:rootdevice";
	i.host = "";
	i.port = 0;
	i.location = "http://192.0.2.7:1400/d.xml";
	i.expires_in_ms = 1800000;
	i.n_addresses = 0;
	(void)fixture_add_entry(f.discovery, &i);
}

static void add_beacon(void)
{
	struct discovery_info i = aged("temp=21", 30000);

	set_source(&i, "2001:db8::9");
	i.group = "beacon";
	i.protocol = CONFIG_PAYLOAD_NONE;
	i.type = i.host = i.detail = "";
	i.port = 4242;
	i.expires_in_ms = 30000;
	(void)fixture_add_entry(f.discovery, &i);
}

START_TEST(an_empty_table_says_where_to_look)
{
	check_shown("-s @ discovered",
		"Nothing discovered yet, or nothing that --group, --interface "
		"and --type ask for.\n"
		"\"crierctl groups\" tells whether segments are joined, "
		"\"crierctl monitor\"\n"
		"whether anybody says anything.\n");
}
END_TEST

START_TEST(entries_stand_below_their_hosts)
{
	add_beacon();
	add_television();
	check_shown("-s @ discovered",
		"  NAME                     TYPE              SEGMENT      "
		"ADDRESS                        AGE  EXPIRES\n"
		"2001:db8::9\n"
		"  temp=21                  -                 beacon, iot  "
		"[2001:db8::9]:4242             8 h     30 s\n"
		"tv.local (192.0.2.7, fe80::7%eth0.20, fe80::7%br-lan)\n"
		"  Living Room              _googlecast._tcp  mdns, iot    "
		"192.0.2.7:8009               3 min      1 h\n"
		"  Admin                    _http._tcp        mdns, lan    "
		"192.0.2.7:8009                 2 h    2 min\n"
		"  uuid:1::upnp:rootdevice  upnp:rootdevice   ssdp, iot    "
		"http://192.0.2.7:1400/d.xml    1 d   30 min\n");
}
END_TEST

/* The same addresses may be in use there. */
START_TEST(what_another_site_brought_says_so)
{
	struct discovery_info i = aged("Admin", 10000);

	(void)fixture_add_entry(f.discovery, &i);
	i = aged("uuid:1", 200);
	i.protocol = CONFIG_PAYLOAD_SSDP;
	i.group = "ssdp";
	i.interface = i.device = i.host = "";
	i.site = "cabin";
	i.type = "x";
	i.port = 0;
	i.n_addresses = 0;
	(void)fixture_add_entry(f.discovery, &i);
	i.name = "uuid:2";
	i.source = (struct net_address){ 0 };
	(void)fixture_add_entry(f.discovery, &i);
	check_shown("-s @ discovered",
		"  NAME    TYPE        SEGMENT       ADDRESS           AGE"
		"  EXPIRES\n"
		"192.0.2.7\n"
		"  uuid:1  x           ssdp, @cabin  192.0.2.7       3 min"
		"    2 min\n"
		"cabin\n"
		"  uuid:2  x           ssdp, @cabin  -               3 min"
		"    2 min\n"
		"tv.local (192.0.2.7, fe80::7%eth0.20)\n"
		"  Admin   _http._tcp  mdns, iot     192.0.2.7:8009    2 h"
		"    2 min\n");
}
END_TEST

START_TEST(what_went_between_sites_is_in_the_status)
{
	ck_assert_int_eq(fixture_crierctl(&f, "-s @ status"), 0);
	ck_assert_ptr_null(strstr(f.out, "other sites"));
	f.relay->sites = (struct relay_site_counts){ 7, 8, 9 };
	ck_assert_int_eq(fixture_crierctl(&f, "-s @ status"), 0);
	ck_assert_ptr_nonnull(strstr(f.out,
		"7 datagrams and 9 answers from there, 8 datagrams to "
		"there\n"));
}
END_TEST

START_TEST(a_terminal_of_80_columns_is_enough)
{
	add_beacon();
	add_television();
	ck_assert_int_eq(setenv("COLUMNS", "80", 1), 0);
	check_shown("-s @ discovered",
		"  NAME             TYPE             SEGMENT      ADDRESS       "
		"     AGE  EXPIRES\n"
		"2001:db8::9\n"
		"  temp=21          -                beacon, iot  "
		"[2001:db8::9]:\xe2\x80\xa6    8 h     30 s\n"
		"tv.local (192.0.2.7, fe80::7%eth0.20, fe80::7%br-lan)\n"
		"  Living Room      _googlecast._t\xe2\x80\xa6  mdns, iot    "
		"192.0.2.7:8009   3 min      1 h\n"
		"  Admin            _http._tcp       mdns, lan    "
		"192.0.2.7:8009     2 h    2 min\n"
		"  uuid:1::upnp:r\xe2\x80\xa6  upnp:rootdevice  ssdp, iot    "
		"http://192.0.2\xe2\x80\xa6    1 d   30 min\n");
}
END_TEST

START_TEST(a_terminal_of_40_columns_shows_less)
{
	add_beacon();
	add_television();
	ck_assert_int_eq(setenv("COLUMNS", "40", 1), 0);
	check_shown("-s @ discovered",
		"  NAME      TYPE      SEGMENT   ADDRESS\n"
		"2001:db8::9\n"
		"  temp=21   -         beacon,\xe2\x80\xa6  "
		"[2001:d\xe2\x80\xa6\n"
		"tv.local (192.0.2.7, fe80::7%eth0.20, f\xe2\x80\xa6\n"
		"  Living \xe2\x80\xa6  _google\xe2\x80\xa6  mdns, "
		"i\xe2\x80\xa6  192.0.2\xe2\x80\xa6\n"
		"  Admin     _http._\xe2\x80\xa6  mdns, l\xe2\x80\xa6  "
		"192.0.2\xe2\x80\xa6\n"
		"  uuid:1:\xe2\x80\xa6  upnp:ro\xe2\x80\xa6  ssdp, "
		"i\xe2\x80\xa6  http://\xe2\x80\xa6\n");
}
END_TEST

START_TEST(filters_are_the_daemons)
{
	add_beacon();
	add_television();
	check_shown("-s @ discovered --type _HTTP._tcp --interface lan "
		    "--group mdns",
		"  NAME   TYPE        SEGMENT    ADDRESS         AGE  EXPIRES\n"
		"tv.local (192.0.2.7, fe80::7%br-lan)\n"
		"  Admin  _http._tcp  mdns, lan  192.0.2.7:8009  2 h    2 "
		"min\n");
	ck_assert_int_eq(
		fixture_crierctl(&f, "-s @ discovered --interface lna"), 1);
	fixture_check_text(f.err,
		"crierctl: discovered: no interface or device \"lna\", did "
		"you mean \"lan\"?\n");
}
END_TEST

/* An address that two hosts claim, as where something repeats for others, is
 * neither's. */
START_TEST(an_address_of_two_hosts_is_its_own)
{
	struct discovery_info i = aged("a", 5);

	(void)fixture_add_entry(f.discovery, &i);
	i.name = "b";
	i.host = "other.local";
	(void)fixture_add_entry(f.discovery, &i);
	i.name = "c";
	i.host = "";
	i.n_addresses = 0;
	i.port = 0;
	(void)fixture_add_entry(f.discovery, &i);
	check_shown("-s @ discovered",
		"  NAME  TYPE        SEGMENT    ADDRESS         AGE  EXPIRES\n"
		"192.0.2.7\n"
		"  c     _http._tcp  mdns, iot  192.0.2.7       5 s    2 min\n"
		"other.local (192.0.2.7, fe80::7%eth0.20)\n"
		"  b     _http._tcp  mdns, iot  192.0.2.7:8009  5 s    2 min\n"
		"tv.local (192.0.2.7, fe80::7%eth0.20)\n"
		"  a     _http._tcp  mdns, iot  192.0.2.7:8009  5 s    2 "
		"min\n");
}
END_TEST

START_TEST(hostile_names_move_no_cursor)
{
	static const char *const columns[] = { "", "80", "40", "20" };
	struct discovery_info i = aged("\x1b[2J\xff\xe2\x80\xae\n", 5);

	i.host = "\x1b]0;x\x07.local";
	i.type = "\r\x9b";
	(void)fixture_add_entry(f.discovery, &i);
	ck_assert_int_eq(setenv("COLUMNS", columns[_i], 1), 0);
	ck_assert_int_eq(fixture_crierctl(&f, "-s @ discovered"), 0);
	for (const char *c = f.out; *c; c++)
		ck_assert(*c == '\n' || (unsigned char)*c >= ' ');
	ck_assert_ptr_null(strstr(f.out, "\xe2\x80\xae"));
	ck_assert_ptr_nonnull(strstr(f.out, "\n\\x1b]0;x"));
}
END_TEST

/* JSON escapes no more than what is below a blank, and so let the second block
 * of control characters and overrides of direction pass. */
START_TEST(json_moves_no_cursor_either)
{
	struct discovery_info i = aged("a\x1b[2J\x7f\xc2\x9b"
				       "2J\xe2\x80\xae",
		5);
	json_t *result, *entry;

	(void)fixture_add_entry(f.discovery, &i);
	ck_assert_int_eq(fixture_crierctl(&f, "-s @ --json discovered"), 0);
	for (const char *c = f.out; *c; c++)
		ck_assert(*c == '\n' || (*c >= ' ' && *c < '\x7f'));
	result = json_loads(f.out, 0, NULL);
	entry = json_array_get(json_object_get(result, "entries"), 0);
	ck_assert_str_eq(
		json_string_value(json_object_get(entry, "name")), i.name);
	json_decref(result);
}
END_TEST

enum { MANY = 1234 };

/* More than a page. */
START_TEST(all_pages_are_one_result)
{
	struct discovery_info i = aged("x", 5);
	json_t *result, *entries, *one;
	size_t n;

	for (unsigned k = 0; k < MANY; k++) {
		i.count = k;
		(void)fixture_add_entry(f.discovery, &i);
	}
	ck_assert_int_eq(fixture_crierctl(&f, "--json -s @ discovered"), 0);
	result = json_loads(f.out, 0, NULL);
	entries = json_object_get(result, "entries");
	ck_assert_uint_eq(json_array_size(entries), MANY);
	json_array_foreach(entries, n, one) ck_assert_int_eq(
		json_integer_value(json_object_get(one, "count")),
		(json_int_t)n);
	ck_assert(json_is_null(json_object_get(result, "cursor")));
	ck_assert_uint_eq(json_object_size(result), 2);
	json_decref(result);
}
END_TEST

/* ---- announcements ---- */

START_TEST(announcements_are_a_table)
{
	check_shown("-s @ announcements",
		"NAME  GROUP   ORIGIN   STATE   INTERVAL  SENT  NEXT\n"
		"gate  beacon  config   active      30 s    12   8 s\n"
		"web   mdns    runtime  silent     0.5 s     1     -\n"
		"  192.0.2.9 announces the name\n");
	f.announce->n = 0;
	check_shown("-s @ announcements", "Nothing is announced.\n");
}
END_TEST

static const struct {
	const char *options, *declared;
} announced[] = {
	{ "--group beacon --text hi --interval 30s --burst 3 --goodbye bye",
		"{\"group\": \"beacon\", \"payload\": {\"text\": \"hi\"}, "
		"\"interval\": \"30s\", \"burst\": 3, "
		"\"goodbye\": {\"text\": \"bye\"}}" },
	{ "--group beacon --hex 00ff --goodbye-hex ff",
		"{\"group\": \"beacon\", \"payload\": {\"hex\": \"00ff\"}, "
		"\"goodbye\": {\"hex\": \"ff\"}}" },
	{ "--group beacon --base64 AP8=",
		"{\"group\": \"beacon\", "
		"\"payload\": {\"base64\": \"AP8=\"}}" },
	{ "--group mdns --service-name Web --service-type _http._tcp "
	  "--service-port 80 --txt a=1 --txt b --service-host h",
		"{\"group\": \"mdns\", \"service\": {\"name\": \"Web\", "
		"\"type\": \"_http._tcp\", \"port\": 80, "
		"\"txt\": [\"a=1\", \"b\"], \"host\": \"h\"}}" },
};

START_TEST(options_become_an_announcement)
{
	char words[256];

	(void)snprintf(words, sizeof(words), "-s @ announce new %s",
		announced[_i].options);
	check_shown(words, "new is announced.\n");
	ck_assert_str_eq(fixture_parse.text, announced[_i].declared);
}
END_TEST

START_TEST(a_file_is_read_by_the_client)
{
	char path[80], words[160];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s.payload", f.path);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	(void)fwrite("hi\0\377!", 1, 5, file);
	ck_assert_int_eq(fclose(file), 0);
	(void)snprintf(words, sizeof(words),
		"-s @ announce new --group beacon --file %s", path);
	check_shown(words, "new is announced.\n");
	ck_assert_str_eq(fixture_parse.text,
		"{\"group\": \"beacon\", "
		"\"payload\": {\"base64\": \"aGkA/yE=\"}}");
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(a_refused_announcement_is_told_once)
{
	fixture_parse.result = -EINVAL;
	ck_assert_int_eq(
		fixture_crierctl(&f, "-s @ announce a --group mdns --hex x"),
		1);
	fixture_check_text(f.err,
		"crierctl: announce: payload.hex: \"x\" is no hexadecimal "
		"digit\n");
}
END_TEST

START_TEST(what_is_withdrawn_is_named)
{
	check_shown("-s @ withdraw web", "web is withdrawn.\n");
	ck_assert_int_eq(fixture_crierctl(&f, "-s @ withdraw gate"), 1);
	fixture_check_text(f.err,
		"crierctl: withdraw: \"gate\" is declared by the file: "
		"remove it there and reload\n");
}
END_TEST

/* ---- metrics ---- */

START_TEST(metrics_are_printed_as_they_are)
{
	json_t *text;

	ck_assert_int_eq(fixture_crierctl(&f, "-s @ metrics"), 0);
	ck_assert(!strncmp(f.out, "# HELP crier_build_info ", 24));
	ck_assert_ptr_nonnull(strstr(f.out, "\ncrier_flows 2\n"));
	ck_assert_int_eq(fixture_crierctl(&f, "-s @ metrics --json"), 0);
	text = json_loads(f.out, JSON_DECODE_ANY, NULL);
	ck_assert(json_is_string(text));
	json_decref(text);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("control/shown");
	TCase *t = tcase_create("shown");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, an_empty_table_says_where_to_look);
	tcase_add_test(t, entries_stand_below_their_hosts);
	tcase_add_test(t, what_another_site_brought_says_so);
	tcase_add_test(t, what_went_between_sites_is_in_the_status);
	tcase_add_test(t, a_terminal_of_80_columns_is_enough);
	tcase_add_test(t, a_terminal_of_40_columns_shows_less);
	tcase_add_test(t, filters_are_the_daemons);
	tcase_add_test(t, an_address_of_two_hosts_is_its_own);
	tcase_add_loop_test(t, hostile_names_move_no_cursor, 0, 4);
	tcase_add_test(t, json_moves_no_cursor_either);
	tcase_add_test(t, all_pages_are_one_result);
	tcase_add_test(t, announcements_are_a_table);
	tcase_add_loop_test(t, options_become_an_announcement, 0,
		sizeof(announced) / sizeof(announced[0]));
	tcase_add_test(t, a_file_is_read_by_the_client);
	tcase_add_test(t, a_refused_announcement_is_told_once);
	tcase_add_test(t, what_is_withdrawn_is_named);
	tcase_add_test(t, metrics_are_printed_as_they_are);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return fixture_main(suite());
}
