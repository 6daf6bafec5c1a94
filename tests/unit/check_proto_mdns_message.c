/* Tests of proto/mdns_message. */
#include "mdns_fixture.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A literal with NULs in it, and its size. */
#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1

/* Headers: id, flags, and one question, answer or additional record. */
#define QUESTION "\0\0\0\0\0\1\0\0\0\0\0\0"
#define ANSWER   "\0\0\x84\0\0\0\0\1\0\0\0\0"
#define A_LOCAL  "\1a\5local\0"
/* Class IN, a TTL. */
#define IN_TTL "\0\1\0\0\0\x78"

static const struct {
	const char *claim;
	const uint8_t *bytes;
	size_t size;
} malformed[] = {
	{ "empty", BYTES("") },
	{ "half a header", BYTES("\0\0\0\0\0\0\0\0\0\0\0") },
	{ "no question where one is promised", BYTES(QUESTION) },
	{ "a name without an end", BYTES(QUESTION "\1a") },
	{ "a label without an end", BYTES(QUESTION "\3a") },
	{ "a question without a class", BYTES(QUESTION "\1a\0\0\1\0") },
	{ "half a pointer", BYTES(QUESTION "\xc0") },
	{ "a pointer to itself", BYTES(QUESTION "\xc0\x0c\0\1\0\1") },
	{ "two pointers to each other",
		BYTES(QUESTION "\xc0\x12\0\1\0\1\xc0\x0c") },
	{ "a label that leads back to itself",
		BYTES(QUESTION "\1a\xc0\x0c\0\1\0\1") },
	{ "a pointer to the end", BYTES(QUESTION "\xc0\x12\0\1\0\1") },
	{ "a label of type 01", BYTES(QUESTION "\x41"
					       "a\0\0\1\0\1") },
	{ "a label of type 10", BYTES(QUESTION "\x81"
					       "a\0\0\1\0\1") },
	{ "a record without a length",
		BYTES(ANSWER A_LOCAL "\0\1" IN_TTL "\0") },
	{ "data cut off", BYTES(ANSWER A_LOCAL "\0\1" IN_TTL "\0\4\1\2\3") },
	{ "A of three bytes",
		BYTES(ANSWER A_LOCAL "\0\1" IN_TTL "\0\3\1\2\3") },
	{ "A of five bytes",
		BYTES(ANSWER A_LOCAL "\0\1" IN_TTL "\0\5\1\2\3\4\5") },
	{ "AAAA of four bytes",
		BYTES(ANSWER A_LOCAL "\0\x1c" IN_TTL "\0\4\1\2\3\4") },
	{ "PTR of nothing", BYTES(ANSWER A_LOCAL "\0\x0c" IN_TTL "\0\0") },
	{ "PTR and more",
		BYTES(ANSWER A_LOCAL "\0\x0c" IN_TTL "\0\3\xc0\x0c\0") },
	{ "PTR whose name ends behind its data",
		BYTES(ANSWER A_LOCAL "\0\x0c" IN_TTL "\0\1\xc0\x0c") },
	{ "SRV without a host",
		BYTES(ANSWER A_LOCAL "\0\x21" IN_TTL "\0\6\0\0\0\0\0\x50") },
	{ "SRV of five bytes",
		BYTES(ANSWER A_LOCAL "\0\x21" IN_TTL "\0\5\0\0\0\0\0") },
	{ "SOA with less than 20 bytes behind its names",
		BYTES(ANSWER A_LOCAL "\0\6" IN_TTL "\0\x17\xc0\x0c\xc0\x0c"
				     "1234567890123456789") },
	{ "MINFO with one name",
		BYTES(ANSWER A_LOCAL "\0\x0e" IN_TTL "\0\2\xc0\x0c") },
};

START_TEST(refuses_what_is_malformed)
{
	uint8_t *copy = fixture_exact(malformed[_i].bytes, malformed[_i].size);
	struct mdns_info info = { .id = 7 };
	int r = mdns_inspect(copy, malformed[_i].size, &info);

	ck_assert_msg(r == -EBADMSG, "%s: %d", malformed[_i].claim, r);
	ck_assert_uint_eq(info.id, 7);
	free(copy);
}
END_TEST

