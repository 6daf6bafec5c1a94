/*
 * What a datagram says, in a line; and bytes as text.
 */
#include "control/base64.h"
#include "control/excerpt.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- base64 ---- */

/* RFC 4648, 10; and what has a bit in each place. */
static const struct {
	const char *bytes;
	size_t size;
	const char *text;
} encodings[] = {
	{ "", 0, "" },
	{ "f", 1, "Zg==" },
	{ "fo", 2, "Zm8=" },
	{ "foo", 3, "Zm9v" },
	{ "foob", 4, "Zm9vYg==" },
	{ "fooba", 5, "Zm9vYmE=" },
	{ "foobar", 6, "Zm9vYmFy" },
	{ "\xff\xff\xfe\0\0\1", 6, "///+AAAB" },
};

/* Buffers are of the exact size, so that a sanitizer sees one byte more. */
START_TEST(bytes_come_back_as_they_were)
{
	size_t n = BASE64_TEXT(encodings[_i].size), size;
	char *text = malloc(n + !n);
	uint8_t *bytes = malloc(n / 4 * 3 + !n);

	ck_assert_uint_eq(n, strlen(encodings[_i].text));
	ck_assert_uint_eq(base64_encode((const uint8_t *)encodings[_i].bytes,
				  encodings[_i].size, text),
		n);
	ck_assert(memcmp(text, encodings[_i].text, n) == 0);
	ck_assert_int_eq(base64_decode(text, n, bytes, &size), 0);
	ck_assert_uint_eq(size, encodings[_i].size);
	ck_assert(memcmp(bytes, encodings[_i].bytes, size) == 0);
	free(text);
	free(bytes);
}
END_TEST

static const char *const no_encodings[] = { "Z", "Zg", "Zg=", "Zg=g",
	"====", "=", "Z===", "Zm9v=", "Zm9vYg=", "Zm 9", "Zm9\xff", "Z-9v",
	"Zg==Zg==" };

START_TEST(what_is_no_base64_is_refused)
{
	uint8_t bytes[16];
	size_t size = 99;

	ck_assert_int_eq(base64_decode(no_encodings[_i],
				 strlen(no_encodings[_i]), bytes, &size),
		-EINVAL);
	ck_assert_uint_eq(size, 99);
}
END_TEST

/* ---- excerpts ---- */

/* The excerpt of a copy of the exact size equals `expected`. */
static void check_excerpt(const char *protocol, const void *data, size_t size,
	const char *expected)
{
	struct excerpt e = { 0 };
	uint8_t *exact = malloc(size + !size);
	char *text;

	memcpy(exact, data, size);
	/* Twice: what is kept between two does no harm. */
	for (int i = 0; i < 2; i++) {
		text = excerpt_text(&e, protocol, exact, size);
		ck_assert_str_eq(text, expected);
		free(text);
	}
	excerpt_done(&e);
	free(exact);
}

static void name_of(const char *text, struct mdns_name *ret)
{
	ck_assert_int_eq(mdns_name_from_text(text, ret), 0);
}

START_TEST(a_query_names_its_questions)
{
	struct mdns_name type, host;
	struct mdns_writer w;
	uint8_t out[512];

	name_of("_hap._tcp.local", &type);
	name_of("lamp.local", &host);
	ck_assert_int_eq(mdns_begin(&w, out, sizeof(out), 0, 0), 0);
	ck_assert_int_eq(mdns_put_question(&w, &type, MDNS_PTR, true), 0);
	ck_assert_int_eq(mdns_put_question(&w, &host, MDNS_ANY, false), 0);
	ck_assert_int_eq(mdns_put_question(&w, &host, 64, false), 0);
	check_excerpt("mdns", out, w.used,
		"PTR? _hap._tcp.local, ANY? lamp.local, TYPE64? lamp.local");
}
END_TEST

START_TEST(an_answer_names_its_records)
{
	static const uint8_t v4[] = { 10, 0, 0, 7 };
	static const uint8_t v6[16] = { 0xfe, 0x80, [15] = 7 };
	static const struct proto_list nothing;
	struct mdns_name type, instance, host;
	struct mdns_writer w;
	uint8_t out[512];

	name_of("_hap._tcp.local", &type);
	name_of("L\\195\\164mp\\027._hap._tcp.local", &instance);
	name_of("lamp.local", &host);
	ck_assert_int_eq(mdns_begin(&w, out, sizeof(out), 0, MDNS_RESPONSE), 0);
	ck_assert_int_eq(mdns_put_ptr(&w, MDNS_ANSWER, &type, 0, &instance), 0);
	ck_assert_int_eq(
		mdns_put_srv(&w, MDNS_ANSWER, &instance, 120, 8080, &host), 0);
	ck_assert_int_eq(
		mdns_put_txt(&w, MDNS_ANSWER, &instance, 120, &nothing), 0);
	ck_assert_int_eq(
		mdns_put_address(&w, MDNS_ADDITIONAL, &host, 120, v4, 4), 0);
	ck_assert_int_eq(
		mdns_put_address(&w, MDNS_ADDITIONAL, &host, 120, v6, 16), 0);
	check_excerpt("mdns", out, w.used,
		"PTR _hap._tcp.local L\\195\\164mp\\027._hap._tcp.local "
		"(goodbye), "
		"SRV L\\195\\164mp\\027._hap._tcp.local lamp.local:8080, "
		"TXT L\\195\\164mp\\027._hap._tcp.local, "
		"A lamp.local 10.0.0.7, AAAA lamp.local fe80::7");
}
END_TEST

