/* Tests of proto/mdns_name. */
#include "mdns_fixture.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char a63[] =
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	"aaaaaaaaaa";

static const struct {
	const char *name, *service; /* NULL: none */
} services[] = {
	{ "_googlecast._tcp.local", "_googlecast._tcp" },
	{ "Foo._googlecast._tcp.local", "_googlecast._tcp" },
	{ "a.b._sub._ipp._tcp.local", "_ipp._tcp" },
	{ "_color._sub._IPP._TCP.LOCAL", "_ipp._tcp" },
	{ "_x._udp.example.com", "_x._udp" },
	{ "_x._udp", "_x._udp" },
	{ "_a._tcp._b._udp.local", "_b._udp" },
	{ "lb._dns-sd._udp.local", "_dns-sd._udp" },
	{ "_services._dns-sd._udp.local", NULL },
	{ "_SERVICES._DNS-SD._UDP.local", NULL },
	{ "x._services._dns-sd._udp.local", "_dns-sd._udp" },
	{ "_services._dns-sd._tcp.local", "_dns-sd._tcp" },
	{ "_x\\.y._tcp.local", "_x\\.y._tcp" },
	{ "host.local", NULL },
	{ "_tcp.local", NULL },
	{ "_._tcp.local", NULL },
	{ "x._tcp.local", NULL },
	{ "_x._sctp.local", NULL },
	{ "_x\\._tcp.local", NULL },
	{ "7.2.0.192.in-addr.arpa", NULL },
	{ ".", NULL },
};

START_TEST(finds_the_service_that_a_name_ends_with)
{
	struct mdns_name n = fixture_name(services[_i].name);
	char found[MDNS_SERVICE_TEXT] = "untouched";

	if (services[_i].service == NULL) {
		ck_assert(!mdns_name_service(&n, found));
		ck_assert_str_eq(found, "untouched");
	} else {
		ck_assert(mdns_name_service(&n, found));
		ck_assert_str_eq(found, services[_i].service);
	}
}
END_TEST

START_TEST(no_name_has_no_service)
{
	struct mdns_name n = { 0 };
	char found[MDNS_SERVICE_TEXT];

	ck_assert(!mdns_name_service(&n, found));
}
END_TEST

START_TEST(the_longest_service_has_room)
{
	struct mdns_name n = fixture_name("_tcp.local");
	char found[MDNS_SERVICE_TEXT];
	uint8_t label[63];

	memset(label, 0xff, sizeof(label));
	label[0] = '_';
	ck_assert_int_eq(mdns_name_prepend(&n, label, sizeof(label)), 0);
	ck_assert(mdns_name_service(&n, found));
	ck_assert_uint_eq(strlen(found), 1 + 62 * 4 + strlen("._tcp"));
}
END_TEST

START_TEST(text_comes_back_as_it_was)
{
	static const char *const texts[] = { ".", "local", "a\\.b\\\\.local",
		"\\000\\032\\195\\164\\255.x", "UPPER.lower" };
	char text[MDNS_NAME_TEXT];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct mdns_name n = fixture_name(texts[i]);

		mdns_name_to_text(&n, text);
		ck_assert_str_eq(text, texts[i]);
	}
}
END_TEST

START_TEST(text_that_is_no_name_is_refused)
{
	static const char *const texts[] = { "a..b", ".a", "\\256", "\\" };
	struct mdns_name n = { .size = 9 };
	char text[MDNS_NAME_TEXT];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		ck_assert_msg(mdns_name_from_text(texts[i], &n) == -EINVAL,
			"%s", texts[i]);
	sprintf(text, "%sa", a63);
	ck_assert_int_eq(mdns_name_from_text(text, &n), -EINVAL);
	ck_assert_uint_eq(n.size, 9);
	ck_assert_int_eq(mdns_name_from_text(a63, &n), 0);
	ck_assert_uint_eq(n.size, 65);
}
END_TEST