static const struct {
	const char *claim;
	const uint8_t *bytes;
	size_t size;
} well_formed[] = {
	{ "nothing at all", BYTES("\0\0\0\0\0\0\0\0\0\0\0\0") },
	{ "the root", BYTES(QUESTION "\0\0\1\0\1") },
	{ "a pointer forward",
		BYTES("\0\0\0\0\0\2\0\0\0\0\0\0\xc0\x12\0\1\0\1" A_LOCAL
		      "\0\1\0\1") },
	{ "bytes behind the end", BYTES(QUESTION "\0\0\1\0\1"
						 "junk") },
	{ "TXT of nothing", BYTES(ANSWER A_LOCAL "\0\x10" IN_TTL "\0\0") },
	{ "NSEC without a bitmap",
		BYTES(ANSWER A_LOCAL "\0\x2f" IN_TTL "\0\2\xc0\x0c") },
	{ "a name in its own data", BYTES(ANSWER "\xc0\x18"
						 "\0\x0c" IN_TTL "\0\3\1a\0") },
};

START_TEST(takes_what_is_unusual)
{
	uint8_t *copy =
		fixture_exact(well_formed[_i].bytes, well_formed[_i].size);
	struct mdns_info info;

	ck_assert_msg(mdns_inspect(copy, well_formed[_i].size, &info) == 0,
		"%s", well_formed[_i].claim);
	free(copy);
}
END_TEST

START_TEST(takes_9000_bytes_and_no_more)
{
	uint8_t *message = calloc(1, MDNS_MAX_BYTES + 1);
	struct mdns_info info;

	ck_assert_int_eq(mdns_inspect(message, MDNS_MAX_BYTES, &info), 0);
	ck_assert_int_eq(
		mdns_inspect(message, MDNS_MAX_BYTES + 1, &info), -EBADMSG);
	free(message);
}
END_TEST

/* A chain of pointers, each of which would be followed for each name. */
static size_t build_chain(unsigned pointers, uint8_t *out)
{
	size_t size = 12;

	memset(out, 0, 12);
	out[5] = 1; /* one question; the chain is behind its end */
	for (unsigned p = 0; p < pointers; p++) {
		size_t next = p == 0 ? 18 : size + 2;

		out[size] = (uint8_t)(0xc0 | next >> 8);
		out[size + 1] = (uint8_t)next;
		size += 2;
		if (p > 0)
			continue;
		memcpy(out + size, "\0\1\0\1", 4);
		size += 4;
	}
	out[size++] = 0;
	return size;
}

START_TEST(follows_127_pointers_and_no_more)
{
	uint8_t message[1000];
	struct mdns_info info;
	size_t size;

	size = build_chain(127, message);
	ck_assert_int_eq(mdns_inspect(message, size, &info), 0);
	size = build_chain(128, message);
	ck_assert_int_eq(mdns_inspect(message, size, &info), -EBADMSG);
}
END_TEST

/* 257 names of 255 bytes are 65535. */
START_TEST(all_names_together_have_a_bound)
{
	struct mdns_name longest = fixture_name(".");
	uint8_t message[MDNS_MAX_BYTES], label[63] = { 'a' };
	struct mdns_info info;
	struct mdns_writer w;

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(mdns_name_prepend(&longest, label, 63), 0);
	ck_assert_int_eq(mdns_name_prepend(&longest, label, 61), 0);
	ck_assert_int_eq(mdns_begin(&w, message, sizeof(message), 0, 0), 0);
	for (int i = 0; i < 257; i++)
		ck_assert_int_eq(
			mdns_put_question(&w, &longest, MDNS_A, false), 0);
	ck_assert_int_eq(mdns_inspect(message, w.used, &info), 0);
	ck_assert_int_eq(mdns_put_question(&w, &longest, MDNS_A, false), 0);
	ck_assert_int_eq(mdns_inspect(message, w.used, &info), -EBADMSG);
}
END_TEST

