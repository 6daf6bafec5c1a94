/* Tests of proto/wsd. */
#include "proto/proto.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SOAP "http://www.w3.org/2003/05/soap-envelope"
#define WSA4 "http://schemas.xmlsoap.org/ws/2004/08/addressing"
#define WSA5 "http://www.w3.org/2005/08/addressing"
#define WSD5 "http://schemas.xmlsoap.org/ws/2005/04/discovery"
#define WSD9 "http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01"

/* An envelope about `body`, with an action; the two last are namespaces. */
#define ENVELOPE(action, body, a, d)                                           \
	"<?xml version='1.0'?><s:Envelope xmlns:s='" SOAP "' xmlns:a='" a      \
	"' xmlns:d='" d "'><s:Header><a:MessageID> urn:uuid:1\n</a:MessageID>" \
	"<a:Action>" action "</a:Action></s:Header><s:Body>" body              \
	"</s:Body></s:Envelope>"
#define OLD(name, body) ENVELOPE(WSD5 "/" name, body, WSA4, WSD5)
#define NEW(name, body) ENVELOPE(WSD9 "/" name, body, WSA5, WSD9)

#define REFERENCE(id)                                                          \
	"<a:EndpointReference><a:Address>" id                                  \
	"</a:Address></a:EndpointReference>"

static struct wsd_parser *parser;

static void begin(void)
{
	ck_assert_int_eq(wsd_parser_new(&parser, 42), 0);
}

static void end(void)
{
	wsd_parser_free(parser);
}

/* From a buffer of the exact size. */
static int parse(const char *text, size_t size, struct wsd_message *ret)
{
	char *copy = malloc(size);
	int r;

	memcpy(copy, text, size);
	r = wsd_parse(parser, copy, size, ret);
	free(copy);
	return r;
}

static struct wsd_message parsed(const char *text)
{
	struct wsd_message m;

	ck_assert_msg(parse(text, strlen(text), &m) == 0, "%s", text);
	return m;
}

static const struct {
	const char *text;
	enum wsd_action action;
	enum proto_kind kind;
} actions[] = {
	{ OLD("Hello", ""), WSD_HELLO, PROTO_ANNOUNCEMENT },
	{ OLD("Bye", ""), WSD_BYE, PROTO_ANNOUNCEMENT },
	{ OLD("Probe", ""), WSD_PROBE, PROTO_SEARCH },
	{ OLD("ProbeMatches", ""), WSD_PROBE_MATCHES, PROTO_ANNOUNCEMENT },
	{ OLD("Resolve", ""), WSD_RESOLVE, PROTO_SEARCH },
	{ OLD("ResolveMatches", ""), WSD_RESOLVE_MATCHES, PROTO_ANNOUNCEMENT },
	{ NEW("Hello", ""), WSD_HELLO, PROTO_ANNOUNCEMENT },
	{ NEW("Bye", ""), WSD_BYE, PROTO_ANNOUNCEMENT },
	{ NEW("Probe", ""), WSD_PROBE, PROTO_SEARCH },
	{ NEW("ProbeMatches", ""), WSD_PROBE_MATCHES, PROTO_ANNOUNCEMENT },
	{ NEW("Resolve", ""), WSD_RESOLVE, PROTO_SEARCH },
	{ NEW("ResolveMatches", ""), WSD_RESOLVE_MATCHES, PROTO_ANNOUNCEMENT },
	{ OLD(" \nProbe", ""), WSD_OTHER, PROTO_OTHER },
	{ OLD("Probes", ""), WSD_OTHER, PROTO_OTHER },
	{ OLD("", ""), WSD_OTHER, PROTO_OTHER },
	{ ENVELOPE("\n " WSD5 "/Probe ", "", WSA4, WSD5), WSD_PROBE,
		PROTO_SEARCH },
	{ ENVELOPE("Probe", "", WSA4, WSD5), WSD_OTHER, PROTO_OTHER },
	{ ENVELOPE(WSA4 "/Probe", "", WSA4, WSD5), WSD_OTHER, PROTO_OTHER },
	{ ENVELOPE("", "<d:Resolve/>", WSA4, WSD9), WSD_RESOLVE, PROTO_SEARCH },
	{ ENVELOPE(WSD5 "/Hello", "<d:Bye/>", WSA4, WSD5), WSD_HELLO,
		PROTO_ANNOUNCEMENT },
	{ ENVELOPE("", "<a:Probe/>", WSA4, WSD5), WSD_OTHER, PROTO_OTHER },
	{ "<Envelope xmlns='http://schemas.xmlsoap.org/soap/envelope/'/>",
		WSD_OTHER, PROTO_OTHER },
};

