/* Tests of discovery/roll. */
#include "discovery/roll.h"

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>

enum { ITEMS = 3000, STEPS = 100000, PAGE = 7 };

static struct roll roll;
static struct roll_item items[ITEMS];
static bool is_in[ITEMS];

/* An assertion for long loops: those of check take a system call each. */
static void must(bool is_so, const char *what)
{
	if (!is_so)
		ck_abort_msg("%s", what);
}

static void begin(void)
{
	roll = (struct roll){ 0 };
	for (size_t i = 0; i < ITEMS; i++)
		is_in[i] = false;
}

static void end(void)
{
	roll_done(&roll);
}

static void add(size_t i)
{
	must(roll_add(&roll, &items[i]) == 0, "there is memory");
	is_in[i] = true;
}

static void take(size_t i)
{
	roll_remove(&roll, &items[i]);
	is_in[i] = false;
}

START_TEST(an_empty_roll_has_nobody)
{
	ck_assert_ptr_null(roll_after(&roll, 0));
	ck_assert_ptr_null(roll_after(&roll, UINT64_MAX));
	roll_done(&roll);
	ck_assert_ptr_null(roll_after(&roll, 0));
}
END_TEST

START_TEST(numbers_begin_with_1_and_go_up)
{
	for (size_t i = 0; i < 200; i++) {
		add(i);
		ck_assert_uint_eq(items[i].id, i + 1);
	}
	ck_assert_ptr_eq(roll_after(&roll, 0), &items[0]);
	ck_assert_ptr_eq(roll_after(&roll, 1), &items[1]);
	ck_assert_ptr_eq(roll_after(&roll, 199), &items[199]);
	ck_assert_ptr_null(roll_after(&roll, 200));
}
END_TEST

START_TEST(a_number_is_never_given_again)
{
	for (uint64_t id = 1; id <= 1000; id++) {
		add(0);
		ck_assert_uint_eq(items[0].id, id);
		take(0);
		ck_assert_ptr_null(roll_after(&roll, 0));
	}
}
END_TEST

START_TEST(who_comes_after_one_that_is_gone_is_found)
{
	for (size_t i = 0; i < 5; i++)
		add(i);
	take(1);
	take(2);
	ck_assert_ptr_eq(roll_after(&roll, 1), &items[3]);
	ck_assert_ptr_eq(roll_after(&roll, 2), &items[3]);
	ck_assert_ptr_eq(roll_after(&roll, 3), &items[3]);
	take(4);
	ck_assert_ptr_null(roll_after(&roll, 4));
}
END_TEST

/* Whatever goes, first, last or in between, the rest is found. */
START_TEST(gaps_close_and_nobody_is_lost)
{
	for (size_t i = 0; i < ITEMS; i++)
		add(i);
	for (size_t i = 0; i < ITEMS; i++)
		if (i % 10 != (size_t)_i)
			take(i);
	ck_assert_uint_le(roll.n, ITEMS / 10 + ITEMS / 20 + 65);
	for (size_t i = 0; i < ITEMS; i++) {
		size_t next = i + ((size_t)_i + 10 - i % 10) % 10;

		must(roll_after(&roll, i) ==
				(next < ITEMS ? &items[next] : NULL),
			"the next that stayed is found");
	}
}
END_TEST

START_TEST(memory_does_not_grow_while_as_many_come_as_go)
{
	for (size_t i = 0; i < 100; i++)
		add(i);
	for (size_t i = 0; i < STEPS; i++) {
		take(i % 100);
		add(i % 100);
	}
	ck_assert_uint_eq(items[99].id, STEPS + 100);
	ck_assert_uint_le(roll.room, 400);
}
END_TEST

static void random_step(void)
{
	size_t i = (size_t)rand() % ITEMS;

	if (is_in[i])
		take(i);
	else
		add(i);
}

/* Reads all in pages, while others come and go between them. */
static void read_all(void)
{
	static bool stayed[ITEMS], seen[ITEMS];
	uint64_t id = 0, last = roll.last;
	struct roll_item *i;

	for (size_t n = 0; n < ITEMS; n++) {
		stayed[n] = is_in[n];
		seen[n] = false;
	}
	for (size_t n = 1; (i = roll_after(&roll, id)); n++) {
		size_t at = (size_t)(i - items);

		must(i->id > id, "ids go up");
		must(is_in[at], "it is there");
		must(!seen[at] || i->id > last, "it is not repeated");
		seen[at] = true;
		id = i->id;
		for (size_t s = 0; n % PAGE == 0 && s < 5; s++)
			random_step();
		if (id > last + ITEMS)
			break; /* who comes faster than is read */
	}
	for (size_t n = 0; n < ITEMS; n++)
		must(seen[n] || !stayed[n] || !is_in[n] || items[n].id > last,
			"it is not skipped");
}

START_TEST(pages_neither_skip_nor_repeat_under_random_changes)
{
	srand(1);
	for (size_t s = 0; s < STEPS; s++) {
		random_step();
		if (s % 5000 == 0)
			read_all();
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("discovery_roll");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, an_empty_roll_has_nobody);
	tcase_add_test(t, numbers_begin_with_1_and_go_up);
	tcase_add_test(t, a_number_is_never_given_again);
	tcase_add_test(t, who_comes_after_one_that_is_gone_is_found);
	tcase_add_loop_test(t, gaps_close_and_nobody_is_lost, 0, 10);
	tcase_add_test(t, memory_does_not_grow_while_as_many_come_as_go);
	tcase_add_test(t, pages_neither_skip_nor_repeat_under_random_changes);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
