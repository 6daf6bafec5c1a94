/*
 * Whatever a document says: its texts end, are whole UTF-8, and the message
 * before it does not matter.
 */
#include "fuzz.h"
#include "proto/proto.h"

#include <errno.h>
#include <string.h>

static void check_text(const char *text, size_t room)
{
	size_t size = strnlen(text, room);

	MUST(size < room);
	while (*text != '\0') {
		unsigned char lead = (unsigned char)*text++;
		int following = lead < 0x80   ? 0
				: lead < 0xe0 ? 1
				: lead < 0xf0 ? 2
					      : 3;

		MUST(lead < 0x80 || lead >= 0xc2);
		while (following-- > 0)
			MUST(((unsigned char)*text++ & 0xc0) == 0x80);
	}
}

static void check_message(const struct wsd_message *m)
{
	MUST(m->kind == PROTO_SEARCH || m->kind == PROTO_ANNOUNCEMENT ||
		m->kind == PROTO_OTHER);
	check_text(m->message_id, sizeof(m->message_id));
	check_text(m->relates_to, sizeof(m->relates_to));
	check_text(m->address, sizeof(m->address));
	check_text(m->xaddrs, sizeof(m->xaddrs));
	MUST(m->n_types <= WSD_MAX_TYPES);
	for (size_t i = 0; i < m->n_types; i++) {
		check_text(m->types[i].space, sizeof(m->types[i].space));
		check_text(m->types[i].local, sizeof(m->types[i].local));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wsd_message m = { 0 }, again = { 0 };
	/* One for all: to make it anew takes longer than a document. */
	static struct wsd_parser *p;
	int error;

	if (p == NULL)
		MUST(wsd_parser_new(&p, 1) == 0);
	error = wsd_parse(p, data, size, &m);
	MUST(error == 0 || error == -EBADMSG || error == -ENOBUFS);
	MUST(wsd_parse(p, data, size, &again) == error);
	if (error == 0) {
		check_message(&m);
		MUST(strcmp(m.address, again.address) == 0);
		MUST(m.targets == again.targets);
	}
	return 0;
}
