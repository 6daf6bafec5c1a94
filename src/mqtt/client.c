/*
 * What libmosquitto is told, and tells. It is driven from outside, as a
 * "threaded" client: so it writes nothing on its own, and all that fails does
 * so where client_read() and client_write() see it.
 */
#include "mqtt/assertion.h"
#include "mqtt/session_internal.h"
#include "mqtt/words.h"

#include <errno.h>
#include <mqtt_protocol.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMERIC_HOST = 128 };

void session_blame(struct session *s, const char *format, ...)
{
	va_list args;

	if (s->why[0] != '\0')
		return;
	va_start(args, format);
	(void)vsnprintf(s->why, sizeof(s->why), format, args);
	va_end(args);
}

/* ---- What it tells ---- */

/*
 * libmosquitto reads on while TLS has something, however long that is. It looks
 * at errno, too, after each packet, and goes back to us for this one.
 */
static void go_back(void)
{
	errno = EAGAIN;
}

static uint8_t byte_of(const mosquitto_property *p, int id, uint8_t otherwise)
{
	uint8_t value = otherwise;

	(void)mosquitto_property_read_byte(p, id, &value, false);
	return value;
}

static void heed(struct session *s, const mosquitto_property *p)
{
	uint16_t most = UINT16_MAX, keepalive = SESSION_KEEPALIVE_S;

	(void)mosquitto_property_read_int16(
		p, MQTT_PROP_RECEIVE_MAXIMUM, &most, false);
	(void)mosquitto_property_read_int16(
		p, MQTT_PROP_SERVER_KEEP_ALIVE, &keepalive, false);
	(void)mosquitto_property_read_int32(
		p, MQTT_PROP_MAXIMUM_PACKET_SIZE, &s->packet_max, false);
	s->window = most < BROKER_WINDOW ? most : BROKER_WINDOW;
	s->keepalive_s = keepalive;
	s->qos = byte_of(p, MQTT_PROP_MAXIMUM_QOS, 2) == 0 ? 0 : 1;
	if (most == 0)
		session_blame(s, "it does not speak MQTT 5 properly");
	if (byte_of(p, MQTT_PROP_RETAIN_AVAILABLE, 1) == 0)
		session_blame(s, "it keeps no retained messages");
}

static void on_connect(struct mosquitto *client, void *data, int reason,
	int flags, const mosquitto_property *properties)
{
	struct session *s = data;
	char words[128];

	(void)client;
	(void)flags;
	if (s->opened || s->phase != SESSION_GREETING) {
		session_blame(s, "it does not speak MQTT 5 properly");
	} else if (reason != 0) {
		words_of_reason(reason, words, sizeof(words));
		session_blame(s, "%s", words);
	} else {
		heed(s, properties);
		s->opened = true;
	}
	go_back();
}

static void on_message(struct mosquitto *client, void *data,
	const struct mosquitto_message *m, const mosquitto_property *properties)
{
	struct session *s = data;

	(void)client;
	if (s->phase == SESSION_OPEN && s->why[0] == '\0')
		s->setup.callbacks.message(s->setup.callbacks.data,
			&(const struct broker_message){
				.topic = m->topic,
				.payload = m->payload,
				.size = (size_t)m->payloadlen,
				.retained = m->retain,
				.properties = properties,
			});
	go_back();
}

static void refuse(struct session *s, int reason)
{
	char words[128];

	if (reason < 0x80 || s->phase != SESSION_OPEN)
		return;
	words_of_reason(reason, words, sizeof(words));
	s->setup.callbacks.refused(s->setup.callbacks.data, words);
}

static void on_publish(struct mosquitto *client, void *data, int mid,
	int reason, const mosquitto_property *properties)
{
	struct session *s = data;

	(void)client;
	(void)mid;
	(void)properties;
	if (s->published > 0)
		s->published--;
	s->room = true;
	refuse(s, reason);
}

static void answered(struct session *s)
{
	if (s->asked > 0)
		s->asked--;
	s->room = true;
}

static void on_subscribe(struct mosquitto *client, void *data, int mid, int n,
	const int *granted, const mosquitto_property *properties)
{
	struct session *s = data;

	(void)client;
	(void)mid;
	(void)properties;
	answered(s);
	for (int i = 0; i < n; i++)
		refuse(s, granted[i]);
}

static void on_unsubscribe(struct mosquitto *client, void *data, int mid,
	const mosquitto_property *properties)
{
	(void)client;
	(void)mid;
	(void)properties;
	answered(data);
}

/*
 * The library has no other way to tell that something came, that the broker
 * ends the connection and what for, and what OpenSSL says.
 */
static void on_log(
	struct mosquitto *client, void *data, int level, const char *text)
{
	static const char client_word[] = "Client ", received[] = " received ",
			  goodbye[] = "Received DISCONNECT (",
			  openssl[] = "OpenSSL Error[";
	struct session *s = data;
	const char *id = s->setup.client, *at;
	char words[128];
	int reason;

