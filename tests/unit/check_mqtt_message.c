/* Tests of mqtt/message: what accompanies a datagram over the broker. */
#include "mqtt/message.h"
#include "mqtt/topic.h"

#include <check.h>
#include <errno.h>
#include <mqtt_protocol.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

static mosquitto_property *list;

static void no_properties(void)
{
	list = NULL;
}

static void free_properties(void)
{
	mosquitto_property_free_all(&list);
}

static void add_pair(const char *name, const char *value)
{
	ck_assert_int_eq(mosquitto_property_add_string_pair(
				 &list, MQTT_PROP_USER_PROPERTY, name, value),
		MOSQ_ERR_SUCCESS);
}

/* Reads them; what is refused leaves what was there. */
static int read_list(struct message *m)
{
	struct message before = { .expires_s = 77 }, after = before;
	int r = message_read(list, &after);

	if (r < 0) {
		ck_assert_int_eq(r, -EBADMSG);
		ck_assert_mem_eq(&before, &after, sizeof(before));
	} else {
		*m = after;
	}
	return r;
}

static const char *repeat(char *buffer, char c, size_t n)
{
	memset(buffer, c, n);
	buffer[n] = '\0';
	return buffer;
}

/* ---- There and back ---- */

static struct message full(void)
{
	struct message m = {
		.origin_port = 65535,
		.channel_port = 1,
		.expires_s = MESSAGE_EXPIRES_S,
		.digest = UINT64_C(0x0123456789abcdef),
		.hops = "home,cabin",
		.heard = "2026-11-29T21:00:00.123Z",
		.segment = "lan",
		.kind = "announcement",
		.goodbye = true,
		.content = "message/http",
		.response = "crier/1/home/ssdp/answer",
		.correlation = { 0, 1, 0xff },
		.correlation_size = 3,
	};

	ck_assert_int_eq(net_address_parse("fe80::1", &m.origin), 0);
	ck_assert_int_eq(net_address_parse("239.255.255.250", &m.channel), 0);
	return m;
}

START_TEST(what_is_written_reads_back)
{
	struct message m = full(), read;

	ck_assert_int_eq(message_write(&m, &list), 0);
	ck_assert_int_eq(read_list(&read), 0);
	ck_assert_mem_eq(&read.origin, &m.origin, sizeof(m.origin));
	ck_assert_mem_eq(&read.channel, &m.channel, sizeof(m.channel));
	ck_assert_uint_eq(read.origin_port, 65535);
	ck_assert_uint_eq(read.channel_port, 1);
	ck_assert_uint_eq(read.expires_s, MESSAGE_EXPIRES_S);
	ck_assert_uint_eq(read.digest, m.digest);
	ck_assert_str_eq(read.hops, m.hops);
	ck_assert_str_eq(read.heard, m.heard);
	ck_assert_str_eq(read.segment, m.segment);
	ck_assert_str_eq(read.kind, m.kind);
	ck_assert(read.goodbye);
	ck_assert_str_eq(read.content, m.content);
	ck_assert_str_eq(read.response, m.response);
	ck_assert_uint_eq(read.correlation_size, 3);
	ck_assert_mem_eq(read.correlation, m.correlation, 3);
}
END_TEST

START_TEST(what_is_not_said_reads_as_nothing)
{
	struct message nothing = { 0 }, read;

	ck_assert_int_eq(message_write(&nothing, &list), 0);
	/* A digest is always said. */
	ck_assert_ptr_nonnull(list);
	ck_assert_ptr_null(mosquitto_property_next(list));
	ck_assert_int_eq(read_list(&read), 0);
	ck_assert_mem_eq(&read, &nothing, sizeof(read));
	free_properties();
	ck_assert_int_eq(read_list(&read), 0);
	ck_assert_mem_eq(&read, &nothing, sizeof(read));
}
END_TEST

/* A scope means something on one host alone. */
START_TEST(a_scope_is_not_written)
{
	struct message m = full(), read;

	m.origin.scope = 7;
	ck_assert_int_eq(message_write(&m, &list), 0);
	ck_assert_int_eq(read_list(&read), 0);
	ck_assert_uint_eq(read.origin.scope, 0);
}
END_TEST

