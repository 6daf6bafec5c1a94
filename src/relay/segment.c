/*
 * A segment: one device that takes part in a channel of a group.
 *
 * It follows its device in two halves, so that what has gone is let go of
 * everywhere before anything is joined anew (kernel-facts 5.4).
 */
#include "relay/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum { TELL_AGAIN_MS = 60 * 1000 };

const struct config_use *segment_use(const struct relay_segment *s)
{
	static const struct config_use outside = {
		.role = CONFIG_HEARS | CONFIG_SENT_TO,
		.ttl = CONFIG_TTL_KEEP,
	};

	return s->is_outside ? &outside : &s->channel->group->c->uses[s->use];
}

const struct config_interface *segment_interface(const struct relay_segment *s)
{
	static const struct config_interface outside = { .name = (char *)"" };
	const struct relay_group *g = s->channel->group;

	return s->is_outside
		       ? &outside
		       : &g->config->interfaces[segment_use(s)->interface];
}

static struct relay *relay_of(const struct relay_segment *s)
{
	return s->channel->group->relay;
}

struct relay_segment *segment_new(
	struct relay_channel *c, size_t use, const char *device)
{
	struct relay_segment *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	if (guard_slot_take(&c->guard, &s->slot) < 0) {
		free(s);
		return NULL;
	}
	s->channel = c;
	s->use = use;
	(void)snprintf(s->device, sizeof(s->device), "%s", device);
	s->id = c->group->relay->next_id++;
	s->state = RELAY_ABSENT;
	DL_APPEND(c->segments, s);
	return s;
}

static void detach(struct relay_segment *s)
{
	sender_close(s);
	if (!s->index)
		return;
	attach_end(s);
	s->index = 0;
}

void segment_free(struct relay_segment *s)
{
	struct relay *r = relay_of(s);

	detach(s);
	counters_add(&r->retired, &s->counters);
	guard_slot_give(&s->channel->guard, s->slot);
	DL_DELETE(s->channel->segments, s);
	free(s->others);
	free(s->to.peers);
	free(s);
}

static uint64_t incarnation(
	const struct relay_segment *s, const struct net_device *d)
{
	return s->channel->address.family == AF_INET6 ? d->incarnation6
						      : d->incarnation4;
}

static struct net_address broadcast_of(const struct net_device *d)
{
	size_t i;

	for (i = 0; i < d->n_addresses; i++)
		if (net_address_is_set(&d->addresses[i].broadcast))
			return d->addresses[i].broadcast;
	return (struct net_address){ 0 };
}

/* The address to send from, or unset. */
static struct net_address source_of(
	const struct relay_segment *s, const struct net_device *d)
{
	const struct net_address *group = &s->channel->address;
	bool link_local = net_address_is_link_scope_multicast(group);
	const struct net_device_address *a;

	a = net_device_source(d, group->family, link_local);
	if (!a && group->family == AF_INET6)
		a = net_device_source(d, AF_INET6, !link_local);
	return a ? a->local.address : (struct net_address){ 0 };
}

void segment_release(struct relay_segment *s, const struct net_device *d)
{
	if (!s->index)
		return;
	if (!d || s->owner || d->index != s->index ||
		incarnation(s, d) != s->incarnation) {
		detach(s);
		return;
	}
	attach_release(s, d);
}

/* Peers of the channel's family get a copy each. Returns 0 or -ENOMEM. */
static int address_peers(struct relay_segment *s)
{
	const struct config_interface *i = segment_interface(s);
	const struct relay_channel *c = s->channel;
	size_t k;

	s->to.n_peers = 0;
	if (!i->n_peers)
		return 0;
	if (!s->to.peers)
		s->to.peers = calloc(i->n_peers, sizeof(*s->to.peers));
	if (!s->to.peers)
		return -ENOMEM;
	for (k = 0; k < i->n_peers; k++)
		if (i->peers[k].family == c->address.family)
			socket_address(&i->peers[k], c->port, s->index,
				&s->to.peers[s->to.n_peers++]);
	return 0;
}

static int address_segment(struct relay_segment *s)
{
	const struct net_address *target = &segment_use(s)->target;
	const struct relay_channel *c = s->channel;

	if (target->family != c->address.family)
		target = &c->address;
	socket_address(target, c->port, s->index, &s->to.group);
	socket_address(&s->broadcast, c->port, 0, &s->to.own);
	return address_peers(s);
}