START_TEST(a_name_has_255_bytes_at_most)
{
	struct mdns_name n, longest;
	char text[MDNS_NAME_TEXT];

	sprintf(text, "%s.%s.%s.%.61s", a63, a63, a63, a63);
	longest = fixture_name(text);
	ck_assert_uint_eq(longest.size, 255);
	sprintf(text, "%s.%s.%s.%.62s", a63, a63, a63, a63);
	ck_assert_int_eq(mdns_name_from_text(text, &n), -EINVAL);
	ck_assert_int_eq(mdns_name_prepend(&longest, "a", 1), -EINVAL);
	sprintf(text, "%s.%s.%s.%.59s", a63, a63, a63, a63);
	n = fixture_name(text);
	ck_assert_int_eq(mdns_name_prepend(&n, "ab", 2), -EINVAL);
	ck_assert_uint_eq(n.size, 253);
	ck_assert_int_eq(mdns_name_prepend(&n, "a", 1), 0);
	ck_assert_uint_eq(n.size, 255);
}
END_TEST

START_TEST(the_longest_text_has_room)
{
	struct mdns_name n = fixture_name(".");
	char text[MDNS_NAME_TEXT], label[63];

	memset(label, '\xff', sizeof(label));
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(mdns_name_prepend(&n, label, 63), 0);
	ck_assert_int_eq(mdns_name_prepend(&n, label, 61), 0);
	mdns_name_to_text(&n, text);
	ck_assert_uint_eq(strlen(text), 250 * 4 + 3);
}
END_TEST

START_TEST(a_label_in_front_may_hold_dots)
{
	struct mdns_name n = fixture_name("_http._tcp.local");
	char text[MDNS_NAME_TEXT], label[64] = "Lab 2.0";

	ck_assert_int_eq(mdns_name_prepend(&n, label, strlen(label)), 0);
	mdns_name_to_text(&n, text);
	ck_assert_str_eq(text, "Lab\\0322\\.0._http._tcp.local");
	ck_assert_int_eq(mdns_name_prepend(&n, label, 0), -EINVAL);
	ck_assert_int_eq(mdns_name_prepend(&n, label, 64), -EINVAL);
	ck_assert_int_eq(mdns_name_prepend(&n, label, 63), 0);
}
END_TEST

START_TEST(names_match_without_case)
{
	struct mdns_name a = fixture_name("aZ\\[\\196.local");
	struct mdns_name b = fixture_name("Az\\[\\196.LOCAL");
	struct mdns_name other = fixture_name("Az\\{\\196.LOCAL");
	struct mdns_name umlaut = fixture_name("Az\\[\\228.LOCAL");
	struct mdns_name shorter = fixture_name("Az");

	ck_assert(mdns_name_equal(&a, &b));
	ck_assert(!mdns_name_equal(&a, &other));
	ck_assert(!mdns_name_equal(&a, &umlaut));
	ck_assert(!mdns_name_equal(&a, &shorter));
	mdns_name_fold(&b);
	mdns_name_fold(&a);
	ck_assert_mem_eq(a.wire, b.wire, a.size);
}
END_TEST

START_TEST(an_item_belongs_to_a_service_by_name_or_enumeration)
{
	struct mdns_item i = {
		.section = MDNS_ANSWER, .type = MDNS_PTR, .n_targets = 1
	};
	char found[MDNS_SERVICE_TEXT];

	i.name = fixture_name("_services._dns-sd._udp.local");
	i.targets[0] = fixture_name("_Hap._tcp.local");
	ck_assert(mdns_item_service(&i, found));
	ck_assert_str_eq(found, "_hap._tcp");
	i.section = MDNS_QUESTION;
	ck_assert(!mdns_item_service(&i, found));
	i.section = MDNS_ANSWER;
	i.type = MDNS_TXT;
	ck_assert(!mdns_item_service(&i, found));
	i.name = fixture_name("7.2.0.192.in-addr.arpa");
	i.type = MDNS_PTR;
	ck_assert(!mdns_item_service(&i, found));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mdns_name");
	TCase *t = tcase_create("mdns_name");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_loop_test(t, finds_the_service_that_a_name_ends_with, 0,
		(int)(sizeof(services) / sizeof(services[0])));
	tcase_add_test(t, no_name_has_no_service);
	tcase_add_test(t, the_longest_service_has_room);
	tcase_add_test(t, text_comes_back_as_it_was);
	tcase_add_test(t, text_that_is_no_name_is_refused);
	tcase_add_test(t, a_name_has_255_bytes_at_most);
	tcase_add_test(t, the_longest_text_has_room);
	tcase_add_test(t, a_label_in_front_may_hold_dots);
	tcase_add_test(t, names_match_without_case);
	tcase_add_test(t, an_item_belongs_to_a_service_by_name_or_enumeration);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
