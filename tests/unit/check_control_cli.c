/*
 * crierctl's tables and messages, against a daemon that runs in a thread of
 * its own.
 */
#include "control_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct fixture f;
static pthread_t thread;
static uv_async_t stop;

static void stop_now(uv_async_t *handle)
{
	control_close(f.control);
	f.control = NULL;
	uv_close((uv_handle_t *)handle, NULL);
}

static void *run_loop(void *data)
{
	(void)data;
	(void)uv_run(&f.loop, UV_RUN_DEFAULT);
	return NULL;
}

static void setup(void)
{
	fixture_open(&f);
	fixture_serve(&f);
	ck_assert_int_eq(uv_async_init(&f.loop, &stop, stop_now), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, run_loop, NULL), 0);
}

static void teardown(void)
{
	ck_assert_int_eq(uv_async_send(&stop), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	fixture_close(&f);
}

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

START_TEST(status_is_a_summary)
{
	char first[64];

	ck_assert_int_eq(fixture_crierctl(&f, "-s @ status"), 0);
	fixture_check_text(f.err, "");
	(void)snprintf(first, sizeof(first),
		"crier 0.1.0, process %d, up 0 s\n", (int)getpid());
	ck_assert(begins(f.out, first));
	fixture_check_text(f.out + strlen(first),
		"  configuration  /etc/crier/crierd.yaml, generation 1, loaded "
		"2023-11-14T22:13:20Z\n"
		"  standby        on, for groups that have it\n"
		"  groups         2\n"
		"  announcements  2\n"
		"  segments       2 joined, 2 absent, 1 down, 2 failed\n"
		"  received       100 datagrams, 10000 bytes\n"
		"  sent           90 datagrams, 9000 bytes\n"
		"  dropped        10: loop 10\n"
		"\n"
		"  LIMIT       USED  BOUND  REFUSED  EVICTED\n"
		"  discovered     0  65536        3        2\n"
		"  flows          2   1024        1        5\n"
		"  clients        1      4        0        0\n"
		"  remembered     4  65536        0        9\n");
}
END_TEST

START_TEST(interfaces_are_a_table)
{
	ck_assert_int_eq(fixture_crierctl(&f, "-s @ interfaces"), 0);
	fixture_check_text(f.out,
		"INTERFACE  DEVICE  INDEX  STATE    MTU  ADDRESSES\n"
		"lan        eth\xef\xbf\xbd        7  up      1500  "
		"10.0.0.1/24\n"
		"                                        "
		"fe80::1%eth\xef\xbf\xbd/64\n"
		"iot        eth\xef\xbf\xbd        7  failed  1500  -\n"
		"  eth is taken by lan\n"
		"guest      -           -  absent     -  -\n");
}
END_TEST

#define SEGMENTS                                                               \
	"    INTERFACE  DEVICE   STATE   DIRECTION        TTL  RECEIVED  "     \
	"SENT  DROPPED  REASONS\n"                                             \
	"    lan        br-lan   joined  both             255        12     "  \
	"3        7  own 5, kernel 2\n"                                        \
	"    iot        eth0.20  failed  from       decrement         0     "  \
	"0        0\n"                                                         \
	"      cannot join: No buffer space available\n"                       \
	"    guest      -        absent  to              keep         0     "  \
	"0        0\n"

START_TEST(groups_show_segments_and_why_they_drop)
{
	ck_assert_int_eq(fixture_crierctl(&f, "-s @ groups"), 0);
	fixture_check_text(f.out,
		"mdns (preset mdns)\n"
		"  224.0.0.251:5353\n" SEGMENTS "  [ff02::fb]:5353\n" SEGMENTS
		"\n"
		"beacon\n"
		"  239.255.42.42:4242\n"
		"    INTERFACE  DEVICE  STATE  DIRECTION  TTL  RECEIVED  SENT  "
		"DROPPED  REASONS\n"
		"    lan        br-lan  down   both       255         0     0  "
		"      0\n");
	ck_assert_int_eq(fixture_crierctl(&f, "-s @ groups beacon"), 0);
	ck_assert(begins(f.out, "beacon\n"));
	ck_assert_int_eq(fixture_crierctl(&f, "-s @ groups becon"), 1);
	fixture_check_text(f.out, "");
	fixture_check_text(f.err,
		"crierctl: groups: no group \"becon\", did you mean "
		"\"beacon\"?\n");
}
END_TEST

START_TEST(explain_takes_all_that_the_method_takes)
{
	ck_assert_int_eq(
		fixture_crierctl(&f,
			"-s @ explain --group mdns --from lan --source "
			"192.0.2.7 --port 5353 --destination=224.0.0.251 "
			"--ttl 255 --size 100 --kind search --type a "
			"--name=b --type c"),
		0);
	fixture_check_text(f.err, "");
	fixture_check_text(f.out,
		"INTERFACE  DEVICE   VERDICT     RULE\n"
		"iot        eth0.20  sent        nothing speaks against it\n"
		"guest      -        no_address  -\n");
	ck_assert_str_eq(f.relay->asked_names, "a,b,c");
	ck_assert_uint_eq(f.relay->asked.port, 5353);
	ck_assert_int_eq(f.relay->asked.ttl, 255);
	ck_assert_uint_eq(f.relay->asked.size, 100);
	ck_assert_int_eq(f.relay->asked.kind, PROTO_SEARCH);
	ck_assert_int_eq(fixture_crierctl(&f,
				 "-s @ explain --group mdns --interface lan "
				 "--source 192.0.2.7"),
		0);
}
END_TEST

START_TEST(flows_are_a_table_with_a_hint)
{
	ck_assert_int_eq(fixture_crierctl(&f, "-s @ flows"), 0);
	fixture_check_text(f.out,
		"GROUP   INTERFACE  DEVICE    PORT  SEARCHES  ANSWERS  EXPIRES  "
		"SEARCHERS\n"
		"mdns    iot        eth0.20  32001         3        2     10 s  "
		"192.0.2.7:50000, [fe80::7%br-lan]:1900\n"
		"beacon  lan        br-lan   32002         1        0      1 s "
		" 192.0.2.8:50001\n"
		"\n"
		"Searches without an answer: where devices should have "
		"answered, a firewall may\n"
		"drop what comes to the flow's port. Fix the ports in "
		"crierd.yaml and open them:\n"
		"  flow-ports: 32000-33023\n"
		"  nft add rule inet filter input udp dport 32000-33023 "
		"accept\n");
}
END_TEST

/* They come by no port. */
START_TEST(flows_to_other_sites_need_no_hint_either)
{
	fixture_flow_outside(f.relay, "cabin");
	ck_assert_int_eq(fixture_crierctl(&f, "-s @ flows"), 0);
	fixture_check_text(f.out,
		"GROUP  INTERFACE    DEVICE    PORT  SEARCHES  ANSWERS  "
		"EXPIRES  SEARCHERS\n"
		"mdns   iot          eth0.20  32001         3        2     "
		"10 s  192.0.2.7:50000, [fe80::7%br-lan]:1900\n"
		"mdns   other sites  -            -         1        0      "
		"1 s  @cabin, [2001:db8::7]:1900@cabin\n");
}
END_TEST

START_TEST(answered_flows_need_no_hint)
{
	f.relay->n_flows = 1;
	ck_assert_int_eq(fixture_crierctl(&f, "-s @ flows"), 0);
	fixture_check_text(f.out,
		"GROUP  INTERFACE  DEVICE    PORT  SEARCHES  ANSWERS  EXPIRES  "
		"SEARCHERS\n"
		"mdns   iot        eth0.20  32001         3        2     10 s  "
		"192.0.2.7:50000, [fe80::7%br-lan]:1900\n");
	f.relay->n_flows = 0;
	ck_assert_int_eq(fixture_crierctl(&f, "-s @ flows"), 0);
	fixture_check_text(f.out, "No search waits for answers.\n");
}
END_TEST

START_TEST(presets_are_a_table_with_notes)
{
	ck_assert_int_eq(fixture_crierctl(&f, "-s @ presets"), 0);
	fixture_check_text(f.out,
		"PRESET  BUILT-IN  ADDRESSES              PORTS       TTL  "
		"REPLIES\n"
		"mdns    yes       224.0.0.251, ff02::fb  5353        255  "
		"proxy\n"
		"mine    no        255.255.255.255        5353, 6666    -  "
		"none\n"
		"  open port 6666\n");
}
END_TEST

START_TEST(changes_say_what_is_now)
{
	ck_assert_int_eq(fixture_crierctl(&f, "-s @ reload"), 0);
	fixture_check_text(f.out, "Configuration 2 is in use.\n");
	ck_assert_int_eq(fixture_crierctl(&f, "-s @ standby off"), 0);
	fixture_check_text(f.out, "Standby is off.\n");
	ck_assert(!f.relay->standby);
	ck_assert_int_eq(fixture_crierctl(&f, "-s @ standby on"), 0);
	fixture_check_text(f.out, "Standby is on.\n");
	ck_assert_int_eq(fixture_crierctl(&f, "-s @ log-level debug"), 0);
	fixture_check_text(f.out, "The log level is debug.\n");
	ck_assert_int_eq(fixture_crierctl(&f, "-s @ log-level loud"), 1);
	fixture_check_text(f.err,
		"crierctl: log-level: \"level\" is err, warning, notice, info "
		"or debug\n");
}
END_TEST

START_TEST(a_bad_configuration_is_told_line_by_line)
{
	f.reload_result = -EINVAL;
	ck_assert_int_eq(fixture_crierctl(&f, "-s @ reload"), 1);
	fixture_check_text(f.out, "");
	fixture_check_text(f.err,
		"crierctl: reload: the configuration is not valid, 2 errors: "
		"the old one stays\n"
		"/etc/crier/crierd.yaml:14:10: groups.beacon.ttl: 300 is out "
		"of range, 1 to 255\n"
		"/etc/crier/crierd.yaml:20:1: grups: unknown \\x1b[31m key\n");
}
END_TEST

START_TEST(json_is_the_bare_result)
{
	json_t *result;

	ck_assert_int_eq(fixture_crierctl(&f, "-s @ --json groups beacon"), 0);
	ck_assert(begins(f.out, "[\n  {\n    \"name\": \"beacon\""));
	ck_assert_int_eq(f.out[strlen(f.out) - 1], '\n');
	result = json_loads(f.out, 0, NULL);
	ck_assert_uint_eq(json_array_size(result), 1);
	json_decref(result);
	ck_assert_int_eq(
		fixture_crierctl(&f, "status --json --socket=@ -s @"), 0);
	ck_assert_int_eq(f.out[0], '{');
}
END_TEST

START_TEST(nothing_is_coloured_but_on_a_terminal)
{
	ck_assert_int_eq(setenv("TERM", "xterm", 1), 0);
	ck_assert_int_eq(fixture_crierctl(&f, "-s @ groups"), 0);
	ck_assert_ptr_null(strchr(f.out, '\x1b'));
}
END_TEST

/* Runs `groups` on a terminal; what it shows to `shown`. */
static void run_on_terminal(char *shown, size_t size)
{
	char *argv[] = { (char *)"crierctl", (char *)"-s", f.path,
		(char *)"groups", NULL };
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;
	FILE *terminal;
	size_t shown_size = 0;
	ssize_t n;

	ck_assert_int_ge(master, 0);
	ck_assert_int_eq(grantpt(master) | unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	terminal = fdopen(slave, "w");
	ck_assert_ptr_nonnull(terminal);
	ck_assert_int_eq(control_cli(4, argv, "1", terminal, stderr), 0);
	(void)fclose(terminal);
	/* EIO once the other end is closed and all is read. */
	while ((n = read(master, shown + shown_size, size - 1 - shown_size)) >
		0)
		shown_size += (size_t)n;
	shown[shown_size] = '\0';
	(void)close(master);
}

START_TEST(a_terminal_is_coloured_unless_told_not_to)
{
	char shown[4096];

	ck_assert_int_eq(setenv("TERM", "xterm", 1), 0);
	ck_assert_int_eq(unsetenv("NO_COLOR"), 0);
	run_on_terminal(shown, sizeof(shown));
	ck_assert_ptr_nonnull(strstr(shown, "\x1b[32mjoined\x1b[0m"));
	ck_assert_ptr_nonnull(strstr(shown, "\x1b[31mfailed\x1b[0m"));
	ck_assert_ptr_nonnull(strstr(shown, "\x1b[33mabsent\x1b[0m"));
	ck_assert_int_eq(setenv("NO_COLOR", "1", 1), 0);
	run_on_terminal(shown, sizeof(shown));
	ck_assert_ptr_null(strchr(shown, '\x1b'));
	ck_assert_int_eq(setenv("NO_COLOR", "", 1), 0);
	ck_assert_int_eq(setenv("TERM", "dumb", 1), 0);
	run_on_terminal(shown, sizeof(shown));
	ck_assert_ptr_null(strchr(shown, '\x1b'));
}
END_TEST

START_TEST(a_full_disk_is_a_failure)
{
	char *argv[] = { (char *)"crierctl", (char *)"-s", f.path,
		(char *)"groups", NULL };
	FILE *full = fopen("/dev/full", "w");
	size_t size;

	ck_assert_ptr_nonnull(full);
	FILE *err_file = open_memstream(&f.err, &size);
	ck_assert_int_eq(control_cli(4, argv, "1", full, err_file), 1);
	(void)fclose(err_file);
	fixture_check_text(f.err,
		"crierctl: the output cannot be written: No space left on "
		"device\n");
	(void)fclose(full);
}
END_TEST

START_TEST(a_full_daemon_says_why)
{
	int fds[4];

	for (size_t i = 0; i < 4; i++) {
		struct sockaddr_un sa;

		fixture_address(&sa, f.path);
		fds[i] = socket(AF_UNIX, SOCK_STREAM, 0);
		ck_assert_int_eq(
			connect(fds[i], (struct sockaddr *)&sa, sizeof(sa)), 0);
	}
	ck_assert_int_eq(fixture_crierctl(&f, "-s @ status"), 1);
	fixture_check_text(
		f.err, "crierctl: status: too many clients are connected\n");
	for (size_t i = 0; i < 4; i++)
		(void)close(fds[i]);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("control/cli");
	TCase *t = tcase_create("cli");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, status_is_a_summary);
	tcase_add_test(t, interfaces_are_a_table);
	tcase_add_test(t, groups_show_segments_and_why_they_drop);
	tcase_add_test(t, explain_takes_all_that_the_method_takes);
	tcase_add_test(t, flows_are_a_table_with_a_hint);
	tcase_add_test(t, flows_to_other_sites_need_no_hint_either);
	tcase_add_test(t, answered_flows_need_no_hint);
	tcase_add_test(t, presets_are_a_table_with_notes);
	tcase_add_test(t, changes_say_what_is_now);
	tcase_add_test(t, a_bad_configuration_is_told_line_by_line);
	tcase_add_test(t, json_is_the_bare_result);
	tcase_add_test(t, nothing_is_coloured_but_on_a_terminal);
	tcase_add_test(t, a_terminal_is_coloured_unless_told_not_to);
	tcase_add_test(t, a_full_disk_is_a_failure);
	tcase_add_test(t, a_full_daemon_says_why);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return fixture_main(suite());
}
