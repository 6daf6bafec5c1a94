/* Tests of mqtt/topic: the names under which things cross the broker. */
#include "mqtt/topic.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

static const char *repeat(char *buffer, char c, size_t n)
{
	memset(buffer, c, n);
	buffer[n] = '\0';
	return buffer;
}

/* In a buffer of the very size, so that a sanitizer sees one byte too many. */
static int parse(const char *prefix, const char *text, struct topic *t)
{
	char *exact = strdup(text);
	int r = topic_parse(prefix, exact, t);

	free(exact);
	return r;
}

static const struct {
	const char *text;
	struct topic topic;
} good[] = {
	{ "crier/1/home/online", { TOPIC_ONLINE, "home", "", "" } },
	{ "crier/1/h/g/announce/k", { TOPIC_ANNOUNCE, "h", "g", "k" } },
	{ "crier/1/h/g/announce/a%2F._tcp~6",
		{ TOPIC_ANNOUNCE, "h", "g", "a%2F._tcp~6" } },
	{ "crier/1/A-b_9/g.1-x_y/datagram",
		{ TOPIC_DATAGRAM, "A-b_9", "g.1-x_y", "" } },
	{ "crier/1/h/g/search", { TOPIC_SEARCH, "h", "g", "" } },
	{ "crier/1/h/g/answer/cabin", { TOPIC_ANSWER, "h", "g", "cabin" } },
	/* A group may be called like a word of ours. */
	{ "crier/1/h/online/search", { TOPIC_SEARCH, "h", "online", "" } },
	{ "crier/1/online/online", { TOPIC_ONLINE, "online", "", "" } },
	{ "crier/1/h/announce/announce/announce",
		{ TOPIC_ANNOUNCE, "h", "announce", "announce" } },
};

START_TEST(reads_and_writes_each_kind)
{
	char text[TOPIC_TEXT];
	struct topic t;

	ck_assert_int_eq(parse("crier", good[_i].text, &t), 0);
	ck_assert_int_eq(t.kind, good[_i].topic.kind);
	ck_assert_str_eq(t.site, good[_i].topic.site);
	ck_assert_str_eq(t.group, good[_i].topic.group);
	ck_assert_str_eq(t.last, good[_i].topic.last);
	ck_assert_ptr_eq(topic_format("crier", &t, text), text);
	ck_assert_str_eq(text, good[_i].text);
}
END_TEST

static const char *const bad[] = {
	"",
	"/",
	"c",
	"crier",
	"crier/",
	"crier/1",
	"crier/1/",
	"crier/1/home",
	"crier/1/home/",
	"crier/1//online",
	"crier/2/home/online",
	"crier/11/home/online",
	"crier1/home/online",
	"criers/1/home/online",
	"other/1/home/online",
	"/crier/1/home/online",
	"crier/1/home/online/",
	"crier/1/home/online/more",
	"crier/1/home/Online",
	"crier/1/ho me/online",
	"crier/1/h.me/online",
	"crier/1/+/online",
	"crier/1/#",
	"crier/1/h\xc3\xa9/online",
	"crier/1/h\x1b[31m/online",
	"crier/1/h/g",
	"crier/1/h/g/",
	"crier/1/h//search",
	"crier/1/h/+/search",
	"crier/1/h/g h/search",
	"crier/1/h/g/searches",
	"crier/1/h/g/search/",
	"crier/1/h/g/search/x",
	"crier/1/h/g/datagram/x",
	"crier/1/h/g/announce",
	"crier/1/h/g/announce/",
	"crier/1/h/g/announce/+",
	"crier/1/h/g/announce/k/",
	"crier/1/h/g/announce/k/l",
	"crier/1/h/g/announce/k\"",
	"crier/1/h/g/announce/k\n",
	"crier/1/h/g/announce/\x7f",
	"crier/1/h/g/announce/\xff",
	"crier/1/h/g/answer",
	"crier/1/h/g/answer/",
	"crier/1/h/g/answer/a.b",
	"crier/1/h/g/answer/a/b",
	"crier/1/h/g/answer/a%20",
	"crier/1/h/g/unknown",
	"crier/1/h/g/unknown/x",
};

