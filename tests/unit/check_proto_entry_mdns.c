/* Tests of proto/entry: mDNS. */
#include "mdns_fixture.h"
#include "proto/proto.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* The datagram of a test, in a buffer of its exact size. */
static uint8_t *datagram;

static void begin(void)
{
	datagram = NULL;
}

static void end(void)
{
	free(datagram);
}

static void check_piece(const struct proto_piece *p, const char *want)
{
	ck_assert_uint_eq(p->size, strlen(want));
	if (p->size > 0)
		ck_assert_mem_eq(p->at, want, p->size);
}

/* ---- names ---- */

static const struct {
	const char *name, *label, *type; /* NULL: no instance */
} instances[] = {
	{ "Lab._ipp._tcp.local", "Lab", "_ipp._tcp" },
	{ "Lab._IPP._TCP.local", "Lab", "_ipp._tcp" },
	{ "Lab._ipp._tcp.example.com", "Lab", "_ipp._tcp" },
	{ "Lab._ipp._udp.local", "Lab", "_ipp._udp" },
	{ "1\\.5 Dr\\. A\\.._ipp._tcp.local", "1.5 Dr. A.", "_ipp._tcp" },
	{ "_x._ipp._tcp.local", "_x", "_ipp._tcp" },
	{ "x", NULL, NULL },
	{ "host.local", NULL, NULL },
	{ "_ipp._tcp.local", NULL, NULL },
	{ "_tcp.local", NULL, NULL },
	{ "Lab.ipp._tcp.local", NULL, NULL },
	{ "Lab._ipp._sctp.local", NULL, NULL },
	{ "_color._sub._ipp._tcp.local", NULL, NULL },
	{ "Lab.x._ipp._tcp.local", NULL, NULL },
	{ "_services._dns-sd._udp.local", NULL, NULL },
	{ "7.2.0.192.in-addr.arpa", NULL, NULL },
};

START_TEST(knows_the_names_of_instances)
{
	struct mdns_name n = fixture_name(instances[_i].name);
	struct proto_piece label = { "before", 6 };
	char type[MDNS_SERVICE_TEXT] = "before";
	bool is_instance = instances[_i].label != NULL;

	ck_assert(mdns_name_instance(&n, &label, type) == is_instance);
	check_piece(&label, is_instance ? instances[_i].label : "before");
	if (is_instance)
		ck_assert_str_eq(type, instances[_i].type);
}
END_TEST

START_TEST(the_label_of_an_instance_may_hold_any_byte)
{
	struct mdns_name n = fixture_name("_ipp._tcp.local");
	char type[MDNS_SERVICE_TEXT], bytes[63] = "a\0.\xff\n";
	struct proto_piece label;

	ck_assert_int_eq(mdns_name_prepend(&n, bytes, sizeof(bytes)), 0);
	ck_assert(mdns_name_instance(&n, &label, type));
	ck_assert_uint_eq(label.size, 63);
	ck_assert_mem_eq(label.at, bytes, 63);
	ck_assert_str_eq(type, "_ipp._tcp");
}
END_TEST

START_TEST(no_name_is_no_instance)
{
	struct mdns_name n = { 0 }, root = fixture_name(".");
	char type[MDNS_SERVICE_TEXT];
	struct proto_piece label;

	ck_assert(!mdns_name_instance(&n, &label, type));
	ck_assert(!mdns_name_instance(&root, &label, type));
}
END_TEST

START_TEST(a_name_of_255_bytes_may_be_an_instance)
{
	struct mdns_name n = fixture_name("local");
	char type[MDNS_SERVICE_TEXT], x[63];
	struct proto_piece label;

	memset(x, 'x', sizeof(x));
	ck_assert_int_eq(mdns_name_prepend(&n, x, 63), 0);
	ck_assert_int_eq(mdns_name_prepend(&n, x, 63), 0);
	ck_assert_int_eq(mdns_name_prepend(&n, x, 45), 0);
	ck_assert_int_eq(mdns_name_prepend(&n, "_tcp", 4), 0);
	ck_assert_int_eq(mdns_name_prepend(&n, "_ipp", 4), 0);
	ck_assert_int_eq(mdns_name_prepend(&n, x, 63), 0);
	ck_assert_uint_eq(n.size, MDNS_MAX_NAME);
	ck_assert(mdns_name_instance(&n, &label, type));
	ck_assert_uint_eq(label.size, 63);
	ck_assert_str_eq(type, "_ipp._tcp");
}
END_TEST

/* ---- records ---- */

