#include "control/audience.h"

#include "control/connection.h"
#include "control/render.h"
#include "control/rpc.h"

#include <stdlib.h>
#include <utlist.h>

enum {
	ABOUT_DATAGRAMS = 1U << EVENT_DATAGRAM | 1U << EVENT_DROP,
	/* Bytes of `,"lost":` and the longest number. */
	LOST_ROOM = 32,
	/* No event takes less, in bytes. */
	LINE_LEAST = 128,
};

void audience_init(struct audience *a, struct relay *relay)
{
	*a = (struct audience){ .relay = relay };
}

static bool takes_away(const struct subscription *s)
{
	return s->carries && (s->events & 1U << EVENT_DATAGRAM);
}

bool audience_carries(const struct audience *a, const char *group)
{
	const struct subscription *s;

	DL_FOREACH(a->all, s)
	if (takes_away(s) && subscription_wants(s, EVENT_DATAGRAM, group,
				     EVENT_FOR_CARRIERS))
		return true;
	return false;
}

void audience_join(
	struct audience *a, struct subscription *s, struct connection *client)
{
	s->client = client;
	DL_APPEND(a->all, s);
	if (s->events & ABOUT_DATAGRAMS && a->watching++ == 0)
		relay_watch(a->relay, true);
	if (takes_away(s) && a->carrying++ == 0)
		relay_carry(a->relay, true);
}

static void leave_due(struct audience *a, struct subscription *s)
{
	if (!s->is_due)
		return;
	DL_DELETE2(a->due, s, due_prev, due_next);
	s->is_due = false;
}

void audience_leave(struct audience *a, struct subscription *s)
{
	leave_due(a, s);
	DL_DELETE(a->all, s);
	if (s->events & ABOUT_DATAGRAMS && --a->watching == 0)
		relay_watch(a->relay, false);
	if (takes_away(s) && --a->carrying == 0)
		relay_carry(a->relay, false);
	subscription_free(s);
}

static bool wants(const struct subscription *s, const struct event *e)
{
	return subscription_wants(s, e->kind, e->group, e->readers);
}

/* So that an event which nobody has room for is not even made: a thousand of
 * them at once would hold up the relay for one slow reader. */
bool audience_wants(struct audience *a, const struct event *e)
{
	struct subscription *s;
	bool has_room = false;

	DL_FOREACH(a->all, s)
	has_room |= wants(s, e) && subscription_has_room(s, LINE_LEAST,
					   connection_unsent(s->client));
	if (has_room)
		return true;
	DL_FOREACH(a->all, s)
	s->lost += wants(s, e);
	return false;
}

/* ---- telling ---- */

struct line {
	char *text; /* NULL: not made yet, or no memory */
	size_t size;
};

/* `lost` is left out where it is 0. */
static void make_line(
	const struct event *e, bool payload, uint64_t lost, struct line *ret)
{
	struct render r = { .json = json_copy(e->params) };

	if (lost)
		render_put(&r, "lost", render_number(lost));
	if (payload)
		render_put(&r, "payload", render_bytes(e->data, e->size));
	r.json = render_end(&r);
	if (rpc_notify("event", r.json, &ret->text, &ret->size) < 0)
		*ret = (struct line){ 0 };
	json_decref(r.json);
}

/* The line for a reader that has lost something before. */
static int put_with_lost(struct subscription *s, const struct event *e)
{
	struct line line = { 0 };
	int r = -1;

	make_line(e, s->payload && e->data, s->lost, &line);
	if (line.text)
		r = subscription_put(s, line.text, line.size);
	free(line.text);
	return r;
}

static void make_due(struct audience *a, struct subscription *s)
{
	if (s->is_due || s->size == 0 || connection_unsent(s->client) > 0)
		return;
	DL_APPEND2(a->due, s, due_prev, due_next);
	s->is_due = true;
}

static void tell_one(struct audience *a, struct subscription *s,
	const struct event *e, struct line *line)
{
	size_t unsent = connection_unsent(s->client);
	int r = -1;

	if (!line->text)
		make_line(e, s->payload && e->data, 0, line);
	if (line->text &&
		subscription_has_room(s, line->size + LOST_ROOM, unsent)) {
		if (s->lost)
			r = put_with_lost(s, e);
		else
			r = subscription_put(s, line->text, line->size);
	}
	if (r < 0) {
		s->lost++;
		return;
	}
	s->lost = 0;
	make_due(a, s);
}

void audience_tell(struct audience *a, const struct event *e)
{
	struct line lines[2] = { 0 }; /* without and with the payload */
	struct subscription *s;

	DL_FOREACH(a->all, s)
	if (wants(s, e))
		tell_one(a, s, e, &lines[s->payload && e->data]);
	free(lines[0].text);
	free(lines[1].text);
}

/* ---- handing on ---- */

void audience_drained(struct audience *a, struct subscription *s)
{
	make_due(a, s);
}

bool audience_is_due(const struct audience *a)
{
	return a->due;
}

void audience_flush_one(struct audience *a)
{
	struct subscription *s = a->due;
	size_t size;
	char *text;

	leave_due(a, s);
	if (subscription_take(s, &text, &size))
		connection_push(s->client, text, size);
}
