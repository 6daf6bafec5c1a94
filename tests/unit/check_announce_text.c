/* Tests of announce/text. */
#include "announce/text.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct text_values values = {
	.hostname = "gate",
	.address = "10.9.1.1",
	.interface = "lan",
	.time = "2026-01-02T03:04:05Z",
};

/* In buffers of the exact sizes, so that a sanitizer sees a byte too many. */
static int fill(const char *text, size_t size, uint8_t *out, size_t room)
{
	char *exact = malloc(size ? size : 1);
	uint8_t *copy = malloc(room ? room : 1);
	int n;

	ck_assert_ptr_nonnull(exact);
	ck_assert_ptr_nonnull(copy);
	memcpy(exact, text, size);
	n = text_fill(exact, size, &values, copy, room);
	if (n > 0)
		memcpy(out, copy, (size_t)n);
	free(exact);
	free(copy);
	return n;
}

static const struct {
	const char *text, *filled;
} cases[] = {
	{ "", "" },
	{ "plain", "plain" },
	{ "%{hostname}", "gate" },
	{ "%{address}", "10.9.1.1" },
	{ "%{interface}", "lan" },
	{ "%{time}", "2026-01-02T03:04:05Z" },
	{ "a %{hostname} b %{hostname}", "a gate b gate" },
	{ "%{hostname}%{address}", "gate10.9.1.1" },
	{ "%", "%" },
	{ "100%", "100%" },
	{ "%%{hostname}", "%gate" },
	{ "%{", "%{" },
	{ "%{hostname", "%{hostname" },
	{ "%{Hostname}", "%{Hostname}" },
	{ "%{host}", "%{host}" },
	{ "%{}", "%{}" },
	{ "%{%{hostname}}", "%{gate}" },
	{ "\xc3\xa4%{interface}\n", "\xc3\xa4lan\n" },
};

START_TEST(fills_in_the_names_and_leaves_the_rest)
{
	const char *filled = cases[_i].filled;
	uint8_t out[64];
	int n;

	n = fill(cases[_i].text, strlen(cases[_i].text), out, sizeof(out));
	ck_assert_int_eq(n, (int)strlen(filled));
	ck_assert_mem_eq(out, filled, strlen(filled));
}
END_TEST

START_TEST(fills_the_room_exactly_and_not_a_byte_more)
{
	const char *text = cases[_i].text, *filled = cases[_i].filled;
	uint8_t out[64];

	for (size_t room = 0; room < strlen(filled); room++)
		ck_assert_int_eq(
			fill(text, strlen(text), out, room), -EMSGSIZE);
	ck_assert_int_eq(fill(text, strlen(text), out, strlen(filled)),
		(int)strlen(filled));
}
END_TEST

START_TEST(reads_no_further_than_the_text)
{
	static const char text[] = "%{hostname}";
	uint8_t out[64];

	for (size_t size = 0; size < strlen(text); size++) {
		ck_assert_int_eq(fill(text, size, out, sizeof(out)), (int)size);
		ck_assert_mem_eq(out, text, size);
	}
}
END_TEST

START_TEST(values_are_not_looked_at_for_names)
{
	const struct text_values v = { .hostname = "%{address}",
		.address = "x",
		.interface = "",
		.time = "" };
	uint8_t out[64];
	int n;

	n = text_fill("%{hostname}%{interface}!", 24, &v, out, sizeof(out));
	ck_assert_int_eq(n, 11);
	ck_assert_mem_eq(out, "%{address}!", 11);
}
END_TEST

int main(void)
{
	const int n = (int)(sizeof(cases) / sizeof(cases[0]));
	Suite *s = suite_create("announce_text");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_loop_test(t, fills_in_the_names_and_leaves_the_rest, 0, n);
	tcase_add_loop_test(
		t, fills_the_room_exactly_and_not_a_byte_more, 0, n);
	tcase_add_test(t, reads_no_further_than_the_text);
	tcase_add_test(t, values_are_not_looked_at_for_names);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
