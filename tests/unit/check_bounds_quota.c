/* Tests of bounds/: pool, siphash and quota. */
#include "bounds/bounds.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct siphash_key key = { 1, 2 };

static struct net_address host(unsigned n)
{
	struct net_address a = { .family = AF_INET };

	a.v4.s_addr = htonl(0xc0000200u + n);
	return a;
}

START_TEST(pool_gives_zeroed_items_and_reuses_them)
{
	struct pool p;
	char *a, *b;

	pool_init(&p, 40);
	a = pool_take(&p);
	ck_assert_ptr_nonnull(a);
	memset(a, 0xff, 40);
	pool_give(&p, a);
	b = pool_take(&p);
	ck_assert_ptr_eq(a, b);
	for (size_t i = 0; i < 40; i++)
		ck_assert_int_eq(b[i], 0);
	pool_done(&p);
}
END_TEST

START_TEST(pool_holds_more_than_many_chunks)
{
	enum { N = 5000 };
	struct pool p;
	unsigned *item[N];

	pool_init(&p, sizeof(unsigned));
	for (unsigned i = 0; i < N; i++) {
		item[i] = pool_take(&p);
		ck_assert_ptr_nonnull(item[i]);
		*item[i] = i;
	}
	for (unsigned i = 0; i < N; i++)
		ck_assert_uint_eq(*item[i], i);
	pool_done(&p);
}
END_TEST

/*
 * The first vector is that of SipHash-1-3 for the key 00..0f and no input, as
 * other implementations have it too.
 */
START_TEST(siphash_depends_on_every_byte_and_on_the_key)
{
	struct siphash_key k = { UINT64_C(0x0706050403020100),
		UINT64_C(0x0f0e0d0c0b0a0908) };
	struct siphash_key other = { k.k0, k.k1 ^ 1 };
	uint64_t seen[65];
	uint8_t in[64];

	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)i;
	ck_assert_uint_eq(siphash(&k, NULL, 0), UINT64_C(0xabac0158050fc4dc));
	for (size_t n = 0; n <= sizeof(in); n++) {
		seen[n] = siphash(&k, in, n);
		ck_assert_uint_ne(seen[n], siphash(&other, in, n));
		for (size_t m = 0; m < n; m++)
			ck_assert_uint_ne(seen[n], seen[m]);
	}
	for (size_t i = 0; i < sizeof(in); i++) {
		in[i] ^= 0x80;
		ck_assert_uint_ne(siphash(&k, in, sizeof(in)), seen[64]);
		in[i] ^= 0x80;
	}
}
END_TEST

START_TEST(siphash_behind_a_number_is_that_of_both)
{
	uint8_t both[8 + 20] = { 0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 1 };

	for (size_t n = 0; n <= 20; n++) {
		both[8 + n / 2] = (uint8_t)(n + 1);
		ck_assert_uint_eq(
			siphash_behind(&key, UINT64_C(0x0123456789abcdef),
				both + 8, n),
			siphash(&key, both, 8 + n));
	}
}
END_TEST

START_TEST(siphash_does_not_care_about_alignment)
{
	char a[32] = "xpayload of some bytes", b[32] = "payload of some bytes";

	ck_assert_uint_eq(siphash(&key, a + 1, 21), siphash(&key, b, 21));
}
END_TEST

START_TEST(quota_has_room_up_to_its_bound_exactly)
{
	struct quota_item item[3] = { 0 };
	struct net_address a = host(1);
	struct quota q;

	quota_init(&q, 2, &key);
	ck_assert_ptr_null(quota_surplus(&q));
	ck_assert_int_eq(quota_add(&q, &item[0], &a), 0);
	ck_assert_ptr_null(quota_surplus(&q));
	ck_assert_int_eq(quota_add(&q, &item[1], &a), 0);
	ck_assert_ptr_eq(quota_surplus(&q), &item[0]);
	ck_assert_int_eq(quota_add(&q, &item[2], &a), -ENOSPC);
	quota_remove(&q, &item[0]);
	ck_assert_uint_eq(q.used, 1);
	ck_assert_int_eq(quota_add(&q, &item[2], &a), 0);
	quota_done(&q);
}
END_TEST