	(void)client;
	(void)level;
	if (strncmp(text, goodbye, sizeof(goodbye) - 1) == 0) {
		reason = (int)strtol(text + sizeof(goodbye) - 1, NULL, 10);
		s->lost = reason == MQTT_RC_SERVER_SHUTTING_DOWN;
		words_of_reason(reason, words, sizeof(words));
		session_blame(s, "it ended the connection: %s", words);
	} else if (strncmp(text, openssl, sizeof(openssl) - 1) == 0 &&
		   tls_reason(&s->prepare->context)[0] == '\0') {
		at = strrchr(text, ':');
		session_blame(s, "TLS: %s", at != NULL ? at + 1 : text);
	} else if (strncmp(text, client_word, sizeof(client_word) - 1) == 0) {
		at = text + sizeof(client_word) - 1;
		if (strncmp(at, id, strlen(id)) == 0 &&
			strncmp(at + strlen(id), received,
				sizeof(received) - 1) == 0) {
			s->packets++;
			go_back();
		}
	}
}

void client_blame(struct session *s, int rc, int error)
{
	const char *tls = tls_reason(&s->prepare->context);

	s->lost |= s->why[0] == '\0';
	if (tls[0] != '\0' && s->phase <= SESSION_GREETING) {
		s->why[0] = '\0';
		session_blame(s, "%s", tls);
	}
	if (rc == MOSQ_ERR_KEEPALIVE)
		session_blame(
			s, "it has not answered for %u s", s->keepalive_s);
	if (rc == MOSQ_ERR_PROTOCOL || rc == MOSQ_ERR_MALFORMED_PACKET ||
		rc == MOSQ_ERR_CONN_REFUSED || rc == MOSQ_ERR_NOT_SUPPORTED ||
		rc == MOSQ_ERR_MALFORMED_UTF8)
		session_blame(s, "it does not speak MQTT 5 properly");
	if (rc == MOSQ_ERR_NOMEM)
		session_blame(s, "%s", strerror(ENOMEM));
	if (error != 0 && error != EAGAIN && error != EPROTO &&
		error != ECONNRESET && error != EPIPE)
		session_blame(s, "%s", strerror(error));
	session_blame(s, "it closed the connection%s",
		s->phase == SESSION_GREETING ? " before it answered" : "");
}

/* ---- What it is told ---- */

static void set_callbacks(struct mosquitto *m)
{
	mosquitto_connect_v5_callback_set(m, on_connect);
	mosquitto_message_v5_callback_set(m, on_message);
	mosquitto_publish_v5_callback_set(m, on_publish);
	mosquitto_subscribe_v5_callback_set(m, on_subscribe);
	mosquitto_unsubscribe_v5_callback_set(m, on_unsubscribe);
	mosquitto_log_callback_set(m, on_log);
}

