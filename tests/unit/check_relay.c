/* The whole relay: what it hears and where it sends it. */
#include "relay_bench.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct family {
	const char *group, *address, *source;
} families[] = {
	{ "v4", "239.255.42.42", "10.9.%u.1" },
	{ "v6 of the link", "ff02::4242", "fe80::" },
	{ "v6 of the site", "ff15::4242", "fd09:%u::1" },
};

/* IPv6 hears nothing for about a second after a device came up: sends until
 * every segment has heard something, and empties the ears. */
static void warm_up(struct bench *b, const struct family *f, int ear[4])
{
	char text[16];
	unsigned k = 0;

	for (unsigned n = 2; n <= 3;) {
		(void)snprintf(text, sizeof(text), "warm %u", k++);
		house_send(&b->house, 1, f->address, 4242, 0, 1, text,
			strlen(text));
		if (!house_is_silent(&b->house, ear[n]))
			n++;
		ck_assert_uint_lt(k, 1000);
	}
	for (unsigned n = 1; n <= 3; n++)
		while (!house_is_silent(&b->house, ear[n]))
			house_next(&b->house, ear[n], &b->d);
}

START_TEST(sends_once_on_every_other_segment_and_never_back)
{
	const struct family *f = &families[_i];
	char text[512], source[64];
	struct bench b;
	int ear[4];

	(void)snprintf(text, sizeof(text),
		HEAD "  g: { address: \"%s\", port: 4242, ttl: 7 }\n",
		f->address);
	bench_setup(&b, 3, text);
	for (unsigned n = 1; n <= 3; n++)
		ear[n] = house_hear(&b.house, n, f->address, 4242);
	warm_up(&b, f, ear);
	house_send(&b.house, 1, f->address, 4242, 999, 33, "hello", 5);
	for (unsigned n = 2; n <= 3; n++) {
		bench_expect(&b, ear[n], "hello", 5);
		ck_assert_int_eq(b.d.ttl, 7);
		ck_assert_uint_eq(b.d.port, 4242);
		(void)snprintf(source, sizeof(source), "%s", f->source);
		if (strchr(f->source, '%'))
			(void)snprintf(source, sizeof(source),
				strstr(f->source, "fd09") ? "fd09:%u::1"
							  : "10.9.%u.1",
				n);
		ck_assert_int_eq(
			strncmp(b.d.source, source, strlen(source)), 0);
		ck_assert(house_is_silent(&b.house, ear[n]));
	}
	ck_assert(house_is_silent(&b.house, ear[1]));
	for (unsigned n = 1; n <= 3; n++)
		(void)close(ear[n]);
	bench_close(&b);
}
END_TEST

START_TEST(carries_every_size_byte_for_byte)
{
	static const size_t sizes[] = { 0, 1, 1472, 1473, 9000, 65507 };
	static uint8_t payload[65507];
	struct bench b;
	int ear;

	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 7 + i / 251);
	bench_setup(&b, 2,
		HEAD "  g: { address: 239.1.1.1, port: 5000, "
		     "interfaces: [one, two] }\n");
	ear = house_hear(&b.house, 2, "239.1.1.1", 5000);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		house_send(&b.house, 1, "239.1.1.1", 5000, 0, 1, payload,
			sizes[i]);
		bench_expect(&b, ear, payload, sizes[i]);
	}
	(void)close(ear);
	bench_close(&b);
}
END_TEST

static const struct ttl {
	const char *rule;
	int heard, sent; /* 0: dropped */
} ttls[] = {
	{ "1", 64, 1 },
	{ "255", 1, 255 },
	{ "keep", 64, 64 },
	{ "keep", 1, 1 },
	{ "decrement", 64, 63 },
	{ "decrement", 2, 1 },
	{ "decrement", 1, 0 },
};

static void try_ttl(const struct ttl *t, const char *key, const char *address)
{
	char text[512];
	struct bench b;
	unsigned k = 0;
	int ear;

	(void)snprintf(text, sizeof(text),
		HEAD "  g: { %s, port: 5000, ttl: %s, "
		     "interfaces: [one, two] }\n",
		key, t->rule);
	bench_setup(&b, 2, text);
	ear = house_hear(&b.house, 2, address, 5000);
	/* IPv6 is deaf for a second after a device came up. */
	do {
		(void)snprintf(text, sizeof(text), "%u", k++);
		house_send(&b.house, 1, address, 5000, 0, t->heard, text,
			strlen(text));
		ck_assert_uint_lt(k, 1000);
	} while (house_is_silent(&b.house, ear) &&
		 bench_dropped(&b, "g", "two", RELAY_TTL) == 0);
	if (t->sent) {
		house_next(&b.house, ear, &b.d);
		ck_assert_int_gt(b.d.size, 0);
		ck_assert_int_eq(b.d.ttl, t->sent);
	} else {
		ck_assert(house_is_silent(&b.house, ear));
	}
	(void)close(ear);
	bench_close(&b);
}

START_TEST(leaves_with_the_ttl_that_was_asked_for)
{
	try_ttl(&ttls[_i], "address: 239.1.1.1", "239.1.1.1");
	try_ttl(&ttls[_i], "address: \"ff02::99\"", "ff02::99");
	try_ttl(&ttls[_i], "broadcast: true", "255.255.255.255");
}
END_TEST

