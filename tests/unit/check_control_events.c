/*
 * What those who have subscribed are told.
 */
#include "control_fixture.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct fixture f;

static void setup(void)
{
	fixture_open(&f);
	f.generation = 3;
	fixture_serve(&f);
}

static void teardown(void)
{
	fixture_close(&f);
}

/* "2023-11-14T22:13:20.123Z" */
static void check_time(const char *time)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ";

	ck_assert_uint_eq(strlen(time), strlen(form));
	for (size_t i = 0; form[i]; i++)
		ck_assert(form[i] == 'd' ? time[i] >= '0' && time[i] <= '9'
					 : time[i] == form[i]);
}

/* The next event equals `expected`, JSON, but for its time. */
static void check_event(int fd, const char *expected)
{
	json_t *event = fixture_event(&f, fd),
	       *right = json_loads(expected, 0, NULL);
	char *got;

	ck_assert_ptr_nonnull(right);
	check_time(json_string_value(json_object_get(event, "time")));
	ck_assert_int_eq(json_object_del(event, "time"), 0);
	got = json_dumps(event, 0);
	ck_assert_msg(json_equal(event, right), "%s is not %s", got, expected);
	free(got);
	json_decref(right);
	json_decref(event);
}

/* ---- what is told ---- */

#define FATE(event, rest)                                                      \
	"{\"event\":\"" event "\",\"group\":\"mdns\",\"interface\":\"lan\","   \
	"\"device\":\"br-lan\",\"site\":null,"                                 \
	"\"source\":\"fe80::7%br-lan\",\"port\":5353,"                         \
	"\"channel\":{\"address\":\"224.0.0.251\",\"port\":5353},"             \
	"\"destination\":\"ff02::fb\",\"protocol\":\"mdns\","                  \
	"\"kind\":\"announcement\",\"size\":5,\"ttl\":255,\"flow\":null,"      \
	"\"to\":{\"interface\":\"iot\",\"device\":\"eth0.20\"}," rest "}"
#define SENT "\"verdict\":\"sent\",\"rule\":\"nothing speaks against it\""
#define LOOP "\"verdict\":\"loop\",\"rule\":\"nothing speaks against it\""

START_TEST(a_datagram_is_told_with_all_that_is_known)
{
	int fd = fixture_subscribe(&f, "{\"events\":[\"datagram\"]}");

	fixture_tell_fate(&f, RELAY_LOOP);
	fixture_tell_fate(&f, RELAY_SENT);
	check_event(fd, FATE("datagram", SENT));
	(void)close(fd);
}
END_TEST

START_TEST(a_drop_is_told_with_its_reason)
{
	int fd = fixture_subscribe(&f, "{\"events\":[\"drop\"]}");

	fixture_tell_fate(&f, RELAY_SENT);
	fixture_tell_fate(&f, RELAY_LOOP);
	check_event(fd, FATE("drop", LOOP));
	(void)close(fd);
}
END_TEST

START_TEST(the_fate_of_the_whole_has_no_segment_out)
{
	struct relay_fate fate = fixture_fate(f.relay);
	int fd = fixture_subscribe(&f, "{\"events\":[\"drop\",\"datagram\"]}");
	json_t *event;

	fate.out = NULL;
	fate.verdict = RELAY_OWN;
	fate.kind = PROTO_UNKNOWN;
	control_tell_fate(f.control, &fate);
	event = fixture_event(&f, fd);
	ck_assert(json_is_null(json_object_get(event, "to")));
	ck_assert_str_eq(
		json_string_value(json_object_get(event, "kind")), "unknown");
	json_decref(event);
	fate.verdict = RELAY_SENT;
	control_tell_fate(f.control, &fate);
	event = fixture_event(&f, fd);
	ck_assert_str_eq(
		json_string_value(json_object_get(event, "event")), "datagram");
	json_decref(event);
	(void)close(fd);
}
END_TEST

