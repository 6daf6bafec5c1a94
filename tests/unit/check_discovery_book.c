/* Tests of discovery/book. */
#include "discovery/book.h"
#include "discovery/discovery.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The digest of the host that most tests are about. */
enum { HOST = 0x1234 };

static const struct siphash_key key = { 1, 2 };
static struct book book;

static void begin(void)
{
	book_init(&book, &key);
}

static void end(void)
{
	book_done(&book);
}

static struct net_address address(const char *text)
{
	struct net_address a;

	ck_assert_int_eq(net_address_parse(text, &a), 0);
	return a;
}

/* What 192.0.2.1 says at `now_ms`, for two minutes. */
static struct book_news news(const char *text, uint64_t now_ms)
{
	return (struct book_news){ .address = address(text),
		.source = address("192.0.2.1"),
		.ttl = 120,
		.now_ms = now_ms };
}

static bool record(const struct book_news *n)
{
	return book_record(&book, HOST, "host.local", n);
}

/* True if the host has other addresses now. */
static bool add(const char *text, uint64_t now_ms)
{
	struct book_news n = news(text, now_ms);

	return record(&n);
}

static bool add_anew(const char *text, uint64_t now_ms)
{
	struct book_news n = news(text, now_ms);

	n.flush = true;
	return record(&n);
}

static bool take(const char *text, uint64_t now_ms, bool flush)
{
	struct book_news n = news(text, now_ms);

	n.ttl = 0;
	n.flush = flush;
	return record(&n);
}

static bool has(const struct book_host *x, const char *text, uint64_t now_ms)
{
	struct net_address at[DISCOVERY_ADDRESSES], want = address(text);
	size_t n = book_addresses(x, now_ms, at, DISCOVERY_ADDRESSES);

	for (size_t i = 0; i < n; i++)
		if (net_address_equal(&at[i], &want))
			return true;
	return false;
}

static size_t count(const struct book_host *x, uint64_t now_ms)
{
	struct net_address at[DISCOVERY_ADDRESSES];

	return book_addresses(x, now_ms, at, DISCOVERY_ADDRESSES);
}

/* The host, held by one service. */
static struct book_host *hold(void)
{
	struct book_host *x = book_hold(&book, HOST, "host.local");

	ck_assert_ptr_nonnull(x);
	return x;
}

START_TEST(nobody_is_a_host_without_name_and_addresses)
{
	ck_assert_str_eq(book_name(NULL), "");
	ck_assert_uint_eq(count(NULL, 0), 0);
	book_drop(&book, NULL);
}
END_TEST

START_TEST(keeps_the_addresses_of_a_host_that_is_held)
{
	struct book_host *x = hold();

	ck_assert_str_eq(book_name(x), "host.local");
	ck_assert(add("192.0.2.7", 0));
	ck_assert(add("2001:db8::7", 0));
	ck_assert(!add("192.0.2.7", 10));
	ck_assert_uint_eq(count(x, 10), 2);
	ck_assert(has(x, "192.0.2.7", 10));
	ck_assert(has(x, "2001:db8::7", 10));
	book_drop(&book, x);
}
END_TEST

START_TEST(finds_addresses_that_came_before_their_service)
{
	struct book_host *x;

	ck_assert(add("192.0.2.7", 0));
	ck_assert_uint_eq(book.unnamed.used, 1);
	x = hold();
	ck_assert_uint_eq(book.unnamed.used, 0);
	ck_assert(has(x, "192.0.2.7", 0));
	book_drop(&book, x);
}
END_TEST

START_TEST(a_host_goes_with_its_last_service)
{
	struct book_host *x = hold();

	ck_assert(add("192.0.2.7", 0));
	ck_assert_ptr_eq(hold(), x);
	book_drop(&book, x);
	ck_assert_uint_eq(book.n, 1);
	book_drop(&book, x);
	ck_assert_uint_eq(book.n, 0);
	x = hold();
	ck_assert_uint_eq(count(x, 0), 0);
	book_drop(&book, x);
}
END_TEST

START_TEST(an_address_ends_exactly_with_its_lifetime)
{
	struct book_host *x = hold();

	ck_assert(add("192.0.2.7", 1000));
	ck_assert_uint_eq(count(x, 120999), 1);
	ck_assert_uint_eq(count(x, 121000), 0);
	ck_assert(!add("192.0.2.7", 120999));
	ck_assert(add("192.0.2.7", 240999));
	book_drop(&book, x);
}
END_TEST

/* RFC 6762, 10.2: of two responders, both within a second, both stay. */
START_TEST(a_flush_spares_what_was_heard_within_a_second)
{
	struct book_host *x = hold();

	ck_assert(add_anew("192.0.2.7", 1000));
	ck_assert(add_anew("192.0.2.8", 2000));
	ck_assert_uint_eq(count(x, 2000), 2);
	ck_assert(add_anew("192.0.2.9", 2001));
	ck_assert(!has(x, "192.0.2.7", 2001));
	ck_assert(has(x, "192.0.2.8", 2001));
	ck_assert(has(x, "192.0.2.9", 2001));
	book_drop(&book, x);
}
END_TEST

