/*
 * Tables that fit a width, and what is cut of them.
 */
#include "control_fixture.h"

#include "control/table.h"
#include "control/text.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* ---- cutting ---- */

static const struct {
	const char *text;
	size_t width, bytes;
} cuts[] = {
	{ "", 0, 0 },
	{ "", 5, 0 },
	{ "abc", 0, 0 },
	{ "abc", 2, 2 },
	{ "abc", 3, 3 },
	{ "abc", 4, 3 },
	/* Two bytes, one column; three bytes, two columns. */
	{ "\xc3\xa4\xc3\xb6", 1, 2 },
	{ "\xe6\x97\xa5\xe6\x9c\xac", 3, 3 },
	{ "\xe6\x97\xa5\xe6\x9c\xac", 4, 6 },
	/* A mark belongs to what stands before it. */
	{ "e\xcc\x81x", 1, 3 },
	/* Escapes are whole or not there. */
	{ "a\\x1bz", 1, 1 },
	{ "a\\x1bz", 4, 1 },
	{ "a\\x1bz", 5, 5 },
	{ "a\\nz", 2, 1 },
	{ "a\\nz", 3, 3 },
	{ "\\u202ez", 5, 0 },
	{ "\\u202ez", 6, 6 },
	/* And what only looks like one is cut as any text. */
	{ "\\x1z", 3, 3 },
	{ "\\xyz", 1, 1 },
	{ "\\", 1, 1 },
	{ "\\u20", 2, 2 },
};

START_TEST(a_cut_is_between_characters_and_escapes)
{
	ck_assert_uint_eq(
		text_cut(cuts[_i].text, cuts[_i].width), cuts[_i].bytes);
}
END_TEST

/* Whatever the text and the width: it fits, and so would no more of it. */
START_TEST(a_cut_fits)
{
	static const char hostile[] = "a\x1b[31m\xff\xe6\x97\xa5\xf0\x9f\x98"
				      "\x80\n\\\xe2\x80\xae\xc3\xa4"
				      "e\xcc\x81\\x1\\u202z";
	char *text = text_escape(hostile), begin[128];

	for (size_t width = 0; width < 80; width++) {
		size_t size = text_cut(text, width);

		(void)snprintf(begin, sizeof(begin), "%.*s", (int)size, text);
		ck_assert_uint_le(text_width(begin), width);
		ck_assert_uint_eq(text_width(begin) + text_width(text + size),
			text_width(text));
	}
	ck_assert_uint_eq(text_cut(text, 80), strlen(text));
	free(text);
}
END_TEST

/* ---- tables ---- */

static char *printed;
static size_t printed_size;

static void teardown(void)
{
	free(printed);
	printed = NULL;
}

/* A table of two rows and a note, below a heading; $COLUMNS is `columns`. */
static const char *print_table(const char *columns, bool spare)
{
	static const char *const titles[] = { "NAME", "NUMBER", "WHERE" };
	struct table t;
	FILE *out;

	teardown();
	out = open_memstream(&printed, &printed_size);
	ck_assert_int_eq(setenv("COLUMNS", columns, 1), 0);
	table_begin(&t, titles, 3, 2);
	table_fit(&t, out);
	if (spare)
		table_spare(&t, 6);
	table_heading(&t, "A heading that is long enough to be cut");
	table_row(&t);
	table_text(&t, "a name that is long\x1b", TABLE_GOOD);
	table_text(&t, "1234567890", TABLE_PLAIN);
	table_text(&t, "192.0.2.7", TABLE_PLAIN);
	table_note(&t, "a note that says what cures it", TABLE_PLAIN);
	table_row(&t);
	table_text(&t,
		"\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5\xe6\x9c\xac\xe6"
		"\x97\xa5",
		TABLE_PLAIN);
	table_text(&t, "1", TABLE_PLAIN);
	table_text(&t, "", TABLE_PLAIN);
	ck_assert_int_eq(table_end(&t, out, 2, false), 0);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_int_eq(unsetenv("COLUMNS"), 0);
	return printed;
}