/* Of two readers each has it its own way, whoever came first. */
START_TEST(payloads_are_for_those_who_ask)
{
	static const char *const params[] = { "{\"events\":[\"datagram\"]}",
		"{\"events\":[\"datagram\"],\"payload\":true}" };
	int fds[2];

	fds[_i] = fixture_subscribe(&f, params[_i]);
	fds[!_i] = fixture_subscribe(&f, params[!_i]);
	fixture_tell_fate(&f, RELAY_SENT);
	check_event(fds[0], FATE("datagram", SENT));
	check_event(fds[1], FATE("datagram", SENT ",\"payload\":\"aGkA/yE=\""));
	(void)close(fds[0]);
	(void)close(fds[1]);
}
END_TEST

START_TEST(segments_are_told_with_what_they_were)
{
	const struct relay_segment *iot = fixture_segment(f.relay, 0, 1);
	int fd = fixture_subscribe(
		&f, "{\"events\":[\"segment\"],\"payload\":true}");

	control_tell_segment(f.control, iot, RELAY_DOWN, true);
	check_event(fd,
		"{\"event\":\"segment\",\"group\":\"mdns\","
		"\"interface\":\"iot\",\"device\":\"eth0.20\","
		"\"address\":\"224.0.0.251\",\"port\":5353,"
		"\"state\":\"failed\",\"was\":\"down\","
		"\"error\":\"cannot join: No buffer space available\"}");
	control_tell_segment(
		f.control, fixture_segment(f.relay, 0, 2), RELAY_JOINED, false);
	check_event(fd, "{\"event\":\"segment\",\"group\":\"mdns\","
			"\"interface\":\"guest\",\"device\":null,"
			"\"address\":\"224.0.0.251\",\"port\":5353,"
			"\"state\":\"absent\",\"was\":null,\"error\":\"\"}");
	control_tell_gone(f.control, fixture_segment(f.relay, 1, 0));
	check_event(fd,
		"{\"event\":\"segment\",\"group\":\"beacon\","
		"\"interface\":\"lan\",\"device\":\"br-lan\","
		"\"address\":\"239.255.42.42\",\"port\":4242,"
		"\"state\":\"absent\",\"was\":\"down\",\"error\":\"\"}");
	(void)close(fd);
}
END_TEST

START_TEST(storms_and_configurations_are_told)
{
	int fd = fixture_subscribe(&f, "{\"events\":[\"storm\",\"config\"],"
				       "\"groups\":[\"mdns\"]}");

	fixture_tell_storm(&f, 0, 17);
	check_event(fd, "{\"event\":\"storm\",\"group\":\"mdns\","
			"\"interface\":\"lan\",\"device\":\"br-lan\","
			"\"source\":\"fe80::7%br-lan\",\"why\":\"loop\","
			"\"times\":17}");
	/* It is about no group, and so for everybody. */
	control_tell_config(f.control);
	check_event(fd, "{\"event\":\"config\",\"generation\":3}");
	(void)close(fd);
}
END_TEST

START_TEST(groups_that_were_not_asked_for_are_left_out)
{
	int fd = fixture_subscribe(
		&f, "{\"events\":[\"storm\"],\"groups\":[\"beacon\"]}");
	int both = fixture_subscribe(&f,
		"{\"events\":[\"storm\"],\"groups\":[\"beacon\","
		"\"mdns\"]}");
	json_t *event;

	fixture_tell_storm(&f, 0, 1);
	fixture_tell_storm(&f, 1, 2);
	event = fixture_event(&f, fd);
	ck_assert_int_eq(
		json_integer_value(json_object_get(event, "times")), 2);
	json_decref(event);
	for (int i = 1; i <= 2; i++) {
		event = fixture_event(&f, both);
		ck_assert_int_eq(
			json_integer_value(json_object_get(event, "times")), i);
		json_decref(event);
	}
	(void)close(fd);
	(void)close(both);
}
END_TEST

/* ---- searches and their answers ---- */

START_TEST(a_search_is_told_with_its_flow)
{
	struct relay_fate fate = fixture_fate(f.relay);
	int fd = fixture_subscribe(&f, "{\"events\":[\"datagram\"]}");
	json_t *event;

	fate.flow = 77;
	control_tell_fate(f.control, &fate);
	event = fixture_event(&f, fd);
	ck_assert_int_eq(
		json_integer_value(json_object_get(event, "flow")), 77);
	json_decref(event);
	(void)close(fd);
}
END_TEST

