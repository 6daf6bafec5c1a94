/*
 * The socket that a segment sends by: one for each, so that a slow device
 * cannot hold up the others (kernel-facts 0.C).
 *
 * It is bound to the group's address and port, not to the segment's: whoever
 * sends from the port must share it, and unicast that comes to the port stays
 * with the host's own programs.
 */
#include "relay/internal.h"

#include <errno.h>
#include <stdlib.h>

static void sender_closed(struct udp *u)
{
	free(u);
}

void sender_close(struct relay_segment *s)
{
	if (!s->sender)
		return;
	udp_close(s->sender, sender_closed);
	s->sender = NULL;
}

static int set_options(struct relay_segment *s, struct udp *u)
{
	const struct relay_channel *c = s->channel;
	int ttl = segment_use(s)->ttl;
	union udp_address source;
	int err;

	/* A TTL that follows what was heard goes with each datagram. */
	if (ttl > 0) {
		err = c->broadcast ? udp_set_ttl(u, ttl)
				   : udp_set_multicast_ttl(u, ttl);
		if (err < 0)
			return err;
	}
	if (c->broadcast)
		return udp_set_broadcast(u, true);
	err = udp_set_multicast_loop(u, c->group->c->loop);
	if (err < 0)
		return err;
	/* IPv4 must be told the source: a device without an address would
	 * borrow another one's (kernel-facts 0.G). IPv6 chooses among those of
	 * the device. */
	socket_address(&s->source, 0, 0, &source);
	return udp_set_multicast_interface(
		u, s->index, c->address.family == AF_INET ? &source : NULL);
}

int sender_open(struct relay_segment *s)
{
	const struct relay_channel *c = s->channel;
	unsigned flags = UDP_SHARE | UDP_OWN_GROUPS | UDP_SEND_ONLY;
	union udp_address group;
	struct udp *u;
	int err;

	u = calloc(1, sizeof(*u));
	if (!u)
		return -ENOMEM;
	err = udp_init(c->group->relay->loop, u);
	if (err < 0) {
		free(u);
		return err;
	}
	if (c->address.family == AF_INET6)
		flags |= UDP_IPV6ONLY;
	socket_address(&c->address, c->port, s->index, &group);
	err = udp_bind(u, &group, flags);
	if (err < 0)
		goto fail;
	err = set_options(s, u);
	if (err < 0)
		goto fail;
	/* Connected, a multicast socket looks up no route for each datagram on
	 * IPv6 (kernel-facts 11); a broadcast one has several destinations. */
	if (!c->broadcast) {
		err = udp_connect(u, &group);
		if (err < 0)
			goto fail;
	}
	s->sender = u;
	return 0;
fail:
	udp_close(u, sender_closed);
	return err;
}