/* The one record of a message; it points into `datagram`. */
static struct mdns_item item(const char *line)
{
	uint8_t message[MDNS_MAX_BYTES];
	struct mdns_reader r;
	struct mdns_item i;
	size_t size = fixture_build(FIXTURE_RESPONSE, line, message);

	free(datagram);
	datagram = fixture_exact(message, size);
	ck_assert_int_eq(mdns_open(&r, datagram, size), 0);
	ck_assert_int_eq(mdns_next(&r, &i), 1);
	return i;
}

static const struct {
	const char *line;
	int what; /* -1: nothing */
} records[] = {
	{ "an _ipp._tcp.local PTR Lab._ipp._tcp.local", MDNS_TELLS_INSTANCE },
	{ "ad _ipp._tcp.local PTR Lab._ipp._tcp.local", MDNS_TELLS_INSTANCE },
	{ "an _c._sub._ipp._tcp.local PTR Lab._ipp._tcp.local",
		MDNS_TELLS_INSTANCE },
	{ "an _ipp._tcp.local PTR host.local", -1 },
	{ "an _ipp._tcp.local PTR _http._tcp.local", -1 },
	{ "an host.local PTR Lab._ipp._tcp.local", -1 },
	{ "an _services._dns-sd._udp.local PTR _ipp._tcp.local", -1 },
	{ "an _services._dns-sd._udp.local PTR Lab._ipp._tcp.local", -1 },
	{ "an 7.2.0.192.in-addr.arpa PTR host.local", -1 },
	{ "an Lab._ipp._tcp.local SRV #000000000277 host.local",
		MDNS_TELLS_SERVICE },
	{ "ad Lab._ipp._tcp.local SRV #000000000277 host.local",
		MDNS_TELLS_SERVICE },
	{ "an host.local SRV #000000000277 host.local", -1 },
	{ "an _ipp._tcp.local SRV #000000000277 host.local", -1 },
	{ "an Lab._ipp._tcp.local TXT #03613d62", MDNS_TELLS_TEXT },
	{ "an Lab._ipp._tcp.local TXT #00", MDNS_TELLS_TEXT },
	{ "an Lab._ipp._tcp.local TXT #04613d62", -1 },
	{ "an host.local TXT #00", -1 },
	{ "an host.local A 192.0.2.7", MDNS_TELLS_ADDRESS },
	{ "ad host.local AAAA 2001:db8::7", MDNS_TELLS_ADDRESS },
	{ "an Lab._ipp._tcp.local NSEC SRV TXT", -1 },
	{ "an host.local NSEC A AAAA", -1 },
	{ "an host.local CNAME other.local", -1 },
	{ "an host.local UNKNOWN #00", -1 },
	{ "au _ipp._tcp.local PTR Lab._ipp._tcp.local", -1 },
	{ "au Lab._ipp._tcp.local SRV #000000000277 host.local", -1 },
	{ "au Lab._ipp._tcp.local TXT #00", -1 },
	{ "au host.local A 192.0.2.7", -1 },
	{ "q _ipp._tcp.local PTR", -1 },
	{ "qu host.local A", -1 },
	{ "q Lab._ipp._tcp.local SRV", -1 },
	{ "q Lab._ipp._tcp.local TXT", -1 },
};

START_TEST(knows_the_records_that_tell_something)
{
	struct mdns_item i = item(records[_i].line);
	struct mdns_telling t = { .port = 77 };
	bool tells = mdns_tells(&i, &t);

	ck_assert_msg(tells == (records[_i].what >= 0), "%s", records[_i].line);
	if (tells)
		ck_assert_int_eq((int)t.what, records[_i].what);
	else
		ck_assert_uint_eq(t.port, 77);
}
END_TEST

START_TEST(records_of_another_class_tell_nothing)
{
	for (size_t n = 0; n < sizeof(records) / sizeof(records[0]); n++) {
		struct mdns_item i = item(records[n].line);
		struct mdns_telling t;

		i.rrclass = 3; /* CH */
		ck_assert_msg(!mdns_tells(&i, &t), "%s", records[n].line);
	}
}
END_TEST

START_TEST(a_pointer_tells_of_its_target)
{
	struct mdns_item i = item("an _ipp._tcp.local PTR Lab._ipp._tcp.local");
	struct mdns_telling t;

	ck_assert(mdns_tells(&i, &t));
	ck_assert_ptr_eq(t.subject, &i.targets[0]);
	ck_assert_uint_eq(t.ttl, 120);
	ck_assert(!t.flush);
}
END_TEST

/*
 * Once, an instance was gone with one of its subtypes, which are registered and
 * withdrawn alone (RFC 6763, 7.1).
 */
