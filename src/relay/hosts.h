/*
 * hosts: which host names are announced on which segment.
 *
 * A host with a leg on two segments announces its name on both, with the
 * addresses of each leg. Were the one announcement relayed onto the other
 * segment, the host would take itself for a rival and rename itself. So the
 * addresses of a name that the egress segment knows already do not cross.
 *
 * Pure state: no socket, no clock. Memory is bounded: the name that was heard
 * the longest ago gives way.
 */
#ifndef CRIER_RELAY_HOSTS_H
#define CRIER_RELAY_HOSTS_H

#include "bounds/bounds.h"
#include "stash/stash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct host;

struct hosts {
	/* Private. */
	struct siphash_key key;
	struct pool pool;
	struct host *names; /* uthash, the oldest first */
	size_t bound;
};

/* bound: how many names, 1 or more. */
void hosts_init(struct hosts *h, size_t bound, const struct siphash_key *key);
void hosts_done(struct hosts *h);

/* What stands for a name below: bytes that are compared as they are. */
uint64_t hosts_name(const struct hosts *h, const void *name, size_t size);

/*
 * Records that a host on `segment` (any number that stands for it) has `name`,
 * by hosts_name(), with an address (its digest) until
 * `until_ms` at least. Where that is not later than `now_ms` the address goes,
 * and with its last address the name. Without memory nothing is recorded.
 */
void hosts_record(struct hosts *h, uint64_t segment, uint64_t name,
	uint64_t address, uint64_t now_ms, uint64_t until_ms);

/* True if a host on `segment` has `name` at `now_ms`. */
bool hosts_has(const struct hosts *h, uint64_t segment, uint64_t name,
	uint64_t now_ms);

/* Writes down what is known, one record each, for hosts_resume(), which reads
 * one. Its first value is the segment of then; `segment` is that of now. The
 * names are known by `key` of hosts_init(), which must be the same. */
void hosts_save(
	const struct hosts *h, uint64_t now_ms, struct stash_writer *out);
void hosts_resume(struct hosts *h, uint64_t segment, uint64_t now_ms,
	struct stash_reader *in);

#endif