START_TEST(refuses_all_else_and_writes_nothing_then)
{
	struct topic t = { .kind = TOPIC_ANSWER, .site = "before" };

	ck_assert_int_eq(parse("crier", bad[_i], &t), -EBADMSG);
	ck_assert_int_eq(t.kind, TOPIC_ANSWER);
	ck_assert_str_eq(t.site, "before");
}
END_TEST

START_TEST(a_prefix_may_have_levels_and_is_taken_as_a_whole)
{
	struct topic t;

	ck_assert_int_eq(parse("a/b", "a/b/1/h/online", &t), 0);
	ck_assert_int_eq(parse("a/b", "a/1/h/online", &t), -EBADMSG);
	ck_assert_int_eq(parse("a/b", "a/bc/1/h/online", &t), -EBADMSG);
	ck_assert_int_eq(parse("a", "a/b/1/h/online", &t), -EBADMSG);
}
END_TEST

/* Each level in turn, as long as it may be, and longer by one. */
START_TEST(each_level_has_its_longest)
{
	static const struct {
		const char *before, *behind;
		size_t most;
	} levels[] = {
		{ "crier/1/", "/online", CONFIG_SITE_NAME },
		{ "crier/1/h/", "/search", TOPIC_GROUP },
		{ "crier/1/h/g/announce/", "", TOPIC_KEY },
		{ "crier/1/h/g/answer/", "", CONFIG_SITE_NAME },
	};
	char name[TOPIC_KEY + 2], text[TOPIC_TEXT + 2];
	struct topic t;

	for (size_t i = 0; i < N_OF(levels); i++)
		for (size_t more = 0; more <= 1; more++) {
			(void)snprintf(text, sizeof(text), "%s%s%s",
				levels[i].before,
				repeat(name, 'x', levels[i].most + more),
				levels[i].behind);
			ck_assert_int_eq(
				parse("crier", text, &t), more ? -EBADMSG : 0);
		}
}
END_TEST

START_TEST(the_longest_topic_has_room)
{
	struct topic t = { .kind = TOPIC_ANNOUNCE };
	char prefix[TOPIC_PREFIX + 1], text[TOPIC_TEXT];
	struct topic read;

	repeat(prefix, 'p', TOPIC_PREFIX);
	repeat(t.site, 's', CONFIG_SITE_NAME);
	repeat(t.group, 'g', TOPIC_GROUP);
	repeat(t.last, 'k', TOPIC_KEY);
	topic_format(prefix, &t, text);
	ck_assert_uint_lt(strlen(text), sizeof(text));
	ck_assert_int_eq(parse(prefix, text, &read), 0);
	ck_assert_str_eq(read.last, t.last);
}
END_TEST

START_TEST(a_wildcard_can_be_written)
{
	struct topic t = { TOPIC_ANNOUNCE, "+", "mdns", "+" };
	char text[TOPIC_TEXT];

	ck_assert_str_eq(
		topic_format("crier", &t, text), "crier/1/+/mdns/announce/+");
}
END_TEST

START_TEST(says_what_a_site_may_be_called)
{
	char name[CONFIG_SITE_NAME + 2];

	ck_assert(topic_is_site("a"));
	ck_assert(topic_is_site("Z_0-9"));
	ck_assert(!topic_is_site(""));
	ck_assert(!topic_is_site("a.b"));
	ck_assert(!topic_is_site("a,b"));
	ck_assert(!topic_is_site("a/b"));
	ck_assert(!topic_is_site("*"));
	ck_assert(topic_is_site(repeat(name, 'a', CONFIG_SITE_NAME)));
	ck_assert(!topic_is_site(repeat(name, 'a', CONFIG_SITE_NAME + 1)));
}
END_TEST

