/*
 * What the files of announce/ share.
 *
 * Life cycle of an entry:
 *   1. entry_new(); then entry_follow() gives it a leg for each segment that
 *      its group sends to, again whenever these change.
 *   2. The timer (clock.c) sends on each leg when that is due, by speak.c.
 *   3. entry_goodbye(), then entry_free().
 */
#ifndef CRIER_ANNOUNCE_INTERNAL_H
#define CRIER_ANNOUNCE_INTERNAL_H

#include "announce/announce.h"
#include "announce/dnssd.h"
#include "bounds/bounds.h"

#define NEVER UINT64_MAX

enum {
	/* Between datagrams of a burst. */
	BURST_GAP_MS = 250,
	/* The same for a service, of which there are two at least (RFC 6762,
	 * 8.3); and the least time between any two (RFC 6762, 6), unless to
	 * defend a name. */
	SERVICE_GAP_MS = 1000,
	SERVICE_BURST = 2,
	DEFENCE_GAP_MS = 250,
	/* After the question whether somebody has the name, which is no probe:
	 * a host that owns a name answers at once (RFC 6762, 6). */
	LISTEN_MS = 250,
	/* How long a shared record's answer waits (RFC 6762, 6). */
	ANSWER_MIN_MS = 20,
	ANSWER_MAX_MS = 120,
	/* Others do not silence us for longer without saying so again. */
	FOREIGN_TTL_MAX = DNSSD_TTL,
	ENTRY_ERROR = 192,
};

/* One segment that an announcement is sent to. */
struct leg {
	uint64_t segment;   /* its relay_segment_id() */
	uint64_t due_ms;    /* of the burst or the interval; or NEVER */
	uint64_t answer_ms; /* to a question; or NEVER */
	uint64_t said_ms;   /* the last time; 0: never */
	uint32_t burst;     /* left of it */
	bool is_asking;     /* first, whether the name is taken there */
	bool is_known;      /* said there, so that a goodbye is owed */
};

/* Who announces our instance's name with other data. */
struct rival {
	uint64_t until_ms; /* its record lives */
	uint64_t ask_ms;   /* whether it still does; or NEVER */
	uint64_t asked_ms; /* the last time; 0: never */
	uint64_t segment;  /* where it was heard */
	uint16_t port;
	struct mdns_name host;
};

/* What a question has to do with a service. */
enum {
	ASKED_TYPE = 1,
	ASKED_ENUMERATION = 2,
	ASKED_MORE = 4,
	KNOWN_TYPE = 8,
	KNOWN_ENUMERATION = 16,
};

struct service {
	struct dnssd names;
	struct rival rival;
	uint64_t foreign_ms; /* until then another host speaks for the host's
				name; 0: none does */
	/* While a question is read. */
	unsigned asked;
	struct announce_entry *next_asked;
};

struct announce_entry {
	struct announce_entry *prev, *next;
	struct announce *announce;
	struct config_announcement *c; /* owned where `runtime`; else of the
					  configuration */
	char *group;                   /* its name, owned */
	const struct relay_group *at;  /* only to compare with; or NULL */
	bool runtime;
	bool kept; /* while a configuration is taken over */
	enum announce_state state;
	char error[ENTRY_ERROR];
	struct service *service; /* owned, or NULL */
	struct leg *legs;        /* owned */
	size_t n_legs;
	uint64_t due_ms; /* nothing is due before, or NEVER */
	uint64_t sent;
};

/* One name of one service, found by its hash. */
enum name_use { NAME_TYPE, NAME_ENUMERATION, NAME_INSTANCE, NAME_HOST };
struct name_ref {
	uint64_t hash;
	struct announce_entry *entry;
	enum name_use use;
};

struct announce {
	uv_loop_t *loop;
	uv_timer_t timer;
	uint64_t due_ms; /* when the timer runs; NEVER: it is stopped */
	bool is_stale;   /* segments changed: legs must follow */
	struct relay *relay;
	const struct net_devices *devices;
	struct announce_callbacks callbacks;
	struct config *config; /* a reference, or NULL */
	struct announce_entry *entries;
	size_t n_runtime, n_services;
	uint64_t refused;
	uint64_t random; /* state of announce_random() */
	struct siphash_key key;
	struct name_ref *names; /* sorted by hash */
	size_t n_names, names_room;
	bool names_stale;
	uint8_t *buffer; /* CONFIG_MAX_PAYLOAD bytes, for what is sent */
};

/* ---- announce.c ---- */

struct announce_entry *announce_find(
	const struct announce *a, const char *name);
void announce_tell(const struct announce_entry *e, enum announce_what what,
	const struct relay_segment *s);
/* 0 to `below` - 1. */
uint64_t announce_random(struct announce *a, uint64_t below);

/* ---- entry.c ---- */

/* Does not take over `c`. NULL: no memory. */
struct announce_entry *entry_new(struct announce *a,
	struct config_announcement *c, const char *group, bool runtime);
/* Frees also what a runtime one owns. NULL is fine. */
void entry_free(struct announce_entry *e);
/*
 * Finds its group, and gives it a leg for each segment; those that it has stay.
 * New ones begin. Returns 0, or -ENOMEM and it is as before.
 */
int entry_follow(struct announce_entry *e);
struct leg *entry_leg(struct announce_entry *e, uint64_t segment);
/* Announces on the leg anew, burst included, from `when_ms`. */
void entry_begin(struct announce_entry *e, struct leg *l, uint64_t when_ms);
void entry_set_state(struct announce_entry *e, enum announce_state s);

/* ---- clock.c ---- */

/* Something of the entry is due then. */
void clock_wake(struct announce_entry *e, uint64_t when_ms);
/* Legs must follow their segments, from the loop. */
void clock_set_stale(struct announce *a);
void clock_init(struct announce *a);

/* ---- speak.c ---- */

/* Brings the names of a service up to date. Returns 0; -EMSGSIZE (they are
 * none). */
int speak_names(struct announce_entry *e);
/* Whether datagrams carry what is said on `s` (NULL: where nothing is known
 * yet), goodbye included. Returns 0 or -EMSGSIZE. */
int speak_check(struct announce_entry *e, const struct relay_segment *s);
/* Asks on `s` for the SRV record of a service. Returns what relay_send() does,
 * or -EMSGSIZE. */
int speak_ask(struct announce_entry *e, const struct relay_segment *s);
/* Sends what is due on a leg. Returns whether something was sent. */
bool speak_due(struct announce_entry *e, struct leg *l, uint64_t now_ms);
/* Says goodbye on every leg that knows the entry. */
void entry_goodbye(struct announce_entry *e);

/* ---- rival.c ---- */

/* A record of another host about a name of ours. */
void rival_heard(struct announce_entry *e, const struct relay_heard *h,
	const struct mdns_item *i);
void rival_host_heard(struct announce_entry *e, const struct relay_heard *h,
	const struct mdns_item *i);
/* Asks whether the rival is still there, or begins anew without it. */
void rival_due(struct announce_entry *e, uint64_t now_ms);
/* When that is due. */
uint64_t rival_next(const struct announce_entry *e);

/* ---- names.c ---- */

/* Makes room for one service more. Returns 0 or -ENOMEM. */
int names_reserve(struct announce *a, size_t n_services);
/* The first reference to a name, `*ret_n` of them in a row; or NULL. */
const struct name_ref *names_find(
	struct announce *a, const struct mdns_name *name, size_t *ret_n);
/* The name that a reference stands for. */
const struct mdns_name *names_of(const struct name_ref *r);

#endif