START_TEST(knows_the_action)
{
	struct wsd_message m = parsed(actions[_i].text);

	ck_assert_int_eq(m.action, actions[_i].action);
	ck_assert_int_eq(m.kind, actions[_i].kind);
	ck_assert(!m.truncated);
}
END_TEST

START_TEST(reads_a_match)
{
	struct wsd_message m = parsed(OLD("ProbeMatches",
		"<d:ProbeMatches><d:ProbeMatch>" REFERENCE(
			" urn:uuid:dev ") "<d:Types xmlns:t='urn:types'>"
					  " t:Printer\n x:None d:Device "
					  "</d:Types><d:Scopes>a b</d:Scopes>"
					  "<d:XAddrs>http://192.0.2.1/ "
					  "http://[::1]/</d:XAddrs>"
					  "<d:MetadataVersion> 12 "
					  "</d:MetadataVersion>"
					  "</d:ProbeMatch></d:ProbeMatches>"));

	ck_assert_str_eq(m.message_id, "urn:uuid:1");
	ck_assert_str_eq(m.relates_to, "");
	ck_assert_uint_eq(m.targets, 1);
	ck_assert_str_eq(m.address, "urn:uuid:dev");
	ck_assert_uint_eq(m.n_types, 3);
	ck_assert_str_eq(m.types[0].space, "urn:types");
	ck_assert_str_eq(m.types[0].local, "Printer");
	ck_assert_str_eq(m.types[1].space, "");
	ck_assert_str_eq(m.types[1].local, "None");
	ck_assert_str_eq(m.types[2].space, WSD5);
	ck_assert_str_eq(m.types[2].local, "Device");
	ck_assert(m.has_scopes);
	ck_assert_str_eq(m.xaddrs, "http://192.0.2.1/ http://[::1]/");
	ck_assert_uint_eq(m.metadata_version, 12);
	ck_assert(!m.truncated);
}
END_TEST

START_TEST(of_many_matches_the_first_is_told_and_all_are_counted)
{
	struct wsd_message m = parsed(NEW("ResolveMatches",
		"<d:ResolveMatches><d:ResolveMatch>" REFERENCE("one") "</d:ResolveMatch><d:ResolveMatch>" REFERENCE(
			"two") "<d:Types>d:x</d:Types></d:ResolveMatch></d:ResolveMatches>"));

	ck_assert_uint_eq(m.targets, 2);
	ck_assert_str_eq(m.address, "one");
	ck_assert_uint_eq(m.n_types, 0);
	ck_assert(!m.truncated);
}
END_TEST

START_TEST(an_answer_relates_to_its_search)
{
	struct wsd_message m =
		parsed("<Envelope xmlns='" SOAP "'><Header>"
		       "<RelatesTo xmlns='" WSA5 "'>urn:uuid:9</RelatesTo>"
		       "</Header></Envelope>");

	ck_assert_str_eq(m.relates_to, "urn:uuid:9");
	ck_assert_str_eq(m.message_id, "");
}
END_TEST

START_TEST(prefixes_mean_what_the_innermost_declaration_says)
{
	struct wsd_message m = parsed(OLD("Hello",
		"<d:Hello xmlns:p='urn:outer' xmlns='urn:default'>"
		"<x xmlns:p='urn:gone'/><d:Types>p:A B</d:Types></d:Hello>"));

	ck_assert_uint_eq(m.n_types, 2);
	ck_assert_str_eq(m.types[0].space, "urn:outer");
	ck_assert_str_eq(m.types[1].space, "urn:default");
	ck_assert_str_eq(m.types[1].local, "B");
	m = parsed(OLD("Hello",
		"<d:Hello xmlns:p='urn:outer'>"
		"<d:Types xmlns:p='urn:inner'>p:A</d:Types></d:Hello>"));
	ck_assert_str_eq(m.types[0].space, "urn:inner");
}
END_TEST

