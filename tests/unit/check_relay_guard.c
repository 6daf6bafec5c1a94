/* Tests of relay/guard: what it lets pass, exactly until when. */
#include "relay/guard.h"

#include <check.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { WINDOW = 2000, LAN = 0, IOT = 1, GUEST = 2 };

static const struct siphash_key key = { 3, 4 };

static struct net_address host(unsigned n)
{
	struct net_address a = { .family = AF_INET };

	a.v4.s_addr = htonl(0xc0000200u + n);
	return a;
}

static void setup_with(struct guard *g, struct quota *q, size_t bound)
{
	uint32_t slot;

	quota_init(q, bound, &key);
	guard_init(g, WINDOW, q);
	for (uint32_t i = 0; i < 3; i++) {
		ck_assert_int_eq(guard_slot_take(g, &slot), 0);
		ck_assert_uint_eq(slot, i);
	}
}

static void setup(struct guard *g, struct quota *q)
{
	setup_with(g, q, 1000);
}

static void teardown(struct guard *g, struct quota *q)
{
	guard_done(g);
	ck_assert_uint_eq(q->used, 0);
	quota_done(q);
}

static struct guard_ruling hear(struct guard *g, uint64_t digest, unsigned from,
	uint32_t slot, uint64_t now)
{
	struct net_address a = host(from);
	struct guard_ruling r;

	ck_assert_int_eq(guard_hear(g, digest, &a, slot, now, &r), 0);
	return r;
}

/* Hears and sends to `out` where that is allowed. True if it was. */
static bool relay(struct guard *g, uint64_t digest, unsigned from, uint32_t in,
	uint32_t out, uint64_t now)
{
	struct guard_ruling r = hear(g, digest, from, in, now);

	if (!guard_may_send(g, &r, out, now))
		return false;
	guard_sent(g, &r, out, now);
	return true;
}

START_TEST(passes_what_is_new)
{
	struct guard g;
	struct quota q;

	setup(&g, &q);
	ck_assert(relay(&g, 1, 1, LAN, IOT, 100));
	ck_assert(relay(&g, 2, 1, LAN, IOT, 100));
	teardown(&g, &q);
}
END_TEST

START_TEST(holds_back_what_was_sent_there_until_exactly_the_window)
{
	struct guard g;
	struct quota q;

	setup(&g, &q);
	ck_assert(relay(&g, 1, 1, LAN, IOT, 1000));
	/* Another host, so no repetition: nobody there learns anything. */
	ck_assert(!relay(&g, 1, 2, LAN, IOT, 1000));
	ck_assert(!relay(&g, 1, 2, GUEST, IOT, 1000 + WINDOW - 1));
	ck_assert(relay(&g, 1, 2, GUEST, IOT, 1000 + WINDOW));
	teardown(&g, &q);
}
END_TEST

START_TEST(holds_back_what_was_heard_there)
{
	struct guard g;
	struct quota q;

	setup(&g, &q);
	ck_assert(relay(&g, 1, 1, LAN, IOT, 1000));
	/* A second relay brings it back from where it was sent. */
	ck_assert(!relay(&g, 1, 9, IOT, LAN, 1001));
	ck_assert(!relay(&g, 1, 9, IOT, LAN, 1000 + WINDOW - 1));
	/* But to where it never was it passes. */
	ck_assert(relay(&g, 1, 9, IOT, GUEST, 1002));
	teardown(&g, &q);
}
END_TEST

START_TEST(being_held_back_does_not_prolong)
{
	struct guard g;
	struct quota q;

	setup(&g, &q);
	ck_assert(relay(&g, 1, 1, LAN, IOT, 1000));
	for (uint64_t t = 1100; t < 1000 + WINDOW; t += 100)
		ck_assert(!relay(&g, 1, 2, LAN, IOT, t));
	ck_assert(relay(&g, 1, 2, LAN, IOT, 1000 + WINDOW));
	teardown(&g, &q);
}
END_TEST

START_TEST(a_failed_send_does_not_count)
{
	struct guard_ruling r;
	struct guard g;
	struct quota q;

	setup(&g, &q);
	r = hear(&g, 1, 1, LAN, 1000);
	guard_sent(&g, &r, IOT, 1000);
	guard_unsent(&g, &r, IOT);
	ck_assert(relay(&g, 1, 2, LAN, IOT, 1001));
	ck_assert(!relay(&g, 1, 3, LAN, IOT, 1002));
	teardown(&g, &q);
}
END_TEST

