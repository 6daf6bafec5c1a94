/*
 * udp: one UDP socket on a libuv loop, for a relay's needs.
 *
 * libuv's own uv_udp_t throws away what a relay must know of a datagram: the
 * device it came in on, the address it was sent to, its TTL and how many the
 * kernel dropped. So this handle drives a uv_poll_t on its own descriptor.
 *
 * Life cycle:
 *   1. udp_init() prepares a handle without a descriptor.
 *   2. udp_bind() makes one; udp_open() takes one; udp_connect(), udp_send()
 *      and udp_try_send() make an unbound one of the destination's family where
 *      there is none yet.
 *   3. udp_recv_start() / udp_recv_stop(), udp_send(), udp_try_send() and
 *      udp_send_batch() work from then on.
 *   4. udp_close() ends it; the memory must stay valid until its callback.
 *
 * Only a handle that receives, has sends in flight or is closing keeps its loop
 * alive, and one that waits costs no system call.
 *
 * Errors are negative errno. Every system call on the data path carries
 * MSG_DONTWAIT, so a blocking descriptor cannot stall the loop.
 */
#ifndef CRIER_UDP_UDP_H
#define CRIER_UDP_UDP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <uv.h>

struct udp;
struct udp_send;

/* Any address of a socket; `sa.sa_family` tells which member holds it. */
union udp_address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* The size of `a` for the kernel, by its family; 0 if that is neither. */
socklen_t udp_address_size(const union udp_address *a);

/* One datagram that was heard. Valid only within the receive callback. */
struct udp_datagram {
	const uint8_t *data;           /* owned by the batch */
	size_t size;                   /* bytes in `data` */
	union udp_address source;      /* IPv6: with scope id and flow info */
	union udp_address destination; /* the address only; its port is 0, its
					  family AF_UNSPEC where unknown */
	unsigned device;               /* index it came in on, 0 unknown */
	int ttl;                       /* TTL or hop limit, -1 unknown */
	bool partial;                  /* cut off: it was larger than a slot */
	uint64_t time_ns; /* CLOCK_REALTIME when the kernel queued it, 0
			     unless UDP_TIMESTAMP was asked for; within moments
			     of the host's first such socket, when it was read
			     (kernel-facts 9.2) */
};

/*
 * The memory that one recvmmsg() fills. Receiving is synchronous, so all
 * handles of a loop may share one.
 */
struct udp_batch;

/*
 * Makes a batch of `slots` datagrams (1 to 256) of up to `slot_bytes` (1 to
 * 65536) each. Memory is touched by the kernel only as far as datagrams reach.
 * The caller owns it and frees it after the last handle that uses it is closed.
 * Returns 0; -EINVAL out of range; -ENOMEM.
 */
int udp_batch_new(struct udp_batch **ret, unsigned slots, size_t slot_bytes);
void udp_batch_free(struct udp_batch *b);

/*
 * Called with `n` > 0 datagrams, or with `n` < 0, an error that the socket
 * reported (-ECONNREFUSED of an ICMP port unreachable, say): receiving goes on
 * in either case. `kernel_dropped` is how many datagrams the kernel dropped on
 * this socket since the last call (at first: since udp_bind() or udp_open()).
 * Linux tells of a loss with the next datagram that it queues. Stop, start and
 * close are safe from inside; after the first and the last, the callback is not
 * called again.
 */
typedef void (*udp_recv_cb)(struct udp *u, ssize_t n,
	const struct udp_datagram *datagrams, uint32_t kernel_dropped);

typedef void (*udp_close_cb)(struct udp *u);
typedef void (*udp_send_cb)(struct udp_send *req, int status);

/* A send in flight: caller-allocated, valid until its callback. */
struct udp_send {
	void *data; /* the caller's */
	/* Private. */
	struct udp *handle;
	struct udp_send *next;
	udp_send_cb cb;
	uv_buf_t small[4];
	uv_buf_t *bufs; /* `small`, or allocated */
	unsigned n_bufs;
	union udp_address destination;
	bool has_destination;
	int status;
};

/* Private: a first-in, first-out list of sends. */
struct udp_sends {
	struct udp_send *head, **tail;
};

struct udp {
	void *data; /* the caller's, udp_init() leaves it alone */
	/* Private. */
	uv_loop_t *loop;
	uv_poll_t poll; /* initialised only while there is a descriptor */
	uv_idle_t idle; /* active only while `done` has sends */
	int fd;
	int family;
	int poll_events;
	unsigned closing_handles;
	bool closing;
	bool sends_flow_info; /* IPV6_FLOWINFO_SEND is on */
	bool takes_no_runs;   /* each datagram of a batch goes down alone */
	uint32_t flow_info;   /* as bound, network order */
	struct in_addr bound; /* the unicast IPv4 address, or 0.0.0.0 */
	uint32_t overflow;    /* the last SO_RXQ_OVFL */
	udp_recv_cb recv_cb;
	udp_close_cb close_cb;
	struct udp_batch *batch;
	struct udp_sends queue; /* waiting for room in the socket's buffer */
	struct udp_sends done;  /* waiting for their callbacks */
};

