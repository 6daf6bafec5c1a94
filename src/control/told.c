/*
 * What an announcement tells of, as whoever takes it to other sites must know:
 * by the rules of the discovered table, but looking at this datagram alone.
 */
#include "control/entry.h"

#include <string.h>

/* Instances in one datagram; those behind are not told. */
enum { TOLD_MAX = 64 };

/* `seconds` below 0: the announcement says nothing of it. */
static json_t *told(const struct entry_identity *i, int64_t seconds,
	bool is_goodbye, const struct config_group *g)
{
	struct render r;

	if (seconds < 0)
		seconds = (int64_t)(g->hold_ms + 999) / 1000;
	if (seconds > DISCOVERY_LIFETIME_MAX)
		seconds = DISCOVERY_LIFETIME_MAX;
	render_object(&r);
	render_put(&r, "key", entry_key(i));
	render_put(&r, "expires_in", json_integer(is_goodbye ? 0 : seconds));
	render_put(&r, "goodbye", json_boolean(is_goodbye));
	return render_end(&r);
}

/* ---- mDNS ---- */

/* An instance that a message has told of. */
struct instance {
	struct mdns_name name;
	uint32_t ttl;
	bool has_pointer;
};

struct instances {
	struct instance at[TOLD_MAX];
	size_t n;
};

static struct instance *find(struct instances *all, const struct mdns_name *n)
{
	for (size_t i = 0; i < all->n; i++)
		if (mdns_name_equal(&all->at[i].name, n))
			return &all->at[i];
	return NULL;
}

/* PTR alone says whether an instance is there; where there is none, the longest
 * of its other records does. */
static void note(struct instances *all, const struct mdns_telling *t)
{
	bool is_pointer = t->what == MDNS_TELLS_INSTANCE;
	struct instance *i = find(all, t->subject);

	if (!i) {
		if (all->n == TOLD_MAX)
			return;
		i = &all->at[all->n++];
		*i = (struct instance){ .name = *t->subject };
	}
	if (is_pointer || (!i->has_pointer && t->ttl > i->ttl))
		i->ttl = t->ttl;
	i->has_pointer |= is_pointer;
}

static void read_instances(const struct relay_fate *f, struct instances *ret)
{
	struct mdns_reader reader;
	struct mdns_telling t;
	struct mdns_item item;

	if (mdns_open(&reader, f->data, f->size) < 0)
		return;
	while (mdns_next(&reader, &item) > 0)
		if (mdns_tells(&item, &t) && t.what != MDNS_TELLS_ADDRESS &&
			t.what != MDNS_TELLS_TEXT)
			note(ret, &t);
}

static void append_instances(struct render *r, const struct relay_fate *f,
	const struct config_group *g)
{
	struct instances all = { .n = 0 };

	read_instances(f, &all);
	for (size_t n = 0; n < all.n; n++) {
		const struct instance *of = &all.at[n];
		char name[DISCOVERY_NAME], type[MDNS_SERVICE_TEXT];
		struct entry_identity i = { .protocol = CONFIG_PAYLOAD_MDNS };
		struct proto_piece label;

		if (!mdns_name_instance(&of->name, &label, type))
			continue;
		i.name = discovery_name(&label, name);
		i.type = type;
		render_append(r, told(&i, of->ttl, of->ttl == 0, g));
	}
}

/* ---- what tells of one each ---- */

static void append_entry(struct render *r, const struct relay_fate *f,
	const struct config_group *g, const struct proto_entry *e)
{
	char name[DISCOVERY_NAME];
	const struct entry_identity i = {
		/* Without an identity it is as if nobody could read it. */
		.protocol = e->identity.size ? g->payload : CONFIG_PAYLOAD_NONE,
		.name = discovery_name(&e->name, name),
		.type = "",
		.source = f->source,
		.port = f->port,
	};

	render_append(r, told(&i, e->lifetime_s, e->presence == PROTO_GONE, g));
}

json_t *entry_told(const struct relay_fate *f)
{
	const struct config_group *g = relay_group_config(
		relay_channel_group(relay_segment_channel(f->in)));
	const struct proto_view *v = f->view;
	struct proto_entry e;
	struct render r;

	render_array(&r);
	if (f->kind != PROTO_ANNOUNCEMENT)
		return render_end(&r);
	if (g->payload == CONFIG_PAYLOAD_NONE) {
		excerpt_entry(f->data, f->size, &e);
		append_entry(&r, f, g, &e);
	} else if (v && v->payload == PROTO_MDNS) {
		append_instances(&r, f, g);
	} else if (v &&
		   (v->payload == PROTO_SSDP ? ssdp_entry(&v->ssdp, &e) == 0
					     : wsd_entry(&v->wsd, &e) == 0)) {
		append_entry(&r, f, g, &e);
	}
	return render_end(&r);
}
