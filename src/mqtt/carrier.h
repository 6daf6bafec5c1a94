/*
 * carrier: what carries between crierd and the broker, private to mqtt/.
 *
 *   - publish.c: what crierd hears, to the broker.
 *   - take.c: what other sites publish, to crierd.
 *   - own.c: what is published under this site's own name.
 *   - answers.c: searches, and the answers to them, both ways.
 *   - survey.c: what crierd knew before, or what was missed.
 *   - tell.c: how it is, to crierd, which shows it.
 *
 * Nothing is lost by a link that is down: what is announced waits on its
 * shelf, the newest of each, and goes when the link is back. Searches and other
 * datagrams are worth nothing later, and are counted as lost.
 */
#ifndef CRIER_MQTT_CARRIER_H
#define CRIER_MQTT_CARRIER_H

#include "config/config.h"
#include "mqtt/broker.h"
#include "mqtt/link.h"
#include "mqtt/searches.h"
#include "mqtt/shelf.h"
#include "mqtt/sites.h"
#include "mqtt/topic.h"
#include "service/service.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum {
	CARRIER_SCRATCH = 65536, /* bytes of a datagram, at most */
	CARRIER_TIME = sizeof("2026-01-01T00:00:00.000Z"),
};

struct carrier {
	uv_loop_t *loop;
	struct config_sites *c;
	const struct service_log *log;
	struct broker *broker;
	struct link *link;
	char began[CARRIER_TIME];
	uint64_t nonce; /* marks correlation data as this process's own */

	struct shelf own;             /* of this site; names are GROUP/KEY */
	struct shelf_list to_publish; /* of those */
	struct shelf known;           /* of others; SITE/GROUP/KEY */
	struct sites sites;
	struct searches searches;
	enum config_payload *payloads; /* decoders, for each group of `c` */
	/* For each: crierd has it, and what its filters say has a meaning. */
	bool *open;

	struct {
		uv_timer_t expiry, pace, report, survey;
	} timers;
	unsigned handles; /* that are not closed yet */
	bool closing;

	uint64_t published, taken;
	uint64_t unrelayed;   /* crierd refused to */
	uint64_t lost;        /* to the broker: it was not there, or too slow */
	uint64_t impostors;   /* messages of another that has our name */
	uint64_t warned_ms;   /* when it was last said */
	bool was_connected;   /* to the broker, once */
	uint64_t returned_ms; /* when it was last, after a loss; 0: never */
	uint64_t survey;      /* counts them */
	struct survey *surveying; /* NULL: not now */
	/* CARRIER_SCRATCH bytes each, the last of twice as many characters. */
	uint8_t *datagram, *sifted;
	char *text;
	json_t *patterns;             /* to subscribe to, or NULL ... */
	size_t subscribed;            /* ... and how many of them are */
	uint64_t refused, refused_ms; /* by the broker; when it was last said */
	int64_t onward; /* counts the searches that a hub passed on */
	bool is_untold; /* crierd refused to show it, and that was said */
	bool takes;     /* the decoders of all groups are known */
	/* This crierd may not know what was relayed to the one before it. */
	bool is_new_crierd;
};

/*
 * Makes one, and starts both links. `log` must outlive it; `config` is its own
 * from success on.
 * Returns 0; -ENOMEM; or what libuv and getrandom(2) say.
 */
int carrier_new(struct carrier **ret, uv_loop_t *loop,
	struct config_sites *config, const struct service_log *log);
/* Says goodbye; its memory goes once the loop has closed its handles. NULL is
 * fine. */
void carrier_close(struct carrier *c);

/* The number of a group in the configuration, or -ENOENT. */
int carrier_group(const struct carrier *c, const char *name);
/* What crierd's groups are is known: all may begin, where both links are there.
 */
void carrier_begin(struct carrier *c);
/* Says at the broker that this site is there. */
void carrier_say_online(struct carrier *c);
/* When an announcement ends, by the loop's clock: who says nothing means as
 * long as may be. */
uint64_t carrier_ends_ms(const struct carrier *c, const struct message *m);
/*
 * Applies filters to a datagram of a group. Where they take something out,
 * `*data` is what is left, in c->sifted. False: nothing of it passes.
 */
bool carrier_sift(struct carrier *c, size_t group,
	const struct config_filter *allow, const struct config_filter *deny,
	const struct net_address *origin, const void **data, size_t *size);
