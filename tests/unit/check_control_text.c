/*
 * What a terminal is shown: characters, widths, tables; and near misses.
 */
#include "config/config.h"
#include "control/table.h"
#include "control/text.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* ---- columns and escapes ---- */

static const struct {
	const char *text;
	size_t width;
} widths[] = {
	{ "", 0 }, { "lan", 3 },
	{ "K\xc3\xbc"
	  "che",
		5 }, /* precomposed */
	{ "Ku\xcc\x88"
	  "che",
		5 },                       /* with a combining mark */
	{ "\xe5\xae\xa2\xe9\x96\x93", 4 }, /* two wide characters */
	{ "\xf0\x9f\x93\xba", 2 },         /* a television */
	{ "a\xe2\x80\x8d"
	  "b",
		2 }, /* a joiner */
};

START_TEST(measures_columns_not_bytes)
{
	ck_assert_uint_eq(text_width(widths[_i].text), widths[_i].width);
}
END_TEST

static const struct {
	const char *text, *escaped;
} escapes[] = {
	{ "", "" },
	{ "plain \\ text", "plain \\ text" },
	{ "K\xc3\xbc"
	  "che",
		"K\xc3\xbc"
		"che" },
	{ "two\nlines\r", "two\\nlines\\x0d" },
	{ "\x1b[2J", "\\x1b[2J" },
	{ "\x7f", "\\x7f" },
	{ "\xc2\x9b"
	  "31m",
		"\\u009b31m" },
	{ "\xc2\xa0", "\xc2\xa0" },
	{ "\xe2\x80\xae"
	  "gnp",
		"\\u202egnp" },
	{ "\xe2\x81\xa6", "\\u2066" },
	{ "\xe2\x80\xa8", "\\u2028" },
	{ "a\xff"
	  "b",
		"a\\xffb" },
	{ "\xe2\x80", "\\xe2\\x80" },
};

START_TEST(escapes_what_moves_a_terminal)
{
	char *escaped = text_escape(escapes[_i].text);

	ck_assert_str_eq(escaped, escapes[_i].escaped);
	free(escaped);
}
END_TEST

/* ---- near misses ---- */

static const struct {
	const char *json, *escaped;
} jsons[] = {
	{ "{\n  \"a\": \"\\n\\\\\\u001b\"\n}",
		"{\n  \"a\": \"\\n\\\\\\u001b\"\n}" },
	{ "\"Gr\xc3\xbc\xc3\x9f\"", "\"Gr\xc3\xbc\xc3\x9f\"" },
	{ "\"\x7f\xc2\x9b\xe2\x80\xae\xe2\x80\xa8\xef\xbb\xbf\"",
		"\"\\u007f\\u009b\\u202e\\u2028\\ufeff\"" },
};

START_TEST(json_for_a_terminal_is_the_same_json)
{
	char *escaped = text_escape_json(strdup(jsons[_i].json));
	json_t *before, *after;

	ck_assert_str_eq(escaped, jsons[_i].escaped);
	before = json_loads(jsons[_i].json, JSON_DECODE_ANY, NULL);
	after = json_loads(escaped, JSON_DECODE_ANY, NULL);
	ck_assert_ptr_nonnull(before);
	ck_assert(json_equal(before, after));
	json_decref(before);
	json_decref(after);
	free(escaped);
	ck_assert_ptr_null(text_escape_json(NULL));
}
END_TEST

static const struct {
	const char *word, *found;
} misses[] = {
	{ "status", "status" },
	{ "stauts", "status" },
	{ "statu", "status" },
	{ "statuss", "status" },
	{ "sttatuss", "status" },
	{ "interface", "interfaces" },
	{ "grups", "groups" },
	{ "g", NULL },
	{ "xyzzy", NULL },
	{ "", NULL },
	{ "a-word-that-is-longer-than-any-name-could-ever-want-to-be-in-crier",
		NULL },
};

START_TEST(finds_what_was_meant)
{
	static const char *const names[] = {
		"status", "interfaces", "groups",
		"a-name-that-is-longer-than-any-name-could-ever-want-to-be-in-crier"
	};
	struct config_nearest n;

	config_nearest_init(&n, misses[_i].word);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		config_nearest_offer(&n, names[i]);
	if (misses[_i].found)
		ck_assert_str_eq(n.best, misses[_i].found);
	else
		ck_assert_ptr_null(n.best);
}
END_TEST

START_TEST(the_nearer_of_two_wins)
{
	struct config_nearest n;

	config_nearest_init(&n, "sizes");
	config_nearest_offer(&n, "sides");
	config_nearest_offer(&n, "size");
	config_nearest_offer(&n, "sizes");
	ck_assert_str_eq(n.best, "sizes");
}
END_TEST

/* ---- tables ---- */

static const char *const titles[] = { "NAME", "COUNT", "STATE" };

/* Prints and frees the table; the text is the caller's to free. */
static char *print(struct table *t, unsigned indent, bool coloured)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	ck_assert_int_eq(table_print(t, out, indent, coloured), 0);
	ck_assert_int_eq(fclose(out), 0);
	table_discard(t);
	return text;
}

