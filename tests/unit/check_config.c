#include "check_config.h"

static const struct config_group *find_group(
	const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->n_groups; i++) {
		if (strcmp(c->groups[i].name, name) == 0)
			return &c->groups[i];
	}
	ck_abort_msg("no group %s", name);
	return NULL;
}

START_TEST(what_is_left_out_has_its_default)
{
	struct config *c = parse(GROUP " }\n");
	const struct config_group *g = &c->groups[0];

	ck_assert_str_eq(c->path, "test.yaml");
	ck_assert_str_eq(c->control.socket, "/run/crier/control.sock");
	ck_assert_uint_eq(c->control.mode, 0660);
	ck_assert_str_eq(c->control.group, "crier");
	ck_assert_uint_eq(c->limits.discovered, 65536);
	ck_assert_uint_eq(c->limits.flows, 1024);
	ck_assert_uint_eq(c->limits.clients, 256);
	ck_assert_uint_eq(c->limits.remembered, 65536);
	ck_assert_uint_eq(c->flow_port_low, 0);
	ck_assert_uint_eq(c->flow_port_high, 0);
	ck_assert_int_eq(c->interfaces[0].ttl, CONFIG_TTL_UNSET);
	ck_assert_ptr_null(g->preset);
	ck_assert(!g->broadcast);
	ck_assert_uint_eq(g->n_sources, 0);
	ck_assert_int_eq(g->ttl, CONFIG_TTL_UNSET);
	ck_assert(!g->loop);
	ck_assert_int_eq(g->source, CONFIG_SOURCE_OWN);
	ck_assert_int_eq(g->send, CONFIG_SEND_SOCKET);
	ck_assert_int_eq(g->payload, CONFIG_PAYLOAD_NONE);
	ck_assert_uint_eq(g->strip, 0);
	ck_assert_int_eq(g->replies, CONFIG_REPLIES_NONE);
	ck_assert_int_eq(g->speaks, CONFIG_SPEAKS_UNKNOWN);
	ck_assert_uint_eq(g->reply_timeout_ms, 10000);
	ck_assert_uint_eq(g->rate, 0);
	ck_assert_uint_eq(g->dedup_ms, 2000);
	ck_assert_uint_eq(g->hold_ms, 120000);
	ck_assert_uint_eq(g->repeat_ms, 0);
	ck_assert(!g->standby);
	ck_assert_ptr_null(g->notes);
	config_unref(c);
}
END_TEST

START_TEST(a_group_wins_over_its_preset)
{
	struct config *c = parse(INTERFACES
		"presets:\n"
		"  p: { address: 239.9.9.9, port: [1, 2], ttl: 9, loop: true,\n"
		"    dedup: off, speaks: search, notes: note }\n"
		"groups:\n"
		"  g: { preset: p, port: 3, loop: false, dedup: 1s }\n");
	const struct config_group *g = &c->groups[0];
	const struct config_preset *p;

	ck_assert_str_eq(g->preset, "p");
	ck_assert_uint_eq(g->n_addresses, 1);
	ck_assert_uint_eq(g->n_ports, 1);
	ck_assert_uint_eq(g->ports[0], 3);
	ck_assert_int_eq(g->ttl, 9);
	ck_assert(!g->loop);
	ck_assert_uint_eq(g->dedup_ms, 1000);
	ck_assert_int_eq(g->speaks, CONFIG_SPEAKS_SEARCH);
	ck_assert_str_eq(g->notes, "note");
	p = &c->presets[c->n_presets - 1];
	ck_assert_str_eq(p->name, "p");
	ck_assert(!p->built_in);
	/* The preset itself stays as it was. */
	ck_assert_uint_eq(p->group.n_ports, 2);
	config_unref(c);
}
END_TEST