START_TEST(a_flush_concerns_other_addresses_of_its_family_alone)
{
	struct book_host *x = hold();

	ck_assert(add("2001:db8::7", 0));
	ck_assert(add("192.0.2.7", 0));
	ck_assert(add("192.0.2.8", 0));
	ck_assert(add_anew("192.0.2.7", 5000));
	ck_assert_uint_eq(count(x, 5000), 2);
	ck_assert(has(x, "2001:db8::7", 5000));
	ck_assert(has(x, "192.0.2.7", 5000));
	book_drop(&book, x);
}
END_TEST

START_TEST(without_the_bit_nothing_is_flushed)
{
	struct book_host *x = hold();

	ck_assert(add("192.0.2.7", 0));
	ck_assert(add("192.0.2.8", 5000));
	ck_assert_uint_eq(count(x, 5000), 2);
	book_drop(&book, x);
}
END_TEST

START_TEST(a_goodbye_takes_the_address_that_it_names)
{
	struct book_host *x = hold();

	ck_assert(add("192.0.2.7", 0));
	ck_assert(add("192.0.2.8", 0));
	ck_assert(!take("192.0.2.9", 10, false));
	ck_assert(take("192.0.2.7", 10, false));
	ck_assert_uint_eq(count(x, 10), 1);
	ck_assert(has(x, "192.0.2.8", 10));
	book_drop(&book, x);
}
END_TEST

/*
 * Once, a goodbye with the cache-flush bit, which avahi sends when one of a
 * host's addresses goes, took all others too, and nobody says them again.
 */
START_TEST(a_goodbye_flushes_nothing)
{
	struct book_host *x = hold();

	ck_assert(add_anew("192.0.2.7", 0));
	ck_assert(add_anew("192.0.2.8", 0));
	ck_assert(take("192.0.2.7", 60000, true));
	ck_assert_uint_eq(count(x, 60000), 1);
	ck_assert(has(x, "192.0.2.8", 60000));
	book_drop(&book, x);
}
END_TEST

START_TEST(holds_8_addresses_and_the_one_that_ends_first_gives_way)
{
	struct book_host *x = hold();
	char text[32];

	for (unsigned i = 0; i < DISCOVERY_ADDRESSES; i++) {
		(void)snprintf(text, sizeof(text), "192.0.2.%u", 100 + i);
		ck_assert(add(text, i == 3 ? 0 : 100 + i));
		ck_assert_uint_eq(count(x, 200), i + 1);
	}
	ck_assert(add("192.0.2.200", 200));
	ck_assert_uint_eq(count(x, 200), DISCOVERY_ADDRESSES);
	ck_assert(!has(x, "192.0.2.103", 200));
	ck_assert(has(x, "192.0.2.100", 200));
	ck_assert(has(x, "192.0.2.200", 200));
	book_drop(&book, x);
}
END_TEST

START_TEST(fills_no_more_than_there_is_room_for)
{
	struct net_address at[2] = { { 0 } };
	struct book_host *x = hold();

	ck_assert(add("192.0.2.7", 0));
	ck_assert(add("192.0.2.8", 0));
	ck_assert_uint_eq(book_addresses(x, 0, at, 1), 1);
	ck_assert(net_address_is_set(&at[0]));
	ck_assert(!net_address_is_set(&at[1]));
	book_drop(&book, x);
}
END_TEST

START_TEST(names_are_cut_off)
{
	char name[2 * DISCOVERY_HOST];
	struct book_host *x;

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	x = book_hold(&book, 1, name);
	ck_assert_uint_eq(strlen(book_name(x)), DISCOVERY_HOST - 1);
	book_drop(&book, x);
}
END_TEST

/* ---- hosts that no service names ---- */

START_TEST(a_goodbye_of_a_stranger_leaves_no_trace)
{
	ck_assert(!take("192.0.2.7", 0, true));
	ck_assert_uint_eq(book.n, 0);
	ck_assert(add("192.0.2.7", 0));
	ck_assert(take("192.0.2.7", 0, false));
	ck_assert_uint_eq(book.n, 0);
	ck_assert_uint_eq(book.unnamed.used, 0);
}
END_TEST

static void flood(unsigned n)
{
	struct book_news x = news("192.0.2.99", 0);
	char name[32];

	x.source = address("192.0.2.66");
	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(name, sizeof(name), "h%u.local", i);
		(void)book_record(&book, 0x100000 + i, name, &x);
	}
}

