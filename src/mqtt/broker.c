#include "mqtt/broker.h"
#include "mqtt/session.h"

#include <errno.h>
#include <fcntl.h>
#include <mqtt_protocol.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	/* The first wait is at most so long, and the longest. */
	FIRST_MS = 1000,
	LAST_MS = 60000,
	/* A connection of a minute was none of a series of failures. A broker
	 * that has taken us and is gone soon is likely to be restarted, and not
	 * waited for as long as one that does not want us. */
	LASTED_MS = 60000,
	GONE_MS = 2000,
	/* For a minute after such a loss no wait is longer: one that is
	 * restarted is to be found again within 5 s. */
	SOON_MS = 3000,
	SOON_FOR_MS = 60000,
	/* An attempt that was given up may still wait for a name server, in one
	 * of the four threads of the pool. */
	MOST_SESSIONS = 3,
};

struct broker {
	uv_loop_t *loop;
	const struct config_sites *config; /* NULL once it is closed */
	struct broker_callbacks callbacks;
	struct broker_will will;
	char client[sizeof("crier--01234567") + CONFIG_SITE_NAME];
	uv_timer_t timer;        /* until the next attempt */
	struct session *session; /* or NULL: waiting */
	unsigned sessions;       /* with those that have not quite ended */
	enum broker_state state;
	size_t turn; /* of config->brokers */
	uint64_t wait_ms;
	uint64_t connected_at_ms;
	uint64_t gone_at_ms; /* when it was last lost; 0: never */
	bool timer_is_closed;
	char error[512];
};

/* ---- Its memory ---- */

static void free_broker(struct broker *b)
{
	free((char *)b->will.topic);
	free((void *)b->will.payload);
	free(b);
}

static void release(struct broker *b)
{
	if (b->timer_is_closed && b->sessions == 0)
		free_broker(b);
}

static void on_timer_close(uv_handle_t *handle)
{
	struct broker *b = handle->data;

	b->timer_is_closed = true;
	release(b);
}

static void on_gone(void *data)
{
	struct broker *b = data;

	b->sessions--;
	release(b);
}

/* ---- What a session tells ---- */

static void try_later(struct broker *b);

static const struct config_broker *broker_of(const struct broker *b)
{
	return &b->config->brokers[b->turn % b->config->n_brokers];
}

static void fail(struct broker *b, const char *why)
{
	(void)snprintf(b->error, sizeof(b->error), "broker %s: %s",
		broker_of(b)->url, why);
	b->session = NULL;
	b->state = BROKER_WAITING;
	try_later(b);
	b->callbacks.disconnected(b->callbacks.data, b->error);
}

static void on_connected(void *data)
{
	struct broker *b = data;

	b->state = BROKER_CONNECTED;
	b->connected_at_ms = uv_now(b->loop);
	b->error[0] = '\0';
	b->callbacks.connected(b->callbacks.data);
}

static void on_ended(void *data, const char *why, bool lost)
{
	struct broker *b = data;

	if (b->state == BROKER_CONNECTED &&
		uv_now(b->loop) - b->connected_at_ms >= LASTED_MS)
		b->wait_ms = FIRST_MS;
	else if (b->state == BROKER_CONNECTED && lost && b->wait_ms > GONE_MS)
		b->wait_ms = GONE_MS;
	if (b->state == BROKER_CONNECTED && lost)
		b->gone_at_ms = uv_now(b->loop);
	fail(b, why);
}

static void on_message(void *data, const struct broker_message *m)
{
	struct broker *b = data;

	b->callbacks.message(b->callbacks.data, m);
}

static void on_ready(void *data)
{
	struct broker *b = data;

	b->callbacks.ready(b->callbacks.data);
}

static void on_refused(void *data, const char *why)
{
	struct broker *b = data;

	b->callbacks.refused(b->callbacks.data, why);
}

/* ---- Attempts ---- */

static void warn(struct broker *b, const struct config_broker *to)
{
	char text[512];

	if (b->callbacks.warned == NULL || !to->tls || b->config->tls.verify)
		return;
	(void)snprintf(text, sizeof(text),
		"broker %s: nothing is verified (verify: false), anybody "
		"between here and there can read and write everything",
		to->url);
	b->callbacks.warned(b->callbacks.data, text);
}

static void connect_now(struct broker *b)
{
	const struct config_broker *to = broker_of(b);
	const struct session_setup setup = {
		.config = b->config,
		.broker = to,
		.client = b->client,
		.will = b->will.topic != NULL ? &b->will : NULL,
		.callbacks = {
			.connected = on_connected,
			.ended = on_ended,
			.gone = on_gone,
			.message = on_message,
			.ready = on_ready,
			.refused = on_refused,
			.data = b,
		},
	};
	int r;

	if (b->sessions >= MOST_SESSIONS) {
		try_later(b);
		return;
	}
	r = session_new(&b->session, b->loop, &setup);
	if (r < 0) {
		fail(b, strerror(-r));
		return;
	}
	b->sessions++;
	b->state = BROKER_CONNECTING;
	warn(b, to);
}

