/* The whole relay: what it takes out, and who may speak to whom. */
#include "proto/proto.h"
#include "relay_bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct message {
	struct mdns_writer w;
	uint8_t bytes[1500];
};

static struct mdns_name name_of(const char *text)
{
	struct mdns_name n;

	ck_assert_int_eq(mdns_name_from_text(text, &n), 0);
	return n;
}

static void begin(struct message *m, uint16_t flags)
{
	ck_assert_int_eq(
		mdns_begin(&m->w, m->bytes, sizeof(m->bytes), 0, flags), 0);
}

static void put_ptr(struct message *m, const char *type, const char *instance)
{
	struct mdns_name owner = name_of(type), target = name_of(instance);

	ck_assert_int_eq(
		mdns_put_ptr(&m->w, MDNS_ANSWER, &owner, 120, &target), 0);
}

static void put_a(struct message *m, const char *host, const char *address)
{
	struct mdns_name owner = name_of(host);
	struct in_addr a;

	ck_assert_int_eq(inet_pton(AF_INET, address, &a), 1);
	ck_assert_int_eq(mdns_put_address(&m->w, MDNS_ANSWER, &owner, 120, &a,
				 sizeof(a)),
		0);
}

static void put_question(struct message *m, const char *name, bool qu)
{
	struct mdns_name n = name_of(name);

	ck_assert_int_eq(mdns_put_question(&m->w, &n, MDNS_PTR, qu), 0);
}

static void send_message(struct bench *b, unsigned n, const struct message *m)
{
	house_send(&b->house, n, "224.0.0.251", 5353, 5353, 255, m->bytes,
		m->w.used);
}

/* How many records of a name the last datagram has. */
static unsigned records_of(const struct bench *b, const char *name)
{
	struct mdns_name wanted = name_of(name);
	struct mdns_reader r;
	struct mdns_item i;
	unsigned n = 0;

	ck_assert_int_eq(mdns_open(&r, b->d.data, (size_t)b->d.size), 0);
	while (mdns_next(&r, &i) > 0)
		n += mdns_name_equal(&i.name, &wanted);
	return n;
}

#define CAST                                                                   \
	HEAD "  g: { preset: mdns, interfaces: [one, two], "                   \
	     "allow: { services: [_googlecast._tcp] } }\n"

START_TEST(takes_out_single_records_and_leaves_the_rest)
{
	struct message m;
	struct bench b;
	int ear;

	bench_setup(&b, 2, CAST);
	ear = house_hear(&b.house, 2, "224.0.0.251", 5353);
	begin(&m, MDNS_RESPONSE);
	put_ptr(&m, "_googlecast._tcp.local", "TV._googlecast._tcp.local");
	put_ptr(&m, "_airplay._tcp.local", "TV._airplay._tcp.local");
	put_a(&m, "tv.local", "10.9.1.2");
	send_message(&b, 1, &m);
	house_next(&b.house, ear, &b.d);
	ck_assert_int_gt(b.d.size, 0);
	ck_assert_uint_eq(records_of(&b, "_googlecast._tcp.local"), 1);
	ck_assert_uint_eq(records_of(&b, "_airplay._tcp.local"), 0);
	ck_assert_uint_eq(records_of(&b, "tv.local"), 1);
	/* Nothing but what is filtered, and addresses: it does not cross. */
	begin(&m, MDNS_RESPONSE);
	put_ptr(&m, "_airplay._tcp.local", "TV._airplay._tcp.local");
	put_a(&m, "tv.local", "10.9.1.2");
	send_message(&b, 1, &m);
	ck_assert(house_is_silent(&b.house, ear));
	ck_assert_uint_eq(bench_dropped(&b, "g", "two", RELAY_FILTER), 1);
	(void)close(ear);
	bench_close(&b);
}
END_TEST

START_TEST(questions_are_filtered_too)
{
	struct message m;
	struct bench b;
	int ear;

	bench_setup(&b, 2, CAST);
	ear = house_hear(&b.house, 2, "224.0.0.251", 5353);
	begin(&m, 0);
	put_question(&m, "_airplay._tcp.local", false);
	send_message(&b, 1, &m);
	ck_assert(house_is_silent(&b.house, ear));
	begin(&m, 0);
	put_question(&m, "_googlecast._tcp.local", false);
	send_message(&b, 1, &m);
	bench_expect(&b, ear, m.bytes, m.w.used);
	(void)close(ear);
	bench_close(&b);
}
END_TEST

