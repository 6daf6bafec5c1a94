/* Tests of discovery/table. */
#include "discovery/table.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BOUND = 100, MANY = 131072 };

static const struct siphash_key key = { 1, 2 };
static struct table table;
static struct place lan, iot;

/* What has gone. */
static struct {
	unsigned n[DISCOVERY_REASONS];
	uint64_t last; /* its digest */
} gone;

static void count_gone(
	void *data, struct discovery_entry *e, enum discovery_reason why)
{
	ck_assert_ptr_eq(data, &table);
	ck_assert_ptr_eq(table_find(&table, e->digest), e);
	gone.n[why]++;
	gone.last = e->digest;
}

static void begin_at(uint64_t now_ms)
{
	table_init(&table, BOUND, &key, now_ms);
	table.gone = count_gone;
	table.data = &table;
	lan = (struct place){ .id = 1 };
	iot = (struct place){ .id = 2 };
	memset(&gone, 0, sizeof(gone));
}

static void begin(void)
{
	begin_at(0);
}

static void end(void)
{
	table_done(&table);
	ck_assert_uint_eq(lan.entries, 0);
	ck_assert_uint_eq(iot.entries, 0);
}

static struct net_address host(unsigned n)
{
	struct net_address a = { .family = AF_INET };

	a.v4.s_addr = htonl(0xc0000200u + n);
	return a;
}

/* An entry of host `n`, on lan, that ends at `until_ms`. */
static struct discovery_entry *add(
	uint64_t digest, unsigned n, uint64_t until_ms)
{
	struct net_address source = host(n);
	struct discovery_entry *e = table_add(&table, &lan, digest, &source, 0);

	/* No assertion: one takes a system call. */
	if (!e)
		ck_abort();
	table_set_until(&table, e, until_ms);
	return e;
}

START_TEST(finds_what_was_added_until_it_is_removed)
{
	struct discovery_entry *e;

	ck_assert_ptr_null(table_find(&table, 7));
	e = add(7, 1, 1000);
	ck_assert_ptr_eq(table_find(&table, 7), e);
	ck_assert_ptr_null(table_find(&table, 8));
	/* In the same chain, whatever the size of the table. */
	ck_assert_ptr_null(table_find(&table, 7 | UINT64_C(1) << 63));
	ck_assert_uint_eq(lan.entries, 1);
	table_remove(&table, e, DISCOVERY_LEFT);
	ck_assert_ptr_null(table_find(&table, 7));
	ck_assert_uint_eq(gone.n[DISCOVERY_LEFT], 1);
	ck_assert_uint_eq(lan.entries, 0);
}
END_TEST

START_TEST(digests_differ_by_identity_and_place)
{
	uint64_t a = table_digest(&table, &lan, "ab", 2);

	ck_assert_uint_eq(a, table_digest(&table, &lan, "ab", 2));
	ck_assert_uint_ne(a, table_digest(&table, &lan, "ab", 3));
	ck_assert_uint_ne(a, table_digest(&table, &lan, "ac", 2));
	ck_assert_uint_ne(a, table_digest(&table, &iot, "ab", 2));
}
END_TEST

START_TEST(ends_exactly_at_the_tick)
{
	(void)add(1, 1, 1000);
	ck_assert(!table_expire(&table, 999, 10));
	ck_assert_uint_eq(gone.n[DISCOVERY_EXPIRED], 0);
	ck_assert(!table_expire(&table, 1000, 10));
	ck_assert_uint_eq(gone.n[DISCOVERY_EXPIRED], 1);
}
END_TEST

/* Never before it is over, and within TABLE_TICK_MS. */
START_TEST(between_ticks_it_ends_with_the_next)
{
	(void)add(1, 1, 1001);
	ck_assert(!table_expire(&table, 1099, 10));
	ck_assert_uint_eq(gone.n[DISCOVERY_EXPIRED], 0);
	ck_assert(!table_expire(&table, 1100, 10));
	ck_assert_uint_eq(gone.n[DISCOVERY_EXPIRED], 1);
}
END_TEST

START_TEST(next_is_not_after_the_first_end)
{
	uint64_t next;

	ck_assert(!table_next(&table, &next));
	(void)add(1, 1, 90000);
	(void)add(2, 1, 1000);
	ck_assert(table_next(&table, &next));
	ck_assert_uint_eq(next, 1000);
	ck_assert(!table_expire(&table, next, 10));
	ck_assert_uint_eq(gone.last, 2);
	/* Goes there in a few steps, none too late. */
	while (table_find(&table, 1)) {
		ck_assert(table_next(&table, &next));
		ck_assert_uint_le(next, 90000);
		ck_assert(!table_expire(&table, next, 10));
	}
	ck_assert_uint_eq(next, 90000);
	ck_assert(!table_next(&table, &next));
}
END_TEST