static void check_print(
	struct table *t, unsigned indent, bool coloured, const char *expected)
{
	char *text = print(t, indent, coloured);

	ck_assert_str_eq(text, expected);
	free(text);
}

static void add(struct table *t, const char *name, json_int_t count,
	const char *state, enum table_colour colour)
{
	json_t *number = json_integer(count);

	table_row(t);
	table_text(t, name, TABLE_PLAIN);
	table_json(t, number);
	table_text(t, state, colour);
	json_decref(number);
}

START_TEST(columns_fit_what_they_hold)
{
	struct table t;

	table_begin(&t, titles, 3, 0x2);
	add(&t, "a", 5, "joined", TABLE_GOOD);
	add(&t, "a longer name", 1234567, "up", TABLE_GOOD);
	add(&t,
		"K\xc3\xbc"
		"che",
		0, "", TABLE_PLAIN);
	check_print(&t, 0, false,
		"NAME             COUNT  STATE\n"
		"a                    5  joined\n"
		"a longer name  1234567  up\n"
		"K\xc3\xbc"
		"che                0\n");
}
END_TEST

START_TEST(no_rows_still_have_titles)
{
	struct table t;

	table_begin(&t, titles, 3, 0);
	check_print(&t, 2, false, "  NAME  COUNT  STATE\n");
}
END_TEST

START_TEST(notes_stand_below_and_widen_nothing)
{
	struct table t;

	table_begin(&t, titles, 3, 0x2);
	add(&t, "a", 1, "failed", TABLE_BAD);
	table_note(&t, "why it failed, at\x1b length", TABLE_BAD);
	add(&t, "b", 2, "up", TABLE_GOOD);
	check_print(&t, 1, false,
		" NAME  COUNT  STATE\n"
		" a         1  failed\n"
		"   why it failed, at\\x1b length\n"
		" b         2  up\n");
}
END_TEST

START_TEST(colours_do_not_move_columns)
{
	struct table t;

	table_begin(&t, titles, 3, 0);
	table_row(&t);
	table_text(&t, "a", TABLE_WARN);
	table_text(&t, "1", TABLE_BAD);
	table_text(&t, "up", TABLE_GOOD);
	check_print(&t, 0, true,
		"\x1b[1mNAME\x1b[0m  \x1b[1mCOUNT\x1b[0m  \x1b[1mSTATE\x1b[0m\n"
		"\x1b[33ma\x1b[0m     \x1b[31m1\x1b[0m      "
		"\x1b[32mup\x1b[0m\n");
}
END_TEST

START_TEST(cells_beyond_the_last_column_are_left_out)
{
	struct table t;

	table_begin(&t, titles, 1, 0);
	table_row(&t);
	table_text(&t, "a", TABLE_PLAIN);
	table_text(&t, "b", TABLE_PLAIN);
	check_print(&t, 0, false, "NAME\na\n");
}
END_TEST

START_TEST(shows_any_json)
{
	static const char *const values[] = { "\"x\"", "-5", "true", "false",
		"null", "\"\"", "[1]", "{}", "1.5" };
	static const char *const shown[] = { "x", "-5", "yes", "no", "-", "-",
		"-", "-", "-" };
	json_t *value = json_loads(values[_i], JSON_DECODE_ANY, NULL);
	char expected[16];
	struct table t;

	table_begin(&t, titles, 1, 0);
	table_row(&t);
	table_json(&t, value);
	json_decref(value);
	(void)snprintf(expected, sizeof(expected), "NAME\n%s\n", shown[_i]);
	check_print(&t, 0, false, expected);
}
END_TEST

START_TEST(many_rows_are_kept)
{
	struct table t;
	char *text;
	size_t lines = 0;

	table_begin(&t, titles, 3, 0);
	for (int i = 0; i < 1000; i++)
		add(&t, "name", i, "up", TABLE_GOOD);
	text = print(&t, 0, false);
	for (char *c = text; (c = strchr(c, '\n')); c++)
		lines++;
	ck_assert_uint_eq(lines, 1001);
	free(text);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("control/text");
	TCase *t = tcase_create("text");

	tcase_add_loop_test(t, measures_columns_not_bytes, 0,
		sizeof(widths) / sizeof(widths[0]));
	tcase_add_loop_test(t, escapes_what_moves_a_terminal, 0,
		sizeof(escapes) / sizeof(escapes[0]));
	tcase_add_loop_test(t, json_for_a_terminal_is_the_same_json, 0,
		sizeof(jsons) / sizeof(jsons[0]));
	tcase_add_loop_test(
		t, finds_what_was_meant, 0, sizeof(misses) / sizeof(misses[0]));
	tcase_add_test(t, the_nearer_of_two_wins);
	tcase_add_test(t, columns_fit_what_they_hold);
	tcase_add_test(t, no_rows_still_have_titles);
	tcase_add_test(t, notes_stand_below_and_widen_nothing);
	tcase_add_test(t, colours_do_not_move_columns);
	tcase_add_test(t, cells_beyond_the_last_column_are_left_out);
	tcase_add_loop_test(t, shows_any_json, 0, 9);
	tcase_add_test(t, many_rows_are_kept);
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