START_TEST(a_ttl_is_of_the_use_then_group_then_preset_then_interface)
{
	struct config *c = parse(
		"interfaces:\n"
		"  lan: { device: eth0, ttl: 2 }\n"
		"  iot: { device: eth1 }\n"
		"presets:\n"
		"  p: { address: 239.1.2.3, port: 7, ttl: 3 }\n"
		"  q: { address: 239.1.2.3, port: 7 }\n"
		"groups:\n"
		"  use: { preset: p, ttl: 4,\n"
		"    interfaces: [{ name: lan, ttl: 5 }, { name: iot, ttl: keep }] }\n"
		"  group: { preset: p, ttl: decrement }\n"
		"  preset: { preset: p }\n"
		"  interface: { preset: q }\n");
	static const struct {
		const char *group;
		int lan, iot;
	} expected[] = {
		{ "use", 5, CONFIG_TTL_KEEP },
		{ "group", CONFIG_TTL_DECREMENT, CONFIG_TTL_DECREMENT },
		{ "preset", 3, 3 },
		{ "interface", 2, 1 },
	};

	for (size_t i = 0; i < 4; i++) {
		const struct config_group *g = find_group(c, expected[i].group);

		ck_assert_uint_eq(g->n_uses, 2);
		ck_assert_int_eq(g->uses[0].ttl, expected[i].lan);
		ck_assert_int_eq(g->uses[1].ttl, expected[i].iot);
	}
	config_unref(c);
}
END_TEST

START_TEST(lists_of_interfaces_give_their_roles)
{
	const unsigned both = CONFIG_HEARS | CONFIG_SENT_TO;
	struct config *c = parse(INTERFACES
		"groups:\n"
		"  all: { preset: wsd }\n"
		"  one: { preset: wsd, interfaces: iot }\n"
		"  way: { preset: wsd, from: iot, to: lan }\n"
		"  merged: { preset: wsd, from: [iot, lan], to: [iot] }\n"
		"  twice: { preset: wsd, interfaces: [iot], from: iot }\n"
		"  listens: { preset: wsd, from: iot, to: [] }\n"
		"  pair: { preset: wsd, searchers: [lan], devices: [iot, lan] }\n");
	const struct config_group *g = find_group(c, "all");

	ck_assert_uint_eq(g->n_uses, 2);
	ck_assert_uint_eq(g->uses[0].role, both);
	ck_assert_uint_eq(g->uses[1].role, both);
	g = find_group(c, "one");
	ck_assert_uint_eq(g->n_uses, 1);
	ck_assert_uint_eq(g->uses[0].interface, 1);
	ck_assert_uint_eq(g->uses[0].role, both);
	g = find_group(c, "way");
	ck_assert_uint_eq(g->uses[0].role, CONFIG_SENT_TO);
	ck_assert_uint_eq(g->uses[1].role, CONFIG_HEARS);
	g = find_group(c, "merged");
	ck_assert_uint_eq(g->uses[0].role, CONFIG_HEARS);
	ck_assert_uint_eq(g->uses[1].role, both);
	g = find_group(c, "twice");
	ck_assert_uint_eq(g->n_uses, 1);
	ck_assert_uint_eq(g->uses[0].role, both);
	g = find_group(c, "listens");
	ck_assert_uint_eq(g->n_uses, 1);
	ck_assert_uint_eq(g->uses[0].role, CONFIG_HEARS);
	g = find_group(c, "pair");
	ck_assert_uint_eq(
		g->uses[0].role, both | CONFIG_SEARCHERS | CONFIG_DEVICES);
	ck_assert_uint_eq(g->uses[1].role, both | CONFIG_DEVICES);
	config_unref(c);
}
END_TEST

START_TEST(a_use_has_a_target_and_filters_of_its_own)
{
	struct config *c = parse(GROUP
		", interfaces: [\n"
		"    { name: lan, target: 192.0.2.255,\n"
		"      allow: { sizes: [1-2, 7], sources: 192.0.2.0/24 } },\n"
		"    { name: iot, deny: { sizes: 3 } }] }\n");
	const struct config_use *u = c->groups[0].uses;
	char text[NET_ADDRESS_TEXT];

	ck_assert_str_eq(
		net_address_format(&u[0].target, NULL, text), "192.0.2.255");
	ck_assert_uint_eq(u[0].allow.n_sizes, 2);
	ck_assert_uint_eq(u[0].allow.sizes[0].low, 1);
	ck_assert_uint_eq(u[0].allow.sizes[0].high, 2);
	ck_assert_uint_eq(u[0].allow.sizes[1].low, 7);
	ck_assert_uint_eq(u[0].allow.sizes[1].high, 7);
	ck_assert_uint_eq(u[0].allow.n_sources, 1);
	ck_assert_uint_eq(u[0].allow.sources[0].length, 24);
	ck_assert(!net_address_is_set(&u[1].target));
	ck_assert_uint_eq(u[1].allow.n_sizes, 0);
	ck_assert_uint_eq(u[1].deny.n_sizes, 1);
	config_unref(c);
}
END_TEST

