/* Tests of relay/hosts. */
#include "relay/hosts.h"

#include <check.h>
#include <stdio.h>

static const struct siphash_key key = { 7, 8 };

START_TEST(a_name_is_known_on_its_segment_until_its_time)
{
	struct hosts h;

	hosts_init(&h, 8, &key);
	hosts_record(&h, 1, "nas", 3, 1000, 2000);
	ck_assert(hosts_has(&h, 1, "nas", 3, 1000));
	ck_assert(hosts_has(&h, 1, "nas", 3, 1999));
	ck_assert(!hosts_has(&h, 1, "nas", 3, 2000));
	ck_assert(!hosts_has(&h, 2, "nas", 3, 1000));
	ck_assert(!hosts_has(&h, 1, "na", 2, 1000));
	hosts_done(&h);
}
END_TEST

START_TEST(a_goodbye_forgets)
{
	struct hosts h;

	hosts_init(&h, 8, &key);
	hosts_record(&h, 1, "nas", 3, 1000, 2000);
	hosts_record(&h, 1, "nas", 3, 1500, 1500);
	ck_assert(!hosts_has(&h, 1, "nas", 3, 1500));
	hosts_record(&h, 1, "other", 5, 1500, 1500);
	ck_assert(!hosts_has(&h, 1, "other", 5, 1500));
	hosts_done(&h);
}
END_TEST

START_TEST(the_one_heard_longest_ago_gives_way)
{
	struct hosts h;

	hosts_init(&h, 2, &key);
	hosts_record(&h, 1, "a", 1, 0, 100);
	hosts_record(&h, 1, "b", 1, 0, 100);
	hosts_record(&h, 1, "a", 1, 0, 100);
	hosts_record(&h, 1, "c", 1, 0, 100);
	ck_assert(hosts_has(&h, 1, "a", 1, 0));
	ck_assert(!hosts_has(&h, 1, "b", 1, 0));
	ck_assert(hosts_has(&h, 1, "c", 1, 0));
	hosts_done(&h);
}
END_TEST

START_TEST(a_flood_of_names_stays_within_the_bound)
{
	struct hosts h;
	char name[16];

	hosts_init(&h, 100, &key);
	for (int i = 0; i < 10000; i++)
		hosts_record(&h, 1, name,
			(size_t)snprintf(name, sizeof(name), "%d", i), 0, 100);
	ck_assert(!hosts_has(&h, 1, "9899", 4, 0));
	ck_assert(hosts_has(&h, 1, "9900", 4, 0));
	ck_assert(hosts_has(&h, 1, "9999", 4, 0));
	hosts_done(&h);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("relay_hosts");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_test(t, a_name_is_known_on_its_segment_until_its_time);
	tcase_add_test(t, a_goodbye_forgets);
	tcase_add_test(t, the_one_heard_longest_ago_gives_way);
	tcase_add_test(t, a_flood_of_names_stays_within_the_bound);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
