/*
 * The sockets that segments send by, but for frames.
 *
 * They are bound to the group's address, not to the segment's: whoever sends
 * from the port must share it, and unicast that comes to the port stays with
 * the host's own programs. They hear nothing.
 */
#include "relay/flow.h"
#include "relay/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

static struct relay *relay_of(const struct relay_segment *s)
{
	return s->channel->group->relay;
}

static bool has_fixed_destination(const struct relay_segment *s)
{
	const struct net_address *target = &segment_use(s)->target;

	return !s->channel->broadcast && !s->to.n_peers &&
	       target->family != s->channel->address.family;
}

/* True if the kernel would choose the segment's own source. */
static bool is_natural_source(const struct relay_segment *s)
{
	struct net_address source;
	union udp_address name;

	return udp_find_source(s->index, &s->to.group, &name) == 0 &&
	       net_address_from_socket(&name.sa, &source, NULL) == 0 &&
	       net_address_equal(&source, &s->source);
}

/*
 * A sender hears none of its own broadcasts, but it would be offered each of
 * them, and those of all other senders; connected it is not. Where that is not
 * possible, or would change the source, it stays as it is.
 */
static void connect_to_broadcast(struct relay_segment *s, struct sender *by)
{
	if (is_natural_source(s) &&
		udp_set_unicast_interface(&by->udp, s->index) == 0 &&
		udp_connect(&by->udp, &s->to.group) == 0)
		by->connected = !by->has_frames;
}

static bool preserves(const struct relay_segment *s)
{
	return s->channel->group->c->source == CONFIG_SOURCE_PRESERVE;
}

static int set_ttl(struct relay_segment *s, struct udp *u)
{
	int ttl = segment_use(s)->ttl;
	int err;

	/* A TTL that follows what was heard goes with each datagram. */
	if (ttl < 0)
		return 0;
	err = udp_set_multicast_ttl(u, ttl);
	return err < 0 ? err : udp_set_ttl(u, ttl);
}

int sender_set_options(struct relay_segment *s, struct udp *u)
{
	const struct relay_channel *c = s->channel;
	union udp_address source;
	int err;

	err = set_ttl(s, u);
	if (err < 0)
		return err;
	if (c->address.family == AF_INET) {
		err = udp_set_broadcast(u, true);
		if (err < 0)
			return err;
	}
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

static int bind_and_set(struct relay_segment *s, struct sender *by)
{
	const struct relay_channel *c = s->channel;
	unsigned flags = UDP_SHARE | UDP_OWN_GROUPS | UDP_SEND_ONLY | UDP_DEAF;
	union udp_address group;
	int err;

	if (c->address.family == AF_INET6)
		flags |= UDP_IPV6ONLY;
	socket_address(&c->address, by->port, s->index, &group);
	err = udp_bind(&by->udp, &group, flags);
	if (err < 0)
		return err;
	return sender_set_options(s, &by->udp);
}

/* Connected, a multicast socket looks up no route for each datagram on IPv6
 * (kernel-facts 11). Returns 0 or -errno. */
static int connect_to_group(struct relay_segment *s, struct sender *by)
{
	int err;

	if (preserves(s))
		return 0;
	if (s->channel->broadcast && !s->to.n_peers) {
		connect_to_broadcast(s, by);
		return 0;
	}
	if (!has_fixed_destination(s) || by->has_frames)
		return 0;
	err = udp_connect(&by->udp, &s->to.group);
	if (err == 0)
		by->connected = true;
	return err;
}

static void sender_closed(struct udp *u)
{
	free(u->data);
}

static int sender_new(
	struct relay_segment *s, uint16_t port, struct sender **ret)
{
	struct sender *by = calloc(1, sizeof(*by));
	int err;

	if (!by)
		return -ENOMEM;
	err = udp_init(relay_of(s)->loop, &by->udp);
	if (err < 0) {
		free(by);
		return err;
	}
	by->udp.data = by;
	by->segment = s;
	by->port = port;
	by->queue.tail = &by->queue.head;
	err = bind_and_set(s, by);
	if (err == 0 && frames_wanted(s))
		err = frames_open(by);
	else if (err == 0 && preserves(s))
		err = udp_set_foreign_source(&by->udp);
	if (err < 0)
		goto fail;
	err = connect_to_group(s, by);
	if (err < 0)
		goto fail;
	*ret = by;
	return 0;
fail:
	frames_close(by);
	udp_close(&by->udp, sender_closed);
	return err;
}

int sender_open(struct relay_segment *s)
{
	return sender_new(s, s->channel->port, &s->sender);
}

static void close_port(struct sender *by)
{
	struct relay *r = relay_of(by->segment);

	if (by->queue.head)
		outbox_flush(r);
	HASH_DEL(by->segment->other_senders, by);
	DL_DELETE(r->ports, by);
	r->n_ports--;
	udp_close(&by->udp, sender_closed);
}

void sender_close(struct relay_segment *s)
{
	flow_forget_segment(s);
	while (s->other_senders)
		close_port(s->other_senders);
	if (!s->sender)
		return;
	frames_close(s->sender);
	udp_close(&s->sender->udp, sender_closed);
	s->sender = NULL;
}

static int open_port(
	struct relay_segment *s, uint16_t port, struct sender **ret)
{
	struct relay *r = relay_of(s);
	struct sender *by;
	int err;

	while (r->n_ports >= RELAY_PORTS)
		close_port(r->ports);
	err = sender_new(s, port, &by);
	if (err < 0)
		return err;
	HASH_ADD(hh, s->other_senders, port, sizeof(by->port), by);
	if (!by->hh.tbl) {
		udp_close(&by->udp, sender_closed);
		return -ENOMEM;
	}
	DL_APPEND(r->ports, by);
	r->n_ports++;
	*ret = by;
	return 0;
}

int sender_from_port(
	struct relay_segment *s, uint16_t port, struct sender **ret)
{
	struct relay *r = relay_of(s);
	struct sender *by;

	if (port == s->channel->port || s->sender->has_frames) {
		*ret = s->sender;
		return 0;
	}
	HASH_FIND(hh, s->other_senders, &port, sizeof(port), by);
	if (!by)
		return open_port(s, port, ret);
	DL_DELETE(r->ports, by);
	DL_APPEND(r->ports, by);
	*ret = by;
	return 0;
}
