#include "proto/mdns_internal.h"

#include <arpa/nameser.h>
#include <assert.h>
#include <errno.h>
#include <string.h>

enum {
	HEADER_SIZE = NS_HFIXEDSZ,
	COUNTS = 4, /* where the four counts begin */
	RECORD_SIZE = NS_RRFIXEDSZ,
	QUESTION_SIZE = NS_QFIXEDSZ,
	POINTER = 0xc000,
	/* Places to look for a suffix; if all are taken, it is written out. */
	TRIES = 4,
	MAX_LABELS = MDNS_MAX_NAME / 2,
};

/*
 * Types whose data has names that may be compressed: bytes before the names,
 * how many names, and whether bytes may stand behind them. RFC 1035, 3.3 and
 * RFC 6762, 18.14.
 */
static const struct layout {
	uint8_t head, names;
	enum { NOTHING, TWENTY_BYTES, ANYTHING } tail;
} layouts[] = {
	[ns_t_ns] = { 0, 1, NOTHING },
	[ns_t_md] = { 0, 1, NOTHING },
	[ns_t_mf] = { 0, 1, NOTHING },
	[ns_t_cname] = { 0, 1, NOTHING },
	[ns_t_soa] = { 0, 2, TWENTY_BYTES },
	[ns_t_mb] = { 0, 1, NOTHING },
	[ns_t_mg] = { 0, 1, NOTHING },
	[ns_t_mr] = { 0, 1, NOTHING },
	[MDNS_PTR] = { 0, 1, NOTHING },
	[ns_t_minfo] = { 0, 2, NOTHING },
	[ns_t_mx] = { 2, 1, NOTHING },
	[ns_t_rp] = { 0, 2, NOTHING },
	[ns_t_afsdb] = { 2, 1, NOTHING },
	[ns_t_rt] = { 2, 1, NOTHING },
	[ns_t_px] = { 2, 2, NOTHING },
	[MDNS_SRV] = { 6, 1, NOTHING },
	[ns_t_kx] = { 2, 1, NOTHING },
	[ns_t_dname] = { 0, 1, NOTHING },
	[MDNS_NSEC] = { 0, 1, ANYTHING },
};

static const struct layout *find_layout(uint16_t type)
{
	if (type >= sizeof(layouts) / sizeof(layouts[0]) ||
		layouts[type].names == 0)
		return NULL;
	return &layouts[type];
}

int mdns_open(struct mdns_reader *r, const uint8_t *message, size_t size)
{
	if (size < HEADER_SIZE || size > MDNS_MAX_BYTES)
		return -EBADMSG;
	*r = (struct mdns_reader){
		.message = message,
		.size = size,
		.at = HEADER_SIZE,
		.id = (uint16_t)ns_get16(message),
		.flags = (uint16_t)ns_get16(message + 2),
	};
	for (size_t i = 0; i < MDNS_SECTIONS; i++)
		r->count[i] = (uint16_t)ns_get16(message + COUNTS + 2 * i);
	return 0;
}

/* Reads a name at `at`. Returns the bytes that it takes there, or -EBADMSG. */
static int read_name(struct mdns_reader *r, size_t at, struct mdns_name *ret)
{
	int used = mdns_name_unpack(r->message, r->size, at, ret);

	if (used < 0)
		return used;
	r->names += ret->size;
	return r->names > MDNS_MAX_NAMES ? -EBADMSG : used;
}

static bool tail_is_right(const struct layout *l, size_t size)
{
	switch (l->tail) {
	case NOTHING:
		return size == 0;
	case TWENTY_BYTES:
		return size == 20;
	case ANYTHING:
		break;
	}
	return true;
}

/* Cuts the data of a record, from `at` to `end`, into its parts. */
static int read_data(
	struct mdns_reader *r, size_t at, size_t end, struct mdns_item *i)
{
	const struct layout *l = find_layout(i->type);
	size_t head = l == NULL ? end - at : l->head;

	if (head > end - at || (i->type == MDNS_A && head != NS_INADDRSZ) ||
		(i->type == MDNS_AAAA && head != NS_IN6ADDRSZ))
		return -EBADMSG;
	i->head = (struct mdns_bytes){ r->message + at, head };
	at += head;
	for (; l != NULL && i->n_targets < l->names; i->n_targets++) {
		/* A name ends within the data, though it may point outside. */
		int used = read_name(r, at, &i->targets[i->n_targets]);

		if (used < 0 || (size_t)used > end - at)
			return -EBADMSG;
		at += (size_t)used;
	}
	i->tail = (struct mdns_bytes){ r->message + at, end - at };
	return l == NULL || tail_is_right(l, end - at) ? 0 : -EBADMSG;
}