START_TEST(a_refresh_moves_the_end_later)
{
	struct discovery_entry *e = add(1, 1, 1000);

	table_set_until(&table, e, 5000);
	ck_assert(!table_expire(&table, 4900, 10));
	ck_assert_uint_eq(gone.n[DISCOVERY_EXPIRED], 0);
	ck_assert(!table_expire(&table, 5000, 10));
	ck_assert_uint_eq(gone.n[DISCOVERY_EXPIRED], 1);
}
END_TEST

START_TEST(a_goodbye_moves_the_end_earlier)
{
	struct discovery_entry *e = add(1, 1, 5000);

	table_set_until(&table, e, 9000);
	e->is_bye = true;
	table_set_until(&table, e, 1000);
	ck_assert(!table_expire(&table, 999, 10));
	ck_assert_uint_eq(gone.n[DISCOVERY_GOODBYE], 0);
	ck_assert(!table_expire(&table, 1000, 10));
	ck_assert_uint_eq(gone.n[DISCOVERY_GOODBYE], 1);
	ck_assert_uint_eq(gone.n[DISCOVERY_EXPIRED], 0);
}
END_TEST

START_TEST(expires_as_many_at_once_as_it_may)
{
	for (unsigned i = 0; i < 10; i++)
		(void)add(i, 1, 1000);
	ck_assert(table_expire(&table, 1000, 4));
	ck_assert_uint_eq(gone.n[DISCOVERY_EXPIRED], 4);
	ck_assert(table_expire(&table, 1000, 6));
	ck_assert_uint_eq(gone.n[DISCOVERY_EXPIRED], 10);
	ck_assert(!table_expire(&table, 1000, 1));
}
END_TEST

/*
 * Once, whoever lived beyond it was due at once here, without end (see
 * check_discovery_wheel.c): 2^24 ticks after the kernel's start.
 */
START_TEST(time_goes_on_after_19_days)
{
	uint64_t days = UINT64_C(16777215) * TABLE_TICK_MS;
	struct discovery_entry *e;

	table_done(&table);
	begin_at(days - 1000);
	e = add(1, 1, days + 60000);
	(void)add(2, 1, days);
	ck_assert(!table_expire(&table, days, 100));
	ck_assert_uint_eq(gone.n[DISCOVERY_EXPIRED], 1);
	table_set_until(&table, e, days + 120000);
	ck_assert(!table_expire(&table, days + 119900, 100));
	ck_assert_uint_eq(gone.n[DISCOVERY_EXPIRED], 1);
	ck_assert(!table_expire(&table, days + 120000, 100));
	ck_assert_uint_eq(gone.n[DISCOVERY_EXPIRED], 2);
}
END_TEST

START_TEST(counts_and_dates_what_is_heard)
{
	struct discovery_entry *e = add(1, 1, 1000);

	table_touch(e, 5);
	table_touch(e, 9);
	ck_assert_int_eq(e->first_seen_ms, 5);
	ck_assert_int_eq(e->last_seen_ms, 9);
	ck_assert_uint_eq(e->count, 2);
	e->count = UINT32_MAX;
	table_touch(e, 10);
	ck_assert_uint_eq(e->count, UINT32_MAX);
}
END_TEST

START_TEST(is_full_exactly_at_its_bound)
{
	for (unsigned i = 0; i < BOUND; i++)
		(void)add(i, 1, 1000);
	ck_assert_uint_eq(gone.n[DISCOVERY_EVICTED], 0);
	(void)add(BOUND, 1, 1000);
	ck_assert_uint_eq(gone.n[DISCOVERY_EVICTED], 1);
	ck_assert_uint_eq(gone.last, 0);
	ck_assert_uint_eq(table.quota.evicted, 1);
	ck_assert_uint_eq(table.quota.used, BOUND);
	ck_assert_uint_eq(table.quota.refused, 0);
}
END_TEST

START_TEST(the_source_that_holds_most_gives_up_its_oldest)
{
	for (unsigned i = 0; i < 5; i++)
		(void)add(i, 1, 1000);
	for (unsigned i = 5; i < BOUND; i++)
		(void)add(i, 2, 1000);
	table_touch(table_find(&table, 5), 1);
	(void)add(1000, 1, 1000);
	ck_assert_uint_eq(gone.last, 6);
	(void)add(1001, 3, 1000);
	ck_assert_uint_eq(gone.last, 7);
	(void)add(1002, 2, 1000);
	ck_assert_uint_eq(gone.last, 8);
	for (unsigned i = 0; i < 6; i++)
		ck_assert_ptr_nonnull(table_find(&table, i));
}
END_TEST

