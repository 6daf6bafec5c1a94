/*
 * Whatever a message says: an edited one parses, says nothing that the message
 * did not say, and is not edited again; writing what was read gives the same
 * back.
 */
#include "fuzz.h"
#include "proto/proto.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <string.h>

static char *denied[] = { "_airplay._tcp", "_hap._tcp", "_ipp._tcp" };
static char *allowed[] = { "_googlecast._tcp", "_airplay._tcp" };

static const struct proto_filter filters[] = {
	{ .deny = { denied, 3 } },
	{ .allow = { allowed, 2 } },
	{ .allow = { allowed, 2 }, .deny = { denied, 1 } },
};

/* Half of all hosts, by the sum of their letters. */
static bool is_odd(void *data, const struct mdns_name *name)
{
	struct mdns_name n = *name;
	unsigned sum = 0;

	(void)data;
	mdns_name_fold(&n);
	for (size_t i = 0; i < n.size; i++)
		sum += n.wire[i];
	return (sum & 1) != 0;
}

static bool names_are_same(const struct mdns_name *a, const struct mdns_name *b)
{
	return a->size == b->size && memcmp(a->wire, b->wire, a->size) == 0;
}

static bool bytes_are_same(
	const struct mdns_bytes *a, const struct mdns_bytes *b)
{
	return a->size == b->size &&
	       (a->size == 0 || memcmp(a->at, b->at, a->size) == 0);
}

/* True if an edited message may have `b` for `a`. */
static bool is_edition(const struct mdns_item *a, const struct mdns_item *b)
{
	bool is_nsec = a->type == MDNS_NSEC;

	return a->section == b->section && names_are_same(&a->name, &b->name) &&
	       a->type == b->type && a->rrclass == b->rrclass &&
	       (a->top == b->top || a->section == MDNS_QUESTION) &&
	       a->ttl == b->ttl && a->n_targets == b->n_targets &&
	       names_are_same(&a->targets[0], &b->targets[0]) &&
	       names_are_same(&a->targets[1], &b->targets[1]) &&
	       bytes_are_same(&a->head, &b->head) &&
	       (is_nsec || bytes_are_same(&a->tail, &b->tail));
}

/* All of `after` is in `before`, in the same order. */
static void check_subset(const uint8_t *before, size_t before_size,
	const uint8_t *after, size_t after_size)
{
	struct mdns_reader b, a;
	struct mdns_item was, is;

	MUST(mdns_open(&b, before, before_size) == 0);
	MUST(mdns_open(&a, after, after_size) == 0);
	MUST(a.id == b.id && a.flags == b.flags);
	while (mdns_next(&a, &is) > 0) {
		do {
			MUST(mdns_next(&b, &was) > 0);
		} while (!is_edition(&was, &is));
	}
}

/* glibc's parser for name servers is the judge. */
static void check_parses(const uint8_t *message, size_t size)
{
	ns_msg m;
	ns_rr rr;

	MUST(ns_initparse(message, (int)size, &m) == 0);
	for (int s = ns_s_qd; s < ns_s_max; s++) {
		for (int i = 0; i < ns_msg_count(m, s); i++)
			MUST(ns_parserr(&m, (ns_sect)s, i, &rr) == 0);
	}
}

static void check_edit(const struct mdns_rules *rules, bool is_right,
	const uint8_t *data, size_t size)
{
	uint8_t out[MDNS_MAX_BYTES], again[MDNS_MAX_BYTES];
	size_t out_size = 0, again_size = 0;
	int r = mdns_edit(rules, data, size, out, sizeof(out), &out_size);

	MUST((r == -EBADMSG) == !is_right);
	MUST(r >= 0 || r == -EBADMSG || r == -ENOBUFS);
	if (r != MDNS_EDITED)
		return;
	check_parses(out, out_size);
	check_subset(data, size, out, out_size);
	MUST(mdns_edit(rules, out, out_size, again, sizeof(again),
		     &again_size) == MDNS_UNCHANGED);
}

/* Writes all that can be read. Returns the size, or 0 where there is no room.
 */
static size_t copy(const uint8_t *data, size_t size, uint8_t *out)
{
	struct mdns_reader r;
	struct mdns_writer w;
	struct mdns_item i;

	MUST(mdns_open(&r, data, size) == 0);
	MUST(mdns_begin(&w, out, MDNS_MAX_BYTES, r.id, r.flags) == 0);
	while (mdns_next(&r, &i) > 0) {
		int error = mdns_put(&w, &i);

		MUST(error == 0 || error == -ENOBUFS);
		if (error < 0)
			return 0;
	}
	return w.used;
}

static void check_copy(const uint8_t *data, size_t size)
{
	uint8_t out[MDNS_MAX_BYTES], again[MDNS_MAX_BYTES];
	size_t n = copy(data, size, out);

	if (n == 0)
		return;
	check_parses(out, n);
	check_subset(data, size, out, n);
	check_subset(out, n, data, size);
	MUST(copy(out, n, again) == n);
	MUST(memcmp(out, again, n) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mdns_info info;
	bool is_right = mdns_inspect(data, size, &info) == 0;

	for (unsigned bits = 0; bits < 32; bits++) {
		struct mdns_rules rules = {
			.filters = filters + bits % 4,
			.n_filters = bits % 4 < 3,
			.strip_link_local = (bits & 4) != 0,
			.clear_qu = (bits & 8) != 0,
			.strip_host = (bits & 16) != 0 ? is_odd : NULL,
		};

		if (rules.n_filters == 0)
			rules.filters = NULL;
		check_edit(&rules, is_right, data, size);
	}
	if (is_right)
		check_copy(data, size);
	return 0;
}
