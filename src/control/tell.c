/*
 * What happens, handed to those who have subscribed.
 */
#include "control/events.h"
#include "control/server.h"

#include <time.h>

static struct timespec now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return t;
}

static void tell_segment(struct control *c, const struct relay_segment *s,
	const char *state, const char *was)
{
	struct event e = { .kind = EVENT_SEGMENT, .group = event_group(s) };
	struct timespec t = now();

	if (!server_wants(c, &e))
		return;
	e.params = event_segment(&t, s, state, was);
	server_tell(c, &e);
}

void control_tell_segment(struct control *c, const struct relay_segment *s,
	enum relay_state was, bool known)
{
	struct relay_segment_info i;

	relay_segment_get(s, &i);
	tell_segment(c, s, relay_state_word(i.state),
		known ? relay_state_word(was) : NULL);
}

void control_tell_gone(struct control *c, const struct relay_segment *s)
{
	struct relay_segment_info i;

	relay_segment_get(s, &i);
	tell_segment(c, s, relay_state_word(RELAY_ABSENT),
		relay_state_word(i.state));
}

void control_tell_config(struct control *c)
{
	struct event e = { .kind = EVENT_CONFIG };
	const struct control_handles *h;
	struct control_running running;
	struct timespec t = now();

	if (!server_wants(c, &e))
		return;
	h = server_handles(c);
	h->running(h->data, &running);
	e.params = event_config(&t, running.generation);
	server_tell(c, &e);
}

void control_tell_storm(struct control *c, const struct relay_segment *s,
	const struct net_address *source, enum relay_verdict why,
	uint64_t times)
{
	struct event e = { .kind = EVENT_STORM, .group = event_group(s) };
	struct timespec t = now();

	if (!server_wants(c, &e))
		return;
	e.params = event_storm(&t, s, source, why, times);
	server_tell(c, &e);
}

void control_tell_fate(struct control *c, const struct relay_fate *f)
{
	struct event e = {
		.kind = event_kind_of_fate(f),
		.group = event_group(f->in),
		.data = f->data,
		.size = f->size,
	};
	struct timespec t;

	/* Carriers want what is to go to other sites, and nothing else. */
	if (!f->out || !relay_segment_is_outside(f->out))
		e.readers = EVENT_FOR_OTHERS;
	if (!server_wants(c, &e))
		return;
	t = now();
	e.params = event_fate(&t, f);
	server_tell(c, &e);
}

/* ---- the floors between relay and control ---- */

/* Whether the datagram that is taken in now tells of the entry itself. */
static bool told_by(enum discovery_change change, enum discovery_reason why)
{
	return change != DISCOVERY_GONE || why == DISCOVERY_GOODBYE;
}

static void put_message(const struct discovery *d, struct event *e)
{
	const struct relay_heard *h = discovery_message(d);

	if (!h)
		return;
	e->data = h->data;
	e->size = h->size;
}

void control_tell_entry(struct control *c, const struct discovery_entry *entry,
	enum discovery_change change, enum discovery_reason why)
{
	struct event e = { .kind = event_kind_of_change(change) };
	struct discovery_info i;
	struct timespec t;

	/* Most of the time nobody listens; then it costs no more than this. */
	if (!server_wants(c, &e))
		return;
	discovery_get(server_handles(c)->discovery, entry, &i);
	e.group = i.group;
	if (told_by(change, why))
		put_message(server_handles(c)->discovery, &e);
	if (!server_wants(c, &e))
		return;
	t = now();
	e.params = event_entry(&t, &i, change, why);
	server_tell(c, &e);
}

void control_tell_announcement(
	struct control *c, const struct announce_event *event)
{
	struct event e = { .kind = EVENT_ANNOUNCEMENT };
	struct announce_info i;
	struct timespec t;

	if (!server_wants(c, &e))
		return;
	announce_get(server_handles(c)->announce, event->entry, &i);
	e.group = i.group;
	if (!server_wants(c, &e))
		return;
	t = now();
	e.params = event_announcement(&t, &i, event);
	server_tell(c, &e);
}

static void tell_answer(struct control *c, const struct relay_heard *h,
	enum event_readers readers)
{
	struct event e = {
		.kind = EVENT_ANSWER,
		.group = event_group(h->in),
		.readers = readers,
		.data = h->data,
		.size = h->size,
	};
	struct timespec t;

	if (!server_wants(c, &e))
		return;
	t = now();
	e.params = event_answer(&t, h);
	server_tell(c, &e);
}

void control_tell_answer(struct control *c, const struct relay_heard *h)
{
	tell_answer(c, h, EVENT_FOR_OTHERS);
}

void control_tell_answered(struct control *c, const struct relay_heard *h)
{
	tell_answer(c, h, EVENT_FOR_CARRIERS);
}
