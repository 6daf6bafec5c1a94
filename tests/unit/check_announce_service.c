/* Tests of announce/dnssd: every message is read back record by record. */
#include "announce/dnssd.h"
#include "mdns_fixture.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char path[] = "path=/", flag[] = "color";
static char *strings[] = { path, flag };
static char name[] = "Lab Printer 2.0", type[] = "_ipp._tcp", host[] = "lab";
static struct config_service service;
static uint8_t out[DNSSD_ROOM];
static struct dnssd names;
static struct net_address addresses[64];

static void setup(void)
{
	service = (struct config_service){
		.name = name,
		.type = type,
		.host = host,
		.port = 631,
		.txt = { strings, 2 },
	};
	ck_assert_int_eq(dnssd_names(&service, "gate", &names), 0);
	ck_assert_int_eq(net_address_parse("192.0.2.1", &addresses[0]), 0);
	ck_assert_int_eq(net_address_parse("2001:db8::1", &addresses[1]), 0);
	ck_assert_int_eq(net_address_parse("fe80::1%3", &addresses[2]), 0);
}

#define TYPE     "_ipp._tcp.local"
#define INSTANCE "Lab\\032Printer\\0322\\.0._ipp._tcp.local"

static struct mdns_item items[128];

/* All records, and asserts what all have in common. */
static size_t read_all(size_t size, uint16_t flags)
{
	struct mdns_reader r;
	size_t n = 0;

	fixture_parses(out, size);
	ck_assert_int_eq(mdns_open(&r, out, size), 0);
	ck_assert_uint_eq(r.id, 0);
	ck_assert_uint_eq(r.flags, flags);
	while (mdns_next(&r, &items[n]) == 1) {
		ck_assert_uint_eq(items[n].rrclass, 1);
		n++;
	}
	return n;
}

static void assert_record(const struct mdns_item *i, const char *owner,
	uint16_t record, uint32_t ttl, bool flush)
{
	struct mdns_name n = fixture_name(owner);

	ck_assert_int_eq(i->section, MDNS_ANSWER);
	ck_assert(mdns_name_equal(&i->name, &n));
	ck_assert_uint_eq(i->type, record);
	ck_assert_uint_eq(i->ttl, ttl);
	ck_assert(i->top == flush);
}

static void assert_target(const struct mdns_item *i, const char *target)
{
	struct mdns_name n = fixture_name(target);

	ck_assert_uint_eq(i->n_targets, 1);
	ck_assert(mdns_name_equal(&i->targets[0], &n));
}

/* SRV and TXT at `i`, both of which are in goodbyes too. */
static void assert_srv_and_txt(
	const struct mdns_item *i, uint32_t srv_ttl, uint32_t txt_ttl)
{
	assert_record(&i[0], INSTANCE, MDNS_SRV, srv_ttl, true);
	assert_target(&i[0], "lab.local");
	ck_assert_uint_eq(i[0].head.size, 6);
	ck_assert_mem_eq(i[0].head.at, "\0\0\0\0\x02\x77", 6);
	ck_assert_uint_eq(dnssd_srv_port(&i[0]), 631);
	ck_assert(dnssd_is_same_srv(&names, &service, &i[0]));
	assert_record(&i[1], INSTANCE, MDNS_TXT, txt_ttl, true);
	ck_assert_uint_eq(i[1].head.size, 13);
	ck_assert_mem_eq(i[1].head.at, "\6path=/\5color", 13);
}

