/* crier's own announcements: payloads, in namespaces. */
#include "announce_stage.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ONE       HEAD "  g: { address: 239.1.1.1, port: 5000, interfaces: [one] }\n"
#define BOTH      ONE_TWO
#define FROM_FILE "announcements:\n"

static int listen_on(struct stage *s, unsigned n)
{
	return house_hear(&s->b.house, n, "239.1.1.1", 5000);
}

START_TEST(a_burst_comes_first_and_then_the_interval)
{
	struct stage s;
	int ear;

	stage_setup(&s, 1,
		ONE FROM_FILE "  a: { group: g, payload: { text: hi }, "
			      "interval: 400ms, burst: 3 }\n");
	ear = listen_on(&s, 1);
	stage_start(&s);
	for (unsigned n = 1; n <= 6; n++) {
		stage_wait_sent(&s, n);
		stage_expect(&s, ear, "hi");
		ck_assert_str_eq(s.b.d.source, "10.9.1.1");
		ck_assert_uint_eq(s.b.d.port, 5000);
		ck_assert(house_is_silent(&s.b.house, ear));
		if (n < 3) {
			ck_assert_uint_eq(s.next_in_ms, 250);
		} else {
			ck_assert_uint_ge(s.next_in_ms, 360);
			ck_assert_uint_le(s.next_in_ms, 440);
		}
		if (n > 1)
			ck_assert_uint_ge(s.gap_ms, n <= 3 ? 250 : 360);
	}
	ck_assert_uint_eq(stage_info(&s, "a").sent, 6);
	(void)close(ear);
	stage_close(&s);
}
END_TEST

START_TEST(the_interval_has_a_tenth_of_jitter)
{
	uint64_t low = UINT64_MAX, high = 0;
	struct stage s;
	char name[16];

	stage_setup(&s, 1, ONE);
	stage_start(&s);
	for (unsigned n = 1; n <= 200; n++) {
		(void)snprintf(name, sizeof(name), "a%u", n);
		ck_assert_int_eq(stage_add(&s, name,
					 "{ group: g, payload: { text: x }, "
					 "interval: 10s }"),
			0);
		stage_wait_sent(&s, n);
		ck_assert_uint_ge(s.next_in_ms, 9000);
		ck_assert_uint_le(s.next_in_ms, 11000);
		low = s.next_in_ms < low ? s.next_in_ms : low;
		high = s.next_in_ms > high ? s.next_in_ms : high;
	}
	/* Chance is against a failure here by more than 10^12. */
	ck_assert_uint_lt(low, 9500);
	ck_assert_uint_gt(high, 10500);
	stage_close(&s);
}
END_TEST

START_TEST(texts_are_filled_in_for_each_segment)
{
	char hostname[256], text[512];
	struct stage s;
	int ear[3];

	ck_assert_int_eq(gethostname(hostname, sizeof(hostname)), 0);
	hostname[strcspn(hostname, ".")] = '\0';
	stage_setup(&s, 2,
		BOTH FROM_FILE
		"  a: { group: g, payload: { text: \"%{hostname} at "
		"%{address} on %{interface}\" }, "
		"goodbye: { text: \"%{address} leaves\" } }\n"
		"  t: { group: g, payload: { text: \"%{time}\" } }\n"
		"  h: { group: g, payload: { hex: 257b74696d657d } "
		"}\n");
	for (unsigned n = 1; n <= 2; n++)
		ear[n] = listen_on(&s, n);
	stage_start(&s);
	stage_wait_sent(&s, 6);
	for (unsigned n = 1; n <= 2; n++) {
		(void)snprintf(text, sizeof(text), "%s at 10.9.%u.1 on %s",
			hostname, n, n == 1 ? "one" : "two");
		stage_expect(&s, ear[n], text);
		house_next(&s.b.house, ear[n], &s.b.d);
		ck_assert_int_eq(s.b.d.size, 20);
		ck_assert_int_eq(s.b.d.data[10], 'T');
		ck_assert_int_eq(s.b.d.data[19], 'Z');
		/* Bytes are no text. */
		stage_expect(&s, ear[n], "%{time}");
	}
	announce_close(s.a);
	s.a = NULL;
	stage_expect(&s, ear[1], "10.9.1.1 leaves");
	stage_expect(&s, ear[2], "10.9.2.1 leaves");
	(void)close(ear[1]);
	(void)close(ear[2]);
	s.b.heard = NULL;
	s.b.ready = NULL;
	bench_close(&s.b);
}
END_TEST