START_TEST(one_source_of_many_names_pushes_out_nobody_else)
{
	for (unsigned i = 0; i < 10; i++)
		(void)add(i, 10 + i, 1000);
	for (unsigned i = 0; i < 10000; i++)
		(void)add(1000 + i, 1, 1000);
	for (unsigned i = 0; i < 10; i++)
		ck_assert_ptr_nonnull(table_find(&table, i));
	ck_assert_uint_eq(gone.n[DISCOVERY_EVICTED], 10000 + 10 - BOUND);
}
END_TEST

START_TEST(a_lower_bound_is_kept_in_turns)
{
	struct net_address source = host(1);

	for (unsigned i = 0; i < 10; i++)
		(void)add(i, 1, 1000);
	ck_assert(!table_is_over(&table));
	quota_set_bound(&table.quota, 4);
	ck_assert(table_is_over(&table));
	ck_assert_ptr_null(table_add(&table, &lan, 10, &source, 0));
	ck_assert_uint_eq(gone.n[DISCOVERY_EVICTED], 0);
	table_trim(&table, 5);
	ck_assert_uint_eq(gone.n[DISCOVERY_EVICTED], 5);
	ck_assert(table_is_over(&table));
	table_trim(&table, 5);
	ck_assert_uint_eq(gone.n[DISCOVERY_EVICTED], 6);
	ck_assert(!table_is_over(&table));
	(void)add(10, 1, 1000);
	ck_assert_uint_eq(table.quota.used, 4);
	ck_assert_ptr_nonnull(table_find(&table, 10));
}
END_TEST

START_TEST(many_are_found_in_the_order_in_which_they_came)
{
	struct discovery_entry *e;
	uint64_t n = 0;

	quota_set_bound(&table.quota, MANY);
	for (unsigned i = 0; i < 5000; i++)
		(void)add(i * UINT64_C(0x9e3779b97f4a7c15), i % 7, 1000);
	for (e = table_after(&table, 0); e; e = table_after(&table, n)) {
		ck_assert_uint_eq(e->digest, n * UINT64_C(0x9e3779b97f4a7c15));
		ck_assert_ptr_eq(table_find(&table, e->digest), e);
		n++;
		ck_assert_uint_eq(e->roll.id, n);
	}
	ck_assert_uint_eq(n, 5000);
}
END_TEST

/*
 * Once, to free a full table took nine times as long as to fill it: the first
 * of those that are left was looked for behind all that had gone.
 */
START_TEST(is_freed_in_linear_time)
{
	clock_t empty = clock(), full;

	quota_set_bound(&table.quota, MANY);
	for (unsigned i = 0; i < MANY; i++)
		(void)add(i, i % 1000, 1000);
	full = clock();
	table_done(&table);
	ck_assert_int_le(clock() - full, 2 * (full - empty));
	begin();
}
END_TEST

START_TEST(frees_what_entries_hold)
{
	struct words_change c = { .piece = { { "name", 4 } } };
	struct discovery_entry *e = add(1, 1, 1000);

	ck_assert_int_eq(words_set(&e->words, &c), 1);
	e->host = book_hold(&table.book, 5, "host.local");
	ck_assert_uint_eq(table.book.n, 1);
	table_remove(&table, e, DISCOVERY_LEFT);
	ck_assert_uint_eq(table.book.n, 0);
	e = add(2, 1, 1000);
	ck_assert_int_eq(words_set(&e->words, &c), 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("discovery_table");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, finds_what_was_added_until_it_is_removed);
	tcase_add_test(t, digests_differ_by_identity_and_place);
	tcase_add_test(t, ends_exactly_at_the_tick);
	tcase_add_test(t, between_ticks_it_ends_with_the_next);
	tcase_add_test(t, next_is_not_after_the_first_end);
	tcase_add_test(t, a_refresh_moves_the_end_later);
	tcase_add_test(t, a_goodbye_moves_the_end_earlier);
	tcase_add_test(t, expires_as_many_at_once_as_it_may);
	tcase_add_test(t, time_goes_on_after_19_days);
	tcase_add_test(t, counts_and_dates_what_is_heard);
	tcase_add_test(t, is_full_exactly_at_its_bound);
	tcase_add_test(t, the_source_that_holds_most_gives_up_its_oldest);
	tcase_add_test(t, one_source_of_many_names_pushes_out_nobody_else);
	tcase_add_test(t, a_lower_bound_is_kept_in_turns);
	tcase_add_test(t, many_are_found_in_the_order_in_which_they_came);
	tcase_add_test(t, is_freed_in_linear_time);
	tcase_add_test(t, frees_what_entries_hold);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
