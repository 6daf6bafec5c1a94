/*
 * The relay's own structures. Private to this folder.
 *
 * A group has channels, a channel has segments. Receiving sockets belong to
 * listeners, which channels of several groups may share; sending sockets
 * belong to segments. Pointers go up (segment -> channel -> group -> relay).
 */
#ifndef CRIER_RELAY_INTERNAL_H
#define CRIER_RELAY_INTERNAL_H

#include "bounds/bounds.h"
#include "relay/decide.h"
#include "relay/guard.h"
#include "relay/hosts.h"
#include "relay/outbox.h"
#include "relay/rate.h"
#include "relay/relay.h"
#include "stash/stash.h"
#include "udp/udp.h"

/* Without memory for its table an item is not added: seen by `hh.tbl`. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* Datagrams read by one system call. */
enum { RELAY_BATCH = 64 };

/* Room for UDP's largest datagram, and the kernel's own limit. */
enum { RELAY_SLOT_BYTES = 65536 };

/* ---- listener.c ---- */

/*
 * One socket of a listener. IPv4 lets a socket join 20 devices, so a listener
 * has as many as it takes; each datagram is taken from the socket that joined
 * its device, and so once.
 */
struct ear {
	struct ear *prev, *next;
	struct listener *listener; /* NULL: closing */
	struct udp udp;
	unsigned number; /* among the ears of its listener, from 1 */
	size_t joined;   /* the unclaimed ones included */
	/* Devices that it had joined for the process before, and that nobody
	 * has asked for yet. */
	unsigned *unclaimed;
	size_t n_unclaimed;
};

/* One device on which a listener hears, and for whom. */
struct hearing {
	UT_hash_handle hh; /* by device */
	unsigned device;
	struct ear *ear;
	struct relay_segment **segments;
	size_t n_segments;
};

/* All that hears one address and port. */
struct listener {
	struct listener *prev, *next;
	struct relay *relay;
	struct net_address address; /* a group, or an address of this host */
	uint16_t port;
	struct net_address *sources; /* join only these; none: any */
	size_t n_sources;
	struct ear *ears;
	struct hearing *hearings; /* uthash */
};

/* Leaves what the process before had joined and nobody asked for. */
void listener_drop_unclaimed(struct relay *r);

/* What `l` hears on a device, or NULL. Asked for every datagram. */
struct hearing *listener_hearing(const struct listener *l, unsigned device);

/*
 * Lets `s` hear `address` on the device with index `device`, joining it there
 * (for the sources of its channel, if it has some) if it is multicast and
 * nobody has yet.
 * Returns 0, or -errno and nothing changed.
 */
int listener_attach(struct relay *r, const struct net_address *address,
	uint16_t port, unsigned device, struct relay_segment *s);

/* Ends that, leaving the group after the last one and closing the sockets
 * after the last device. Does nothing where `s` was not attached. */
void listener_detach(struct relay *r, const struct net_address *address,
	uint16_t port, unsigned device, struct relay_segment *s);

/* ---- ear.c ---- */

/* Adds a socket to a listener. Returns 0 or -errno. */
int ear_new(struct listener *l, struct ear **ret);
/* Takes over those that the process before had for it. */
void ear_adopt_all(struct listener *l);
void ear_close(struct ear *e);
/* True where it has joined `device` already, which counts as joined then. */
bool ear_claim(struct ear *e, unsigned device);
/* Returns 0; -ENOBUFS or -ENOMEM (it has no room for one more); -errno. */
int ear_join(struct ear *e, unsigned device);
/* After the last one it closes itself, */
void ear_leave(struct ear *e, unsigned device);
/* and here too. */
void ear_drop_unclaimed(struct ear *e);

/* ---- heritage.c: what comes from the process before ---- */

struct heir_device {
	unsigned index;
	char name[IF_NAMESIZE];
};

/* One of its receiving sockets. */
struct heir {
	struct heir *next;
	char *name;
	uint32_t drops; /* of the kernel, that have been counted */
	size_t n_devices;
	struct heir_device devices[];
};

const struct heir *heritage_find(const struct relay *r, const char *name);
/* Forgets all of them. */
void heritage_end(struct relay *r);

/* ---- segment.c ---- */