static void on_timer(uv_timer_t *timer)
{
	struct broker *b = timer->data;

	b->turn++;
	connect_now(b);
}

/* "Full jitter": anything from 0 on, since what many sites that lost their
 * broker at once have to lose is that they do it at once. */
static void try_later(struct broker *b)
{
	uint64_t most = b->wait_ms;
	uint32_t random = 0;

	if (b->gone_at_ms != 0 &&
		uv_now(b->loop) - b->gone_at_ms < SOON_FOR_MS && most > SOON_MS)
		most = SOON_MS;
	if (uv_random(NULL, NULL, &random, sizeof(random), 0, NULL) != 0)
		random = UINT32_MAX;
	(void)uv_timer_start(&b->timer, on_timer, random % (most + 1), 0);
	b->wait_ms = b->wait_ms * 2 < LAST_MS ? b->wait_ms * 2 : LAST_MS;
}

/* ---- What the owner does ---- */

static bool copy_will(struct broker *b, const struct broker_will *will)
{
	void *payload;

	if (will == NULL)
		return true;
	b->will.topic = strdup(will->topic);
	b->will.payload = payload = malloc(will->size > 0 ? will->size : 1);
	b->will.size = will->size;
	if (b->will.topic == NULL || payload == NULL)
		return false;
	if (will->size > 0)
		memcpy(payload, will->payload, will->size);
	return true;
}

/* Of this machine, or just any where it has none. */
static size_t machine_id(char *id, size_t size)
{
	int fd = open("/etc/machine-id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, id, size);

	if (fd >= 0)
		(void)close(fd);
	if (n > 0)
		return (size_t)n;
	return uv_random(NULL, NULL, id, size, 0, NULL) == 0 ? size : 0;
}

/* Hashed: the machine's id is not for others to know. */
static void name_client(struct broker *b)
{
	unsigned char digest[EVP_MAX_MD_SIZE] = { 0 };
	char text[4096 + 64] = "crier-mqtt ";
	size_t n = strlen(text);

	n += machine_id(text + n, 32);
	if (b->config->path != NULL)
		n += (size_t)snprintf(
			text + n, 4096, "%.*s", 4095, b->config->path);
	(void)EVP_Digest(text, n, digest, NULL, EVP_sha256(), NULL);
	(void)snprintf(b->client, sizeof(b->client),
		"crier-%.*s-%02x%02x%02x%02x", CONFIG_SITE_NAME,
		b->config->site, digest[0], digest[1], digest[2], digest[3]);
}

int broker_new(struct broker **ret, uv_loop_t *loop,
	const struct config_sites *c, const struct broker_will *will,
	const struct broker_callbacks *callbacks)
{
	struct broker *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return -ENOMEM;
	if (!copy_will(b, will)) {
		free_broker(b);
		return -ENOMEM;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	(void)mosquitto_lib_init();
	b->loop = loop;
	b->config = c;
	b->callbacks = *callbacks;
	b->wait_ms = FIRST_MS;
	b->timer.data = b;
	name_client(b);
	(void)uv_timer_init(loop, &b->timer); /* does not fail */
	*ret = b;
	return 0;
}

static void on_first(uv_timer_t *timer)
{
	connect_now(timer->data);
}

/* From the loop, as all that calls the owner back. */
void broker_start(struct broker *b)
{
	(void)uv_timer_start(&b->timer, on_first, 0, 0);
}

void broker_close(struct broker *b)
{
	if (b == NULL)
		return;
	if (b->session != NULL)
		session_finish(b->session);
	b->session = NULL;
	b->state = BROKER_WAITING;
	b->config = NULL;
	uv_close((uv_handle_t *)&b->timer, on_timer_close);
}

enum broker_state broker_state(const struct broker *b)
{
	return b->state;
}

const char *broker_url(const struct broker *b)
{
	return broker_of(b)->url;
}

const char *broker_error(const struct broker *b)
{
	return b->error;
}

int broker_publish(struct broker *b, const char *topic, const void *payload,
	size_t size, int qos, bool retain, const mosquitto_property *properties)
{
	if (b->session == NULL)
		return -ENOTCONN;
	return session_publish(
		b->session, topic, payload, size, qos, retain, properties);
}

int broker_subscribe(struct broker *b, const char *pattern, int qos, bool local)
{
	int options = MQTT_SUB_OPT_RETAIN_AS_PUBLISHED;

	if (!local)
		options |= MQTT_SUB_OPT_NO_LOCAL;
	if (b->session == NULL)
		return -ENOTCONN;
	return session_subscribe(b->session, pattern, qos, options);
}

int broker_unsubscribe(struct broker *b, const char *pattern)
{
	if (b->session == NULL)
		return -ENOTCONN;
	return session_unsubscribe(b->session, pattern);
}