START_TEST(what_others_add_is_passed_over)
{
	struct message read;

	add_pair("colour", "red");
	add_pair("", "");
	add_pair("HOPS", "!!");
	add_pair("family", "ipx");
	ck_assert_int_eq(mosquitto_property_add_byte(
				 &list, MQTT_PROP_PAYLOAD_FORMAT_INDICATOR, 1),
		MOSQ_ERR_SUCCESS);
	add_pair("kind", "probe");
	ck_assert_int_eq(read_list(&read), 0);
	ck_assert_str_eq(read.kind, "probe");
	ck_assert_str_eq(read.hops, "");
}
END_TEST

/* ---- What is not as it should be ---- */

static const struct {
	const char *name, *value;
} good[] = {
	{ "hops", "a" },
	{ "hops", "a,b-1,C_2" },
	{ "heard", "" },
	{ "heard", "2026-11-29T21:00:00Z" },
	{ "digest", "0123456789abcdef" },
	{ "origin", "192.0.2.7" },
	{ "origin", "2001:db8::1" },
	{ "origin-port", "1" },
	{ "origin-port", "65535" },
	{ "channel", "ff02::fb" },
	{ "channel-port", "5353" },
	{ "segment", "eth0.10 (a b)" },
	{ "kind", "announcement" },
	{ "goodbye", "true" },
};

START_TEST(takes_what_is_as_it_should_be)
{
	struct message read;

	add_pair(good[_i].name, good[_i].value);
	ck_assert_int_eq(read_list(&read), 0);
}
END_TEST

START_TEST(takes_each_once_only)
{
	struct message read;

	add_pair(good[_i].name, good[_i].value);
	add_pair(good[_i].name, good[_i].value);
	ck_assert_int_eq(read_list(&read), -EBADMSG);
}
END_TEST

static const struct {
	const char *name, *value;
} bad[] = {
	{ "hops", "" },
	{ "hops", "," },
	{ "hops", "a," },
	{ "hops", ",a" },
	{ "hops", "a,,b" },
	{ "hops", "a b" },
	{ "hops", "a/b" },
	{ "hops", "a\nb" },
	{ "heard", "\x1b[2J" },
	{ "heard", "caf\xc3\xa9" },
	{ "heard", "tab\there" },
	{ "heard", "\x7f" },
	{ "digest", "" },
	{ "digest", "0" },
	{ "digest", "0123456789ABCDEF" },
	{ "digest", "0123456789abcde" },
	{ "digest", "0123456789abcdef0" },
	{ "digest", "0x23456789abcdef" },
	{ "digest", " 123456789abcdef" },
	{ "origin", "" },
	{ "origin", "192.0.2" },
	{ "origin", "192.0.2.7 " },
	{ "origin", "192.0.2.7:80" },
	{ "origin", "fe80::1%lo" },
	{ "origin", "tv.local" },
	{ "origin-port", "" },
	{ "origin-port", "0" },
	{ "origin-port", "01" },
	{ "origin-port", "-1" },
	{ "origin-port", "+1" },
	{ "origin-port", " 1" },
	{ "origin-port", "1x" },
	{ "origin-port", "65536" },
	{ "origin-port", "18446744073709551617" },
	{ "channel", "nowhere" },
	{ "channel-port", "65536" },
	{ "segment", "lan\r\n" },
	{ "segment", "\x1b]0;x\x07" },
	{ "kind", "announcement\x01" },
	{ "kind", "far too long a word" },
	{ "goodbye", "" },
	{ "goodbye", "false" },
	{ "goodbye", "TRUE" },
	{ "goodbye", "true " },
};

START_TEST(refuses_what_is_not)
{
	struct message read;

	add_pair(bad[_i].name, bad[_i].value);
	ck_assert_int_eq(read_list(&read), -EBADMSG);
}
END_TEST

/* ---- Bounds, from both sides ---- */