/* Where a segment sends to: the group, the `target` instead of it, or a copy
 * to each of the `peers`. */
struct destinations {
	union udp_address group; /* or 255.255.255.255, or the target */
	union udp_address own;   /* the device's own broadcast address */
	union udp_address *peers;
	size_t n_peers;
};

struct relay_segment {
	struct relay_segment *prev, *next; /* of the channel */
	struct relay_channel *channel;
	size_t use; /* into the group's configuration */
	char device[IF_NAMESIZE];
	bool wanted;     /* mark and sweep of channel_match() */
	unsigned owner;  /* interface that has the device, +1; 0: nobody else */
	uint32_t slot;   /* the guard's */
	size_t position; /* in the channel's plan */
	uint64_t id;     /* never used twice: for the rate */
	bool is_outside; /* stands for the other sites: see outside.c */

	/* What is attached, to be undone when the device changes. */
	unsigned index; /* 0: nothing */
	uint32_t mtu;
	uint64_t incarnation;
	struct net_address *others; /* heard beside the group, or instead */
	size_t n_others;

	struct sender *sender;        /* NULL: cannot send now */
	struct sender *other_senders; /* uthash: from other ports */
	struct net_address source;    /* that the senders were opened for */
	struct net_address broadcast; /* the device's own, or unset */
	struct destinations to;

	enum relay_state state;
	int errnum; /* why it is failed, -errno */
	char error[160];
	bool known; /* its state has been told */

	struct relay_counters counters;
	uint64_t told_ms; /* trouble(), last */
	uint64_t untold;
};

/* Makes the segment of one use on one device ("": none matches) and appends it
 * to its channel. NULL without memory. */
struct relay_segment *segment_new(
	struct relay_channel *c, size_t use, const char *device);
/* Detaches and frees it. */
void segment_free(struct relay_segment *s);

/* The first half of following a device: lets go of what is no more. */
void segment_release(struct relay_segment *s, const struct net_device *d);
/* The second half: joins, opens the sender, derives the state. */
void segment_follow(struct relay_segment *s, const struct net_device *d);
/* Tells of a state that changed. */
void segment_tell(
	struct relay_segment *s, enum relay_state was, const char *error_was);
/* Says that it failed at `what`, and what the cure may be. */
void segment_fail(struct relay_segment *s, const struct net_device *d,
	const char *what, int err);
/* Says what is wrong with a device that works otherwise. */
void segment_warn(struct relay_segment *s, const struct net_device *d);
/* Counts a failed send and tells of it at most once a minute. */
void segment_trouble(struct relay_segment *s, int error);

/*
 * True if `source` is on-link on another segment of the channel and not on
 * this one: some repeater that keeps sources put it there. Link-local
 * addresses are on-link everywhere.
 */
bool segment_is_elsewhere(
	const struct relay_segment *s, const struct net_address *source);
/* True if the segment has peers and `source` is none of them. */
bool segment_is_stranger(
	const struct relay_segment *s, const struct net_address *source);

const struct config_use *segment_use(const struct relay_segment *s);
const struct config_interface *segment_interface(const struct relay_segment *s);

/* ---- attach.c ---- */

/* Hears what the segment hears on `d`, as far as it does not yet. Returns 0,
 * or -errno and goes on hearing what worked. */
int attach_follow(struct relay_segment *s, const struct net_device *d);
/* Lets go of addresses that `d` has no more. */
void attach_release(struct relay_segment *s, const struct net_device *d);
/* Lets go of everything on the device of `s`. */
void attach_end(struct relay_segment *s);

/* ---- group.c ---- */

struct relay_channel {
	struct relay_channel *prev, *next;
	struct relay_group *group;
	struct net_address address;
	uint16_t port;
	bool broadcast;
	struct net_address *sources; /* of the group, in this family */
	size_t n_sources;
	struct guard guard;
	struct relay_segment *segments;
	struct relay_segment outside; /* none of those */

	/* The same for the decision, rebuilt when a segment changes. */
	struct decide_channel plan;
	struct decide_segment *plan_segments;
	struct decision *plan_rows;
	struct relay_segment **by_position;
	size_t n_segments;
	/* Those that take part now: others cost a datagram nothing. */
	struct relay_segment **usable;
	size_t n_usable;
};

