/* Tests of proto/ssdp. */
#include "proto/proto.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The datagram of a test, in a buffer of its exact size. */
static char *datagram;

static int parse(const char *text, size_t size, struct ssdp_message *ret)
{
	free(datagram);
	datagram = malloc(size);
	memcpy(datagram, text, size);
	return ssdp_parse(datagram, size, ret);
}

static struct ssdp_message parsed(const char *text)
{
	struct ssdp_message m;

	ck_assert_msg(parse(text, strlen(text), &m) == 0, "%s", text);
	return m;
}

static void forget(void)
{
	free(datagram);
	datagram = NULL;
}

/* NULL: there is none. */
static void check_text(const struct ssdp_text *t, const char *want)
{
	if (want == NULL) {
		ck_assert_ptr_null(t->at);
		return;
	}
	ck_assert_uint_eq(t->size, strlen(want));
	ck_assert_mem_eq(t->at, want, t->size);
}

static void check_header(
	const struct ssdp_message *m, enum ssdp_header h, const char *want)
{
	check_text(&m->header[h], want);
}

START_TEST(reads_an_announcement)
{
	struct ssdp_message m = parsed(
		"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n"
		"CACHE-CONTROL: max-age=1800\r\nLOCATION: http://192.0.2.1/\r\n"
		"NT: upnp:rootdevice\r\nNTS: ssdp:alive\r\n"
		"SERVER: a/1 UPnP/2.0 b/1\r\nUSN: uuid:1::upnp:rootdevice\r\n"
		"BOOTID.UPNP.ORG: 7\r\nNEXTBOOTID.UPNP.ORG: 8\r\n"
		"CONFIGID.UPNP.ORG: 9\r\nSEARCHPORT.UPNP.ORG: 49152\r\n\r\n");
	struct ssdp_text target = ssdp_target(&m);

	ck_assert_int_eq(m.kind, PROTO_ANNOUNCEMENT);
	ck_assert_int_eq(m.method, SSDP_NOTIFY);
	ck_assert_int_eq(m.nts, SSDP_ALIVE);
	ck_assert_int_eq(m.max_age, 1800);
	check_text(&target, "upnp:rootdevice");
	check_header(&m, SSDP_HOST, "239.255.255.250:1900");
	check_header(&m, SSDP_LOCATION, "http://192.0.2.1/");
	check_header(&m, SSDP_SERVER, "a/1 UPnP/2.0 b/1");
	check_header(&m, SSDP_USN, "uuid:1::upnp:rootdevice");
	check_header(&m, SSDP_BOOTID, "7");
	check_header(&m, SSDP_NEXTBOOTID, "8");
	check_header(&m, SSDP_CONFIGID, "9");
	check_header(&m, SSDP_SEARCHPORT, "49152");
	check_header(&m, SSDP_ST, NULL);
}
END_TEST

START_TEST(reads_a_search)
{
	struct ssdp_message m = parsed(
		"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n"
		"MAN: \"ssdp:discover\"\r\nMX: 2\r\nST: ssdp:all\r\n\r\n");
	struct ssdp_text target = ssdp_target(&m);

	ck_assert_int_eq(m.kind, PROTO_SEARCH);
	ck_assert_int_eq(m.method, SSDP_M_SEARCH);
	ck_assert_int_eq(m.mx, 2);
	ck_assert_int_eq(m.max_age, -1);
	ck_assert_int_eq(m.nts, SSDP_NTS_NONE);
	check_text(&target, "ssdp:all");
	check_header(&m, SSDP_MAN, "\"ssdp:discover\"");
}
END_TEST