static const struct {
	const char *identity, *suffix, *key;
} keys[] = {
	{ "printer._ipp._tcp", "", "printer._ipp._tcp" },
	{ "10.0.0.1:1900", "~6", "10.0.0.1%3A1900~6" },
	{ "a/b+c#d%e", "", "a%2Fb%2Bc%23d%25e" },
	{ "\xc3\xa9\n\x1b", "", "%C3%A9%0A%1B" },
	/* It could not be told from what was cut off otherwise. */
	{ "a~b", "", "a%7Eb" },
	/* FNV-1a of nothing is its offset. */
	{ "", "", "~cbf29ce484222325" },
	{ "", "~6", "~cbf29ce484222325~6" },
};

START_TEST(a_key_is_what_a_topic_may_have)
{
	char key[TOPIC_KEY + 1];

	topic_key(keys[_i].identity, keys[_i].suffix, key);
	ck_assert_str_eq(key, keys[_i].key);
}
END_TEST

/* Of any length, of what is one byte in a key and of what is three. */
START_TEST(a_key_is_never_longer_than_it_may_be)
{
	static const char bytes[] = { 'a', '/' };
	char identity[2 * TOPIC_KEY], text[TOPIC_TEXT];
	struct topic t = { TOPIC_ANNOUNCE, "h", "g", "" };

	for (size_t n = 0; n < sizeof(identity); n++)
		for (size_t i = 0; i < 2 * N_OF(bytes); i++) {
			struct topic read;

			repeat(identity, bytes[i / 2], n);
			topic_key(identity, i % 2 ? "~6" : "", t.last);
			ck_assert_uint_le(strlen(t.last), TOPIC_KEY);
			topic_format("crier", &t, text);
			ck_assert_int_eq(parse("crier", text, &read), 0);
		}
}
END_TEST

START_TEST(long_identities_that_differ_at_the_end_have_keys_that_do)
{
	char identity[2 * TOPIC_KEY], one[TOPIC_KEY + 1], other[TOPIC_KEY + 1];

	repeat(identity, 'a', sizeof(identity) - 1);
	topic_key(identity, "", one);
	identity[sizeof(identity) - 2] = 'b';
	topic_key(identity, "", other);
	ck_assert_str_ne(one, other);
	ck_assert_uint_eq(strlen(one), TOPIC_KEY);
	/* The same, by what must not be lost when it is cut off. */
	topic_key(identity, "~6", one);
	ck_assert_str_eq(one + strlen(one) - 2, "~6");
}
END_TEST

/* The vectors of the algorithm's own page. */
START_TEST(the_digest_is_what_others_compute)
{
	ck_assert_uint_eq(topic_digest("", 0), UINT64_C(0xcbf29ce484222325));
	ck_assert_uint_eq(topic_digest("a", 1), UINT64_C(0xaf63dc4c8601ec8c));
	ck_assert_uint_eq(
		topic_digest("foobar", 6), UINT64_C(0x85944171f73967e8));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mqtt_topic");
	TCase *t = tcase_create("topic");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(t, reads_and_writes_each_kind, 0, N_OF(good));
	tcase_add_loop_test(
		t, refuses_all_else_and_writes_nothing_then, 0, N_OF(bad));
	tcase_add_test(t, a_prefix_may_have_levels_and_is_taken_as_a_whole);
	tcase_add_test(t, each_level_has_its_longest);
	tcase_add_test(t, the_longest_topic_has_room);
	tcase_add_test(t, a_wildcard_can_be_written);
	tcase_add_test(t, says_what_a_site_may_be_called);
	tcase_add_loop_test(t, a_key_is_what_a_topic_may_have, 0, N_OF(keys));
	tcase_add_test(t, a_key_is_never_longer_than_it_may_be);
	tcase_add_test(
		t, long_identities_that_differ_at_the_end_have_keys_that_do);
	tcase_add_test(t, the_digest_is_what_others_compute);
	suite_add_tcase(suite, t);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
