/*
 * Drives src/mqtt/broker.c for broker.sh: one client, which writes what happens
 * to standard output, a line each.
 *
 * usage: broker [OPTION]... URL...
 *   --ca PATH --cert PATH --key PATH --insecure --user NAME --password WORD
 *   --password-file PATH --plain HOST   as crier-mqtt.yaml's
 *   --site NAME --config PATH    what the client's id is made of
 *   --subscribe PATTERN    at each connection
 *   --publish TOPIC        one retained message of QoS 1 at each connection
 *   --flood SIZE           messages to "flood" without end, as long as there
 *                          is room
 *   --last TOPIC           published just before the end
 *
 * SIGTERM ends it; SIGUSR1 has it say how it is.
 */
#include "mqtt/broker.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 8 };

struct test {
	uv_loop_t loop;
	uv_signal_t term, usr1;
	uv_timer_t beat; /* shows that the loop goes on */
	uint64_t beaten_ms, worst_ms;
	struct config_sites config;
	struct config_broker brokers[MOST];
	char *plain;
	struct broker *broker;
	const char *subscribe, *publish, *last;
	size_t flood;
	char *payload;
	unsigned long long sent, messages, bytes, readies;
};

static void say(const char *what, const char *more)
{
	printf("%s%s%s\n", what, more[0] != '\0' ? ": " : "", more);
	(void)fflush(stdout);
}

static void flood(struct test *t)
{
	int r = 0;

	if (t->flood == 0)
		return;
	while (r == 0) {
		r = broker_publish(t->broker, "flood", t->payload, t->flood,
			(int)(t->sent % 2), false, NULL);
		if (r == 0)
			t->sent++;
	}
	if (r != -EAGAIN && r != -ENOTCONN)
		say("publish", strerror(-r));
}

static void on_connected(void *data)
{
	struct test *t = data;

	say("up", broker_url(t->broker));
	if (t->subscribe != NULL &&
		broker_subscribe(t->broker, t->subscribe, 1, true) != 0)
		say("subscribe", "failed");
	if (t->publish != NULL && broker_publish(t->broker, t->publish, "here",
					  4, 1, true, NULL) != 0)
		say("publish", "failed");
	flood(t);
}

static void on_disconnected(void *data, const char *why)
{
	(void)data;
	say("down", why);
}

static void on_message(void *data, const struct broker_message *m)
{
	struct test *t = data;

	t->messages++;
	t->bytes += m->size;
	if (m->size > 64)
		return;
	printf("message: %s %.*s%s\n", m->topic, (int)m->size,
		(const char *)m->payload, m->retained ? " retained" : "");
	(void)fflush(stdout);
}

static void on_ready(void *data)
{
	struct test *t = data;

	t->readies++;
	flood(t);
}

static void on_refused(void *data, const char *why)
{
	(void)data;
	say("refused", why);
}

static void on_warned(void *data, const char *what)
{
	(void)data;
	say("warned", what);
}

static void on_beat(uv_timer_t *beat)
{
	struct test *t = beat->data;
	uint64_t now = uv_hrtime() / 1000000;

	if (t->beaten_ms != 0 && now - t->beaten_ms > t->worst_ms)
		t->worst_ms = now - t->beaten_ms;
	t->beaten_ms = now;
}

static void report(const struct test *t)
{
	printf("report: sent %llu messages %llu bytes %llu readies %llu "
	       "worst_ms %llu state %d error %s\n",
		t->sent, t->messages, t->bytes, t->readies,
		(unsigned long long)t->worst_ms, (int)broker_state(t->broker),
		broker_error(t->broker));
	(void)fflush(stdout);
}

static void on_usr1(uv_signal_t *handle, int number)
{
	(void)number;
	report(handle->data);
}

static void on_term(uv_signal_t *handle, int number)
{
	struct test *t = handle->data;

	(void)number;
	if (t->last != NULL && broker_publish(t->broker, t->last, "bye", 3, 1,
				       true, NULL) != 0)
		say("last", "failed");
	report(t);
	broker_close(t->broker);
	uv_close((uv_handle_t *)&t->term, NULL);
	uv_close((uv_handle_t *)&t->usr1, NULL);
	uv_close((uv_handle_t *)&t->beat, NULL);
}