static const struct {
	const char *name;
	size_t most;
} texts[] = {
	{ "heard", MESSAGE_HEARD - 1 },
	{ "segment", MESSAGE_SEGMENT - 1 },
	{ "kind", MESSAGE_KIND - 1 },
	{ "hops", CONFIG_SITE_NAME },
};

START_TEST(each_text_has_its_longest)
{
	char text[MESSAGE_HOPS_TEXT];
	struct message read;

	add_pair(texts[_i].name, repeat(text, 'x', texts[_i].most));
	ck_assert_int_eq(read_list(&read), 0);
	free_properties();
	add_pair(texts[_i].name, repeat(text, 'x', texts[_i].most + 1));
	ck_assert_int_eq(read_list(&read), -EBADMSG);
}
END_TEST

static const struct {
	int property;
	size_t most;
} strings[] = {
	{ MQTT_PROP_CONTENT_TYPE, MESSAGE_CONTENT - 1 },
	{ MQTT_PROP_RESPONSE_TOPIC,
		sizeof(((struct message *)0)->response) - 1 },
};

START_TEST(so_has_what_mqtt_itself_says)
{
	char text[512];
	struct message read;

	for (size_t more = 0; more <= 1; more++) {
		free_properties();
		ck_assert_int_eq(
			mosquitto_property_add_string(&list,
				strings[_i].property,
				repeat(text, 'x', strings[_i].most + more)),
			MOSQ_ERR_SUCCESS);
		ck_assert_int_eq(read_list(&read), more ? -EBADMSG : 0);
	}
}
END_TEST

START_TEST(so_has_correlation_data)
{
	uint8_t data[MESSAGE_CORRELATION + 1] = { 0 };
	struct message read;

	for (uint16_t n = 0; n <= sizeof(data); n++) {
		free_properties();
		ck_assert_int_eq(mosquitto_property_add_binary(&list,
					 MQTT_PROP_CORRELATION_DATA, data, n),
			MOSQ_ERR_SUCCESS);
		if (n > MESSAGE_CORRELATION) {
			ck_assert_int_eq(read_list(&read), -EBADMSG);
			continue;
		}
		ck_assert_int_eq(read_list(&read), 0);
		ck_assert_uint_eq(read.correlation_size, n);
	}
}
END_TEST

START_TEST(a_lifetime_is_at_least_a_moment_and_at_most_a_day)
{
	static const uint32_t said[] = { 0, 1, MESSAGE_EXPIRES_S,
		MESSAGE_EXPIRES_S + 1, UINT32_MAX };
	static const uint32_t wanted[] = { 1, 1, MESSAGE_EXPIRES_S,
		MESSAGE_EXPIRES_S, MESSAGE_EXPIRES_S };
	struct message read;

	for (size_t i = 0; i < N_OF(said); i++) {
		free_properties();
		ck_assert_int_eq(
			mosquitto_property_add_int32(&list,
				MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, said[i]),
			MOSQ_ERR_SUCCESS);
		ck_assert_int_eq(read_list(&read), 0);
		ck_assert_uint_eq(read.expires_s, wanted[i]);
	}
}
END_TEST

START_TEST(so_many_properties_and_no_more)
{
	struct message read;

	for (unsigned n = 0; n < MESSAGE_PROPERTIES; n++)
		add_pair("x", "y");
	ck_assert_int_eq(read_list(&read), 0);
	add_pair("x", "y");
	ck_assert_int_eq(read_list(&read), -EBADMSG);
}
END_TEST

/* ---- Hops ---- */

START_TEST(reads_so_many_hops_and_no_more)
{
	char hops[MESSAGE_HOPS_TEXT] = "a";
	struct message read;

	for (unsigned n = 1; n < MESSAGE_HOPS; n++)
		(void)strcat(hops, ",a");
	add_pair("hops", hops);
	ck_assert_int_eq(read_list(&read), 0);
	free_properties();
	(void)strcat(hops, ",a");
	add_pair("hops", hops);
	ck_assert_int_eq(read_list(&read), -EBADMSG);
}
END_TEST