static const struct {
	const char *claim;
	uint16_t flags;
	const char *lines;
	struct mdns_info info;
} kinds[] = {
	{ "a search", 0, "q foo.local A",
		{ .kind = PROTO_SEARCH, .questions = 1 } },
	{ "a search for unicast", 0, "q foo.local A\nqu foo.local AAAA",
		{ .kind = PROTO_SEARCH, .questions = 2, .qu = true } },
	{ "a search with known answers, and more to come", 0x200,
		"q _x._tcp.local PTR\nan _x._tcp.local PTR a._x._tcp.local",
		{ .kind = PROTO_SEARCH,
			.questions = 1,
			.records = 1,
			.truncated = true,
			.ttl_min = 120,
			.ttl_max = 120 } },
	{ "more known answers", 0, "an _x._tcp.local PTR a._x._tcp.local",
		{ .kind = PROTO_SEARCH,
			.records = 1,
			.ttl_min = 120,
			.ttl_max = 120 } },
	{ "a probe", 0, "q foo.local ANY\nau foo.local A 192.0.2.1",
		{ .kind = PROTO_PROBE,
			.questions = 1,
			.records = 1,
			.ttl_min = 120,
			.ttl_max = 120 } },
	{ "an announcement, OPT apart", 0x8400,
		"an foo.local A 192.0.2.1\nad foo.local AAAA ::1\n"
		"ad . OPT #00",
		{ .kind = PROTO_ANNOUNCEMENT,
			.records = 2,
			.ttl_min = 120,
			.ttl_max = 120 } },
	{ "a legacy answer", 0x8400, "q foo.local A\nan foo.local A 192.0.2.1",
		{ .kind = PROTO_ANNOUNCEMENT,
			.questions = 1,
			.records = 1,
			.ttl_min = 120,
			.ttl_max = 120 } },
	{ "a response of nothing", 0x8400, "q foo.local A",
		{ .kind = PROTO_ANNOUNCEMENT, .questions = 1 } },
	{ "an update", 0x2800, "q foo.local A",
		{ .kind = PROTO_OTHER, .questions = 1 } },
	{ "an error", 0x8403, "q foo.local A",
		{ .kind = PROTO_OTHER, .questions = 1 } },
};

START_TEST(says_what_a_message_is)
{
	const struct mdns_info *want = &kinds[_i].info;
	uint8_t message[MDNS_MAX_BYTES];
	struct mdns_info info;
	size_t size = fixture_build(kinds[_i].flags, kinds[_i].lines, message);

	ck_assert_int_eq(mdns_inspect(message, size, &info), 0);
	ck_assert_msg(info.kind == want->kind, "%s", kinds[_i].claim);
	ck_assert_uint_eq(info.questions, want->questions);
	ck_assert_uint_eq(info.records, want->records);
	ck_assert_int_eq(info.truncated, want->truncated);
	ck_assert_int_eq(info.qu, want->qu);
	ck_assert_uint_eq(info.ttl_min, want->ttl_min);
	ck_assert_uint_eq(info.ttl_max, want->ttl_max);
	ck_assert(!info.goodbye);
}
END_TEST

/* Puts a PTR record for each TTL, and says whether that is a goodbye. */
static bool is_goodbye(uint16_t flags, const uint32_t *ttl, size_t n)
{
	struct mdns_name name = fixture_name("_x._tcp.local");
	uint8_t out[512];
	struct mdns_info info;
	struct mdns_writer w;

	ck_assert_int_eq(mdns_begin(&w, out, sizeof(out), 3, flags), 0);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(
			mdns_put_ptr(&w, MDNS_ANSWER, &name, ttl[i], &name), 0);
	ck_assert_int_eq(mdns_put_ptr(&w, MDNS_ADDITIONAL, &name, 9, &name), 0);
	ck_assert_int_eq(mdns_inspect(out, w.used, &info), 0);
	ck_assert_uint_eq(info.id, 3);
	ck_assert_uint_eq(info.ttl_max, n > 1 && ttl[1] > 9 ? ttl[1] : 9);
	return info.goodbye;
}