/* Flags of udp_bind() and udp_open(). */
enum {
	UDP_IPV6ONLY = 1 << 0,   /* IPv6 sockets only: no IPv4-mapped traffic */
	UDP_SHARE = 1 << 1,      /* SO_REUSEADDR and SO_REUSEPORT */
	UDP_OWN_GROUPS = 1 << 2, /* IP(V6)_MULTICAST_ALL off: only what this
				    socket itself joined */
	UDP_SEND_ONLY = 1 << 3,  /* IP(V6)_RECVERR: a full queue says ENOBUFS */
	UDP_TIMESTAMP = 1 << 4,  /* SO_TIMESTAMPNS: fills time_ns */
	UDP_ANY_DEVICE = 1 << 5, /* a link-scope IPv6 address: untie the socket
				    from the device that bind() needs */
	UDP_DEAF = 1 << 6,       /* hears nothing, also no broadcasts */
};

/*
 * Prepares `u` on `loop`, without a descriptor. Cannot leave anything to undo:
 * a handle that was initialised must be closed, but not one whose init failed.
 */
int udp_init(uv_loop_t *loop, struct udp *u);

/*
 * Ends the handle. `cb` (may be NULL) runs from the loop, once, after every
 * pending send's callback got -ECANCELED. Closes the descriptor at once.
 * Calling it again does nothing. Whatever else is asked of a closing handle
 * says -EBADF.
 */
void udp_close(struct udp *u, udp_close_cb cb);
bool udp_is_closing(const struct udp *u);

/*
 * Makes a socket and binds it. IPv6 takes flow info and scope id. The kernel
 * forgets the flow info of a bind, so the handle keeps it: udp_getsockname()
 * tells it, and what is sent to a destination without flow info of its own
 * carries it. Sharing a port takes both SO_REUSEADDR and SO_REUSEPORT
 * (kernel-facts 10.1): with both a neighbour may have set only one of them.
 * Returns 0; -EALREADY (the handle has a descriptor); -EINVAL (unknown flag or
 * family, UDP_IPV6ONLY for IPv4, UDP_ANY_DEVICE for a link-scope address
 * without a port: untying would lose one that the kernel chose); -EADDRINUSE
 * and what else socket(2) and bind(2) say.
 */
int udp_bind(struct udp *u, const union udp_address *address, unsigned flags);

/*
 * Takes over `fd`, an UDP socket, which the handle closes. On failure the
 * caller keeps it. Only UDP_SEND_ONLY, UDP_DEAF and UDP_TIMESTAMP are heeded in
 * `flags`: everything else the socket brings along.
 * Returns 0; -EALREADY; -EBADF; -EINVAL (not an UDP socket of IPv4 or IPv6);
 * -EEXIST (the loop polls it already).
 */
int udp_open(struct udp *u, int fd, unsigned flags);

/*
 * Connects to `peer`, or dissolves the connection where it is NULL. With the
 * connection Linux also drops a port that it chose itself, and the device that
 * a link-scope address, of the peer or of the bind, tied the socket to. So a
 * socket that is to follow its segment's addresses, or to go to another device,
 * is dissolved first and then connected anew.
 * Returns 0; -EBADF (nothing to dissolve); or what connect(2) says.
 */
int udp_connect(struct udp *u, const union udp_address *peer);

/* The local address, with flow info and scope id. -EBADF without a socket. */
int udp_getsockname(const struct udp *u, union udp_address *ret);

/* The descriptor, which stays the handle's; -EBADF where there is none. */
int udp_fileno(const struct udp *u);

/*
 * Sends the `n_bufs` buffers as one datagram, to `destination` or, where that
 * is NULL, to the connected peer. The array is copied, what it points at must
 * stay valid until `cb`, which runs once, after this call returned, with 0 or
 * the error: -EMSGSIZE (over 65507 bytes, IPv6 65527), -ENOBUFS (full queue, if
 * UDP_SEND_ONLY), -ECANCELED (closed), what sendmsg(2) says. Sends leave in
 * order. Flow info of an IPv6 destination needs no lease, save where a program
 * in the namespace holds an exclusive label: -EINVAL then (net/ipv6.h,
 * fl6_sock_lookup; before Linux 5.3 always).
 * Returns 0; -ENOMEM; -EINVAL (no buffer, no callback, a family other than IPv4
 * and IPv6); -EDESTADDRREQ (neither destination nor socket); or why no socket
 * could be made. `cb` is not called then.
 */