static int set_options(struct session *s)
{
	const struct broker_will *will = s->setup.will;
	const struct prepare *p = s->prepare;
	struct mosquitto *m = s->client;
	int rc = mosquitto_threaded_set(m, true);

	rc |= mosquitto_int_option(
		m, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
	rc |= mosquitto_int_option(m, MOSQ_OPT_RECEIVE_MAXIMUM, BROKER_WINDOW);
	rc |= mosquitto_int_option(m, MOSQ_OPT_TCP_NODELAY, 1);
	if (p->tls) {
		rc |= mosquitto_void_option(
			m, MOSQ_OPT_SSL_CTX, p->context.context);
		rc |= mosquitto_int_option(
			m, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
	}
	if (p->user != NULL)
		rc |= mosquitto_username_pw_set(m, p->user, p->password);
	if (will != NULL)
		rc |= mosquitto_will_set_v5(m, will->topic, (int)will->size,
			will->payload, 1, true, NULL);
	return rc == MOSQ_ERR_SUCCESS ? 0 : -EINVAL;
}

/*
 * Only the call that blocks takes properties; it keeps them, though, and those
 * that come after it use them. So it is called in a way that fails.
 */
static int keep_properties(struct mosquitto *m)
{
	mosquitto_property *p = NULL;
	int rc = mosquitto_property_add_int32(
		&p, MQTT_PROP_MAXIMUM_PACKET_SIZE, BROKER_PACKET_MAX);

	if (rc == MOSQ_ERR_SUCCESS)
		(void)mosquitto_connect_bind_v5(
			m, NULL, 0, SESSION_KEEPALIVE_S, NULL, p);
	mosquitto_property_free_all(&p);
	return rc;
}

/*
 * While TLS shakes hands libmosquitto takes a connection that has failed for
 * one that goes on, over and over; what failed is to be seen in errno alone.
 */
static bool has_failed(const struct session *s)
{
	return client_is_shaking_hands(s) && errno != 0 && errno != EAGAIN &&
	       errno != EINPROGRESS && errno != EINTR;
}

/* `why` is said here, since errno may be a code of getaddrinfo()'s. */
static int dial(struct session *s)
{
	const struct addrinfo *a = s->address;
	char host[NUMERIC_HOST];
	int rc = getnameinfo(a->ai_addr, a->ai_addrlen, host, sizeof(host),
		NULL, 0, NI_NUMERICHOST);

	if (rc != 0) {
		session_blame(s, "%s", gai_strerror(rc));
		return -EINVAL;
	}
	errno = 0;
	rc = mosquitto_connect_bind_async(s->client, host,
		(int)strtol(s->prepare->port, NULL, 10), SESSION_KEEPALIVE_S,
		NULL);
	if (rc == MOSQ_ERR_SUCCESS && has_failed(s))
		rc = MOSQ_ERR_ERRNO;
	if (rc == MOSQ_ERR_SUCCESS && mosquitto_socket(s->client) >= 0)
		return 0;
	client_blame(s, rc, rc == MOSQ_ERR_ERRNO ? errno : 0);
	return -ECONNREFUSED;
}

int client_new(struct session *s)
{
	int r;

	s->why[0] = s->prepare->context.reason[0] = '\0';
	s->partial = s->weighed = false;
	s->client = mosquitto_new(s->setup.client, true, s);
	if (s->client == NULL) {
		session_blame(s, "%s", strerror(errno));
		return -ENOMEM;
	}
	set_callbacks(s->client);
	if (set_options(s) < 0 || keep_properties(s->client) != 0) {
		session_blame(s, "what is to be said to it is not valid");
		r = -EINVAL;
		goto fail;
	}
	r = dial(s);
	if (r == 0)
		return 0;
fail:
	client_free(s);
	return r;
}

void client_free(struct session *s)
{
	mosquitto_destroy(s->client);
	s->client = NULL;
}

/* ---- How it is driven ---- */

bool client_is_shaking_hands(const struct session *s)
{
	SSL *ssl = mosquitto_ssl_get(s->client);

	return ssl != NULL && !SSL_is_init_finished(ssl);
}

bool client_has_more(const struct session *s)
{
	SSL *ssl = mosquitto_ssl_get(s->client);

	return ssl != NULL && SSL_pending(ssl) > 0;
}

int client_events(const struct session *s)
{
	SSL *ssl = mosquitto_ssl_get(s->client);

	if (client_is_shaking_hands(s))
		return SSL_want_write(ssl) ? UV_WRITABLE : UV_READABLE;
	return UV_READABLE |
	       (mosquitto_want_write(s->client) ? UV_WRITABLE : 0);
}

/* What comes next, without taking it. Returns how many bytes; 0: none yet; or
 * -1: reading will tell. */
static int peek(const struct session *s, uint8_t *bytes, int size)
{
	SSL *ssl = mosquitto_ssl_get(s->client);
	int n;

	if (ssl == NULL)
		return tap_peek(s->tap, bytes, size);
	n = SSL_peek(ssl, bytes, size);
	if (n <= 0)
		n = SSL_get_error(ssl, n) == SSL_ERROR_WANT_READ ? 0 : -1;
	ERR_clear_error();
	return n;
}

/* libmosquitto would make room for 256 MB, whatever we said we would take. */
static bool is_too_large(const uint8_t *header, int n)
{
	uint32_t size = 0;

	for (int i = 1; i < n; i++) {
		size |= (uint32_t)(header[i] & 127) << (7 * (i - 1));
		if (header[i] < 128)
			break;
	}
	return size > BROKER_PACKET_MAX;
}

/* False where there is nothing to read, or nothing that should be. */
static bool may_read(struct session *s)
{
	uint8_t header[5];
	int n;

	if (s->partial || client_is_shaking_hands(s))
		return true;
	n = peek(s, header, sizeof(header));
	if (is_too_large(header, n)) {
		session_blame(s, "it sends more than %d bytes in one packet",
			BROKER_PACKET_MAX);
		return false;
	}
	return n != 0;
}

static int take_one(struct mosquitto *client)
{
	return mosquitto_loop_read(client, 1);
}

/* One packet, since on_log() goes back for each; or some of one. */
static int read_one(struct session *s)
{
	uint64_t before = s->packets;
	bool greeting = client_is_shaking_hands(s);
	int rc;

	errno = 0;
	rc = assertion_survive(take_one, s->client, MOSQ_ERR_PROTOCOL);
	s->partial = !greeting && s->packets == before;
	if (rc == MOSQ_ERR_SUCCESS && has_failed(s))
		rc = MOSQ_ERR_ERRNO;
	return rc;
}

int client_read(struct session *s)
{
	int rc = MOSQ_ERR_SUCCESS;

	for (int n = 0; n < SESSION_PACKETS_A_TURN && may_read(s); n++) {
		rc = read_one(s);
		if (rc != MOSQ_ERR_SUCCESS || mosquitto_socket(s->client) < 0 ||
			s->partial || s->opened || s->why[0] != '\0')
			break;
	}
	return rc;
}

int client_write(struct session *s)
{
	if (client_is_shaking_hands(s) || !mosquitto_want_write(s->client))
		return MOSQ_ERR_SUCCESS;
	errno = 0;
	return mosquitto_loop_write(s->client, 1);
}
