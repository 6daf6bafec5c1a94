/*
 * Where it is shown what clients report of the sites that they join.
 */
#include "control_fixture.h"

#include "control/show.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct fixture f;

time_t __wrap_time(time_t *ret);

time_t __wrap_time(time_t *ret)
{
	if (ret)
		*ret = 1700000000; /* 2023-11-14T22:13:20Z */
	return 1700000000;
}

static void setup(void)
{
	fixture_open(&f);
}

static void teardown(void)
{
	fixture_close(&f);
}

static void report(const char *params, const char *result)
{
	fixture_check_result(&f, "sites", params, result);
}

/* What a report begins with. */
#define OF(site, broker, state)                                                \
	"{\"site\":\"" site "\",\"broker\":\"" broker "\",\"state\":\"" state  \
	"\""
#define HOME OF("home", "mqtts://hub:8883", "connected")

static void check_metrics(const char *const lines[], bool there)
{
	json_t *answer = fixture_call(&f, "metrics", NULL);
	const char *text = json_string_value(json_object_get(answer, "result"));
	char whole[256];

	ck_assert_ptr_nonnull(text);
	for (; *lines; lines++) {
		(void)snprintf(whole, sizeof(whole), "\n%s\n", *lines);
		ck_assert_msg((strstr(text, whole) != NULL) == there, "%s\n%s",
			text, *lines);
	}
	json_decref(answer);
}

START_TEST(metrics_have_sites_and_brokers)
{
	static const char *const lines[] = {
		"# TYPE crier_broker_connected gauge",
		"crier_broker_connected{broker=\"a\\\\b\",site=\"home\"} 1",
		"crier_broker_own_entries{broker=\"a\\\\b\",site=\"home\"} 1",
		"crier_broker_queued{broker=\"a\\\\b\",site=\"home\"} 2",
		"# TYPE crier_broker_lost_total counter",
		"crier_broker_lost_total{broker=\"a\\\\b\",site=\"home\"} 3",
		"crier_broker_published_total{broker=\"a\\\\b\",site=\"home\"}"
		" 4",
		"crier_broker_taken_total{broker=\"a\\\\b\",site=\"home\"} 5",
		"# TYPE crier_site_online gauge",
		"crier_site_online{site=\"hut\",seen_by=\"home\","
		"broker=\"a\\\\b\"} 1",
		"crier_site_entries{site=\"hut\",seen_by=\"home\","
		"broker=\"a\\\\b\"} 6",
		"crier_site_taken_total{site=\"hut\",seen_by=\"home\","
		"broker=\"a\\\\b\"} 7",
		"# TYPE crier_site_dropped_total counter",
		"crier_site_dropped_total{site=\"hut\",seen_by=\"home\","
		"broker=\"a\\\\b\"} 8",
		NULL,
	};

	check_metrics(lines, false);
	report(OF("home", "a\\\\b",
		       "connected") ",\"own\":1,\"queued\":2,"
				    "\"lost\":3,\"published\":4,\"taken\":5,\"sites\":[{\"site\":"
				    "\"hut\",\"online\":true,\"entries\":6,\"taken\":7,"
				    "\"dropped\":8}]}",
		"{\"sites\":1}");
	check_metrics(lines, true);
}
END_TEST

static void check_printed(const char *expected)
{
	json_t *answer = fixture_call(&f, "status", NULL), *sites;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	sites = json_object_get(json_object_get(answer, "result"), "sites");
	ck_assert_int_eq(show_sites(sites, out, false), 0);
	ck_assert_int_eq(fclose(out), 0);
	fixture_check_text(text, expected);
	free(text);
	json_decref(answer);
}

START_TEST(people_are_shown_tables)
{
	check_printed("");
	report(OF("home", "mqtts://hub:8883",
		       "waiting") ",\"error\":"
				  "\"bad\\u001b[31m\",\"own\":7}",
		"{\"sites\":0}");
	check_printed("\n"
		      "  SITE  BROKER            STATE    SINCE"
		      "                 OWN  QUEUED  LOST  PUBLISHED  TAKEN\n"
		      "  home  mqtts://hub:8883  waiting  2023-11-14T22:13:20Z"
		      "    7       0     0          0      0\n"
		      "    bad\\x1b[31m\n");
	report(HOME ",\"own\":7,\"sites\":[{\"site\":\"hut\",\"online\":true,"
		    "\"entries\":12,\"taken\":300,\"last_seen\":"
		    "\"2026-11-29T21:00:00Z\"},{\"site\":\"cabin\"}]}",
		"{\"sites\":2}");
	check_printed(
		"\n"
		"  SITE  BROKER            STATE      SINCE"
		"                 OWN  QUEUED  LOST  PUBLISHED  TAKEN\n"
		"  home  mqtts://hub:8883  connected  "
		"2023-11-14T22:13:20Z"
		"    7       0     0          0      0\n"
		"\n"
		"  OTHER SITE  STATE    ENTRIES  TAKEN  DROPPED  LAST SEEN"
		"             SEEN BY\n"
		"  cabin       offline        0      0        0  -"
		"                     home\n"
		"  hut         online        12    300        0  "
		"2026-11-29T21:00:00Z  home\n");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("control sites, shown");
	TCase *t = tcase_create("shown");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, metrics_have_sites_and_brokers);
	tcase_add_test(t, people_are_shown_tables);
	suite_add_tcase(s, t);
	return fixture_main(s);
}
