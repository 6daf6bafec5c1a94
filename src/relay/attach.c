/*
 * What a segment hears: its group on its device; for broadcasts the device's
 * own broadcast addresses besides; on a tunnel with peers the tunnel's own
 * addresses instead.
 */
#include "relay/internal.h"

#include <errno.h>
#include <stdlib.h>

static bool hears(const struct relay_segment *s)
{
	return segment_use(s)->role & CONFIG_HEARS;
}

static bool has_peers(const struct relay_segment *s)
{
	return segment_interface(s)->n_peers > 0;
}

/* Whether `a` of the device gives this segment an address to hear. */
static bool heard_by(const struct relay_segment *s,
	const struct net_device_address *a, struct net_address *ret)
{
	if (!hears(s))
		return false;
	if (has_peers(s)) {
		if (!a->usable ||
			a->local.address.family != s->channel->address.family)
			return false;
		*ret = a->local.address;
		return true;
	}
	/* It hears just that address (kernel-facts 4.1). */
	if (!s->channel->broadcast || !net_address_is_set(&a->broadcast))
		return false;
	*ret = a->broadcast;
	return true;
}

static void detach_other(struct relay_segment *s, size_t i)
{
	listener_detach(s->channel->group->relay, &s->others[i],
		s->channel->port, s->index, s);
	s->others[i] = s->others[--s->n_others];
}

static bool is_still_there(const struct relay_segment *s,
	const struct net_device *d, const struct net_address *other)
{
	struct net_address a;
	size_t i;

	for (i = 0; i < d->n_addresses; i++)
		if (heard_by(s, &d->addresses[i], &a) &&
			net_address_equal(&a, other))
			return true;
	return false;
}

void attach_release(struct relay_segment *s, const struct net_device *d)
{
	size_t i = s->n_others;

	while (i-- > 0)
		if (!is_still_there(s, d, &s->others[i]))
			detach_other(s, i);
}

void attach_end(struct relay_segment *s)
{
	while (s->n_others)
		detach_other(s, s->n_others - 1);
	listener_detach(s->channel->group->relay, &s->channel->address,
		s->channel->port, s->index, s);
}

static int attach_other(
	struct relay_segment *s, unsigned device, const struct net_address *a)
{
	struct net_address *grown;
	size_t i;
	int err;

	for (i = 0; i < s->n_others; i++)
		if (net_address_equal(&s->others[i], a))
			return 0;
	grown = reallocarray(s->others, s->n_others + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	s->others = grown;
	err = listener_attach(
		s->channel->group->relay, a, s->channel->port, device, s);
	if (err == 0)
		s->others[s->n_others++] = *a;
	return err;
}

int attach_follow(struct relay_segment *s, const struct net_device *d)
{
	struct net_address a;
	size_t i;
	int err = 0;

	if (!s->index && hears(s) && !has_peers(s))
		err = listener_attach(s->channel->group->relay,
			&s->channel->address, s->channel->port, d->index, s);
	for (i = 0; i < d->n_addresses && err == 0; i++)
		if (heard_by(s, &d->addresses[i], &a))
			err = attach_other(s, d->index, &a);
	return err;
}