static const struct {
	const char *line;
	enum ssdp_method method;
	enum proto_kind kind;
} first_lines[] = {
	{ "NOTIFY * HTTP/1.1\r\n\r\n", SSDP_NOTIFY, PROTO_ANNOUNCEMENT },
	{ "M-SEARCH * HTTP/1.0\r\n\r\n", SSDP_M_SEARCH, PROTO_SEARCH },
	{ "m-search  *\thttp/1.1\n", SSDP_M_SEARCH, PROTO_SEARCH },
	{ "M-SEARCH * HTTP/1.1", SSDP_M_SEARCH, PROTO_SEARCH },
	{ "\r\n\nM-SEARCH * HTTP/1.1\r\n", SSDP_M_SEARCH, PROTO_SEARCH },
	{ "HTTP/1.1 200 OK\r\n\r\n", SSDP_ANSWER, PROTO_ANNOUNCEMENT },
	{ "HTTP/1.0 200\n", SSDP_ANSWER, PROTO_ANNOUNCEMENT },
	{ "HTTP/1.1 404 Not Found\r\n\r\n", SSDP_OTHER, PROTO_OTHER },
	{ "HELLO * HTTP/1.0\n", SSDP_HELLO, PROTO_ANNOUNCEMENT },
	{ "UPDATE * HTTP/1.0\n", SSDP_HELLO, PROTO_ANNOUNCEMENT },
	{ "BYE * HTTP/1.0\n", SSDP_BYE, PROTO_ANNOUNCEMENT },
	{ "GET / HTTP/1.1\r\n\r\n", SSDP_OTHER, PROTO_OTHER },
	{ "NOTIFYX * HTTP/1.1\r\n\r\n", SSDP_OTHER, PROTO_OTHER },
};

START_TEST(knows_the_first_line)
{
	struct ssdp_message m = parsed(first_lines[_i].line);

	ck_assert_int_eq(m.method, first_lines[_i].method);
	ck_assert_int_eq(m.kind, first_lines[_i].kind);
}
END_TEST

START_TEST(refuses_what_is_no_http)
{
	static const char *const junk[] = { "", "\r\n\r\n", "NOTIFY *",
		"NOTIFY HTTP/1.1\r\n", "NOTIFY * HTTP/2\r\n", "HTTP/1.1",
		"HTTP/1.1 OK\r\n", "HTTP/1.1 2000\r\n", "HTTP/2 200 OK\r\n",
		"NOTIFY * a HTTP/1.1\r\n", "NOTIFY\r\n* HTTP/1.1\r\n" };
	struct ssdp_message m = { .mx = 77 };

	for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++)
		ck_assert_msg(parse(junk[i], strlen(junk[i]), &m) == -EBADMSG,
			"%s", junk[i]);
	ck_assert_int_eq(m.mx, 77);
}
END_TEST

START_TEST(forgives_how_headers_are_written)
{
	struct ssdp_message m = parsed(
		"NOTIFY * HTTP/1.1\nno colon here\n: no name\nnts:ssdp:byebye\n"
		"Usn \t: uuid:1 \t\nServer:\n a\n\tb\r\nNt:\r\n  x:y\r\n"
		"LOCATION:\n");

	ck_assert_int_eq(m.nts, SSDP_BYEBYE);
	check_header(&m, SSDP_USN, "uuid:1");
	check_header(&m, SSDP_SERVER, "a\n\tb");
	check_header(&m, SSDP_NT, "x:y");
	ck_assert_ptr_nonnull(m.header[SSDP_LOCATION].at);
	ck_assert_uint_eq(m.header[SSDP_LOCATION].size, 0);
}
END_TEST

START_TEST(headers_end_with_an_empty_line)
{
	struct ssdp_message m =
		parsed("NOTIFY * HTTP/1.1\r\nNT: a\r\n\r\nUSN: body\r\n");

	check_header(&m, SSDP_NT, "a");
	check_header(&m, SSDP_USN, NULL);
}
END_TEST

START_TEST(text_ends_at_a_nul)
{
	static const char text[] =
		"NOTIFY * HTTP/1.1\r\nNT: a\0b\r\nUSN: c\r\n";
	struct ssdp_message m;

	ck_assert_int_eq(parse(text, sizeof(text) - 1, &m), 0);
	check_header(&m, SSDP_NT, "a");
	check_header(&m, SSDP_USN, NULL);
}
END_TEST

