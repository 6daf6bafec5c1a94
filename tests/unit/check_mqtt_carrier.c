/*
 * What is carried between crierd and the broker.
 */
#include "mqtt_stage.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <syslog.h>
#include <unistd.h>

#define SITE(more) "site: home\nbrokers: mqtts://broker.example\n" more
#define GROUPS                                                                 \
	"groups:\n  raw:\n  ssdp: { take: { from: [\"*\", \"!bad\"] } }\n"
#define DECODERS "raw=none,ssdp=ssdp"

static struct stage s;

static void open_home(void)
{
	stage_open(&s, SITE(GROUPS));
	stage_ready(&s, DECODERS);
}

static void close_stage(void)
{
	stage_close(&s);
}

/* ---- outwards ---- */

START_TEST(publishes_an_announcement_retained_for_its_lifetime)
{
	const struct stage_message *m;

	stage_heard(&s, "raw", "announcement", "hello",
		"[{'key':'10.0.1.5:1900','expires_in':90,'goodbye':false}]",
		NULL);
	m = stage_said(&s, "crier/1/home/raw/announce/10.0.1.5%3A1900");
	ck_assert_ptr_nonnull(m);
	ck_assert(m->retain);
	ck_assert_int_eq(m->qos, 1);
	ck_assert_uint_eq(m->size, 5);
	ck_assert_mem_eq(m->payload, "hello", 5);
	ck_assert_uint_eq(m->m.expires_s, 90);
	ck_assert_str_eq(m->m.hops, "home");
	ck_assert_str_eq(m->m.segment, "lan");
	ck_assert_str_eq(m->m.kind, "announcement");
	ck_assert_str_eq(m->m.content, "application/octet-stream");
	ck_assert_uint_eq(m->m.digest, topic_digest("hello", 5));
	ck_assert_uint_eq(m->m.channel_port, 1900);
}
END_TEST

START_TEST(says_the_goodbye_and_then_that_there_is_nothing)
{
	static const char topic[] = "crier/1/home/raw/announce/k";

	stage_heard(&s, "raw", "announcement", "hello",
		"[{'key':'k','expires_in':90,'goodbye':false}]", NULL);
	stage_clear(&s);
	stage_heard(&s, "raw", "announcement", "bye",
		"[{'key':'k','expires_in':0,'goodbye':true}]", NULL);
	ck_assert_uint_eq(s.n_said, 2);
	ck_assert_str_eq(s.said[0].topic, topic);
	ck_assert(!s.said[0].retain);
	ck_assert(s.said[0].m.goodbye);
	ck_assert_mem_eq(s.said[0].payload, "bye", 3);
	ck_assert_str_eq(s.said[1].topic, topic);
	ck_assert(s.said[1].retain);
	ck_assert_uint_eq(s.said[1].size, 0);
}
END_TEST

START_TEST(forgets_what_crierd_says_has_expired)
{
	stage_heard(&s, "raw", "announcement", "hello",
		"[{'key':'k','expires_in':90,'goodbye':false}]", NULL);
	stage_clear(&s);
	/* What came from another site is that site's to end. */
	stage_event(&s, "{'event':'expired','group':'raw','key':'k',"
			"'site':'cabin'}");
	ck_assert_uint_eq(s.n_said, 0);
	stage_event(&s, "{'event':'expired','group':'raw','key':'k',"
			"'site':null}");
	ck_assert_uint_eq(s.n_said, 1);
	ck_assert(s.said[0].retain);
	ck_assert_uint_eq(s.said[0].size, 0);
}
END_TEST