START_TEST(a_prefix_may_be_undone_or_too_long)
{
	struct wsd_message m = parsed(OLD("Hello",
		"<d:Hello xmlns='urn:default'><d:Types xmlns=''>A</d:Types>"
		"</d:Hello>"));

	ck_assert_str_eq(m.types[0].space, "");
	m = parsed(OLD("Hello",
		"<d:Hello><d:Types "
		"xmlns:a0123456789012345678901234567890='urn:31' "
		"xmlns:a01234567890123456789012345678901='urn:32'>"
		"a0123456789012345678901234567890:x "
		"a01234567890123456789012345678901:y</d:Types></d:Hello>"));
	ck_assert_str_eq(m.types[0].space, "");
	ck_assert_str_eq(m.types[1].space, "");
}
END_TEST

START_TEST(texts_in_other_places_do_not_count)
{
	struct wsd_message m = parsed(OLD("Hello",
		"<d:Types>d:x</d:Types>" REFERENCE(
			"outside") "<d:Hello><a:Address>bare</a:Address><d:EndpointReference>"
				   "<a:Address>other</a:Address></d:EndpointReference>"
				   "<y><d:XAddrs>deep</d:XAddrs></y></d:Hello>"));

	ck_assert_str_eq(m.address, "");
	ck_assert_str_eq(m.xaddrs, "");
	ck_assert_uint_eq(m.n_types, 0);
	ck_assert(!m.has_scopes);
}
END_TEST

static const struct {
	const char *text;
	uint32_t version;
} versions[] = {
	{ "0", 0 },
	{ "4294967295", UINT32_MAX },
	{ "4294967296", UINT32_MAX },
	{ "99999999999999999999999999", UINT32_MAX },
	{ "", 0 },
	{ "-1", 0 },
	{ "1x", 0 },
};

START_TEST(metadata_versions_stay_in_range)
{
	char text[2000];

	sprintf(text,
		OLD("Hello", "<d:Hello><d:MetadataVersion>%s"
			     "</d:MetadataVersion></d:Hello>"),
		versions[_i].text);
	ck_assert_uint_eq(parsed(text).metadata_version, versions[_i].version);
}
END_TEST

/* `n` times `piece` within an address. */
static struct wsd_message with_address(const char *piece, size_t n)
{
	static char text[20000];

	strcpy(text, "<s:Envelope xmlns:s='" SOAP "' xmlns:a='" WSA4
		     "' xmlns:d='" WSD5 "'><s:Body><d:Bye>"
		     "<a:EndpointReference><a:Address>");
	while (n-- > 0)
		strcat(text, piece);
	strcat(text, "</a:Address></a:EndpointReference></d:Bye></s:Body>"
		     "</s:Envelope>");
	return parsed(text);
}

START_TEST(long_texts_are_cut_off_between_characters)
{
	struct wsd_message m = with_address("x", WSD_ADDRESS - 1);

	ck_assert(!m.truncated);
	ck_assert_uint_eq(strlen(m.address), WSD_ADDRESS - 1);
	m = with_address("x", WSD_ADDRESS);
	ck_assert(m.truncated);
	ck_assert_uint_eq(strlen(m.address), WSD_ADDRESS - 1);
	m = with_address("\xe2\x82\xac", WSD_ADDRESS / 3);
	ck_assert(!m.truncated);
	ck_assert_uint_eq(strlen(m.address), WSD_ADDRESS - 1);
	m = with_address("\xf0\x9f\x93\xba", WSD_ADDRESS / 4);
	ck_assert(m.truncated);
	ck_assert_uint_eq(strlen(m.address), WSD_ADDRESS - 4);
	m = with_address("x", 10000);
	ck_assert(m.truncated);
	ck_assert_uint_eq(strlen(m.address), WSD_ADDRESS - 1);
}
END_TEST

START_TEST(keeps_eight_types)
{
	struct wsd_message m = parsed(OLD("Probe",
		"<d:Probe><d:Types>a b c d e f g h</d:Types></d:Probe>"));

	ck_assert_uint_eq(m.n_types, 8);
	ck_assert(!m.truncated);
	m = parsed(OLD("Probe",
		"<d:Probe><d:Types>a b c d e f g h i</d:Types></d:Probe>"));
	ck_assert_uint_eq(m.n_types, 8);
	ck_assert_str_eq(m.types[7].local, "h");
	ck_assert(m.truncated);
}
END_TEST

