/*
 * relay: hears datagrams on the segments of a group and sends them on the
 * others. The folder's one header for others.
 *
 * Life cycle:
 *   1. relay_new() makes a relay without groups on a loop.
 *   2. relay_configure() gives it a configuration, at start and at each reload;
 *      relay_devices_changed() tells it to follow the kernel's devices.
 *   3. The readers below show what it does.
 *   4. relay_close() ends it; its memory goes once the loop has closed its
 *      handles.
 *
 * It knows no YAML, no JSON and no systemd: what happens is told by callbacks.
 */
#ifndef CRIER_RELAY_RELAY_H
#define CRIER_RELAY_RELAY_H

#include "config/config.h"
#include "net/net.h"
#include "proto/proto.h"
#include "stash/stash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct relay;

/* What became of a datagram for one segment out, and the reasons to drop. */
enum relay_verdict {
	RELAY_SENT,
	RELAY_OWN,        /* from one of this host's own addresses */
	RELAY_LOOP,       /* the loop guard held it back */
	RELAY_DIRECTION,  /* this kind does not cross that way */
	RELAY_FILTER,     /* `allow` or `deny` */
	RELAY_RATE,       /* its source says too much */
	RELAY_SIZE,       /* `allow` or `deny` by size */
	RELAY_TTL,        /* `decrement` came to 0 */
	RELAY_STANDBY,    /* another router has the word */
	RELAY_NO_ADDRESS, /* the segment out has no address to send from */
	RELAY_QUEUE,      /* the device's or socket's queue was full */
	RELAY_ERROR,      /* the send failed */
	RELAY_KERNEL,     /* the kernel dropped it before crier read it */
	RELAY_VERDICTS,
};

/* The word of the contract: "sent", "no_address" ... */
const char *relay_verdict_word(enum relay_verdict v);

enum relay_state {
	RELAY_JOINED,
	RELAY_ABSENT,  /* no such device now */
	RELAY_DOWN,    /* there, but not up and running */
	RELAY_NO_ADDR, /* up, but without an address of the family to send */
	RELAY_FAILED,  /* see its error */
	RELAY_STATES,
};

const char *relay_state_word(enum relay_state s);

struct relay_counters {
	uint64_t received, sent, received_bytes, sent_bytes;
	uint64_t dropped[RELAY_VERDICTS]; /* [RELAY_SENT] stays 0 */
};

/* A bound on something that grows, and what it did. */
struct relay_limit {
	uint64_t used, bound, refused, evicted;
};

/* Asked of the kernel for each receiving socket, in bytes: it decides how long
 * a burst may be before something is lost. The kernel counts each twice. */
enum { RELAY_RECV_BUFFER = 4 * 1024 * 1024 };

struct relay_group;
struct relay_channel;
struct relay_segment;
struct relay_flow;

/* What became of one datagram. Valid within the callback. */
struct relay_fate {
	const struct relay_segment *in;
	const struct relay_segment *out; /* NULL: the verdict is of the whole */
	enum relay_verdict verdict;
	const char *rule; /* why, in words */
	struct net_address source, destination;
	uint16_t port; /* the source's */
	enum proto_kind kind;
	const uint8_t
		*data; /* as it was heard; for other sites, as it leaves */
	size_t size;
	int ttl;
	uint64_t flow; /* that the search left by, or 0 */
	/* As of struct relay_heard. */
	const char *site;
	const struct proto_view *view;
};

/*
 * A datagram that a group heard on one of its segments: every one but those of
 * this host, those that a repeater put there, and on a tunnel those of others
 * than its peers. Valid within the callback.
 */
struct relay_heard {
	const struct relay_segment *in;
	struct net_address source, destination;
	uint16_t port; /* the source's */
	enum proto_kind kind;
	/* By the group's decoder; NULL: it has none, or cannot read it. */
	const struct proto_view *view;
	const uint8_t *data;
	size_t size;
	int ttl;
	uint64_t now_ms; /* uv_now() */
	uint64_t flow;   /* that it answers by unicast, or 0 */
	bool copy;       /* held back as RELAY_LOOP: somebody said it before */
	/* That brought it; NULL: it was heard here. */
	const char *site;
};