START_TEST(keeps_to_the_direction)
{
	struct bench b;
	int ear[4];

	bench_setup(&b, 3,
		HEAD "  g: { address: 239.1.1.1, port: 5000, "
		     "from: [one], to: [two], interfaces: [three] }\n");
	for (unsigned n = 1; n <= 3; n++)
		ear[n] = house_hear(&b.house, n, "239.1.1.1", 5000);
	house_send(&b.house, 1, "239.1.1.1", 5000, 0, 1, "1", 1);
	bench_expect(&b, ear[2], "1", 1);
	bench_expect(&b, ear[3], "1", 1);
	house_send(&b.house, 2, "239.1.1.1", 5000, 0, 1, "2", 1);
	house_send(&b.house, 3, "239.1.1.1", 5000, 0, 1, "3", 1);
	bench_expect(&b, ear[2], "3", 1);
	ck_assert(house_is_silent(&b.house, ear[1]));
	ck_assert(house_is_silent(&b.house, ear[3]));
	ck_assert_uint_eq(bench_dropped(&b, "g", "one", RELAY_DIRECTION), 1);
	for (unsigned n = 1; n <= 3; n++)
		(void)close(ear[n]);
	bench_close(&b);
}
END_TEST

START_TEST(keeps_both_kinds_of_broadcast_apart)
{
	int all, own, foreign;
	struct bench b;

	bench_setup(&b, 2,
		HEAD "  g: { broadcast: true, port: 6666, "
		     "interfaces: [one, two] }\n");
	all = house_hear(&b.house, 2, "255.255.255.255", 6666);
	own = house_hear(&b.house, 2, "10.9.2.255", 6666);
	foreign = house_hear(&b.house, 2, "10.9.1.255", 6666);
	house_send(&b.house, 1, "255.255.255.255", 6666, 0, 64, "all", 3);
	bench_expect(&b, all, "all", 3);
	ck_assert_str_eq(b.d.source, "10.9.2.1");
	ck_assert_uint_eq(b.d.port, 6666);
	house_send(&b.house, 1, "10.9.1.255", 6666, 0, 64, "own", 3);
	bench_expect(&b, own, "own", 3);
	ck_assert(house_is_silent(&b.house, all));
	ck_assert(house_is_silent(&b.house, foreign));
	(void)close(all);
	(void)close(own);
	(void)close(foreign);
	bench_close(&b);
}
END_TEST

START_TEST(offers_each_datagram_to_every_group)
{
	int two, three;
	struct bench b;

	bench_setup(&b, 3,
		HEAD "  a: { address: 239.1.1.1, port: 5000, ttl: 2, "
		     "interfaces: [one, two] }\n"
		     "  b: { address: 239.1.1.1, port: 5000, ttl: 3, "
		     "from: [one], to: [three] }\n");
	two = house_hear(&b.house, 2, "239.1.1.1", 5000);
	three = house_hear(&b.house, 3, "239.1.1.1", 5000);
	house_send(&b.house, 1, "239.1.1.1", 5000, 0, 1, "x", 1);
	bench_expect(&b, two, "x", 1);
	ck_assert_int_eq(b.d.ttl, 2);
	bench_expect(&b, three, "x", 1);
	ck_assert_int_eq(b.d.ttl, 3);
	ck_assert(house_is_silent(&b.house, two));
	(void)close(two);
	(void)close(three);
	bench_close(&b);
}
END_TEST

START_TEST(hears_more_devices_than_a_socket_may_join)
{
	enum { N = 45 };
	struct relay_segment_info i;
	char name[16];
	struct bench b;
	int ear;

	bench_open(&b);
	for (unsigned n = 1; n <= N; n++)
		house_add(&b.house, n, false);
	ck_assert_int_eq(net_devices_refresh(b.devices), 0);
	bench_configure(&b,
		"interfaces: { all: { device: \"r*\" } }\n"
		"groups:\n"
		"  g: { address: [239.1.1.1, \"ff02::99\"], port: 5000 }\n");
	ear = house_hear(&b.house, 1, "239.1.1.1", 5000);
	for (unsigned n = 2; n <= N; n++) {
		(void)snprintf(name, sizeof(name), "from %u", n);
		house_send(&b.house, n, "239.1.1.1", 5000, 0, 1, name,
			strlen(name));
		bench_expect(&b, ear, name, strlen(name));
	}
	ck_assert(house_is_silent(&b.house, ear));
	for (unsigned n = 2; n <= N; n++) {
		(void)snprintf(name, sizeof(name), "r%u", n);
		ck_assert(bench_find(&b, "g", "all", name, &i));
		ck_assert_int_eq(i.state, RELAY_JOINED);
		ck_assert_uint_eq(i.counters->received, 1);
	}
	(void)close(ear);
	bench_close(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("relay");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, sends_once_on_every_other_segment_and_never_back,
		0, (int)(sizeof(families) / sizeof(families[0])));
	tcase_add_test(t, carries_every_size_byte_for_byte);
	tcase_add_loop_test(t, leaves_with_the_ttl_that_was_asked_for, 0,
		(int)(sizeof(ttls) / sizeof(ttls[0])));
	tcase_add_test(t, keeps_to_the_direction);
	tcase_add_test(t, keeps_both_kinds_of_broadcast_apart);
	tcase_add_test(t, offers_each_datagram_to_every_group);
	tcase_add_test(t, hears_more_devices_than_a_socket_may_join);
	suite_add_tcase(s, t);
	return bench_main(s);
}