START_TEST(a_goodbye_has_answers_and_all_have_ttl_0)
{
	static const uint32_t ttls[] = { 0, 0, 4500 }, mixed[] = { 0, 4500 };

	ck_assert(is_goodbye(MDNS_RESPONSE, ttls, 1));
	ck_assert(is_goodbye(MDNS_RESPONSE, ttls, 2));
	ck_assert(!is_goodbye(MDNS_RESPONSE, ttls, 0));
	ck_assert(!is_goodbye(MDNS_RESPONSE, mixed, 2));
	ck_assert(!is_goodbye(0, ttls, 1));
}
END_TEST

START_TEST(opt_keeps_its_class_and_its_ttl_counts_nowhere)
{
	static const uint8_t opt[] = "\0\0\0\0\0\0\0\0\0\0\0\1"
				     "\0\0\x29\xff\xff\x80\0\0\0\0\0";
	struct mdns_info info;
	struct mdns_reader r;
	struct mdns_item i;

	ck_assert_int_eq(mdns_inspect(opt, sizeof(opt) - 1, &info), 0);
	ck_assert_uint_eq(info.records, 0);
	ck_assert_uint_eq(info.ttl_max, 0);
	ck_assert_int_eq(mdns_open(&r, opt, sizeof(opt) - 1), 0);
	ck_assert_int_eq(mdns_next(&r, &i), 1);
	ck_assert_uint_eq(i.rrclass, 0xffff);
	ck_assert(!i.top);
	ck_assert_int_eq(mdns_next(&r, &i), 0);
	ck_assert_int_eq(mdns_next(&r, &i), 0);
}
END_TEST

START_TEST(names_are_written_once)
{
	static const uint8_t want[] =
		"\0\0\x84\0\0\0\0\2\0\0\0\0"
		"\5_http\4_tcp\5local\0\0\x0c\0\1\0\0\0\x78\0\6"
		"\3Lab\xc0\x0c"
		"\xc0\x28\0\x21\x80\1\0\0\0\x78\0\x0c\0\0\0\0\0\x50"
		"\3lab\xc0\x17";
	struct mdns_name type = fixture_name("_http._tcp.local");
	struct mdns_name lab = fixture_name("Lab._http._tcp.local");
	struct mdns_name host = fixture_name("lab.local");
	uint8_t out[sizeof(want) - 1];
	struct mdns_writer w;

	ck_assert_int_eq(
		mdns_begin(&w, out, sizeof(out), 0, FIXTURE_RESPONSE), 0);
	ck_assert_int_eq(mdns_put_ptr(&w, MDNS_ANSWER, &type, 120, &lab), 0);
	ck_assert_int_eq(
		mdns_put_srv(&w, MDNS_ANSWER, &lab, 120, 80, &host), 0);
	ck_assert_uint_eq(w.used, sizeof(out));
	ck_assert_mem_eq(out, want, sizeof(out));
}
END_TEST

START_TEST(names_in_other_case_stay_so)
{
	uint8_t message[MDNS_MAX_BYTES];
	const char *text = "q foo.local A\nq FOO.local A\nq Foo.LOCAL A";
	size_t size = fixture_build(FIXTURE_QUERY, text, message);

	ck_assert_str_eq(fixture_lines(message, size), text);
}
END_TEST

START_TEST(an_item_without_room_leaves_the_message_whole)
{
	struct mdns_name a = fixture_name("foo.local");
	struct mdns_name b = fixture_name("bar.foo.local");
	struct mdns_writer w;
	uint8_t *out;

	/* The second question takes 4 + 2 + 4 bytes. */
	for (size_t room = 0; room <= 37; room++) {
		out = malloc(room);
		if (mdns_begin(&w, out, room, 0, 0) < 0) {
			ck_assert_uint_lt(room, 12);
			free(out);
			continue;
		}
		ck_assert_int_eq(mdns_put_question(&w, &a, MDNS_A, false),
			room < 27 ? -ENOBUFS : 0);
		ck_assert_int_eq(mdns_put_question(&w, &b, MDNS_A, true),
			room < 37 ? -ENOBUFS : 0);
		ck_assert_str_eq(fixture_lines(out, w.used),
			room < 27   ? ""
			: room < 37 ? "q foo.local A"
				    : "q foo.local A\nqu bar.foo.local A");
		free(out);
	}
}
END_TEST