START_TEST(keeps_the_newest_of_each_while_the_broker_is_away)
{
	const struct stage_message *m;

	stage_disconnect(&s);
	for (unsigned i = 0; i < 10; i++) {
		char text[8];

		(void)snprintf(text, sizeof(text), "say %u", i);
		stage_heard(&s, "raw", "announcement", text,
			"[{'key':'k','expires_in':90,'goodbye':false}]", NULL);
	}
	stage_heard(&s, "raw", "announcement", "short",
		"[{'key':'s','expires_in':5,'goodbye':false}]", NULL);
	stage_heard(&s, "raw", "announcement", "gone",
		"[{'key':'g','expires_in':90,'goodbye':false}]", NULL);
	stage_heard(&s, "raw", "announcement", "gone",
		"[{'key':'g','expires_in':0,'goodbye':true}]", NULL);
	ck_assert_uint_eq(s.n_said, 0);
	stage_wait(&s, 30000);
	stage_connect(&s);
	m = stage_said(&s, "crier/1/home/raw/announce/k");
	ck_assert_ptr_nonnull(m);
	ck_assert_mem_eq(m->payload, "say 9", 5);
	ck_assert_uint_eq(m->m.expires_s, 60);
	/* It has ended meanwhile. */
	ck_assert_ptr_null(stage_said(&s, "crier/1/home/raw/announce/s"));
	/* And this one must not live on where the broker knew it. */
	m = stage_said(&s, "crier/1/home/raw/announce/g");
	ck_assert_ptr_nonnull(m);
	ck_assert(m->m.goodbye);
	ck_assert_uint_eq(s.c->lost, 0);
}
END_TEST

START_TEST(says_all_again_to_a_broker_that_is_back)
{
	const struct stage_message *m;

	stage_heard(&s, "raw", "announcement", "hello",
		"[{'key':'k','expires_in':90,'goodbye':false}]", NULL);
	stage_disconnect(&s);
	stage_clear(&s);
	stage_wait(&s, 1000);
	stage_connect(&s);
	m = stage_said(&s, "crier/1/home/raw/announce/k");
	ck_assert_ptr_nonnull(m);
	ck_assert_uint_eq(m->m.expires_s, 89);
	m = stage_said(&s, "crier/1/home/online");
	ck_assert_ptr_nonnull(m);
	ck_assert(m->retain);
	ck_assert_mem_eq(m->payload, "online", 6);
}
END_TEST

START_TEST(waits_for_a_broker_that_is_slow)
{
	s.window = 2;
	for (unsigned i = 0; i < 10; i++) {
		char entry[80];

		(void)snprintf(entry, sizeof(entry),
			"[{'key':'%u','expires_in':90,'goodbye':false}]", i);
		stage_heard(&s, "raw", "announcement", "x", entry, NULL);
	}
	ck_assert_uint_eq(s.n_said, 2);
	for (unsigned i = 0; i < 4; i++) {
		s.window = 2;
		s.broker.ready(s.broker.data);
	}
	ck_assert_uint_eq(s.n_said, 10);
	ck_assert_uint_eq(s.c->lost, 0);
}
END_TEST

START_TEST(counts_what_is_lost_since_it_is_worth_nothing_later)
{
	stage_disconnect(&s);
	stage_heard(&s, "raw", "other", "what", NULL, NULL);
	stage_heard(&s, "raw", "search", "who?", NULL, "7");
	ck_assert_uint_eq(s.c->lost, 2);
	stage_connect(&s);
	ck_assert_ptr_null(stage_said(&s, "crier/1/home/raw/datagram"));
	ck_assert_ptr_null(stage_said(&s, "crier/1/home/raw/search"));
}
END_TEST

START_TEST(publishes_nothing_of_groups_that_are_not_named)
{
	stage_heard(&s, "other", "announcement", "x",
		"[{'key':'k','expires_in':9,'goodbye':false}]", NULL);
	ck_assert_uint_eq(s.n_said, 0);
}
END_TEST

/* ---- inwards ---- */