START_TEST(an_unchanged_message_is_the_same_byte_for_byte)
{
	struct message m;
	struct bench b;
	int ear;

	bench_setup(&b, 2, CAST);
	ear = house_hear(&b.house, 2, "224.0.0.251", 5353);
	begin(&m, MDNS_RESPONSE);
	put_ptr(&m, "_googlecast._tcp.local", "TV._googlecast._tcp.local");
	m.bytes[m.w.used] = 0x55; /* not part of any record */
	house_send(&b.house, 1, "224.0.0.251", 5353, 5353, 255, m.bytes,
		m.w.used + 1);
	bench_expect(&b, ear, m.bytes, m.w.used + 1);
	(void)close(ear);
	bench_close(&b);
}
END_TEST

START_TEST(the_qu_bit_is_cleared_on_the_way)
{
	struct message m, plain;
	struct bench b;
	int ear;

	bench_setup(&b, 2,
		HEAD "  g: { preset: mdns, "
		     "interfaces: [one, two] }\n");
	ear = house_hear(&b.house, 2, "224.0.0.251", 5353);
	begin(&m, 0);
	put_question(&m, "_ipp._tcp.local", true);
	begin(&plain, 0);
	put_question(&plain, "_ipp._tcp.local", false);
	send_message(&b, 1, &m);
	bench_expect(&b, ear, plain.bytes, plain.w.used);
	(void)close(ear);
	bench_close(&b);
}
END_TEST

START_TEST(a_host_with_legs_on_both_hears_nothing_of_itself)
{
	struct message m;
	struct bench b;
	int ear;

	bench_setup(&b, 2,
		HEAD "  g: { preset: mdns, "
		     "interfaces: [one, two] }\n");
	ear = house_hear(&b.house, 2, "224.0.0.251", 5353);
	/* Before anybody on segment two has said so, the name crosses. */
	begin(&m, MDNS_RESPONSE);
	put_a(&m, "nas.local", "10.9.1.2");
	send_message(&b, 1, &m);
	bench_expect(&b, ear, m.bytes, m.w.used);
	/* The other leg speaks, with an address of segment two. */
	begin(&m, MDNS_RESPONSE);
	put_a(&m, "nas.local", "10.9.2.2");
	send_message(&b, 2, &m);
	begin(&m, MDNS_RESPONSE);
	put_ptr(&m, "_smb._tcp.local", "nas._smb._tcp.local");
	put_a(&m, "NAS.local", "10.9.1.2");
	send_message(&b, 1, &m);
	house_next(&b.house, ear, &b.d);
	ck_assert_int_gt(b.d.size, 0);
	ck_assert_uint_eq(records_of(&b, "_smb._tcp.local"), 1);
	ck_assert_uint_eq(records_of(&b, "nas.local"), 0);
	(void)close(ear);
	bench_close(&b);
}
END_TEST

/* systemd-resolved saw its first probe of one leg on the other, where it had
 * not said anything yet, and renamed itself. */
START_TEST(a_probe_for_addresses_does_not_cross)
{
	struct mdns_name host = name_of("nas.local"),
			 share = name_of("nas._smb._tcp.local");
	struct in_addr address = { htonl(0x0a090102) };
	struct message m;
	struct bench b;
	int ear;

	bench_setup(&b, 2,
		HEAD "  g: { preset: mdns, "
		     "interfaces: [one, two] }\n");
	ear = house_hear(&b.house, 2, "224.0.0.251", 5353);
	begin(&m, 0);
	put_question(&m, "nas.local", false);
	ck_assert_int_eq(mdns_put_address(&m.w, MDNS_AUTHORITY, &host, 120,
				 &address, sizeof(address)),
		0);
	send_message(&b, 1, &m);
	ck_assert(house_is_silent(&b.house, ear));
	/* One for a service does. */
	begin(&m, 0);
	put_question(&m, "nas._smb._tcp.local", false);
	ck_assert_int_eq(
		mdns_put_srv(&m.w, MDNS_AUTHORITY, &share, 120, 445, &host), 0);
	send_message(&b, 1, &m);
	bench_expect(&b, ear, m.bytes, m.w.used);
	(void)close(ear);
	bench_close(&b);
}
END_TEST