/* Reads what stands behind the owner's name, up to the next item. */
static int read_rest(struct mdns_reader *r, struct mdns_item *i)
{
	size_t fixed =
		i->section == MDNS_QUESTION ? QUESTION_SIZE : RECORD_SIZE;
	const uint8_t *p = r->message + r->at;
	size_t data;
	int error;

	if (fixed > r->size - r->at)
		return -EBADMSG;
	i->type = (uint16_t)ns_get16(p);
	i->rrclass = (uint16_t)ns_get16(p + 2);
	/* The class of OPT is a size (RFC 6891, 6.1.2). */
	i->top = i->type != MDNS_OPT && (i->rrclass & MDNS_TOP_BIT) != 0;
	if (i->top)
		i->rrclass &= (uint16_t)~MDNS_TOP_BIT;
	r->at += fixed;
	if (i->section == MDNS_QUESTION)
		return 0;
	i->ttl = (uint32_t)ns_get32(p + 4);
	data = ns_get16(p + 8);
	if (data > r->size - r->at)
		return -EBADMSG;
	error = read_data(r, r->at, r->at + data, i);
	r->at += data;
	return error;
}

int mdns_next(struct mdns_reader *r, struct mdns_item *ret)
{
	int used;

	while (r->section < MDNS_SECTIONS && r->done == r->count[r->section]) {
		r->section++;
		r->done = 0;
	}
	if (r->section == MDNS_SECTIONS)
		return 0;
	/* All but the bytes of its names, which are most of it. */
	ret->section = (enum mdns_section)r->section;
	ret->ttl = 0;
	ret->head = ret->tail = (struct mdns_bytes){ NULL, 0 };
	ret->n_targets = 0;
	for (unsigned t = 0; t < MDNS_MAX_TARGETS; t++)
		ret->targets[t].size = 0;
	used = read_name(r, r->at, &ret->name);
	if (used < 0)
		return used;
	r->at += (size_t)used;
	r->done++;
	return read_rest(r, ret) < 0 ? -EBADMSG : 1;
}

static enum proto_kind kind_of(const struct mdns_reader *r)
{
	enum { OPCODE = 0x7800, RCODE = 0x000f };

	if ((r->flags & (OPCODE | RCODE)) != 0)
		return PROTO_OTHER;
	if ((r->flags & MDNS_RESPONSE) != 0)
		return PROTO_ANNOUNCEMENT;
	return r->count[MDNS_AUTHORITY] > 0 ? PROTO_PROBE : PROTO_SEARCH;
}

static void count_record(struct mdns_info *info, const struct mdns_item *i)
{
	if (i->type == MDNS_OPT)
		return; /* whose TTL is none */
	if (info->records == 0 || i->ttl < info->ttl_min)
		info->ttl_min = i->ttl;
	if (i->ttl > info->ttl_max)
		info->ttl_max = i->ttl;
	info->records++;
	if (i->section == MDNS_ANSWER && i->ttl > 0)
		info->goodbye = false;
}

int mdns_inspect(const uint8_t *message, size_t size, struct mdns_info *ret)
{
	struct mdns_reader r;
	struct mdns_info info;
	struct mdns_item i;
	int error;

	error = mdns_open(&r, message, size);
	if (error < 0)
		return error;
	info = (struct mdns_info){
		.kind = kind_of(&r),
		.id = r.id,
		.truncated = (r.flags & MDNS_TRUNCATED) != 0,
		.goodbye = (r.flags & MDNS_RESPONSE) != 0 &&
			   r.count[MDNS_ANSWER] > 0,
		.questions = r.count[MDNS_QUESTION],
	};
	while ((error = mdns_next(&r, &i)) > 0) {
		if (i.section != MDNS_QUESTION)
			count_record(&info, &i);
		else if (i.top)
			info.qu = true;
	}
	if (error < 0)
		return error;
	*ret = info;
	return 0;
}

int mdns_begin(struct mdns_writer *w, uint8_t *out, size_t out_size,
	uint16_t id, uint16_t flags)
{
	if (out_size < HEADER_SIZE)
		return -ENOBUFS;
	if (out_size > MDNS_MAX_BYTES)
		out_size = MDNS_MAX_BYTES;
	*w = (struct mdns_writer){ .out = out, .room = out_size };
	memset(out, 0, HEADER_SIZE);
	ns_put16(id, out);
	ns_put16(flags, out + 2);
	w->used = HEADER_SIZE;
	return 0;
}

static int put_bytes(struct mdns_writer *w, const void *bytes, size_t size)
{
	if (size > w->room - w->used)
		return -ENOBUFS;
	if (size > 0)
		memcpy(w->out + w->used, bytes, size);
	w->used += size;
	return 0;
}

static int put_u16(struct mdns_writer *w, uint16_t value)
{
	uint8_t bytes[2];

	ns_put16(value, bytes);
	return put_bytes(w, bytes, sizeof(bytes));
}

/* The labels of a name, and a hash of each of the suffixes that they begin. */
struct suffixes {
	unsigned n;
	uint8_t at[MAX_LABELS];
	uint32_t hash[MAX_LABELS];
};