START_TEST(relays_what_another_site_announces)
{
	struct message m = stage_from("cabin", "t1");
	const json_t *origin;
	struct stage_call *c;

	stage_message(&s, "crier/1/cabin/raw/announce/k", "hello", &m, true);
	c = stage_call(&s, "relay");
	ck_assert_ptr_nonnull(c);
	ck_assert_str_eq(stage_payload(c), "hello");
	ck_assert_str_eq(carrier_text(c->params, "group"), "raw");
	ck_assert_str_eq(carrier_text(c->params, "kind"), "announcement");
	origin = json_object_get(c->params, "origin");
	ck_assert_str_eq(carrier_text(origin, "site"), "cabin");
	ck_assert_str_eq(carrier_text(origin, "address"), "10.9.0.7");
	ck_assert_int_eq(
		json_integer_value(json_object_get(origin, "port")), 1900);
}
END_TEST

START_TEST(relays_the_same_hearing_once)
{
	struct message m = stage_from("cabin", "t1");

	stage_message(&s, "crier/1/cabin/raw/announce/k", "hello", &m, true);
	/* Another entry of the same datagram, and the broker come back. */
	stage_message(&s, "crier/1/cabin/raw/announce/l", "hello", &m, true);
	stage_disconnect(&s);
	stage_connect(&s);
	stage_message(&s, "crier/1/cabin/raw/announce/k", "hello", &m, true);
	stage_message(&s, "crier/1/cabin/raw/announce/l", "hello", &m, true);
	ck_assert_uint_eq(stage_calls(&s, "relay"), 1);
	m = stage_from("cabin", "t2");
	stage_message(&s, "crier/1/cabin/raw/announce/k", "hello", &m, false);
	ck_assert_uint_eq(stage_calls(&s, "relay"), 2);
}
END_TEST

START_TEST(relays_a_goodbye_and_forgets)
{
	struct message m = stage_from("cabin", "t1");

	stage_message(&s, "crier/1/cabin/raw/announce/k", "hello", &m, true);
	m = stage_from("cabin", "t2");
	m.goodbye = true;
	stage_message(&s, "crier/1/cabin/raw/announce/k", "bye", &m, false);
	stage_message(&s, "crier/1/cabin/raw/announce/k", "", NULL, true);
	ck_assert_uint_eq(stage_calls(&s, "relay"), 2);
	ck_assert_str_eq(stage_payload(stage_call(&s, "relay")), "bye");
	ck_assert_uint_eq(shelf_count(&s.c->known), 0);
	ck_assert_uint_eq(sites_find(&s.c->sites, "cabin")->entries, 0);
}
END_TEST

START_TEST(forgets_what_has_ended)
{
	struct message m = stage_from("cabin", "t1");

	stage_message(&s, "crier/1/cabin/raw/announce/k", "hello", &m, true);
	ck_assert_uint_eq(sites_find(&s.c->sites, "cabin")->entries, 1);
	stage_wait(&s, 119000);
	ck_assert_uint_eq(shelf_count(&s.c->known), 1);
	stage_wait(&s, 3000);
	ck_assert_uint_eq(shelf_count(&s.c->known), 0);
	ck_assert_uint_eq(sites_find(&s.c->sites, "cabin")->entries, 0);
}
END_TEST

START_TEST(never_takes_back_what_it_has_sent)
{
	struct message m = stage_from("cabin,home,farm", "t1");

	stage_message(&s, "crier/1/farm/raw/announce/k", "hello", &m, true);
	stage_message(&s, "crier/1/farm/raw/datagram", "hello", &m, false);
	ck_assert_uint_eq(stage_calls(&s, "relay"), 0);
	ck_assert_uint_eq(
		sites_find(&s.c->sites, "farm")->dropped[SITE_DROP_LOOP], 2);
}
END_TEST

