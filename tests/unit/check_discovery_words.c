/* Tests of discovery/words. */
#include "discovery/discovery.h"
#include "discovery/words.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct words *words;

static void begin(void)
{
	words = NULL;
}

static void end(void)
{
	free(words);
}

/* Sets one text from a buffer of its exact size. */
static int set(enum word which, const char *bytes, size_t size)
{
	struct words_change c = { 0 };
	char *exact = malloc(size ? size : 1);
	int r;

	ck_assert_ptr_nonnull(exact);
	memcpy(exact, bytes, size);
	c.piece[which] = (struct proto_piece){ exact, size };
	r = words_set(&words, &c);
	free(exact);
	return r;
}

static int set_text(enum word which, const char *text)
{
	return set(which, text, strlen(text));
}

static void check(enum word which, const char *want)
{
	ck_assert_str_eq(words_get(words, which), want);
}

START_TEST(there_are_none_at_first)
{
	for (enum word i = 0; i < WORDS; i++)
		check(i, "");
}
END_TEST

START_TEST(allocates_only_to_grow)
{
	struct words *first;

	ck_assert_int_eq(set_text(WORD_NAME, "12345678"), 1);
	first = words;
	ck_assert_int_eq(set_text(WORD_NAME, "123"), 1);
	check(WORD_NAME, "123");
	ck_assert_int_eq(set_text(WORD_TYPE, "45678"), 1);
	check(WORD_NAME, "123");
	check(WORD_TYPE, "45678");
	ck_assert_ptr_eq(words, first);
	ck_assert_int_eq(set_text(WORD_NAME, "1234"), 1);
	check(WORD_NAME, "1234");
	check(WORD_TYPE, "45678");
}
END_TEST

START_TEST(keeps_all_four)
{
	static const char *const texts[WORDS] = { "Lab printer", "_ipp._tcp",
		"http://192.0.2.7/", "a=b\nc=d\n" };
	struct words_change c;

	for (enum word i = 0; i < WORDS; i++)
		c.piece[i] = (struct proto_piece){ texts[i], strlen(texts[i]) };
	ck_assert_int_eq(words_set(&words, &c), 1);
	for (enum word i = 0; i < WORDS; i++)
		check(i, texts[i]);
}
END_TEST

START_TEST(a_piece_without_an_address_stays)
{
	ck_assert_int_eq(set_text(WORD_NAME, "one"), 1);
	ck_assert_int_eq(set_text(WORD_DETAIL, "two"), 1);
	check(WORD_NAME, "one");
	ck_assert_int_eq(set_text(WORD_NAME, ""), 1);
	check(WORD_NAME, "");
	check(WORD_DETAIL, "two");
}
END_TEST

START_TEST(the_same_again_is_no_change)
{
	struct words *before;

	ck_assert_int_eq(set_text(WORD_TYPE, "x"), 1);
	before = words;
	ck_assert_int_eq(set_text(WORD_TYPE, "x"), 0);
	ck_assert_ptr_eq(words, before);
	ck_assert_int_eq(set_text(WORD_TYPE, "y"), 1);
	check(WORD_TYPE, "y");
}
END_TEST

/* Both have the same bytes in the same memory but for where they are cut. */
START_TEST(a_text_that_moves_to_its_neighbour_is_a_change)
{
	struct words_change c = { .piece = { { "ab", 2 }, { "", 0 } } };

	ck_assert_int_eq(words_set(&words, &c), 1);
	c.piece[WORD_NAME] = (struct proto_piece){ "", 0 };
	c.piece[WORD_TYPE] = (struct proto_piece){ "ab", 2 };
	ck_assert_int_eq(words_set(&words, &c), 1);
	check(WORD_NAME, "");
	check(WORD_TYPE, "ab");
}
END_TEST

/* "Unchanged" is judged by what is kept. */
START_TEST(what_is_cut_off_does_not_count)
{
	char text[DISCOVERY_NAME + 8];

	memset(text, 'x', sizeof(text));
	ck_assert_int_eq(set(WORD_NAME, text, sizeof(text)), 1);
	text[DISCOVERY_NAME] = 'y';
	ck_assert_int_eq(set(WORD_NAME, text, sizeof(text)), 0);
	text[DISCOVERY_NAME - 2] = 'y';
	ck_assert_int_eq(set(WORD_NAME, text, sizeof(text)), 1);
}
END_TEST