/* A second relay on segment two says the same of a host on segment one. */
START_TEST(a_relayed_copy_makes_no_second_leg)
{
	struct message m;
	struct bench b;
	int ear;

	bench_setup(&b, 2,
		HEAD "  g: { preset: mdns, "
		     "interfaces: [one, two] }\n");
	ear = house_hear(&b.house, 2, "224.0.0.251", 5353);
	begin(&m, MDNS_RESPONSE);
	put_a(&m, "tv.local", "10.9.1.2");
	send_message(&b, 2, &m);
	begin(&m, MDNS_RESPONSE);
	put_ptr(&m, "_smb._tcp.local", "tv._smb._tcp.local");
	put_a(&m, "tv.local", "10.9.1.2");
	send_message(&b, 1, &m);
	house_next(&b.house, ear, &b.d);
	ck_assert_uint_eq(records_of(&b, "tv.local"), 1);
	(void)close(ear);
	bench_close(&b);
}
END_TEST

START_TEST(link_local_addresses_do_not_cross)
{
	struct message m;
	struct bench b;
	int ear;

	bench_setup(&b, 2,
		HEAD "  g: { preset: mdns, "
		     "interfaces: [one, two] }\n");
	ear = house_hear(&b.house, 2, "224.0.0.251", 5353);
	begin(&m, MDNS_RESPONSE);
	put_a(&m, "tv.local", "169.254.7.7");
	put_a(&m, "tv.local", "10.9.1.2");
	send_message(&b, 1, &m);
	house_next(&b.house, ear, &b.d);
	ck_assert_uint_eq(records_of(&b, "tv.local"), 1);
	(void)close(ear);
	bench_close(&b);
}
END_TEST

START_TEST(ssdp_is_filtered_by_its_targets)
{
	static const char light[] =
		"NOTIFY * HTTP/1.1\r\n"
		"NT: urn:schemas-upnp-org:device:Light:1\r\n"
		"NTS: ssdp:alive\r\n\r\n";
	static const char media[] =
		"NOTIFY * HTTP/1.1\r\n"
		"NT: urn:schemas-upnp-org:device:MediaServer:1\r\n"
		"NTS: ssdp:alive\r\n\r\n";
	struct bench b;
	int ear;

	bench_setup(&b, 2,
		HEAD "  g: { preset: ssdp, interfaces: [one, two], "
		     "allow: { targets: [\"*:MediaServer:*\"] } }\n");
	ear = house_hear(&b.house, 2, "239.255.255.250", 1900);
	house_send(&b.house, 1, "239.255.255.250", 1900, 1900, 2, light,
		strlen(light));
	house_send(&b.house, 1, "239.255.255.250", 1900, 1900, 2, media,
		strlen(media));
	bench_expect(&b, ear, media, strlen(media));
	ck_assert(house_is_silent(&b.house, ear));
	(void)close(ear);
	bench_close(&b);
}
END_TEST

#define ROLES HEAD "  g: { preset: mdns, searchers: [one], devices: [two] }\n"

START_TEST(searches_go_to_devices_and_announcements_come_back)
{
	struct message question, answer, probe;
	int one, two;
	struct bench b;

	bench_setup(&b, 2, ROLES);
	one = house_hear(&b.house, 1, "224.0.0.251", 5353);
	two = house_hear(&b.house, 2, "224.0.0.251", 5353);
	begin(&question, 0);
	put_question(&question, "_ipp._tcp.local", false);
	begin(&answer, MDNS_RESPONSE);
	put_ptr(&answer, "_ipp._tcp.local", "Lab._ipp._tcp.local");
	begin(&probe, 0);
	put_question(&probe, "tv.local", false);
	{
		struct mdns_name n = name_of("tv.local");
		struct in_addr a = { htonl(0x0a090102) };

		ck_assert_int_eq(mdns_put_address(&probe.w, MDNS_AUTHORITY, &n,
					 120, &a, sizeof(a)),
			0);
	}
	/* The wrong way round, and probes: nothing crosses. */
	send_message(&b, 1, &answer);
	send_message(&b, 1, &probe);
	send_message(&b, 2, &probe);
	ck_assert(house_is_silent(&b.house, two));
	send_message(&b, 2, &question);
	ck_assert(house_is_silent(&b.house, one));
	ck_assert_uint_eq(bench_dropped(&b, "g", "two", RELAY_DIRECTION), 2);
	ck_assert_uint_eq(bench_dropped(&b, "g", "one", RELAY_DIRECTION), 2);
	begin(&question, 0);
	put_question(&question, "_http._tcp.local", false);
	send_message(&b, 1, &question);
	bench_expect(&b, two, question.bytes, question.w.used);
	begin(&answer, MDNS_RESPONSE);
	put_ptr(&answer, "_http._tcp.local", "Web._http._tcp.local");
	send_message(&b, 2, &answer);
	bench_expect(&b, one, answer.bytes, answer.w.used);
	(void)close(one);
	(void)close(two);
	bench_close(&b);
}
END_TEST