START_TEST(drops_what_is_not_what_it_says)
{
	struct message m = stage_from("cabin", "t1");
	const struct site *site;

	/* Not the last of its hops. */
	stage_message(&s, "crier/1/farm/raw/announce/k", "hello", &m, true);
	site = sites_find(&s.c->sites, "farm");
	ck_assert_uint_eq(site->dropped[SITE_DROP_BAD], 1);
	/* Without a digest, or properties. */
	stage_message(&s, "crier/1/farm/raw/announce/k", "hello", NULL, true);
	ck_assert_uint_eq(site->dropped[SITE_DROP_BAD], 2);
	/* Not even a topic. */
	stage_message(&s, "crier/1/farm/raw/announce/", "x", &m, true);
	stage_message(&s, "crier/1/fa rm/raw/announce/k", "x", &m, true);
	stage_message(&s, "crier/2/farm/raw/announce/k", "x", &m, true);
	stage_message(&s, "other/1/farm/raw/announce/k", "x", &m, true);
	stage_message(&s, "crier/1/farm/none/announce/k", "x", &m, true);
	ck_assert_uint_eq(stage_calls(&s, "relay"), 0);
	ck_assert_uint_eq(shelf_count(&s.c->known), 0);
}
END_TEST

START_TEST(takes_only_from_those_that_it_is_to)
{
	struct message m = stage_from("bad", "t1");

	stage_message(&s, "crier/1/bad/ssdp/announce/k", "hello", &m, true);
	ck_assert_uint_eq(stage_calls(&s, "relay"), 0);
	ck_assert_uint_eq(
		sites_find(&s.c->sites, "bad")->dropped[SITE_DROP_FILTER], 1);
	stage_message(&s, "crier/1/bad/raw/announce/k", "hello", &m, true);
	ck_assert_uint_eq(stage_calls(&s, "relay"), 1);
}
END_TEST

START_TEST(waits_for_a_crierd_that_is_away)
{
	struct message m = stage_from("cabin", "t1");

	s.linked = false;
	s.link.disconnected(s.link.data, "the test says so");
	stage_message(&s, "crier/1/cabin/raw/announce/k", "old", &m, true);
	m = stage_from("cabin", "t2");
	stage_message(&s, "crier/1/cabin/raw/announce/k", "new", &m, true);
	ck_assert_uint_eq(stage_calls(&s, "relay"), 0);
	stage_link(&s, DECODERS);
	ck_assert_uint_eq(stage_calls(&s, "relay"), 1);
	ck_assert_str_eq(stage_payload(stage_call(&s, "relay")), "new");
}
END_TEST

START_TEST(a_flood_from_one_site_holds_up_no_other)
{
	struct message m = stage_from("loud", "t");
	char topic[80], heard[16];

	for (unsigned i = 0; i < 200; i++) {
		(void)snprintf(heard, sizeof(heard), "t%u", i);
		m = stage_from("loud", heard);
		(void)snprintf(topic, sizeof(topic),
			"crier/1/loud/raw/announce/%u", i);
		stage_message(&s, topic, "x", &m, true);
	}
	ck_assert_uint_lt(stage_calls(&s, "relay"), 200);
	m = stage_from("still", "t");
	stage_message(&s, "crier/1/still/raw/announce/k", "still", &m, true);
	stage_clear(&s);
	/* It is the turn of each in its time. */
	s.room = 18;
	s.link.ready(s.link.data);
	ck_assert_uint_eq(stage_calls(&s, "relay"), 2);
	ck_assert(strcmp(stage_payload(&s.calls[0]), "still") == 0 ||
		  strcmp(stage_payload(&s.calls[1]), "still") == 0);
}
END_TEST

START_TEST(heeds_the_rate_of_each_site)
{
	struct message m;
	char topic[80], heard[16];

	stage_close(&s);
	stage_open(&s, SITE("groups: { raw: { take: { rate: 10/s } } }\n"));
	stage_ready(&s, "raw=none");
	for (unsigned i = 0; i < 30; i++) {
		(void)snprintf(heard, sizeof(heard), "t%u", i);
		m = stage_from("loud", heard);
		(void)snprintf(topic, sizeof(topic),
			"crier/1/loud/raw/announce/%u", i);
		stage_message(&s, topic, "x", &m, true);
		stage_message(&s, "crier/1/loud/raw/datagram", "x", &m, false);
	}
	ck_assert_uint_eq(stage_calls(&s, "relay"), 10);
	/* What is announced waits, what is not is lost. */
	stage_wait(&s, 2500);
	ck_assert_uint_ge(stage_calls(&s, "relay"), 30);
	ck_assert_uint_eq(
		sites_find(&s.c->sites, "loud")->dropped[SITE_DROP_RATE], 20);
}
END_TEST