/* What was taken back may not be pointed to. */
START_TEST(what_had_no_room_is_forgotten)
{
	struct mdns_name small = fixture_name("b.c");
	struct mdns_name target = fixture_name("x.y");
	struct mdns_name name = fixture_name("a.b.c");
	struct mdns_writer w;
	uint8_t out[12 + 21];

	ck_assert_int_eq(mdns_begin(&w, out, sizeof(out), 0, 0), 0);
	ck_assert_int_eq(
		mdns_put_ptr(&w, MDNS_ANSWER, &name, 1, &target), -ENOBUFS);
	ck_assert_uint_eq(w.used, 12);
	ck_assert_int_eq(mdns_put_question(&w, &small, MDNS_A, false), 0);
	ck_assert_str_eq(fixture_lines(out, w.used), "q b.c A");
}
END_TEST

START_TEST(sections_come_in_order)
{
	struct mdns_name n = fixture_name("foo.local");
	uint8_t out[512];
	struct mdns_writer w;

	ck_assert_int_eq(mdns_begin(&w, out, sizeof(out), 0, 0), 0);
	ck_assert_int_eq(mdns_put_ptr(&w, MDNS_AUTHORITY, &n, 1, &n), 0);
	ck_assert_int_eq(mdns_put_ptr(&w, MDNS_ANSWER, &n, 1, &n), -EINVAL);
	ck_assert_int_eq(mdns_put_question(&w, &n, MDNS_A, true), -EINVAL);
	ck_assert_int_eq(mdns_put_ptr(&w, MDNS_ADDITIONAL, &n, 1, &n), 0);
}
END_TEST

START_TEST(many_names_are_written_and_read_again)
{
	uint8_t message[MDNS_MAX_BYTES];
	static char text[40000];

	/* More suffixes than there is room to remember. */
	for (int i = 0; i < 500; i++)
		sprintf(text + strlen(text), "%sq %x.%x A", i == 0 ? "" : "\n",
			i * 7919, i);
	ck_assert_str_eq(
		fixture_lines(message, fixture_build(0, text, message)), text);
	fixture_parses(message, fixture_build(0, text, message));
}
END_TEST

START_TEST(no_message_is_above_its_bound)
{
	static uint8_t out[MDNS_MAX_BYTES + 100];
	struct mdns_name n = fixture_name("foo.local");
	struct mdns_writer w;

	ck_assert_int_eq(mdns_begin(&w, out, sizeof(out), 0, 0), 0);
	while (mdns_put_question(&w, &n, MDNS_A, false) == 0)
		;
	ck_assert_uint_gt(w.used, MDNS_MAX_BYTES - 6);
	ck_assert_uint_le(w.used, MDNS_MAX_BYTES);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mdns_message");
	TCase *t = tcase_create("mdns_message");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_loop_test(t, refuses_what_is_malformed, 0,
		(int)(sizeof(malformed) / sizeof(malformed[0])));
	tcase_add_loop_test(t, takes_what_is_unusual, 0,
		(int)(sizeof(well_formed) / sizeof(well_formed[0])));
	tcase_add_test(t, takes_9000_bytes_and_no_more);
	tcase_add_test(t, follows_127_pointers_and_no_more);
	tcase_add_test(t, all_names_together_have_a_bound);
	tcase_add_loop_test(t, says_what_a_message_is, 0,
		(int)(sizeof(kinds) / sizeof(kinds[0])));
	tcase_add_test(t, a_goodbye_has_answers_and_all_have_ttl_0);
	tcase_add_test(t, opt_keeps_its_class_and_its_ttl_counts_nowhere);
	tcase_add_test(t, names_are_written_once);
	tcase_add_test(t, names_in_other_case_stay_so);
	tcase_add_test(t, an_item_without_room_leaves_the_message_whole);
	tcase_add_test(t, what_had_no_room_is_forgotten);
	tcase_add_test(t, sections_come_in_order);
	tcase_add_test(t, many_names_are_written_and_read_again);
	tcase_add_test(t, no_message_is_above_its_bound);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
