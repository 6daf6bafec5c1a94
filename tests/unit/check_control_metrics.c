/*
 * The method `metrics`, and Prometheus' text format.
 */
#include "control_fixture.h"

#include "control/exposition.h"

#include <stdlib.h>
#include <string.h>

static struct fixture f;
static json_t *answer;
static const char *text; /* of the last read_metrics() */

static void setup(void)
{
	fixture_open(&f);
}

static void teardown(void)
{
	json_decref(answer);
	answer = NULL;
	fixture_close(&f);
}

static void read_metrics(void)
{
	json_decref(answer);
	answer = fixture_call(&f, "metrics", NULL);
	text = json_string_value(json_object_get(answer, "result"));
	ck_assert_ptr_nonnull(text);
}

static void check_line(const char *line)
{
	char whole[512];

	(void)snprintf(whole, sizeof(whole), "\n%s\n", line);
	ck_assert_msg(strstr(text, whole) != NULL, "%s\nlacks\n%s", text, line);
}

#define LAN                                                                    \
	"{group=\"mdns\",interface=\"lan\",device=\"br-lan\","                 \
	"address=\"224.0.0.251\",port=\"5353\""

static const char *const lines[] = {
	"crier_build_info{version=\"0.1.0\"} 1",
	"# HELP crier_start_time_seconds When the daemon started, in seconds "
	"since 1970.",
	"# TYPE crier_start_time_seconds gauge",
	"crier_start_time_seconds 1700000000",
	"crier_config_generation 1",
	"crier_config_last_reload_timestamp_seconds 1700000000",
	"crier_standby 1",
	"# TYPE crier_received_datagrams_total counter",
	"crier_received_datagrams_total 100",
	"crier_received_bytes_total 10000",
	"crier_sent_datagrams_total 90",
	"crier_sent_bytes_total 9000",
	"crier_dropped_datagrams_total{reason=\"own\"} 0",
	"crier_dropped_datagrams_total{reason=\"loop\"} 10",
	"crier_dropped_datagrams_total{reason=\"kernel\"} 0",
	"crier_segments{state=\"joined\"} 2",
	"crier_segments{state=\"no-address\"} 0",
	"# TYPE crier_segment_received_datagrams_total counter",
	"crier_segment_received_datagrams_total" LAN "} 12",
	"crier_segment_received_bytes_total" LAN "} 1200",
	"crier_segment_sent_datagrams_total" LAN "} 3",
	"crier_segment_sent_bytes_total" LAN "} 300",
	"crier_segment_dropped_datagrams_total" LAN ",reason=\"own\"} 5",
	"crier_segment_dropped_datagrams_total" LAN ",reason=\"kernel\"} 2",
	"crier_segment_received_datagrams_total{group=\"mdns\","
	"interface=\"guest\",device=\"\",address=\"ff02::fb\",port=\"5353\"} 0",
	"crier_flows 2",
	"crier_limit_used{limit=\"flows\"} 2",
	"crier_discovered_entries{group=\"mdns\",interface=\"lan\","
	"device=\"eth0\"} 0",
	"crier_limit_bound{limit=\"clients\"} 4",
	"crier_limit_refused_total{limit=\"discovered\"} 3",
	"crier_limit_evicted_total{limit=\"remembered\"} 9",
	"crier_limit_bound{limit=\"announcements\"} 1024",
	"crier_announcements{state=\"active\"} 1",
	"crier_announcements{state=\"no-group\"} 0",
	"# TYPE crier_announcement_sent_total counter",
	"crier_announcement_sent_total{name=\"gate\",group=\"beacon\"} 12",
};

START_TEST(everything_that_is_counted_is_there)
{
	read_metrics();
	check_line(lines[_i]);
}
END_TEST

static bool begins(const char *line, const char *with)
{
	return strncmp(line, with, strlen(with)) == 0;
}

/* The name that a sample or a comment is of. */
static size_t name_length(const char *name)
{
	return strcspn(name, "{ ");
}

/* Each family is told of once, in front of its samples; counters, and only
 * those, end with _total. */
START_TEST(families_stand_together)
{
	char copy[65536], seen[8192] = " ", name[128] = "", word[160];
	char *line, *rest;

	read_metrics();
	ck_assert_uint_lt(strlen(text), sizeof(copy));
	(void)stpcpy(copy, text);
	for (line = strtok_r(copy, "\n", &rest); line;
		line = strtok_r(NULL, "\n", &rest)) {
		if (begins(line, "# HELP ")) {
			line += strlen("# HELP ");
			(void)snprintf(name, sizeof(name), "%.*s",
				(int)name_length(line), line);
			(void)snprintf(word, sizeof(word), " %s ", name);
			ck_assert_ptr_null(strstr(seen, word));
			strcat(strcat(seen, name), " ");
			line = strtok_r(NULL, "\n", &rest);
			(void)snprintf(word, sizeof(word), "# TYPE %s %s", name,
				strstr(name, "_total") ? "counter" : "gauge");
			ck_assert_str_eq(line, word);
			continue;
		}
		ck_assert_uint_eq(name_length(line), strlen(name));
		ck_assert(begins(line, name));
	}
	ck_assert_int_eq(text[strlen(text) - 1], '\n');
}
END_TEST

START_TEST(a_relay_alone_has_metrics_too)
{
	f.handles.discovery = NULL;
	f.handles.announce = NULL;
	read_metrics();
	ck_assert_ptr_null(strstr(text, "limit=\"discovered\""));
	ck_assert_ptr_null(strstr(text, "crier_announcement"));
	check_line("crier_flows 2");
}
END_TEST

/* ---- labels ---- */

static const struct {
	const char *value, *written;
} labels[] = {
	{ "", "" },
	{ "a\\b\"c\nd", "a\\\\b\\\"c\\nd" },
	{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
	{ "a\xff\x62\xc3", "a\xef\xbf\xbd\x62\xef\xbf\xbd" },
	/* A terminal may be shown it: crierctl prints it as it is. */
	{ "\x1b[31m\t\xe2\x80\xae",
		"\xef\xbf\xbd[31m\xef\xbf\xbd\xef\xbf\xbd" },
	{ "}{,=", "}{,=" },
};

START_TEST(labels_are_escaped)
{
	const struct exposition_label label[] = { { "a", "x" },
		{ "b", labels[_i].value } };
	struct exposition e;
	char expected[128], *got;
	size_t size;

	ck_assert_int_eq(exposition_begin(&e), 0);
	exposition_family(&e, "f", "gauge", "Help.");
	exposition_sample(&e, label, 2, UINT64_MAX);
	got = exposition_end(&e, &size);
	(void)snprintf(expected, sizeof(expected),
		"# HELP f Help.\n# TYPE f gauge\n"
		"f{a=\"x\",b=\"%s\"} 18446744073709551615\n",
		labels[_i].written);
	ck_assert_str_eq(got, expected);
	ck_assert_uint_eq(size, strlen(expected));
	free(got);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("control/metrics");
	TCase *t = tcase_create("metrics");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, everything_that_is_counted_is_there, 0,
		sizeof(lines) / sizeof(lines[0]));
	tcase_add_test(t, families_stand_together);
	tcase_add_test(t, a_relay_alone_has_metrics_too);
	tcase_add_loop_test(
		t, labels_are_escaped, 0, sizeof(labels) / sizeof(labels[0]));
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return fixture_main(suite());
}
