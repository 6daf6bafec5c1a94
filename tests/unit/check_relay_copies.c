/* relay/guard: two relays side by side, in every order of arrival. */
#include "relay/guard.h"

#include <check.h>
#include <stdlib.h>

static void setup(struct guard *g, struct quota *q)
{
	static const struct siphash_key key = { 3, 4 };
	uint32_t slot;

	quota_init(q, 1000, &key);
	guard_init(g, 2000, q);
	for (uint32_t i = 0; i < 3; i++)
		ck_assert_int_eq(guard_slot_take(g, &slot), 0);
}

static struct guard_ruling hear(
	struct guard *g, unsigned from, uint32_t slot, uint64_t now)
{
	struct net_address a = { .family = AF_INET };
	struct guard_ruling r;

	a.v4.s_addr = htonl(0xc0000200u + from);
	ck_assert_int_eq(guard_hear(g, 1, &a, slot, now, &r), 0);
	return r;
}

/*
 * Two relays between the same three segments, and any order of arrival: each
 * datagram makes at most one copy of each relay on each segment, then there is
 * silence.
 */
START_TEST(two_relays_send_at_most_one_copy_each)
{
	enum { N = 64 };

	for (unsigned seed = 0; seed < 500; seed++) {
		struct {
			unsigned from;
			uint32_t segment;
		} air[N] = { { 100, seed % 3 } };
		bool heard[N][2] = { { false } };
		unsigned copies[2][3] = { { 0 } }, n = 1, left = 2;
		struct guard g[2];
		struct quota q[2];

		srand(seed);
		setup(&g[0], &q[0]);
		setup(&g[1], &q[1]);
		while (left) {
			unsigned k = (unsigned)rand() % n;
			unsigned who = (unsigned)rand() % 2;
			struct guard_ruling r;

			if (heard[k][who])
				continue;
			heard[k][who] = true;
			left--;
			if (air[k].from == who)
				continue; /* its own */
			r = hear(
				&g[who], air[k].from, air[k].segment, 1000 + n);
			for (uint32_t out = 0; out < 3; out++) {
				if (out == air[k].segment ||
					!guard_may_send(
						&g[who], &r, out, 1000 + n))
					continue;
				guard_sent(&g[who], &r, out, 1000 + n);
				ck_assert_uint_le(++copies[who][out], 2);
				ck_assert_uint_lt(n, N);
				air[n].from = who;
				air[n++].segment = out;
				left += 2;
			}
		}
		for (unsigned who = 0; who < 2; who++) {
			guard_done(&g[who]);
			quota_done(&q[who]);
			for (uint32_t s = 0; s < 3; s++)
				ck_assert_uint_le(copies[who][s], 1);
		}
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("relay_copies");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_test(t, two_relays_send_at_most_one_copy_each);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