START_TEST(a_hop_is_a_whole_name)
{
	struct message m = { .hops = "home,cabin,x" };

	ck_assert(message_has_hop(&m, "home"));
	ck_assert(message_has_hop(&m, "cabin"));
	ck_assert(message_has_hop(&m, "x"));
	ck_assert(!message_has_hop(&m, "hom"));
	ck_assert(!message_has_hop(&m, "omes"));
	ck_assert(!message_has_hop(&m, "abin"));
	ck_assert(!message_has_hop(&m, "cab"));
	ck_assert(!message_has_hop(&m, "home,cabin"));
	ck_assert(!message_has_hop(&(struct message){ 0 }, "home"));
}
END_TEST

START_TEST(adds_so_many_hops_and_no_more)
{
	struct message m = { 0 };
	char first[CONFIG_SITE_NAME + 1], name[8];

	message_first_hop(&m, first);
	ck_assert_str_eq(first, "");
	for (unsigned n = 0; n < MESSAGE_HOPS; n++) {
		(void)snprintf(name, sizeof(name), "s%u", n);
		ck_assert_int_eq(message_add_hop(&m, name), 0);
		ck_assert(message_has_hop(&m, name));
	}
	ck_assert_int_eq(message_add_hop(&m, "more"), -ENOSPC);
	ck_assert(!message_has_hop(&m, "more"));
	message_first_hop(&m, first);
	ck_assert_str_eq(first, "s0");
}
END_TEST

/* 8 names of 63 bytes and 7 commas are as much as there is room for. */
START_TEST(adds_no_hop_that_has_no_room)
{
	enum { NAMES = MESSAGE_HOPS_TEXT / (CONFIG_SITE_NAME + 1) };
	char name[CONFIG_SITE_NAME + 1];
	struct message m = { 0 };

	repeat(name, 'x', CONFIG_SITE_NAME);
	for (unsigned n = 0; n < NAMES; n++)
		ck_assert_int_eq(message_add_hop(&m, name), 0);
	ck_assert_uint_eq(strlen(m.hops), MESSAGE_HOPS_TEXT - 1);
	ck_assert_int_eq(message_add_hop(&m, "y"), -ENOSPC);
	ck_assert(!message_has_hop(&m, "y"));
	ck_assert_uint_eq(strlen(m.hops), MESSAGE_HOPS_TEXT - 1);
}
END_TEST

START_TEST(each_decoder_has_a_content_type)
{
	static const char *const decoders[] = { "mdns", "ssdp", "wsd" };

	for (size_t i = 0; i < N_OF(decoders); i++) {
		const char *type = message_content_type(decoders[i]);

		ck_assert_uint_lt(strlen(type), MESSAGE_CONTENT);
		ck_assert_str_ne(type, message_content_type("none"));
	}
	ck_assert_str_eq(message_content_type(""), "application/octet-stream");
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("mqtt_message");
	TCase *t = tcase_create("message");

	tcase_add_checked_fixture(t, no_properties, free_properties);
	tcase_add_test(t, what_is_written_reads_back);
	tcase_add_test(t, what_is_not_said_reads_as_nothing);
	tcase_add_test(t, a_scope_is_not_written);
	tcase_add_test(t, what_others_add_is_passed_over);
	tcase_add_loop_test(t, takes_what_is_as_it_should_be, 0, N_OF(good));
	tcase_add_loop_test(t, takes_each_once_only, 0, N_OF(good));
	tcase_add_loop_test(t, refuses_what_is_not, 0, N_OF(bad));
	tcase_add_loop_test(t, each_text_has_its_longest, 0, N_OF(texts));
	tcase_add_loop_test(t, so_has_what_mqtt_itself_says, 0, N_OF(strings));
	tcase_add_test(t, so_has_correlation_data);
	tcase_add_test(t, a_lifetime_is_at_least_a_moment_and_at_most_a_day);
	tcase_add_test(t, so_many_properties_and_no_more);
	tcase_add_test(t, reads_so_many_hops_and_no_more);
	tcase_add_test(t, a_hop_is_a_whole_name);
	tcase_add_test(t, adds_so_many_hops_and_no_more);
	tcase_add_test(t, adds_no_hop_that_has_no_room);
	tcase_add_test(t, each_decoder_has_a_content_type);
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