/*
 * What the owner is told. All run from the loop or from within
 * relay_configure() and relay_devices_changed(); none may close the relay.
 * Any may be NULL.
 *
 * segment: a segment's state or error changed. `was` is the state before;
 *   `known` is false for a segment that has just come to be.
 * gone: a segment ceased to be (its device left and nothing else names it).
 * trouble: sends on a segment fail with `error` (-errno). At most once a
 *   minute for a segment; `times` counts those since the last call.
 * fate: what became of each datagram, while relay_watch() asks for it.
 * heard: a datagram that tells something new.
 * carries: whether somebody takes what is heard in a group to other sites.
 * Asked for each datagram while relay_carry() says that somebody does in some
 * group. What is to be taken there is told as a fate. answered: somebody
 * answered a search of another site, by unicast. ready: a segment can send that
 * could not before, or from another address, or is not in standby any more.
 *   Told in the middle of a change: send later, from the loop.
 * adopt: asked for the receiving socket that the process before had by this
 *   name; returns the descriptor, which is the relay's then, or -1.
 * retain: a receiving socket was made, to be kept for the process after this
 *   one; the descriptor stays the relay's. Names have no colon.
 * release: it is to be kept no more. Not called by relay_close().
 * sockets: which there are, or what they joined, has changed: it is time for
 *   relay_save_sockets().
 * buffer: the kernel gives receiving sockets room for `bytes`, as it counts
 *   them, and not for the RELAY_RECV_BUFFER that was asked for: bursts are lost
 *   sooner. Told once.
 * storm: `source` repeats one payload without end and was silenced
 *   (RELAY_LOOP), or says more than the group's rate allows (RELAY_RATE). At
 *   most once a minute for a group and reason; `times` as above. Of another
 * site the source may be unset.
 */
struct relay_callbacks {
	void (*segment)(void *data, const struct relay_segment *s,
		enum relay_state was, bool known);
	void (*gone)(void *data, const struct relay_segment *s);
	void (*trouble)(void *data, const struct relay_segment *s, int error,
		uint64_t times);
	void (*storm)(void *data, const struct relay_segment *s,
		const struct net_address *source, enum relay_verdict why,
		uint64_t times);
	void (*fate)(void *data, const struct relay_fate *f);
	void (*heard)(void *data, const struct relay_heard *h);
	bool (*carries)(void *data, const char *group);
	void (*answered)(void *data, const struct relay_heard *h);
	void (*ready)(void *data, const struct relay_segment *s);
	int (*adopt)(void *data, const char *name);
	void (*retain)(void *data, const char *name, int fd);
	void (*release)(void *data, const char *name);
	void (*sockets)(void *data);
	void (*buffer)(void *data, size_t bytes);
	void *data;
};

/*
 * Makes a relay. `devices` must outlive it. Standby is on at first.
 * Returns 0; -ENOMEM; what getrandom(2) says.
 */
int relay_new(struct relay **ret, uv_loop_t *loop, struct net_devices *devices,
	const struct relay_callbacks *callbacks);

/* Ends it: no callback runs any more. NULL is fine. */
void relay_close(struct relay *r);

/*
 * Takes over a configuration (holding a reference). Groups that say the same
 * as before stay untouched, with their sockets and counters; the others are
 * made anew, sharing what sockets they can. What fails for one segment is that
 * segment's state, not an error here.
 * Returns 0, or -ENOMEM and everything goes on as before.
 */
int relay_configure(struct relay *r, struct config *config);

/* Compares every segment with the devices, and joins or leaves. */
void relay_devices_changed(struct relay *r);

/* Whether the fate of each datagram is told. Off at first: it costs time. */
void relay_watch(struct relay *r, bool on);

/* Concerns only groups that say `standby`. */
void relay_set_standby(struct relay *r, bool standby);
bool relay_is_standby(const struct relay *r);

/* ---- from one process to the next ---- */

/* What each receiving socket has joined. */
void relay_save_sockets(const struct relay *r, struct stash_writer *out);
/* The standby switch, and the numbers of the relay as a whole. */
void relay_save_switch(const struct relay *r, struct stash_writer *out);
/* That, and what goes on only where the process ends in peace: counters of the
 * segments, and what the loop guard remembers. */
void relay_save(const struct relay *r, struct stash_writer *out);

/*
 * Takes up what the process before wrote: before the first relay_configure(),
 * which then asks for its sockets by `adopt`, and after it. Sockets that nobody
 * asked for in that first configuration stay where they are; groups that the
 * ones in use had joined beyond it are left. Counters of segments that are no
 * more go into the totals.
 */
void relay_inherit(struct relay *r, struct stash_reader *in);
void relay_resume(struct relay *r, struct stash_reader *in);

/* ---- what crier says itself ---- */

