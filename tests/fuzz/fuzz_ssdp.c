/* Whatever a datagram says: what is read of it lies within it. */
#include "fuzz.h"
#include "proto/proto.h"

#include <errno.h>
#include <string.h>

static char *globs[] = { "urn:*:device:*:[1-9]", "upnp:rootdevice" };

static void check_text(
	const uint8_t *data, size_t size, const struct ssdp_text *t)
{
	const char *start = (const char *)data;

	MUST(t->at >= start && t->at <= start + size);
	MUST(t->size <= (size_t)(start + size - t->at));
	if (t->size > 0) {
		MUST(memchr(" \t\r\n", t->at[0], 4) == NULL);
		MUST(memchr(" \t\r\n", t->at[t->size - 1], 4) == NULL);
		MUST(memchr(t->at, '\0', t->size) == NULL);
	}
}

static void check_target(const struct ssdp_message *m)
{
	const struct proto_filter allow = { .allow = { globs, 2 } };
	const struct proto_filter deny = { .deny = { globs, 2 } };
	const struct proto_filter both[] = { allow, deny };
	struct ssdp_text t = ssdp_target(m);

	MUST(ssdp_target_passes(NULL, 0, m->kind, &t));
	MUST(!ssdp_target_passes(both, 2, m->kind, &t) ||
		(m->kind == PROTO_SEARCH && t.size == strlen("ssdp:all")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ssdp_message m;
	int error = ssdp_parse(data, size, &m);

	MUST(error == 0 || error == -EBADMSG);
	if (error < 0)
		return 0;
	for (size_t i = 0; i < SSDP_HEADERS; i++) {
		if (m.header[i].at != NULL)
			check_text(data, size, &m.header[i]);
	}
	MUST(m.kind != PROTO_UNKNOWN && m.kind != PROTO_PROBE);
	MUST(m.mx >= SSDP_MX_MIN && m.mx <= SSDP_MX_MAX);
	MUST(m.max_age >= -1);
	check_target(&m);
	return 0;
}
