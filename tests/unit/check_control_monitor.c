/*
 * crierctl monitor, against a daemon in a thread of its own that has
 * something to tell as soon as somebody listens.
 */
#include "control_fixture.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct fixture f;
static pthread_t thread, tester;
static uv_async_t stop;
static uv_timer_t tick;

/* What the daemon tells; runs in its thread, once. */
static void (*script)(void);
static bool always; /* and not once, but all the time */

static void close_all(uv_async_t *handle)
{
	control_close(f.control);
	f.control = NULL;
	uv_close((uv_handle_t *)handle, NULL);
	uv_close((uv_handle_t *)&tick, NULL);
}

static void look(uv_timer_t *timer)
{
	/* Who wants no datagrams cannot be seen: tell until it ends. */
	if (!f.relay->watched && !always)
		return;
	if (!always)
		(void)uv_timer_stop(timer);
	script();
}

static void *run_loop(void *data)
{
	(void)data;
	(void)uv_run(&f.loop, UV_RUN_DEFAULT);
	return NULL;
}

static void setup(void)
{
	ck_assert_int_eq(setenv("TZ", "UTC", 1), 0);
	fixture_open(&f);
	fixture_serve(&f);
	tester = pthread_self();
	ck_assert_int_eq(uv_async_init(&f.loop, &stop, close_all), 0);
	ck_assert_int_eq(uv_timer_init(&f.loop, &tick), 0);
	ck_assert_int_eq(uv_timer_start(&tick, look, 1, 1), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, run_loop, NULL), 0);
}

