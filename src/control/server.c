/*
 * The server: a listener, its clients, and the work that they ask for.
 *
 * A request is not served where it is read: its connection joins a queue, and
 * an idle handle serves the queue in turn, one request of each, for about a
 * millisecond for each turn of the loop. So neither one client that sends
 * without end nor all of them together keep the loop from the relay.
 */
#include "control/server.h"

#include "control/connection.h"
#include "control/listener.h"
#include "control/methods.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

enum { TURN_NS = 1000000 };

struct control {
	uv_loop_t *loop;
	struct control_handles handles;
	time_t started_at; /* when the daemon did */
	struct listener *listener;
	gid_t gid;
	uv_idle_t work;
	struct connection *clients; /* all of them */
	struct connection *ready;   /* those whose request waits */
	struct audience audience;   /* those who have subscribed */
	struct reports reports;     /* what they say of sites */
	struct relay_limit limit;   /* how many of `clients` there may be */
	bool closing;
	bool work_closed;
};

static void free_if_closed(struct control *c)
{
	if (c->work_closed && !c->clients)
		free(c);
}

/* ---- work ---- */

static bool serve_one(struct control *c, struct connection *client)
{
	const struct subscription *before = client->subscription;
	struct methods_context context = {
		.handles = &c->handles,
		.now_ms = uv_now(c->loop),
		.started_at = c->started_at,
		.clients = c->limit,
		.fd = connection_fileno(client),
		.gid = c->gid,
		.subscription = &client->subscription,
		.reports = &c->reports,
		.client = client,
	};
	bool more;

	more = connection_step(client,
		before ? &methods_rpc_subscribed : &methods_rpc, &context);
	if (client->subscription != before)
		audience_join(&c->audience, client->subscription, client);
	return more;
}

static void leave_queue(struct control *c, struct connection *client)
{
	DL_DELETE2(c->ready, client, ready_prev, ready_next);
	client->is_ready = false;
}

static void join_queue(struct control *c, struct connection *client)
{
	DL_APPEND2(c->ready, client, ready_prev, ready_next);
	client->is_ready = true;
}

static void serve_next(struct control *c)
{
	struct connection *client = c->ready;

	leave_queue(c, client);
	if (serve_one(c, client))
		join_queue(c, client);
}

static bool has_work(const struct control *c)
{
	return c->ready || audience_is_due(&c->audience);
}

static void work(uv_idle_t *idle)
{
	struct control *c = idle->data;
	uint64_t until_ns = uv_hrtime() + TURN_NS;

	while (has_work(c) && uv_hrtime() < until_ns) {
		if (c->ready)
			serve_next(c);
		if (audience_is_due(&c->audience))
			audience_flush_one(&c->audience);
	}
	if (!has_work(c))
		(void)uv_idle_stop(&c->work);
}

static void wake(struct control *c)
{
	if (has_work(c))
		(void)uv_idle_start(&c->work, work);
}

static void client_ready(void *data, struct connection *client)
{
	struct control *c = data;

	if (c->closing || client->is_ready)
		return;
	join_queue(c, client);
	wake(c);
}

static void client_drained(void *data, struct connection *client)
{
	struct control *c = data;

	if (c->closing || !client->subscription)
		return;
	audience_drained(&c->audience, client->subscription);
	wake(c);
}

/* ---- clients ---- */

static void unsubscribe(struct control *c, struct connection *client)
{
	if (client->subscription)
		audience_leave(&c->audience, client->subscription);
	client->subscription = NULL;
}

static void client_closed(void *data, struct connection *client)
{
	struct control *c = data;

	unsubscribe(c, client);
	reports_leave(&c->reports, client);
	if (client->is_ready)
		leave_queue(c, client);
	DL_DELETE(c->clients, client);
	c->limit.used--;
	free_if_closed(c);
}

/* Tells a client that there is no place for it, as far as it takes that in
 * without waiting. */
