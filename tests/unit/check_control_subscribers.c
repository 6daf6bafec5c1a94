/*
 * Those who subscribe: what they may ask for, what they cost, how they end.
 */
#include "control_fixture.h"

#include "control/subscription.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct fixture f;

static void setup(void)
{
	fixture_open(&f);
	fixture_serve(&f);
}

static void teardown(void)
{
	fixture_close(&f);
}

/* ---- what is asked for ---- */

START_TEST(it_is_told_what_was_understood)
{
	int fd = fixture_connect(&f);
	char *line = fixture_ask(&f, fd,
		CALL_WITH("subscribe",
			"{\"events\":[\"storm\",\"segment\",\"storm\"],"
			"\"payload\":true,\"groups\":[\"mdns\",\"mdns\"]}"));

	ck_assert_str_eq(line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":"
			       "{\"events\":[\"segment\",\"storm\"]}}");
	free(line);
	(void)close(fd);
}
END_TEST

#define BAD(params, code, message)                                             \
	{                                                                      \
		CALL_WITH("subscribe", params),                                \
			"\"error\":{\"code\":" code ",\"message\":\"" message  \
			"\"}}"                                                 \
	}

static const struct {
	const char *request, *answer;
} refused[] = {
	BAD("{}", "-32602", "parameter \\\"events\\\" is missing"),
	BAD("{\"events\":[]}", "-32602", "\\\"events\\\" names none"),
	BAD("{\"events\":[1]}", "-32602",
		"\\\"events\\\" is an array of strings"),
	BAD("{\"events\":[\"drop\",\"segmnet\"]}", "-32602",
		"unknown event \\\"segmnet\\\", did you mean "
		"\\\"segment\\\"?"),
	BAD("{\"events\":[\"everything\"]}", "-32602",
		"unknown event \\\"everything\\\", known: discovered, "
		"expired, segment, config, announcement, datagram, drop, "
		"storm, answer"),
	BAD("{\"events\":[\"drop\"],\"groups\":[\"mdns\",\"becon\"]}", "-32001",
		"no group \\\"becon\\\", did you mean \\\"beacon\\\"?"),
	BAD("{\"events\":[\"drop\"],\"payload\":1}", "-32602",
		"\\\"payload\\\" is true or false"),
};

/* And changes nothing: the client may ask again. */
START_TEST(what_is_not_known_is_refused)
{
	int fd = fixture_connect(&f);

	fixture_send_text(&f, fd, refused[_i].request);
	fixture_send_text(&f, fd, "\n" CALL("status") "\n");
	fixture_check_answer(&f, fd, refused[_i].answer);
	fixture_check_answer(&f, fd, "\"result\"");
	ck_assert(!f.relay->watched);
	(void)close(fd);
}
END_TEST

/* ---- what it costs ---- */

static bool is_unwatched(void *data)
{
	(void)data;
	return !f.relay->watched;
}

START_TEST(the_relay_is_watched_only_while_somebody_looks)
{
	int other = fixture_subscribe(
		    &f, "{\"events\":[\"segment\",\"storm\"]}"),
	    fds[2];

	ck_assert_uint_eq(f.relay->watches, 0);
	fds[0] = fixture_subscribe(&f, "{\"events\":[\"drop\"]}");
	ck_assert(f.relay->watched);
	fds[1] = fixture_subscribe(&f, "{\"events\":[\"datagram\",\"drop\"]}");
	(void)close(fds[0]);
	(void)close(other);
	fixture_check_served(&f);
	ck_assert(f.relay->watched);
	(void)close(fds[1]);
	fixture_run(&f, is_unwatched, NULL);
	ck_assert_uint_eq(f.relay->watches, 2);
}
END_TEST

START_TEST(at_the_end_the_relay_is_let_go_at_once)
{
	int fd = fixture_subscribe(&f, "{\"events\":[\"datagram\"]}");

	fixture_tell_fate(&f, RELAY_SENT);
	control_close(f.control);
	ck_assert(!f.relay->watched);
	fixture_tell_fate(&f, RELAY_SENT);
	f.control = NULL;
	ck_assert_int_eq(uv_run(&f.loop, UV_RUN_DEFAULT), 0);
	(void)close(fd);
}
END_TEST

