/* The kernel's own devices, where events are lost and dumps fail. */
#include "net_watch.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

/* An event that does not fit is lost, and all those behind it. */
static void shrink_buffer(void)
{
	int size = 1;

	ck_assert_int_eq(setsockopt(net_devices_fileno(w.devices), SOL_SOCKET,
				 SO_RCVBUF, &size, sizeof(size)),
		0);
}

START_TEST(lost_events_lead_to_the_right_table)
{
	uint64_t old4, old6;

	ip("link set lo up");
	ip("link add d0 type bridge");
	ip("link add d1 type bridge");
	ip("link set d1 up");
	ip("addr add 192.0.2.1/24 dev d1");
	ip("addr add 192.0.2.2/32 dev lo");
	start(&w);
	old4 = named("d1")->incarnation4;
	old6 = named("d1")->incarnation6;
	shrink_buffer();
	flood("d0", 60);
	/* All of these are lost. */
	ip("addr del 192.0.2.2/32 dev lo");
	ip("link add d2 type bridge");
	ip("addr add 192.0.2.3/24 dev d2");
	ip("link set d1 name d3");
	wait_until(w.n_changed > 0);
	ck_assert_int_eq(w.n_problems, 1);
	ck_assert_int_eq(w.problem, -ENOBUFS);
	ck_assert_int_eq(w.n_changed, 1);
	ck_assert_uint_eq(named("d0")->n_addresses, 60);
	ck_assert(!has_own("192.0.2.2"));
	ck_assert(has_own("192.0.2.3"));
	ck_assert(has_own("10.9.59.1"));
	ck_assert_ptr_null(named("d1"));
	ck_assert_uint_eq(named("d3")->incarnation4, old4);
	ck_assert_uint_eq(named("d3")->incarnation6, old6);
	ck_assert(is_right());
	/* And it goes on. */
	ip("link del d0");
	wait_until(named("d0") == NULL);
	ck_assert(!has_own("10.9.59.1"));
}
END_TEST

START_TEST(a_deletion_that_was_lost_takes_the_device_away)
{
	ip("link add d0 type bridge");
	ip("link add d1 type bridge");
	start(&w);
	shrink_buffer();
	flood("d0", 60);
	ip("link del d1");
	wait_until(named("d1") == NULL);
	ck_assert_int_eq(w.problem, -ENOBUFS);
}
END_TEST

/* Nobody told of the deletion: the hardware address alone differs. */
START_TEST(the_same_index_made_anew_while_events_are_lost_is_noticed)
{
	uint64_t old4, old6;

	ip("link add d0 type bridge");
	ip("link add d1 index 50 address 02:00:00:00:00:01 type bridge");
	start(&w);
	old4 = named("d1")->incarnation4;
	old6 = named("d1")->incarnation6;
	shrink_buffer();
	flood("d0", 60);
	ip("link del d1");
	ip("link add d1 index 50 address 02:00:00:00:00:02 type bridge");
	wait_until(w.n_changed > 0);
	ck_assert_uint_ne(named("d1")->incarnation4, old4);
	ck_assert_uint_ne(named("d1")->incarnation6, old6);
}
END_TEST

/* Nothing of the device itself differs, but its link-local address is young. */
START_TEST(ipv6_made_anew_while_events_are_lost_is_noticed)
{
	uint64_t old6;

	ip("link add d0 type bridge");
	ip("link add d1 type veth peer name d2");
	ip("link set d2 up");
	ip("link set d1 up");
	start(&w);
	wait_until(net_device_source(named("d1"), AF_INET6, true) != NULL);
	old6 = named("d1")->incarnation6;
	shrink_buffer();
	flood("d0", 60);
	ip("link set d1 mtu 1279");
	ip("link set d1 mtu 1500");
	w.n_changed = 0;
	wait_until(w.n_changed > 0);
	ck_assert_uint_ne(named("d1")->incarnation6, old6);
}
END_TEST

/* Older events applied over a newer dump would make the table wrong again. */
START_TEST(a_dump_waits_for_the_end_of_a_long_queue)
{
	ip("link add d0 type bridge");
	start(&w);
	set_buffer(500000);
	flood("d0", 3000);
	ip("addr flush dev d0");
	settle();
	ck_assert_int_eq(w.problem, -ENOBUFS);
	ck_assert_uint_gt(named("d0")->n_addresses, 0);
	wait_until(named("d0")->n_addresses == 0);
	settle();
	ck_assert(is_right());
}
END_TEST

START_TEST(close_from_inside_problem_is_safe)
{
	ip("link add d0 type bridge");
	start(&w);
	w.closes = true;
	shrink_buffer();
	flood("d0", 60);
	wait_until(w.n_problems > 0);
	w.devices = NULL;
	settle();
	ck_assert_int_eq(w.n_changed, 0);
	ck_assert_int_eq(w.n_problems, 1);
}
END_TEST

