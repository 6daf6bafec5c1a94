/*
 * The filters of a group, for a datagram that no relay has heard.
 */
#include "relay/decide.h"
#include "relay/relay.h"

static struct proto_list list_of(const struct config_strings *s)
{
	return (struct proto_list){ s->at, s->n };
}

/* The records of a message; what cannot be read passes no filter. */
static enum relay_sifted sift_records(const struct config_filter *allow,
	const struct config_filter *deny, const void *data, size_t size,
	uint8_t *out, size_t *ret_size)
{
	struct proto_filter filter = {
		.allow = list_of(&allow->services),
		.deny = list_of(&deny->services),
	};
	struct mdns_rules rules = { .filters = &filter, .n_filters = 1 };

	if (filter.allow.n == 0 && filter.deny.n == 0)
		return RELAY_SIFT_WHOLE;
	switch (mdns_edit(
		&rules, data, size, out, CONFIG_MAX_PAYLOAD, ret_size)) {
	case MDNS_UNCHANGED:
		return RELAY_SIFT_WHOLE;
	case MDNS_EDITED:
		return RELAY_SIFT_EDITED;
	default:
		return RELAY_SIFT_DROPPED;
	}
}

enum relay_sifted relay_sift(const struct config_filter *allow,
	const struct config_filter *deny, enum config_payload payload,
	const struct net_address *source, const void *data, size_t size,
	uint8_t *out, size_t *ret_size)
{
	struct decide_facts f = { .source = *source, .size = size };
	struct proto_view v;

	if (decide_is_open(allow, deny))
		return RELAY_SIFT_WHOLE;
	/* Nothing but a target is looked at as a whole. */
	if (payload == CONFIG_PAYLOAD_SSDP &&
		proto_inspect(PROTO_SSDP, NULL, data, size, &v) == 0) {
		f.target = ssdp_target(&v.ssdp);
		f.kind = v.kind;
	}
	f.payload = payload;
	if (decide_filter(allow, deny, &f).verdict != RELAY_SENT)
		return RELAY_SIFT_DROPPED;
	if (payload != CONFIG_PAYLOAD_MDNS)
		return RELAY_SIFT_WHOLE;
	return sift_records(allow, deny, data, size, out, ret_size);
}
