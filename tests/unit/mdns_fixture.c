#include "mdns_fixture.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LINE = 2 * MDNS_NAME_TEXT + 100, MAX_TEXT = 100000 };

static const struct {
	const char *word;
	uint16_t type;
} types[] = {
	{ "A", MDNS_A },
	{ "CNAME", 5 },
	{ "SOA", 6 },
	{ "PTR", MDNS_PTR },
	{ "HINFO", 13 },
	{ "MX", 15 },
	{ "TXT", MDNS_TXT },
	{ "RP", 17 },
	{ "AAAA", MDNS_AAAA },
	{ "SRV", MDNS_SRV },
	{ "OPT", MDNS_OPT },
	{ "NSEC", MDNS_NSEC },
	{ "UNKNOWN", 0xff00 },
	{ "ANY", MDNS_ANY },
};

static const char *const sections[] = { "q", "an", "au", "ad" };

struct mdns_name fixture_name(const char *text)
{
	struct mdns_name n;

	ck_assert_msg(mdns_name_from_text(text, &n) == 0, "%s", text);
	return n;
}

static uint16_t type_of(const char *word)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(types[i].word, word) == 0)
			return types[i].type;
	}
	ck_abort_msg("no type %s", word);
}

static const char *word_of(uint16_t type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i].type == type)
			return types[i].word;
	}
	ck_abort_msg("no type %u", type);
}

/* Bytes in hexadecimal. */
static size_t read_hex(const char *text, uint8_t *out)
{
	size_t n = 0;
	unsigned byte;

	for (; sscanf(text, "%2x", &byte) == 1; text += 2)
		out[n++] = (uint8_t)byte;
	return n;
}

static void put_nsec(struct mdns_writer *w, enum mdns_section s,
	const struct mdns_name *name, char *words)
{
	uint16_t has[8];
	size_t n = 0;

	for (char *t = strtok(words, " "); t != NULL; t = strtok(NULL, " "))
		has[n++] = type_of(t);
	ck_assert_int_eq(mdns_put_nsec(w, s, name, 120, has, n), 0);
}

/* Everything else: a head in hexadecimal, and names. */
static void put_other(struct mdns_writer *w, struct mdns_item *i, char *rest)
{
	uint8_t head[512], tail[512];
	char text[MAX_LINE];
	int used;

	if (i->type == MDNS_OPT)
		i->rrclass = 1440;
	if (sscanf(rest, " #%1023s%n", text, &used) == 1) {
		i->head = (struct mdns_bytes){ head, read_hex(text, head) };
		rest += used;
	}
	while (i->n_targets < MDNS_MAX_TARGETS &&
		sscanf(rest, " %1023[^# ]%n", text, &used) == 1) {
		i->targets[i->n_targets++] = fixture_name(text);
		rest += used;
	}
	if (sscanf(rest, " #%1023s", text) == 1)
		i->tail = (struct mdns_bytes){ tail, read_hex(text, tail) };
	ck_assert_int_eq(mdns_put(w, i), 0);
}

static void put_line(struct mdns_writer *w, char *line)
{
	char where[3], name[MDNS_NAME_TEXT], type[16];
	struct mdns_item i = { .section = MDNS_QUESTION };
	uint8_t address[16];
	int used = 0;

	ck_assert_int_eq(
		sscanf(line, "%2s %1024s %15s %n", where, name, type, &used),
		3);
	while (i.section < MDNS_ADDITIONAL &&
		strcmp(where, sections[i.section]) != 0)
		i.section++;
	i.name = fixture_name(name);
	i.type = type_of(type);
	i.rrclass = 1;
	i.ttl = 120;
	if (strcmp(where, "qu") == 0 || strcmp(where, "q") == 0)
		ck_assert_int_eq(
			mdns_put_question(w, &i.name, i.type, where[1] == 'u'),
			0);
	else if (i.type == MDNS_A || i.type == MDNS_AAAA)
		ck_assert_int_eq(
			mdns_put_address(w, i.section, &i.name, 120, address,
				inet_pton(i.type == MDNS_A ? AF_INET : AF_INET6,
					line + used, address) == 1 &&
						i.type == MDNS_A
					? 4
					: 16),
			0);
	else if (i.type == MDNS_NSEC && strchr(line + used, '#') == NULL)
		put_nsec(w, i.section, &i.name, line + used);
	else
		put_other(w, &i, line + used);
}

size_t fixture_build(uint16_t flags, const char *text, uint8_t *out)
{
	char *lines = strdup(text), *line, *rest = lines;
	struct mdns_writer w;
	size_t size;

	ck_assert_int_eq(mdns_begin(&w, out, MDNS_MAX_BYTES, 0, flags), 0);
	while ((line = strsep(&rest, "\n")) != NULL)
		put_line(&w, line);
	size = w.used;
	free(lines);
	return size;
}

static void add_hex(char *line, const struct mdns_bytes *b)
{
	if (b->size > 0)
		strcat(line, " #");
	for (size_t i = 0; i < b->size; i++)
		sprintf(line + strlen(line), "%02x", b->at[i]);
}

static void add_bitmap(char *line, const struct mdns_bytes *b)
{
	for (unsigned t = 0; t < 256 && 2 + t / 8 < b->size; t++) {
		if ((b->at[2 + t / 8] & 0x80 >> t % 8) != 0)
			sprintf(line + strlen(line), " %s",
				word_of((uint16_t)t));
	}
}

static void add_data(char *line, const struct mdns_item *i)
{
	char text[MDNS_NAME_TEXT];

	if (i->type == MDNS_NSEC && i->tail.size > 2 && i->tail.at[0] == 0) {
		add_bitmap(line, &i->tail);
	} else if (i->type == MDNS_A || i->type == MDNS_AAAA) {
		inet_ntop(i->type == MDNS_A ? AF_INET : AF_INET6, i->head.at,
			text, sizeof(text));
		sprintf(line + strlen(line), " %s", text);
	} else {
		add_hex(line, &i->head);
		for (unsigned t = 0; t < i->n_targets; t++) {
			mdns_name_to_text(&i->targets[t], text);
			sprintf(line + strlen(line), " %s", text);
		}
		add_hex(line, &i->tail);
	}
}

const char *fixture_lines(const uint8_t *message, size_t size)
{
	static char text[MAX_TEXT];
	char line[MAX_LINE], name[MDNS_NAME_TEXT];
	struct mdns_reader r;
	struct mdns_item i;
	int error;

	text[0] = '\0';
	ck_assert_int_eq(mdns_open(&r, message, size), 0);
	while ((error = mdns_next(&r, &i)) > 0) {
		mdns_name_to_text(&i.name, name);
		sprintf(line, "%s%s %s %s", sections[i.section],
			i.section == MDNS_QUESTION && i.top ? "u" : "", name,
			word_of(i.type));
		if (i.section != MDNS_QUESTION)
			add_data(line, &i);
		if (text[0] != '\0')
			strcat(text, "\n");
		strcat(text, line);
	}
	ck_assert_int_eq(error, 0);
	return text;
}

uint8_t *fixture_exact(const uint8_t *bytes, size_t size)
{
	uint8_t *copy = malloc(size);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, bytes, size);
	return copy;
}

void fixture_parses(const uint8_t *message, size_t size)
{
	ns_msg m;
	ns_rr rr;

	ck_assert_int_eq(ns_initparse(message, (int)size, &m), 0);
	for (int s = 0; s < ns_s_max; s++) {
		for (int i = 0; i < ns_msg_count(m, s); i++)
			ck_assert_int_eq(ns_parserr(&m, (ns_sect)s, i, &rr), 0);
	}
}
