/* Tests of discovery: what the next process knows of what the one before heard.
 */
#include "discovery_relay.h"
#include "mdns_fixture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HOST "192.0.2.7"

enum { REPEAT_MS = 30000, ENTRIES_MAX = 32 };

static struct stand s;
static int file;

static void begin(void)
{
	stand_open(&s, 1000);
	s.relay.groups[RAW].config.repeat_ms = REPEAT_MS;
	file = memfd_create("stash", MFD_CLOEXEC);
	ck_assert_int_ge(file, 0);
}

static void end(void)
{
	(void)close(file);
	ck_assert_int_eq(stand_close(&s), 0);
}

/* ---- what is heard ---- */

static void say_raw(enum stand_segment i, const char *source, const char *text)
{
	struct relay_heard h =
		stand_heard(&s, RAW, i, source, text, strlen(text));

	stand_take(&s, &h);
}

/* A printer with a host and an address; TTL 0 is its goodbye. */
static void say_printer(uint32_t ttl)
{
	static uint8_t message[MDNS_MAX_BYTES];
	struct mdns_name type = fixture_name("_ipp._tcp.local"),
			 name = fixture_name("Lab._ipp._tcp.local"),
			 host = fixture_name("lab.local");
	const char *text = "note=here";
	struct proto_list strings = { (char *const *)&text, 1 };
	struct mdns_writer w;
	struct net_address a;
	struct relay_heard h;

	ck_assert_int_eq(mdns_begin(&w, message, sizeof(message), 0,
				 MDNS_RESPONSE | MDNS_AUTHORITATIVE),
		0);
	ck_assert_int_eq(net_address_parse(HOST, &a), 0);
	ck_assert_int_eq(mdns_put_ptr(&w, MDNS_ANSWER, &type, ttl, &name), 0);
	ck_assert_int_eq(
		mdns_put_srv(&w, MDNS_ANSWER, &name, ttl, 631, &host), 0);
	ck_assert_int_eq(
		mdns_put_txt(&w, MDNS_ANSWER, &name, ttl, &strings), 0);
	ck_assert_int_eq(mdns_put_address(&w, MDNS_ANSWER, &host, ttl, a.bytes,
				 net_address_size(&a)),
		0);
	h = stand_heard(&s, MDNS, IOT, HOST, message, w.used);
	stand_take(&s, &h);
}

/* ---- what is there ---- */

/* All entries in words, a line each; for free(). */
static char *words(void)
{
	const struct discovery_entry *e = NULL;
	char *text = NULL, address[2][NET_ADDRESS_TEXT];
	struct discovery_info i;
	uint64_t id = 0;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(f);
	for (; (e = discovery_after(s.discovery, id)); id = i.id) {
		discovery_get(s.discovery, e, &i);
		(void)fprintf(f,
			"%llu %s %s %s %d %s %s %s %s %u %s %s %zu %s %lld %lld "
			"%llu %llu\n",
			(unsigned long long)i.id, i.group, i.interface,
			i.device, (int)i.protocol,
			net_address_format(&i.source, NULL, address[0]), i.name,
			i.type, i.host, i.port, i.location, i.detail,
			i.n_addresses,
			i.n_addresses ? net_address_format(&i.addresses[0],
						NULL, address[1])
				      : "-",
			(long long)i.first_seen_ms, (long long)i.last_seen_ms,
			(unsigned long long)i.expires_in_ms,
			(unsigned long long)i.count);
	}
	(void)fclose(f);
	return text;
}

/* One process ends, another begins. */
static void restart(void)
{
	uint64_t now_ms = s.now_ms;
	struct stash_writer w;
	struct stash_reader r;

	stash_begin(&w, file, 1);
	discovery_save(s.discovery, &w);
	ck_assert_int_eq(stash_end(&w), 0);
	stand_renew(&s);
	/* The clock is the machine's. */
	s.now_ms = now_ms;
	stand_clear(&s);
	ck_assert_int_eq(stash_open(&r, file), 0);
	discovery_restore(s.discovery, &r);
	stash_close(&r);
}