START_TEST(an_announcement_has_all_records)
{
	struct net_address a;
	int n;

	n = dnssd_announce(&names, &service, addresses, 3, out, sizeof(out));
	ck_assert_int_gt(n, 0);
	ck_assert_uint_eq(read_all((size_t)n, FIXTURE_RESPONSE), 7);
	assert_record(&items[0], TYPE, MDNS_PTR, 4500, false);
	assert_target(&items[0], INSTANCE);
	assert_record(&items[1], "_services._dns-sd._udp.local", MDNS_PTR, 4500,
		false);
	assert_target(&items[1], TYPE);
	assert_srv_and_txt(&items[2], 120, 4500);
	assert_record(&items[4], "lab.local", MDNS_A, 120, true);
	ck_assert(dnssd_address(&items[4], &a));
	ck_assert(net_address_equal(&a, &addresses[0]));
	assert_record(&items[5], "lab.local", MDNS_AAAA, 120, true);
	ck_assert(dnssd_address(&items[5], &a));
	ck_assert(net_address_equal(&a, &addresses[1]));
	assert_record(&items[6], "lab.local", MDNS_AAAA, 120, true);
	ck_assert(dnssd_address(&items[6], &a));
	ck_assert_uint_eq(a.scope, 0);
	ck_assert(net_address_equal(&a, &addresses[2]));
}
END_TEST

START_TEST(a_goodbye_spares_the_type_and_the_host)
{
	int n = dnssd_goodbye(&names, &service, out, sizeof(out));

	ck_assert_int_gt(n, 0);
	ck_assert_uint_eq(read_all((size_t)n, FIXTURE_RESPONSE), 3);
	assert_record(&items[0], TYPE, MDNS_PTR, 0, false);
	assert_target(&items[0], INSTANCE);
	assert_srv_and_txt(&items[1], 0, 0);
}
END_TEST

START_TEST(a_question_asks_for_the_srv_record)
{
	int n = dnssd_ask(&names, out, sizeof(out));

	ck_assert_int_gt(n, 0);
	ck_assert_uint_eq(read_all((size_t)n, FIXTURE_QUERY), 1);
	ck_assert_int_eq(items[0].section, MDNS_QUESTION);
	ck_assert(mdns_name_equal(&items[0].name, &names.instance));
	ck_assert_uint_eq(items[0].type, MDNS_SRV);
	ck_assert(!items[0].top);
}
END_TEST

START_TEST(without_txt_there_is_an_empty_string)
{
	int n;

	service.txt.n = 0;
	n = dnssd_announce(&names, &service, NULL, 0, out, sizeof(out));
	ck_assert_int_gt(n, 0);
	ck_assert_uint_eq(read_all((size_t)n, FIXTURE_RESPONSE), 4);
	ck_assert_uint_eq(items[3].head.size, 1);
	ck_assert_uint_eq(items[3].head.at[0], 0);
}
END_TEST

START_TEST(the_host_is_this_one_where_none_is_given)
{
	static const char label[] =
		"a234567890123456789012345678901234567890123456789012345678901"
		"23-and-more";
	struct mdns_name want = fixture_name("gate.local");

	service.host = NULL;
	ck_assert_int_eq(dnssd_names(&service, "gate", &names), 0);
	ck_assert(mdns_name_equal(&names.host, &want));
	ck_assert_int_eq(dnssd_names(&service, label, &names), 0);
	ck_assert_uint_eq(names.host.wire[0], 63);
	ck_assert_int_eq(dnssd_names(&service, "", &names), -EINVAL);
	ck_assert_uint_eq(names.host.wire[0], 63);
}
END_TEST

START_TEST(a_name_has_1_to_63_bytes)
{
	char text[65];

	memset(text, 'x', 64);
	text[64] = '\0';
	service.name = text;
	ck_assert_int_eq(dnssd_names(&service, "gate", &names), -EINVAL);
	text[63] = '\0';
	ck_assert_int_eq(dnssd_names(&service, "gate", &names), 0);
	ck_assert_uint_eq(names.instance.wire[0], 63);
}
END_TEST

/* As many strings of 255 bytes as make 8000 with their lengths. */
static void fill_txt(char *at[], char text[256])
{
	memset(text, 'x', 255);
	text[255] = '\0';
	for (size_t i = 0; i < 31; i++)
		at[i] = text;
	at[31] = text + 255 - 63;
	service.txt = (struct config_strings){ at, 32 };
}