START_TEST(shows_which_sites_are_there)
{
	const json_t *sites;
	struct stage_call *c;

	stage_message(&s, "crier/1/cabin/online", "online", NULL, true);
	stage_wait(&s, 2000);
	c = stage_call(&s, "sites");
	ck_assert_ptr_nonnull(c);
	ck_assert_str_eq(carrier_text(c->params, "site"), "home");
	ck_assert_str_eq(carrier_text(c->params, "state"), "connected");
	sites = json_object_get(c->params, "sites");
	ck_assert_uint_eq(json_array_size(sites), 1);
	ck_assert(json_is_true(
		json_object_get(json_array_get(sites, 0), "online")));
	stage_message(&s, "crier/1/cabin/online", "offline", NULL, false);
	stage_wait(&s, 2000);
	sites = json_object_get(stage_call(&s, "sites")->params, "sites");
	ck_assert(json_is_false(
		json_object_get(json_array_get(sites, 0), "online")));
}
END_TEST

START_TEST(says_that_it_is_there_where_an_old_will_says_not)
{
	ck_assert_str_eq(s.will, "crier/1/home/online");
	stage_message(&s, "crier/1/home/online", "offline", NULL, false);
	ck_assert_ptr_nonnull(stage_said(&s, "crier/1/home/online"));
	ck_assert_mem_eq(s.said[0].payload, "online", 6);
}
END_TEST

/* It was told of, and nobody listened. */
START_TEST(logs_what_an_operator_should_know_of_the_broker)
{
	int was = dup(STDERR_FILENO), fd = memfd_create("log", 0);
	char text[256] = "";

	ck_assert_int_ge(fd, 0);
	service_log_init(&s.log, LOG_WARNING);
	(void)dup2(fd, STDERR_FILENO);
	s.broker.warned(s.broker.data, "nothing is verified");
	(void)dup2(was, STDERR_FILENO);
	ck_assert_int_gt(pread(fd, text, sizeof(text) - 1, 0), 0);
	ck_assert_ptr_nonnull(strstr(text, "nothing is verified"));
	(void)close(fd);
	(void)close(was);
}
END_TEST

START_TEST(subscribes_to_those_alone_that_are_named)
{
	stage_close(&s);
	stage_open(&s, SITE("groups: { raw: { take: { from: [a, b] }, "
			    "searches: false } }\n"));
	stage_link(&s, "raw=none");
	stage_connect(&s);
	ck_assert(stage_has_pattern(&s, "crier/1/home/#"));
	ck_assert(stage_has_pattern(&s, "crier/1/a/raw/announce/+"));
	ck_assert(stage_has_pattern(&s, "crier/1/b/raw/datagram"));
	ck_assert(!stage_has_pattern(&s, "crier/1/a/raw/search"));
	ck_assert(!stage_has_pattern(&s, "crier/1/+/raw/announce/+"));
}
END_TEST

START_TEST(leaves_out_a_group_whose_filters_mean_nothing)
{
	struct message m = stage_from("cabin", "t1");

	stage_close(&s);
	stage_open(&s, SITE("groups: { raw: { take: { allow: "
			    "{ services: [_ipp._tcp] } } } }\n"));
	stage_ready(&s, "raw=none");
	stage_message(&s, "crier/1/cabin/raw/announce/k", "hello", &m, true);
	stage_heard(&s, "raw", "announcement", "x",
		"[{'key':'k','expires_in':9,'goodbye':false}]", NULL);
	ck_assert_uint_eq(stage_calls(&s, "relay"), 0);
	ck_assert_uint_eq(s.n_said, 0);
}
END_TEST