START_TEST(a_host_that_repeats_itself_passes)
{
	struct guard g;
	struct quota q;

	setup(&g, &q);
	for (unsigned i = 0; i < 8; i++)
		ck_assert(relay(&g, 1, 1, LAN, IOT, 1000 + i));
	/* From another segment it is no repetition. */
	ck_assert(!relay(&g, 1, 1, GUEST, IOT, 1010));
	teardown(&g, &q);
}
END_TEST

START_TEST(sixteen_in_a_row_pass_and_then_there_is_silence)
{
	struct guard_ruling r;
	struct guard g;
	struct quota q;

	setup(&g, &q);
	for (unsigned i = 0; i < GUARD_REPEATS; i++)
		ck_assert(relay(&g, 1, 1, LAN, IOT, 1000));
	r = hear(&g, 1, 1, LAN, 1000);
	ck_assert(r.silenced);
	ck_assert(r.storm);
	ck_assert(!guard_may_send(&g, &r, IOT, 1000));
	/* Whoever brings it, wherever it would go; and told once. */
	r = hear(&g, 1, 2, GUEST, 1000 + WINDOW - 1);
	ck_assert(r.silenced);
	ck_assert(!r.storm);
	teardown(&g, &q);
}
END_TEST

START_TEST(other_payloads_pass_meanwhile)
{
	struct guard g;
	struct quota q;

	setup(&g, &q);
	for (unsigned i = 0; i < 100; i++)
		(void)relay(&g, 1, 1, LAN, IOT, 1000);
	ck_assert(relay(&g, 2, 1, LAN, IOT, 1000));
	teardown(&g, &q);
}
END_TEST

START_TEST(a_loop_ends_in_the_silence)
{
	struct guard g;
	struct quota q;
	uint64_t t = 1000;
	unsigned n = 0;

	/* Each copy that crier sends comes back 100 ms later. */
	setup(&g, &q);
	while (relay(&g, 1, 1, LAN, IOT, t)) {
		t += 100;
		ck_assert_uint_lt(++n, 100);
	}
	ck_assert_uint_eq(n, GUARD_REPEATS);
	teardown(&g, &q);
}
END_TEST

START_TEST(what_goes_on_meanwhile_passes_once_a_window)
{
	unsigned passed = 0;
	struct guard g;
	struct quota q;

	setup(&g, &q);
	for (uint64_t t = 1000; t < 61000; t += 250)
		passed += relay(&g, 1, 1, LAN, IOT, t);
	/* Sixteen in four seconds, the silence, and then the rest. */
	ck_assert_uint_eq(passed, GUARD_REPEATS + (60000 - 4000) / WINDOW - 1);
	teardown(&g, &q);
}
END_TEST

START_TEST(a_loop_on_top_of_a_repeating_host_makes_no_copies)
{
	unsigned passed = 0;
	struct guard g;
	struct quota q;

	/* A beacon each 250 ms, silenced long ago ... */
	setup(&g, &q);
	for (uint64_t t = 0; t < 20000; t += 250)
		(void)relay(&g, 1, 1, LAN, IOT, t);
	/* ... and now every copy comes back at once, in the same form. */
	for (uint64_t t = 20000; t < 20000 + WINDOW; t += 250)
		while (relay(&g, 1, 1, LAN, IOT, t) && passed < 1000)
			passed++;
	ck_assert_uint_eq(passed, 1);
	teardown(&g, &q);
}
END_TEST

/* That it went on in the silence was taken for the host's own doing. But a
 * word of the host in the silence, and one after it, and the loop went on for
 * good, at any pace below 16 copies a window. */
START_TEST(a_loop_does_not_live_on_words_said_in_its_silence)
{
	enum { LAP = 400, END = 60 * 1000, STEP = 100 };
	bool due[(END + LAP) / STEP] = { [0] = true, [70] = true, [85] = true };
	unsigned passed = 0, last = 0;
	struct guard g;
	struct quota q;

	/* A repeater brings what a host says, and what crier has sent. */
	setup(&g, &q);
	for (unsigned t = 0; t < END; t += STEP) {
		if (!due[t / STEP] || !relay(&g, 1, 1, LAN, IOT, t))
			continue;
		due[(t + LAP) / STEP] = true;
		passed++;
		last = t;
	}
	ck_assert_uint_eq(passed, GUARD_REPEATS + 1);
	ck_assert_uint_eq(last, 8500);
	teardown(&g, &q);
}
END_TEST