START_TEST(the_largest_txt_of_a_configuration_is_written)
{
	char *at[32], text[256];
	size_t size;
	int n;

	fill_txt(at, text);
	for (size_t i = 0; i < 64; i++)
		addresses[i] = addresses[1];
	n = dnssd_announce(&names, &service, addresses, 64, out, sizeof(out));
	ck_assert_int_gt(n, 8000);
	ck_assert_int_le(n, DNSSD_ROOM);
	size = read_all((size_t)n, FIXTURE_RESPONSE);
	ck_assert_uint_eq(items[3].head.size, 8000);
	/* Addresses fill what is left. */
	ck_assert_uint_gt(size, 4);
	ck_assert_uint_lt(size, 4 + 64);
	ck_assert_int_gt(n + 28, DNSSD_ROOM);
	n = dnssd_goodbye(&names, &service, out, sizeof(out));
	ck_assert_uint_eq(read_all((size_t)n, FIXTURE_RESPONSE), 3);
}
END_TEST

START_TEST(what_has_no_room_is_refused)
{
	int all = dnssd_announce(&names, &service, NULL, 0, out, sizeof(out));
	int bye = dnssd_goodbye(&names, &service, out, sizeof(out));
	int ask = dnssd_ask(&names, out, sizeof(out));

	for (int room = 0; room < all; room++) {
		uint8_t *exact = malloc((size_t)room + 1);

		ck_assert_ptr_nonnull(exact);
		ck_assert_int_eq(dnssd_announce(&names, &service, addresses, 3,
					 exact, (size_t)room),
			-EMSGSIZE);
		ck_assert_int_eq(
			dnssd_goodbye(&names, &service, exact, (size_t)room),
			room < bye ? -EMSGSIZE : bye);
		ck_assert_int_eq(dnssd_ask(&names, exact, (size_t)room),
			room < ask ? -EMSGSIZE : ask);
		free(exact);
	}
	ck_assert_int_eq(dnssd_announce(&names, &service, addresses, 3, out,
				 (size_t)all),
		all);
}
END_TEST

static const struct {
	const char *srv;
	bool is_same;
} srvs[] = {
	{ "an " INSTANCE " SRV #000000000277 lab.local", true },
	{ "an " INSTANCE " SRV #000000000277 LAB.Local", true },
	/* Priority and weight choose among hosts, they are no conflict. */
	{ "an " INSTANCE " SRV #000100020277 lab.local", true },
	{ "an " INSTANCE " SRV #000000000276 lab.local", false },
	{ "an " INSTANCE " SRV #000000000277 lab2.local", false },
};

START_TEST(port_and_host_make_an_srv_record_another)
{
	uint8_t message[512];
	struct mdns_reader r;
	struct mdns_item i;
	size_t size;

	size = fixture_build(FIXTURE_RESPONSE, srvs[_i].srv, message);
	ck_assert_int_eq(mdns_open(&r, message, size), 0);
	ck_assert_int_eq(mdns_next(&r, &i), 1);
	ck_assert(dnssd_is_same_srv(&names, &service, &i) == srvs[_i].is_same);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("announce_service");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, an_announcement_has_all_records);
	tcase_add_test(t, a_goodbye_spares_the_type_and_the_host);
	tcase_add_test(t, a_question_asks_for_the_srv_record);
	tcase_add_test(t, without_txt_there_is_an_empty_string);
	tcase_add_test(t, the_host_is_this_one_where_none_is_given);
	tcase_add_test(t, a_name_has_1_to_63_bytes);
	tcase_add_test(t, the_largest_txt_of_a_configuration_is_written);
	tcase_add_test(t, what_has_no_room_is_refused);
	tcase_add_loop_test(t, port_and_host_make_an_srv_record_another, 0,
		(int)(sizeof(srvs) / sizeof(srvs[0])));
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
