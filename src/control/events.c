#include "control/events.h"

#include "control/entry.h"
#include "control/render.h"

static const struct config_group *group_of(const struct relay_segment *s)
{
	const struct relay_channel *c = relay_segment_channel(s);

	return relay_group_config(relay_channel_group(c));
}

const char *event_group(const struct relay_segment *s)
{
	return group_of(s)->name;
}

static void begin(
	struct render *r, enum event_kind kind, const struct timespec *now)
{
	render_object(r);
	render_put(r, "event", json_string(event_kind_word(kind)));
	render_put(r, "time", render_moment(now));
}

/* Its group and where it is; the rest of it to `*ret`. */
static void put_segment(struct render *r, const struct relay_segment *s,
	struct relay_segment_info *ret)
{
	relay_segment_get(s, ret);
	render_put(r, "group", render_text(event_group(s)));
	render_put(r, "interface", render_name(ret->interface));
	render_put(r, "device", render_name(ret->device));
}

/* Who sent a datagram, and the site that brought it; null where nobody says. */
static void put_source(struct render *r, const struct net_address *source,
	uint16_t port, const char *device, const char *site)
{
	render_put(r, "site", render_name(site));
	render_put(r, "source", render_host(source, device));
	render_put(
		r, "port", port || !site ? render_number(port) : json_null());
}

json_t *event_segment(const struct timespec *now, const struct relay_segment *s,
	const char *state, const char *was)
{
	const struct relay_channel *c = relay_segment_channel(s);
	struct relay_segment_info i;
	struct render r;

	begin(&r, EVENT_SEGMENT, now);
	put_segment(&r, s, &i);
	render_put(
		&r, "address", render_address(relay_channel_address(c), NULL));
	render_put(&r, "port", render_number(relay_channel_port(c)));
	render_put(&r, "state", render_text(state));
	render_put(&r, "was", render_name(was));
	render_put(&r, "error", render_text(i.error));
	return render_end(&r);
}

json_t *event_config(const struct timespec *now, uint64_t generation)
{
	struct render r;

	begin(&r, EVENT_CONFIG, now);
	render_put(&r, "generation", render_number(generation));
	return render_end(&r);
}

json_t *event_storm(const struct timespec *now, const struct relay_segment *s,
	const struct net_address *source, enum relay_verdict why,
	uint64_t times)
{
	struct relay_segment_info i;
	struct render r;

	begin(&r, EVENT_STORM, now);
	put_segment(&r, s, &i);
	render_put(&r, "source", render_host(source, i.device));
	render_put(&r, "why", render_text(relay_verdict_word(why)));
	render_put(&r, "times", render_number(times));
	return render_end(&r);
}

enum event_kind event_kind_of_fate(const struct relay_fate *f)
{
	return f->verdict == RELAY_SENT ? EVENT_DATAGRAM : EVENT_DROP;
}

/* The segment out; null where the verdict is of the whole. */
static json_t *destination_segment(const struct relay_segment *out)
{
	struct relay_segment_info i;
	struct render r;

	if (!out)
		return json_null();
	relay_segment_get(out, &i);
	render_object(&r);
	render_put(&r, "interface", render_name(i.interface));
	render_put(&r, "device", render_name(i.device));
	return render_end(&r);
}

static json_t *channel(const struct relay_segment *s)
{
	const struct relay_channel *c = relay_segment_channel(s);
	struct render r;

	render_object(&r);
	render_put(
		&r, "address", render_address(relay_channel_address(c), NULL));
	render_put(&r, "port", render_number(relay_channel_port(c)));
	return render_end(&r);
}

json_t *event_fate(const struct timespec *now, const struct relay_fate *f)
{
	enum config_payload protocol = group_of(f->in)->payload;
	struct relay_segment_info in;
	struct render r;

	begin(&r, event_kind_of_fate(f), now);
	put_segment(&r, f->in, &in);
	put_source(&r, &f->source, f->port, in.device, f->site);
	render_put(&r, "destination", render_host(&f->destination, in.device));
	render_put(&r, "channel", channel(f->in));
	render_put(&r, "protocol", render_text(config_payload_word(protocol)));
	render_put(&r, "kind", json_string(render_kind_word(f->kind)));
	render_put(&r, "size", render_number(f->size));
	render_put(&r, "ttl", json_integer(f->ttl));
	render_put(&r, "flow", f->flow ? render_number(f->flow) : json_null());
	render_put(&r, "to", destination_segment(f->out));
	render_put(&r, "verdict", json_string(relay_verdict_word(f->verdict)));
	render_put(&r, "rule", render_text(f->rule));
	if (f->out && relay_segment_is_outside(f->out))
		render_put(&r, "entries", entry_told(f));
	return render_end(&r);
}

enum event_kind event_kind_of_change(enum discovery_change change)
{
	return change == DISCOVERY_GONE ? EVENT_EXPIRED : EVENT_DISCOVERED;
}

json_t *event_entry(const struct timespec *now, const struct discovery_info *i,
	enum discovery_change change, enum discovery_reason why)
{
	struct render r;

	begin(&r, event_kind_of_change(change), now);
	entry_put(&r, i);
	if (change == DISCOVERY_GONE)
		render_put(&r, "why", json_string(discovery_reason_word(why)));
	else
		render_put(&r, "change",
			json_string(
				change == DISCOVERY_NEW ? "new" : "changed"));
	return render_end(&r);
}

static const char *what_word(enum announce_what what)
{
	static const char *const words[] = {
		[ANNOUNCE_SENT] = "sent",
		[ANNOUNCE_GOODBYE] = "goodbye",
		[ANNOUNCE_STATE] = "state",
		[ANNOUNCE_REMOVED] = "removed",
	};

	return words[what];
}

json_t *event_announcement(const struct timespec *now,
	const struct announce_info *i, const struct announce_event *e)
{
	struct relay_segment_info at = { .interface = NULL, .device = NULL };
	struct render r;

	if (e->segment)
		relay_segment_get(e->segment, &at);
	begin(&r, EVENT_ANNOUNCEMENT, now);
	entry_put_announcement(&r, i);
	render_put(&r, "what", json_string(what_word(e->what)));
	render_put(&r, "interface", render_name(at.interface));
	render_put(&r, "device", render_name(at.device));
	return render_end(&r);
}

json_t *event_answer(const struct timespec *now, const struct relay_heard *h)
{
	enum config_payload protocol = group_of(h->in)->payload;
	struct relay_segment_info in;
	struct render r;

	begin(&r, EVENT_ANSWER, now);
	put_segment(&r, h->in, &in);
	put_source(&r, &h->source, h->port, in.device, h->site);
	render_put(&r, "protocol", render_text(config_payload_word(protocol)));
	render_put(&r, "kind", json_string(render_kind_word(h->kind)));
	render_put(&r, "size", render_number(h->size));
	render_put(&r, "flow", render_number(h->flow));
	return render_end(&r);
}
