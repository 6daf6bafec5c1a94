/*
 * What happens when memory runs out: linked with --wrap for malloc, calloc and
 * realloc, so that each allocation of src/net can be made to fail.
 */
#include "net_message.h"
#include "net_watch.h"

#include <errno.h>

enum { MANY = 400, NEVER = -1 };

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *memory, size_t size);

/* How many allocations go well before the one that fails. */
static int countdown = NEVER;

static bool fails(void)
{
	return countdown >= 0 && countdown-- == 0;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	return fails() ? NULL : __real_realloc(memory, size);
}

/* Applies the message with the first allocation failing, the second ... */
static int apply_at_last(void)
{
	int n_failures = 0, r;

	t.changed = false;
	do {
		ck_assert(!t.changed);
		countdown = n_failures;
		r = net_table_apply(&t, message);
		/* Not used up: so many allocations there were not. */
		if (countdown != NEVER)
			break;
		ck_assert_int_eq(r, -ENOMEM);
		n_failures++;
	} while (true);
	countdown = NEVER;
	ck_assert_int_eq(r, 0);
	ck_assert(t.changed);
	return n_failures;
}

START_TEST(each_allocation_of_the_table_may_fail)
{
	int most = 0;

	for (unsigned i = 1; i <= MANY; i++) {
		char text[NET_ADDRESS_TEXT];
		int n;

		(void)put_link(RTM_NEWLINK, (int)i);
		mnl_attr_put_strz(message, IFLA_IFNAME, "a");
		n = apply_at_last();
		ck_assert_int_ge(n, 1);
		ck_assert_uint_eq(HASH_COUNT(t.entries), i);
		(void)snprintf(text, sizeof(text), "fe80::%x", i);
		(void)put_address(RTM_NEWADDR, i, NULL, text, 64);
		n = apply_at_last();
		ck_assert_int_ge(n, 3);
		most = n > most ? n : most;
		ck_assert_uint_eq(device(i)->n_addresses, 1);
		ck_assert(is_own(text));
	}
	/* The first of a set makes the set as well. */
	ck_assert_int_ge(most, 5);
	for (unsigned i = 1; i <= MANY; i++)
		remove_link((int)i);
	ck_assert_ptr_null(t.entries);
	ck_assert_ptr_null(t.own);
}
END_TEST

START_TEST(an_address_that_stops_being_a_duplicate_may_fail)
{
	add_link(5, "a", 1500);
	put_address(RTM_NEWADDR, 5, NULL, "2001:db8::1", 64)->ifa_flags =
		IFA_F_DADFAILED;
	apply_good();
	(void)put_address(RTM_NEWADDR, 5, NULL, "2001:db8::1", 64);
	ck_assert_int_ge(apply_at_last(), 1);
	ck_assert(is_own("2001:db8::1"));
	ck_assert(!device(5)->addresses[0].duplicate);
}
END_TEST

START_TEST(an_event_without_memory_leads_to_a_dump)
{
	watch_set_up();
	start(&w);
	ip("link add d0 type bridge");
	countdown = 0;
	settle();
	ck_assert_int_eq(countdown, NEVER);
	ck_assert_int_eq(w.n_problems, 1);
	ck_assert_int_eq(w.problem, -ENOMEM);
	ck_assert_int_eq(w.n_changed, 1);
	ck_assert_ptr_nonnull(named("d0"));
	watch_tear_down();
}
END_TEST

START_TEST(new_without_memory_leaves_nothing)
{
	struct net_devices_callbacks callbacks = { on_changed, NULL, &w };
	struct net_devices *devices = NULL;
	int n = 0, r;

	watch_set_up();
	do {
		countdown = n++;
		r = net_devices_new(&devices, &loop, &callbacks);
		if (countdown != NEVER)
			break;
		ck_assert_int_eq(r, -ENOMEM);
		ck_assert_ptr_null(devices);
	} while (true);
	countdown = NEVER;
	ck_assert_int_eq(r, 0);
	ck_assert_int_ge(n, 3);
	w.devices = devices;
	watch_tear_down();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("net_memory");
	TCase *table = tcase_create("table");
	TCase *events = tcase_create("events");

	tcase_add_checked_fixture(table, table_set_up, table_tear_down);
	tcase_add_test(table, each_allocation_of_the_table_may_fail);
	tcase_add_test(table, an_address_that_stops_being_a_duplicate_may_fail);
	suite_add_tcase(suite, table);
	tcase_add_test(events, an_event_without_memory_leads_to_a_dump);
	tcase_add_test(events, new_without_memory_leaves_nothing);
	suite_add_tcase(suite, events);
	return run(suite);
}