START_TEST(of_two_headers_the_first_counts)
{
	struct ssdp_message m = parsed(
		"NOTIFY * HTTP/1.1\r\nNT:\r\nNT: b\r\nUSN: c\r\nusn: d\r\n");

	check_header(&m, SSDP_NT, "");
	check_header(&m, SSDP_USN, "c");
}
END_TEST

START_TEST(reads_every_prefix_within_its_bounds)
{
	static const char text[] =
		"M-SEARCH * HTTP/1.1\r\nMX: 5\r\nST:\r\n a\r\n b\r\n"
		"CACHE-CONTROL: max-age = \"7\"\r\nNTS: ssdp:update\r\n\r\n";
	struct ssdp_message m;

	for (size_t size = 0; size < sizeof(text); size++)
		ck_assert_int_eq(parse(text, size, &m),
			size < strlen("M-SEARCH * HTTP/1.") ? -EBADMSG : 0);
	ck_assert_int_eq(m.max_age, 7);
	ck_assert_int_eq(m.nts, SSDP_UPDATE);
}
END_TEST

static const struct {
	const char *value;
	int mx;
} mxs[] = {
	{ "1", 1 },
	{ "0", 1 },
	{ "5", 5 },
	{ "6", 5 },
	{ "99999999999999999999999", 5 },
	{ "", 3 },
	{ "x", 3 },
	{ "-1", 3 },
	{ "2 seconds", 2 },
};

START_TEST(mx_stays_within_its_bounds)
{
	char text[200] = "M-SEARCH * HTTP/1.1\r\nMX: ";

	strcat(text, mxs[_i].value);
	ck_assert_int_eq(parsed(text).mx, mxs[_i].mx);
}
END_TEST

static const struct {
	const char *value;
	int64_t max_age;
} ages[] = {
	{ "max-age=0", 0 },
	{ "max-age=1800", 1800 },
	{ "Max-Age = 1800", 1800 },
	{ "no-cache=\"Ext\", max-age = \"5\", x", 5 },
	{ "max-age=99999999999999999999", INT32_MAX },
	{ "max-age", -1 },
	{ "max-age=", -1 },
	{ "max-age=-5", -1 },
	{ "max-ag", -1 },
	{ "", -1 },
};

START_TEST(finds_max_age)
{
	char text[200] = "NOTIFY * HTTP/1.1\r\nCACHE-CONTROL: ";

	strcat(text, ages[_i].value);
	ck_assert_int_eq(parsed(text).max_age, ages[_i].max_age);
}
END_TEST

static char dial[] = "urn:dial-multiscreen-org:service:dial:*",
	    upnp[] = "upnp:rootdevice", numbers[] = "urn:x:[1-3]",
	    all[] = "ssdp:all", any[] = "*";
static char *two[] = { dial, upnp }, *numbered[] = { numbers },
	    *alls[] = { all }, *anys[] = { any };

static const struct proto_filter allow_two = { .allow = { two, 2 } },
				 deny_two = { .deny = { two, 2 } },
				 allow_numbers = { .allow = { numbered, 1 } },
				 deny_all = { .deny = { alls, 1 } },
				 allow_any = { .allow = { anys, 1 } },
				 deny_wins = { .allow = { two, 2 },
					 .deny = { two, 1 } };

