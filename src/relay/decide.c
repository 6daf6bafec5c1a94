#include "relay/decide.h"

static struct decision drop(enum relay_verdict verdict, const char *rule)
{
	return (struct decision){ .verdict = verdict, .rule = rule };
}

static bool is_listed(
	const struct config_filter *f, const struct net_address *source)
{
	size_t i;

	for (i = 0; i < f->n_sources; i++)
		if (net_prefix_contains(&f->sources[i], source))
			return true;
	return false;
}

static bool is_sized(const struct config_filter *f, size_t size)
{
	size_t i;

	for (i = 0; i < f->n_sizes; i++)
		if (size >= f->sizes[i].low && size <= f->sizes[i].high)
			return true;
	return false;
}

static struct proto_list list_of(const struct config_strings *s)
{
	return (struct proto_list){ s->at, s->n };
}

static bool target_passes(const struct config_filter *allow,
	const struct config_filter *deny, const struct decide_facts *f)
{
	struct proto_filter words = { list_of(&allow->targets),
		list_of(&deny->targets) };

	return ssdp_target_passes(&words, 1, f->kind, &f->target);
}

/* As a message of which nothing but its services counts: one that passes is
 * enough, since the others are taken out of it. */
static bool services_pass(const struct config_filter *allow,
	const struct config_filter *deny, const struct decide_facts *f)
{
	struct proto_filter words = { list_of(&allow->services),
		list_of(&deny->services) };
	size_t i;

	for (i = 0; i < f->n_services; i++)
		if (mdns_service_passes(&words, 1, f->services[i]))
			return true;
	return f->n_services == 0;
}

struct decision decide_filter(const struct config_filter *allow,
	const struct config_filter *deny, const struct decide_facts *f)
{
	if (is_listed(deny, &f->source))
		return drop(RELAY_FILTER, "deny: sources");
	/* What another site brings need not say from whom it is. */
	if (allow->n_sources && net_address_is_set(&f->source) &&
		!is_listed(allow, &f->source))
		return drop(RELAY_FILTER, "allow: sources");
	if (is_sized(deny, f->size))
		return drop(RELAY_SIZE, "deny: sizes");
	if (allow->n_sizes && !is_sized(allow, f->size))
		return drop(RELAY_SIZE, "allow: sizes");
	if (f->payload == CONFIG_PAYLOAD_SSDP && !target_passes(allow, deny, f))
		return drop(RELAY_FILTER, "targets");
	if (f->payload == CONFIG_PAYLOAD_MDNS && !services_pass(allow, deny, f))
		return drop(RELAY_FILTER, "services");
	return (struct decision){ .verdict = RELAY_SENT };
}

static struct decision decide_in(const struct decide_channel *c,
	const struct decide_segment *in, const struct decide_facts *f)
{
	struct decision d;

	if (f->own)
		return drop(RELAY_OWN, "the source is this host itself");
	if (!(in->role & CONFIG_HEARS) && !f->answer)
		return drop(RELAY_DIRECTION, "the segment is only sent to");
	if (f->stranger)
		return drop(RELAY_FILTER, "the source is no peer");
	if (f->elsewhere && !f->answer)
		return drop(
			RELAY_LOOP, "the source is on-link on another segment");
	d = decide_filter(c->allow, c->deny, f);
	if (d.verdict != RELAY_SENT || in->open)
		return d;
	return decide_filter(in->allow, in->deny, f);
}

/* Searches cross from searchers to devices, what answers them back. */
static bool crosses(unsigned in, unsigned out, enum proto_kind kind)
{
	if (!((in | out) & (CONFIG_SEARCHERS | CONFIG_DEVICES)))
		return true;
	if (in & CONFIG_SEARCHERS)
		return out & CONFIG_DEVICES && kind == PROTO_SEARCH;
	return out & CONFIG_SEARCHERS && kind == PROTO_ANNOUNCEMENT;
}

static int ttl_out(int rule, int heard)
{
	if (rule == CONFIG_TTL_KEEP)
		return heard;
	if (rule == CONFIG_TTL_DECREMENT)
		return heard - 1;
	return rule;
}

/* What concerns the sending itself. */
static struct decision can_send(
	const struct decide_segment *out, const struct decide_facts *f, int ttl)
{
	if (!out->usable)
		return drop(RELAY_ERROR, "the segment is not usable");
	if (!out->has_address)
		return drop(RELAY_NO_ADDRESS, "no address to send from");
	if (f->directed && !out->has_broadcast)
		return drop(RELAY_NO_ADDRESS, "no broadcast address");
	return (struct decision){
		.verdict = RELAY_SENT, .ttl = ttl, .rule = "relayed"
	};
}

static struct decision decide_out(const struct decide_channel *c,
	const struct decide_segment *in, const struct decide_segment *out,
	const struct decide_facts *f)
{
	struct decision d;
	int ttl = ttl_out(out->ttl, f->ttl);

	/* The search that it answers has crossed already. */
	if (f->answer) {
		d = decide_filter(out->allow, out->deny, f);
		return d.verdict == RELAY_SENT ? can_send(out, f, ttl) : d;
	}
	if (!(out->role & CONFIG_SENT_TO))
		return drop(RELAY_DIRECTION, "the segment is only heard");
	if (!crosses(in->role, out->role, f->kind))
		return drop(RELAY_DIRECTION, "searchers and devices");
	if (!out->open) {
		d = decide_filter(out->allow, out->deny, f);
		if (d.verdict != RELAY_SENT)
			return d;
	}
	if (ttl < 1)
		return drop(RELAY_TTL, "the TTL came to its end");
	if (c->standby)
		return drop(RELAY_STANDBY, "standby is on");
	return can_send(out, f, ttl);
}

