/*
 * Whatever a datagram says, to each decoder: what it tells of lies within it or
 * within the entry; and in the table its texts and numbers keep to their
 * bounds, what is told fits what is there, and all is gone in the end.
 */
#include "../unit/discovery_relay.h"
#include "discovery/internal.h"
#include "fuzz.h"

#include <string.h>

/* Few entries, so that messages of many push each other out. */
enum { BOUND = 8, REPEAT_MS = 60 * 60 * 1000, DAY_MS = 24 * REPEAT_MS };

struct input {
	const uint8_t *data;
	size_t size;
};

static bool is_within(
	const struct proto_piece *p, const void *start, size_t size)
{
	uintptr_t at = (uintptr_t)p->at, from = (uintptr_t)start;

	return at >= from && at <= from + size && p->size <= from + size - at;
}

/* `more`: what else the pieces may point into. */
static void check_entry(const struct proto_entry *n, const struct input *in,
	const void *more, size_t more_size)
{
	const struct proto_piece *const pieces[] = { &n->identity, &n->name,
		&n->type, &n->location, &n->detail };

	MUST(n->presence == PROTO_ALIVE || n->presence == PROTO_UPDATED ||
		n->presence == PROTO_GONE);
	MUST(n->lifetime_s >= -1);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
		MUST(pieces[i]->size == 0 ||
			is_within(pieces[i], in->data, in->size) ||
			is_within(pieces[i], n->text, sizeof(n->text)) ||
			is_within(pieces[i], more, more_size));
}

static void check_ssdp(const struct input *in)
{
	struct ssdp_message m;
	struct proto_entry n;

	if (ssdp_parse(in->data, in->size, &m) < 0)
		return;
	if (ssdp_entry(&m, &n) == 0)
		check_entry(&n, in, in->data, in->size);
	else
		MUST(m.kind != PROTO_ANNOUNCEMENT);
}

static void check_wsd(struct wsd_parser *p, const struct input *in)
{
	struct wsd_message m;
	struct proto_entry n;

	if (wsd_parse(p, in->data, in->size, &m) < 0)
		return;
	if (wsd_entry(&m, &n) == 0)
		check_entry(&n, in, &m, sizeof(m));
	else
		MUST(m.kind != PROTO_ANNOUNCEMENT || m.targets == 0);
}

static void check_excerpt(const struct input *in)
{
	struct proto_entry n;

	excerpt_entry(in->data, in->size, &n);
	check_entry(&n, in, n.text, sizeof(n.text));
	MUST(n.name.size ==
		(in->size < PROTO_EXCERPT ? in->size : PROTO_EXCERPT));
	for (size_t i = 0; i < n.name.size; i++)
		MUST(n.name.at[i] >= ' ' && n.name.at[i] <= '~');
}

static void check_telling(const struct mdns_telling *t, const struct input *in)
{
	const struct proto_piece data = { (const char *)t->data.at,
		t->data.size };
	char type[MDNS_SERVICE_TEXT] = "";
	struct proto_piece label;

	MUST(t->subject->size > 0);
	MUST(is_within(&data, in->data, in->size));
	if (t->what == MDNS_TELLS_ADDRESS) {
		MUST(data.size == 4 || data.size == 16);
		return;
	}
	MUST(mdns_name_instance(t->subject, &label, type));
	MUST(label.size > 0 && label.size <= 63);
	MUST(strnlen(type, sizeof(type)) < sizeof(type));
	MUST(t->what != MDNS_TELLS_SERVICE || t->host->size > 0);
}

static void check_mdns(const struct input *in)
{
	struct mdns_reader r;
	struct mdns_telling t;
	struct mdns_item i;

	if (mdns_open(&r, in->data, in->size) < 0)
		return;
	while (mdns_next(&r, &i) > 0)
		if (mdns_tells(&i, &t))
			check_telling(&t, in);
}

/* ---- the table ---- */

static void check_text(const char *text, size_t room)
{
	MUST(strnlen(text, room) < room);
	MUST(!strchr(text, '\r'));
}

static void check_shown(const struct stand *s, const struct discovery_info *i)
{
	check_text(i->name, DISCOVERY_NAME);
	check_text(i->type, DISCOVERY_TYPE);
	check_text(i->host, DISCOVERY_HOST);
	check_text(i->location, DISCOVERY_LOCATION);
	check_text(i->detail, DISCOVERY_DETAIL);
	MUST(!strchr(i->name, '\n') && !strchr(i->location, '\n'));
	MUST(i->n_addresses <= DISCOVERY_ADDRESSES);
	for (size_t n = 0; n < i->n_addresses; n++)
		MUST(net_address_is_set(&i->addresses[n]));
	MUST(i->expires_in_ms <= DAY_MS);
	MUST(i->count > 0);
	MUST(i->last_seen_ms >= i->first_seen_ms && i->first_seen_ms > 0);
	MUST(!s->discovery->touched);
}

/* Returns how many there are. */
static size_t check_table(const struct stand *s)
{
	const struct discovery_entry *e;
	struct discovery_info i = { .id = 0 };
	struct relay_limit limit;
	size_t n = 0;

	while ((e = discovery_after(s->discovery, i.id))) {
		discovery_get(s->discovery, e, &i);
		check_shown(s, &i);
		MUST(!e->is_new && !e->is_changed && !e->is_touched);
		n++;
	}
	discovery_limit(s->discovery, &limit);
	MUST(limit.used == n && n <= BOUND);
	MUST(limit.refused == 0);
	MUST(s->discovery->kept.used <= n);
	MUST(s->discovery->table.book.unnamed.used <= BOOK_UNNAMED);
	MUST(s->discovery->table.book.n <=
		n + s->discovery->table.book.unnamed.used);
	return n;
}

static void take(struct stand *s, enum stand_group g, enum stand_segment i,
	const char *source, const struct input *in)
{
	struct relay_heard h = stand_heard(s, g, i, source, in->data, in->size);

	stand_take(s, &h);
	(void)check_table(s);
}

static void take_often(
	struct stand *s, enum stand_group g, const struct input *in)
{
	take(s, g, LAN, "192.0.2.7", in);
	stand_wait(s, 2000);
	stand_clear(s);
	take(s, g, LAN, "192.0.2.7", in);
	take(s, g, IOT, "fe80::7%3", in);
}

static void check_in_table(struct stand *s, const struct input *in)
{
	for (enum stand_group g = MDNS; g < STAND_GROUPS; g++)
		take_often(s, g, in);
	discovery_ready(s->discovery, stand_segment(s, RAW, IOT));
	stand_wait(s, REPEAT_MS);
	discovery_left(s->discovery, stand_segment(s, RAW, LAN));
	(void)check_table(s);
	/* All is gone, and a while later forgotten (discovery/echo.h). */
	stand_wait(s, DAY_MS);
	MUST(check_table(s) == 0);
	MUST(s->due_ms == 0);
	stand_wait(s, 2 * DAY_MS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct input in = { data, size };
	/* Making them anew costs more than what is tested. */
	static struct stand s;
	static unsigned times;

	if (!s.discovery) {
		stand_open(&s, BOUND);
		for (enum stand_group g = SSDP; g < STAND_GROUPS; g++)
			s.relay.groups[g].config.repeat_ms = REPEAT_MS;
	}
	check_excerpt(&in);
	check_ssdp(&in);
	check_wsd(s.parser, &in);
	check_mdns(&in);
	check_in_table(&s, &in);
	if (++times % 64 == 0)
		stand_renew(&s);
	return 0;
}