static const struct {
	const struct proto_filter *filter;
	enum proto_kind kind;
	const char *target; /* NULL: none */
	bool passes;
} targets[] = {
	{ &allow_two, PROTO_ANNOUNCEMENT, "upnp:rootdevice", true },
	{ &allow_two, PROTO_ANNOUNCEMENT, "UPNP:RootDevice", true },
	{ &allow_two, PROTO_ANNOUNCEMENT,
		"urn:dial-multiscreen-org:service:dial:1", true },
	{ &allow_two, PROTO_ANNOUNCEMENT, "upnp:rootdevice2", false },
	{ &allow_two, PROTO_ANNOUNCEMENT, "ssdp:all", false },
	{ &allow_two, PROTO_SEARCH, "ssdp:all", true },
	{ &allow_two, PROTO_SEARCH, "SSDP:ALL", true },
	{ &allow_two, PROTO_SEARCH, "ssdp:al", false },
	{ &allow_two, PROTO_SEARCH, NULL, false },
	{ &allow_any, PROTO_SEARCH, "", false },
	{ &allow_any, PROTO_SEARCH, "x", true },
	{ &deny_two, PROTO_SEARCH, "upnp:rootdevice", false },
	{ &deny_two, PROTO_SEARCH, "ssdp:all", true },
	{ &deny_two, PROTO_SEARCH, NULL, true },
	{ &deny_all, PROTO_SEARCH, "ssdp:all", false },
	{ &deny_wins, PROTO_ANNOUNCEMENT, "upnp:rootdevice", true },
	{ &deny_wins, PROTO_ANNOUNCEMENT,
		"urn:dial-multiscreen-org:service:dial:1", false },
	{ &allow_numbers, PROTO_SEARCH, "urn:x:3", true },
	{ &allow_numbers, PROTO_SEARCH, "urn:x:4", false },
};

START_TEST(targets_pass_as_the_filter_says)
{
	const char *target = targets[_i].target;
	struct ssdp_text t = { target, target == NULL ? 0 : strlen(target) };

	ck_assert_msg(ssdp_target_passes(targets[_i].filter, 1,
			      targets[_i].kind, &t) == targets[_i].passes,
		"%s", target);
}
END_TEST

START_TEST(every_filter_must_let_pass)
{
	const struct proto_filter filters[] = { { .deny = { NULL, 0 } },
		allow_two, deny_two };
	struct ssdp_text t = { upnp, strlen(upnp) };

	ck_assert(ssdp_target_passes(filters, 0, PROTO_SEARCH, &t));
	ck_assert(ssdp_target_passes(filters, 2, PROTO_SEARCH, &t));
	ck_assert(!ssdp_target_passes(filters, 3, PROTO_SEARCH, &t));
}
END_TEST

START_TEST(a_target_of_more_than_255_bytes_passes_no_filter)
{
	static const struct proto_filter nothing = { .deny = { NULL, 0 } };
	char text[256];
	struct ssdp_text t = { text, 255 };

	memset(text, 'x', sizeof(text));
	ck_assert(ssdp_target_passes(&allow_any, 1, PROTO_SEARCH, &t));
	ck_assert(ssdp_target_passes(&deny_all, 1, PROTO_SEARCH, &t));
	t.size = 256;
	ck_assert(!ssdp_target_passes(&allow_any, 1, PROTO_SEARCH, &t));
	ck_assert(!ssdp_target_passes(&deny_all, 1, PROTO_SEARCH, &t));
	ck_assert(ssdp_target_passes(&nothing, 1, PROTO_SEARCH, &t));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ssdp");
	TCase *t = tcase_create("ssdp");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, NULL, forget);
	tcase_add_test(t, reads_an_announcement);
	tcase_add_test(t, reads_a_search);
	tcase_add_loop_test(t, knows_the_first_line, 0,
		(int)(sizeof(first_lines) / sizeof(first_lines[0])));
	tcase_add_test(t, refuses_what_is_no_http);
	tcase_add_test(t, forgives_how_headers_are_written);
	tcase_add_test(t, headers_end_with_an_empty_line);
	tcase_add_test(t, text_ends_at_a_nul);
	tcase_add_test(t, of_two_headers_the_first_counts);
	tcase_add_test(t, reads_every_prefix_within_its_bounds);
	tcase_add_loop_test(t, mx_stays_within_its_bounds, 0,
		(int)(sizeof(mxs) / sizeof(mxs[0])));
	tcase_add_loop_test(
		t, finds_max_age, 0, (int)(sizeof(ages) / sizeof(ages[0])));
	tcase_add_loop_test(t, targets_pass_as_the_filter_says, 0,
		(int)(sizeof(targets) / sizeof(targets[0])));
	tcase_add_test(t, every_filter_must_let_pass);
	tcase_add_test(t, a_target_of_more_than_255_bytes_passes_no_filter);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