START_TEST(many_questions_are_counted)
{
	struct mdns_writer w;
	struct mdns_name n;
	uint8_t out[512];
	char expected[512], *end = expected;

	name_of("a.local", &n);
	ck_assert_int_eq(mdns_begin(&w, out, sizeof(out), 0, 0), 0);
	for (int i = 0; i < 12 + _i; i++)
		ck_assert_int_eq(mdns_put_question(&w, &n, MDNS_A, false), 0);
	for (int i = 0; i < 12; i++)
		end += sprintf(end, "%sA? a.local", i ? ", " : "");
	if (_i)
		(void)sprintf(end, " and %d more", _i);
	check_excerpt("mdns", out, w.used, expected);
}
END_TEST

#define PROBE                                                                  \
	"<e:Envelope xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\" "     \
	"xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" "        \
	"xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\"><e:Header>"
#define ACTION(name)                                                           \
	"<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/" name      \
	"</a:Action></e:Header><e:Body>"

static const struct {
	const char *protocol, *data, *expected;
} texts[] = {
	{ "ssdp",
		"M-SEARCH * HTTP/1.1\r\nMAN: \"ssdp:discover\"\r\n"
		"ST: upnp:rootdevice\r\n\r\n",
		"M-SEARCH * HTTP/1.1, upnp:rootdevice" },
	{ "ssdp",
		"NOTIFY * HTTP/1.1\nNT: urn:x\nNTS: ssdp:byebye\nUSN: u::urn:x"
		"\n",
		"NOTIFY * HTTP/1.1, ssdp:byebye, urn:x" },
	{ "ssdp", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK" },
	{ "ssdp", "no SSDP\x1b", "no SSDP\\x1b" },
	{ "wsd",
		PROBE ACTION("Probe") "<d:Probe><d:Types xmlns:w=\"urn:w\">"
				      "w:Printer w:Device</d:Types></d:Probe>"
				      "</e:Body></e:Envelope>",
		"Probe Printer Device" },
	{ "wsd",
		PROBE ACTION("Hello") "<d:Hello><a:EndpointReference>"
				      "<a:Address>urn:uuid:1</a:Address>"
				      "</a:EndpointReference><d:XAddrs>"
				      "http://10.0.0.7/x</d:XAddrs></d:Hello>"
				      "</e:Body></e:Envelope>",
		"Hello urn:uuid:1 at http://10.0.0.7/x" },
	{ "wsd", "<a", "<a" },
	{ "mdns", "short", "short" },
	{ "none", "", "" },
	{ "none", "a\tb", "a\\x09b" },
	{ "strange", "caf\xc3\xa9", "caf\\xc3\\xa9" },
	{ "none",
		"0123456789012345678901234567890123456789012345678901234567"
		"890123",
		"0123456789012345678901234567890123456789012345678901234567"
		"890123" },
	{ "none",
		"0123456789012345678901234567890123456789012345678901234567"
		"8901234",
		"0123456789012345678901234567890123456789012345678901234567"
		"890123..." },
};

START_TEST(each_protocol_has_its_words)
{
	check_excerpt(texts[_i].protocol, texts[_i].data,
		strlen(texts[_i].data), texts[_i].expected);
}
END_TEST

/* What breaks off in the middle is shown as bytes, from its beginning. */
START_TEST(half_a_message_is_bytes)
{
	static const uint8_t half[] = { 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 1,
		'a', 0, 0, 1, 0, 1, 1, 'b' };

	check_excerpt("mdns", half, sizeof(half),
		"\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\x00\\x00\\x00\\x00\\x00"
		"\\x01a\\x00\\x00\\x01\\x00\\x01\\x01"
		"b");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("control/excerpt");
	TCase *t = tcase_create("excerpt");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_loop_test(t, bytes_come_back_as_they_were, 0,
		sizeof(encodings) / sizeof(encodings[0]));
	tcase_add_loop_test(t, what_is_no_base64_is_refused, 0,
		sizeof(no_encodings) / sizeof(no_encodings[0]));
	tcase_add_test(t, a_query_names_its_questions);
	tcase_add_test(t, an_answer_names_its_records);
	tcase_add_loop_test(t, many_questions_are_counted, 0, 3);
	tcase_add_loop_test(t, each_protocol_has_its_words, 0,
		sizeof(texts) / sizeof(texts[0]));
	tcase_add_test(t, half_a_message_is_bytes);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
