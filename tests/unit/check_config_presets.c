/*
 * The presets that are compiled in: that they say what the design says, that
 * every one can be used, and that docs/presets.md says the same.
 */
#include "check_config.h"

/* A table that has lost its rows is no success. */
enum { PRESETS_MIN = 30 };

/* A file with a group for each preset, named as that is; with flow-ports, so
 * that there is no remark about them. The caller frees it. */
static char *every_preset(void)
{
	struct config *c = parse(GROUP " }\n");
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	(void)fputs(
		"control: { group: root }\nflow-ports: 32000-33023\n" INTERFACES
		"groups:\n",
		out);
	for (size_t i = 0; i < c->n_presets; i++)
		(void)fprintf(out, "  %s: { preset: %s }\n", c->presets[i].name,
			c->presets[i].name);
	ck_assert_int_eq(fclose(out), 0);
	config_unref(c);
	return text;
}

static struct config *parse_every_preset(void)
{
	char *text = every_preset();
	struct config *c = parse(text);

	free(text);
	return c;
}

/* The caller frees it. */
static char *read_source(const char *name)
{
	char path[4096], *text = NULL, buffer[4096];
	size_t size, n;
	FILE *file, *out = open_memstream(&text, &size);

	(void)snprintf(path, sizeof(path), "%s/%s", top_srcdir(), name);
	file = fopen(path, "r");
	ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
	ck_assert_ptr_nonnull(out);
	while ((n = fread(buffer, 1, sizeof(buffer), file)) > 0)
		ck_assert_uint_eq(fwrite(buffer, 1, n, out), n);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

/* Whether a group has exactly these addresses, up to NULL, in any order. */
static bool has_addresses(
	const struct config_group *g, const char *const *addresses)
{
	char text[NET_ADDRESS_TEXT];
	size_t n = 0, found = 0;

	for (; addresses[n] != NULL; n++) {
		for (size_t i = 0; i < g->n_addresses; i++)
			found += strcmp(net_address_format(
						&g->addresses[i], NULL, text),
					 addresses[n]) == 0;
	}
	return n == g->n_addresses && found == n;
}

/* The values are those of the design. */
START_TEST(mdns_ssdp_and_wsd_are_exactly_as_designed)
{
	static const struct {
		const char *name, *addresses[4];
		uint16_t port;
		int ttl;
		enum config_payload payload;
		unsigned strip;
	} expected[] = {
		{ "mdns", { "224.0.0.251", "ff02::fb" }, 5353, 255,
			CONFIG_PAYLOAD_MDNS,
			CONFIG_STRIP_LINK_LOCAL | CONFIG_STRIP_MULTI_HOMED },
		{ "ssdp", { "239.255.255.250", "ff02::c", "ff05::c" }, 1900, 2,
			CONFIG_PAYLOAD_SSDP, 0 },
		{ "wsd", { "239.255.255.250", "ff02::c" }, 3702, 1,
			CONFIG_PAYLOAD_WSD, 0 },
	};
	struct config *c = parse(GROUP " }\n");

	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
		const struct config_preset *p = &c->presets[i];
		const struct config_group *g = &p->group;

		ck_assert_str_eq(p->name, expected[i].name);
		ck_assert(p->built_in);
		ck_assert(has_addresses(g, expected[i].addresses));
		ck_assert(!g->broadcast);
		ck_assert_uint_eq(g->n_ports, 1);
		ck_assert_uint_eq(g->ports[0], expected[i].port);
		ck_assert_int_eq(g->ttl, expected[i].ttl);
		ck_assert_int_eq(g->source, CONFIG_SOURCE_OWN);
		ck_assert_int_eq(g->payload, expected[i].payload);
		ck_assert_uint_eq(g->strip, expected[i].strip);
		ck_assert_int_eq(g->replies, CONFIG_REPLIES_PROXY);
		ck_assert_uint_eq(g->rate, 500);
		ck_assert_uint_eq(g->n_uses, 0);
	}
	config_unref(c);
}
END_TEST

START_TEST(every_preset_makes_a_group_without_another_key)
{
	struct config *c = parse_every_preset();

	ck_assert_uint_ge(c->n_presets, PRESETS_MIN);
	ck_assert_uint_eq(c->n_groups, c->n_presets);
	for (size_t i = 0; i < c->n_groups; i++) {
		const struct config_group *g = &c->groups[i];

		ck_assert_str_eq(g->preset, c->presets[i].name);
		ck_assert(c->presets[i].built_in);
		ck_assert_msg(g->rate > 0, "%s has no rate", g->name);
		ck_assert_msg(g->notes != NULL, "%s has no notes", g->name);
		/* Where no decoder can tell, only slp goes by the port. */
		ck_assert_msg((g->payload == CONFIG_PAYLOAD_NONE &&
				      strcmp(g->name, "slp") != 0) ==
				      (g->speaks != CONFIG_SPEAKS_UNKNOWN),
			"%s", g->name);
	}
	config_unref(c);
}
END_TEST

START_TEST(every_preset_reads_back_from_its_dump)
{
	struct config *c = parse_every_preset(), *again;
	char *first = dump(c), *second;

	again = parse(first);
	second = dump(again);
	ck_assert_str_eq(first, second);
	ck_assert_uint_eq(again->n_groups, c->n_groups);
	for (size_t i = 0; i < c->n_groups; i++)
		ck_assert_msg(config_group_equal(c, &c->groups[i], again,
				      &again->groups[i]),
			"%s", c->groups[i].name);
	free(second);
	free(first);
	config_unref(again);
	config_unref(c);
}
END_TEST

