/* Tests of proto/entry: SSDP, WS-Discovery, and any datagram. */
#include "mdns_fixture.h"
#include "proto/proto.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The datagram of a test, in a buffer of its exact size. */
static uint8_t *datagram;
static struct proto_entry entry;

static void begin(void)
{
	datagram = NULL;
	memset(&entry, 0x5a, sizeof(entry));
}

static void end(void)
{
	free(datagram);
}

static void check_piece(const struct proto_piece *p, const char *want)
{
	ck_assert_uint_eq(p->size, strlen(want));
	if (p->size > 0)
		ck_assert_mem_eq(p->at, want, p->size);
}

/* ---- SSDP ---- */

static int ssdp(const char *text)
{
	struct ssdp_message m;

	free(datagram);
	datagram = fixture_exact((const uint8_t *)text, strlen(text));
	ck_assert_int_eq(ssdp_parse(datagram, strlen(text), &m), 0);
	return ssdp_entry(&m, &entry);
}

START_TEST(ssdp_alive_tells_all)
{
	ck_assert_int_eq(ssdp("NOTIFY * HTTP/1.1\r\n"
			      "CACHE-CONTROL: max-age=1800\r\n"
			      "LOCATION: http://192.0.2.1/\r\n"
			      "NT: upnp:rootdevice\r\nNTS: ssdp:alive\r\n"
			      "SERVER: a/1 UPnP/2.0 b/1\r\n"
			      "USN: uuid:1::upnp:rootdevice\r\n\r\n"),
		0);
	ck_assert_int_eq(entry.presence, PROTO_ALIVE);
	check_piece(&entry.identity, "uuid:1::upnp:rootdevice");
	check_piece(&entry.name, "uuid:1::upnp:rootdevice");
	check_piece(&entry.type, "upnp:rootdevice");
	check_piece(&entry.location, "http://192.0.2.1/");
	check_piece(&entry.detail, "a/1 UPnP/2.0 b/1");
	ck_assert_int_eq(entry.lifetime_s, 1800);
}
END_TEST

static const struct {
	const char *text;
	enum proto_presence presence;
} presences[] = {
	{ "NOTIFY * HTTP/1.1\r\nNTS: ssdp:alive\r\nUSN: u\r\n", PROTO_ALIVE },
	{ "NOTIFY * HTTP/1.1\r\nUSN: u\r\n", PROTO_ALIVE },
	{ "NOTIFY * HTTP/1.1\r\nNTS: x\r\nUSN: u\r\n", PROTO_ALIVE },
	{ "NOTIFY * HTTP/1.1\r\nNTS: ssdp:update\r\nUSN: u\r\n",
		PROTO_UPDATED },
	{ "NOTIFY * HTTP/1.1\r\nNTS: ssdp:byebye\r\nUSN: u\r\n", PROTO_GONE },
	{ "HTTP/1.1 200 OK\r\nUSN: u\r\n", PROTO_ALIVE },
	/* NTS is not for answers. */
	{ "HTTP/1.1 200 OK\r\nNTS: ssdp:byebye\r\nUSN: u\r\n", PROTO_ALIVE },
	{ "HELLO * HTTP/1.0\r\nUSN: u\r\n", PROTO_ALIVE },
	{ "UPDATE * HTTP/1.0\r\nUSN: u\r\n", PROTO_ALIVE },
	{ "BYE * HTTP/1.0\r\nUSN: u\r\n", PROTO_GONE },
};

START_TEST(ssdp_says_who_comes_and_goes)
{
	ck_assert_int_eq(ssdp(presences[_i].text), 0);
	ck_assert_int_eq(entry.presence, presences[_i].presence);
	check_piece(&entry.identity, "u");
	ck_assert_int_eq(entry.lifetime_s, -1);
}
END_TEST

START_TEST(ssdp_answers_say_in_st_what_they_are)
{
	ck_assert_int_eq(ssdp("HTTP/1.1 200 OK\r\nST: roku:ecp\r\nNT: x\r\n"
			      "USN: uuid:roku:ecp:1\r\n"
			      "Cache-Control: max-age=0\r\n"),
		0);
	check_piece(&entry.type, "roku:ecp");
	ck_assert_int_eq(entry.lifetime_s, 0);
}
END_TEST