static struct relay_heard heard(void)
{
	struct relay_fate fate = fixture_fate(f.relay);

	return (struct relay_heard){ .in = fixture_segment(f.relay, 0, 1),
		.source = fate.source,
		.port = 1900,
		.kind = PROTO_ANNOUNCEMENT,
		.data = fate.data,
		.size = fate.size,
		.ttl = 64,
		.flow = 7 };
}

START_TEST(an_answer_is_told_with_its_flow)
{
	struct relay_heard h = heard();
	int fd = fixture_subscribe(
		&f, "{\"events\":[\"answer\"],\"payload\":true}");

	ck_assert(!f.relay->watched);
	control_tell_answer(f.control, &h);
	check_event(fd, "{\"event\":\"answer\",\"group\":\"mdns\","
			"\"interface\":\"iot\",\"device\":\"eth0.20\","
			"\"site\":null,"
			"\"source\":\"fe80::7%eth0.20\",\"port\":1900,"
			"\"protocol\":\"mdns\",\"kind\":\"announcement\","
			"\"size\":5,\"flow\":7,\"payload\":\"aGkA/yE=\"}");
	(void)close(fd);
}
END_TEST

/* ---- the table ---- */

#define ENTRY                                                                  \
	"\"group\":\"mdns\",\"interface\":\"iot\","                            \
	"\"device\":\"eth0.20\",\"source\":\"192.0.2.7\","                     \
	"\"site\":null,\"key\":\"tv._http._tcp\","                             \
	"\"protocol\":\"mdns\",\"name\":\"TV\",\"type\":\"_http._tcp\","       \
	"\"host\":\"tv.local\",\"port\":8009,\"location\":null,"               \
	"\"addresses\":[\"192.0.2.7\",\"fe80::7%eth0.20\"],"                   \
	"\"txt\":[\"a=1\",\"b\"],"                                             \
	"\"first_seen\":\"2023-11-14T22:13:20.123Z\","                         \
	"\"last_seen\":\"2023-11-14T22:14:20.999Z\","                          \
	"\"expires_in\":120,\"count\":7"

START_TEST(entries_are_told_as_they_come_change_and_go)
{
	int fd = fixture_subscribe(
		&f, "{\"events\":[\"discovered\",\"expired\"]}");
	struct discovery_info info = fixture_entry("TV");
	const struct discovery_entry *e;

	(void)fixture_add_entry(f.discovery, &info);
	e = discovery_after(f.discovery, 0);
	control_tell_entry(f.control, e, DISCOVERY_NEW, DISCOVERY_STAYS);
	check_event(
		fd, "{\"event\":\"discovered\"," ENTRY ",\"change\":\"new\"}");
	control_tell_entry(f.control, e, DISCOVERY_CHANGED, DISCOVERY_STAYS);
	check_event(fd,
		"{\"event\":\"discovered\"," ENTRY ",\"change\":\"changed\"}");
	control_tell_entry(f.control, e, DISCOVERY_GONE, DISCOVERY_GOODBYE);
	check_event(
		fd, "{\"event\":\"expired\"," ENTRY ",\"why\":\"goodbye\"}");
	(void)close(fd);
}
END_TEST

/* By the kind of the event and by the group. */
START_TEST(entries_are_for_those_who_ask)
{
	static const char *const params[] = { "{\"events\":[\"expired\"]}",
		"{\"events\":[\"expired\",\"discovered\"],"
		"\"groups\":[\"beacon\"]}" };
	int fd = fixture_subscribe(&f, params[_i]);
	struct discovery_info info = fixture_entry("TV");
	const struct discovery_entry *e;
	json_t *event;

	(void)fixture_add_entry(f.discovery, &info);
	e = discovery_after(f.discovery, 0);
	control_tell_entry(f.control, e, DISCOVERY_NEW, DISCOVERY_STAYS);
	info.group = "beacon";
	info.name = "last";
	(void)fixture_add_entry(f.discovery, &info);
	e = discovery_after(f.discovery, 1);
	control_tell_entry(f.control, e, DISCOVERY_GONE, DISCOVERY_LEFT);
	event = fixture_event(&f, fd);
	ck_assert_str_eq(
		json_string_value(json_object_get(event, "name")), "last");
	json_decref(event);
	(void)close(fd);
}
END_TEST

