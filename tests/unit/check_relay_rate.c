/* Tests of relay/rate. */
#include "relay/rate.h"

#include <check.h>
#include <stdint.h>

static const struct siphash_key key = { 5, 6 };

static struct net_address host(unsigned n)
{
	struct net_address a = { .family = AF_INET };

	a.v4.s_addr = htonl(0xc0000200u + n);
	return a;
}

/* How many of `n` tries at the same time pass. */
static unsigned burst(struct rate *r, uint32_t per_second, unsigned from,
	uint64_t now, unsigned n)
{
	struct net_address a = host(from);
	unsigned passed = 0;

	while (n--)
		passed += rate_take(r, per_second, 1, &a, now);
	return passed;
}

START_TEST(a_burst_of_a_seconds_worth_passes)
{
	struct rate r;

	rate_init(&r, 10, &key);
	ck_assert_uint_eq(burst(&r, 500, 1, 1000, 2000), 500);
	rate_done(&r);
}
END_TEST

START_TEST(fills_at_its_rate_and_no_further_than_full)
{
	struct rate r;

	rate_init(&r, 10, &key);
	ck_assert_uint_eq(burst(&r, 10, 1, 1000, 20), 10);
	ck_assert_uint_eq(burst(&r, 10, 1, 1099, 20), 0);
	ck_assert_uint_eq(burst(&r, 10, 1, 1100, 20), 1);
	ck_assert_uint_eq(burst(&r, 10, 1, 1600, 20), 5);
	ck_assert_uint_eq(burst(&r, 10, 1, 1000000, 20), 10);
	rate_done(&r);
}
END_TEST

START_TEST(a_steady_stream_passes_at_its_rate)
{
	unsigned passed = 0;
	struct rate r;

	rate_init(&r, 10, &key);
	for (uint64_t t = 0; t < 10000; t++)
		passed += burst(&r, 100, 1, t, 1);
	/* 100 at once and 100 a second for the 10 seconds. */
	ck_assert_uint_ge(passed, 1098);
	ck_assert_uint_le(passed, 1100);
	rate_done(&r);
}
END_TEST

START_TEST(sources_and_segments_do_not_share)
{
	struct net_address a = host(1);
	struct rate r;

	rate_init(&r, 10, &key);
	ck_assert_uint_eq(burst(&r, 2, 1, 0, 5), 2);
	ck_assert_uint_eq(burst(&r, 2, 2, 0, 5), 2);
	ck_assert(rate_take(&r, 2, 2, &a, 0));
	rate_done(&r);
}
END_TEST

START_TEST(looking_spends_nothing)
{
	struct net_address a = host(1);
	struct rate r;

	rate_init(&r, 10, &key);
	for (unsigned i = 0; i < 5; i++)
		ck_assert(rate_has(&r, 1, 1, &a, 0));
	ck_assert(rate_take(&r, 1, 1, &a, 0));
	for (unsigned i = 0; i < 5; i++)
		ck_assert(!rate_has(&r, 1, 1, &a, 999));
	ck_assert(rate_has(&r, 1, 1, &a, 1000));
	ck_assert(rate_take(&r, 1, 1, &a, 1000));
	rate_done(&r);
}
END_TEST

START_TEST(the_idlest_bucket_gives_way)
{
	struct rate r;

	rate_init(&r, 2, &key);
	ck_assert_uint_eq(burst(&r, 1, 1, 0, 2), 1);
	ck_assert_uint_eq(burst(&r, 1, 2, 0, 2), 1);
	ck_assert_uint_eq(burst(&r, 1, 1, 0, 1), 0);
	ck_assert_uint_eq(burst(&r, 1, 3, 0, 2), 1);
	/* 2 gave way and starts anew, 1 is still remembered. */
	ck_assert_uint_eq(burst(&r, 1, 1, 0, 1), 0);
	ck_assert_uint_eq(burst(&r, 1, 2, 0, 2), 1);
	rate_done(&r);
}
END_TEST

START_TEST(a_large_rate_after_a_long_time_is_right)
{
	struct rate r;

	rate_init(&r, 2, &key);
	ck_assert_uint_eq(burst(&r, UINT32_MAX, 1, 0, 3), 3);
	ck_assert_uint_eq(burst(&r, UINT32_MAX, 1, UINT64_MAX, 3), 3);
	rate_done(&r);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("relay_rate");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_test(t, a_burst_of_a_seconds_worth_passes);
	tcase_add_test(t, fills_at_its_rate_and_no_further_than_full);
	tcase_add_test(t, a_steady_stream_passes_at_its_rate);
	tcase_add_test(t, sources_and_segments_do_not_share);
	tcase_add_test(t, looking_spends_nothing);
	tcase_add_test(t, the_idlest_bucket_gives_way);
	tcase_add_test(t, a_large_rate_after_a_long_time_is_right);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