static void refuse(struct control *c, int fd)
{
	char *text;
	size_t size;

	c->limit.refused++;
	if (rpc_complain(RPC_BOUND, "too many clients are connected", &text,
		    &size) == 0) {
		(void)send(fd, text, size, MSG_DONTWAIT | MSG_NOSIGNAL);
		free(text);
	}
	connection_drain(fd);
	(void)close(fd);
}

/* Those who went without a word leave their places to others. */
static void close_deserted(struct control *c)
{
	struct connection *client;

	DL_FOREACH(c->clients, client)
	if (connection_is_deserted(client))
		connection_close(client);
}

static void accepted(void *data, int fd)
{
	struct control *c = data;
	const struct connection_callbacks callbacks = {
		.ready = client_ready,
		.drained = client_drained,
		.closed = client_closed,
		.data = c,
	};
	struct connection *client;

	close_deserted(c);
	if (c->limit.used >= c->limit.bound) {
		refuse(c, fd);
		return;
	}
	if (connection_new(&client, c->loop, fd, &callbacks) < 0) {
		(void)close(fd);
		return;
	}
	DL_APPEND(c->clients, client);
	c->limit.used++;
}

static void trouble(void *data, int error, uint64_t times)
{
	struct control *c = data;

	if (c->handles.trouble)
		c->handles.trouble(c->handles.data, error, times);
}

/* ---- events ---- */

bool server_wants(struct control *c, const struct event *e)
{
	return c && !c->closing && audience_wants(&c->audience, e);
}

bool control_carries(const struct control *c, const char *group)
{
	return c && !c->closing && audience_carries(&c->audience, group);
}

void server_tell(struct control *c, struct event *e)
{
	audience_tell(&c->audience, e);
	json_decref(e->params);
	wake(c);
}

const struct control_handles *server_handles(const struct control *c)
{
	return &c->handles;
}

/* ---- beginning, change and end ---- */

static int listen_anew(struct control *c, const struct control_options *options,
	pid_t *ret_pid)
{
	const struct listener_callbacks callbacks = {
		.accepted = accepted,
		.trouble = trouble,
		.data = c,
	};
	struct listener *l;
	int r;

	r = listener_new(&l, c->loop, options, &callbacks, ret_pid);
	if (r < 0)
		return r;
	listener_close(c->listener);
	c->listener = l;
	return 0;
}

int control_new(struct control **ret, uv_loop_t *loop,
	const struct control_handles *handles,
	const struct control_options *options, pid_t *ret_pid)
{
	struct control *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->loop = loop;
	c->handles = *handles;
	c->started_at = time(NULL) -
			(time_t)((uv_now(loop) - handles->started_ms) / 1000);
	c->gid = options->gid;
	c->limit.bound = options->clients;
	audience_init(&c->audience, handles->relay);
	r = listen_anew(c, options, ret_pid);
	if (r < 0)
		goto fail;
	(void)uv_idle_init(loop, &c->work);
	c->work.data = c;
	*ret = c;
	return 0;
fail:
	free(c);
	return r;
}

int control_reconfigure(struct control *c,
	const struct control_options *options, pid_t *ret_pid)
{
	struct control_options own = *options;
	int r;

	own.fd = -1;
	if (listener_serves(c->listener, &own))
		r = listener_set_access(c->listener, &own);
	else
		r = listen_anew(c, &own, ret_pid);
	if (r < 0)
		return r;
	c->gid = own.gid;
	c->limit.bound = own.clients;
	return 0;
}

static void work_closed(uv_handle_t *handle)
{
	struct control *c = handle->data;

	c->work_closed = true;
	free_if_closed(c);
}

void control_close(struct control *c)
{
	struct connection *client;

	if (!c || c->closing)
		return;
	c->closing = true;
	listener_close(c->listener);
	DL_FOREACH(c->clients, client)
	{
		/* At once: the relay may go before the loop runs again. */
		unsubscribe(c, client);
		connection_close(client);
	}
	uv_close((uv_handle_t *)&c->work, work_closed);
}