static const struct {
	enum word which;
	size_t room;
} rooms[] = {
	{ WORD_NAME, DISCOVERY_NAME },
	{ WORD_TYPE, DISCOVERY_TYPE },
	{ WORD_LOCATION, DISCOVERY_LOCATION },
	{ WORD_DETAIL, DISCOVERY_DETAIL },
};

START_TEST(texts_have_room_for_one_byte_less_than_their_length)
{
	size_t room = rooms[_i].room;
	char text[1024];

	memset(text, 'x', sizeof(text));
	for (size_t size = room - 2; size <= room + 1; size++) {
		ck_assert_int_ge(set(rooms[_i].which, text, size), 0);
		ck_assert_uint_eq(strlen(words_get(words, rooms[_i].which)),
			size < room ? size : room - 1);
	}
	(void)set(rooms[_i].which, text, sizeof(text));
	ck_assert_uint_eq(strlen(words_get(words, rooms[_i].which)), room - 1);
}
END_TEST

START_TEST(all_four_have_room_at_their_longest)
{
	char text[1024];

	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < WORDS; i++)
		ck_assert_int_eq(set(rooms[i].which, text, sizeof(text)), 1);
	for (size_t i = 0; i < WORDS; i++)
		ck_assert_uint_eq(strlen(words_get(words, rooms[i].which)),
			rooms[i].room - 1);
}
END_TEST

/* Characters of two, three and four bytes, across the end by each of them. */
START_TEST(texts_are_cut_between_characters)
{
	static const char *const characters[] = { "\xc3\xa4", "\xe2\x82\xac",
		"\xf0\x9f\x98\x80" };
	size_t bytes = strlen(characters[_i]);
	char text[DISCOVERY_NAME + 8];

	for (size_t over = 0; over <= bytes; over++) {
		size_t before = DISCOVERY_NAME - 1 - bytes + over;

		memset(text, 'x', sizeof(text));
		memcpy(text + before, characters[_i], bytes);
		ck_assert_int_eq(set(WORD_NAME, text, before + bytes), 1);
		ck_assert_uint_eq(strlen(words_get(words, WORD_NAME)),
			over ? before : before + bytes);
	}
}
END_TEST

START_TEST(bytes_that_are_no_characters_are_cut_too)
{
	char text[DISCOVERY_NAME + 8];

	memset(text, '\x80', sizeof(text));
	ck_assert_int_ge(set(WORD_NAME, text, sizeof(text)), 0);
	ck_assert_uint_lt(strlen(words_get(words, WORD_NAME)), DISCOVERY_NAME);
	memset(text, '\xff', sizeof(text));
	ck_assert_int_ge(set(WORD_NAME, text, sizeof(text)), 0);
	ck_assert_uint_eq(
		strlen(words_get(words, WORD_NAME)), DISCOVERY_NAME - 1);
}
END_TEST

START_TEST(what_ends_a_text_or_a_line_becomes_a_blank)
{
	for (enum word i = 0; i < WORDS; i++) {
		ck_assert_int_eq(set(i, "a\0b\rc\nd\x1b", 8), 1);
		check(i, i == WORD_DETAIL ? "a b c\nd\x1b" : "a b c d\x1b");
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("discovery_words");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, there_are_none_at_first);
	tcase_add_test(t, allocates_only_to_grow);
	tcase_add_test(t, keeps_all_four);
	tcase_add_test(t, a_piece_without_an_address_stays);
	tcase_add_test(t, the_same_again_is_no_change);
	tcase_add_test(t, a_text_that_moves_to_its_neighbour_is_a_change);
	tcase_add_test(t, what_is_cut_off_does_not_count);
	tcase_add_loop_test(t,
		texts_have_room_for_one_byte_less_than_their_length, 0, WORDS);
	tcase_add_test(t, all_four_have_room_at_their_longest);
	tcase_add_loop_test(t, texts_are_cut_between_characters, 0, 3);
	tcase_add_test(t, bytes_that_are_no_characters_are_cut_too);
	tcase_add_test(t, what_ends_a_text_or_a_line_becomes_a_blank);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
