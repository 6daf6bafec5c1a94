/*
 * announce: crier's own announcements, those of the file and those that were
 * asked for at run time. The folder's one header for others.
 *
 * Life cycle:
 *   1. announce_new() makes an empty list on a loop.
 *   2. announce_configure() gives it the announcements of a configuration,
 *      after relay_configure(); announce_prepare(), before it, says goodbye to
 *      what the next configuration does not have.
 *   3. announce_add() and announce_withdraw() change it at run time.
 *      announce_ready() and announce_heard() tell it what the relay tells.
 *   4. announce_close() says goodbye for all; the memory goes once the loop has
 *      closed its timer.
 */
#ifndef CRIER_ANNOUNCE_ANNOUNCE_H
#define CRIER_ANNOUNCE_ANNOUNCE_H

#include "config/config.h"
#include "net/net.h"
#include "relay/relay.h"
#include "stash/stash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct announce;
struct announce_entry;

/* Announcements that may be added at run time. */
enum { ANNOUNCE_RUNTIME_MAX = 1024 };

enum announce_state {
	ANNOUNCE_ACTIVE,
	ANNOUNCE_SILENT,   /* somebody else announces the name */
	ANNOUNCE_NO_GROUP, /* its group is no more: it waits for it */
};

/* "active", "silent", "no-group". */
const char *announce_state_word(enum announce_state s);

enum announce_what {
	ANNOUNCE_SENT,    /* on one segment */
	ANNOUNCE_GOODBYE, /* likewise */
	ANNOUNCE_STATE,   /* its state changed */
	ANNOUNCE_REMOVED,
};

/* What is told of an announcement. Valid within the callback. */
struct announce_event {
	enum announce_what what;
	const struct announce_entry *entry;
	const struct relay_segment *segment; /* NULL: of all */
};

/* told: may not change announcements. May be NULL. */
struct announce_callbacks {
	void (*told)(void *data, const struct announce_event *e);
	void *data;
};

/* `relay` and `devices` must outlive it. Returns 0; -ENOMEM; what getrandom(2)
 * says. */
int announce_new(struct announce **ret, uv_loop_t *loop, struct relay *relay,
	const struct net_devices *devices,
	const struct announce_callbacks *callbacks);

/* Says goodbye for all, then ends it: no callback runs any more. To be called
 * before relay_close(). NULL is fine. */
void announce_close(struct announce *a);

/*
 * Before relay_configure(): says goodbye for those of the file that `next` does
 * not declare in the same words, and for those whose group it does not have in
 * the same words.
 */
void announce_prepare(struct announce *a, const struct config *next);

/*
 * After relay_configure(): takes over the announcements of `config` (holding a
 * reference). Those that say the same as before, in groups that say the same,
 * go on undisturbed; the others begin anew. Those added at run time stay, save
 * one whose name the file now declares.
 * Returns 0, or -ENOMEM and the old ones go on as far as they can.
 */
int announce_configure(struct announce *a, struct config *config);

/* Writes down those added at run time, and how often each was sent, for the
 * process that comes after. */
void announce_save(const struct announce *a, struct stash_writer *out);
/*
 * Takes that up after the first announce_configure(). `lost` (may be NULL) is
 * told of each that could not be added again, and why, -errno.
 */
void announce_restore(struct announce *a, struct stash_reader *in,
	void (*lost)(void *data, const char *name, int error), void *data);

/* Takes in what was heard: questions for services, and rivals. */
void announce_heard(struct announce *a, const struct relay_heard *h);
/* A segment can send, or from another address: announce there anew, soon. */
void announce_ready(struct announce *a, const struct relay_segment *s);

/*
 * Adds one at run time. `c` names a group of the configuration in use, and is
 * taken over where this succeeds (see config_parse_announcement()).
 * Returns 0; -EEXIST (the name is taken); -ENOTUNIQ (another one announces the
 * same service in that group); -ENOSPC (ANNOUNCE_RUNTIME_MAX);
 * -EMSGSIZE (no datagram could carry it, or its goodbye); -EINVAL (there is no
 * such group); -ENOMEM.
 */
int announce_add(struct announce *a, struct config_announcement *c);

/* Says goodbye and removes it. Returns 0; -ENOENT; -EPERM (the file declares
 * it). */
int announce_withdraw(struct announce *a, const char *name);

/* ---- readers ---- */

/* Those of the file first, then by age. Start with NULL; NULL ends. */
const struct announce_entry *announce_next(
	const struct announce *a, const struct announce_entry *after);

struct announce_info {
	const char *name, *group;
	bool runtime; /* else the file declares it */
	enum announce_state state;
	const char *error; /* why it is not active, or too large to be sent,
			      in words; or "" */
	bool is_service;
	uint64_t interval_ms;
	uint64_t sent;       /* datagrams, goodbyes apart */
	uint64_t next_in_ms; /* UINT64_MAX: not before something happens */
};

/* Pointers are valid until the announcements change. */
void announce_get(const struct announce *a, const struct announce_entry *e,
	struct announce_info *ret);

/* How many are in use, bounded and refused of those at run time. */
void announce_limit(const struct announce *a, struct relay_limit *ret);

#endif