static void check_remark(void *data, const char *path, const char *text)
{
	const struct config *c = data;
	char expected[128];

	for (size_t i = 0; i < c->n_groups; i++) {
		const struct config_group *g = &c->groups[i];

		(void)snprintf(
			expected, sizeof(expected), "groups.%s", g->name);
		if (strcmp(path, expected) != 0)
			continue;
		ck_assert_msg(
			strcmp(text, g->notes) == 0 ||
				(g->source == CONFIG_SOURCE_PRESERVE &&
					strncmp(text, "source: ", 8) == 0),
			"%s: %s", path, text);
		return;
	}
	ck_abort_msg("%s: %s", path, text);
}

START_TEST(no_preset_relays_what_must_not_be_relayed)
{
	struct config *c = parse_every_preset();

	config_remarks(c, check_remark, c);
	config_unref(c);
}
END_TEST

/* ---- docs/presets.md ---- */

static void print_channels(FILE *out, const struct config_group *g)
{
	char text[NET_ADDRESS_TEXT];

	for (size_t i = 0; i < g->n_addresses; i++)
		(void)fprintf(out, "%s%s", i > 0 ? ", " : "",
			net_address_format(&g->addresses[i], NULL, text));
	if (g->broadcast)
		(void)fprintf(
			out, "%sbroadcast", g->n_addresses > 0 ? ", " : "");
	(void)fputs(" : ", out);
	for (size_t i = 0; i < g->n_ports; i++)
		(void)fprintf(out, "%s%d", i > 0 ? ", " : "", g->ports[i]);
}

/* What only may pass. */
static void print_filter(FILE *out, const struct config_filter *f)
{
	const char *comma = "";

	for (size_t i = 0; i < f->services.n; i++, comma = ", ")
		(void)fprintf(out, "%s`%s`", comma, f->services.at[i]);
	for (size_t i = 0; i < f->targets.n; i++, comma = ", ")
		(void)fprintf(out, "%s`%s`", comma, f->targets.at[i]);
	for (size_t i = 0; i < f->n_sizes; i++, comma = ", ")
		(void)fprintf(out, "%s%u-%u bytes", comma, f->sizes[i].low,
			f->sizes[i].high);
	if (*comma == '\0')
		(void)fputs("all", out);
}

/* How datagrams are told apart. */
static const char *kind_word(const struct config_group *g)
{
	static const char *const words[] = { "by port", "search", "announce",
		"both" };

	return g->payload != CONFIG_PAYLOAD_NONE
		       ? config_payload_word(g->payload)
		       : words[g->speaks];
}

/* The row that a preset has in the table, up to where its facts are from. The
 * caller frees it. */
static char *row_of(const struct config_preset *p)
{
	const struct config_group *g = &p->group;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	(void)fprintf(out, "\n| `%s` | ", p->name);
	print_channels(out, g);
	if (g->ttl > 0)
		(void)fprintf(out, " | %d", g->ttl);
	else
		(void)fputs(" | -", out);
	(void)fprintf(out, " | %s | %s | %s | ", config_source_word(g->source),
		config_replies_word(g->replies), kind_word(g));
	print_filter(out, &g->allow);
	(void)fprintf(out, " | %s | ", p->notes);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

static size_t count(const char *text, const char *word)
{
	size_t n = 0;

	for (; (text = strstr(text, word)) != NULL; text += strlen(word))
		n++;
	return n;
}

START_TEST(the_table_in_docs_is_the_data)
{
	struct config *c = parse(GROUP " }\n");
	char *docs = read_source("docs/presets.md"), *row;

	for (size_t i = 0; i < c->n_presets; i++) {
		row = row_of(&c->presets[i]);
		ck_assert_msg(strstr(docs, row) != NULL,
			"docs/presets.md lacks:%s... |", row);
		free(row);
	}
	ck_assert_uint_eq(count(docs, "\n| `"), c->n_presets);
	free(docs);
	config_unref(c);
}
END_TEST

/* So that nobody adds one that he only remembers. */
START_TEST(every_preset_says_where_it_is_from)
{
	struct config *c = parse(GROUP " }\n");
	char *data = read_source("conf/presets.yaml"), key[64], *at;

	for (size_t i = 0; i < c->n_presets; i++) {
		(void)snprintf(
			key, sizeof(key), "\n  %s:\n", c->presets[i].name);
		at = strstr(data, key);
		ck_assert_msg(at != NULL, "%s", key);
		while (at > data && at[-1] != '\n')
			at--;
		ck_assert_msg(
			strncmp(at, "  # ", 4) == 0, "%s", c->presets[i].name);
	}
	free(data);
	config_unref(c);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("presets");

	tcase_add_test(t, mdns_ssdp_and_wsd_are_exactly_as_designed);
	tcase_add_test(t, every_preset_makes_a_group_without_another_key);
	tcase_add_test(t, every_preset_reads_back_from_its_dump);
	tcase_add_test(t, no_preset_relays_what_must_not_be_relayed);
	tcase_add_test(t, the_table_in_docs_is_the_data);
	tcase_add_test(t, every_preset_says_where_it_is_from);
	return run(t);
}