/* The wall clock, milliseconds since 1970. */
int64_t carrier_wall_ms(void);
/* A time as crierd says when something was heard, to be compared as text. */
void carrier_time(int64_t wall_ms, char ret[CARRIER_TIME]);
/* Tells one hearing of a datagram from another. */
uint64_t carrier_heard(const struct carrier *c, const struct message *m);
/* A member of an object that is a text, or "". */
const char *carrier_text(const json_t *object, const char *name);
/* Reads an address and port as crierd writes them, without a scope. */
void carrier_endpoint(const json_t *address, const json_t *port,
	struct net_address *ret_address, uint16_t *ret_port);
/* Decodes the payload of an event into c->datagram. Returns 0 or -EBADMSG. */
int carrier_payload(struct carrier *c, const json_t *event, size_t *ret_size);
/* The key of an entry as one family has announced it: a host may hear only one
 * of them. */
void carrier_key(const char *identity, bool ipv6, char key[TOPIC_KEY + 1]);
/* Writes "GROUP/KEY" or "SITE/GROUP/KEY" (site not NULL). */
enum { CARRIER_NAME = TOPIC_TEXT };
const char *carrier_name(const char *site, const char *group, const char *key,
	char buffer[CARRIER_NAME]);

/* ---- publish.c ---- */

/* crierd heard something, or one of its entries is gone. */
void publish_datagram(struct carrier *c, const json_t *event);
void publish_expired(struct carrier *c, const json_t *event);
/* Another site's announcement, where this one is a hub; without a payload: it
 * is gone. */
void publish_onward(struct carrier *c, const struct topic *t,
	const struct message *m, const void *payload, size_t size);
/* The broker's own memory of this site, before it says anything. */
void publish_adopt(struct carrier *c, const struct topic *t,
	const struct message *m, const void *payload, size_t size);
/* Says all again, to a broker that may know nothing. */
void publish_again(struct carrier *c);
/* As much of what waits as the broker takes. */
void publish_flush(struct carrier *c);
/* Publishes what is worth nothing later; counted as lost where it cannot be.
 * `t` names the group. Returns 0 or what was wrong. */
int publish_live(struct carrier *c, const struct topic *t,
	const struct message *m, const void *payload, size_t size);
/* Has it say goodbye, and the broker forget it. */
void publish_gone(struct carrier *c, struct shelf_item *i);

/* ---- answers.c ---- */

/* Marks a search so that its answers come back to crierd's `flow`. `t` is of
 * the group's answers to this site. */
void answers_mark(const struct carrier *c, const struct topic *t, int64_t flow,
	struct message *m);
/* Another site's search: to crierd and, from a hub, onward. */
void answers_search(struct carrier *c, struct site *site, const struct topic *t,
	const struct message *m, const void *payload, size_t size);
/* Another site's answer to a search of this one. */
void answers_arrived(struct carrier *c, const struct topic *t,
	const struct message *m, const void *payload, size_t size);
/* Somebody here answered a search that came from another site. */
void answers_heard(struct carrier *c, const json_t *event);

/* ---- take.c ---- */

/* The parameters of `relay` and `answer`: what it is, and where it is from.
 * Returns a new reference, or NULL without memory. */
json_t *take_params(struct carrier *c, const char *site,
	const struct message *m, const void *payload, size_t size);
/* Adds the parameter `channel` of `relay`. */
void take_channel(json_t *params, const struct message *m);
void take_timer(uv_timer_t *t);
void take_message(struct carrier *c, const struct broker_message *m);
/* As much of what waits as crierd takes, and the rates allow. */
void take_flush(struct carrier *c);
/* Subscribes to all that is taken, and to more of it when the broker has room.
 */
void take_subscribe(struct carrier *c);
void take_subscribe_more(struct carrier *c);

/* Of a topic `online`. */
bool take_is_online(const struct broker_message *m);

/* ---- own.c ---- */

void own_message(struct carrier *c, const struct topic *t,
	const struct broker_message *m);

/* ---- survey.c ---- */

/* Asks crierd what decoders the groups have; then all may begin. */
void survey_groups(struct carrier *c);
/* Both links are there, or events were lost: looks what crierd knows, soon. */
void survey_soon(struct carrier *c, uint64_t delay_ms);
void survey_timer(uv_timer_t *t);
void survey_end(struct carrier *c);

/* ---- tell.c ---- */

/* Something changed that crierd should show, soon. */
void tell_soon(struct carrier *c);
void tell_timer(uv_timer_t *t);
/* A crierd that knows nothing of it yet is told all. */
void tell_again(struct carrier *c);

#endif
