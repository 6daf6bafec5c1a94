/* Tests of relay/hosts. */
#include "relay/hosts.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct siphash_key key = { 7, 8 };

/* Address 1, on segment 1. */
static void record(
	struct hosts *h, const char *name, uint64_t now, uint64_t until)
{
	hosts_record(h, 1, hosts_name(h, name, strlen(name)), 1, now, until);
}

static bool has(const struct hosts *h, const char *name, uint64_t now)
{
	return hosts_has(h, 1, hosts_name(h, name, strlen(name)), now);
}

START_TEST(a_name_is_known_on_its_segment_until_its_time)
{
	struct hosts h;

	hosts_init(&h, 8, &key);
	record(&h, "nas", 1000, 2000);
	ck_assert(has(&h, "nas", 1000));
	ck_assert(has(&h, "nas", 1999));
	ck_assert(!has(&h, "nas", 2000));
	ck_assert(!hosts_has(&h, 2, hosts_name(&h, "nas", 3), 1000));
	ck_assert(!has(&h, "na", 1000));
	/* A shorter life of the same does not end it sooner. */
	record(&h, "nas", 1000, 1500);
	ck_assert(has(&h, "nas", 1999));
	hosts_done(&h);
}
END_TEST

/* A host that withdrew one of its addresses was forgotten, and took what its
 * other leg said for a rival's. */
START_TEST(a_name_goes_with_its_last_address)
{
	struct hosts h;

	hosts_init(&h, 8, &key);
	hosts_record(&h, 1, hosts_name(&h, "nas", 3), 1, 1000, 3000);
	hosts_record(&h, 1, hosts_name(&h, "nas", 3), 2, 1000, 3000);
	hosts_record(&h, 1, hosts_name(&h, "nas", 3), 1, 1500, 1500);
	ck_assert(has(&h, "nas", 1500));
	hosts_record(&h, 1, hosts_name(&h, "nas", 3), 2, 1600, 1600);
	ck_assert(!has(&h, "nas", 1600));
	hosts_record(&h, 1, hosts_name(&h, "other", 5), 1, 1500, 1500);
	ck_assert(!has(&h, "other", 1500));
	hosts_done(&h);
}
END_TEST

START_TEST(of_too_many_addresses_the_first_to_end_gives_way)
{
	struct hosts h;

	hosts_init(&h, 8, &key);
	for (uint64_t a = 1; a <= 20; a++)
		hosts_record(&h, 1, hosts_name(&h, "nas", 3), a, 0, 100 + a);
	for (uint64_t a = 13; a <= 20; a++) {
		ck_assert(has(&h, "nas", 50));
		hosts_record(&h, 1, hosts_name(&h, "nas", 3), a, 50, 50);
	}
	ck_assert(!has(&h, "nas", 50));
	hosts_done(&h);
}
END_TEST

START_TEST(the_one_heard_longest_ago_gives_way)
{
	struct hosts h;

	hosts_init(&h, 2, &key);
	record(&h, "a", 0, 100);
	record(&h, "b", 0, 100);
	record(&h, "a", 0, 100);
	record(&h, "c", 0, 100);
	ck_assert(has(&h, "a", 0));
	ck_assert(!has(&h, "b", 0));
	ck_assert(has(&h, "c", 0));
	hosts_done(&h);
}
END_TEST

START_TEST(a_flood_of_names_stays_within_the_bound)
{
	struct hosts h;
	char name[16];

	hosts_init(&h, 100, &key);
	for (int i = 0; i < 10000; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		record(&h, name, 0, 100);
	}
	ck_assert(!has(&h, "9899", 0));
	ck_assert(has(&h, "9900", 0));
	ck_assert(has(&h, "9999", 0));
	hosts_done(&h);
}
END_TEST

START_TEST(the_next_process_knows_the_same_names)
{
	int fd = memfd_create("stash", MFD_CLOEXEC);
	struct hosts h, next;
	struct stash_writer w;
	struct stash_reader r;
	enum stash_tag tag;
	unsigned n = 0;

	hosts_init(&h, 8, &key);
	hosts_init(&next, 8, &key);
	record(&h, "nas", 1000, 2000);
	record(&h, "over", 1000, 1100);
	stash_begin(&w, fd, 1);
	hosts_save(&h, 1100, &w);
	ck_assert_int_eq(stash_end(&w), 0);
	ck_assert_int_eq(stash_open(&r, fd), 0);
	while (stash_next(&r, &tag)) {
		n++;
		ck_assert_int_eq(tag, STASH_NEIGHBOUR);
		ck_assert_uint_eq(stash_get_number(&r), 1);
		hosts_resume(&next, 5, 1200, &r);
	}
	ck_assert_uint_eq(n, 1);
	ck_assert(hosts_has(&next, 5, hosts_name(&next, "nas", 3), 1999));
	ck_assert(!hosts_has(&next, 5, hosts_name(&next, "nas", 3), 2000));
	ck_assert(!hosts_has(&next, 1, hosts_name(&next, "nas", 3), 1200));
	stash_close(&r);
	(void)close(fd);
	hosts_done(&h);
	hosts_done(&next);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("relay_hosts");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_test(t, a_name_is_known_on_its_segment_until_its_time);
	tcase_add_test(t, a_name_goes_with_its_last_address);
	tcase_add_test(t, of_too_many_addresses_the_first_to_end_gives_way);
	tcase_add_test(t, the_one_heard_longest_ago_gives_way);
	tcase_add_test(t, a_flood_of_names_stays_within_the_bound);
	tcase_add_test(t, the_next_process_knows_the_same_names);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