/* ---- searches ---- */

START_TEST(an_answer_comes_back_to_the_flow_that_asked)
{
	const struct stage_message *asked;
	struct message m = stage_from("cabin", "t1");
	struct stage_call *c;

	stage_heard(&s, "raw", "search", "who?", NULL, "12");
	asked = stage_said(&s, "crier/1/home/raw/search");
	ck_assert_ptr_nonnull(asked);
	ck_assert(!asked->retain);
	ck_assert_str_eq(asked->m.response, "crier/1/home/raw/answer");
	memcpy(m.correlation, asked->m.correlation, asked->m.correlation_size);
	m.correlation_size = asked->m.correlation_size;
	stage_message(&s, "crier/1/home/raw/answer/cabin", "me", &m, false);
	c = stage_call(&s, "answer");
	ck_assert_ptr_nonnull(c);
	ck_assert_int_eq(
		json_integer_value(json_object_get(c->params, "flow")), 12);
	ck_assert_str_eq(stage_payload(c), "me");
	stage_clear(&s);
	/* Nobody else's mark is good. */
	m.correlation[0] ^= 1;
	stage_message(&s, "crier/1/home/raw/answer/cabin", "me", &m, false);
	m.correlation_size = 0;
	stage_message(&s, "crier/1/home/raw/answer/cabin", "me", &m, false);
	ck_assert_uint_eq(stage_calls(&s, "answer"), 0);
}
END_TEST

/* A search of a site's, with a mark. */
static void ask(const char *site, const char *mark)
{
	struct message m = stage_from(site, mark);
	char topic[80];

	m.correlation_size = strlen(mark);
	memcpy(m.correlation, mark, strlen(mark));
	(void)snprintf(topic, sizeof(topic), "crier/1/%s/raw/search", site);
	stage_message(&s, topic, "who?", &m, false);
}

#define ANSWER                                                                 \
	"{'event':'answer','time':'t','group':'raw','flow':31,"                \
	"'source':'10.0.1.9','port':1900,'payload':'bWU='}"

START_TEST(an_answer_goes_to_each_who_asked)
{
	const struct stage_message *m;

	ask("cabin", "c");
	stage_answer(&s, stage_call(&s, "relay"),
		"{'sent':1,'flow':31,'flows':[31]}");
	ask("farm", "f");
	stage_answer(&s, stage_call(&s, "relay"),
		"{'sent':0,'flow':31,'flows':[31]}");
	stage_event(&s, ANSWER);
	m = stage_said(&s, "crier/1/cabin/raw/answer/home");
	ck_assert_ptr_nonnull(m);
	ck_assert(!m->retain);
	ck_assert_mem_eq(m->payload, "me", 2);
	ck_assert_uint_eq(m->m.correlation_size, 1);
	ck_assert_mem_eq(m->m.correlation, "c", 1);
	m = stage_said(&s, "crier/1/farm/raw/answer/home");
	ck_assert_ptr_nonnull(m);
	ck_assert_mem_eq(m->m.correlation, "f", 1);
	/* And not for ever. */
	stage_clear(&s);
	stage_wait(&s, 61000);
	stage_event(&s, ANSWER);
	ck_assert_uint_eq(s.n_said, 0);
}
END_TEST

START_TEST(an_answer_may_come_before_its_flow_is_known)
{
	ask("cabin", "c");
	stage_event(&s, ANSWER);
	ck_assert_ptr_null(stage_said(&s, "crier/1/cabin/raw/answer/home"));
	stage_answer(&s, stage_call(&s, "relay"),
		"{'sent':1,'flow':31,'flows':[31]}");
	ck_assert_ptr_nonnull(stage_said(&s, "crier/1/cabin/raw/answer/home"));
}
END_TEST

