/* Tests of discovery/wheel. */
#include "discovery/wheel.h"

#include <check.h>
#include <stdlib.h>

static struct wheel w;

/* An assertion for long loops: those of check take a system call each. */
static void must(bool is_so, const char *what)
{
	if (!is_so)
		ck_abort_msg("%s", what);
}

static void check_next(uint32_t at)
{
	uint32_t next;

	ck_assert(wheel_next(&w, &next));
	ck_assert_uint_le(next, at);
}

/* Added at `now`, it is due at `at`, and not a tick sooner. */
static void check_on_time(uint32_t now, uint32_t at)
{
	struct wheel_item i = { 0 };
	uint32_t next;

	wheel_init(&w, now);
	wheel_add(&w, &i, at);
	if (at > now + 1) {
		check_next(at);
		ck_assert_msg(!wheel_take(&w, at - 1), "%u at %u", at, now);
		check_next(at);
	}
	ck_assert_msg(wheel_take(&w, at) == &i, "%u at %u", at, now);
	ck_assert_ptr_null(wheel_take(&w, at));
	ck_assert(!wheel_next(&w, &next));
}

START_TEST(is_on_time_at_every_boundary)
{
	static const uint32_t spans[] = { 1, 2, 63, 64, 65, 4095, 4096, 4097,
		262143, 262144, 262145, 16777215, 16777216, 16777217,
		1073741823, 1073741824, 1073741825, 2147483648 };
	static const uint32_t nows[] = { 0, 1, 62, 63, 64, 4095, 4096, 262143,
		262144, 16777214, 16777215, 16777216, 1073741823, 1073741824,
		2147483647 };

	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++)
		for (size_t n = 0; n < sizeof(nows) / sizeof(nows[0]); n++)
			check_on_time(nows[n], nows[n] + spans[i]);
	check_on_time(0, UINT32_MAX);
	check_on_time(UINT32_MAX - 1, UINT32_MAX);
}
END_TEST

/* Goes there in one step, in steps of one tick, and of many. */
START_TEST(is_on_time_however_time_passes)
{
	static const uint32_t steps[] = { 1, 7, 63, 64, 65, 4096, 100000 };
	struct wheel_item i = { 0 };
	uint32_t at = 266305, now;

	for (size_t s = 0; s < sizeof(steps) / sizeof(steps[0]); s++) {
		wheel_init(&w, 5);
		wheel_add(&w, &i, at);
		for (now = 5; now < at; now += steps[s])
			must(!wheel_take(&w, now), "none is due yet");
		ck_assert_ptr_eq(wheel_take(&w, now), &i);
	}
}
END_TEST

START_TEST(what_is_not_after_now_is_due_at_once)
{
	struct wheel_item past = { 0 }, present = { 0 };
	uint32_t next;

	wheel_init(&w, 1000);
	wheel_add(&w, &past, 0);
	wheel_add(&w, &present, 1000);
	ck_assert(wheel_next(&w, &next));
	ck_assert_uint_eq(next, 1000);
	ck_assert_ptr_eq(wheel_take(&w, 1000), &past);
	ck_assert_ptr_eq(wheel_take(&w, 1000), &present);
	ck_assert_ptr_null(wheel_take(&w, 1000));
}
END_TEST

/*
 * Once, with four levels, an item beyond the last ring was due at once where
 * now was the end of that ring: it was added anew and due again without end,
 * and time stood still for all others (with ticks of 100 ms after 19 days).
 */
START_TEST(nothing_is_due_early_at_the_end_of_a_ring)
{
	static const uint32_t ends[] = { 63, 4095, 262143, 16777215, 33554431,
		1073741823 };
	struct wheel_item soon = { 0 }, later = { 0 };

	for (size_t e = 0; e < sizeof(ends) / sizeof(ends[0]); e++) {
		wheel_init(&w, ends[e] - 1);
		wheel_add(&w, &later, ends[e] + 100);
		ck_assert_ptr_null(wheel_take(&w, ends[e]));
		wheel_add(&w, &soon, ends[e] + 99);
		ck_assert_ptr_null(wheel_take(&w, ends[e]));
		ck_assert_ptr_null(wheel_take(&w, ends[e] + 98));
		ck_assert_ptr_eq(wheel_take(&w, ends[e] + 99), &soon);
		ck_assert_ptr_null(wheel_take(&w, ends[e] + 99));
		ck_assert_ptr_eq(wheel_take(&w, ends[e] + 100), &later);
	}
}
END_TEST

START_TEST(what_is_taken_out_never_comes)
{
	struct wheel_item due[3] = { 0 }, later = { 0 };
	uint32_t next;

	wheel_init(&w, 0);
	for (int i = 0; i < 3; i++)
		wheel_add(&w, &due[i], 10);
	wheel_add(&w, &later, 5000);
	ck_assert_ptr_eq(wheel_take(&w, 10), &due[0]);
	wheel_remove(&due[1]); /* while it is due */
	wheel_remove(&due[1]);
	wheel_remove(&due[0]); /* which is in no wheel */
	ck_assert_ptr_eq(wheel_take(&w, 10), &due[2]);
	wheel_remove(&later);
	ck_assert_ptr_null(wheel_take(&w, 6000));
	ck_assert(!wheel_next(&w, &next));
}
END_TEST

/* ---- against a list that is searched ---- */

enum { ITEMS = 50, STEPS = 100000 };

static struct wheel_item items[ITEMS];
static uint32_t due_at[ITEMS]; /* 0: not in */

static uint32_t earliest(void)
{
	uint32_t at = UINT32_MAX;

	for (size_t i = 0; i < ITEMS; i++)
		if (due_at[i] && due_at[i] < at)
			at = due_at[i];
	return at;
}

/* Some ticks or very many. */
static uint32_t random_span(void)
{
	return (uint32_t)rand() & ((UINT32_C(2) << rand() % 24) - 1);
}

static void random_change(uint32_t now)
{
	size_t i = (size_t)rand() % ITEMS;

	wheel_remove(&items[i]);
	due_at[i] = 0;
	if (rand() % 4 == 0)
		return;
	due_at[i] = now + random_span();
	wheel_add(&w, &items[i], due_at[i]);
}

/* All that is due comes, and nothing else. */
static void take_all(uint32_t now)
{
	struct wheel_item *i;

	while ((i = wheel_take(&w, now))) {
		size_t n = (size_t)(i - items);

		must(n < ITEMS && due_at[n] != 0, "it is in the wheel");
		must(due_at[n] <= now, "it is due");
		due_at[n] = 0;
	}
	must(earliest() > now, "all that is due was taken");
}

START_TEST(agrees_with_a_list_over_random_steps)
{
	uint32_t now = 16770000, next;

	srand(1);
	wheel_init(&w, now);
	for (unsigned step = 0; step < STEPS; step++) {
		random_change(now);
		if (rand() % 4 == 0) {
			now += rand() % 8 ? (uint32_t)rand() % 64
					  : random_span() % 50000;
			take_all(now);
		}
		if (earliest() != UINT32_MAX) {
			must(wheel_next(&w, &next), "there is a next one");
			must(next <= earliest(), "next is not too late");
		}
	}
	ck_assert_uint_gt(now, 2 * 16777216);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("discovery_wheel");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_test(t, is_on_time_at_every_boundary);
	tcase_add_test(t, is_on_time_however_time_passes);
	tcase_add_test(t, what_is_not_after_now_is_due_at_once);
	tcase_add_test(t, nothing_is_due_early_at_the_end_of_a_ring);
	tcase_add_test(t, what_is_taken_out_never_comes);
	tcase_add_test(t, agrees_with_a_list_over_random_steps);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
