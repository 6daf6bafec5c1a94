/* Tests of discovery: what other sites bring. */
#include "discovery/internal.h"
#include "discovery_relay.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HOST "192.0.2.7"

static struct stand s;

static void begin(void)
{
	stand_open(&s, 1000);
}

static void end(void)
{
	ck_assert_int_eq(stand_close(&s), 0);
}

static void check_events(const char *want)
{
	ck_assert_str_eq(s.events, want);
	stand_clear(&s);
}

/* `source` and `site` may be NULL. */
static void say(enum stand_group g, const char *site, const char *source,
	const char *text)
{
	struct relay_heard h = stand_heard(
		&s, g, LAN, source ? source : HOST, text, strlen(text));

	if (!source)
		h.source = (struct net_address){ 0 };
	h.site = site;
	stand_take(&s, &h);
}

/* All entries, "GROUP INTERFACE SITE SOURCE NAME" and a newline each; for
 * free(). */
static char *words(void)
{
	const struct discovery_entry *e;
	char *text = NULL, address[NET_ADDRESS_TEXT];
	struct discovery_info i;
	uint64_t id = 0;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(f);
	for (; (e = discovery_after(s.discovery, id)); id = i.id) {
		discovery_get(s.discovery, e, &i);
		(void)fprintf(f, "%s %s%s %s %s %s\n", i.group, i.interface,
			i.device, i.site ? i.site : "-",
			net_address_format(&i.source, NULL, address), i.name);
	}
	(void)fclose(f);
	return text;
}

static void check_words(const char *want)
{
	char *got = words();

	ck_assert_str_eq(got, want);
	free(got);
}

START_TEST(an_entry_is_at_the_site_that_brought_it)
{
	say(RAW, "cabin", HOST, "a");
	check_events("new a\n");
	check_words("raw  cabin " HOST " a\n");
	/* Others say the same elsewhere, and here. */
	say(RAW, "barn", HOST, "a");
	say(RAW, NULL, HOST, "a");
	check_events("new a\nnew a\n");
	check_words("raw  cabin " HOST " a\nraw  barn " HOST " a\n"
		    "raw lanbr-lan - " HOST " a\n");
	say(RAW, "cabin", HOST, "b");
	check_events("changed b\n");
}
END_TEST

START_TEST(who_gives_no_address_is_shown_without)
{
	say(RAW, "cabin", NULL, "a");
	check_words("raw  cabin  a\n");
	say(RAW, "barn", NULL, "b");
	check_words("raw  cabin  a\nraw  barn  b\n");
}
END_TEST

#define NOTIFY(nts)                                                            \
	"NOTIFY * HTTP/1.1\r\nNT: upnp:rootdevice\r\nNTS: ssdp:" nts "\r\n"    \
	"USN: uuid:1\r\nCACHE-CONTROL: max-age=60\r\n\r\n"

START_TEST(a_goodbye_is_that_of_its_site_alone)
{
	say(SSDP, "cabin", HOST, NOTIFY("alive"));
	say(SSDP, "barn", HOST, NOTIFY("alive"));
	stand_clear(&s);
	say(SSDP, "cabin", HOST, NOTIFY("byebye"));
	check_events("gone uuid:1 goodbye\n");
	check_words("ssdp  barn " HOST " uuid:1\n");
	stand_wait(&s, 60000);
	check_events("gone uuid:1 expired\n");
}
END_TEST

/* They repeat themselves what they have to say. */
START_TEST(what_a_site_brings_is_not_repeated)
{
	s.relay.groups[RAW].config.repeat_ms = 1000;
	say(RAW, "cabin", HOST, "a");
	stand_wait(&s, 5000);
	ck_assert_uint_eq(s.relay.n_said, 0);
	say(RAW, NULL, HOST, "b");
	stand_wait(&s, 1500);
	ck_assert_uint_ge(s.relay.n_said, 1);
}
END_TEST

START_TEST(its_entries_stay_as_long_as_their_group)
{
	say(RAW, "cabin", HOST, "a");
	say(SSDP, "cabin", HOST, NOTIFY("alive"));
	stand_clear(&s);
	discovery_configure(s.discovery, &s.config);
	check_events("");
	/* A device that goes takes nothing of another site with it. */
	discovery_left(s.discovery, stand_segment(&s, RAW, LAN));
	check_events("");
	s.relay.groups[RAW].is_gone = true;
	discovery_configure(s.discovery, &s.config);
	check_events("gone a left\n");
	s.relay.groups[SSDP].config.payload = CONFIG_PAYLOAD_NONE;
	discovery_configure(s.discovery, &s.config);
	check_events("gone uuid:1 left\n");
}
END_TEST

static void count(void *data, const struct discovery_count *c)
{
	size_t *n = data;

	*n += c->site != NULL;
}