/* As the parser would. */
static void add_url(struct test *t, char *url)
{
	struct config_broker *b = &t->brokers[t->config.n_brokers++];
	char *host = strstr(url, "://") + 3, *port;

	b->url = url;
	b->tls = strncmp(url, "mqtts:", 6) == 0;
	port = strrchr(host, ':');
	b->port = (uint16_t)atoi(port + 1);
	if (host[0] == '[')
		b->host = strndup(host + 1, (size_t)(port - host - 2));
	else
		b->host = strndup(host, (size_t)(port - host));
}

static void set(struct test *t, const char *name, char *value)
{
	struct config_sites *c = &t->config;
	const struct {
		const char *name;
		char **to;
	} texts[] = {
		{ "ca", &c->tls.ca },
		{ "cert", &c->tls.certificate },
		{ "key", &c->tls.key },
		{ "user", &c->user },
		{ "password", &c->password },
		{ "password-file", &c->password_file },
		{ "site", &c->site },
		{ "config", &c->path },
		{ "plain", &t->plain },
		{ "subscribe", (char **)&t->subscribe },
		{ "publish", (char **)&t->publish },
		{ "last", (char **)&t->last },
	};

	if (strcmp(name, "insecure") == 0)
		c->tls.verify = false;
	if (strcmp(name, "flood") == 0)
		t->flood = (size_t)atoi(value);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(name, texts[i].name) == 0)
			*texts[i].to = value;
}

static void configure(struct test *t, int argc, char *argv[])
{
	static const struct option options[] = {
		{ "ca", required_argument, NULL, 1 },
		{ "cert", required_argument, NULL, 1 },
		{ "key", required_argument, NULL, 1 },
		{ "user", required_argument, NULL, 1 },
		{ "password", required_argument, NULL, 1 },
		{ "password-file", required_argument, NULL, 1 },
		{ "site", required_argument, NULL, 1 },
		{ "config", required_argument, NULL, 1 },
		{ "plain", required_argument, NULL, 1 },
		{ "subscribe", required_argument, NULL, 1 },
		{ "publish", required_argument, NULL, 1 },
		{ "last", required_argument, NULL, 1 },
		{ "flood", required_argument, NULL, 1 },
		{ "insecure", no_argument, NULL, 1 },
		{ NULL, 0, NULL, 0 },
	};
	int c, at = 0;

	t->config.path = argv[0];
	t->config.site = "here";
	t->config.tls.verify = true;
	t->config.brokers = t->brokers;
	while ((c = getopt_long(argc, argv, "", options, &at)) == 1)
		set(t, options[at].name, optarg);
	if (c == '?' || optind == argc || argc - optind > MOST)
		exit(2);
	for (; optind < argc; optind++)
		add_url(t, argv[optind]);
	if (t->plain != NULL)
		t->config.plain_text =
			(struct config_strings){ .at = &t->plain, .n = 1 };
}

int main(int argc, char *argv[])
{
	static struct test test;
	struct test *t = &test;
	const struct broker_will will = { "will", "lost", 4 };
	const struct broker_callbacks callbacks = { on_connected,
		on_disconnected, on_message, on_ready, on_refused, on_warned,
		t };
	int r;

	configure(t, argc, argv);
	t->payload = calloc(1, t->flood + 1);
	t->term.data = t->usr1.data = t->beat.data = t;
	if (t->payload == NULL || uv_loop_init(&t->loop) != 0 ||
		uv_signal_init(&t->loop, &t->term) != 0 ||
		uv_signal_init(&t->loop, &t->usr1) != 0 ||
		uv_timer_init(&t->loop, &t->beat) != 0 ||
		broker_new(&t->broker, &t->loop, &t->config, &will,
			&callbacks) != 0)
		return 99;
	(void)uv_signal_start(&t->term, on_term, SIGTERM);
	(void)uv_signal_start(&t->usr1, on_usr1, SIGUSR1);
	(void)uv_timer_start(&t->beat, on_beat, 10, 10);
	broker_start(t->broker);
	r = uv_run(&t->loop, UV_RUN_DEFAULT);
	if (r == 0)
		r = uv_loop_close(&t->loop);
	say("closed", r == 0 ? "" : uv_strerror(r));
	for (size_t i = 0; i < t->config.n_brokers; i++)
		free(t->brokers[i].host);
	free(t->payload);
	(void)mosquitto_lib_cleanup();
	return r == 0 ? 0 : 1;
}
