#include "check_config.h"
#include "config/suggest.h"

static const char *ask(
	const char *wrong, const char *const *right, size_t n, char *buffer)
{
	struct suggest s;

	suggest_init(&s, wrong);
	for (size_t i = 0; i < n; i++)
		suggest_offer(&s, right[i]);
	ck_assert(suggest_found(&s) ==
		  (strstr(suggest_text(&s, buffer), "did you mean") != NULL));
	return buffer;
}

START_TEST(the_nearest_name_is_named)
{
	static const char *const right[] = { "address", "port", "to", "ttl",
		"replies", "reply-timeout" };
	static const struct {
		const char *wrong, *expected;
	} cases[] = {
		{ "adress", ", did you mean \"address\"?" },
		{ "addresses", ", did you mean \"address\"?" },
		{ "ADDRESS", ", did you mean \"address\"?" },
		{ "prot", ", did you mean \"port\"?" },
		{ "ports", ", did you mean \"port\"?" },
		{ "tll", ", did you mean \"ttl\"?" },
		{ "reply", ", known: address, port, to, ttl, replies, "
			   "reply-timeout" },
		{ "replys", ", did you mean \"replies\"?" },
		{ "reply-time-out", ", did you mean \"reply-timeout\"?" },
		{ "zebra", ", known: address, port, to, ttl, replies, "
			   "reply-timeout" },
		{ "", ", known: address, port, to, ttl, replies, "
		      "reply-timeout" },
	};
	char buffer[SUGGEST_TEXT];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		ck_assert_str_eq(ask(cases[i].wrong, right, 6, buffer),
			cases[i].expected);
}
END_TEST

START_TEST(where_nothing_is_known_nothing_is_said)
{
	char buffer[SUGGEST_TEXT];

	ck_assert_str_eq(ask("x", NULL, 0, buffer), "");
}
END_TEST

START_TEST(a_long_word_is_compared_with_nothing)
{
	char wrong[65], right[64], buffer[SUGGEST_TEXT];
	const char *const names[] = { right };

	memset(right, 'a', 63);
	right[63] = '\0';
	memset(wrong, 'a', 63);
	wrong[62] = 'b';
	wrong[63] = '\0';
	ck_assert_ptr_nonnull(strstr(ask(wrong, names, 1, buffer), "did you"));
	wrong[63] = 'b';
	wrong[64] = '\0';
	ck_assert_ptr_nonnull(strstr(ask(wrong, names, 1, buffer), "known: "));
}
END_TEST

START_TEST(what_does_not_fit_is_counted)
{
	char right[64], buffer[SUGGEST_TEXT];
	const char *names[100];

	memset(right, 'a', 63);
	right[63] = '\0';
	for (size_t i = 0; i < 100; i++)
		names[i] = right;
	(void)ask("zzz", names, 100, buffer);
	/* 7 x 65 bytes are in the 512 of the list. */
	ck_assert_ptr_nonnull(strstr(buffer, "a and 93 more"));
	ck_assert_uint_lt(strlen(buffer), SUGGEST_TEXT);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("suggest");

	tcase_add_test(t, the_nearest_name_is_named);
	tcase_add_test(t, where_nothing_is_known_nothing_is_said);
	tcase_add_test(t, a_long_word_is_compared_with_nothing);
	tcase_add_test(t, what_does_not_fit_is_counted);
	return run(t);
}