/* Two loops in turn kept alive what each of them had spent. */
START_TEST(a_pause_starts_nothing_anew_while_others_go_on)
{
	struct guard g;
	struct quota q;
	uint64_t t = 0;

	setup(&g, &q);
	for (unsigned i = 0; i <= GUARD_REPEATS; i++)
		(void)hear(&g, 1, 1, LAN, t);
	for (; t < 3 * WINDOW; t += WINDOW / 2)
		(void)hear(&g, 1, 2, GUEST, t);
	ck_assert(relay(&g, 1, 1, LAN, IOT, t));
	ck_assert(!relay(&g, 1, 1, LAN, IOT, t + WINDOW - 1));
	ck_assert(relay(&g, 1, 1, LAN, IOT, t + WINDOW));
	teardown(&g, &q);
}
END_TEST

/* Loops that fed each other let twice as many pass after each silence. */
START_TEST(what_goes_on_faster_and_faster_stays_bounded)
{
	unsigned passed = 0, most = 0;
	struct guard g;
	struct quota q;

	setup(&g, &q);
	for (uint64_t t = 0; t < 10 * WINDOW; t += 20) {
		if (t % WINDOW == 0)
			passed = 0;
		for (uint64_t i = 0; i < UINT64_C(1) << t / WINDOW; i++)
			passed += relay(&g, 1, 1, LAN, IOT, t);
		if (passed > most)
			most = passed;
	}
	ck_assert_uint_le(most, GUARD_REPEATS + 1);
	ck_assert_uint_ge(most, GUARD_REPEATS);
	teardown(&g, &q);
}
END_TEST

START_TEST(a_pause_of_a_window_starts_anew)
{
	struct guard g;
	struct quota q;
	uint64_t t = 0;

	setup(&g, &q);
	for (unsigned round = 0; round < 10; round++) {
		for (unsigned i = 0; i < GUARD_REPEATS; i++)
			ck_assert(relay(&g, 1, 1, LAN, IOT, t));
		t += WINDOW;
	}
	teardown(&g, &q);
}
END_TEST

START_TEST(off_remembers_nothing)
{
	struct guard_ruling r;
	struct guard g;
	struct quota q;
	uint32_t slot;

	quota_init(&q, 10, &key);
	guard_init(&g, 0, &q);
	ck_assert_int_eq(guard_slot_take(&g, &slot), 0);
	for (unsigned i = 0; i < 100; i++) {
		r = hear(&g, 1, 1, slot, 5);
		ck_assert(guard_may_send(&g, &r, slot, 5));
		guard_sent(&g, &r, slot, 5);
	}
	ck_assert_uint_eq(q.used, 0);
	teardown(&g, &q);
}
END_TEST

START_TEST(expires_exactly_at_the_window)
{
	struct guard g;
	struct quota q;

	setup(&g, &q);
	(void)hear(&g, 1, 1, LAN, 1000);
	guard_expire(&g, 1000 + WINDOW - 1);
	ck_assert_uint_eq(q.used, 1);
	guard_expire(&g, 1000 + WINDOW);
	ck_assert_uint_eq(q.used, 0);
	teardown(&g, &q);
}
END_TEST

START_TEST(a_flood_of_one_source_pushes_out_nobody_else)
{
	struct guard g;
	struct quota q;

	setup_with(&g, &q, 100);
	ck_assert(relay(&g, 7, 1, LAN, IOT, 1000));
	for (uint64_t d = 1000; d < 11000; d++)
		(void)hear(&g, d, 2, LAN, 1001);
	ck_assert_uint_eq(q.used, 100);
	ck_assert_uint_eq(q.evicted, 10000 - 99);
	ck_assert(!relay(&g, 7, 3, LAN, IOT, 1002));
	teardown(&g, &q);
}
END_TEST

START_TEST(guards_share_a_bound)
{
	struct guard a, b;
	struct quota q;
	uint32_t slot;

	setup_with(&a, &q, 10);
	guard_init(&b, WINDOW, &q);
	ck_assert_int_eq(guard_slot_take(&b, &slot), 0);
	for (uint64_t d = 0; d < 10; d++)
		(void)hear(&a, d, 1, LAN, 1000);
	(void)hear(&b, 99, 2, slot, 1000);
	ck_assert_uint_eq(a.memory.used, 9);
	ck_assert_uint_eq(b.memory.used, 1);
	guard_done(&b);
	teardown(&a, &q);
}
END_TEST

