/*
 * What becomes of the discovered table when memory runs out: linked with --wrap
 * for what allocates.
 */
#include "discovery/internal.h"
#include "discovery_relay.h"
#include "mdns_fixture.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NEVER = -1 };

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_reallocarray(void *memory, size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_reallocarray(void *memory, size_t n, size_t size);

static struct stand s;
/* How many allocations go well before the one that fails. */
static int countdown = NEVER;
/* And then of so many one; 0: none. */
static unsigned one_of;

static bool fails(void)
{
	if (one_of && (unsigned)rand() % one_of == 0)
		return true;
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

void *__wrap_reallocarray(void *memory, size_t n, size_t size)
{
	return fails() ? NULL : __real_reallocarray(memory, n, size);
}

/* ---- what is heard ---- */

static const char mdns[] =
	"an _ipp._tcp.local PTR Lab._ipp._tcp.local\n"
	"an Lab._ipp._tcp.local SRV #000000000277 host.local\n"
	"an Lab._ipp._tcp.local TXT #03613d62\n"
	"an host.local A 192.0.2.7\n"
	"an other.local A 192.0.2.8";
static const char ssdp[] =
	"NOTIFY * HTTP/1.1\r\nNTS: ssdp:alive\r\nUSN: uuid:1\r\n\r\n";

static void begin(void)
{
	stand_open(&s, 1000);
	for (size_t g = SSDP; g < STAND_GROUPS; g++)
		s.relay.groups[g].config.repeat_ms = 30000;
}

static void end(void)
{
	ck_assert_int_eq(stand_close(&s), 0);
}

static struct relay_heard heard(enum stand_group g)
{
	uint8_t message[MDNS_MAX_BYTES];
	size_t size;

	if (g == MDNS) {
		size = fixture_build(FIXTURE_RESPONSE, mdns, message);
		return stand_heard(&s, g, LAN, "192.0.2.7", message, size);
	}
	return stand_heard(&s, g, LAN, "192.0.2.7", ssdp, strlen(ssdp));
}

/* What there is hangs together. */
static void check_table(void)
{
	struct relay_limit limit;

	discovery_limit(s.discovery, &limit);
	ck_assert_uint_eq(limit.used, stand_count(&s));
	ck_assert_ptr_null(s.discovery->touched);
}

static void check_host(void)
{
	struct discovery_info i;

	discovery_get(s.discovery, discovery_after(s.discovery, 0), &i);
	ck_assert_str_eq(i.name, "Lab");
	ck_assert_str_eq(i.host, "host.local");
	ck_assert_str_eq(i.detail, "a=b\n");
	ck_assert_uint_eq(i.n_addresses, 1);
}

static const enum stand_group groups[] = { MDNS, SSDP, RAW };

/* The first allocation fails, the second ...: what is missing then comes with
 * what is heard next. */
START_TEST(one_allocation_that_fails_is_made_up_for)
{
	struct relay_heard h;
	int n = -1;

	do {
		h = heard(groups[_i]);
		countdown = ++n;
		stand_take(&s, &h);
		n = countdown == NEVER ? n : NEVER;
		countdown = NEVER;
		check_table();
		stand_take(&s, &h);
		ck_assert_uint_eq(stand_count(&s), 1);
		check_table();
		if (groups[_i] == MDNS)
			check_host();
		stand_renew(&s);
	} while (n != NEVER);
}
END_TEST

START_TEST(a_table_that_cannot_be_made_leaves_nothing)
{
	const struct discovery_callbacks none = { NULL, NULL };
	struct discovery *d = NULL;
	int n = 0, r;

	do {
		countdown = n++;
		r = discovery_new(&d, &s.loop, &s.relay, 1, &none);
		countdown = NEVER;
		if (r < 0) {
			ck_assert_int_eq(r, -ENOMEM);
			ck_assert_ptr_null(d);
		}
	} while (r < 0);
	ck_assert_int_ge(n, 2);
	discovery_close(d);
}
END_TEST

START_TEST(one_that_has_no_room_is_counted_as_refused)
{
	struct relay_heard h = heard(RAW);
	struct relay_limit limit;

	/* As many as the first chunk of the pool has. */
	for (; stand_count(&s) < 16; h.port++)
		stand_take(&s, &h);
	one_of = 1;
	stand_take(&s, &h);
	one_of = 0;
	ck_assert_uint_eq(stand_count(&s), 16);
	discovery_limit(s.discovery, &limit);
	ck_assert_uint_eq(limit.refused, 1);
	ck_assert_uint_eq(limit.evicted, 0);
}
END_TEST

START_TEST(whatever_fails_the_table_hangs_together)
{
	char text[64];

	srand(1);
	for (unsigned i = 0; i < 2000; i++) {
		enum stand_group g = groups[(unsigned)rand() % 3];
		struct relay_heard h = heard(g);

		if (g == RAW) {
			(void)snprintf(text, sizeof(text), "192.0.2.%u",
				(unsigned)rand() % 200);
			h = stand_heard(&s, g, (unsigned)rand() % 2, text, text,
				strlen(text));
		}
		one_of = 3;
		stand_take(&s, &h);
		one_of = 0;
		if (i % 100 == 0) {
			stand_wait(&s, 40000);
			check_table();
		}
	}
	stand_wait(&s, 4500000);
	check_table();
	ck_assert_uint_eq(stand_count(&s), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("discovery_memory");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_loop_test(t, one_allocation_that_fails_is_made_up_for, 0, 3);
	tcase_add_test(t, a_table_that_cannot_be_made_leaves_nothing);
	tcase_add_test(t, one_that_has_no_room_is_counted_as_refused);
	tcase_add_test(t, whatever_fails_the_table_hangs_together);
	suite_add_tcase(suite, t);
	r = srunner_create(suite);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
