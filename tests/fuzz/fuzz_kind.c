/*
 * Whatever a datagram says, to the classifier of each payload: it has one of
 * the kinds that its decoder knows, the same again, and where it is none of
 * its decoder's nothing is said of it. There is always a line for people.
 */
#include "control/excerpt.h"
#include "fuzz.h"
#include "proto/proto.h"

#include <errno.h>
#include <string.h>

static const char *const protocols[] = { "none", "mdns", "ssdp", "wsd" };

/* The kinds of each payload. */
static const unsigned kinds[] = {
	[PROTO_NONE] = 1U << PROTO_UNKNOWN,
	[PROTO_MDNS] = 1U << PROTO_SEARCH | 1U << PROTO_ANNOUNCEMENT |
		       1U << PROTO_PROBE | 1U << PROTO_OTHER,
	[PROTO_SSDP] = 1U << PROTO_SEARCH | 1U << PROTO_ANNOUNCEMENT |
		       1U << PROTO_OTHER,
	[PROTO_WSD] = 1U << PROTO_SEARCH | 1U << PROTO_ANNOUNCEMENT |
		      1U << PROTO_OTHER,
};

static void check_untouched(const struct proto_view *v)
{
	const uint8_t *byte = (const uint8_t *)v;

	for (size_t i = 0; i < sizeof(*v); i++)
		MUST(byte[i] == 0xa5);
}

static void check_mdns(const struct mdns_info *m)
{
	MUST(m->ttl_min <= m->ttl_max);
	MUST(!m->goodbye || m->ttl_min == 0);
	MUST(!m->qu || m->questions > 0);
}

static void check_payload(enum proto_payload payload, struct wsd_parser *wsd,
	const uint8_t *data, size_t size)
{
	struct proto_view v, again;
	int r;

	memset(&v, 0xa5, sizeof(v));
	r = proto_inspect(payload, wsd, data, size, &v);
	MUST(r == 0 || r == -EBADMSG ||
		(payload == PROTO_WSD && r == -ENOBUFS));
	MUST(payload != PROTO_NONE || r == 0);
	if (r < 0) {
		check_untouched(&v);
		return;
	}
	MUST(v.payload == payload);
	MUST(kinds[payload] >> v.kind & 1);
	if (payload == PROTO_MDNS)
		check_mdns(&v.mdns);
	MUST(proto_inspect(payload, wsd, data, size, &again) == 0);
	MUST(again.kind == v.kind && again.payload == payload);
}

static void check_excerpt(struct excerpt *e, enum proto_payload payload,
	const uint8_t *data, size_t size)
{
	char *text = excerpt_text(e, protocols[payload], data, size);

	MUST(text != NULL);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct wsd_parser *wsd;
	static struct excerpt e;

	if (wsd == NULL)
		MUST(wsd_parser_new(&wsd, 1) == 0);
	for (enum proto_payload p = PROTO_NONE; p <= PROTO_WSD; p++) {
		check_payload(p, wsd, data, size);
		check_excerpt(&e, p, data, size);
	}
	return 0;
}
