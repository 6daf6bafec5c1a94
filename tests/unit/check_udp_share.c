/* udp: several sockets on one multicast address and port. */
#include "house.h"
#include "udp/udp.h"

#include <arpa/inet.h>
#include <check.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

enum { SOCKETS = 3, DATAGRAMS = 64 };

struct ears {
	struct udp udp[SOCKETS];
	unsigned heard[SOCKETS], all;
};

static void hear(struct udp *u, ssize_t n, const struct udp_datagram *datagrams,
	uint32_t kernel_dropped)
{
	struct ears *e = u->data;

	ck_assert_ptr_nonnull(datagrams);
	ck_assert_uint_eq(kernel_dropped, 0);
	ck_assert_int_gt(n, 0);
	e->heard[u - e->udp] += (unsigned)n;
	e->all += (unsigned)n;
}

static bool is_complete(void *data)
{
	const struct ears *e = data;

	return e->all >= DATAGRAMS;
}

/*
 * SO_REUSEPORT made them one group, and the kernel handed the datagrams to any
 * of them by hash: two of three were lost on sockets that had not joined.
 */
START_TEST(only_the_one_that_joined_hears_and_misses_nothing)
{
	unsigned joined = (unsigned)_i;
	union udp_address group = { .in = { .sin_family = AF_INET,
					    .sin_port = htons(5000) } };
	struct udp_batch *batch;
	struct ears e = { 0 };
	struct house h;

	house_open(&h);
	house_add(&h, 1, false);
	(void)inet_pton(AF_INET, "239.1.1.1", &group.in.sin_addr);
	ck_assert_int_eq(udp_batch_new(&batch, 8, 2048), 0);
	for (unsigned i = 0; i < SOCKETS; i++) {
		ck_assert_int_eq(udp_init(&h.loop, &e.udp[i]), 0);
		e.udp[i].data = &e;
		ck_assert_int_eq(
			udp_bind(&e.udp[i], &group, UDP_SHARE | UDP_OWN_GROUPS),
			0);
		ck_assert_int_eq(udp_recv_start(&e.udp[i], batch, hear), 0);
	}
	ck_assert_int_eq(udp_set_membership(&e.udp[joined], &group,
				 if_nametoindex("r1"), NULL, UDP_JOIN),
		0);
	for (uint16_t port = 0; port < DATAGRAMS; port++)
		house_send(&h, 1, "239.1.1.1", 5000, (uint16_t)(20000 + port),
			1, "x", 1);
	ck_assert(house_wait(&h, is_complete, &e));
	ck_assert_uint_eq(e.heard[joined], DATAGRAMS);
	for (unsigned i = 0; i < SOCKETS; i++)
		udp_close(&e.udp[i], NULL);
	house_close(&h);
	udp_batch_free(batch);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("udp_share");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	if (!house_is_possible()) {
		(void)fputs("no network namespaces here\n", stderr);
		return 77;
	}
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t,
		only_the_one_that_joined_hears_and_misses_nothing, 0, SOCKETS);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
