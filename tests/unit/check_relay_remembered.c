/* Tests of relay/remembered, against a plain list. */
#include "relay/remembered.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { BOUND = 1000, KEYS = 400, STEPS = 40000, SLOTS = 130 };

static const struct siphash_key key = { 3, 4 };

static struct quota quota;
static struct remembered memory;

static void begin(void)
{
	quota_init(&quota, BOUND, &key);
	remembered_init(&memory, &quota);
	remembered_resize(&memory, SLOTS);
}

static void end(void)
{
	remembered_done(&memory);
	quota_done(&quota);
}

static struct net_address host(unsigned n)
{
	struct net_address a = { .family = AF_INET };

	a.bytes[0] = 10;
	a.bytes[3] = (uint8_t)n;
	return a;
}

static struct guard_entry *add(uint64_t digest, uint64_t now_ms)
{
	struct net_address a = host(1);

	return remembered_add(&memory, digest, &a, now_ms);
}

/* Digests that crowd at the end of the table and around its beginning, some
 * with the same tag. */
static uint64_t crowded(unsigned n)
{
	static const uint32_t tags[] = { 0x7ffffffe, 0x7fffffff, 0, 1, 127,
		0x12345600 };

	return (uint64_t)(tags[n % 6] + (n / 24 % 3)) << 32 | n;
}

START_TEST(finds_what_is_there_and_nothing_else)
{
	struct guard_entry *at[KEYS] = { 0 };
	unsigned seed = 7, i;

	for (int step = 0; step < STEPS; step++) {
		unsigned k = (unsigned)rand_r(&seed) % KEYS;

		if (at[k]) {
			remembered_forget(at[k]);
			at[k] = NULL;
		} else {
			at[k] = add(crowded(k), 1);
			ck_assert_ptr_nonnull(at[k]);
		}
		k = (unsigned)rand_r(&seed) % KEYS;
		ck_assert_ptr_eq(remembered_find(&memory, crowded(k)), at[k]);
	}
	for (i = 0; i < KEYS; i++)
		ck_assert_ptr_eq(remembered_find(&memory, crowded(i)), at[i]);
}
END_TEST

START_TEST(goes_on_from_the_oldest)
{
	struct guard_entry *e;
	uint64_t want[] = { 2, 4, 1, 3 };
	size_t i = 0;

	for (uint64_t d = 1; d <= 4; d++)
		ck_assert_ptr_nonnull(add(d, d));
	remembered_touch(remembered_find(&memory, 1), 5);
	remembered_touch(remembered_find(&memory, 3), 6);
	remembered_touch(remembered_find(&memory, 3), 7);
	for (e = remembered_oldest(&memory); e; e = remembered_newer(e))
		ck_assert_uint_eq(e->digest, want[i++]);
	ck_assert_uint_eq(i, 4);
	ck_assert_uint_eq(remembered_find(&memory, 3)->heard_ms, 7);
}
END_TEST

START_TEST(the_bound_is_kept_by_the_oldest_of_who_has_most)
{
	struct net_address other = host(2);

	ck_assert_ptr_nonnull(remembered_add(&memory, 5000, &other, 1));
	for (uint64_t d = 1; d < BOUND; d++)
		ck_assert_ptr_nonnull(add(d, d));
	for (uint64_t d = 1; d <= 3 * BOUND; d++) {
		ck_assert_ptr_nonnull(add(BOUND + 10000 + d, BOUND + d));
		ck_assert_uint_eq(memory.used, BOUND);
		ck_assert_ptr_nonnull(
			remembered_find(&memory, BOUND + 10000 + d));
		if (d < BOUND)
			ck_assert_ptr_null(remembered_find(&memory, d));
	}
	ck_assert_ptr_nonnull(remembered_find(&memory, 5000));
	ck_assert_uint_eq(quota.evicted, 3 * BOUND);
}
END_TEST

START_TEST(slots_have_times_of_their_own)
{
	struct guard_entry *e = add(1, 1000);
	uint32_t at[SLOTS] = { 0 }, got;
	unsigned seed = 1;

	for (uint32_t s = 0; s < SLOTS; s++)
		ck_assert(!remembered_at(e, s, &got));
	for (uint64_t now = 1000; now < 3000; now++) {
		uint32_t s = (uint32_t)rand_r(&seed) % SLOTS;

		if (rand_r(&seed) % 4 == 0) {
			remembered_unmark(e, s);
			at[s] = 0;
		} else {
			/* Some at the time of the entry, some later. */
			uint64_t when = rand_r(&seed) % 3 ? now : 1000;

			remembered_mark(e, s, when);
			at[s] = (uint32_t)when;
		}
		for (s = 0; s < SLOTS; s++) {
			ck_assert_int_eq(remembered_at(e, s, &got), at[s] != 0);
			if (at[s])
				ck_assert_uint_eq(got, at[s]);
		}
	}
}
END_TEST

START_TEST(memory_of_what_was_forgotten_is_clean)
{
	struct guard_entry *e = add(1, 1000);
	uint32_t got;

	remembered_mark(e, 3, 1000);
	remembered_mark(e, 4, 1001);
	e->in_a_row = 9;
	e->is_silenced = true;
	remembered_forget(e);
	ck_assert_ptr_null(e->home);
	ck_assert_ptr_eq(add(2, 1500), e);
	ck_assert(!remembered_at(e, 3, &got));
	ck_assert(!remembered_at(e, 4, &got));
	ck_assert_uint_eq(e->in_a_row, 0);
	ck_assert(!e->is_silenced);
}
END_TEST

/* Two lines of the cache, for as many slots as most groups have. */
START_TEST(an_entry_is_small)
{
	remembered_resize(&memory, 4);
	ck_assert_uint_eq(memory.entry_bytes, 128);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("relay_remembered");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, finds_what_is_there_and_nothing_else);
	tcase_add_test(t, goes_on_from_the_oldest);
	tcase_add_test(t, the_bound_is_kept_by_the_oldest_of_who_has_most);
	tcase_add_test(t, slots_have_times_of_their_own);
	tcase_add_test(t, memory_of_what_was_forgotten_is_clean);
	tcase_add_test(t, an_entry_is_small);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