START_TEST(ssdp_without_usn_is_told_by_its_location)
{
	ck_assert_int_eq(ssdp("NOTIFY * HTTP/1.1\r\nNTS: ssdp:alive\r\nUSN:\r\n"
			      "Cache-Control: max-age=3600\r\n"
			      "Location: yeelight://192.0.2.5:55443\r\n"),
		0);
	check_piece(&entry.identity, "yeelight://192.0.2.5:55443");
	check_piece(&entry.name, "yeelight://192.0.2.5:55443");
	check_piece(&entry.location, "yeelight://192.0.2.5:55443");
	check_piece(&entry.type, "");
}
END_TEST

START_TEST(gdm_is_told_by_where_it_comes_from)
{
	ck_assert_int_eq(ssdp("HELLO * HTTP/1.0\r\nName: Player\r\n"), 0);
	check_piece(&entry.identity, "");
	check_piece(&entry.name, "");
	ck_assert_int_eq(entry.presence, PROTO_ALIVE);
	ck_assert_int_eq(ssdp("BYE * HTTP/1.0\r\nName: Player\r\n"), 0);
	check_piece(&entry.identity, "");
	ck_assert_int_eq(entry.presence, PROTO_GONE);
}
END_TEST

/* What an update leaves out stays as it was (discovery/words.h). */
START_TEST(ssdp_tells_missing_headers_from_empty_ones)
{
	ck_assert_int_eq(
		ssdp("NOTIFY * HTTP/1.1\r\nNTS: ssdp:update\r\nUSN: u\r\n"
		     "LOCATION:\r\n"),
		0);
	ck_assert_ptr_null(entry.detail.at);
	ck_assert_ptr_null(entry.type.at);
	ck_assert_ptr_nonnull(entry.location.at);
	ck_assert_uint_eq(entry.location.size, 0);
}
END_TEST

START_TEST(ssdp_searches_and_errors_tell_of_nobody)
{
	struct proto_entry before = entry;

	ck_assert_int_eq(
		ssdp("M-SEARCH * HTTP/1.1\r\nST: ssdp:all\r\n"), -ENOMSG);
	ck_assert_int_eq(ssdp("HTTP/1.1 404 Not Found\r\nUSN: u\r\n"), -ENOMSG);
	ck_assert_int_eq(ssdp("GET / HTTP/1.1\r\nUSN: u\r\n"), -ENOMSG);
	ck_assert_mem_eq(&entry, &before, sizeof(entry));
}
END_TEST

/* ---- WS-Discovery ---- */

/* A message from `action`, of "urn:1" at "http://192.0.2.1/". */
static struct wsd_message wsd(enum wsd_action action, unsigned targets)
{
	return (struct wsd_message){ .action = action,
		.targets = targets,
		.address = "urn:1",
		.n_types = 2,
		.types = { { "http://a", "Device" }, { "", "Printer" } },
		.metadata_version = UINT32_MAX,
		.xaddrs = "http://192.0.2.1/ http://[2001:db8::1]/" };
}

static const struct {
	enum wsd_action action;
	unsigned targets;
	int result;
	enum proto_presence presence;
} wsd_actions[] = {
	{ WSD_HELLO, 1, 0, PROTO_ALIVE },
	{ WSD_BYE, 1, 0, PROTO_GONE },
	{ WSD_PROBE_MATCHES, 0, -ENOMSG, PROTO_ALIVE },
	{ WSD_PROBE_MATCHES, 1, 0, PROTO_ALIVE },
	{ WSD_PROBE_MATCHES, 2, 0, PROTO_ALIVE },
	{ WSD_RESOLVE_MATCHES, 0, -ENOMSG, PROTO_ALIVE },
	{ WSD_RESOLVE_MATCHES, 1, 0, PROTO_ALIVE },
	{ WSD_PROBE, 1, -ENOMSG, PROTO_ALIVE },
	{ WSD_RESOLVE, 1, -ENOMSG, PROTO_ALIVE },
	{ WSD_OTHER, 1, -ENOMSG, PROTO_ALIVE },
};

START_TEST(wsd_says_who_comes_and_goes)
{
	struct wsd_message m =
		wsd(wsd_actions[_i].action, wsd_actions[_i].targets);

	ck_assert_int_eq(wsd_entry(&m, &entry), wsd_actions[_i].result);
	if (wsd_actions[_i].result < 0)
		return;
	ck_assert_int_eq(entry.presence, wsd_actions[_i].presence);
	check_piece(&entry.identity, "urn:1");
	check_piece(&entry.name, "urn:1");
	check_piece(&entry.type, "Device Printer");
	check_piece(&entry.location, "http://192.0.2.1/ http://[2001:db8::1]/");
	check_piece(&entry.detail, "4294967295");
	ck_assert_int_eq(entry.lifetime_s, -1);
}
END_TEST