int udp_send(struct udp_send *req, struct udp *u, const uv_buf_t bufs[],
	unsigned n_bufs, const union udp_address *destination, udp_send_cb cb);

/*
 * Sends now or not at all. Returns the bytes sent; -EAGAIN where the socket's
 * buffer is full or udp_send()s are queued; or an error as udp_send() says it.
 */
ssize_t udp_try_send(struct udp *u, const uv_buf_t bufs[], unsigned n_bufs,
	const union udp_address *destination);

/* One datagram of udp_send_batch(). */
struct udp_out {
	const void *data;
	size_t size;
	const union udp_address *destination; /* NULL: the connected peer */
	const union udp_address *source; /* address only, of the destination's
					    family; NULL: the one bound to, or
					    the kernel's choice */
	unsigned device;                 /* index to leave by; 0: by route */
	int ttl;                         /* 1 to 255; -1: the socket's own */
};

/* Told of each datagram of a batch that was not sent: -errno, and which. */
typedef void (*udp_report_cb)(void *data, size_t index, int error);

/*
 * Sends `n` datagrams by as few sendmmsg() calls as it takes, and long runs of
 * one size to the connected peer as one message each. A bad one is
 * skipped and reported (-EINVAL: TTL, source or destination of no use); where
 * the socket's buffer is full or udp_send()s are queued (-EAGAIN), or there is
 * no socket (-EBADF), the rest is reported too. Nothing is queued. An error
 * that an earlier datagram left on the socket (ICMP) is cleared and does not
 * count against the next one. `report` may be NULL, and may close the handle.
 * Returns how many were sent.
 */
size_t udp_send_batch(struct udp *u, const struct udp_out *out, size_t n,
	udp_report_cb report, void *data);

/*
 * Starts to hear, into `batch`, which must outlive the handle's activity. At
 * most a few batches are read for each wake-up, so that one busy socket does
 * not starve the loop.
 * Returns 0; -EALREADY (hears already); -EBADF (no socket).
 */
int udp_recv_start(struct udp *u, struct udp_batch *batch, udp_recv_cb cb);
/* Idempotent. */
int udp_recv_stop(struct udp *u);

/*
 * How many datagrams the kernel has dropped on the socket that the receive
 * callback has been told of, or that were dropped before udp_open(). Whoever
 * opens a socket that was its own before has it count on from there.
 */
uint32_t udp_drops_counted(const struct udp *u);
void udp_set_drops_counted(struct udp *u, uint32_t drops);

enum udp_membership { UDP_LEAVE, UDP_JOIN };

/*
 * Joins or leaves `group` on the device with index `device` (0: the kernel
 * chooses), for datagrams from `source` only where that is not NULL. By index,
 * so that devices without an IPv4 address can be joined too. Leaving without a
 * source leaves all sources. On a device that is gone, so does leaving one
 * source, since the kernel no longer finds a single one there; the membership
 * would count on otherwise.
 * Returns 0; -EADDRINUSE (joined already, in either form); -EADDRNOTAVAIL (not
 * joined); -ENOBUFS (igmp_max_memberships, igmp_max_msf, mld_max_msf); -ENOMEM
 * (optmem_max, IPv6); -ENODEV; -EINVAL (no group, or a source of another
 * family); -EBADF.
 */
int udp_set_membership(struct udp *u, const union udp_address *group,
	unsigned device, const union udp_address *source,
	enum udp_membership what);

/*
 * Options, all for the family of the socket. -EBADF without a socket.
 * A TTL is 1 to 255, or -EINVAL.
 */
int udp_set_multicast_ttl(struct udp *u, int ttl);
int udp_set_ttl(struct udp *u, int ttl); /* unicast and broadcast */
int udp_set_multicast_loop(struct udp *u, bool on);
/*
 * The device that multicast leaves by; 0 leaves it to the route. `source` (IPv4
 * only, may be NULL) is the address that it carries: without one the kernel
 * lends another device's address to a device that has none.
 * Returns 0; -ENODEV; -EINVAL (an IPv6 source); -EBADF.
 */
int udp_set_multicast_interface(
	struct udp *u, unsigned device, const union udp_address *source);
/* The device that unicast and broadcast leave by, of IPv4; 0 leaves it to the
 * route. Returns 0; -EINVAL (another family); -EBADF. */
int udp_set_unicast_interface(struct udp *u, unsigned device);
/* Which address the kernel sends from, to an IPv4 `to` on a device. Returns 0;
 * what connect(2) says. */
int udp_find_source(
	unsigned device, const union udp_address *to, union udp_address *ret);
