/*
 * outbox: what is on its way out, and what it leaves by. Private to this
 * folder.
 *
 * While a receive batch is worked off, datagrams are queued for each sender;
 * then each sends its own in one system call, but for frames, all of which
 * leave in one.
 * Nothing here allocates for a datagram.
 */
#ifndef CRIER_RELAY_OUTBOX_H
#define CRIER_RELAY_OUTBOX_H

#include "net/net.h"
#include "proto/proto.h"
#include "relay/guard.h"
#include "relay/relay.h"
#include "udp/udp.h"

/* Without memory for its table an item is not added: seen by `hh.tbl`. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* Datagrams of one sender that leave in one system call. */
enum { OUTBOX_BATCH = 64 };

/* A full batch to 64 segments; when full it is emptied. */
enum { OUTBOX_DATAGRAMS = 4096 };

/* Ports of announcers that are kept open: the one that was used the longest
 * ago gives way. */
enum { RELAY_PORTS = 256 };

/* One datagram on its way out of one segment. */
struct outgoing {
	struct outgoing *next;
	struct sender *by;
	const uint8_t *data; /* the receive batch's */
	size_t size;
	const union udp_address *destination; /* NULL: connected to it */
	struct net_address announcer; /* its source; unset: the segment's */
	uint16_t port;                /* it leaves from */
	bool has_failed;              /* a piece of it */
	int ttl;                      /* -1: that of the segment's use */
	struct guard_ruling ruling;
};

/* First in, first out. */
struct outgoings {
	struct outgoing *head, **tail;
};

struct outbox {
	struct outgoing *at; /* OUTBOX_DATAGRAMS, touched as far as needed */
	size_t used;
	struct sender *dirty; /* those with something to send */
};

/* Returns 0 or -ENOMEM. */
int outbox_init(struct outbox *box);
void outbox_done(struct outbox *box);
/* Room for one more datagram, which outbox_put() then queues. */
struct outgoing *outbox_take(struct relay *r);
/* Queues `o` for every destination of the segment of `by`. */
void outbox_put(struct sender *by, struct outgoing *o, bool directed);
/* Queues it once more. */
void outbox_put_again(struct outgoing *o);
/* Sends all that is queued. */
void outbox_flush(struct relay *r);

/* Takes back what was counted and remembered of `o`. */
void outbox_not_sent(const struct outgoing *o, int error);
/* What a failed send counts as: a full queue, or an error. */
enum relay_verdict outbox_verdict(int error);

/* ---- sender.c ---- */

/*
 * A socket that a segment sends by, and what waits for it. Each segment has
 * its own, so that a slow device cannot hold up the others (kernel-facts 0.C);
 * where announcers' ports are kept, one more for each port.
 */
struct sender {
	struct relay_segment *segment;
	struct udp udp;
	uint16_t port; /* that it sends from */
	bool connected;
	/* What goes to a group leaves as frames instead. */
	bool has_frames;
	int frame_fd; /* a socket of its own for them, or -1 */
	bool takes_no_runs;
	struct ip_flow flow; /* to the group, without TTL and id */
	struct ip_form form; /* the same */
	uint8_t hardware[6]; /* that the group goes to */
	struct outgoings queue;
	struct sender *next_dirty;

	/* Of those for other ports. */
	UT_hash_handle hh;          /* in the segment, by port */
	struct sender *prev, *next; /* in the relay, the oldest use first */
};

/* Opens the segment's own sender, from its `source` on its device. Returns 0
 * or -errno. */
int sender_open(struct relay_segment *s);
/* Closes it, and those for other ports. */
void sender_close(struct relay_segment *s);

/* Sets TTL, loop and device as the segment sends. Returns 0 or -errno. */
int sender_set_options(struct relay_segment *s, struct udp *u);

/* The sender from `port`, which may be the segment's own one; opened where
 * there is none yet. Returns 0 or -errno. */
int sender_from_port(
	struct relay_segment *s, uint16_t port, struct sender **ret);

/* ---- frames.c ---- */

/* Sums of payloads that are kept during a flush; a power of two. */
enum { FRAMER_SUMS = 64 };

/* What all frames of a relay leave by. */
struct framer {
	int fd;     /* -1: nobody sends frames */
	int run_fd; /* for runs; -1: none has been sent */
	size_t users;
	uint32_t next_id; /* of a datagram that may be cut into fragments */
	struct udp_frames *batch;
	uint64_t flush; /* its number: data is void after it */
	struct framer_sum {
		const uint8_t *data;
		size_t size;
		uint64_t flush;
		uint32_t sum;
	} sums[FRAMER_SUMS];
};

void frames_init(struct framer *f, uint32_t first_id);
/* True if what goes to the group on `s` is to leave as frames. */
bool frames_wanted(const struct relay_segment *s);
/* Opens the socket where it is the first. Returns 0; -EPERM (CAP_NET_RAW is not
 * permitted); -ENOMEM; -errno. */
int frames_open(struct sender *by);
void frames_close(struct sender *by);

/* Sends `first` and all behind it, or puts them into the batch that
 * frames_flush() sends. Senders for which its socket has no room get one of
 * their own, and wait in the outbox again. */
void frames_depart(struct sender *by, struct outgoing *first);
void frames_flush(struct framer *f);

/* Sends one datagram at once. Returns 0 or -errno, and counts nothing. */
int frames_send(struct sender *by, uint16_t port, const union udp_address *to,
	int ttl, const void *data, size_t size);

#endif