START_TEST(unnamed_hosts_have_a_bound)
{
	flood(BOOK_UNNAMED - 1);
	ck_assert_uint_eq(book.n, BOOK_UNNAMED - 1);
	flood(BOOK_UNNAMED);
	ck_assert_uint_eq(book.n, BOOK_UNNAMED);
	flood(BOOK_UNNAMED + 1);
	ck_assert_uint_eq(book.n, BOOK_UNNAMED);
	ck_assert_uint_eq(book.unnamed.used, BOOK_UNNAMED);
}
END_TEST

START_TEST(a_source_of_10000_hosts_pushes_out_nobody_else)
{
	struct book_host *x;

	ck_assert(add("192.0.2.7", 0));
	flood(10000);
	ck_assert_uint_eq(book.n, BOOK_UNNAMED);
	x = hold();
	ck_assert(has(x, "192.0.2.7", 0));
	/* It made room, and a service is no matter of that bound. */
	ck_assert_uint_eq(book.unnamed.used, BOOK_UNNAMED - 1);
	book_drop(&book, x);
}
END_TEST

START_TEST(one_that_is_refreshed_is_given_up_last)
{
	struct book_news n = news("192.0.2.99", 0);
	struct book_host *x;

	n.source = address("192.0.2.66");
	flood(BOOK_UNNAMED);
	(void)book_record(&book, 0x100000, "h0.local", &n);
	(void)book_record(&book, 0x200000, "other.local", &n);
	x = book_hold(&book, 0x100000, "h0.local");
	ck_assert_uint_eq(count(x, 0), 1);
	book_drop(&book, x);
	x = book_hold(&book, 0x100001, "h1.local");
	ck_assert_uint_eq(count(x, 0), 0);
	book_drop(&book, x);
}
END_TEST

START_TEST(frees_hosts_that_are_still_held)
{
	for (unsigned i = 0; i < 1000; i++)
		ck_assert_ptr_nonnull(book_hold(&book, i, "x.local"));
	flood(1000);
	book_done(&book);
	ck_assert_uint_eq(book.n, 0);
	book_init(&book, &key);
}
END_TEST

/* An address that is none was taken up, and shown. */
START_TEST(no_address_is_taken_up_as_none)
{
	const struct net_address none = { 0 }, one = address("192.0.2.7");
	struct book_host *x = book_hold(&book, HOST, "host.local");
	const struct net_address *both[] = { &none, &one };
	struct net_address ret[DISCOVERY_ADDRESSES];
	int fd = memfd_create("stash", MFD_CLOEXEC);
	struct stash_writer w;
	struct stash_reader r;
	enum stash_tag tag;

	stash_begin(&w, fd, 1);
	stash_record(&w, STASH_HOST);
	stash_put_number(&w, HOST);
	stash_put_number(&w, 2);
	for (size_t i = 0; i < 2; i++) {
		stash_put_address(&w, both[i]);
		stash_put_number(&w, 1000);
		stash_put_number(&w, 2000);
	}
	ck_assert_int_eq(stash_end(&w), 0);
	ck_assert_int_eq(stash_open(&r, fd), 0);
	(void)close(fd);
	ck_assert(stash_next(&r, &tag));
	book_restore(&book, 1500, &r);
	stash_close(&r);
	ck_assert_uint_eq(book_addresses(x, 1500, ret, DISCOVERY_ADDRESSES), 1);
	ck_assert(net_address_equal(&ret[0], &one));
	book_drop(&book, x);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("discovery_book");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, nobody_is_a_host_without_name_and_addresses);
	tcase_add_test(t, keeps_the_addresses_of_a_host_that_is_held);
	tcase_add_test(t, finds_addresses_that_came_before_their_service);
	tcase_add_test(t, a_host_goes_with_its_last_service);
	tcase_add_test(t, an_address_ends_exactly_with_its_lifetime);
	tcase_add_test(t, a_flush_spares_what_was_heard_within_a_second);
	tcase_add_test(t, a_flush_concerns_other_addresses_of_its_family_alone);
	tcase_add_test(t, without_the_bit_nothing_is_flushed);
	tcase_add_test(t, a_goodbye_takes_the_address_that_it_names);
	tcase_add_test(t, a_goodbye_flushes_nothing);
	tcase_add_test(
		t, holds_8_addresses_and_the_one_that_ends_first_gives_way);
	tcase_add_test(t, fills_no_more_than_there_is_room_for);
	tcase_add_test(t, names_are_cut_off);
	tcase_add_test(t, a_goodbye_of_a_stranger_leaves_no_trace);
	tcase_add_test(t, unnamed_hosts_have_a_bound);
	tcase_add_test(t, a_source_of_10000_hosts_pushes_out_nobody_else);
	tcase_add_test(t, one_that_is_refreshed_is_given_up_last);
	tcase_add_test(t, frees_hosts_that_are_still_held);
	tcase_add_test(t, no_address_is_taken_up_as_none);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