START_TEST(searches_cross_only_where_that_is_wanted)
{
	stage_close(&s);
	stage_open(&s, SITE("groups: { raw: { searches: false } }\n"));
	stage_ready(&s, "raw=none");
	stage_heard(&s, "raw", "search", "who?", NULL, "12");
	ask("cabin", "c");
	ck_assert_uint_eq(s.n_said, 0);
	ck_assert_uint_eq(stage_calls(&s, "relay"), 0);
}
END_TEST

/* ---- a hub ---- */

static void open_hub(void)
{
	stage_open(&s, SITE("hub: true\n" GROUPS));
	stage_ready(&s, DECODERS);
}

START_TEST(a_hub_passes_on_what_it_takes)
{
	struct message m = stage_from("cabin", "t1");
	const struct stage_message *said;

	stage_message(&s, "crier/1/cabin/raw/announce/k", "hello", &m, true);
	said = stage_said(&s, "crier/1/home/raw/announce/cabin%2Fk");
	ck_assert_ptr_nonnull(said);
	ck_assert_str_eq(said->m.hops, "cabin,home");
	ck_assert_str_eq(said->m.heard, "t1");
	ck_assert(said->retain);
	stage_clear(&s);
	stage_message(&s, "crier/1/cabin/raw/announce/k", "", NULL, true);
	said = stage_said(&s, "crier/1/home/raw/announce/cabin%2Fk");
	ck_assert_ptr_nonnull(said);
	ck_assert_uint_eq(said->size, 0);
}
END_TEST

START_TEST(a_hub_passes_on_searches_and_their_answers)
{
	const struct stage_message *said;
	struct message m = stage_from("farm", "t2");

	ask("cabin", "c");
	said = stage_said(&s, "crier/1/home/raw/search");
	ck_assert_ptr_nonnull(said);
	ck_assert_str_eq(said->m.hops, "cabin,home");
	ck_assert_str_eq(said->m.response, "crier/1/home/raw/answer");
	memcpy(m.correlation, said->m.correlation, said->m.correlation_size);
	m.correlation_size = said->m.correlation_size;
	stage_message(&s, "crier/1/home/raw/answer/farm", "me", &m, false);
	said = stage_said(&s, "crier/1/cabin/raw/answer/home");
	ck_assert_ptr_nonnull(said);
	ck_assert_str_eq(said->m.hops, "farm,home");
	ck_assert_mem_eq(said->m.correlation, "c", 1);
}
END_TEST

START_TEST(nobody_else_passes_anything_on)
{
	struct message m = stage_from("cabin", "t1");

	stage_message(&s, "crier/1/cabin/raw/announce/k", "hello", &m, true);
	ask("cabin", "c");
	ck_assert_uint_eq(s.n_said, 0);
}
END_TEST

/* ---- what was there before ---- */

static const char *discovered =
	"{'entries':[{'group':'raw','key':'k','site':null,'type':''},"
	"{'group':'mdns','key':'a._ipp._tcp','site':null,'type':'_ipp._tcp'},"
	"{'group':'mdns','key':'b._http._tcp','site':'cabin',"
	"'type':'_http._tcp'}],'cursor':null}";

START_TEST(looks_what_crierd_knew_before)
{
	struct message m = stage_from("home", "t1");
	const struct stage_message *said;

	stage_close(&s);
	stage_open(&s, SITE("groups: { raw: {}, mdns: {} }\n"));
	stage_link(&s, "raw=none,mdns=mdns");
	stage_connect(&s);
	/* The broker remembers two of this site's. */
	stage_message(&s, "crier/1/home/raw/announce/k", "x", &m, true);
	stage_message(&s, "crier/1/home/raw/announce/old", "x", &m, true);
	stage_clear(&s);
	stage_wait(&s, 4000);
	stage_answer(&s, stage_call(&s, "status"), "{'uptime_seconds':500}");
	stage_answer(&s, stage_call(&s, "discovered"), discovered);
	/* One is still there, the other is not. */
	ck_assert_ptr_null(stage_said(&s, "crier/1/home/raw/announce/k"));
	said = stage_said(&s, "crier/1/home/raw/announce/old");
	ck_assert_ptr_nonnull(said);
	ck_assert_uint_eq(said->size, 0);
	/* And what nobody has published is searched for. */
	ck_assert_uint_eq(stage_calls(&s, "relay"), 1);
	ck_assert_str_eq(carrier_text(stage_call(&s, "relay")->params, "kind"),
		"search");
}
END_TEST