int udp_set_broadcast(struct udp *u, bool on);

/*
 * Lets udp_send_batch() name a `source` that is not this host's. IPv4 needs
 * CAP_NET_RAW, which must be permitted and is effective only within this call.
 * Returns 0; -EPERM (without it); -EBADF.
 */
int udp_set_foreign_source(struct udp *u);
/* Takes CAP_NET_RAW out of the process's effective capabilities, but not out
 * of the permitted ones. Returns 0 or -errno. */
int udp_lower_raw(void);

/*
 * Buffer sizes in bytes as the kernel counts them (it doubles what was asked).
 * Setting goes past rmem_max and wmem_max where CAP_NET_ADMIN allows that.
 */
int udp_set_recv_buffer(struct udp *u, size_t bytes);
int udp_set_send_buffer(struct udp *u, size_t bytes);
int udp_get_recv_buffer(const struct udp *u, size_t *ret_bytes);
int udp_get_send_buffer(const struct udp *u, size_t *ret_bytes);

/* ---- ready-made packets ---- */

/* Room for the headers of one: IPv6, fragment and UDP. */
enum { UDP_FRAME_HEADER = 56 };

/*
 * An IP packet that leaves as it stands: the kernel only writes the header of
 * the link in front. It passes by netfilter's output hook, and nobody on this
 * host hears it.
 */
struct udp_frame {
	unsigned device;     /* index to leave by */
	sa_family_t family;  /* AF_INET or AF_INET6 */
	uint8_t hardware[6]; /* udp_frame_hardware() */
	size_t header_size, payload_size;
	const void *payload; /* the caller's, until the batch is sent */
	void *tag;           /* for the report */
	uint8_t header[UDP_FRAME_HEADER];
};

/* A batch of frames, whose memory serves again and again. */
struct udp_frames;

/* Frames of one batch, and so of one system call. */
enum { UDP_FRAMES = 256 };

/* Makes an empty batch. Returns 0 or -ENOMEM. */
int udp_frames_new(struct udp_frames **ret);
void udp_frames_free(struct udp_frames *f);

/* The next frame, to be filled in; NULL: the batch is full. */
struct udp_frame *udp_frames_take(struct udp_frames *f);

/* Told of each frame that was not sent: -errno, and its tag. */
typedef void (*udp_frame_report_cb)(void *data, void *tag, int error);

/*
 * Sends all frames of the batch, which is empty then, without waiting. One that
 * fails is reported and passed over: -ENOBUFS (its device's queue is full),
 * -EMSGSIZE, -ENXIO (no such device), -ENETDOWN. Where the socket's own buffer
 * is full the rest is reported with -EAGAIN. `report` must not use the batch.
 * Returns how many were sent.
 */
size_t udp_frames_send(
	struct udp_frames *f, int fd, udp_frame_report_cb report, void *data);

/*
 * Makes a socket for frames, which hears nothing. It needs CAP_NET_RAW, which
 * must be permitted and is effective only within this call.
 *
 * buffer: bytes that may wait in it, asked for as udp_set_send_buffer().
 * Returns the descriptor, the caller's to close; -EPERM; what socket(2) says.
 */
int udp_frame_socket(size_t buffer);

/*
 * A socket for runs: many datagrams of one size to one group, which the kernel
 * takes apart as late as it can. Otherwise as udp_frame_socket(); -EINVAL and
 * -ENOPROTOOPT where the kernel knows no such thing.
 */
int udp_run_socket(size_t buffer);

/*
 * Datagrams of one run, and of the shortest that is worth it: below that they
 * had better be seen one by one on a virtual link, where nothing takes them
 * apart before a capture.
 */
enum { UDP_RUN = 64, UDP_RUN_LEAST = 48, UDP_RUN_BYTES = 65000 };

/*
 * Sends a run on an Ethernet, without waiting.
 *
 * head: its headers are those of one datagram with all the payloads in it, and
 *   its UDP checksum what ip_fill_run() says; `payload` does not count.
 * from: the device's own hardware address.
 * payloads: `n`, 2 to UDP_RUN, each of `size` bytes.
 * Returns 0; -EAGAIN (the socket's buffer is full); -ENOBUFS (the device's
 * queue is); -EINVAL (a kernel before 6.2, or it does not fit the device).
 */
int udp_send_run(int fd, const struct udp_frame *head, const uint8_t from[6],
	const struct iovec *payloads, unsigned n, size_t size);

/* The hardware address that a multicast group or a broadcast address of either
 * family goes to on Ethernet (RFC 1112, 6.4; RFC 2464, 7). */
void udp_frame_hardware(const union udp_address *to, uint8_t ret[6]);

#endif