/* ---- crier's own announcements ---- */

START_TEST(announcements_are_told_with_what_happened)
{
	struct announce_event e = { .what = ANNOUNCE_SENT,
		.entry = fixture_announcement(f.announce, 0),
		.segment = fixture_segment(f.relay, 1, 0) };
	int fd = fixture_subscribe(&f, "{\"events\":[\"announcement\"]}");

	control_tell_announcement(f.control, &e);
	check_event(fd, "{\"event\":\"announcement\",\"name\":\"gate\","
			"\"group\":\"beacon\",\"origin\":\"config\","
			"\"state\":\"active\",\"error\":\"\","
			"\"what\":\"sent\",\"interface\":\"lan\","
			"\"device\":\"br-lan\"}");
	e = (struct announce_event){ .what = ANNOUNCE_STATE,
		.entry = fixture_announcement(f.announce, 1) };
	control_tell_announcement(f.control, &e);
	check_event(fd, "{\"event\":\"announcement\",\"name\":\"web\","
			"\"group\":\"mdns\",\"origin\":\"runtime\","
			"\"state\":\"silent\","
			"\"error\":\"192.0.2.9 announces the name\","
			"\"what\":\"state\",\"interface\":null,"
			"\"device\":null}");
	(void)close(fd);
}
END_TEST

START_TEST(what_happens_to_an_announcement_has_a_word)
{
	static const char *const words[] = { "sent", "goodbye", "state",
		"removed" };
	struct announce_event e = { .what = (enum announce_what)_i,
		.entry = fixture_announcement(f.announce, 0) };
	int fd = fixture_subscribe(&f, "{\"events\":[\"announcement\"],"
				       "\"groups\":[\"beacon\"]}");
	json_t *event;

	control_tell_announcement(f.control, &e);
	event = fixture_event(&f, fd);
	ck_assert_str_eq(
		json_string_value(json_object_get(event, "what")), words[_i]);
	json_decref(event);
	(void)close(fd);
}
END_TEST

/* As while a daemon starts and stops. */
START_TEST(without_a_control_nobody_is_told)
{
	struct relay_fate fate = fixture_fate(f.relay);
	const struct relay_segment *s = fate.in;
	const struct announce_event event = { .what = ANNOUNCE_REMOVED };
	struct relay_heard h = heard();

	control_tell_segment(NULL, s, RELAY_DOWN, true);
	control_tell_gone(NULL, s);
	control_tell_storm(NULL, s, &fate.source, RELAY_RATE, 1);
	control_tell_fate(NULL, &fate);
	control_tell_config(NULL);
	control_tell_entry(NULL, NULL, DISCOVERY_GONE, DISCOVERY_LEFT);
	control_tell_announcement(NULL, &event);
	control_tell_answer(NULL, &h);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("control/events");
	TCase *t = tcase_create("events");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_datagram_is_told_with_all_that_is_known);
	tcase_add_test(t, a_drop_is_told_with_its_reason);
	tcase_add_test(t, the_fate_of_the_whole_has_no_segment_out);
	tcase_add_loop_test(t, payloads_are_for_those_who_ask, 0, 2);
	tcase_add_test(t, segments_are_told_with_what_they_were);
	tcase_add_test(t, storms_and_configurations_are_told);
	tcase_add_test(t, groups_that_were_not_asked_for_are_left_out);
	tcase_add_test(t, a_search_is_told_with_its_flow);
	tcase_add_test(t, an_answer_is_told_with_its_flow);
	tcase_add_test(t, entries_are_told_as_they_come_change_and_go);
	tcase_add_loop_test(t, entries_are_for_those_who_ask, 0, 2);
	tcase_add_test(t, announcements_are_told_with_what_happened);
	tcase_add_loop_test(
		t, what_happens_to_an_announcement_has_a_word, 0, 4);
	tcase_add_test(t, without_a_control_nobody_is_told);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return fixture_main(suite());
}