/*
 * FNV-1a, from the last label to the first. Letters count with their case:
 * glibc's ns_name_pack() compares without, so that a name would come out in the
 * case of another; it also compares with every suffix so far, which is
 * quadratic, and worth it to nobody but an attacker.
 */
static void find_suffixes(const struct mdns_name *name, struct suffixes *ret)
{
	uint32_t hash = 2166136261u;

	ret->n = 0;
	for (unsigned at = 0; name->wire[at] != 0; at += 1u + name->wire[at])
		ret->at[ret->n++] = (uint8_t)at;
	for (unsigned l = ret->n; l-- > 0;) {
		const uint8_t *label = name->wire + ret->at[l];

		for (unsigned i = 0; i <= label[0]; i++)
			hash = (hash ^ label[i]) * 16777619u;
		ret->hash[l] = hash;
	}
}

static uint16_t *slot(struct mdns_writer *w, uint32_t hash, unsigned attempt)
{
	return &w->suffix[(hash + attempt) & (MDNS_SUFFIXES - 1)];
}

/* Where the suffix of a name from `from` on was written before, or 0. */
static uint16_t recall(struct mdns_writer *w, uint32_t hash,
	const struct mdns_name *name, size_t from)
{
	struct mdns_name there;

	for (unsigned a = 0; a < TRIES; a++) {
		uint16_t at = *slot(w, hash, a);

		if (at == 0)
			return 0;
		/* What was taken back may still be noted. */
		if (mdns_name_unpack(w->out, w->used, at, &there) > 0 &&
			there.size == name->size - from &&
			memcmp(there.wire, name->wire + from, there.size) == 0)
			return at;
	}
	return 0;
}

static void remember(struct mdns_writer *w, uint32_t hash, size_t at)
{
	static_assert(MDNS_MAX_BYTES < 0x4000, "pointers reach everywhere");

	for (unsigned a = 0; a < TRIES; a++) {
		if (*slot(w, hash, a) == 0) {
			*slot(w, hash, a) = (uint16_t)at;
			return;
		}
	}
}

static int put_name(
	struct mdns_writer *w, const struct mdns_name *name, bool compress)
{
	size_t start = w->used;
	struct suffixes s;
	uint16_t there = 0;
	unsigned l;
	int error;

	find_suffixes(name, &s);
	for (l = 0; compress && l < s.n; l++) {
		there = recall(w, s.hash[l], name, s.at[l]);
		if (there != 0)
			break;
	}
	if (there != 0) {
		error = put_bytes(w, name->wire, s.at[l]);
		if (error == 0)
			error = put_u16(w, (uint16_t)(POINTER | there));
	} else {
		l = s.n;
		error = put_bytes(w, name->wire, name->size);
	}
	if (error < 0)
		return error;
	while (l-- > 0)
		remember(w, s.hash[l], start + s.at[l]);
	return 0;
}

/* True in a response that repeats a question (RFC 6762, 6.7). */
static bool is_legacy(const struct mdns_writer *w)
{
	return w->count[MDNS_QUESTION] > 0 &&
	       (ns_get16(w->out + 2) & MDNS_RESPONSE) != 0;
}

/* Writes the data of a record, and its length in front of it. */
static int put_data(struct mdns_writer *w, const struct mdns_item *i)
{
	bool compress = i->type != MDNS_SRV || !is_legacy(w);
	size_t length = w->used;
	int error;

	error = put_u16(w, 0);
	if (error == 0)
		error = put_bytes(w, i->head.at, i->head.size);
	for (unsigned t = 0; error == 0 && t < i->n_targets; t++)
		error = put_name(w, &i->targets[t], compress);
	if (error == 0)
		error = put_bytes(w, i->tail.at, i->tail.size);
	if (error == 0)
		ns_put16((unsigned)(w->used - length - 2), w->out + length);
	return error;
}

static int put_item(struct mdns_writer *w, const struct mdns_item *i)
{
	uint8_t fixed[8];
	size_t size =
		i->section == MDNS_QUESTION ? QUESTION_SIZE : sizeof(fixed);
	int error;

	ns_put16(i->type, fixed);
	ns_put16(i->rrclass | (i->top ? MDNS_TOP_BIT : 0u), fixed + 2);
	ns_put32(i->ttl, fixed + 4);
	error = put_name(w, &i->name, true);
	if (error == 0)
		error = put_bytes(w, fixed, size);
	if (error == 0 && i->section != MDNS_QUESTION)
		error = put_data(w, i);
	return error;
}

int mdns_put(struct mdns_writer *w, const struct mdns_item *i)
{
	size_t before = w->used;
	int error;

	if (i->section < w->section)
		return -EINVAL;
	error = put_item(w, i);
	if (error < 0) {
		w->used = before;
		return error;
	}
	w->section = i->section;
	ns_put16(++w->count[i->section],
		w->out + COUNTS + (size_t)2 * i->section);
	return 0;
}