/* The outbox holds a ruling while other datagrams are heard. */
START_TEST(a_ruling_of_a_given_up_entry_touches_nothing)
{
	struct guard_ruling old, now;
	struct guard g;
	struct quota q;

	setup_with(&g, &q, 1);
	old = hear(&g, 1, 1, LAN, 1000);
	now = hear(&g, 2, 1, LAN, 1000);
	ck_assert_ptr_eq(old.entry, now.entry);
	guard_sent(&g, &now, IOT, 1000);
	guard_unsent(&g, &old, IOT);
	ck_assert(!relay(&g, 2, 5, LAN, IOT, 1001));
	teardown(&g, &q);
}
END_TEST

/* What was edited on the way is another payload, and a second relay that
 * hands it back is no news. */
START_TEST(a_note_counts_as_sent_and_nobody_repeats_it)
{
	struct net_address a = host(1);
	struct guard g;
	struct quota q;

	setup(&g, &q);
	for (unsigned i = 0; i < 3 * GUARD_REPEATS; i++)
		ck_assert_int_eq(guard_note(&g, 5, &a, IOT, 1000), 0);
	ck_assert(!relay(&g, 5, 9, LAN, IOT, 1000 + WINDOW - 1));
	ck_assert(relay(&g, 5, 9, LAN, GUEST, 1000 + WINDOW - 1));
	ck_assert(relay(&g, 5, 9, LAN, IOT, 1000 + 3 * WINDOW));
	teardown(&g, &q);
}
END_TEST

/* Who carries between sites may deliver twice: that is no host that repeats
 * itself, and no reason to silence the hosts here. */
START_TEST(what_is_brought_again_passes_only_where_it_is_news)
{
	struct net_address a = host(1);
	struct guard_ruling r;
	struct guard g;
	struct quota q;

	setup(&g, &q);
	for (unsigned i = 0; i < 3 * GUARD_REPEATS; i++) {
		ck_assert_int_eq(guard_bring(&g, 5, &a, GUEST, 1000, &r), 0);
		ck_assert(!r.silenced && !r.storm && !r.repeated);
		ck_assert(guard_may_send(&g, &r, IOT, 1000) == (i == 0));
		guard_sent(&g, &r, IOT, 1000);
	}
	/* A host that says the same is heard where nobody heard it. */
	ck_assert(!relay(&g, 5, 1, LAN, IOT, 1000 + WINDOW - 1));
	ck_assert_int_eq(
		guard_bring(&g, 5, &a, GUEST, 1000 + 3 * WINDOW, &r), 0);
	ck_assert(guard_may_send(&g, &r, IOT, 1000 + 3 * WINDOW));
	teardown(&g, &q);
}
END_TEST

START_TEST(a_slot_that_is_given_back_starts_clean)
{
	struct guard g;
	struct quota q;
	uint32_t slot;

	setup(&g, &q);
	ck_assert(relay(&g, 1, 1, LAN, IOT, 1000));
	guard_slot_give(&g, IOT);
	ck_assert_int_eq(guard_slot_take(&g, &slot), 0);
	ck_assert_uint_eq(slot, IOT);
	ck_assert(relay(&g, 1, 2, LAN, IOT, 1001));
	teardown(&g, &q);
}
END_TEST

START_TEST(many_slots_and_many_payloads)
{
	struct guard g;
	struct quota q;
	uint32_t slot;

	setup_with(&g, &q, 5000);
	for (uint32_t i = 3; i < 100; i++)
		ck_assert_int_eq(guard_slot_take(&g, &slot), 0);
	for (uint64_t d = 0; d < 5000; d++)
		ck_assert(relay(&g, d, (unsigned)d % 200, 42, 99, 1000));
	for (uint64_t d = 0; d < 5000; d++)
		ck_assert(!relay(&g, d, 999, 41, 99, 1001));
	teardown(&g, &q);
}
END_TEST

/* Times are kept as 32 bits. */
START_TEST(time_may_wrap)
{
	uint64_t t = UINT32_MAX - 500;
	struct guard g;
	struct quota q;

	setup(&g, &q);
	ck_assert(relay(&g, 1, 1, LAN, IOT, t));
	ck_assert(!relay(&g, 1, 2, LAN, IOT, t + WINDOW - 1));
	ck_assert(relay(&g, 1, 2, LAN, IOT, t + WINDOW));
	teardown(&g, &q);
}
END_TEST