START_TEST(what_was_told_is_done)
{
	int fd = fixture_subscribe(&f, "{\"events\":[\"storm\"]}");

	fixture_tell_storm(&f, 0, 1);
	ck_assert_int_eq(uv_backend_timeout(&f.loop), 0);
	json_decref(fixture_event(&f, fd));
	(void)uv_run(&f.loop, UV_RUN_NOWAIT);
	ck_assert_int_eq(uv_backend_timeout(&f.loop), -1);
	(void)close(fd);
}
END_TEST

/* Reads events up to the storm of `last` times; how many there were, with
 * those that were lost. */
static uint64_t count_up_to(int fd, json_int_t last, uint64_t *ret_lost)
{
	json_int_t times = -1;
	uint64_t n = 0;
	json_t *event;

	*ret_lost = 0;
	for (; times != last; n++) {
		event = fixture_event(&f, fd);
		times = json_integer_value(json_object_get(event, "times"));
		*ret_lost += (uint64_t)json_integer_value(
			json_object_get(event, "lost"));
		json_decref(event);
	}
	return n + *ret_lost;
}

enum { MANY = 6000 };

/*
 * A reader that stops reading costs what SUBSCRIPTION_WAITING_MAX says and is
 * told later what it has lost; another one gets it all meanwhile.
 */
START_TEST(a_slow_reader_loses_and_nobody_notices)
{
	int slow = fixture_subscribe(&f, "{\"events\":[\"storm\"]}");
	int quick = fixture_subscribe(&f, "{\"events\":[\"storm\"]}");
	size_t before = mallinfo2().uordblks;
	uint64_t lost;

	for (unsigned i = 1; i <= MANY; i++) {
		fixture_tell_storm(&f, 0, i);
		if (i % 100)
			continue;
		ck_assert_uint_eq(count_up_to(quick, i, &lost), 100);
		ck_assert_uint_eq(lost, 0);
	}
	ck_assert_uint_lt(mallinfo2().uordblks - before,
		2 * SUBSCRIPTION_WAITING_MAX + 65536);
	fixture_check_served(&f);
	/* One more, once there is room, tells of the others. */
	for (unsigned i = 1; i <= MANY / 4; i++)
		json_decref(fixture_event(&f, slow));
	for (unsigned i = 0; i < 10; i++)
		(void)uv_run(&f.loop, UV_RUN_NOWAIT);
	fixture_tell_storm(&f, 0, MANY + 1);
	ck_assert_uint_eq(
		count_up_to(slow, MANY + 1, &lost), MANY - MANY / 4 + 1);
	ck_assert_uint_gt(lost, 0);
	/* Told once is told. */
	fixture_tell_storm(&f, 0, MANY + 2);
	ck_assert_uint_eq(count_up_to(slow, MANY + 2, &lost), 1);
	(void)close(slow);
	(void)close(quick);
}
END_TEST

/* All in one turn of the loop, nothing on its way: the queue's own bound. */
START_TEST(a_burst_fills_the_queue_and_no_more)
{
	int fd = fixture_subscribe(&f, "{\"events\":[\"storm\"]}");
	uint64_t lost;

	for (unsigned i = 1; i <= MANY; i++)
		fixture_tell_storm(&f, 0, i);
	json_decref(fixture_event(&f, fd));
	fixture_tell_storm(&f, 0, 0);
	ck_assert_uint_eq(count_up_to(fd, 0, &lost), MANY);
	ck_assert_uint_gt(lost, MANY / 2);
	(void)close(fd);
}
END_TEST

static void add_entries(unsigned n)
{
	struct discovery_info info = fixture_entry("TV");

	for (unsigned i = 0; i < n; i++) {
		info.count = i;
		(void)fixture_add_entry(f.discovery, &info);
	}
}