START_TEST(prefixes_without_room_are_unknown)
{
	char text[4000] = "<d:Envelope xmlns:d='" SOAP "'";
	struct wsd_message m;

	for (int i = 0; i < 40; i++)
		sprintf(text + strlen(text), " xmlns:p%d='urn:%d'", i, i);
	strcat(text, "><d:Body><d:Hello xmlns:d='" WSD5 "'><d:Types>p39:x p0:y"
		     "</d:Types></d:Hello></d:Body></d:Envelope>");
	m = parsed(text);
	ck_assert_uint_eq(m.n_types, 2);
	ck_assert_str_eq(m.types[0].local, "x");
	ck_assert_str_eq(m.types[1].local, "y");
	/* Which of the 40 are known is expat's business; none is mistaken. */
	ck_assert(m.types[0].space[0] == '\0' ||
		  strcmp(m.types[0].space, "urn:39") == 0);
}
END_TEST

START_TEST(refuses_what_is_no_message)
{
	static const char *const junk[] = { "", "x", "<a>", "<a></b>",
		"<a xmlns='" WSD5 "'/>", "<Envelope/>", "<s:Envelope/>",
		"<x><Envelope xmlns='" SOAP "'/></x>",
		"<Envelope xmlns='" SOAP "'/>x",
		"<?xml version='1.0' encoding='EBCDIC'?><Envelope xmlns='" SOAP
		"'/>",
		"<Envelope xmlns='" SOAP "'>\xff</Envelope>",
		"<Envelope xmlns='" SOAP "'>&a;</Envelope>" };
	struct wsd_message m = { .targets = 77 };

	for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++)
		ck_assert_msg(parse(junk[i], strlen(junk[i]), &m) == -EBADMSG,
			"%s", junk[i]);
	ck_assert_uint_eq(m.targets, 77);
}
END_TEST

START_TEST(refuses_a_dtd)
{
	static const char *const dtds[] = {
		"<!DOCTYPE Envelope><Envelope xmlns='" SOAP "'/>",
		"<!DOCTYPE x SYSTEM 'file:///etc/passwd'>"
		"<Envelope xmlns='" SOAP "'/>",
		"<!DOCTYPE x [<!ENTITY a 'b'>]>"
		"<Envelope xmlns='" SOAP "'>&a;</Envelope>"
	};
	struct wsd_message m;

	for (size_t i = 0; i < sizeof(dtds) / sizeof(dtds[0]); i++)
		ck_assert_int_eq(parse(dtds[i], strlen(dtds[i]), &m), -EBADMSG);
}
END_TEST

static int parse_nested(unsigned depth)
{
	char text[2000] = "<Envelope xmlns='" SOAP "'>";
	struct wsd_message m;

	for (unsigned i = 1; i < depth; i++)
		strcat(text, "<a>");
	for (unsigned i = 1; i < depth; i++)
		strcat(text, "</a>");
	strcat(text, "</Envelope>");
	return parse(text, strlen(text), &m);
}

START_TEST(nests_to_its_depth_and_no_deeper)
{
	ck_assert_int_eq(parse_nested(WSD_MAX_DEPTH), 0);
	ck_assert_int_eq(parse_nested(WSD_MAX_DEPTH + 1), -EBADMSG);
	ck_assert_int_eq(parse_nested(WSD_MAX_DEPTH * 2), -EBADMSG);
}
END_TEST

START_TEST(takes_no_more_than_its_largest_size)
{
	static const char head[] = "<Envelope xmlns='" SOAP "'/>";
	char *text = malloc(WSD_MAX_BYTES + 1);
	struct wsd_message m;

	memset(text, ' ', WSD_MAX_BYTES + 1);
	memcpy(text, head, strlen(head));
	ck_assert_int_eq(parse(text, WSD_MAX_BYTES, &m), 0);
	ck_assert_int_eq(parse(text, WSD_MAX_BYTES + 1, &m), -EBADMSG);
	free(text);
}
END_TEST