/*
 * Sends a datagram of crier's own on one segment, from its address and the
 * group's port, as a relayed one would leave: with its TTL, to its target or
 * each of its peers. Counted as sent, and known to the loop guard.
 *
 * data: up to 65,507 bytes, the caller's again when this returns.
 * Returns 0; -EACCES (the segment is only heard); -ECANCELED (standby is on);
 * -ENETDOWN (it cannot send now); or what the send said, which was counted.
 */
int relay_send(const struct relay_segment *s, const void *data, size_t size);

/* A datagram that was heard before, kept by whoever wants it said again. */
struct relay_kept {
	uint64_t segment; /* its relay_segment_id() */
	struct net_address source;
	struct net_address destination; /* unset: the channel's address */
	uint16_t port;
	int ttl;
	const uint8_t *data;
	size_t size;
};

/*
 * Relays a datagram once more by the rules of now, but for the rate and the
 * loop guard: to every segment that may have it, or to `only` where that is
 * not NULL. Not for mDNS, whose records would live too long.
 * Returns on how many segments it was sent, 0 also where its own is no more.
 */
size_t relay_repeat(struct relay *r, const struct relay_kept *k,
	const struct relay_segment *only);

/* ---- other sites ---- */

/*
 * To each channel the other sites are one more segment, with neither interface
 * nor device. Something else carries datagrams between them: what is to be
 * taken there it is told by callbacks.fate, what comes from there it brings.
 */

/* Bytes of a site's name, the NUL included. */
enum { RELAY_SITE = 64 };

/* Flows of one search that was brought. */
enum { RELAY_BROUGHT_FLOWS = 64 };

/* Who sent at another site what is brought. */
struct relay_origin {
	struct net_address address; /* without a scope; unset: who knows */
	uint16_t port;              /* 0: who knows */
	const char *site;           /* its name, not empty */
};

struct relay_brought {
	struct relay_origin origin;
	enum proto_kind kind; /* PROTO_UNKNOWN: as if it were heard here */
	/* The channel; unset: those of the origin's family, or all where there
	 * are none of it. */
	struct net_address channel;
	uint16_t channel_port; /* 0: any */
	const void *data;
	size_t size;
};

struct relay_brought_result {
	size_t sent; /* on so many segments */
	/* Where its answers will come, if it is a search. */
	uint64_t flows[RELAY_BROUGHT_FLOWS];
	size_t n_flows;
};

/* Whether anybody takes anything to other sites. Off at first. */
void relay_carry(struct relay *r, bool on);

/*
 * Relays a datagram of another site, from crier's own address, by the rules of
 * the group, and hands it to callbacks.heard.
 * Returns 0; -ENOENT (no such channel); -EMSGSIZE (no datagram is so large);
 * -ENOMEM.
 */
int relay_bring(struct relay *r, const struct relay_group *g,
	const struct relay_brought *b, struct relay_brought_result *ret);

/*
 * Hands an answer of another site to the searchers of a flow here, each
 * answer once.
 * Returns 0, with how many got it in `*ret_sent`; -ENOENT (no such flow);
 * -EMSGSIZE; -ENOMEM.
 */
int relay_bring_answer(struct relay *r, uint64_t id,
	const struct relay_origin *origin, const void *data, size_t size,
	size_t *ret_sent);

/* True for the segment that stands for other sites. */
bool relay_segment_is_outside(const struct relay_segment *s);

/* Datagrams that went between sites. */
struct relay_site_counts {
	uint64_t relayed;  /* brought from there */
	uint64_t carried;  /* told of, to be taken there */
	uint64_t answered; /* answers that were brought */
};

void relay_site_counts(const struct relay *r, struct relay_site_counts *ret);

/* ---- readers ---- */

/* A number that no other segment has, now or later; never 0. */
uint64_t relay_segment_id(const struct relay_segment *s);
/* NULL: it is no more. */
const struct relay_segment *relay_segment_by_id(
	const struct relay *r, uint64_t id);

/* The sum over all segments, also of those that are no more. */
void relay_totals(const struct relay *r, struct relay_counters *ret);
void relay_remembered(struct relay *r, struct relay_limit *ret);

/* In the configuration's order; start with NULL; NULL ends. */
const struct relay_group *relay_group_next(
	const struct relay *r, const struct relay_group *after);
const struct relay_group *relay_group_find(
	const struct relay *r, const char *name);
const struct relay_channel *relay_channel_next(
	const struct relay_group *g, const struct relay_channel *after);
const struct relay_segment *relay_segment_next(
	const struct relay_channel *c, const struct relay_segment *after);

