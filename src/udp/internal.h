/*
 * What the files of src/udp share: socket.c makes descriptors, handle.c owns
 * one with its poll handle, receive.c and send.c move datagrams, send_batch.c
 * sends many at once, error.c clears what ICMP left behind, options.c sets the
 * rest. frame.c is apart: ready-made packets.
 */
#ifndef CRIER_UDP_INTERNAL_H
#define CRIER_UDP_INTERNAL_H

#include "udp/udp.h"

#include <sys/socket.h>

/* setsockopt() of an int. Returns 0 or -errno. */
int udp_set_int(int fd, int level, int name, int value);

/* The peer that dissolves a connection, and the tie to a device. */
extern const struct sockaddr udp_nobody;

/*
 * Makes an unbound socket with all options. Returns it (the caller's to close),
 * or -EINVAL (family or flags of no use) or what socket(2) says.
 */
int udp_socket_make(int family, unsigned flags);

/*
 * Switches on what every socket gets, whoever made it: the facts about what it
 * receives. From the very start, since the kernel notes them as it queues a
 * datagram: one that came earlier would have no device and a wrong time.
 */
int udp_socket_prepare(int fd, int family, unsigned flags);

int udp_socket_bind(int fd, const union udp_address *address, unsigned flags);

/*
 * Finds the unicast IPv4 address that the socket is bound to, which every
 * IP_PKTINFO of its sends must repeat, since a zero there overrides it
 * (kernel-facts 1.3). 0.0.0.0 for a socket whose source the kernel chooses.
 */
int udp_socket_bound(int fd, struct in_addr *ret);

/* Makes CAP_NET_RAW effective, until udp_lower_raw(). Returns 0; -EPERM (not
 * permitted); -ENOMEM. */
int udp_raise_raw(void);

/* The family of an UDP socket, or -EINVAL for any other descriptor. */
int udp_socket_family(int fd);

/* Whether `a` is an IPv6 address that means nothing without its device. */
bool udp_is_link_scope(const union udp_address *a);

/* How many datagrams the kernel has dropped on the socket so far. */
uint32_t udp_socket_drops(int fd);

/* Makes an unbound socket of `family` where the handle has none. */
int udp_need_socket(struct udp *u, int family);

/* Makes the poll handle watch for what the handle now waits for. */
void udp_update_poll(struct udp *u);

/*
 * Copies `given` to `ret`, with the bound flow info where it has none.
 * Returns 0, or -EINVAL for a family that is neither IPv4 nor IPv6.
 */
int udp_resolve(
	struct udp *u, const union udp_address *given, union udp_address *ret);

/* Reads and hands out what has come, as far as one wake-up may. */
void udp_receive(struct udp *u);

/*
 * Sends from the front of `m`, without waiting. An error that may stem from an
 * earlier datagram is cleared and the first one tried again, once.
 * Returns how many of the `n` were sent, at least 1, or why the first was not.
 */
int udp_transmit(int fd, struct mmsghdr *m, unsigned n);

/* Sends what is queued while there is room, as far as one wake-up may. */
void udp_flush(struct udp *u);

/* Ends what is queued with -ECANCELED; udp_finish_sends() tells. */
void udp_cancel_sends(struct udp *u);

/* Runs the callbacks of the sends that are done by now, in order. */
void udp_finish_sends(struct udp *u);

/*
 * Empties the error queue of `fd`, within reason, so that poll() stops saying
 * POLLERR. Returns the first error found there, negative, or 0.
 */
int udp_drain_errors(int fd);

/* The same, with the socket's own pending error (SO_ERROR) first. */
int udp_take_error(int fd);

#endif