bool decide_is_open(
	const struct config_filter *allow, const struct config_filter *deny)
{
	return !(allow->n_sources || deny->n_sources || allow->n_sizes ||
		 deny->n_sizes || allow->targets.n || deny->targets.n ||
		 allow->services.n || deny->services.n);
}

/* ---- other sites ---- */

void decide_add_sites(struct decide_segment *segments, size_t n)
{
	static const struct config_filter open;
	const struct decide_segment site = {
		.role = CONFIG_HEARS | CONFIG_SENT_TO,
		.ttl = CONFIG_TTL_KEEP,
		.usable = true,
		.has_address = true,
		.has_broadcast = true,
		.allow = &open,
		.deny = &open,
		.open = true,
	};
	bool has_sides = false;
	size_t i;

	for (i = 0; i < n; i++)
		has_sides |= (segments[i].role &
				     (CONFIG_SEARCHERS | CONFIG_DEVICES)) != 0;
	for (i = 0; i < DECIDE_SITES; i++)
		segments[n + i] = site;
	if (!has_sides)
		return;
	segments[n + DECIDE_SEARCHERS_OUTSIDE].role |= CONFIG_SEARCHERS;
	segments[n + DECIDE_DEVICES_OUTSIDE].role |= CONFIG_DEVICES;
	/* It is what the one side searches for, and who searches there. */
	segments[n + DECIDE_OUTSIDE].role |= CONFIG_SEARCHERS | CONFIG_DEVICES;
}

/* ---- what is decided beforehand ---- */

/* What matters of a datagram: the side that it arrives on, and what it is. */
enum { SIDES = 3, KINDS = 3, ROWS = SIDES * KINDS };

static const unsigned sides[SIDES] = { CONFIG_SEARCHERS, CONFIG_DEVICES, 0 };
static const enum proto_kind kinds[KINDS] = { PROTO_SEARCH, PROTO_ANNOUNCEMENT,
	PROTO_OTHER };

static size_t row_of(unsigned role, enum proto_kind kind)
{
	size_t side = 0, k = 0;

	while (sides[side] && !(role & sides[side]))
		side++;
	while (k < KINDS - 1 && kind != kinds[k])
		k++;
	return side * KINDS + k;
}

static bool looks_at_datagrams(const struct decide_segment *s)
{
	return !s->open || s->ttl < 1;
}

size_t decide_prepared(size_t n_segments)
{
	return ROWS * n_segments;
}

static void prepare_row(
	const struct decide_channel *c, size_t number, struct decision *rows)
{
	const struct decide_segment in = { .role = sides[number / KINDS] };
	const struct decide_facts f = { .kind = kinds[number % KINDS] };
	struct decision *row = rows + number * c->n_segments;
	size_t i;

	for (i = 0; i < c->n_segments; i++)
		if (!looks_at_datagrams(&c->segments[i]))
			row[i] = decide_out(c, &in, &c->segments[i], &f);
}

void decide_prepare(struct decide_channel *c, struct decision *rows)
{
	size_t i;

	c->has_sides = c->has_varieties = false;
	for (i = 0; i < c->n_segments; i++) {
		const struct decide_segment *s = &c->segments[i];

		c->has_sides |=
			(s->role & (CONFIG_SEARCHERS | CONFIG_DEVICES)) != 0;
		c->has_varieties |= looks_at_datagrams(s);
	}
	c->rows = rows;
	/* Without sides the kind does not matter, and the last row serves. */
	for (i = c->has_sides ? 0 : ROWS - 1; i < ROWS; i++)
		prepare_row(c, i, rows);
}

struct decision decide_whole(
	const struct decide_channel *c, size_t in, const struct decide_facts *f)
{
	return decide_in(c, &c->segments[in], f);
}

const struct decision *decide_outs(const struct decide_channel *c, size_t in,
	const struct decide_facts *f, struct decision *scratch)
{
	const struct decide_segment *s = c->segments;
	const struct decision *row = c->rows;
	bool is_prepared = row && !f->directed && !f->answer;
	size_t i;

	if (is_prepared)
		row += c->n_segments *
		       (c->has_sides ? row_of(s[in].role, f->kind) : ROWS - 1);
	if (is_prepared && !c->has_varieties)
		return row;
	for (i = 0; i < c->n_segments; i++)
		scratch[i] = is_prepared && !looks_at_datagrams(&s[i])
				     ? row[i]
				     : decide_out(c, &s[in], &s[i], f);
	return scratch;
}

void decide(const struct decide_channel *c, size_t in,
	const struct decide_facts *f, struct decision *decisions)
{
	struct decision whole = decide_whole(c, in, f);
	const struct decision *outs = NULL;
	size_t i;

	if (whole.verdict == RELAY_SENT)
		outs = decide_outs(c, in, f, decisions);
	for (i = 0; i < c->n_segments; i++)
		decisions[i] = i == in || !outs ? whole : outs[i];
}

struct decision decide_one(const struct decide_channel *c, size_t in,
	size_t out, const struct decide_facts *f)
{
	const struct decide_segment *s = c->segments;
	struct decision whole = decide_in(c, &s[in], f);

	return whole.verdict == RELAY_SENT ? decide_out(c, &s[in], &s[out], f)
					   : whole;
}