static void add_limits(TCase *t)
{
	tcase_add_test(t, off_remembers_nothing);
	tcase_add_test(t, expires_exactly_at_the_window);
	tcase_add_test(t, a_flood_of_one_source_pushes_out_nobody_else);
	tcase_add_test(t, guards_share_a_bound);
	tcase_add_test(t, a_ruling_of_a_given_up_entry_touches_nothing);
	tcase_add_test(t, a_note_counts_as_sent_and_nobody_repeats_it);
	tcase_add_test(t, what_is_brought_again_passes_only_where_it_is_news);
	tcase_add_test(t, a_slot_that_is_given_back_starts_clean);
	tcase_add_test(t, many_slots_and_many_payloads);
	tcase_add_test(t, time_may_wrap);
}

/* ---- from one process to the next ---- */

/* Hands all that `from` remembers to `to`, whose slots are others. */
static void hand_on(const struct guard *from, struct guard *to, uint64_t now)
{
	static const uint32_t slots[] = { IOT, LAN };
	int fd = memfd_create("stash", MFD_CLOEXEC);
	struct stash_writer w;
	struct stash_reader r;
	enum stash_tag tag;

	stash_begin(&w, fd, 1);
	guard_save(from, now, &w);
	ck_assert_int_eq(stash_end(&w), 0);
	ck_assert_int_eq(stash_open(&r, fd), 0);
	while (stash_next(&r, &tag))
		guard_resume(to, now, &r, slots, 2);
	stash_close(&r);
	(void)close(fd);
}

START_TEST(the_next_process_holds_back_the_same)
{
	struct guard g, next;
	struct quota q, q_next;

	setup(&g, &q);
	setup(&next, &q_next);
	ck_assert(relay(&g, 7, 1, LAN, IOT, 1000));
	ck_assert(relay(&g, 8, 1, LAN, IOT, 1500));
	for (int i = 0; i <= GUARD_REPEATS; i++)
		(void)hear(&g, 9, 1, LAN, 1600);
	hand_on(&g, &next, 1700);
	ck_assert_uint_eq(q_next.used, 3);
	/* LAN and IOT have changed places. */
	ck_assert(!relay(&next, 7, 2, IOT, LAN, 1700));
	ck_assert(relay(&next, 7, 2, IOT, GUEST, 1700));
	ck_assert(!relay(&next, 8, 2, GUEST, LAN, 1500 + WINDOW - 1));
	ck_assert(relay(&next, 8, 3, GUEST, LAN, 1500 + WINDOW));
	ck_assert(hear(&next, 9, 1, IOT, 1700).silenced);
	/* A window later there is nothing to hand on. */
	teardown(&next, &q_next);
	setup(&next, &q_next);
	hand_on(&g, &next, 1600 + WINDOW);
	ck_assert_uint_eq(q_next.used, 0);
	teardown(&next, &q_next);
	teardown(&g, &q);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("relay_guard");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_test(t, passes_what_is_new);
	tcase_add_test(
		t, holds_back_what_was_sent_there_until_exactly_the_window);
	tcase_add_test(t, holds_back_what_was_heard_there);
	tcase_add_test(t, being_held_back_does_not_prolong);
	tcase_add_test(t, a_failed_send_does_not_count);
	tcase_add_test(t, a_host_that_repeats_itself_passes);
	tcase_add_test(t, sixteen_in_a_row_pass_and_then_there_is_silence);
	tcase_add_test(t, other_payloads_pass_meanwhile);
	tcase_add_test(t, a_loop_ends_in_the_silence);
	tcase_add_test(t, what_goes_on_meanwhile_passes_once_a_window);
	tcase_add_test(t, a_loop_on_top_of_a_repeating_host_makes_no_copies);
	tcase_add_test(t, what_goes_on_faster_and_faster_stays_bounded);
	tcase_add_test(t, a_loop_does_not_live_on_words_said_in_its_silence);
	tcase_add_test(t, a_pause_starts_nothing_anew_while_others_go_on);
	tcase_add_test(t, a_pause_of_a_window_starts_anew);
	tcase_add_test(t, the_next_process_holds_back_the_same);
	add_limits(t);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
