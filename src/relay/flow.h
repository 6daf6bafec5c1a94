/*
 * flow: one search on one egress segment, with the searchers that wait for its
 * unicast answers. Private to this folder.
 *
 * A search leaves from its flow's port, where its answers come back; they are
 * handed to every searcher. A flow ends a while after it was last asked, when
 * its segment loses its address, or when another source needs the room.
 */
#ifndef CRIER_RELAY_FLOW_H
#define CRIER_RELAY_FLOW_H

#include "relay/internal.h"

/* Answers that are kept for searchers who come later, for each flow. */
enum { FLOW_KEPT_BYTES = 32 * 1024 };

/* Answers to one search that are known again; the oldest is forgotten. */
enum { FLOW_SEEN = 512 };

/* Who may wait at one flow, and with how many ports one host. */
enum { FLOW_SEARCHERS = 512, FLOW_PORTS = 128 };

/* Searches of those who joined, so many in a row, are sent again. */
enum { FLOW_REPEATS = 16 };

struct flow_searcher {
	struct flow_searcher *prev, *next;
	struct relay_segment *in;
	struct net_address address;
	uint16_t port;
	char *site;       /* that it is at; NULL: here */
	bool is_nameless; /* the address is made up for the site */
};

struct flow_answers {
	uint64_t seen[FLOW_SEEN];
	size_t n_seen; /* ever: the place of the next one is below FLOW_SEEN */
	size_t used;   /* of `kept`: struct flow_kept, each with its bytes */
	uint8_t kept[FLOW_KEPT_BYTES];
};

struct flow_kept {
	struct net_address from;
	uint16_t port;
	uint16_t size; /* bytes that follow */
};

struct flow_key {
	uint64_t out; /* the segment's id */
	uint64_t digest;
};

struct relay_flow {
	struct quota_item item; /* first: a quota gives these back */
	UT_hash_handle hh;
	struct relay_flow *prev, *next; /* of the relay, the oldest first */
	struct flow_key key;
	uint64_t id;
	struct relay_segment *out;
	struct udp udp; /* not where `out` stands for other sites */
	uv_timer_t timer;
	unsigned open_handles;
	uint16_t port;
	uint64_t sent_ms;
	unsigned in_a_row; /* searches again, each within the window */
	struct flow_searcher *searchers; /* utlist, the oldest first */
	size_t n_searchers;
	uint64_t searches, answers;
	struct flow_answers *heard; /* NULL before the first answer */
};

/* A search, and who asks. */
struct flow_search {
	struct relay_segment *in;
	struct net_address address;
	uint16_t port;
	const struct relay_origin *origin; /* NULL: the search is of here */
	uint64_t digest;
	const uint8_t *data;
	size_t size;
	bool directed;
	int ttl; /* to leave with */
	uint64_t now_ms;
	uint64_t ttl_ms; /* the flow's, from now on */
};

/* True if answers can be carried back to who asks: it is a host that is on-link
 * on `in`, or a peer there. */
bool flow_can_reach(
	const struct relay_segment *in, const struct net_address *searcher);

/*
 * Sends a search on `out` from the port of its flow, which is made where there
 * is none.
 * Returns how many copies were sent, one or one for each peer, and the flow's
 * id in `*ret_id`; -EAGAIN, -ENOBUFS and what else a send says; -ENOMEM,
 * -EMFILE and what else opening a port says, and the limit's `refused` counts
 * it.
 */
int flow_send(struct relay_segment *out, const struct flow_search *q,
	uint64_t *ret_id);

/*
 * Lets a search that was held back on `out` join the flow that sent the same:
 * it gets the answers that are kept, and those to come. A searcher that had
 * joined before repeats itself: its search should be sent again.
 * Returns 0; -EALREADY (it should be sent again); both with the flow's id in
 * `*ret_id`; -ENOENT (no such flow).
 */
int flow_join(struct relay_segment *out, const struct flow_search *q,
	uint64_t *ret_id);

/* Ends every flow on `s`, and forgets the searchers there. */
void flow_forget_segment(struct relay_segment *s);

/* Hands the answers that are kept to one searcher. */
void flow_deliver_kept(struct relay_flow *f, struct flow_searcher *to);

/* True if an answer, by its digest and whose it is, has not been there before;
 * remembers it then. Fails only without memory. Returns 1, 0 or -ENOMEM. */
int flow_is_news(struct relay_flow *f, const struct arrival *a);
/* Hands an answer that is news to all searchers, and keeps it. Returns how many
 * got it. */
size_t flow_answer(struct relay_flow *f, struct arrival *a);

/* What the flow's socket hears. */
void flow_receive(struct udp *u, ssize_t n,
	const struct udp_datagram *datagrams, uint32_t kernel_dropped);

#endif