static void teardown(void)
{
	ck_assert_int_eq(uv_async_send(&stop), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	fixture_close(&f);
}

/* ---- what is told ---- */

static void tell_fate(enum relay_verdict verdict, bool whole)
{
	struct relay_fate fate = fixture_fate(f.relay);

	fate.verdict = verdict;
	if (whole)
		fate.out = NULL;
	control_tell_fate(f.control, &fate);
}

static void tell_storm(enum relay_verdict why, uint64_t times)
{
	struct relay_fate fate = fixture_fate(f.relay);

	control_tell_storm(f.control, fate.in, &fate.source, why, times);
}

static void tell_entry(const char *name, enum discovery_change change,
	enum discovery_reason why)
{
	struct discovery_info info = fixture_entry(name);
	uint64_t id;

	if (change == DISCOVERY_CHANGED) {
		info.type = "upnp:rootdevice";
		info.location = "http://192.0.2.7/d.xml";
	} else if (change == DISCOVERY_GONE) {
		info.type = info.host = "";
		info.port = 0;
	}
	id = fixture_add_entry(f.discovery, &info);
	control_tell_entry(
		f.control, discovery_after(f.discovery, id - 1), change, why);
}

static void tell_announcement(enum announce_what what, size_t i)
{
	const struct announce_event e = { .what = what,
		.entry = fixture_announcement(f.announce, i),
		.segment = what == ANNOUNCE_SENT || what == ANNOUNCE_GOODBYE
				   ? fixture_segment(f.relay, 1, 0)
				   : NULL };

	control_tell_announcement(f.control, &e);
}

/* What the floors above the relay tell. */
static void discoveries(void)
{
	tell_entry("Living Room", DISCOVERY_NEW, DISCOVERY_STAYS);
	tell_entry("TV", DISCOVERY_CHANGED, DISCOVERY_STAYS);
	tell_entry("\x1b[2Jbye\xff", DISCOVERY_GONE, DISCOVERY_GOODBYE);
	tell_announcement(ANNOUNCE_SENT, 0);
	tell_announcement(ANNOUNCE_GOODBYE, 0);
	tell_announcement(ANNOUNCE_STATE, 1);
	tell_announcement(ANNOUNCE_STATE, 0);
	tell_announcement(ANNOUNCE_REMOVED, 0);
	tell_fate(RELAY_SENT, false);
}

static void everything(void)
{
	tell_fate(RELAY_SENT, false);
	tell_fate(RELAY_LOOP, false);
	tell_fate(RELAY_OWN, true);
	control_tell_segment(
		f.control, fixture_segment(f.relay, 0, 1), RELAY_JOINED, true);
	control_tell_segment(
		f.control, fixture_segment(f.relay, 1, 0), RELAY_ABSENT, false);
	control_tell_gone(f.control, fixture_segment(f.relay, 0, 2));
	tell_storm(RELAY_LOOP, 17);
	tell_storm(RELAY_RATE, 1);
	control_tell_config(f.control);
	tell_fate(RELAY_SENT, true);
}

/* ---- what is shown ---- */

/* Takes the times off the lines of `text`, and checks their form. */
static void strip_times(char *text)
{
	static const char form[] = "dd:dd:dd.ddd ";
	char *out = text, *end;

	for (char *line = text; *line; line = end) {
		end = strchr(line, '\n');
		ck_assert_ptr_nonnull(end);
		end++;
		if (*line != ' ') { /* a payload has none */
			for (size_t i = 0; form[i]; i++)
				ck_assert(form[i] == 'd'
						  ? line[i] >= '0' &&
							    line[i] <= '9'
						  : line[i] == form[i]);
			line += strlen(form);
		}
		memmove(out, line, (size_t)(end - line));
		out += end - line;
	}
	*out = '\0';
}

static void check_script(
	void (*what)(void), const char *words, const char *expected)
{
	script = what;
	ck_assert_int_eq(fixture_crierctl(&f, words), 0);
	fixture_check_text(f.err, "");
	strip_times(f.out);
	fixture_check_text(f.out, expected);
}

static void check_shown(const char *words, const char *expected)
{
	check_script(everything, words, expected);
}

#define FROM "mdns lan (br-lan) [fe80::7%br-lan]:5353"
#define TO   " -> iot (eth0.20): "
#define LINE FROM TO "sent, announcement, 5 bytes\n"

START_TEST(all_that_happens_is_shown)
{
	check_shown("-s @ monitor --count 8",
		LINE "mdns iot (eth0.20) 224.0.0.251:5353: failed, was joined: "
		     "cannot join: No buffer space available\n"
		     "beacon lan (br-lan) 239.255.42.42:4242: down\n"
		     "mdns guest (no device) 224.0.0.251:5353: absent, was "
		     "absent\n"
		     "mdns lan (br-lan) fe80::7%br-lan: storm: repeats one "
		     "payload without end, held back 17 times\n"
		     "mdns lan (br-lan) fe80::7%br-lan: storm: says more than "
		     "the rate allows, held back 1 time\n"
		     "configuration 1 is in use\n" FROM
		     ": sent, announcement, 5 bytes\n");
}
END_TEST

START_TEST(drops_are_shown_with_their_rules)
{
	check_shown("-s @ monitor --drops --count 2",
		FROM TO "loop, announcement, 5 bytes: nothing speaks against "
			"it\n" FROM ": own, announcement, 5 bytes: nothing "
			"speaks against it\n");
}
END_TEST

START_TEST(payloads_stand_below_their_lines)
{
	check_shown(
		"-s @ monitor --payload --count 1", LINE "    hi\\x00\\xff!\n");
}
END_TEST

START_TEST(groups_are_chosen_by_the_daemon)
{
	check_shown("-s @ monitor --group beacon --count 2",
		"beacon lan (br-lan) 239.255.42.42:4242: down\n"
		"configuration 1 is in use\n");
}
END_TEST

START_TEST(an_unknown_group_is_refused)
{
	ck_assert_int_eq(fixture_crierctl(&f, "-s @ monitor --group mdsn"), 1);
	fixture_check_text(f.out, "");
	fixture_check_text(f.err,
		"crierctl: monitor: no group \"mdsn\", did you mean "
		"\"mdns\"?\n");
}
END_TEST

#define NEW_ENTRY                                                              \
	"+ Living Room _http._tcp at tv.local:8009: mdns iot (eth0.20)\n"
#define CHANGED_ENTRY                                                          \
	"~ TV upnp:rootdevice at http://192.0.2.7/d.xml: mdns iot (eth0.20)\n"

START_TEST(what_comes_and_goes_is_shown)
{
	check_script(discoveries, "-s @ monitor --count 9",
		NEW_ENTRY CHANGED_ENTRY
		"- \\x1b[2Jbye\xef\xbf\xbd at 192.0.2.7: mdns iot (eth0.20), "
		"goodbye\n"
		"beacon gate: announced to lan (br-lan)\n"
		"beacon gate: goodbye to lan (br-lan)\n"
		"mdns web: silent: 192.0.2.9 announces the name\n"
		"beacon gate: active\n"
		"beacon gate: announced no more\n" LINE);
}
END_TEST

START_TEST(entries_are_chosen_by_type)
{
	script = discoveries;
	always = true;
	ck_assert_int_eq(
		fixture_crierctl(
			&f, "-s @ monitor --type UPnP:rootdevice --count 1"),
		0);
	strip_times(f.out);
	fixture_check_text(f.out, CHANGED_ENTRY);
	/* Nothing of the relay was asked for. */
	ck_assert_uint_eq(f.relay->watches, 0);
}
END_TEST

START_TEST(announcements_are_chosen_by_interface)
{
	check_script(discoveries, "-s @ monitor --interface br-lan --count 3",
		"beacon gate: announced to lan (br-lan)\n"
		"beacon gate: goodbye to lan (br-lan)\n" LINE);
}
END_TEST

/* By the interface, in or out, and by the device. */
START_TEST(interfaces_are_chosen_here)
{
	static const char *const words[] = {
		"-s @ monitor --interface iot --count 2",
		"-s @ monitor --interface eth0.20 --count 2",
	};

	check_shown(words[_i],
		LINE "mdns iot (eth0.20) 224.0.0.251:5353: failed, was joined: "
		     "cannot join: No buffer space available\n");
}
END_TEST

START_TEST(json_is_a_notification_a_line)
{
	char *second;
	json_t *json;

	script = everything;
	ck_assert_int_eq(
		fixture_crierctl(&f, "-s @ --json monitor --payload --count 2"),
		0);
	second = strchr(f.out, '\n') + 1;
	ck_assert_str_eq(strchr(second, '\n'), "\n");
	second[-1] = '\0';
	json = json_loads(f.out, 0, NULL);
	ck_assert_str_eq(json_string_value(json_object_get(
				 json_object_get(json, "params"), "payload")),
		"aGkA/yE=");
	json_decref(json);
	json = json_loads(second, 0, NULL);
	ck_assert_str_eq(
		json_string_value(json_object_get(json, "method")), "event");
	json_decref(json);
}
END_TEST

/* ---- how it ends ---- */

static void interrupt(void)
{
	tell_fate(RELAY_SENT, false);
	ck_assert_int_eq(pthread_kill(tester, SIGINT), 0);
}

static void terminate(void)
{
	ck_assert_int_eq(pthread_kill(tester, SIGTERM), 0);
}

/* It leaves no signal behind that would end the process. */
START_TEST(a_signal_ends_it_cleanly)
{
	sigset_t mask;

	script = _i ? interrupt : terminate;
	ck_assert_int_eq(fixture_crierctl(&f, "-s @ monitor"), 0);
	fixture_check_text(f.err, "");
	ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
	ck_assert(!sigismember(&mask, SIGINT) && !sigismember(&mask, SIGTERM));
}
END_TEST

static void leave(void)
{
	tell_fate(RELAY_SENT, false);
	control_close(f.control);
	f.control = NULL;
}

START_TEST(without_the_daemon_it_fails)
{
	char expected[128];

	script = leave;
	ck_assert_int_eq(fixture_crierctl(&f, "-s @ monitor"), 3);
	(void)snprintf(expected, sizeof(expected),
		"crierctl: no daemon answers on %s: it hung up\n", f.path);
	fixture_check_text(f.err, expected);
}
END_TEST

START_TEST(a_full_disk_ends_it)
{
	char *argv[] = { (char *)"crierctl", (char *)"-s", f.path,
		(char *)"monitor", NULL };
	FILE *full = fopen("/dev/full", "w"), *err;
	size_t size;

	script = everything;
	ck_assert_ptr_nonnull(full);
	err = open_memstream(&f.err, &size);
	ck_assert_int_eq(control_cli(4, argv, "1", full, err), 1);
	(void)fclose(err);
	(void)fclose(full);
	ck_assert_ptr_nonnull(strstr(f.err, "the output cannot be written"));
}
END_TEST

/* ---- other daemons ---- */

struct impostor {
	int fd;
	const char *bytes;
};

static void *pretend(void *data)
{
	struct impostor *i = data;
	char waste[4096];
	int fd = accept(i->fd, NULL, NULL);

	(void)!read(fd, waste, sizeof(waste));
	(void)!write(fd, i->bytes, strlen(i->bytes));
	(void)close(fd);
	return NULL;
}

static const struct {
	const char *bytes;
	int status;
	const char *out; /* without the times */
} impostors[] = {
	{ "{\"result\":{}}\n{\"params\":{\"event\":\"datagram\",\"time\":"
	  "\"2023-11-14T22:13:20.5Z\",\"lost\":7,\"group\":\"g\\u001b[31m\","
	  "\"source\":\"a\",\"port\":1,\"payload\":\"?\"}}\n",
		3,
		"22:13:20.5 7 events were lost, since they are read too "
		"slowly\n"
		"22:13:20.5 g\\x1b[31m  (no device) a:1: , , 0 bytes\n" },
	{ "{\"result\":{}}\n{\"params\":{\"time\":\"now\"}}\n", 3,
		"now configuration 0 is in use\n" },
	{ "{\"result\":{}}\n{\"params\":5}\n", 3, "" },
	{ "{\"result\":{}}\nnothing\n", 3, "" },
	{ "{\"result\":{}}\n[]", 3, "" },
	{ "{\"error\":{\"message\":\"not here\"}}\n", 1, "" },
};

/* What lacks everything shows little; hostile names are escaped. */
START_TEST(a_strange_stream_is_shown_as_far_as_it_goes)
{
	struct impostor i = { .bytes = impostors[_i].bytes };
	pthread_t other;
	char path[80], words[128];

	(void)snprintf(path, sizeof(path), "%s.other", f.path);
	(void)snprintf(words, sizeof(words), "-s %s monitor", path);
	i.fd = fixture_bound_socket(path, SOCK_STREAM, 1);
	ck_assert_int_eq(pthread_create(&other, NULL, pretend, &i), 0);
	ck_assert_int_eq(fixture_crierctl(&f, words), impostors[_i].status);
	ck_assert_int_eq(pthread_join(other, NULL), 0);
	fixture_check_text(f.out, impostors[_i].out);
	(void)close(i.fd);
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("control/monitor");
	TCase *t = tcase_create("monitor");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 30);
	tcase_add_test(t, all_that_happens_is_shown);
	tcase_add_test(t, drops_are_shown_with_their_rules);
	tcase_add_test(t, payloads_stand_below_their_lines);
	tcase_add_test(t, groups_are_chosen_by_the_daemon);
	tcase_add_test(t, what_comes_and_goes_is_shown);
	tcase_add_test(t, entries_are_chosen_by_type);
	tcase_add_test(t, announcements_are_chosen_by_interface);
	tcase_add_test(t, an_unknown_group_is_refused);
	tcase_add_loop_test(t, interfaces_are_chosen_here, 0, 2);
	tcase_add_test(t, json_is_a_notification_a_line);
	tcase_add_loop_test(t, a_signal_ends_it_cleanly, 0, 2);
	tcase_add_test(t, without_the_daemon_it_fails);
	tcase_add_test(t, a_full_disk_ends_it);
	tcase_add_loop_test(t, a_strange_stream_is_shown_as_far_as_it_goes, 0,
		sizeof(impostors) / sizeof(impostors[0]));
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return fixture_main(suite());
}
