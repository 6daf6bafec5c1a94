/* Tests of mqtt/shelf: announcements by name, until they end. */
#include "mqtt/shelf.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct siphash_key key = { 3, 4 };
static struct shelf s;
static unsigned n_left;
static char last_left[64];

static struct net_address holder(unsigned n)
{
	struct net_address a = { .family = AF_INET };

	a.v4.s_addr = htonl(0xc0000200u + n);
	return a;
}

static void leaves(void *data, struct shelf_item *i)
{
	ck_assert_ptr_eq(data, &s);
	/* All of it is still there. */
	ck_assert_ptr_eq(shelf_find(&s, i->name), i);
	(void)snprintf(last_left, sizeof(last_left), "%s", i->name);
	n_left++;
}

static void open_shelf(void)
{
	n_left = 0;
	shelf_init(&s, 8, &key, leaves, &s);
}

static void close_shelf(void)
{
	size_t n = shelf_count(&s);
	unsigned before = n_left;

	shelf_done(&s);
	ck_assert_uint_eq(n_left - before, n);
}

static struct shelf_item *put(const char *name, unsigned who)
{
	struct net_address a = holder(who);
	struct shelf_item *i = NULL;

	ck_assert_int_ge(shelf_put(&s, name, &a, &i), 0);
	ck_assert_ptr_nonnull(i);
	ck_assert_str_eq(i->name, name);
	return i;
}

START_TEST(finds_what_was_put_and_nothing_else)
{
	struct net_address a = holder(1);
	struct shelf_item *i, *again;

	ck_assert_ptr_null(shelf_find(&s, "g/a"));
	ck_assert_int_eq(shelf_put(&s, "g/a", &a, &i), 1);
	ck_assert_uint_eq(i->expires_ms, UINT64_MAX);
	ck_assert_ptr_null(i->message);
	ck_assert_int_eq(shelf_put(&s, "g/a", &a, &again), 0);
	ck_assert_ptr_eq(i, again);
	ck_assert_ptr_eq(shelf_find(&s, "g/a"), i);
	ck_assert_ptr_null(shelf_find(&s, "g/"));
	ck_assert_ptr_null(shelf_find(&s, "g/ab"));
	ck_assert_ptr_null(shelf_find(&s, ""));
	ck_assert_uint_eq(shelf_count(&s), 1);
	shelf_remove(&s, i);
	ck_assert_uint_eq(n_left, 1);
	ck_assert_str_eq(last_left, "g/a");
	ck_assert_ptr_null(shelf_find(&s, "g/a"));
	ck_assert_uint_eq(shelf_count(&s), 0);
}
END_TEST

START_TEST(who_holds_most_loses_its_oldest)
{
	char name[8];

	for (unsigned n = 0; n < 8; n++) {
		(void)snprintf(name, sizeof(name), "%u", n);
		put(name, n < 6 ? 1 : n);
	}
	ck_assert_uint_eq(n_left, 0);
	/* One more than the bound; of the one who floods, not of the others. */
	put("new", 9);
	ck_assert_uint_eq(shelf_count(&s), 8);
	ck_assert_uint_eq(n_left, 1);
	ck_assert_str_eq(last_left, "0");
	ck_assert_uint_eq(s.quota.evicted, 1);
	/* Who is touched is not the oldest any more. */
	put("1", 1);
	put("newer", 9);
	ck_assert_str_eq(last_left, "2");
	ck_assert_ptr_nonnull(shelf_find(&s, "6"));
	ck_assert_ptr_nonnull(shelf_find(&s, "7"));
}
END_TEST

START_TEST(a_flood_pushes_out_its_own_only)
{
	char name[16];

	put("a", 1);
	put("b", 2);
	for (unsigned n = 0; n < 1000; n++) {
		(void)snprintf(name, sizeof(name), "flood%u", n);
		put(name, 3);
	}
	ck_assert_uint_eq(shelf_count(&s), 8);
	ck_assert_ptr_nonnull(shelf_find(&s, "a"));
	ck_assert_ptr_nonnull(shelf_find(&s, "b"));
	ck_assert_ptr_nonnull(shelf_find(&s, "flood999"));
	ck_assert_ptr_null(shelf_find(&s, "flood993"));
}
END_TEST

