/* Long runs of one size in udp_send_batch(). */
#include "udp_fixture.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { RUN_MAX = 300 };

static struct udp_out outs[RUN_MAX];
static union udp_address ear_name;
static unsigned n_reports;

static void report(void *data, size_t index, int error)
{
	(void)data;
	(void)index;
	(void)error;
	n_reports++;
}

static size_t send_all(struct udp *u, const struct udp_out *out, size_t n)
{
	n_reports = 0;
	return udp_send_batch(u, out, n, report, NULL);
}

struct run_case {
	size_t n;
	/* The size of number i. */
	size_t (*size)(size_t i);
	unsigned messages; /* that go down for them */
};

static size_t all_ten(size_t i)
{
	(void)i;
	return 10;
}

static size_t short_one_at_60(size_t i)
{
	return i == 60 ? 4 : 10;
}

static size_t long_one_at_60(size_t i)
{
	return i == 60 ? 11 : 10;
}

static size_t two_in_turns(size_t i)
{
	return 10 + i % 2;
}

static size_t empty_one_at_60(size_t i)
{
	return i == 60 ? 0 : 10;
}

static size_t largest(size_t i)
{
	(void)i;
	return 1232;
}

static size_t too_large(size_t i)
{
	(void)i;
	return 1233;
}

static const struct run_case run_cases[] = {
	{ 47, all_ten, 47 },
	{ 48, all_ten, 1 },
	{ 64, all_ten, 1 },
	{ 65, all_ten, 2 },
	{ 300, all_ten, 4 + 44 },
	{ 109, short_one_at_60, 2 },
	{ 108, short_one_at_60, 48 },
	{ 109, long_one_at_60, 3 },
	{ 109, two_in_turns, 109 },
	{ 109, empty_one_at_60, 3 },
	/* No more than 65,000 bytes go down at once. */
	{ 64, largest, 13 },
	{ 60, too_large, 60 },
};

static unsigned sent_messages(int family)
{
	unsigned long in, unknown, errors, out = 0;
	char line[512];
	FILE *f = fopen(family == AF_INET ? "/proc/self/net/snmp"
					  : "/proc/self/net/snmp6",
		"re");

	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Udp: %lu %lu %lu %lu", &in, &unknown, &errors,
			    &out) == 4 ||
			sscanf(line, "Udp6OutDatagrams %lu", &out) == 1)
			break;
	}
	(void)fclose(f);
	return (unsigned)out;
}

/* Room for any, each beginning with its number. */
static uint8_t run_bytes[RUN_MAX][1300];

static struct udp *make_run(const struct run_case *c, int family)
{
	union udp_address a = loopback(family, 0);
	struct udp *ear = hearing_handle(&a, 0);

	ck_assert_int_eq(udp_set_recv_buffer(ear, 1 << 22), 0);
	ear_name = name_of(ear);

	for (size_t i = 0; i < c->n; i++) {
		run_bytes[i][0] = (uint8_t)i;
		run_bytes[i][1] = (uint8_t)(i >> 8);
		outs[i] = (struct udp_out){
			.data = run_bytes[i], .size = c->size(i), .ttl = -1
		};
	}
	return ear;
}

static void check_run(const struct run_case *c, struct udp *ear)
{
	until(ear_of(ear)->n == c->n);
	ck_assert_uint_eq(n_reports, 0);
	for (size_t i = 0; i < c->n; i++) {
		const struct seen *s = &ear_of(ear)->seen[i];

		ck_assert_uint_eq(s->told.size, c->size(i));
		if (c->size(i) == 0)
			continue;
		ck_assert_uint_eq(s->bytes[0], i & 255);
		ck_assert_uint_eq(s->bytes[1], i >> 8);
	}
}

START_TEST(runs_of_one_size_go_down_together_and_arrive_alone)
{
	const struct run_case *c = &run_cases[_i / 2];
	int family = families[_i % 2];
	struct udp *ear = make_run(c, family), *u = new_handle();
	unsigned before;

	ck_assert_int_eq(udp_connect(u, &ear_name), 0);
	before = sent_messages(family);
	ck_assert_uint_eq(send_all(u, outs, c->n), c->n);
	ck_assert_uint_eq(sent_messages(family) - before, c->messages);
	check_run(c, ear);
}
END_TEST

START_TEST(a_run_that_is_refused_goes_one_by_one_for_good)
{
	static const struct run_case c = { 100, all_ten, 100 };
	int family = families[_i], on = 1;
	struct udp *ear = make_run(&c, family), *u = new_handle();
	unsigned before;

	ck_assert_int_eq(udp_connect(u, &ear_name), 0);
	/* Without a checksum there is none to be made for each. */
	ck_assert_int_eq(setsockopt(udp_fileno(u), SOL_SOCKET, SO_NO_CHECK, &on,
				 sizeof(on)),
		0);
	if (family == AF_INET6)
		ck_assert_int_eq(setsockopt(udp_fileno(u), IPPROTO_UDP, 101,
					 &on, sizeof(on)),
			0);
	before = sent_messages(family);
	ck_assert_uint_eq(send_all(u, outs, c.n), c.n);
	ck_assert_uint_eq(sent_messages(family) - before, c.messages);
	ck_assert(u->takes_no_runs);
	if (family == AF_INET)
		check_run(&c, ear);
}
END_TEST

START_TEST(the_ttl_of_a_run_is_that_of_each)
{
	static const struct run_case c = { 64, all_ten, 1 };
	struct udp *ear = make_run(&c, families[_i]), *u = new_handle();

	for (size_t i = 0; i < c.n; i++)
		outs[i].ttl = 77;
	ck_assert_int_eq(udp_connect(u, &ear_name), 0);
	ck_assert_uint_eq(send_all(u, outs, c.n), c.n);
	check_run(&c, ear);
	for (size_t i = 0; i < c.n; i++)
		ck_assert_int_eq(ear_of(ear)->seen[i].told.ttl, 77);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("udp runs");
	TCase *c = fixture_case(s, "all");

	tcase_add_loop_test(c,
		runs_of_one_size_go_down_together_and_arrive_alone, 0,
		2 * (int)(sizeof(run_cases) / sizeof(run_cases[0])));
	tcase_add_loop_test(
		c, a_run_that_is_refused_goes_one_by_one_for_good, 0, 2);
	tcase_add_loop_test(c, the_ttl_of_a_run_is_that_of_each, 0, 2);
	return fixture_main(s);
}