START_TEST(a_goodbye_of_a_subtype_is_none_of_the_instance)
{
	struct mdns_item sub =
		item("an _c._sub._ipp._tcp.local PTR Lab._ipp._tcp.local");
	struct mdns_item i;
	struct mdns_telling t;

	sub.ttl = 0;
	ck_assert(!mdns_tells(&sub, &t));
	i = item("an _IPP._tcp.local PTR Lab._ipp._tcp.local");
	i.ttl = 0;
	ck_assert(mdns_tells(&i, &t));
	ck_assert_uint_eq(t.ttl, 0);
}
END_TEST

START_TEST(a_service_tells_its_host_and_port)
{
	struct mdns_item i =
		item("an Lab._ipp._tcp.local SRV #00010002fffe host.local");
	struct mdns_telling t;

	i.top = true;
	i.ttl = 0;
	ck_assert(mdns_tells(&i, &t));
	ck_assert_ptr_eq(t.subject, &i.name);
	ck_assert_ptr_eq(t.host, &i.targets[0]);
	ck_assert_uint_eq(t.port, 0xfffe);
	ck_assert_uint_eq(t.ttl, 0);
	ck_assert(t.flush);
}
END_TEST

START_TEST(a_text_and_an_address_tell_their_data)
{
	struct mdns_item i = item("an Lab._ipp._tcp.local TXT #03613d6200");
	struct mdns_telling t;

	ck_assert(mdns_tells(&i, &t));
	ck_assert_ptr_eq(t.subject, &i.name);
	ck_assert_uint_eq(t.data.size, 5);
	ck_assert_mem_eq(t.data.at, "\3a=b", 5);
	i = item("an host.local A 192.0.2.7");
	ck_assert(mdns_tells(&i, &t));
	ck_assert_uint_eq(t.data.size, 4);
	ck_assert_mem_eq(t.data.at, "\xc0\0\2\7", 4);
	i = item("an host.local AAAA 2001:db8::7");
	ck_assert(mdns_tells(&i, &t));
	ck_assert_uint_eq(t.data.size, 16);
}
END_TEST

START_TEST(tells_of_a_whole_announcement)
{
	static const char *const lines =
		"an _ipp._tcp.local PTR Lab\\032x._ipp._tcp.local\n"
		"an _c._sub._ipp._tcp.local PTR Lab\\032x._ipp._tcp.local\n"
		"an _services._dns-sd._udp.local PTR _ipp._tcp.local\n"
		"an Lab\\032x._ipp._tcp.local SRV #000000000277 h.local\n"
		"an Lab\\032x._ipp._tcp.local TXT #00\n"
		"an h.local A 192.0.2.7\n"
		"an h.local HINFO #03583836054c494e5558\n"
		"an 7.2.0.192.in-addr.arpa PTR h.local\n"
		"ad h.local AAAA 2001:db8::7\n"
		"ad h.local NSEC A AAAA";
	static const unsigned want[] = { 2, 1, 1, 2 };
	uint8_t message[MDNS_MAX_BYTES];
	struct mdns_reader r;
	struct mdns_telling t;
	struct mdns_item i;
	unsigned n[4] = { 0 };
	size_t size;

	size = fixture_build(FIXTURE_RESPONSE, lines, message);
	datagram = fixture_exact(message, size);
	ck_assert_int_eq(mdns_open(&r, datagram, size), 0);
	while (mdns_next(&r, &i) > 0)
		if (mdns_tells(&i, &t))
			n[t.what]++;
	for (size_t what = 0; what < 4; what++)
		ck_assert_uint_eq(n[what], want[what]);
}
END_TEST

#define LOOP(t, test, table)                                                   \
	tcase_add_loop_test(                                                   \
		t, test, 0, (int)(sizeof(table) / sizeof((table)[0])))

int main(void)
{
	Suite *s = suite_create("proto_entry_mdns");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, begin, end);
	LOOP(t, knows_the_names_of_instances, instances);
	tcase_add_test(t, the_label_of_an_instance_may_hold_any_byte);
	tcase_add_test(t, no_name_is_no_instance);
	tcase_add_test(t, a_name_of_255_bytes_may_be_an_instance);
	LOOP(t, knows_the_records_that_tell_something, records);
	tcase_add_test(t, records_of_another_class_tell_nothing);
	tcase_add_test(t, a_pointer_tells_of_its_target);
	tcase_add_test(t, a_goodbye_of_a_subtype_is_none_of_the_instance);
	tcase_add_test(t, a_service_tells_its_host_and_port);
	tcase_add_test(t, a_text_and_an_address_tell_their_data);
	tcase_add_test(t, tells_of_a_whole_announcement);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