/* An announcement whose payload or goodbye is a text of `size` bytes that ends
 * with %{time}, which is 13 bytes more once it is filled in. */
static char *large_text(const char *keys, size_t size)
{
	static const char tail[] = "%{time}\" } }";
	char *text = malloc(size + 100);
	int n;

	ck_assert_ptr_nonnull(text);
	n = sprintf(text, "{ group: g, %s: { text: \"", keys);
	memset(text + n, 'x', size - 7);
	memcpy(text + (size_t)n + size - 7, tail, sizeof(tail));
	return text;
}

/* One that comes from the link has a zone only on the host that has it. */
START_TEST(an_address_of_the_link_has_no_zone)
{
	struct in6_addr a;
	struct stage s;
	int ear;

	stage_setup(&s, 1,
		HEAD "  g: { address: \"ff02::4242\", port: 5000, "
		     "interfaces: [one] }\n" FROM_FILE
		     "  a: { group: g, payload: { text: \"%{address}\" }, "
		     "interval: 100ms }\n");
	ear = house_hear(&s.b.house, 1, "ff02::4242", 5000);
	stage_start(&s);
	house_next(&s.b.house, ear, &s.b.d);
	ck_assert_int_gt(s.b.d.size, 0);
	s.b.d.data[s.b.d.size] = '\0';
	ck_assert_int_eq(inet_pton(AF_INET6, (const char *)s.b.d.data, &a), 1);
	ck_assert(IN6_IS_ADDR_LINKLOCAL(&a));
	(void)close(ear);
	stage_close(&s);
}
END_TEST

START_TEST(a_text_of_the_file_that_is_too_large_is_said_to_be)
{
	char *large = large_text("payload", CONFIG_MAX_PAYLOAD - 12);
	struct announce_info i;
	struct stage s;
	char *text;

	ck_assert_int_gt(asprintf(&text, ONE FROM_FILE "  a: %s\n", large), 0);
	stage_setup(&s, 1, text);
	stage_start(&s);
	ck_assert_uint_eq(stage_info(&s, "a").next_in_ms, 0);
	stage_wait_late(&s, "a");
	i = stage_info(&s, "a");
	ck_assert_int_eq(i.state, ANNOUNCE_ACTIVE);
	ck_assert_uint_eq(i.sent, 0);
	ck_assert_str_eq(i.error,
		"it takes more than the 65507 bytes that a datagram carries");
	stage_close(&s);
	free(large);
	free(text);
}
END_TEST

START_TEST(another_address_is_announced_anew)
{
	struct stage s;
	int ear;

	stage_setup(&s, 1,
		ONE FROM_FILE
		"  a: { group: g, payload: { text: \"%{address}\" }, "
		"interval: 1h, burst: 2 }\n");
	ear = listen_on(&s, 1);
	stage_start(&s);
	stage_expect(&s, ear, "10.9.1.1");
	stage_expect(&s, ear, "10.9.1.1");
	house_run("ip addr del 10.9.1.1/24 dev r1 && "
		  "ip addr add 10.9.1.77/24 dev r1");
	stage_expect(&s, ear, "10.9.1.77");
	stage_expect(&s, ear, "10.9.1.77");
	ck_assert(house_is_silent(&s.b.house, ear));
	ck_assert_uint_gt(stage_info(&s, "a").next_in_ms, 3000000);
	(void)close(ear);
	stage_close(&s);
}
END_TEST

