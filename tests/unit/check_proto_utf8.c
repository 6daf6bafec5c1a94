/*
 * Characters of UTF-8, and those that no line of text can bear.
 */
#include "proto/proto.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *bytes;
	size_t size;
	uint32_t c;
} characters[] = {
	{ "a", 1, 'a' },
	{ "\x7f", 1, 0x7f },
	{ "\xc2\x80", 2, 0x80 },
	{ "\xdf\xbf", 2, 0x7ff },
	{ "\xe0\xa0\x80", 3, 0x800 },
	{ "\xed\x9f\xbf", 3, 0xd7ff },
	{ "\xee\x80\x80", 3, 0xe000 },
	{ "\xef\xbf\xbf", 3, 0xffff },
	{ "\xf0\x90\x80\x80", 4, 0x10000 },
	{ "\xf4\x8f\xbf\xbf", 4, 0x10ffff },
	/* Cut off, overlong, surrogates, too large, no beginning. */
	{ "\xc2", 1, UTF8_INVALID },
	{ "\xe0\xa0", 1, UTF8_INVALID },
	{ "\xf0\x90\x80", 1, UTF8_INVALID },
	{ "\xc2z", 1, UTF8_INVALID },
	{ "\xc0\x80", 1, UTF8_INVALID },
	{ "\xc1\xbf", 1, UTF8_INVALID },
	{ "\xe0\x9f\xbf", 1, UTF8_INVALID },
	{ "\xf0\x8f\xbf\xbf", 1, UTF8_INVALID },
	{ "\xed\xa0\x80", 1, UTF8_INVALID },
	{ "\xed\xbf\xbf", 1, UTF8_INVALID },
	{ "\xf4\x90\x80\x80", 1, UTF8_INVALID },
	{ "\xf5\x80\x80\x80", 1, UTF8_INVALID },
	{ "\x80", 1, UTF8_INVALID },
	{ "\xff", 1, UTF8_INVALID },
};

START_TEST(reads_utf8_and_nothing_else)
{
	char *exact = strdup(characters[_i].bytes);
	uint32_t c = 0;

	ck_assert_uint_eq(utf8_decode(exact, &c), characters[_i].size);
	ck_assert_uint_eq(c, characters[_i].c);
	free(exact);
}
END_TEST

/* The first and the last of those that stand together. */
static const uint32_t hostile[][2] = {
	{ 0x00, 0x1f },
	{ 0x7f, 0x9f },
	{ 0x061c, 0x061c }, /* Arabic letter mark */
	{ 0x200e, 0x200f }, /* marks of direction */
	{ 0x2028, 0x202e }, /* separators, embeddings and overrides */
	{ 0x2066, 0x2069 }, /* isolates */
	{ UTF8_INVALID, UTF8_INVALID },
};

START_TEST(what_no_line_can_bear_ends_exactly_there)
{
	uint32_t first = hostile[_i][0], last = hostile[_i][1];

	for (uint32_t c = first; c - first <= last - first; c++)
		ck_assert(utf8_is_hostile(c));
	ck_assert(first == 0 || !utf8_is_hostile(first - 1));
	ck_assert(last == UTF8_INVALID || !utf8_is_hostile(last + 1));
}
END_TEST

static const struct {
	const char *text, *printed;
} lines[] = {
	{ "", "" },
	{ "Gr\xc3\xbc\xc3\x9f \"{}\\", "Gr\xc3\xbc\xc3\x9f \"{}\\" },
	{ "a\nb\r\x1b[2J\x7f", "a\\nb\\x0d\\x1b[2J\\x7f" },
	{ "\xc2\x9b"
	  "2J \x9b"
	  "2J",
		"\\u009b2J \\x9b2J" },
	{ "\xe2\x80\xae\xe2\x80\xa8\xc3", "\\u202e\\u2028\\xc3" },
};

START_TEST(a_text_stays_one_line)
{
	char *printed = NULL;
	size_t size;
	FILE *out = open_memstream(&printed, &size);

	ck_assert_ptr_nonnull(out);
	utf8_print(lines[_i].text, out);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_str_eq(printed, lines[_i].printed);
	free(printed);
}
END_TEST

/* Each that may stand in a text. */
START_TEST(no_escape_is_longer_than_it_says)
{
	char at[] = { 1, 0 }, escaped[UTF8_ESCAPE + 1];

	for (uint32_t c = 1; c < 0x10000; c++) {
		char *end;

		if (!utf8_is_hostile(c))
			continue;
		at[0] = (char)c;
		end = utf8_escape(escaped, at, c);
		ck_assert_int_le(end - escaped, UTF8_ESCAPE);
		ck_assert_int_eq(*end, '\0');
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("proto/utf8");
	TCase *t = tcase_create("utf8");
	SRunner *r;
	int failed;

	tcase_add_loop_test(t, reads_utf8_and_nothing_else, 0,
		sizeof(characters) / sizeof(characters[0]));
	tcase_add_loop_test(t, what_no_line_can_bear_ends_exactly_there, 0,
		sizeof(hostile) / sizeof(hostile[0]));
	tcase_add_loop_test(
		t, a_text_stays_one_line, 0, sizeof(lines) / sizeof(lines[0]));
	tcase_add_test(t, no_escape_is_longer_than_it_says);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