START_TEST(service_types_are_kept_in_lower_case)
{
	struct config *c = parse(INTERFACES
		"groups:\n"
		"  g: { preset: mdns, allow: { services: _HAP._TCP } }\n");

	ck_assert_uint_eq(c->groups[0].allow.services.n, 1);
	ck_assert_str_eq(c->groups[0].allow.services.at[0], "_hap._tcp");
	config_unref(c);
}
END_TEST

START_TEST(preserve_implies_that_no_replies_are_carried)
{
	struct config *c =
		parse(INTERFACES "groups:\n"
				 "  g: { preset: ssdp, source: preserve }\n");

	ck_assert_int_eq(c->groups[0].source, CONFIG_SOURCE_PRESERVE);
	ck_assert_int_eq(c->groups[0].replies, CONFIG_REPLIES_NONE);
	config_unref(c);
}
END_TEST

START_TEST(another_payload_takes_the_strip_of_a_preset_away)
{
	struct config *c =
		parse(INTERFACES "groups:\n"
				 "  g: { preset: mdns, payload: none }\n");

	ck_assert_uint_eq(c->groups[0].strip, 0);
	config_unref(c);
}
END_TEST

START_TEST(lines_are_those_of_the_names)
{
	struct config *c =
		parse(GROUP " }\n"
			    "announcements:\n"
			    "  a: { group: g, payload: { text: x } }\n");

	ck_assert_int_eq(c->interfaces[1].line, 3);
	ck_assert_int_eq(c->groups[0].line, 5);
	ck_assert_int_eq(c->announcements[0].line, 7);
	config_unref(c);
}
END_TEST

START_TEST(payloads_are_decoded)
{
	static const struct {
		const char *written;
		enum config_data_kind kind;
		const char *bytes;
		size_t size;
	} cases[] = {
		{ "text: \"a %{time}\"", CONFIG_DATA_TEXT, "a %{time}", 9 },
		{ "hex: 00fFA5", CONFIG_DATA_BYTES, "\0\xff\xa5", 3 },
		{ "base64: AP+l", CONFIG_DATA_BYTES, "\0\xff\xa5", 3 },
		{ "base64: AP8=", CONFIG_DATA_BYTES, "\0\xff", 2 },
		{ "base64: AA==", CONFIG_DATA_BYTES, "\0", 1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct config_data *d;
		struct config *c;
		char text[512];

		(void)snprintf(text, sizeof(text),
			GROUP " }\nannouncements:\n"
			      "  a: { group: g, payload: { %s } }\n",
			cases[i].written);
		c = parse(text);
		d = &c->announcements[0].payload;
		ck_assert_int_eq(d->kind, cases[i].kind);
		ck_assert_uint_eq(d->size, cases[i].size);
		ck_assert_mem_eq(d->bytes, cases[i].bytes, cases[i].size);
		ck_assert_uint_eq(c->announcements[0].interval_ms, 60000);
		ck_assert_uint_eq(c->announcements[0].burst, 1);
		ck_assert_int_eq(
			c->announcements[0].goodbye.kind, CONFIG_DATA_NONE);
		config_unref(c);
	}
}
END_TEST

START_TEST(a_reference_keeps_the_configuration)
{
	struct config *c = parse(GROUP " }\n");

	ck_assert_ptr_eq(config_ref(c), c);
	config_unref(c);
	ck_assert_str_eq(c->groups[0].name, "g");
	config_unref(c);
	config_unref(NULL);
}
END_TEST

START_TEST(durations_have_one_unit)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} good[] = { { "0ms", 0 }, { "250ms", 250 }, { "10s", 10000 },
		{ "5m", 300000 }, { "1h", 3600000 },
		{ "18446744073709551615ms", UINT64_MAX },
		/* Too large to count stays too large. */
		{ "18446744073709551616ms", UINT64_MAX },
		{ "18446744073709551615h", UINT64_MAX } };
	static const char *const bad[] = { "", "s", "10", "10 s", " 10s", "10S",
		"10sec", "1m30s", "1.5s", "-1s", "+1s", "010s", "0x1s", "10s ",
		"off", "1d" };
	uint64_t ms;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		ck_assert_int_eq(config_parse_duration(good[i].text, &ms), 0);
		ck_assert_uint_eq(ms, good[i].ms);
	}
	ms = 77;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		ck_assert_int_eq(config_parse_duration(bad[i], &ms), -EINVAL);
		ck_assert_uint_eq(ms, 77);
	}
}
END_TEST

