/*
 * Record-level filters on mDNS: what leaves instead of what was heard.
 */
#include "relay/internal.h"

#include <errno.h>
#include <string.h>

/* How long a host name is known on a segment, whatever its record says. */
enum { HOST_SECONDS_MAX = 3600 };

static struct proto_list list_of(const struct config_strings *s)
{
	return (struct proto_list){ s->at, s->n };
}

static struct proto_filter filter_of(
	const struct config_filter *allow, const struct config_filter *deny)
{
	return (struct proto_filter){
		.allow = list_of(&allow->services),
		.deny = list_of(&deny->services),
	};
}

static bool has_services(const struct proto_filter *f)
{
	return f->allow.n || f->deny.n;
}

/* The group's, and those of its uses on both sides. Returns how many filter. */
static size_t filters_of(const struct relay_segment *in,
	const struct relay_segment *out, struct proto_filter filters[3])
{
	const struct config_group *g = in->channel->group->c;
	const struct config_use *from = segment_use(in), *to = segment_use(out);
	size_t n = 0;

	filters[n] = filter_of(&g->allow, &g->deny);
	n += has_services(&filters[n]);
	filters[n] = filter_of(&from->allow, &from->deny);
	n += has_services(&filters[n]);
	filters[n] = filter_of(&to->allow, &to->deny);
	n += has_services(&filters[n]);
	return n;
}

/* ---- hosts with legs on both segments ---- */

static uint64_t name_of(const struct relay *r, const struct mdns_name *name)
{
	struct mdns_name folded = *name;

	mdns_name_fold(&folded);
	return hosts_name(&r->hosts, folded.wire, folded.size);
}

static void add_host(struct edits *e, uint64_t name)
{
	unsigned i = 0;

	while (i < e->n_hosts && e->hosts[i] != name)
		i++;
	if (i < e->n_hosts)
		return;
	if (i == EDIT_HOSTS)
		e->has_too_many_hosts = true;
	else
		e->hosts[e->n_hosts++] = name;
}

/* The hosts that mdns_edit() will ask about: owners of addresses and NSEC. */
static void find_hosts(struct arrival *a, const struct relay *r)
{
	struct edits *e = &a->edits;
	struct mdns_reader reader;
	struct mdns_item i;

	e->has_hosts = true;
	e->has_too_many_hosts = false;
	e->n_hosts = 0;
	if (mdns_open(&reader, a->datagram->data, a->datagram->size) < 0)
		return;
	while (mdns_next(&reader, &i) > 0)
		if (i.section != MDNS_QUESTION &&
			(i.type == MDNS_A || i.type == MDNS_AAAA ||
				i.type == MDNS_NSEC))
			add_host(e, name_of(r, &i.name));
}

/* Which of them `out` knows, a bit for each. */
static uint64_t multi_homed(struct arrival *a, const struct relay *r,
	const struct relay_segment *out)
{
	struct edits *e = &a->edits;
	uint64_t known = 0;
	unsigned i;

	if (!e->has_hosts)
		find_hosts(a, r);
	for (i = 0; i < e->n_hosts; i++)
		if (hosts_has(&r->hosts, out->id, e->hosts[i], a->now_ms))
			known |= UINT64_C(1) << i;
	return known;
}

/* For the answer of mdns_edit() about a name. */
struct asking {
	const struct relay_segment *out;
	uint64_t now_ms;
	bool probe;
};

static bool is_multi_homed(void *data, const struct mdns_name *name)
{
	const struct asking *a = data;
	const struct relay *r = a->out->channel->group->relay;

	/* A host may probe on one leg before it has said a word on the other,
	 * where it would then take itself for a rival (systemd-resolved does).
	 * So no probe for addresses crosses: two hosts of one name find out by
	 * their announcements. */
	return a->probe ||
	       hosts_has(&r->hosts, a->out->id, name_of(r, name), a->now_ms);
}

/* ---- edits, once for all segments that they are the same for ---- */

void edit_void(struct relay *r, size_t used)
{
	if (r->edited_used == used)
		return;
	r->edited_used = used;
	r->edit_epoch++;
}

static uint8_t *room(struct relay *r, size_t size)
{
	if (r->edited_used + size > RELAY_EDITED) {
		outbox_flush(r);
		edit_void(r, 0);
	}
	return r->edited + r->edited_used;
}

/* What the edit for `out` depends on. */
static struct edited key_of(struct arrival *a, const struct relay_segment *in,
	const struct relay_segment *out)
{
	const struct relay_group *g = in->channel->group;
	const struct config_use *to = segment_use(out);
	struct edited key = { .in = in, .epoch = g->relay->edit_epoch };

	if (to->allow.services.n || to->deny.services.n)
		key.to = to;
	if (g->c->strip & CONFIG_STRIP_MULTI_HOMED)
		key.multi_homed = multi_homed(a, g->relay, out);
	return key;
}

/* One that was made already, or NULL. */
static const struct edited *find_edited(
	const struct arrival *a, const struct edited *key)
{
	const struct edits *e = &a->edits;
	unsigned i;

	/* Then the bits do not tell them apart. */
	if (e->has_hosts && e->has_too_many_hosts)
		return NULL;
	for (i = 0; i < e->n && i < EDIT_KEPT; i++)
		if (e->at[i].in == key->in && e->at[i].to == key->to &&
			e->at[i].multi_homed == key->multi_homed &&
			e->at[i].epoch == key->epoch)
			return &e->at[i];
	return NULL;
}