START_TEST(a_segment_that_comes_up_is_announced_to)
{
	struct stage s;
	int ear[3];

	stage_setup(&s, 1,
		"interfaces: { all: { device: \"r*\" } }\n"
		"groups: { g: { address: 239.1.1.1, port: 5000 } }\n" FROM_FILE
		"  a: { group: g, payload: { text: \"%{address}\" }, "
		"interval: 1h }\n");
	stage_start(&s);
	stage_wait_sent(&s, 1);
	house_add(&s.b.house, 2, false);
	ear[2] = listen_on(&s, 2);
	stage_expect(&s, ear[2], "10.9.2.1");
	ear[1] = listen_on(&s, 1);
	house_run("ip link set r1 down");
	bench_wait(&s.b, "g", "all", RELAY_DOWN);
	house_run("ip link set r1 up");
	stage_expect(&s, ear[1], "10.9.1.1");
	ck_assert(house_is_silent(&s.b.house, ear[2]));
	ck_assert_uint_eq(s.sent, 3);
	(void)close(ear[1]);
	(void)close(ear[2]);
	stage_close(&s);
}
END_TEST

START_TEST(what_is_down_is_not_due)
{
	struct stage s;
	int ear;

	stage_setup(&s, 1,
		ONE FROM_FILE "  a: { group: g, payload: { text: x }, "
			      "interval: 1h }\n");
	house_run("ip link set r1 down");
	bench_wait(&s.b, "g", "one", RELAY_DOWN);
	stage_start(&s);
	ear = listen_on(&s, 1);
	ck_assert(house_is_silent(&s.b.house, ear));
	ck_assert(stage_info(&s, "a").next_in_ms == UINT64_MAX);
	house_run("ip link set r1 up");
	stage_expect(&s, ear, "x");
	ck_assert_uint_eq(stage_info(&s, "a").sent, 1);
	(void)close(ear);
	stage_close(&s);
}
END_TEST

START_TEST(only_where_the_group_sends)
{
	struct stage s;
	int ear[3];

	stage_setup(&s, 2,
		HEAD "  g: { address: 239.1.1.1, port: 5000, from: [one], "
		     "to: [two] }\n" FROM_FILE
		     "  a: { group: g, payload: { text: x } }\n");
	for (unsigned n = 1; n <= 2; n++)
		ear[n] = listen_on(&s, n);
	stage_start(&s);
	stage_expect(&s, ear[2], "x");
	ck_assert(house_is_silent(&s.b.house, ear[1]));
	ck_assert_uint_eq(s.sent, 1);
	(void)close(ear[1]);
	(void)close(ear[2]);
	stage_close(&s);
}
END_TEST

START_TEST(standby_holds_it_back_until_it_ends)
{
	struct stage s;
	int ear;

	stage_setup(&s, 1,
		HEAD "  g: { address: 239.1.1.1, port: 5000, "
		     "interfaces: [one], standby: true }\n" FROM_FILE
		     "  a: { group: g, payload: { text: x }, burst: 2, "
		     "interval: 300ms, goodbye: { text: bye } }\n");
	ear = listen_on(&s, 1);
	stage_start(&s);
	ck_assert(house_is_silent(&s.b.house, ear));
	relay_set_standby(s.b.relay, false);
	stage_wait_sent(&s, 1);
	ck_assert_uint_eq(s.next_in_ms, 250);
	stage_wait_sent(&s, 2);
	ck_assert_uint_ge(s.next_in_ms, 270);
	stage_expect(&s, ear, "x");
	stage_expect(&s, ear, "x");
	relay_set_standby(s.b.relay, true);
	announce_close(s.a);
	s.a = NULL;
	ck_assert(house_is_silent(&s.b.house, ear));
	ck_assert_uint_eq(s.goodbyes, 0);
	(void)close(ear);
	s.b.heard = NULL;
	s.b.ready = NULL;
	bench_close(&s.b);
}
END_TEST