START_TEST(a_crierd_that_is_young_ends_nothing)
{
	struct message m = stage_from("home", "2020-01-01T00:00:00Z");

	stage_close(&s);
	stage_open(&s, SITE(GROUPS));
	stage_link(&s, DECODERS);
	stage_connect(&s);
	stage_message(&s, "crier/1/home/raw/announce/old", "x", &m, true);
	stage_clear(&s);
	stage_wait(&s, 4000);
	stage_answer(&s, stage_call(&s, "status"), "{'uptime_seconds':5}");
	stage_answer(&s, stage_call(&s, "discovered"), discovered);
	ck_assert_ptr_null(stage_said(&s, "crier/1/home/raw/announce/old"));
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("mqtt/carrier");
	TCase *t = tcase_create("a site");

	tcase_add_checked_fixture(t, open_home, close_stage);
	tcase_add_test(t, publishes_an_announcement_retained_for_its_lifetime);
	tcase_add_test(t, says_the_goodbye_and_then_that_there_is_nothing);
	tcase_add_test(t, forgets_what_crierd_says_has_expired);
	tcase_add_test(t, keeps_the_newest_of_each_while_the_broker_is_away);
	tcase_add_test(t, says_all_again_to_a_broker_that_is_back);
	tcase_add_test(t, waits_for_a_broker_that_is_slow);
	tcase_add_test(t, counts_what_is_lost_since_it_is_worth_nothing_later);
	tcase_add_test(t, publishes_nothing_of_groups_that_are_not_named);
	tcase_add_test(t, relays_what_another_site_announces);
	tcase_add_test(t, relays_the_same_hearing_once);
	tcase_add_test(t, relays_a_goodbye_and_forgets);
	tcase_add_test(t, forgets_what_has_ended);
	tcase_add_test(t, never_takes_back_what_it_has_sent);
	tcase_add_test(t, drops_what_is_not_what_it_says);
	tcase_add_test(t, takes_only_from_those_that_it_is_to);
	tcase_add_test(t, waits_for_a_crierd_that_is_away);
	tcase_add_test(t, a_flood_from_one_site_holds_up_no_other);
	tcase_add_test(t, heeds_the_rate_of_each_site);
	tcase_add_test(t, shows_which_sites_are_there);
	tcase_add_test(t, says_that_it_is_there_where_an_old_will_says_not);
	tcase_add_test(t, logs_what_an_operator_should_know_of_the_broker);
	tcase_add_test(t, subscribes_to_those_alone_that_are_named);
	tcase_add_test(t, leaves_out_a_group_whose_filters_mean_nothing);
	tcase_add_test(t, an_answer_comes_back_to_the_flow_that_asked);
	tcase_add_test(t, an_answer_goes_to_each_who_asked);
	tcase_add_test(t, an_answer_may_come_before_its_flow_is_known);
	tcase_add_test(t, searches_cross_only_where_that_is_wanted);
	tcase_add_test(t, nobody_else_passes_anything_on);
	tcase_add_test(t, looks_what_crierd_knew_before);
	tcase_add_test(t, a_crierd_that_is_young_ends_nothing);
	suite_add_tcase(suite, t);

	t = tcase_create("a hub");
	tcase_add_checked_fixture(t, open_hub, close_stage);
	tcase_add_test(t, a_hub_passes_on_what_it_takes);
	tcase_add_test(t, a_hub_passes_on_searches_and_their_answers);
	suite_add_tcase(suite, t);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(make_suite());
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