struct relay_group {
	struct relay_group *prev, *next;
	struct relay *relay;
	struct config *config; /* a reference */
	const struct config_group *c;
	struct relay_channel *channels;
	struct tale {
		uint64_t told_ms; /* last */
		uint64_t untold;
	} loops, rates;
};

/* Makes a group with its channels, without segments. NULL without memory. */
struct relay_group *group_new(
	struct relay *r, struct config *config, const struct config_group *c);
/* Frees it with all that it has, closing what nobody shares. */
void group_free(struct relay_group *g);
/* Moves an unchanged group to the configuration that has it as `c`. */
void group_adopt(struct relay_group *g, struct config *config,
	const struct config_group *c);

/* Makes the segments those of the devices of now. Returns 0 or -ENOMEM. */
int channel_match(struct relay_channel *c);
/* Rebuilds the plan. Returns 0 or -ENOMEM. */
int channel_plan(struct relay_channel *c);

/* ---- claims.c ---- */

/*
 * Which interface of the configuration a device belongs to: an exact name wins
 * over a glob, and else the earlier line.
 * Returns its index; -ENOENT where no interface names the device.
 */
int claims_owner(const struct config *c, const struct net_device *d);

/*
 * Calls `each` for every device that interface `i` names now: exact names also
 * while they are absent (d NULL), matches of globs, and once with the name ""
 * where there is neither. Stops at the first result below 0 and returns it.
 */
int claims_each(const struct config_interface *i,
	const struct net_devices *devices,
	int (*each)(void *data, const char *name, const struct net_device *d),
	void *data);

/* Whose a device is, in words, for whom does not have it. Returns `buffer`. */
const char *claims_words(const struct config *c, int owner,
	const struct net_device *d, char *buffer, size_t size);

/* ---- what edit.c knows of an arrival ---- */

/* What leaves instead of what was heard. */
struct payload {
	const uint8_t *data;
	size_t size;
	uint64_t digest;
};

/* Names of hosts in one message that are told apart, and different edits of it
 * that are kept. */
enum { EDIT_HOSTS = 64, EDIT_KEPT = 4 };

struct edits {
	/* Of hosts whose addresses are in the message, by hosts_name(). */
	bool has_hosts, has_too_many_hosts;
	unsigned n_hosts;
	uint64_t hosts[EDIT_HOSTS];

	/* Segments out for which the same is taken out get the same. */
	unsigned n;
	struct edited {
		const struct relay_segment *in;
		const struct config_use *to; /* NULL: it filters nothing */
		uint64_t multi_homed;        /* a bit for each of `hosts` */
		uint64_t epoch; /* the relay's, in which it is valid */
		enum relay_verdict verdict;
		struct payload payload;
	} at[EDIT_KEPT];
};

/* ---- arrival.c ---- */

/* A datagram that was heard, for every channel that hears it. */
struct arrival {
	const struct udp_datagram *datagram;
	struct net_address source, destination;
	uint16_t port;
	uint64_t digest;
	uint64_t now_ms;
	bool own;

	/* As its decoder sees it, which the first channel asks for. */
	enum config_payload inspected; /* CONFIG_PAYLOAD_NONE: not yet */
	bool is_malformed;
	struct proto_view view;

	uint64_t flow; /* that it answers, or that it left by; or 0 */
	bool copy;     /* the guard knew it from elsewhere */
	const struct outsider *outsider; /* outside.h; NULL: heard here */
	/* What is told of instead of what was heard; or NULL. */
	const struct payload *leaves;
	struct edits edits;
};

/* Takes down the facts of a datagram, whose siphash() is `digest`. */
void arrival_init(struct arrival *a, struct relay *r,
	const struct udp_datagram *d, uint64_t digest);

/* What it is for the group of `in`. */
enum proto_kind arrival_kind(struct arrival *a, const struct relay_segment *in);

/* Tells who watches what became of it, on `out` or (NULL) as a whole. */
void arrival_tell(struct arrival *a, const struct relay_segment *in,
	const struct relay_segment *out, enum relay_verdict v,
	const char *rule);