/* In any order, with some moved and some removed meanwhile. */
START_TEST(ends_come_in_order)
{
	enum { N = 500 };
	struct shelf_item *item[N];
	uint64_t before = 0;
	unsigned n = 0;
	char name[16];

	shelf_done(&s);
	shelf_init(&s, N, &key, NULL, NULL);
	for (unsigned i = 0; i < N; i++) {
		(void)snprintf(name, sizeof(name), "%u", i);
		item[i] = put(name, i % 7);
		shelf_expires(&s, item[i], i * 7919 % 1009);
	}
	for (unsigned i = 0; i < N; i += 3)
		shelf_expires(&s, item[i], i * 104729 % 997);
	for (unsigned i = 1; i < N; i += 5)
		shelf_remove(&s, item[i]);
	for (struct shelf_item *i; (i = shelf_soonest(&s)) != NULL; n++) {
		ck_assert_uint_ge(i->expires_ms, before);
		before = i->expires_ms;
		shelf_remove(&s, i);
	}
	ck_assert_uint_eq(n, N - N / 5);
	ck_assert_ptr_null(shelf_soonest(&s));
}
END_TEST

START_TEST(holds_copies)
{
	struct message m = { .expires_s = 5 };
	char payload[] = "hello";
	struct shelf_item *i = put("a", 1);

	ck_assert_int_eq(shelf_fill(i, &m, payload, 5), 0);
	payload[0] = 'j';
	m.expires_s = 6;
	ck_assert_uint_eq(i->size, 5);
	ck_assert_mem_eq(i->payload, "hello", 5);
	ck_assert_uint_eq(i->message->expires_s, 5);
	ck_assert_int_eq(shelf_fill(i, &m, payload, 1), 0);
	ck_assert_uint_eq(i->size, 1);
	ck_assert_uint_eq(i->message->expires_s, 6);
	/* From what it holds itself. */
	ck_assert_int_eq(shelf_fill(i, i->message, i->payload, i->size), 0);
	ck_assert_mem_eq(i->payload, "j", 1);
	ck_assert_int_eq(shelf_fill(i, &m, NULL, 0), 0);
	ck_assert_ptr_nonnull(i->message);
	ck_assert_uint_eq(i->size, 0);
	shelf_empty(i);
	shelf_empty(i);
	ck_assert_ptr_null(i->message);
	ck_assert_ptr_null(i->payload);
	ck_assert_ptr_eq(shelf_find(&s, "a"), i);
}
END_TEST

START_TEST(a_list_gives_back_in_order_and_has_each_once)
{
	struct shelf_list list = { 0 }, other = { 0 };
	struct shelf_item *a = put("a", 1), *b = put("b", 1), *c = put("c", 1);

	ck_assert_ptr_null(shelf_list_take(&list));
	shelf_list_add(&list, a);
	shelf_list_add(&list, b);
	shelf_list_add(&list, c);
	shelf_list_add(&list, a);
	/* It is in one list, and stays there. */
	shelf_list_add(&other, a);
	ck_assert_uint_eq(list.n, 3);
	ck_assert_uint_eq(other.n, 0);
	ck_assert_ptr_eq(a->list, &list);
	shelf_list_remove(b);
	shelf_list_remove(b);
	ck_assert_ptr_null(b->list);
	ck_assert_ptr_eq(shelf_list_take(&list), a);
	ck_assert_ptr_eq(shelf_list_take(&list), c);
	ck_assert_ptr_null(shelf_list_take(&list));
	ck_assert_uint_eq(list.n, 0);
}
END_TEST

/* Whatever the reason is that it goes. */
START_TEST(what_goes_is_in_no_list)
{
	/* It outlives the shelf. */
	static struct shelf_list list;
	char name[8];

	for (unsigned n = 0; n < 8; n++) {
		(void)snprintf(name, sizeof(name), "%u", n);
		shelf_list_add(&list, put(name, 1));
	}
	shelf_remove(&s, shelf_find(&s, "3"));
	ck_assert_uint_eq(list.n, 7);
	put("8", 1);
	put("9", 1);
	ck_assert_uint_eq(list.n, 6);
	ck_assert_str_eq(shelf_list_take(&list)->name, "1");
}
END_TEST

static void count(void *data, struct shelf_item *i)
{
	unsigned *sum = data;

	*sum += (unsigned)atoi(i->name);
}

START_TEST(each_is_called_for_once)
{
	unsigned sum = 0;

	put("1", 1);
	put("10", 2);
	put("100", 3);
	shelf_each(&s, count, &sum);
	ck_assert_uint_eq(sum, 111);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mqtt_shelf");
	TCase *t = tcase_create("shelf");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(t, open_shelf, close_shelf);
	tcase_add_test(t, finds_what_was_put_and_nothing_else);
	tcase_add_test(t, who_holds_most_loses_its_oldest);
	tcase_add_test(t, a_flood_pushes_out_its_own_only);
	tcase_add_test(t, ends_come_in_order);
	tcase_add_test(t, holds_copies);
	tcase_add_test(t, a_list_gives_back_in_order_and_has_each_once);
	tcase_add_test(t, what_goes_is_in_no_list);
	tcase_add_test(t, each_is_called_for_once);
	suite_add_tcase(suite, t);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
