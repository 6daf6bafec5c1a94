/*
 * crier-mqtt as a process: a loop, signals, and the configuration.
 *
 * A reload with another configuration begins anew with it: what is announced
 * is at the broker, and comes back from there.
 */
#include "config/config.h"
#include "mqtt/carrier.h"
#include "mqtt/mqtt.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

enum { SIGNALS = 3 };

struct process {
	uv_loop_t loop;
	const struct mqtt_options *options;
	struct carrier *carrier;
	uv_signal_t signals[SIGNALS];
	size_t n_signals;
	uv_timer_t watchdog;
};

/* ---- the configuration ---- */

static void log_error(
	const struct mqtt_options *o, const struct config_error *e)
{
	const struct service_fields fields = {
		.path = e->path,
		.line = e->line,
	};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return;
	config_error_print(e, o->config, out);
	if (fclose(out) == 0)
		service_log(&o->log, LOG_ERR, &fields, "%s", text);
	free(text);
}

static int load(const struct mqtt_options *o, struct config_sites **ret)
{
	struct config_errors errors;
	int r = config_sites_load(o->config, ret, &errors);

	for (size_t i = 0; i < errors.n; i++)
		log_error(o, &errors.at[i]);
	config_errors_done(&errors);
	if (r == 0 && o->socket != NULL) {
		char *socket = strdup(o->socket);

		if (socket == NULL) {
			config_sites_free(*ret);
			return -ENOMEM;
		}
		free((*ret)->socket);
		(*ret)->socket = socket;
	}
	return r;
}

static int load_to(const char *path, struct config_sites **ret, FILE *err)
{
	struct config_errors errors;
	int r = config_sites_load(path, ret, &errors);

	config_errors_print(&errors, path, err);
	config_errors_done(&errors);
	if (r == -EINVAL)
		return MQTT_BAD_CONFIG;
	if (r < 0) {
		(void)fprintf(err, "crier-mqtt: %s: %s\n", path, strerror(-r));
		return MQTT_FAILED;
	}
	return MQTT_OK;
}

int mqtt_check(const char *path, FILE *out, FILE *err)
{
	struct config_sites *c;
	int status = load_to(path, &c, err);

	if (status != MQTT_OK)
		return status;
	config_sites_free(c);
	return fprintf(out, "%s: ok\n", path) < 0 || fflush(out) != 0
		       ? MQTT_FAILED
		       : MQTT_OK;
}

int mqtt_dump_config(const char *path, FILE *out, FILE *err)
{
	struct config_sites *c;
	int status = load_to(path, &c, err);

	if (status != MQTT_OK)
		return status;
	if (config_sites_dump(c, out) < 0 || fflush(out) != 0)
		status = MQTT_FAILED;
	config_sites_free(c);
	return status;
}

/* ---- signals and the watchdog ---- */

static void reload(struct process *p)
{
	const struct service_log *log = &p->options->log;
	struct config_sites *config;
	struct carrier *carrier;
	int r;

	service_notify_reloading();
	r = load(p->options, &config);
	if (r == 0) {
		r = carrier_new(&carrier, &p->loop, config, log);
		if (r < 0)
			config_sites_free(config);
	}
	if (r == 0) {
		carrier_close(p->carrier);
		p->carrier = carrier;
		service_log(log, LOG_NOTICE, NULL,
			"the configuration is loaded anew");
	} else {
		service_log(log, LOG_ERR, NULL,
			"the configuration stays as it was: %s",
			r == -EINVAL ? "the new one is not valid"
				     : strerror(-r));
	}
	service_notify_ready();
}

static void close_handle(uv_handle_t *h)
{
	if (!uv_is_closing(h))
		uv_close(h, NULL);
}

static void stop(struct process *p)
{
	service_notify_stopping("Says goodbye to the broker.");
	carrier_close(p->carrier);
	p->carrier = NULL;
	for (size_t i = 0; i < p->n_signals; i++)
		close_handle((uv_handle_t *)&p->signals[i]);
	close_handle((uv_handle_t *)&p->watchdog);
}

static void on_signal(uv_signal_t *h, int number)
{
	struct process *p = h->data;

	if (number == SIGHUP)
		reload(p);
	else
		stop(p);
}

static int start_signals(struct process *p)
{
	static const int numbers[SIGNALS] = { SIGHUP, SIGINT, SIGTERM };
	int r;

	for (size_t i = 0; i < SIGNALS; i++) {
		r = uv_signal_init(&p->loop, &p->signals[i]);
		if (r < 0)
			return r;
		p->signals[i].data = p;
		p->n_signals++;
		r = uv_signal_start(&p->signals[i], on_signal, numbers[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

static void on_watchdog(uv_timer_t *t)
{
	(void)t;
	service_notify_watchdog();
}

static int start(struct process *p, struct config_sites *config)
{
	uint64_t watchdog_ms = service_watchdog_ms();
	int r = start_signals(p);

	if (r == 0)
		r = carrier_new(
			&p->carrier, &p->loop, config, &p->options->log);
	if (r < 0)
		return r;
	if (watchdog_ms > 0)
		(void)uv_timer_start(&p->watchdog, on_watchdog, watchdog_ms / 2,
			watchdog_ms / 2);
	service_notify_ready();
	return 0;
}

int mqtt_run(const struct mqtt_options *options)
{
	const struct service_log *log = &options->log;
	struct process p = { .options = options };
	struct config_sites *config;
	int r, status = MQTT_OK;

	r = load(options, &config);
	if (r < 0)
		return r == -EINVAL ? MQTT_BAD_CONFIG : MQTT_FAILED;
	/* A peer that goes away while it is spoken to is no reason to die. */
	(void)signal(SIGPIPE, SIG_IGN);
	r = uv_loop_init(&p.loop);
	if (r < 0) {
		config_sites_free(config);
		service_log(
			log, LOG_ERR, NULL, "cannot start: %s", strerror(-r));
		return MQTT_FAILED;
	}
	(void)uv_timer_init(&p.loop, &p.watchdog); /* cannot fail */
	r = start(&p, config);
	if (r < 0) {
		service_log(
			log, LOG_ERR, NULL, "cannot start: %s", strerror(-r));
		config_sites_free(config);
		stop(&p);
		status = MQTT_FAILED;
	}
	(void)uv_run(&p.loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&p.loop) < 0)
		service_log(log, LOG_ERR, NULL,
			"a handle was left open at the end");
	return status;
}