/* Hands it to whoever keeps what was heard. */
void arrival_hand_out(struct arrival *a, const struct relay_segment *in);

/* Its view by the group's decoder, or NULL (none, or malformed). */
const struct proto_view *arrival_view(
	struct arrival *a, const struct relay_segment *in);

/* ---- edit.c ---- */

/* Room for messages that were edited and wait to be sent. */
enum { RELAY_EDITED = 16 * 65536 };

/* Names of hosts that are known on their segments. */
enum { RELAY_HOSTS = 16384 };

/*
 * Takes out of an mDNS message what is not to cross from `in` to `out`. All
 * else stays as it is.
 * Returns RELAY_SENT, with `*ret`; RELAY_FILTER: nothing is left.
 */
enum relay_verdict edit_payload(struct arrival *a,
	const struct relay_segment *in, const struct relay_segment *out,
	struct payload *ret);

/* What was edited since `used` bytes of the room were taken is void now. */
void edit_void(struct relay *r, size_t used);

/* Learns which host names belong to the arriving segment. */
void edit_learn(struct arrival *a, const struct relay_segment *in);

/* ---- fanout.c ---- */

/* Buckets of rates: sources times segments that are active at a time. */
enum { RELAY_RATES = 16384 };

/* How a source is kept in this group: a link-local one only by its port. */
enum config_source fanout_source_mode(
	const struct relay_group *g, const struct arrival *a);

/* What makes two datagrams the same for the guard, `digest` being that of the
 * payload. */
uint64_t fanout_sameness(const struct relay_segment *in,
	const struct arrival *a, uint64_t digest);

/* The facts of a datagram on `in`. */
void fanout_describe(
	struct relay_segment *in, struct arrival *a, struct decide_facts *ret);

/* Queues a payload for `out`; `ruling` may be empty. Returns 0 or -errno. */
int fanout_send(struct relay_segment *out, const struct arrival *a,
	const struct payload *payload, int ttl, bool directed,
	const struct guard_ruling *ruling);

/* The TTL of what nobody was heard to send with one; -1: the socket's own. */
int own_ttl(const struct relay_segment *s);

void fanout_receive(struct udp *u, ssize_t n,
	const struct udp_datagram *datagrams, uint32_t kernel_dropped);

/* ---- relay.c ---- */

struct relay_flow;

struct relay {
	uv_loop_t *loop;
	struct net_devices *devices;
	struct relay_callbacks callbacks;
	struct config *config; /* a reference; NULL before the first */
	struct udp_batch *batch;
	struct siphash_key key;
	struct quota remembered;
	struct rate rate;
	uint64_t next_id; /* of a segment */
	struct relay_group *groups;
	struct listener *listeners;
	struct decision *decisions; /* scratch: of the largest channel */
	size_t n_decisions;
	/* What is known of the last source, within a batch: bursts are of one.
	 */
	struct familiar {
		const struct relay_segment *in; /* NULL: nothing is known */
		struct net_address source;
		bool own, elsewhere, stranger;
	} familiar;
	struct outbox outbox;
	struct framer framer;
	struct sender *ports; /* utlist, the oldest use first */
	size_t n_ports;
	struct relay_flow *flows;     /* uthash */
	struct relay_flow *flow_list; /* the same, the oldest first */
	struct quota flow_quota;
	struct pool searchers;
	uint64_t next_flow;
	struct wsd_parser *wsd;
	struct hosts hosts;
	uint8_t *edited; /* RELAY_EDITED bytes, until they are sent */
	size_t edited_used;
	uint64_t edit_epoch; /* changes where some of it becomes void */
	struct relay_counters retired; /* of segments that are no more */
	struct heir *heirs;
	bool sockets_changed; /* since callbacks.sockets was called */
	bool told_of_buffer;
	uv_timer_t retry;
	uint64_t retry_ms; /* 0: not waiting */
	struct relay_site_counts sites;
	bool standby;
	bool watched;
	bool carried; /* somebody asks for it, in some group */
	bool closing;
};

void counters_add(
	struct relay_counters *sum, const struct relay_counters *more);

/* For the kernel: an address with a port, on a device where that matters. */
void socket_address(const struct net_address *a, uint16_t port, unsigned device,
	union udp_address *ret);

#endif