/* So that the kernel's table changes in the middle of dumps. */
START_TEST(dumps_amid_changes_lead_to_the_right_table)
{
	int status;
	pid_t child;

	ip("link add d0 type bridge");
	ip("link add d1 type bridge");
	flood("d0", 2000);
	start(&w);
	child = fork();
	if (child == 0) {
		for (int i = 0; i < 10; i++) {
			flood("d1", 200);
			ip("addr flush dev d1");
		}
		flood("d1", 20);
		_exit(0);
	}
	ck_assert_int_gt(child, 0);
	while (waitpid(child, &status, WNOHANG) == 0) {
		int r = net_devices_refresh(w.devices);

		ck_assert(r == 0 || r == -EINTR);
		settle();
	}
	ck_assert_int_eq(status, 0);
	wait_until(named("d1")->n_addresses == 20);
	settle();
	ck_assert(is_right());
}
END_TEST

START_TEST(a_dump_that_fails_is_tried_again)
{
	ip("link add d0 type bridge");
	ip("link add d1 type bridge");
	start(&w);
	shrink_buffer();
	flood("d0", 60);
	ip("link del d1");
	forbid_sockets(true);
	wait_until(w.n_problems >= 3);
	ck_assert_int_eq(w.problem, -EMFILE);
	ck_assert_ptr_nonnull(named("d1"));
	forbid_sockets(false);
	wait_until(named("d1") == NULL);
	ck_assert_uint_eq(named("d0")->n_addresses, 60);
	/* Now it is at rest again. */
	settle();
	ck_assert_int_eq(uv_backend_timeout(&loop), -1);
}
END_TEST

START_TEST(new_fails_without_a_trace)
{
	struct net_devices_callbacks callbacks = { on_changed, NULL, &w };
	struct net_devices *devices = NULL;

	forbid_sockets(true);
	ck_assert_int_eq(net_devices_new(&devices, &loop, &callbacks), -EMFILE);
	forbid_sockets(false);
	ck_assert_ptr_null(devices);
}
END_TEST

START_TEST(refresh_is_at_once_and_tells_from_the_loop)
{
	ip("link add d0 type bridge");
	start(&w);
	ck_assert_int_eq(net_devices_refresh(w.devices), 0);
	settle();
	ck_assert_int_eq(w.n_changed, 0);
	ip("link add d1 type bridge");
	ip("link del d0");
	ck_assert_int_eq(net_devices_refresh(w.devices), 0);
	ck_assert_ptr_nonnull(named("d1"));
	ck_assert_ptr_null(named("d0"));
	ck_assert_int_eq(w.n_changed, 0);
	wait_until(w.n_changed > 0);
	ck_assert_ptr_nonnull(named("d1"));
	ck_assert_ptr_null(named("d0"));
}
END_TEST

START_TEST(refresh_says_why_it_failed)
{
	start(&w);
	forbid_sockets(true);
	ck_assert_int_eq(net_devices_refresh(w.devices), -EMFILE);
	forbid_sockets(false);
	settle();
	ck_assert_int_eq(w.n_changed, 0);
}
END_TEST

static TCase *losing(void)
{
	TCase *tc = tcase_create("losing");

	tcase_add_checked_fixture(tc, watch_set_up, watch_tear_down);
	tcase_set_timeout(tc, 2 * DEADLINE_MS / 1000);
	tcase_add_test(tc, lost_events_lead_to_the_right_table);
	tcase_add_test(tc, a_deletion_that_was_lost_takes_the_device_away);
	tcase_add_test(
		tc, the_same_index_made_anew_while_events_are_lost_is_noticed);
	tcase_add_test(tc, ipv6_made_anew_while_events_are_lost_is_noticed);
	tcase_add_test(tc, a_dump_waits_for_the_end_of_a_long_queue);
	tcase_add_test(tc, close_from_inside_problem_is_safe);
	return tc;
}

static TCase *dumping(void)
{
	TCase *tc = tcase_create("dumping");

	tcase_add_checked_fixture(tc, watch_set_up, watch_tear_down);
	tcase_set_timeout(tc, 2 * DEADLINE_MS / 1000);
	tcase_add_test(tc, dumps_amid_changes_lead_to_the_right_table);
	tcase_add_test(tc, a_dump_that_fails_is_tried_again);
	tcase_add_test(tc, new_fails_without_a_trace);
	tcase_add_test(tc, refresh_is_at_once_and_tells_from_the_loop);
	tcase_add_test(tc, refresh_says_why_it_failed);
	return tc;
}

int main(void)
{
	Suite *suite = suite_create("net_dumps");

	suite_add_tcase(suite, losing());
	suite_add_tcase(suite, dumping());
	return run(suite);
}
