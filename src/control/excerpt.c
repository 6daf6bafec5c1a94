#include "control/excerpt.h"

#include "config/config.h"
#include "net/net.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS_MAX = 12, BYTES_MAX = 64, LINE_LENGTH = 160 };

/* ---- any bytes ---- */

static void write_bytes(FILE *out, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size && i < BYTES_MAX; i++) {
		if (data[i] >= 0x20 && data[i] < 0x7f)
			(void)fputc(data[i], out);
		else
			(void)fprintf(out, "\\x%02x", data[i]);
	}
	if (size > BYTES_MAX)
		(void)fputs("...", out);
}

/* ---- mDNS ---- */

static void write_type(FILE *out, uint16_t type)
{
	static const struct {
		uint16_t type;
		const char *word;
	} words[] = {
		{ MDNS_A, "A" },
		{ MDNS_PTR, "PTR" },
		{ MDNS_TXT, "TXT" },
		{ MDNS_AAAA, "AAAA" },
		{ MDNS_SRV, "SRV" },
		{ MDNS_NSEC, "NSEC" },
		{ MDNS_ANY, "ANY" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].type == type) {
			(void)fputs(words[i].word, out);
			return;
		}
	(void)fprintf(out, "TYPE%u", type); /* RFC 3597, 5 */
}

static void write_address(FILE *out, const struct mdns_item *i)
{
	struct net_address a = {
		.family = i->type == MDNS_A ? AF_INET : AF_INET6,
	};
	char text[NET_ADDRESS_TEXT];

	memcpy(a.bytes, i->head.at, net_address_size(&a));
	(void)fprintf(out, " %s", net_address_format(&a, NULL, text));
}

/* The data, where it tells something in a few words. */
static void write_data(FILE *out, const struct mdns_item *i)
{
	char name[MDNS_NAME_TEXT];

	if (i->type == MDNS_A || i->type == MDNS_AAAA) {
		write_address(out, i);
		return;
	}
	if (i->type != MDNS_PTR && i->type != MDNS_SRV)
		return;
	mdns_name_to_text(&i->targets[0], name);
	(void)fprintf(out, " %s", name);
	if (i->type == MDNS_SRV) /* RFC 2782: the port is behind two others */
		(void)fprintf(out, ":%d", i->head.at[4] << 8 | i->head.at[5]);
}

static void write_item(FILE *out, const struct mdns_item *i)
{
	char name[MDNS_NAME_TEXT];

	write_type(out, i->type);
	mdns_name_to_text(&i->name, name);
	(void)fprintf(
		out, "%s %s", i->section == MDNS_QUESTION ? "?" : "", name);
	if (i->section == MDNS_QUESTION)
		return;
	write_data(out, i);
	if (i->ttl == 0)
		(void)fputs(" (goodbye)", out);
}

static int write_mdns(FILE *out, const uint8_t *data, size_t size)
{
	struct mdns_reader reader;
	struct mdns_item item;
	unsigned n = 0;
	int r;

	r = mdns_open(&reader, data, size);
	if (r < 0)
		return r;
	while ((r = mdns_next(&reader, &item)) > 0) {
		if (item.type == MDNS_OPT || n++ >= ITEMS_MAX)
			continue;
		if (n > 1)
			(void)fputs(", ", out);
		write_item(out, &item);
	}
	if (n > ITEMS_MAX)
		(void)fprintf(out, " and %u more", n - ITEMS_MAX);
	return r;
}

/* ---- SSDP ---- */

static int write_ssdp(FILE *out, const uint8_t *data, size_t size)
{
	struct ssdp_message m;
	struct ssdp_text target;
	size_t line = 0;
	int r;

	r = ssdp_parse(data, size, &m);
	if (r < 0)
		return r;
	while (line < size && line < LINE_LENGTH && data[line] &&
		!strchr("\r\n", data[line]))
		line++;
	(void)fwrite(data, 1, line, out);
	target = ssdp_target(&m);
	if (m.header[SSDP_NTS].at)
		(void)fprintf(out, ", %.*s", (int)m.header[SSDP_NTS].size,
			m.header[SSDP_NTS].at);
	if (target.at)
		(void)fprintf(out, ", %.*s", (int)target.size, target.at);
	return 0;
}

/* ---- WS-Discovery ---- */

static int write_wsd(
	struct excerpt *e, FILE *out, const uint8_t *data, size_t size)
{
	static const char *const words[] = {
		[WSD_OTHER] = "other",
		[WSD_HELLO] = "Hello",
		[WSD_BYE] = "Bye",
		[WSD_PROBE] = "Probe",
		[WSD_PROBE_MATCHES] = "ProbeMatches",
		[WSD_RESOLVE] = "Resolve",
		[WSD_RESOLVE_MATCHES] = "ResolveMatches",
	};
	struct wsd_message m;
	int r;

	/* Who looks at what was relayed is not who an attacker would starve:
	 * any salt does. */
	if (!e->wsd) {
		r = wsd_parser_new(&e->wsd, 1);
		if (r < 0)
			return r;
	}
	r = wsd_parse(e->wsd, data, size, &m);
	if (r < 0)
		return r;
	(void)fputs(words[m.action], out);
	for (unsigned i = 0; i < m.n_types; i++)
		(void)fprintf(out, " %s", m.types[i].local);
	if (*m.address)
		(void)fprintf(out, " %s", m.address);
	if (*m.xaddrs)
		(void)fprintf(out, " at %s", m.xaddrs);
	return 0;
}

/* ---- all of them ---- */

static int write_decoded(struct excerpt *e, const char *protocol, FILE *out,
	const uint8_t *data, size_t size)
{
	if (!strcmp(protocol, config_payload_word(CONFIG_PAYLOAD_MDNS)))
		return write_mdns(out, data, size);
	if (!strcmp(protocol, config_payload_word(CONFIG_PAYLOAD_SSDP)))
		return write_ssdp(out, data, size);
	if (!strcmp(protocol, config_payload_word(CONFIG_PAYLOAD_WSD)))
		return write_wsd(e, out, data, size);
	return -EBADMSG;
}

char *excerpt_text(struct excerpt *e, const char *protocol, const uint8_t *data,
	size_t size)
{
	char *text = NULL;
	size_t text_size;
	FILE *out = open_memstream(&text, &text_size);

	if (!out)
		return NULL;
	if (write_decoded(e, protocol, out, data, size) < 0) {
		rewind(out);
		write_bytes(out, data, size);
		(void)fputc('\0', out);
	}
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

void excerpt_done(struct excerpt *e)
{
	wsd_parser_free(e->wsd);
	e->wsd = NULL;
}
