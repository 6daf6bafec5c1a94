/*
 * What is known of a datagram that was heard.
 */
#include "relay/outside.h"

void arrival_init(struct arrival *a, struct relay *r,
	const struct udp_datagram *d, uint64_t digest)
{
	/* All but the view and the edits, which are large, and set where they
	 * are asked for. */
	a->datagram = d;
	a->digest = digest;
	a->now_ms = uv_now(r->loop);
	a->inspected = CONFIG_PAYLOAD_NONE;
	a->is_malformed = false;
	a->flow = 0;
	a->copy = false;
	a->outsider = NULL;
	a->leaves = NULL;
	a->edits.has_hosts = false;
	a->edits.n = 0;
	a->port = 0;
	a->source = a->destination = (struct net_address){ 0 };
	(void)net_address_from_socket(&d->source.sa, &a->source, &a->port);
	(void)net_address_from_socket(
		&d->destination.sa, &a->destination, NULL);
	a->own = r->familiar.in && net_address_equal(
					   &r->familiar.source, &a->source)
			 ? r->familiar.own
			 : net_devices_is_own(r->devices, &a->source);
}

static enum proto_payload decoder_of(enum config_payload p)
{
	switch (p) {
	case CONFIG_PAYLOAD_MDNS:
		return PROTO_MDNS;
	case CONFIG_PAYLOAD_SSDP:
		return PROTO_SSDP;
	case CONFIG_PAYLOAD_WSD:
		return PROTO_WSD;
	default:
		return PROTO_NONE;
	}
}

const struct proto_view *arrival_view(
	struct arrival *a, const struct relay_segment *in)
{
	const struct relay_group *g = in->channel->group;
	const struct udp_datagram *d = a->datagram;

	if (g->c->payload == CONFIG_PAYLOAD_NONE)
		return NULL;
	if (a->inspected != g->c->payload) {
		a->inspected = g->c->payload;
		a->is_malformed =
			proto_inspect(decoder_of(g->c->payload), g->relay->wsd,
				d->data, d->size, &a->view) < 0;
	}
	return a->is_malformed ? NULL : &a->view;
}

/* Without a decoder: what the preset says that this protocol speaks, else by
 * the port that it comes from. */
static enum proto_kind kind_by_port(
	const struct arrival *a, const struct relay_segment *in)
{
	unsigned role = segment_use(in)->role;

	switch (in->channel->group->c->speaks) {
	case CONFIG_SPEAKS_SEARCH:
		return PROTO_SEARCH;
	case CONFIG_SPEAKS_ANNOUNCE:
		return PROTO_ANNOUNCEMENT;
	case CONFIG_SPEAKS_BOTH:
		/* It is both, so it is what may cross from here. */
		if (role & CONFIG_SEARCHERS)
			return PROTO_SEARCH;
		if (role & CONFIG_DEVICES)
			return PROTO_ANNOUNCEMENT;
		break;
	default:
		break;
	}
	return a->port == in->channel->port ? PROTO_ANNOUNCEMENT : PROTO_SEARCH;
}

enum proto_kind arrival_kind(struct arrival *a, const struct relay_segment *in)
{
	const struct proto_view *v;

	if (a->outsider && a->outsider->kind != PROTO_UNKNOWN)
		return a->outsider->kind;
	if (in->channel->group->c->payload == CONFIG_PAYLOAD_NONE)
		return kind_by_port(a, in);
	v = arrival_view(a, in);
	return v ? v->kind : PROTO_UNKNOWN;
}

static void tell(struct arrival *a, const struct relay_segment *in,
	const struct relay_segment *out, enum relay_verdict v, const char *rule)
{
	const struct relay *r = in->channel->group->relay;
	struct relay_fate f = {
		.in = in,
		.out = out,
		.verdict = v,
		.rule = rule,
		.source = a->source,
		.destination = a->destination,
		.port = a->port,
		.data = a->datagram->data,
		.size = a->datagram->size,
		.ttl = a->datagram->ttl,
		.flow = a->flow,
		.site = a->outsider ? a->outsider->origin->site : NULL,
	};

	if (a->leaves) {
		f.data = a->leaves->data;
		f.size = a->leaves->size;
	}
	f.kind = arrival_kind(a, in);
	f.view = arrival_view(a, in);
	r->callbacks.fate(r->callbacks.data, &f);
}

void arrival_tell(struct arrival *a, const struct relay_segment *in,
	const struct relay_segment *out, enum relay_verdict v, const char *rule)
{
	const struct relay *r = in->channel->group->relay;

	if (r->watched && r->callbacks.fate)
		tell(a, in, out, v, rule);
}

void arrival_hand_out(struct arrival *a, const struct relay_segment *in)
{
	const struct relay *r = in->channel->group->relay;
	struct relay_heard h = {
		.in = in,
		.source = a->source,
		.destination = a->destination,
		.port = a->port,
		.data = a->datagram->data,
		.size = a->datagram->size,
		.ttl = a->datagram->ttl,
		.now_ms = a->now_ms,
		.flow = a->flow,
		.copy = a->copy,
		.site = a->outsider ? a->outsider->origin->site : NULL,
	};

	if (!r->callbacks.heard)
		return;
	h.kind = arrival_kind(a, in);
	h.view = arrival_view(a, in);
	r->callbacks.heard(r->callbacks.data, &h);
}