/* A one-shot question: its answer comes by unicast (RFC 6762, 6.7). */
START_TEST(a_legacy_question_gets_its_answer)
{
	struct message question, answer;
	int phone, device;
	char source[64];
	struct bench b;
	uint16_t port;

	bench_setup(&b, 2, ROLES);
	phone = house_hear(&b.house, 1, "10.9.1.2", 40000);
	device = house_hear(&b.house, 2, "224.0.0.251", 5353);
	begin(&question, 0);
	put_question(&question, "_ipp._tcp.local", false);
	house_say(&b.house, phone, 1, "224.0.0.251", 5353, question.bytes,
		question.w.used);
	bench_expect(&b, device, question.bytes, question.w.used);
	ck_assert_uint_ne(b.d.port, 5353);
	(void)snprintf(source, sizeof(source), "%s", b.d.source);
	port = b.d.port;
	begin(&answer, MDNS_RESPONSE);
	put_ptr(&answer, "_ipp._tcp.local", "Lab._ipp._tcp.local");
	house_send(&b.house, 2, source, port, 5353, 255, answer.bytes,
		answer.w.used);
	bench_expect(&b, phone, answer.bytes, answer.w.used);
	ck_assert_uint_eq(b.d.port, 5353);
	ck_assert_int_eq(b.d.ttl, 255);
	(void)close(phone);
	(void)close(device);
	bench_close(&b);
}
END_TEST

START_TEST(too_much_of_one_source_is_held_back)
{
	struct bench b;
	char text[16];
	int ear;

	bench_setup(&b, 2,
		HEAD "  g: { address: 239.1.1.1, port: 5000, rate: 10/s, "
		     "interfaces: [one, two] }\n");
	ear = house_hear(&b.house, 2, "239.1.1.1", 5000);
	for (int i = 0; i < 40; i++) {
		(void)snprintf(text, sizeof(text), "%d", i);
		house_send(&b.house, 1, "239.1.1.1", 5000, 0, 1, text,
			strlen(text));
	}
	for (int i = 0; i < 10; i++) {
		(void)snprintf(text, sizeof(text), "%d", i);
		bench_expect(&b, ear, text, strlen(text));
	}
	ck_assert_uint_ge(bench_dropped(&b, "g", "one", RELAY_RATE), 29);
	ck_assert_uint_eq(b.storms, 1);
	(void)close(ear);
	bench_close(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("relay_filters");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, takes_out_single_records_and_leaves_the_rest);
	tcase_add_test(t, questions_are_filtered_too);
	tcase_add_test(t, an_unchanged_message_is_the_same_byte_for_byte);
	tcase_add_test(t, the_qu_bit_is_cleared_on_the_way);
	tcase_add_test(t, a_host_with_legs_on_both_hears_nothing_of_itself);
	tcase_add_test(t, a_probe_for_addresses_does_not_cross);
	tcase_add_test(t, a_relayed_copy_makes_no_second_leg);
	tcase_add_test(t, link_local_addresses_do_not_cross);
	tcase_add_test(t, ssdp_is_filtered_by_its_targets);
	tcase_add_test(t, searches_go_to_devices_and_announcements_come_back);
	tcase_add_test(t, a_legacy_question_gets_its_answer);
	tcase_add_test(t, too_much_of_one_source_is_held_back);
	suite_add_tcase(s, t);
	return bench_main(s);
}
