/* Tests of discovery/echo. */
#include "discovery/echo.h"

#include <check.h>

/* A payload; the segments on which it is heard. */
enum { WORDS = 0xfeed, LAN = 1, IOT = 2 };

static const struct siphash_key key = { 1, 2 };
static struct echo echo;

static void begin(void)
{
	ck_assert_int_eq(echo_init(&echo, &key), 0);
}

static void end(void)
{
	echo_done(&echo);
}

static struct net_address host(unsigned n)
{
	struct net_address a = { .family = AF_INET };

	a.v4.s_addr = htonl(0xc0000200u + n);
	return a;
}

/* Host `n` says `digest` on a segment, for a lifetime of 100. */
static bool says(unsigned n, uint64_t digest, uint64_t place, uint64_t now_ms)
{
	struct net_address source = host(n);

	return echo_is_first(
		&echo, digest, place, &source, now_ms, now_ms + 100);
}

START_TEST(who_says_it_first_stays_first)
{
	ck_assert(says(1, WORDS, LAN, 0));
	ck_assert(says(1, WORDS, LAN, 1));
	ck_assert(says(1, WORDS, LAN, 90));
}
END_TEST

START_TEST(a_copy_is_of_another_host_or_segment)
{
	ck_assert(says(1, WORDS, LAN, 0));
	ck_assert(!says(2, WORDS, LAN, 0));
	ck_assert(!says(1, WORDS, IOT, 0));
	ck_assert(!says(2, WORDS, IOT, 0));
	ck_assert(says(2, WORDS + 1, IOT, 0));
	ck_assert(says(1, WORDS, LAN, 1));
}
END_TEST

START_TEST(is_forgotten_exactly_at_three_times_its_lifetime)
{
	ck_assert(says(1, WORDS, LAN, 1000));
	ck_assert(!says(2, WORDS, IOT, 1299));
	ck_assert(says(2, WORDS, IOT, 1300));
	/* Now it is the other one's. */
	ck_assert(!says(1, WORDS, LAN, 1301));
}
END_TEST

START_TEST(a_copy_keeps_nothing_alive)
{
	ck_assert(says(1, WORDS, LAN, 0));
	for (uint64_t now = 0; now < 300; now++)
		ck_assert(!says(2, WORDS, IOT, now));
	ck_assert(says(2, WORDS, IOT, 300));
}
END_TEST

/* The first one was silent for more than its lifetime, and comes back. */
START_TEST(who_was_first_is_revived_until_forgotten)
{
	ck_assert(says(1, WORDS, LAN, 0));
	ck_assert(!says(2, WORDS, IOT, 200));
	ck_assert(says(1, WORDS, LAN, 299));
	ck_assert(!says(2, WORDS, IOT, 598));
	ck_assert(says(2, WORDS, IOT, 599));
}
END_TEST

START_TEST(a_lifetime_of_none_is_forgotten_at_once)
{
	struct net_address a = host(1);

	ck_assert(echo_is_first(&echo, WORDS, LAN, &a, 50, 50));
	ck_assert(says(2, WORDS, IOT, 50));
}
END_TEST

START_TEST(knows_as_many_as_its_bound_and_gives_up_the_oldest)
{
	for (unsigned i = 0; i < ECHO_BOUND; i++)
		ck_assert(says(1, i, LAN, 0));
	ck_assert_uint_eq(echo.quota.used, ECHO_BOUND);
	ck_assert(!says(2, 0, LAN, 0));
	ck_assert(says(1, 0, LAN, 0)); /* so 1 is the oldest now */
	ck_assert(says(1, ECHO_BOUND, LAN, 0));
	ck_assert_uint_eq(echo.quota.used, ECHO_BOUND);
	ck_assert(!says(2, 0, LAN, 0));
	ck_assert(!says(2, 2, LAN, 0));
	ck_assert(says(2, 1, LAN, 0));
}
END_TEST

START_TEST(one_that_says_much_pushes_out_nobody_else)
{
	ck_assert(says(1, WORDS, LAN, 0));
	for (unsigned i = 0; i < 2 * ECHO_BOUND; i++)
		ck_assert(says(2, 0x10000 + i, LAN, 0));
	ck_assert_uint_eq(echo.quota.used, ECHO_BOUND);
	ck_assert(!says(2, WORDS, LAN, 0));
	ck_assert(says(1, WORDS, LAN, 0));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("discovery_echo");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, who_says_it_first_stays_first);
	tcase_add_test(t, a_copy_is_of_another_host_or_segment);
	tcase_add_test(t, is_forgotten_exactly_at_three_times_its_lifetime);
	tcase_add_test(t, a_copy_keeps_nothing_alive);
	tcase_add_test(t, who_was_first_is_revived_until_forgotten);
	tcase_add_test(t, a_lifetime_of_none_is_forgotten_at_once);
	tcase_add_test(t, knows_as_many_as_its_bound_and_gives_up_the_oldest);
	tcase_add_test(t, one_that_says_much_pushes_out_nobody_else);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