START_TEST(withdrawing_says_goodbye)
{
	struct stage s;
	int ear;

	stage_setup(&s, 1,
		ONE FROM_FILE "  f: { group: g, interval: 1h, "
			      "payload: { text: file } }\n");
	ear = listen_on(&s, 1);
	stage_start(&s);
	stage_expect(&s, ear, "file");
	ck_assert_int_eq(stage_add(&s, "a",
				 "{ group: g, payload: { text: hi }, "
				 "goodbye: { text: bye } }"),
		0);
	ck_assert(stage_info(&s, "a").runtime);
	ck_assert(!stage_info(&s, "f").runtime);
	ck_assert_str_eq(stage_info(&s, "a").group, "g");
	stage_expect(&s, ear, "hi");
	ck_assert_int_eq(announce_withdraw(s.a, "a"), 0);
	stage_expect(&s, ear, "bye");
	ck_assert_uint_eq(s.goodbyes, 1);
	ck_assert_uint_eq(s.removed, 1);
	ck_assert(!stage_has(&s, "a"));
	ck_assert_int_eq(announce_withdraw(s.a, "a"), -ENOENT);
	ck_assert_int_eq(announce_withdraw(s.a, "f"), -EPERM);
	/* One that was never said has nobody to say goodbye to. */
	ck_assert_int_eq(stage_add(&s, "b",
				 "{ group: g, payload: { text: hi }, "
				 "goodbye: { text: bye } }"),
		0);
	ck_assert_int_eq(announce_withdraw(s.a, "b"), 0);
	ck_assert(house_is_silent(&s.b.house, ear));
	ck_assert_uint_eq(s.goodbyes, 1);
	(void)close(ear);
	stage_close(&s);
}
END_TEST

START_TEST(names_are_taken_once)
{
	static const char text[] = "{ group: g, payload: { text: x } }";
	struct stage s;

	stage_setup(&s, 1,
		ONE FROM_FILE "  f: { group: g, payload: { text: x } }\n");
	stage_start(&s);
	ck_assert_int_eq(stage_add(&s, "f", text), -EEXIST);
	ck_assert_int_eq(stage_add(&s, "a", text), 0);
	ck_assert_int_eq(stage_add(&s, "a", text), -EEXIST);
	ck_assert_int_eq(announce_withdraw(s.a, "a"), 0);
	ck_assert_int_eq(stage_add(&s, "a", text), 0);
	stage_close(&s);
}
END_TEST

START_TEST(there_may_be_1024_at_run_time)
{
	struct relay_limit l;
	struct stage s;
	char name[16];
	int err = 0;

	stage_setup(&s, 1,
		ONE FROM_FILE "  f: { group: g, payload: { text: x }, "
			      "interval: 1h }\n");
	stage_start(&s);
	for (unsigned n = 0; n <= ANNOUNCE_RUNTIME_MAX; n++) {
		ck_assert_int_eq(err, 0);
		(void)snprintf(name, sizeof(name), "a%u", n);
		err = stage_add(&s, name,
			"{ group: g, payload: { text: x }, interval: 1h }");
	}
	ck_assert_int_eq(err, -ENOSPC);
	announce_limit(s.a, &l);
	ck_assert_uint_eq(l.used, ANNOUNCE_RUNTIME_MAX);
	ck_assert_uint_eq(l.bound, ANNOUNCE_RUNTIME_MAX);
	ck_assert_uint_eq(l.refused, 1);
	ck_assert_uint_eq(l.evicted, 0);
	/* All of them are sent, a few in a turn. */
	stage_wait_sent(&s, ANNOUNCE_RUNTIME_MAX + 1);
	ck_assert_int_eq(announce_withdraw(s.a, "a7"), 0);
	ck_assert_int_eq(
		stage_add(&s, "b", "{ group: g, payload: { text: x } }"), 0);
	stage_close(&s);
}
END_TEST

START_TEST(a_text_too_large_once_it_is_filled_in_is_refused)
{
	char *fits = large_text("payload", CONFIG_MAX_PAYLOAD - 13);
	char *larger = large_text("payload", CONFIG_MAX_PAYLOAD - 12);
	char *goodbye = large_text(
		"payload: { text: x }, goodbye", CONFIG_MAX_PAYLOAD - 12);
	struct relay_limit l;
	struct stage s;
	int ear;

	stage_setup(&s, 1, ONE);
	ear = listen_on(&s, 1);
	stage_start(&s);
	ck_assert_int_eq(stage_add(&s, "larger", larger), -EMSGSIZE);
	ck_assert_int_eq(stage_add(&s, "goodbye", goodbye), -EMSGSIZE);
	ck_assert(!stage_has(&s, "larger"));
	ck_assert_int_eq(stage_add(&s, "fits", fits), 0);
	house_next(&s.b.house, ear, &s.b.d);
	ck_assert_int_eq(s.b.d.size, CONFIG_MAX_PAYLOAD);
	announce_limit(s.a, &l);
	ck_assert_uint_eq(l.used, 1);
	free(fits);
	free(larger);
	free(goodbye);
	(void)close(ear);
	stage_close(&s);
}
END_TEST