/* As many names as fit in, each another one. */
static size_t fill_with_names(char *text)
{
	size_t size = (size_t)sprintf(text, "<Envelope xmlns='" SOAP "'>");

	for (unsigned i = 0; size < WSD_MAX_BYTES - 40; i++)
		size += (size_t)sprintf(text + size, "<a%x b%x=''/>", i, i);
	return size + (size_t)sprintf(text + size, "</Envelope>");
}

START_TEST(a_message_that_eats_memory_fails_alone)
{
	char *text = malloc(WSD_MAX_BYTES);
	size_t size = fill_with_names(text);
	struct wsd_message m = { .targets = 77 };

	ck_assert_int_eq(parse(text, size, &m), -ENOBUFS);
	ck_assert_uint_eq(m.targets, 77);
	m = parsed(OLD("Hello", "<d:Hello>" REFERENCE("x") "</d:Hello>"));
	ck_assert_str_eq(m.address, "x");
	free(text);
}
END_TEST

START_TEST(an_envelope_full_of_matches_is_read)
{
	char *text = malloc(WSD_MAX_BYTES);
	struct wsd_message m;
	size_t size;

	size = (size_t)sprintf(text,
		"<s:Envelope xmlns:s='" SOAP "' xmlns:a='" WSA4
		"' xmlns:d='" WSD5 "'><s:Body><d:ProbeMatches>");
	for (unsigned i = 0; i < 200; i++)
		size += (size_t)sprintf(text + size,
			"<d:ProbeMatch>" REFERENCE(
				"urn:uuid:%u") "<d:XAddrs>http://192.0.2.%u/</d:XAddrs>"
					       "</d:ProbeMatch>",
			i, i);
	size += (size_t)sprintf(
		text + size, "</d:ProbeMatches></s:Body></s:Envelope>");
	ck_assert_int_eq(parse(text, size, &m), 0);
	ck_assert_uint_eq(m.targets, 200);
	ck_assert_str_eq(m.xaddrs, "http://192.0.2.0/");
	free(text);
}
END_TEST

START_TEST(two_parsers_do_not_meet)
{
	struct wsd_parser *other;
	struct wsd_message m;
	char hello[] = OLD("Hello", "");

	ck_assert_int_eq(wsd_parser_new(&other, 43), 0);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(wsd_parse(other, hello, strlen(hello), &m), 0);
		ck_assert_int_eq(m.action, WSD_HELLO);
		ck_assert_int_eq(parsed(OLD("Bye", "")).action, WSD_BYE);
	}
	wsd_parser_free(other);
	wsd_parser_free(NULL);
}
END_TEST

static void add_tests(TCase *t)
{
	tcase_add_checked_fixture(t, begin, end);
	tcase_add_loop_test(t, knows_the_action, 0,
		(int)(sizeof(actions) / sizeof(actions[0])));
	tcase_add_test(t, reads_a_match);
	tcase_add_test(
		t, of_many_matches_the_first_is_told_and_all_are_counted);
	tcase_add_test(t, an_answer_relates_to_its_search);
	tcase_add_test(t, prefixes_mean_what_the_innermost_declaration_says);
	tcase_add_test(t, a_prefix_may_be_undone_or_too_long);
	tcase_add_test(t, texts_in_other_places_do_not_count);
	tcase_add_loop_test(t, metadata_versions_stay_in_range, 0,
		(int)(sizeof(versions) / sizeof(versions[0])));
	tcase_add_test(t, long_texts_are_cut_off_between_characters);
	tcase_add_test(t, keeps_eight_types);
	tcase_add_test(t, prefixes_without_room_are_unknown);
	tcase_add_test(t, refuses_what_is_no_message);
	tcase_add_test(t, refuses_a_dtd);
	tcase_add_test(t, nests_to_its_depth_and_no_deeper);
	tcase_add_test(t, takes_no_more_than_its_largest_size);
	tcase_add_test(t, a_message_that_eats_memory_fails_alone);
	tcase_add_test(t, an_envelope_full_of_matches_is_read);
	tcase_add_test(t, two_parsers_do_not_meet);
}

int main(void)
{
	Suite *s = suite_create("wsd");
	TCase *t = tcase_create("wsd");
	SRunner *r = srunner_create(s);
	int failed;

	add_tests(t);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