static size_t count_sites(void)
{
	size_t n = 0;

	discovery_each_count(s.discovery, count, &n);
	return n;
}

/* Whoever makes up names of sites. */
START_TEST(sites_are_bounded_and_idle_ones_make_room)
{
	char site[24];

	ck_assert_int_eq(stand_close(&s), 0);
	stand_open(&s, 3 * DISCOVERY_SITES);
	for (unsigned i = 0; i < 2 * DISCOVERY_SITES; i++) {
		(void)snprintf(site, sizeof(site), "site%u", i);
		say(RAW, site, HOST, "a");
	}
	ck_assert_uint_eq(count_sites(), DISCOVERY_SITES);
	ck_assert_uint_eq(stand_count(&s), DISCOVERY_SITES);
	/* Here there is room. */
	say(RAW, NULL, HOST, "a");
	ck_assert_uint_eq(stand_count(&s), DISCOVERY_SITES + 1);
	/* In turns. */
	stand_wait(&s, 120000);
	stand_wait(&s, 1000);
	ck_assert_uint_eq(stand_count(&s), 0);
	say(RAW, "new", HOST, "a");
	ck_assert_uint_eq(stand_count(&s), 1);
	ck_assert_uint_eq(count_sites(), DISCOVERY_SITES);
	/* A group that goes takes its sites with it. */
	s.relay.groups[RAW].is_gone = true;
	discovery_configure(s.discovery, &s.config);
	ck_assert_uint_eq(count_sites(), 0);
	for (unsigned i = 0; i < DISCOVERY_SITES; i++) {
		(void)snprintf(site, sizeof(site), "site%u", i);
		say(SSDP, site, HOST, NOTIFY("alive"));
	}
	ck_assert_uint_eq(stand_count(&s), DISCOVERY_SITES);
}
END_TEST

START_TEST(one_site_without_addresses_pushes_out_nobody_else)
{
	char text[128];

	discovery_configure(s.discovery, &s.config);
	say(SSDP, "barn", NULL, NOTIFY("alive"));
	for (unsigned i = 0; i < 1200; i++) {
		(void)snprintf(text, sizeof(text),
			"NOTIFY * HTTP/1.1\r\nNT: x\r\nNTS: ssdp:alive\r\n"
			"USN: uuid:x%u\r\n\r\n",
			i);
		say(SSDP, "cabin", NULL, text);
	}
	ck_assert_uint_le(stand_count(&s), 1000);
	ck_assert_ptr_nonnull(strstr(s.events, "new uuid:1\n"));
	ck_assert_ptr_null(strstr(s.events, "gone uuid:1 "));
}
END_TEST

/* Within the callback alone. */
START_TEST(nothing_is_told_of_between)
{
	ck_assert_ptr_null(discovery_message(s.discovery));
	say(RAW, "cabin", HOST, "a");
	ck_assert_ptr_null(discovery_message(s.discovery));
}
END_TEST

START_TEST(the_next_process_knows_the_same_sites)
{
	int file = memfd_create("stash", MFD_CLOEXEC);
	uint64_t now_ms;
	struct stash_writer w;
	struct stash_reader r;
	char *before;

	say(RAW, "cabin", HOST, "a");
	say(RAW, "barn", NULL, "b");
	say(RAW, NULL, HOST, "c");
	before = words();
	now_ms = s.now_ms;
	stash_begin(&w, file, 1);
	discovery_save(s.discovery, &w);
	ck_assert_int_eq(stash_end(&w), 0);
	stand_renew(&s);
	s.now_ms = now_ms;
	stand_clear(&s);
	ck_assert_int_eq(stash_open(&r, file), 0);
	discovery_restore(s.discovery, &r);
	stash_close(&r);
	check_words(before);
	ck_assert_uint_eq(count_sites(), 2);
	/* And takes what they say again for that. */
	say(RAW, "cabin", HOST, "a");
	check_events("");
	ck_assert_uint_eq(stand_count(&s), 3);
	free(before);
	(void)close(file);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("discovery");
	TCase *t = tcase_create("sites");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, an_entry_is_at_the_site_that_brought_it);
	tcase_add_test(t, who_gives_no_address_is_shown_without);
	tcase_add_test(t, a_goodbye_is_that_of_its_site_alone);
	tcase_add_test(t, what_a_site_brings_is_not_repeated);
	tcase_add_test(t, its_entries_stay_as_long_as_their_group);
	tcase_add_test(t, sites_are_bounded_and_idle_ones_make_room);
	tcase_add_test(t, one_site_without_addresses_pushes_out_nobody_else);
	tcase_add_test(t, nothing_is_told_of_between);
	tcase_add_test(t, the_next_process_knows_the_same_sites);
	suite_add_tcase(suite, t);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