START_TEST(two_lists_live_beside_each_other)
{
	struct announce *other;
	struct config *c;
	struct stage s;
	int ear;

	stage_setup(&s, 1,
		ONE FROM_FILE "  a: { group: g, payload: { text: x }, "
			      "goodbye: { text: bye }, interval: 1h }\n");
	ear = listen_on(&s, 1);
	ck_assert_int_eq(announce_new(&other, &s.b.house.loop, s.b.relay,
				 s.b.devices, NULL),
		0);
	c = bench_parse(s.text);
	ck_assert_int_eq(announce_configure(other, c), 0);
	config_unref(c);
	stage_start(&s);
	stage_expect(&s, ear, "x");
	stage_expect(&s, ear, "x");
	announce_close(other);
	stage_expect(&s, ear, "bye");
	ck_assert_uint_eq(s.sent, 1);
	ck_assert_uint_eq(s.goodbyes, 0);
	(void)close(ear);
	stage_close(&s);
	announce_close(NULL);
}
END_TEST

START_TEST(what_was_added_at_run_time_goes_on_in_the_next_process)
{
	int fd = memfd_create("stash", MFD_CLOEXEC), ear;
	struct stash_writer w;
	struct stash_reader r;
	struct stage s;

	stage_setup(&s, 1,
		ONE FROM_FILE "  f: { group: g, payload: { text: "
			      "file }, interval: 1h }\n");
	stage_start(&s);
	ck_assert_int_eq(stage_add(&s, "a",
				 "{ group: g, payload: { hex: 68690a }, "
				 "interval: 90s, goodbye: { text: "
				 "\"%{interface}: off\" } }"),
		0);
	stage_wait_sent(&s, 2);
	stash_begin(&w, fd, 1);
	announce_save(s.a, &w);
	ck_assert_int_eq(stash_end(&w), 0);
	stage_close(&s);

	stage_setup(&s, 1,
		ONE FROM_FILE "  f: { group: g, payload: { text: "
			      "file }, interval: 1h }\n");
	ear = listen_on(&s, 1);
	stage_start(&s);
	stage_wait_sent(&s, 1);
	stage_expect(&s, ear, "file");
	ck_assert_int_eq(stash_open(&r, fd), 0);
	announce_restore(s.a, &r, NULL, NULL);
	stash_close(&r);
	(void)close(fd);
	stage_wait_sent(&s, 2);
	stage_expect(&s, ear, "hi\n");
	ck_assert(stage_info(&s, "a").runtime);
	ck_assert_uint_eq(stage_info(&s, "a").interval_ms, 90000);
	ck_assert_uint_eq(stage_info(&s, "a").sent, 2);
	ck_assert_uint_eq(stage_info(&s, "f").sent, 2);
	ck_assert_int_eq(announce_withdraw(s.a, "a"), 0);
	stage_expect(&s, ear, "one: off");
	(void)close(ear);
	stage_close(&s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("announce");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_burst_comes_first_and_then_the_interval);
	tcase_add_test(
		t, what_was_added_at_run_time_goes_on_in_the_next_process);
	tcase_add_test(t, the_interval_has_a_tenth_of_jitter);
	tcase_add_test(t, texts_are_filled_in_for_each_segment);
	tcase_add_test(t, an_address_of_the_link_has_no_zone);
	tcase_add_test(t, a_text_of_the_file_that_is_too_large_is_said_to_be);
	tcase_add_test(t, another_address_is_announced_anew);
	tcase_add_test(t, a_segment_that_comes_up_is_announced_to);
	tcase_add_test(t, what_is_down_is_not_due);
	tcase_add_test(t, only_where_the_group_sends);
	tcase_add_test(t, standby_holds_it_back_until_it_ends);
	tcase_add_test(t, withdrawing_says_goodbye);
	tcase_add_test(t, names_are_taken_once);
	tcase_add_test(t, there_may_be_1024_at_run_time);
	tcase_add_test(t, a_text_too_large_once_it_is_filled_in_is_refused);
	tcase_add_test(t, two_lists_live_beside_each_other);
	suite_add_tcase(s, t);
	return bench_main(s);
}