#define WHOLE                                                                  \
	"  NAME                         NUMBER  WHERE\n"                       \
	"A heading that is long enough to be cut\n"                            \
	"  a name that is long\\x1b  1234567890  192.0.2.7\n"                  \
	"    a note that says what cures it\n"                                 \
	"  \xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5"       \
	"                        1\n"

/* No number of columns, no limit. */
START_TEST(without_a_width_nothing_is_cut)
{
	static const char *const columns[] = { "", "0", "-1", "x", "10001",
		"99999999999999999999", "48", "10000" };

	fixture_check_text(print_table(columns[_i], false), WHOLE);
}
END_TEST

START_TEST(text_is_cut_and_numbers_are_not)
{
	fixture_check_text(print_table("47", false),
		"  NAME                        NUMBER  WHERE\n"
		"A heading that is long enough to be cut\n"
		"  a name that is long\xe2\x80\xa6    1234567890  192.0.2.7\n"
		"    a note that says what cures it\n"
		"  \xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5\xe6\x9c\xac\xe6\x97"
		"\xa5                       1\n");
}
END_TEST

/* A table does not get narrower than this; better wrapped than wrong. */
START_TEST(what_does_not_fit_at_all_overflows)
{
	fixture_check_text(print_table("10", false),
		"  NAME      NUMBER  WHE\xe2\x80\xa6\n"
		"A heading\xe2\x80\xa6\n"
		"  a n\xe2\x80\xa6  1234567890  192\xe2\x80\xa6\n"
		"    a note that says what cures it\n"
		"  \xe6\x97\xa5\xe2\x80\xa6            1\n");
}
END_TEST

START_TEST(columns_to_spare_are_left_out)
{
	fixture_check_text(print_table("20", true),
		"  NAME\n"
		"A heading that is l\xe2\x80\xa6\n"
		"  a name that is lo\xe2\x80\xa6\n"
		"    a note that says what cures it\n"
		"  \xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5\n");
}
END_TEST

/* ---- widths ---- */

static size_t width_on_terminal(unsigned short columns, const char *variable)
{
	const struct winsize size = { .ws_col = columns, .ws_row = 24 };
	static const char *const titles[] = { "A" };
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;
	FILE *terminal;
	struct table t;

	ck_assert_int_ge(master, 0);
	ck_assert_int_eq(grantpt(master) | unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	terminal = fdopen(slave, "w");
	ck_assert_ptr_nonnull(terminal);
	ck_assert_int_eq(ioctl(slave, TIOCSWINSZ, &size), 0);
	if (variable)
		ck_assert_int_eq(setenv("COLUMNS", variable, 1), 0);
	table_begin(&t, titles, 1, 0);
	table_fit(&t, terminal);
	ck_assert_int_eq(unsetenv("COLUMNS"), 0);
	(void)fclose(terminal);
	(void)close(master);
	return t.limit;
}

START_TEST(a_terminal_knows_its_width)
{
	ck_assert_uint_eq(width_on_terminal(132, NULL), 132);
	ck_assert_uint_eq(width_on_terminal(132, "40"), 132);
	ck_assert_uint_eq(width_on_terminal(0, "40"), 40);
	ck_assert_uint_eq(width_on_terminal(0, NULL), 80);
	ck_assert_uint_eq(width_on_terminal(0, "none"), 80);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("control/table");
	TCase *t = tcase_create("table");

	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_add_loop_test(t, a_cut_is_between_characters_and_escapes, 0,
		sizeof(cuts) / sizeof(cuts[0]));
	tcase_add_test(t, a_cut_fits);
	tcase_add_loop_test(t, without_a_width_nothing_is_cut, 0, 8);
	tcase_add_test(t, text_is_cut_and_numbers_are_not);
	tcase_add_test(t, what_does_not_fit_at_all_overflows);
	tcase_add_test(t, columns_to_spare_are_left_out);
	tcase_add_test(t, a_terminal_knows_its_width);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return fixture_main(suite());
}