START_TEST(quota_takes_from_whoever_holds_most)
{
	struct quota_item few[2] = { 0 }, many[8] = { 0 }, newcomer = { 0 };
	struct net_address a = host(1), b = host(2), c = host(3);
	struct quota q;

	quota_init(&q, 10, &key);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(quota_add(&q, &few[i], &a), 0);
	for (int i = 0; i < 8; i++)
		ck_assert_int_eq(quota_add(&q, &many[i], &b), 0);
	for (int i = 0; i < 6; i++) {
		ck_assert_ptr_eq(quota_surplus(&q), &many[i]);
		quota_remove(&q, &many[i]);
		ck_assert_int_eq(quota_add(&q, &many[i], &c), 0);
		if (i == 3)
			break;
	}
	/* b and c hold four each now, a two: one of the four gives. */
	ck_assert_ptr_ne(quota_surplus(&q), &few[0]);
	quota_remove(&q, quota_surplus(&q));
	ck_assert_int_eq(quota_add(&q, &newcomer, &a), 0);
	ck_assert_ptr_ne(quota_surplus(&q), &few[0]);
	quota_done(&q);
}
END_TEST

START_TEST(quota_takes_the_oldest_and_touching_makes_new)
{
	struct quota_item item[3] = { 0 };
	struct net_address a = host(1);
	struct quota q;

	quota_init(&q, 3, &key);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(quota_add(&q, &item[i], &a), 0);
	ck_assert_ptr_eq(quota_surplus(&q), &item[0]);
	quota_touch(&item[0]);
	ck_assert_ptr_eq(quota_surplus(&q), &item[1]);
	quota_done(&q);
}
END_TEST

START_TEST(quota_forgets_a_holder_without_items)
{
	struct quota_item item = { 0 };
	struct quota q;

	quota_init(&q, 1, &key);
	for (unsigned i = 0; i < 10000; i++) {
		struct net_address a = host(i);

		ck_assert_int_eq(quota_add(&q, &item, &a), 0);
		quota_remove(&q, &item);
		quota_remove(&q, &item);
	}
	ck_assert_uint_eq(q.used, 0);
	/* All but one, which keeps the table. */
	ck_assert_uint_le(quota_holders(&q), 1);
	quota_done(&q);
}
END_TEST

START_TEST(quota_gives_up_what_is_over_a_smaller_bound)
{
	struct quota_item item[4] = { 0 };
	struct net_address a = host(1);
	unsigned given = 0;
	struct quota_item *s;
	struct quota q;

	quota_init(&q, 4, &key);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(quota_add(&q, &item[i], &a), 0);
	quota_set_bound(&q, 2);
	while ((s = quota_surplus(&q))) {
		quota_remove(&q, s);
		given++;
	}
	/* Room for one more: 1 of 2. */
	ck_assert_uint_eq(given, 3);
	quota_done(&q);
}
END_TEST

START_TEST(quota_agrees_with_a_count_over_random_steps)
{
	enum { ITEMS = 400, HOSTS = 7 };
	struct quota_item item[ITEMS] = { 0 };
	size_t held[HOSTS] = { 0 };
	unsigned owner[ITEMS];
	struct quota q;

	srand(1);
	quota_init(&q, 200, &key);
	for (unsigned step = 0; step < 50000; step++) {
		unsigned i = (unsigned)rand() % ITEMS;
		unsigned h = (unsigned)rand() % HOSTS;
		struct net_address a = host(h);
		size_t most = 0;

		if (item[i].holder) {
			quota_remove(&q, &item[i]);
			held[owner[i]]--;
		} else if (quota_add(&q, &item[i], &a) == 0) {
			owner[i] = h;
			held[h]++;
		}
		for (h = 0; h < HOSTS; h++)
			most = held[h] > most ? held[h] : most;
		ck_assert_uint_eq(q.most, most);
		if (quota_surplus(&q)) {
			i = (unsigned)(quota_surplus(&q) - item);
			ck_assert_uint_eq(held[owner[i]], most);
		}
	}
	quota_done(&q);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("bounds_quota");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_test(t, pool_gives_zeroed_items_and_reuses_them);
	tcase_add_test(t, pool_holds_more_than_many_chunks);
	tcase_add_test(t, siphash_depends_on_every_byte_and_on_the_key);
	tcase_add_test(t, siphash_behind_a_number_is_that_of_both);
	tcase_add_test(t, siphash_does_not_care_about_alignment);
	tcase_add_test(t, quota_has_room_up_to_its_bound_exactly);
	tcase_add_test(t, quota_takes_from_whoever_holds_most);
	tcase_add_test(t, quota_takes_the_oldest_and_touching_makes_new);
	tcase_add_test(t, quota_forgets_a_holder_without_items);
	tcase_add_test(t, quota_gives_up_what_is_over_a_smaller_bound);
	tcase_add_test(t, quota_agrees_with_a_count_over_random_steps);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