/* Opens the sender anew when its address changed: IPv6 would go on sending
 * from a deleted address (kernel-facts 1.7). */
static void follow_source(struct relay_segment *s, const struct net_device *d)
{
	const struct relay_callbacks *cb = &relay_of(s)->callbacks;
	struct net_address source = source_of(s, d);
	int err;

	if (s->sender && net_address_equal(&source, &s->source)) {
		socket_address(&s->broadcast, s->channel->port, 0, &s->to.own);
		return;
	}
	sender_close(s);
	s->source = source;
	if (!net_address_is_set(&source)) {
		s->state = RELAY_NO_ADDR;
		return;
	}
	err = address_segment(s);
	if (err == 0)
		err = sender_open(s);
	if (err < 0)
		segment_fail(s, d, "cannot send", err);
	else if (cb->ready)
		cb->ready(cb->data, s);
}

/* Also where answers go back to who searches from here. */
static bool sends(const struct relay_segment *s)
{
	const struct config_group *g = s->channel->group->c;
	unsigned role = segment_use(s)->role;

	return role & CONFIG_SENT_TO ||
	       (role & CONFIG_HEARS && g->replies == CONFIG_REPLIES_PROXY);
}

static void follow_present(struct relay_segment *s, const struct net_device *d)
{
	bool fresh = !s->index;
	int err;

	s->state = RELAY_JOINED;
	s->broadcast = broadcast_of(d);
	s->mtu = d->mtu;
	err = attach_follow(s, d);
	s->index = d->index;
	s->incarnation = incarnation(s, d);
	if (err < 0) {
		segment_fail(s, d, "cannot join", err);
		/* To be tried again as a whole. */
		if (fresh) {
			attach_end(s);
			s->index = 0;
		}
	}
	if (!net_device_is_up(d)) {
		sender_close(s);
		if (s->state == RELAY_JOINED)
			s->state = RELAY_DOWN;
		return;
	}
	if (sends(s) && s->index)
		follow_source(s, d);
	segment_warn(s, d);
}

void segment_follow(struct relay_segment *s, const struct net_device *d)
{
	enum relay_state was = s->state;
	char error_was[sizeof(s->error)];

	memcpy(error_was, s->error, sizeof(error_was));
	s->error[0] = '\0';
	s->errnum = 0;
	if (!d) {
		s->state = RELAY_ABSENT;
	} else if (s->owner) {
		s->state = RELAY_FAILED;
		(void)claims_words(s->channel->group->config, (int)s->owner - 1,
			d, s->error, sizeof(s->error));
	} else {
		follow_present(s, d);
	}
	segment_tell(s, was, error_was);
}

void segment_tell(
	struct relay_segment *s, enum relay_state was, const char *error_was)
{
	const struct relay_callbacks *cb = &relay_of(s)->callbacks;
	bool known = s->known;

	if (known && was == s->state && strcmp(error_was, s->error) == 0)
		return;
	s->known = true;
	if (cb->segment)
		cb->segment(cb->data, s, was, known);
}

void segment_trouble(struct relay_segment *s, int error)
{
	struct relay *r = relay_of(s);
	uint64_t now = uv_now(r->loop);

	s->untold++;
	if (s->told_ms && now - s->told_ms < TELL_AGAIN_MS)
		return;
	if (r->callbacks.trouble)
		r->callbacks.trouble(r->callbacks.data, s, error, s->untold);
	s->told_ms = now;
	s->untold = 0;
}

bool segment_is_elsewhere(
	const struct relay_segment *in, const struct net_address *source)
{
	const struct relay_channel *c = in->channel;
	const struct net_devices *devices = c->group->relay->devices;
	const struct net_device *d = net_devices_by_index(devices, in->index);
	size_t i;

	if (net_address_is_link_local(source) || !d ||
		net_device_is_on_link(d, source))
		return false;
	for (i = 0; i < c->n_segments; i++) {
		d = net_devices_by_index(devices, c->by_position[i]->index);
		if (d && net_device_is_on_link(d, source))
			return true;
	}
	return false;
}

static bool is_peer(
	const struct config_interface *i, const struct net_address *source)
{
	size_t k;

	for (k = 0; k < i->n_peers; k++)
		if (net_address_equal(&i->peers[k], source))
			return true;
	return false;
}

bool segment_is_stranger(
	const struct relay_segment *s, const struct net_address *source)
{
	const struct config_interface *i = segment_interface(s);

	return i->n_peers && !is_peer(i, source);
}