/* The same for what is discovered, as where somebody floods the table. */
START_TEST(a_flood_of_entries_costs_a_bounded_piece_of_memory)
{
	int fd = fixture_subscribe(&f, "{\"events\":[\"discovered\"]}");
	const struct discovery_entry *e;
	uint64_t lost, told = 0;
	size_t before;
	json_t *event;

	add_entries(MANY);
	before = mallinfo2().uordblks;
	for (unsigned i = 0; i < MANY; i++) {
		e = discovery_after(f.discovery, i);
		control_tell_entry(
			f.control, e, DISCOVERY_NEW, DISCOVERY_STAYS);
		(void)uv_run(&f.loop, UV_RUN_NOWAIT);
	}
	ck_assert_uint_lt(mallinfo2().uordblks - before,
		2 * SUBSCRIPTION_WAITING_MAX + 65536);
	fixture_check_served(&f);
	/* What was kept comes without a gap; once there is room, the next one
	 * tells of the others. */
	for (; told < 200; told++) {
		event = fixture_event(&f, fd);
		ck_assert_int_eq(
			json_integer_value(json_object_get(event, "count")),
			(json_int_t)told);
		json_decref(event);
	}
	for (unsigned i = 0; i < 10; i++)
		(void)uv_run(&f.loop, UV_RUN_NOWAIT);
	control_tell_entry(f.control, e, DISCOVERY_CHANGED, DISCOVERY_STAYS);
	do {
		event = fixture_event(&f, fd);
		lost = (uint64_t)json_integer_value(
			json_object_get(event, "lost"));
		told += lost == 0;
		json_decref(event);
	} while (lost == 0);
	ck_assert_uint_eq(told + lost, MANY);
	(void)close(fd);
}
END_TEST

static void *abort_malloc(size_t size)
{
	(void)size;
	abort();
}

/* Nothing is made of what nobody asks for. */
START_TEST(a_flood_of_entries_is_nothing_to_others)
{
	int fd = fixture_subscribe(&f, "{\"events\":[\"storm\"]}");
	const struct discovery_entry *e;
	size_t before;

	add_entries(1);
	e = discovery_after(f.discovery, 0);
	before = mallinfo2().uordblks;
	json_set_alloc_funcs(abort_malloc, free);
	for (unsigned i = 0; i < MANY; i++)
		control_tell_entry(
			f.control, e, DISCOVERY_NEW, DISCOVERY_STAYS);
	json_set_alloc_funcs(malloc, free);
	ck_assert_uint_eq(mallinfo2().uordblks, before);
	(void)close(fd);
}
END_TEST

static unsigned allocations_left;

static void *scarce_malloc(size_t size)
{
	if (allocations_left == 0)
		return NULL;
	allocations_left--;
	return malloc(size);
}

/* Whichever allocation fails, the event is lost, and that is not. */
START_TEST(an_event_without_memory_is_lost_and_counted)
{
	int fd = fixture_subscribe(
		&f, "{\"events\":[\"datagram\"],\"payload\":true}");
	unsigned tried = 0;
	json_t *event;

	do {
		allocations_left = tried++;
		json_set_alloc_funcs(scarce_malloc, free);
		fixture_tell_fate(&f, RELAY_SENT);
		json_set_alloc_funcs(malloc, free);
	} while (allocations_left == 0);
	ck_assert_uint_gt(tried, 10);
	event = fixture_event(&f, fd);
	/* The last two succeeded, of which one used up what was left. */
	ck_assert_int_eq(
		json_integer_value(json_object_get(event, "lost")), tried - 2);
	ck_assert_str_eq(json_string_value(json_object_get(event, "payload")),
		"aGkA/yE=");
	json_decref(event);
	(void)close(fd);
}
END_TEST

/* ---- the connection ---- */

START_TEST(a_stream_takes_no_more_requests)
{
	int fd = fixture_connect(&f);

	fixture_send_text(&f, fd,
		CALL("presets") "\n" CALL_WITH("subscribe",
			"{\"events\":[\"storm\"]}") "\n"
						    "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"status\"}\n"
						    "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":"
						    "\"subscribe\",\"params\":{\"events\":[\"drop\"]}}\n"
						    "garbage\n");
	fixture_check_answer(&f, fd, "\"id\":1,\"result\":[");
	fixture_check_answer(
		&f, fd, "\"id\":1,\"result\":{\"events\":[\"storm\"]}");
	fixture_check_answer(&f, fd,
		"\"id\":2,\"error\":{\"code\":-32600,\"message\":\"this "
		"connection is a stream of events: ask on another one\"");
	fixture_check_answer(&f, fd, "\"id\":3,\"error\":{\"code\":-32600");
	fixture_check_answer(&f, fd, "-32700");
	ck_assert(!f.relay->watched);
	fixture_tell_storm(&f, 0, 1);
	json_decref(fixture_event(&f, fd));
	(void)close(fd);
}
END_TEST