START_TEST(wsd_joins_no_types_to_nothing)
{
	struct wsd_message m = wsd(WSD_HELLO, 1);

	m.n_types = 0;
	ck_assert_int_eq(wsd_entry(&m, &entry), 0);
	check_piece(&entry.type, "");
	/* Also over what was there before. */
	ck_assert_ptr_nonnull(entry.type.at);
}
END_TEST

START_TEST(wsd_joins_eight_types_at_their_longest)
{
	struct wsd_message m = wsd(WSD_HELLO, 1);
	char *want = malloc(PROTO_ENTRY_TYPES);

	m.n_types = WSD_MAX_TYPES;
	for (unsigned i = 0; i < WSD_MAX_TYPES; i++) {
		memset(m.types[i].local, 'a' + (int)i, WSD_LOCAL - 1);
		m.types[i].local[WSD_LOCAL - 1] = '\0';
		memset(want + i * WSD_LOCAL, 'a' + (int)i, WSD_LOCAL - 1);
		want[i * WSD_LOCAL + WSD_LOCAL - 1] = ' ';
	}
	want[PROTO_ENTRY_TYPES - 1] = '\0';
	ck_assert_int_eq(wsd_entry(&m, &entry), 0);
	check_piece(&entry.type, want);
	free(want);
}
END_TEST

/* ---- any datagram ---- */

static void check_excerpt(const void *bytes, size_t size, const char *want)
{
	free(datagram);
	datagram = fixture_exact(bytes, size);
	excerpt_entry(datagram, size, &entry);
	ck_assert_int_eq(entry.presence, PROTO_ALIVE);
	ck_assert_int_eq(entry.lifetime_s, -1);
	check_piece(&entry.identity, "");
	check_piece(&entry.name, want);
	check_piece(&entry.type, "");
	check_piece(&entry.location, "");
	check_piece(&entry.detail, "");
}

START_TEST(an_excerpt_is_of_at_most_64_bytes)
{
	char text[66], want[65] = "";

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('0' + i);
	check_excerpt(text, 0, "");
	check_excerpt(text, 1, "0");
	memcpy(want, text, 63);
	check_excerpt(text, 63, want);
	memcpy(want, text, 64);
	check_excerpt(text, 64, want);
	check_excerpt(text, 65, want);
	check_excerpt(text, 66, want);
}
END_TEST

START_TEST(an_excerpt_of_nothing_is_empty)
{
	excerpt_entry(NULL, 0, &entry);
	check_piece(&entry.name, "");
	ck_assert_ptr_nonnull(entry.name.at);
}
END_TEST

START_TEST(an_excerpt_shows_printable_ascii_alone)
{
	check_excerpt("\0\x1f \x7e\x7f\x80\xff\n\x1b[", 10, ".. ~.....[");
}
END_TEST

#define LOOP(t, test, table)                                                   \
	tcase_add_loop_test(                                                   \
		t, test, 0, (int)(sizeof(table) / sizeof((table)[0])))

int main(void)
{
	Suite *s = suite_create("proto_entry");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, ssdp_alive_tells_all);
	LOOP(t, ssdp_says_who_comes_and_goes, presences);
	tcase_add_test(t, ssdp_answers_say_in_st_what_they_are);
	tcase_add_test(t, ssdp_without_usn_is_told_by_its_location);
	tcase_add_test(t, gdm_is_told_by_where_it_comes_from);
	tcase_add_test(t, ssdp_tells_missing_headers_from_empty_ones);
	tcase_add_test(t, ssdp_searches_and_errors_tell_of_nobody);
	LOOP(t, wsd_says_who_comes_and_goes, wsd_actions);
	tcase_add_test(t, wsd_joins_no_types_to_nothing);
	tcase_add_test(t, wsd_joins_eight_types_at_their_longest);
	tcase_add_test(t, an_excerpt_is_of_at_most_64_bytes);
	tcase_add_test(t, an_excerpt_of_nothing_is_empty);
	tcase_add_test(t, an_excerpt_shows_printable_ascii_alone);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