/* True if anything in the rules could change this message. */
static bool rules_for(struct arrival *a, const struct relay_segment *in,
	struct asking *asking, struct proto_filter filters[3],
	struct mdns_rules *ret)
{
	const struct config_group *g = in->channel->group->c;
	const struct proto_view *v = arrival_view(a, in);

	asking->probe = v && v->kind == PROTO_PROBE;
	*ret = (struct mdns_rules){
		.filters = filters,
		.n_filters = filters_of(in, asking->out, filters),
		.strip_link_local = g->strip & CONFIG_STRIP_LINK_LOCAL,
		/* Only a multicast answer can cross back (RFC 6762, 5.4). */
		.clear_qu = v && v->mdns.qu && a->port == MDNS_PORT &&
			    g->replies == CONFIG_REPLIES_PROXY,
		.data = asking,
	};
	if (g->strip & CONFIG_STRIP_MULTI_HOMED)
		ret->strip_host = is_multi_homed;
	return ret->n_filters || ret->strip_link_local || ret->clear_qu ||
	       ret->strip_host;
}

static enum relay_verdict edit(struct arrival *a,
	const struct relay_segment *in, const struct relay_segment *out,
	struct payload *ret)
{
	struct relay *r = in->channel->group->relay;
	const struct udp_datagram *d = a->datagram;
	struct asking asking = { out, a->now_ms, false };
	struct proto_filter filters[3];
	struct mdns_rules rules;
	uint8_t *to;
	size_t size;
	int result;

	*ret = (struct payload){ d->data, d->size, a->digest };
	if (!rules_for(a, in, &asking, filters, &rules))
		return RELAY_SENT;
	to = room(r, RELAY_SLOT_BYTES);
	result = mdns_edit(
		&rules, d->data, d->size, to, RELAY_SLOT_BYTES, &size);
	if (result == MDNS_UNCHANGED)
		return RELAY_SENT;
	/* What cannot be read passes no filter, but is nobody's to strip. */
	if (result == -EBADMSG && !rules.n_filters)
		return RELAY_SENT;
	if (result != MDNS_EDITED)
		return RELAY_FILTER;
	r->edited_used += size;
	*ret = (struct payload){ to, size, siphash(&r->key, to, size) };
	return RELAY_SENT;
}

enum relay_verdict edit_payload(struct arrival *a,
	const struct relay_segment *in, const struct relay_segment *out,
	struct payload *ret)
{
	const struct udp_datagram *d = a->datagram;
	const struct edited *known;
	struct edited key;

	if (in->channel->group->c->payload != CONFIG_PAYLOAD_MDNS) {
		*ret = (struct payload){ d->data, d->size, a->digest };
		return RELAY_SENT;
	}
	key = key_of(a, in, out);
	known = find_edited(a, &key);
	if (!known) {
		key.verdict = edit(a, in, out, &key.payload);
		/* To make room may have voided what was there. */
		key.epoch = in->channel->group->relay->edit_epoch;
		a->edits.at[a->edits.n++ % EDIT_KEPT] = key;
		known = &key;
	}
	*ret = known->payload;
	return known->verdict;
}

/* ---- learning ---- */

/* The address of an A or AAAA record. */
static bool address_of(const struct mdns_item *i, const struct net_device *d,
	struct net_address *ret)
{
	*ret = (struct net_address){ 0 };
	if (i->type == MDNS_A && i->head.size == 4)
		ret->family = AF_INET;
	else if (i->type == MDNS_AAAA && i->head.size == 16)
		ret->family = AF_INET6;
	else
		return false;
	memcpy(ret->bytes, i->head.at, i->head.size);
	if (ret->family == AF_INET6 && net_address_is_link_local(ret))
		ret->scope = d->index;
	return true;
}

/* A relayed copy tells of a host elsewhere: its addresses are not on-link. */
static bool is_here(const struct arrival *a, const struct net_device *d,
	const struct net_address *address)
{
	if (net_address_equal(address, &a->source))
		return true;
	return !net_address_is_link_local(address) &&
	       net_device_is_on_link(d, address);
}

static void learn(const struct arrival *a, const struct relay_segment *in,
	const struct net_device *d, const struct mdns_item *i)
{
	struct relay *r = in->channel->group->relay;
	struct net_address address;
	uint64_t seconds = i->ttl;

	if (!address_of(i, d, &address) || !is_here(a, d, &address))
		return;
	if (seconds > HOST_SECONDS_MAX)
		seconds = HOST_SECONDS_MAX;
	hosts_record(&r->hosts, in->id, name_of(r, &i->name),
		siphash(&r->key, address.bytes, net_address_size(&address)),
		a->now_ms, a->now_ms + seconds * 1000);
}

void edit_learn(struct arrival *a, const struct relay_segment *in)
{
	const struct relay_group *g = in->channel->group;
	const struct net_device *d;
	const struct proto_view *v;
	struct mdns_reader reader;
	struct mdns_item item;

	if (!(g->c->strip & CONFIG_STRIP_MULTI_HOMED))
		return;
	v = arrival_view(a, in);
	d = net_devices_by_index(g->relay->devices, in->index);
	/* A probe tells of a name too, before its first announcement. */
	if (!d || !v || v->kind == PROTO_SEARCH || !v->mdns.records ||
		mdns_open(&reader, a->datagram->data, a->datagram->size) < 0)
		return;
	while (mdns_next(&reader, &item) > 0)
		if (item.section != MDNS_QUESTION)
			learn(a, in, d, &item);
}