/* As `printf ... | socat` does, with and without an answer to wait for. */
START_TEST(a_reader_that_says_no_more_is_told_on)
{
	static const char *const requests[] = {
		CALL_WITH("subscribe", "{\"events\":[\"storm\"]}") "\n",
		"{\"jsonrpc\":\"2.0\",\"method\":\"subscribe\",\"params\":"
		"{\"events\":[\"storm\"]}}",
	};
	int fd = fixture_connect(&f);

	fixture_send_text(&f, fd, requests[_i]);
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	if (_i == 0)
		fixture_check_answer(&f, fd, "\"result\"");
	fixture_check_served(&f);
	fixture_check_served(&f);
	fixture_tell_storm(&f, 0, 1);
	json_decref(fixture_event(&f, fd));
	fixture_tell_storm(&f, 0, 2);
	json_decref(fixture_event(&f, fd));
	(void)close(fd);
}
END_TEST

/* Such a one goes without a word. Its place is there for the next. */
START_TEST(a_deserted_stream_is_noticed_when_others_come)
{
	int fds[3], asking = fixture_connect(&f);

	for (size_t i = 0; i < 3; i++) {
		fds[i] = fixture_subscribe(&f, "{\"events\":[\"drop\"]}");
		ck_assert_int_eq(shutdown(fds[i], SHUT_WR), 0);
	}
	free(fixture_ask(&f, asking, CALL("status")));
	(void)close(fds[0]);
	(void)close(fds[1]);
	(void)uv_run(&f.loop, UV_RUN_NOWAIT);
	/* It comes, and is refused; they go. */
	(void)close(fixture_connect(&f));
	(void)uv_run(&f.loop, UV_RUN_NOWAIT);
	(void)uv_run(&f.loop, UV_RUN_NOWAIT);
	fixture_check_served(&f);
	fixture_tell_fate(&f, RELAY_LOOP);
	json_decref(fixture_event(&f, fds[2]));
	(void)close(fds[2]);
	(void)close(asking);
}
END_TEST

START_TEST(a_line_that_is_too_long_ends_a_stream_too)
{
	int fd = fixture_subscribe(&f, "{\"events\":[\"storm\"]}");
	static char much[70000];

	memset(much, 'x', sizeof(much));
	fixture_tell_storm(&f, 0, 1);
	fixture_send(&f, fd, much, sizeof(much));
	json_decref(fixture_event(&f, fd));
	fixture_check_answer(&f, fd, "a request is longer than 65536 bytes");
	fixture_tell_storm(&f, 0, 2);
	fixture_check_end(&f, fd);
}
END_TEST

START_TEST(a_reader_that_runs_away_is_survived)
{
	for (unsigned i = 0; i < 20; i++) {
		int fd = fixture_subscribe(
			&f, "{\"events\":[\"storm\",\"drop\"]}");

		for (unsigned j = 0; j < 20; j++)
			fixture_tell_storm(&f, 0, j);
		if (i % 2)
			(void)uv_run(&f.loop, UV_RUN_NOWAIT);
		(void)close(fd);
		fixture_tell_storm(&f, 0, i);
		for (unsigned j = 0; j < i; j++)
			(void)uv_run(&f.loop, UV_RUN_NOWAIT);
		fixture_run(&f, is_unwatched, NULL);
	}
	fixture_check_served(&f);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("control/subscribers");
	TCase *t = tcase_create("subscribers");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, it_is_told_what_was_understood);
	tcase_add_loop_test(t, what_is_not_known_is_refused, 0,
		sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(t, the_relay_is_watched_only_while_somebody_looks);
	tcase_add_test(t, at_the_end_the_relay_is_let_go_at_once);
	tcase_add_test(t, what_was_told_is_done);
	tcase_add_test(t, a_slow_reader_loses_and_nobody_notices);
	tcase_add_test(t, a_burst_fills_the_queue_and_no_more);
	tcase_add_test(t, a_flood_of_entries_costs_a_bounded_piece_of_memory);
	tcase_add_test(t, a_flood_of_entries_is_nothing_to_others);
	tcase_add_test(t, an_event_without_memory_is_lost_and_counted);
	tcase_add_test(t, a_stream_takes_no_more_requests);
	tcase_add_loop_test(t, a_reader_that_says_no_more_is_told_on, 0, 2);
	tcase_add_test(t, a_deserted_stream_is_noticed_when_others_come);
	tcase_add_test(t, a_line_that_is_too_long_ends_a_stream_too);
	tcase_add_test(t, a_reader_that_runs_away_is_survived);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return fixture_main(suite());
}
