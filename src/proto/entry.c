#include "proto/entry.h"

#include "proto/mdns_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- SSDP ---- */

static struct proto_piece piece_of(
	const struct ssdp_message *m, enum ssdp_header h)
{
	return (struct proto_piece){ m->header[h].at, m->header[h].size };
}

/* USN is "a unique service name" (1.2.2); Yeelight has none, but says where it
 * is. */
static struct proto_piece identity_of(const struct ssdp_message *m)
{
	struct proto_piece usn = piece_of(m, SSDP_USN);

	return usn.size > 0 ? usn : piece_of(m, SSDP_LOCATION);
}

static int presence_of(const struct ssdp_message *m, enum proto_presence *ret)
{
	switch (m->method) {
	case SSDP_NOTIFY:
		*ret = m->nts == SSDP_BYEBYE   ? PROTO_GONE
		       : m->nts == SSDP_UPDATE ? PROTO_UPDATED
					       : PROTO_ALIVE;
		return 0;
	case SSDP_ANSWER:
	case SSDP_HELLO:
		*ret = PROTO_ALIVE;
		return 0;
	case SSDP_BYE:
		*ret = PROTO_GONE;
		return 0;
	default:
		return -ENOMSG;
	}
}

int ssdp_entry(const struct ssdp_message *m, struct proto_entry *ret)
{
	struct ssdp_text target = ssdp_target(m);
	enum proto_presence presence;
	int error;

	error = presence_of(m, &presence);
	if (error < 0)
		return error;
	ret->presence = presence;
	ret->identity = identity_of(m);
	ret->name = ret->identity;
	ret->type = (struct proto_piece){ target.at, target.size };
	ret->location = piece_of(m, SSDP_LOCATION);
	ret->detail = piece_of(m, SSDP_SERVER);
	ret->lifetime_s = m->max_age;
	return 0;
}

/* ---- WS-Discovery ---- */

static struct proto_piece piece(const char *text)
{
	return (struct proto_piece){ text, strlen(text) };
}

/* The local names between blanks. */
static struct proto_piece join_types(const struct wsd_message *m, char *to)
{
	char *end = to;

	for (unsigned i = 0; i < m->n_types; i++) {
		if (i > 0)
			*end++ = ' ';
		end = stpcpy(end, m->types[i].local);
	}
	return (struct proto_piece){ to, (size_t)(end - to) };
}

int wsd_entry(const struct wsd_message *m, struct proto_entry *ret)
{
	char *version = ret->text + PROTO_ENTRY_TYPES;

	switch (m->action) {
	case WSD_HELLO:
	case WSD_PROBE_MATCHES:
	case WSD_RESOLVE_MATCHES:
		ret->presence = PROTO_ALIVE;
		break;
	case WSD_BYE:
		ret->presence = PROTO_GONE;
		break;
	default:
		return -ENOMSG;
	}
	if (m->targets == 0) /* nobody matched */
		return -ENOMSG;
	ret->identity = piece(m->address);
	ret->name = ret->identity;
	ret->type = join_types(m, ret->text);
	ret->location = piece(m->xaddrs);
	/* A greater one says that something about it has changed (4.1). */
	(void)snprintf(version, sizeof(ret->text) - PROTO_ENTRY_TYPES, "%u",
		m->metadata_version);
	ret->detail = piece(version);
	ret->lifetime_s = -1;
	return 0;
}

/* ---- any datagram ---- */

void excerpt_entry(const void *data, size_t size, struct proto_entry *ret)
{
	unsigned char text[PROTO_EXCERPT] = { 0 };

	if (size > PROTO_EXCERPT)
		size = PROTO_EXCERPT;
	if (size > 0)
		memcpy(text, data, size);
	/* All of them, whatever the size, which takes a few wide steps. */
	for (size_t i = 0; i < PROTO_EXCERPT; i++) {
		unsigned char behind = (unsigned char)(text[i] - 0x20);

		text[i] = behind < 0x5f ? text[i] : '.';
	}
	memcpy(ret->text, text, size);
	ret->presence = PROTO_ALIVE;
	ret->identity = piece("");
	ret->name = (struct proto_piece){ ret->text, size };
	ret->type = piece("");
	ret->location = piece("");
	ret->detail = piece("");
	ret->lifetime_s = -1;
}

/* ---- mDNS ---- */

bool mdns_name_instance(const struct mdns_name *n, struct proto_piece *label,
	char type[MDNS_SERVICE_TEXT])
{
	struct mdns_name rest;
	size_t size = n->size > 0 ? n->wire[0] : 0;

	if (size == 0 || mdns_name_is_enumeration(n))
		return false;
	rest.size = (uint8_t)(n->size - size - 1);
	memcpy(rest.wire, n->wire + 1 + size, rest.size);
	/* Behind the label stands the type at once: behind that of a subtype
	 * stands "_sub". */
	if (!mdns_name_is_service(&rest) || !mdns_name_service(&rest, type))
		return false;
	*label = (struct proto_piece){ (const char *)n->wire + 1, size };
	return true;
}

static bool is_instance(const struct mdns_name *n)
{
	struct proto_piece label;
	char type[MDNS_SERVICE_TEXT];

	return mdns_name_instance(n, &label, type);
}

/* A PTR of "_ipp._tcp.local" or of a subtype of it, which may end before the
 * instance does (7.1). */
static bool tells_instance(const struct mdns_item *i)
{
	char type[MDNS_SERVICE_TEXT];

	return !mdns_name_is_enumeration(&i->name) &&
	       (i->ttl > 0 ? mdns_name_service(&i->name, type)
			   : mdns_name_is_service(&i->name)) &&
	       is_instance(&i->targets[0]);
}

bool mdns_tells(const struct mdns_item *i, struct mdns_telling *ret)
{
	struct mdns_telling t = { .subject = &i->name,
		.data = i->head,
		.ttl = i->ttl,
		.flush = i->top };

	if (i->section == MDNS_QUESTION || i->section == MDNS_AUTHORITY ||
		!mdns_record_is_right(i))
		return false;
	switch (i->type) {
	case MDNS_PTR:
		if (!tells_instance(i))
			return false;
		t.what = MDNS_TELLS_INSTANCE;
		t.subject = &i->targets[0];
		break;
	case MDNS_SRV:
		if (!is_instance(&i->name))
			return false;
		t.what = MDNS_TELLS_SERVICE;
		t.host = &i->targets[0];
		/* Behind priority and weight (RFC 2782). */
		t.port = (uint16_t)(i->head.at[4] << 8 | i->head.at[5]);
		break;
	case MDNS_TXT:
		if (!is_instance(&i->name))
			return false;
		t.what = MDNS_TELLS_TEXT;
		break;
	case MDNS_A:
	case MDNS_AAAA:
		t.what = MDNS_TELLS_ADDRESS;
		break;
	default:
		return false;
	}
	*ret = t;
	return true;
}