START_TEST(devices_match_by_name_by_glob_and_never_an_exclude)
{
	char *patterns[] = { "br-*", "!br-test*", "eth[0-2]", "br-lan", "!eth1",
		"a]b" };
	const struct config_interface i = { .device = { patterns, 6 } };
	static const struct {
		const char *device;
		bool is_match, is_exact;
	} cases[] = {
		{ "br-iot", true, false },
		{ "br-lan", true, true },
		{ "br-test", false, false },
		{ "br-test2", false, false },
		{ "br", false, false },
		{ "xbr-iot", false, false },
		{ "eth0", true, false },
		{ "eth1", false, false },
		{ "eth2", true, false },
		{ "eth3", false, false },
		{ "a]b", true, true },
		{ "", false, false },
	};

	for (size_t n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
		/* Left alone where nothing matches. */
		bool exact = !cases[n].is_exact;

		ck_assert_msg(config_interface_matches(&i, cases[n].device,
				      &exact) == cases[n].is_match,
			"%s", cases[n].device);
		ck_assert_msg(exact == (cases[n].is_match ? cases[n].is_exact
							  : !cases[n].is_exact),
			"%s", cases[n].device);
	}
}
END_TEST

START_TEST(words_are_those_of_the_file)
{
	ck_assert_str_eq(config_source_word(CONFIG_SOURCE_OWN), "own");
	ck_assert_str_eq(
		config_source_word(CONFIG_SOURCE_OWN_PORT), "own-port");
	ck_assert_str_eq(
		config_source_word(CONFIG_SOURCE_PRESERVE), "preserve");
	ck_assert_str_eq(config_send_word(CONFIG_SEND_SOCKET), "socket");
	ck_assert_str_eq(config_send_word(CONFIG_SEND_FRAME), "frame");
	ck_assert_str_eq(config_payload_word(CONFIG_PAYLOAD_NONE), "none");
	ck_assert_str_eq(config_payload_word(CONFIG_PAYLOAD_MDNS), "mdns");
	ck_assert_str_eq(config_payload_word(CONFIG_PAYLOAD_SSDP), "ssdp");
	ck_assert_str_eq(config_payload_word(CONFIG_PAYLOAD_WSD), "wsd");
	ck_assert_str_eq(config_replies_word(CONFIG_REPLIES_NONE), "none");
	ck_assert_str_eq(config_replies_word(CONFIG_REPLIES_PROXY), "proxy");
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("values");

	tcase_add_test(t, what_is_left_out_has_its_default);
	tcase_add_test(t, a_group_wins_over_its_preset);
	tcase_add_test(
		t, a_ttl_is_of_the_use_then_group_then_preset_then_interface);
	tcase_add_test(t, lists_of_interfaces_give_their_roles);
	tcase_add_test(t, a_use_has_a_target_and_filters_of_its_own);
	tcase_add_test(t, service_types_are_kept_in_lower_case);
	tcase_add_test(t, preserve_implies_that_no_replies_are_carried);
	tcase_add_test(t, another_payload_takes_the_strip_of_a_preset_away);
	tcase_add_test(t, lines_are_those_of_the_names);
	tcase_add_test(t, payloads_are_decoded);
	tcase_add_test(t, a_reference_keeps_the_configuration);
	tcase_add_test(t, durations_have_one_unit);
	tcase_add_test(t, devices_match_by_name_by_glob_and_never_an_exclude);
	tcase_add_test(t, words_are_those_of_the_file);
	return run(t);
}
