/*
 * Text from outside, made fit for a log.
 */
#include "service/plain.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* Into a buffer of exactly `size`, so that a sanitizer sees one byte more. */
static void check_plain(const char *text, size_t size, const char *expected)
{
	char *in = strdup(text), *out = malloc(size);

	ck_assert_ptr_nonnull(in);
	ck_assert_ptr_nonnull(out);
	plain_text(out, size, in);
	ck_assert_str_eq(out, expected);
	free(in);
	free(out);
}

static const struct {
	const char *text, *plain;
} texts[] = {
	{ "", "" },
	{ "br-lan \"x\" \\n", "br-lan \"x\" \\n" },
	{ "\x01\x1f \x7e\x7f", "\\x01\\x1f \x7e\\x7f" },
	{ "a\nMAINPID=1\t", "a\\x0aMAINPID=1\\x09" },
	/* The second block of control characters ends at U+009F. */
	{ "\xc2\x80\xc2\x9f\xc2\xa0", "\\xc2\\x80\\xc2\\x9f\xc2\xa0" },
	/* What turns the direction of writing, or ends a line. */
	{ "\xe2\x80\xae\xe2\x81\xa6", "\\xe2\\x80\\xae\\xe2\\x81\\xa6" },
	{ "\xe2\x80\xa7\xe2\x80\xa8", "\xe2\x80\xa7\\xe2\\x80\\xa8" },
	/* The first and the last character of each length. */
	{ "\xdf\xbf \xe0\xa0\x80 \xef\xbf\xbf",
		"\xdf\xbf \xe0\xa0\x80 \xef\xbf\xbf" },
	{ "\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf",
		"\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf" },
	/* Longer than need be. */
	{ "\xc1\xbf", "\\xc1\\xbf" },
	{ "\xe0\x9f\xbf", "\\xe0\\x9f\\xbf" },
	{ "\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf" },
	/* Surrogates, and what stands beside them. */
	{ "\xed\x9f\xbf\xee\x80\x80", "\xed\x9f\xbf\xee\x80\x80" },
	{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },
	{ "\xed\xbf\xbf", "\\xed\\xbf\\xbf" },
	/* Beyond Unicode. */
	{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },
	{ "\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80" },
	{ "\xfe\xff", "\\xfe\\xff" },
	/* No beginning, no end. */
	{ "\x80 \xbf", "\\x80 \\xbf" },
	{ "\xc3", "\\xc3" },
	{ "\xe2\x80", "\\xe2\\x80" },
	{ "\xf0\x9f\x92", "\\xf0\\x9f\\x92" },
	{ "\xc3(", "\\xc3(" },
	{ "\xe2\x80\xc3\xbc", "\\xe2\\x80\xc3\xbc" },
};

START_TEST(what_no_line_can_bear_is_escaped)
{
	check_plain(texts[_i].text, 64, texts[_i].plain);
}
END_TEST

START_TEST(what_fits_exactly_is_whole)
{
	check_plain(texts[_i].text,
		strlen(texts[_i].plain) < sizeof(PLAIN_CUT)
			? sizeof(PLAIN_CUT)
			: strlen(texts[_i].plain) + 1,
		texts[_i].plain);
}
END_TEST

static const struct {
	const char *text;
	size_t size;
	const char *plain;
} cuts[] = {
	{ "abcdef", 6, "ab..." },
	{ "abcdef", 4, "..." },
	/* Not within a character of two, three, four bytes ... */
	{ "a\xc3\xbc"
	  "cdef",
		7, "a\xc3\xbc..." },
	{ "a\xc3\xbc"
	  "cdef",
		6, "a..." },
	{ "a\xe2\x82\xac"
	  "def",
		7, "a..." },
	{ "a\xf0\x9f\x92\xa1"
	  "ef",
		7, "a..." },
	/* ... nor within an escape, ... */
	{ "a\n\n\n", 9, "a\\x0a..." },
	{ "a\n\n\n", 8, "a..." },
	/* ... nor in one that came to stand at the end. */
	{ "abcd\n", 8, "abcd..." },
	{ "abcd\n", 9, "abcd\\x0a" },
};

START_TEST(what_does_not_fit_is_cut_between_characters)
{
	check_plain(cuts[_i].text, cuts[_i].size, cuts[_i].plain);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

static Suite *suite(void)
{
	Suite *s = suite_create("service/plain");
	TCase *t = tcase_create("plain");

	tcase_add_loop_test(
		t, what_no_line_can_bear_is_escaped, 0, COUNT(texts));
	tcase_add_loop_test(t, what_fits_exactly_is_whole, 0, COUNT(texts));
	tcase_add_loop_test(
		t, what_does_not_fit_is_cut_between_characters, 0, COUNT(cuts));
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(suite());
	int failed;

	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