/* The group's configuration. Valid until the next relay_configure(). */
const struct config_group *relay_group_config(const struct relay_group *g);
const struct relay_group *relay_channel_group(const struct relay_channel *c);
const struct relay_channel *relay_segment_channel(
	const struct relay_segment *s);

/* 255.255.255.255 for a broadcast channel. */
const struct net_address *relay_channel_address(const struct relay_channel *c);
uint16_t relay_channel_port(const struct relay_channel *c);

/* What a segment shows of itself. Pointers are valid until the loop runs. */
struct relay_segment_info {
	const char *interface; /* the configuration's name */
	const char *device;    /* "" where a pattern matches nothing */
	unsigned index;        /* 0 while absent */
	enum relay_state state;
	const char *direction; /* "both", "from", "to",
				  "searchers", "devices" */
	int ttl;               /* as in struct config_use */
	const char *error;     /* "" where all is well */
	const struct relay_counters *counters;
	struct net_address source; /* to send from; unset: it cannot send */
};

void relay_segment_get(
	const struct relay_segment *s, struct relay_segment_info *ret);
/* The same of its device alone, for whoever asks for each datagram. */
const char *relay_segment_device(const struct relay_segment *s);
unsigned relay_segment_index(const struct relay_segment *s);

/* One search that waits for unicast answers. */
struct relay_flow_info {
	uint64_t id;
	const struct relay_segment *segment; /* that was asked */
	uint16_t port;                       /* where answers arrive */
	uint64_t searches, answers;
	uint64_t expires_in_ms;
	size_t n_searchers;
};

/* The oldest first; start with NULL; NULL ends. Valid until the loop runs. */
const struct relay_flow *relay_flow_next(
	const struct relay *r, const struct relay_flow *after);
void relay_flow_get(const struct relay_flow *f, struct relay_flow_info *ret);

/* One who waits for answers. */
struct relay_searcher {
	const struct relay_segment *segment;
	/* Unset, and port 0, where another site did not say. */
	struct net_address address;
	uint16_t port;
	const char *site; /* where it is; NULL: here */
};

/* Calls `each` for all who wait. */
void relay_flow_each_searcher(const struct relay_flow *f,
	void (*each)(void *data, const struct relay_searcher *w), void *data);
void relay_flows(const struct relay *r, struct relay_limit *ret);

/* One device of one interface of the configuration. */
struct relay_interface_info {
	const char *name;
	const char *device;              /* as above */
	const struct net_device *kernel; /* NULL while absent */
	enum relay_state state; /* RELAY_JOINED: up; never RELAY_NO_ADDR */
	const char *error;      /* whose the device is, or "" */
};

/* Calls `each` for every device of every interface, in order. */
void relay_each_interface(const struct relay *r,
	void (*each)(void *data, const struct relay_interface_info *i),
	void *data);

/* ---- explain ---- */

/* A datagram that somebody describes. */
struct relay_question {
	const char *group;
	const char *interface; /* a name of the configuration, or a device */
	struct net_address source;
	uint16_t port;                  /* 0: the channel's own */
	struct net_address destination; /* unset: any channel of the family */
	int ttl;                        /* -1: as an announcer would send it */
	size_t size;                    /* bytes */
	enum proto_kind kind;
	const char *const *names; /* services or targets; may be NULL */
	size_t n_names;
};

struct relay_answer {
	const struct relay_segment *segment; /* out */
	enum relay_verdict verdict;
	const char *rule; /* the rule that decided, in words */
};

/*
 * Says what would become of the datagram on each segment out, by the same
 * functions that decide about real ones, spending nothing.
 * Returns 0; -ENOENT (no such group); -ENODEV (no such interface or device in
 * that group, or it has no channel of the source's family).
 */
int relay_explain(const struct relay *r, const struct relay_question *q,
	void (*each)(void *data, const struct relay_answer *a), void *data);

/* ---- sift ---- */

enum relay_sifted {
	RELAY_SIFT_DROPPED, /* the filters do not let it pass */
	RELAY_SIFT_WHOLE,   /* byte for byte */
	RELAY_SIFT_EDITED,  /* what of it passes is in `out` */
};

/*
 * Applies filters as those of a group with decoder `payload` to a datagram
 * that no relay has heard. Pure.
 *
 * source: unset passes no `allow: sources`.
 * out: room for CONFIG_MAX_PAYLOAD bytes; set with `*ret_size` where it says
 *   so.
 */
enum relay_sifted relay_sift(const struct config_filter *allow,
	const struct config_filter *deny, enum config_payload payload,
	const struct net_address *source, const void *data, size_t size,
	uint8_t *out, size_t *ret_size);

#endif
