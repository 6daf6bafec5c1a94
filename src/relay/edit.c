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
	struct mdns_name folded = *name;

	/* A host may probe on one leg before it has said a word on the other,
	 * where it would then take itself for a rival (systemd-resolved does).
	 * So no probe for addresses crosses: two hosts of one name find out by
	 * their announcements. */
	if (a->probe)
		return true;
	mdns_name_fold(&folded);
	return hosts_has(
		&r->hosts, a->out->id, folded.wire, folded.size, a->now_ms);
}

static uint8_t *room(struct relay *r, size_t size)
{
	if (r->edited_used + size > RELAY_EDITED) {
		outbox_flush(r);
		r->edited_used = 0;
	}
	return r->edited + r->edited_used;
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

enum relay_verdict edit_payload(struct arrival *a,
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
	if (in->channel->group->c->payload != CONFIG_PAYLOAD_MDNS ||
		!rules_for(a, in, &asking, filters, &rules))
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
	struct mdns_name name = i->name;
	struct net_address address;
	uint64_t seconds = i->ttl;

	if (!address_of(i, d, &address) || !is_here(a, d, &address))
		return;
	if (seconds > HOST_SECONDS_MAX)
		seconds = HOST_SECONDS_MAX;
	mdns_name_fold(&name);
	hosts_record(&r->hosts, in->id, name.wire, name.size,
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