START_TEST(knows_the_same_in_the_same_words)
{
	char *before, *after;

	say_printer(120);
	say_raw(LAN, HOST, "a");
	say_raw(IOT, "fe80::9%3", "b");
	say_raw(LAN, HOST, "a again");
	stand_wait(&s, 700);
	before = words();
	ck_assert_uint_eq(stand_count(&s), 3);
	restart();
	after = words();
	ck_assert_str_eq(after, before);
	ck_assert_ptr_nonnull(strstr(after, "Lab _ipp._tcp lab.local 631"));
	ck_assert_str_eq(s.events, "");
	free(before);
	free(after);
}
END_TEST

START_TEST(what_is_said_again_is_the_same_entry)
{
	say_printer(120);
	say_raw(LAN, HOST, "a");
	restart();
	say_printer(120);
	say_raw(LAN, HOST, "a");
	ck_assert_uint_eq(stand_count(&s), 2);
	ck_assert_str_eq(s.events, "");
	say_printer(0);
	stand_wait(&s, 1100);
	ck_assert_str_eq(s.events, "gone Lab goodbye\n");
	ck_assert_uint_eq(stand_count(&s), 1);
}
END_TEST

START_TEST(lives_as_long_as_it_would_have)
{
	say_printer(10);
	stand_wait(&s, 4000);
	restart();
	stand_wait(&s, 5999);
	ck_assert_uint_eq(stand_count(&s), 1);
	stand_wait(&s, 101);
	ck_assert_uint_eq(stand_count(&s), 0);
	ck_assert_str_eq(s.events, "gone Lab expired\n");
}
END_TEST

START_TEST(is_repeated_when_it_would_have_been)
{
	say_raw(LAN, HOST, "a");
	stand_wait(&s, 10000);
	say_raw(LAN, "192.0.2.8", "b");
	restart();
	stand_wait(&s, REPEAT_MS - 10000 - 1);
	ck_assert_uint_eq(s.relay.n_said, 0);
	stand_wait(&s, 1);
	ck_assert_uint_eq(s.relay.n_said, 1);
	ck_assert_str_eq(s.relay.said[0].text, "a");
	ck_assert_uint_eq(
		s.relay.said[0].segment, stand_segment(&s, RAW, LAN)->id);
	stand_wait(&s, 10000);
	ck_assert_uint_eq(s.relay.n_said, 2);
	ck_assert_str_eq(s.relay.said[1].text, "b");
}
END_TEST

START_TEST(numbers_are_never_given_twice)
{
	const struct discovery_entry *e;
	struct discovery_info i;

	say_raw(LAN, HOST, "a");
	say_printer(120);
	say_printer(0);
	stand_wait(&s, 1100);
	restart();
	say_raw(IOT, HOST, "b");
	e = discovery_after(s.discovery, 1);
	ck_assert_ptr_nonnull(e);
	discovery_get(s.discovery, e, &i);
	ck_assert_uint_eq(i.id, 3);
}
END_TEST

START_TEST(what_belongs_to_no_group_any_more_goes)
{
	say_raw(LAN, HOST, "a");
	say_printer(120);
	s.relay.groups[MDNS].is_gone = true;
	restart();
	discovery_configure(s.discovery, &s.config);
	stand_wait(&s, 1);
	ck_assert_uint_eq(stand_count(&s), 1);
	s.relay.groups[MDNS].is_gone = false;
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("discovery_heritage");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, knows_the_same_in_the_same_words);
	tcase_add_test(t, what_is_said_again_is_the_same_entry);
	tcase_add_test(t, lives_as_long_as_it_would_have);
	tcase_add_test(t, is_repeated_when_it_would_have_been);
	tcase_add_test(t, numbers_are_never_given_twice);
	tcase_add_test(t, what_belongs_to_no_group_any_more_goes);
	suite_add_tcase(suite, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
