/*
 * The daemon's life: start, reload, stop.
 */
#include "daemon/internal.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

static void say(const struct daemon *d, int priority, const char *what, int err)
{
	service_log(&d->log, priority, NULL, "%s: %s", what, strerror(-err));
}

static int load(const struct daemon *d, struct config **ret,
	struct config_errors *errors)
{
	int err;

	err = config_load(d->path, ret, errors);
	if (err == -EINVAL)
		report_config_errors(d, errors);
	else if (err < 0)
		say(d, LOG_ERR, d->path, err);
	return err;
}

/* ---- devices ---- */

static void devices_changed(void *data)
{
	struct daemon *d = data;

	relay_devices_changed(d->relay);
	report_status(d);
}

static void devices_problem(void *data, int error)
{
	report_devices_problem(data, error);
}

/* What the relay tells of what it hears. */
static int start_listeners(struct daemon *d)
{
	struct discovery_callbacks discovery = report_discovery_callbacks(d);
	struct announce_callbacks announce = report_announce_callbacks(d);
	int err;

	err = discovery_new(&d->discovery, d->loop, d->relay,
		d->config->limits.discovered, &discovery);
	if (err == 0)
		err = announce_new(
			&d->announce, d->loop, d->relay, d->devices, &announce);
	if (err < 0)
		say(d, LOG_ERR, "cannot start", err);
	return err;
}

static int start_relay(struct daemon *d)
{
	struct net_devices_callbacks devices = {
		.changed = devices_changed,
		.problem = devices_problem,
		.data = d,
	};
	struct relay_callbacks relay = report_callbacks(d);
	int err;

	err = net_devices_new(&d->devices, d->loop, &devices);
	if (err < 0) {
		say(d, LOG_ERR, "devices: cannot ask the kernel", err);
		return err;
	}
	err = relay_new(&d->relay, d->loop, d->devices, &relay);
	if (err < 0) {
		say(d, LOG_ERR, "relay: cannot start", err);
		return err;
	}
	return start_listeners(d);
}

static int configure_relay(struct daemon *d)
{
	int err;

	err = relay_configure(d->relay, d->config);
	if (err == 0)
		err = announce_configure(d->announce, d->config);
	if (err < 0)
		say(d, LOG_ERR, "relay: cannot start", err);
	return err;
}

/* ---- control ---- */

static void running(void *data, struct control_running *ret)
{
	const struct daemon *d = data;

	*ret = (struct control_running){
		.config = d->config,
		.generation = d->generation,
		.loaded_at = d->loaded_at,
	};
}

static int reload(void *data, struct config_errors *errors)
{
	return daemon_reload(data, errors);
}

static int set_log_level(void *data, const char *level)
{
	struct daemon *d = data;

	return service_log_level_parse(level, &d->log.level);
}

/* (gid_t)-1 where it does not exist, which config_remarks() tells. A name
 * service that cannot tell takes no right from those who had it. */
static gid_t group_id(const struct daemon *d, const char *name)
{
	gid_t gid = (gid_t)-1;
	int err = config_find_group(name, &gid);

	if (err == 0 || err == -ENOENT)
		return gid;
	service_log(&d->log, LOG_WARNING, SERVICE_KIND(MESSAGE_CONTROL),
		"control.group: %s cannot be looked up: %s", name,
		strerror(-err));
	return strcmp(name, d->config->control.group) == 0 ? d->gid : gid;
}

static struct control_options control_options(
	const struct daemon *d, const struct config *c)
{
	return (struct control_options){
		.path = d->socket ? d->socket : c->control.socket,
		.mode = c->control.mode,
		.gid = group_id(d, c->control.group),
		.fd = -1,
		.clients = c->limits.clients,
	};
}

static void say_control(
	const struct daemon *d, const char *path, int err, pid_t pid)
{
	if (err == -EADDRINUSE)
		service_log(&d->log, LOG_ERR, SERVICE_KIND(MESSAGE_CONTROL),
			"control: %s: another crierd runs there, process %ld",
			path, (long)pid);
	else if (err == -ENOTSOCK)
		service_log(&d->log, LOG_ERR, SERVICE_KIND(MESSAGE_CONTROL),
			"control: %s: a file that is no socket is in the way",
			path);
	else
		say(d, LOG_ERR, path, err);
}

static int start_control(struct daemon *d, const char *version, int fd)
{
	struct control_handles handles = {
		.relay = d->relay,
		.discovery = d->discovery,
		.announce = d->announce,
		.devices = d->devices,
		.version = version,
		.started_ms = uv_now(d->loop),
		.running = running,
		.reload = reload,
		.set_log_level = set_log_level,
		.changing = report_client,
		.trouble = report_control_trouble,
		.data = d,
	};
	struct control_options options = control_options(d, d->config);
	pid_t pid = 0;
	int err;

	options.fd = fd;
	err = control_new(&d->control, d->loop, &handles, &options, &pid);
	if (err < 0)
		say_control(d, options.path, err, pid);
	else
		d->gid = options.gid;
	return err;
}

static int follow_control(
	struct daemon *d, const struct config *c, gid_t *ret_gid)
{
	struct control_options options = control_options(d, c);
	pid_t pid = 0;
	int err;

	err = control_reconfigure(d->control, &options, &pid);
	if (err < 0)
		say_control(d, options.path, err, pid);
	else
		*ret_gid = options.gid;
	return err;
}

/* ---- signals and the watchdog ---- */

static void on_signal(uv_signal_t *h, int number)
{
	struct daemon *d = h->data;

	if (number == SIGHUP)
		(void)daemon_reload(d, NULL);
	else if (number == SIGUSR1)
		daemon_log_status(d);
	else
		daemon_close(d);
}

static int start_signals(struct daemon *d)
{
	static const int numbers[DAEMON_SIGNALS] = { SIGHUP, SIGTERM, SIGINT,
		SIGUSR1 };
	size_t i;
	int err;

	for (i = 0; i < DAEMON_SIGNALS; i++) {
		err = uv_signal_init(d->loop, &d->signals[i]);
		if (err < 0)
			return err;
		d->signals[i].data = d;
		d->open_handles++;
		d->n_signals++;
		err = uv_signal_start(&d->signals[i], on_signal, numbers[i]);
		if (err < 0)
			return err;
	}
	return 0;
}

static void feed_watchdog(uv_timer_t *t)
{
	(void)t;
	service_notify_watchdog();
}

/* Fed from the loop itself, so that a stuck loop is seen. */
static int start_watchdog(struct daemon *d)
{
	uint64_t period = service_watchdog_ms() / 2;
	int err;

	if (!period)
		return 0;
	err = uv_timer_init(d->loop, &d->watchdog);
	if (err < 0)
		return err;
	d->watchdog.data = d;
	d->has_watchdog = true;
	d->open_handles++;
	return uv_timer_start(&d->watchdog, feed_watchdog, period, period);
}

/* ---- life ---- */

static void daemon_free(struct daemon *d)
{
	config_unref(d->config);
	free(d->path);
	free(d->socket);
	free(d);
}

static void handle_closed(uv_handle_t *h)
{
	struct daemon *d = h->data;

	if (--d->open_handles == 0)
		daemon_free(d);
}

void daemon_close(struct daemon *d)
{
	size_t i;

	if (!d || d->closing)
		return;
	d->closing = true;
	if (d->n_signals == DAEMON_SIGNALS) {
		status_stopping(d);
		service_log(&d->log, LOG_NOTICE, SERVICE_KIND(MESSAGE_STOPPING),
			"stopping");
	}
	control_close(d->control);
	keep_write(d);
	/* While there is a relay to say goodbye by. */
	announce_close(d->announce);
	discovery_close(d->discovery);
	relay_close(d->relay);
	net_devices_close(d->devices);
	keep_close(d, handle_closed);
	if (!d->open_handles) {
		daemon_free(d);
		return;
	}
	if (d->has_watchdog)
		uv_close((uv_handle_t *)&d->watchdog, handle_closed);
	if (d->status_timer.data)
		uv_close((uv_handle_t *)&d->status_timer, handle_closed);
	for (i = 0; i < d->n_signals; i++)
		uv_close((uv_handle_t *)&d->signals[i], handle_closed);
}

static int start(struct daemon *d, const struct daemon_options *options)
{
	struct config_errors errors = { 0 };
	int err;

	err = load(d, &d->config, &errors);
	config_errors_done(&errors);
	if (err < 0)
		return err == -EINVAL ? -EBADMSG : err;
	d->generation = 1;
	d->loaded_at = time(NULL);
	err = start_relay(d);
	if (err < 0)
		return err;
	/* Before anything is joined: this is where a second daemon ends. */
	err = start_control(d, options->version, options->control_fd);
	if (err < 0)
		return err;
	/* Not before: what the process before left is ours alone now. */
	if (d->keeps) {
		keep_open(d);
		keep_inherit(d);
	}
	err = configure_relay(d);
	if (err < 0)
		return err;
	if (d->keeps) {
		keep_resume(d);
		keep_start(d);
	}
	status_start(d);
	err = start_signals(d);
	if (err == 0)
		err = start_watchdog(d);
	if (err < 0)
		say(d, LOG_ERR, "cannot start", err);
	return err;
}

int daemon_new(struct daemon **ret, uv_loop_t *loop,
	const struct daemon_options *options)
{
	struct daemon *d = calloc(1, sizeof(*d));
	int err = -ENOMEM;

	if (!d) {
		service_log(&options->log, LOG_ERR, NULL, "cannot start: %s",
			strerror(ENOMEM));
		return -ENOMEM;
	}
	d->loop = loop;
	d->gid = (gid_t)-1;
	d->log = options->log;
	d->keeps = options->keeps;
	keep_init(&d->keep);
	d->path = strdup(options->config);
	d->socket = options->socket ? strdup(options->socket) : NULL;
	if (!d->path || (options->socket && !d->socket)) {
		say(d, LOG_ERR, "cannot start", err);
		goto fail;
	}
	err = start(d, options);
	if (err < 0)
		goto fail;
	report_remarks(d);
	report_status(d);
	service_notify_ready();
	report_started(d);
	*ret = d;
	return 0;
fail:
	daemon_close(d);
	return err;
}

static void take_over(struct daemon *d, struct config *c)
{
	config_unref(d->config);
	d->config = c;
	d->generation++;
	d->loaded_at = time(NULL);
	service_log(&d->log, LOG_NOTICE, SERVICE_KIND(MESSAGE_RELOADED),
		"%s: reloaded, generation %llu", d->path,
		(unsigned long long)d->generation);
	control_tell_config(d->control);
	report_remarks(d);
}

/* Those that are not taken over wait for the next reload. */
static int follow_announce(struct daemon *d)
{
	int err = announce_configure(d->announce, d->config);

	if (err < 0)
		say(d, LOG_ERR, "announcements: cannot reload", err);
	return 0;
}

static int reload_file(struct daemon *d, struct config_errors *errors)
{
	struct config *c;
	gid_t gid;
	int err;

	err = load(d, &c, errors);
	if (err < 0)
		return err;
	err = follow_control(d, c, &gid);
	if (err < 0)
		goto fail;
	announce_prepare(d->announce, c);
	err = relay_configure(d->relay, c);
	if (err < 0) {
		say(d, LOG_ERR, "relay: cannot reload", err);
		(void)follow_control(d, d->config, &gid);
		/* What has said goodbye is announced anew. */
		(void)announce_configure(d->announce, d->config);
		goto fail;
	}
	discovery_configure(d->discovery, c);
	take_over(d, c);
	d->gid = gid;
	return follow_announce(d);
fail:
	config_unref(c);
	return err;
}

int daemon_reload(struct daemon *d, struct config_errors *errors)
{
	struct config_errors own = { 0 };
	int err;

	service_notify_reloading();
	err = reload_file(d, errors ? errors : &own);
	d->refused[0] = '\0';
	if (err < 0) {
		status_refused(d, errors ? errors : &own);
		service_log(&d->log, LOG_ERR, SERVICE_KIND(MESSAGE_REFUSED),
			"%s: not reloaded; the configuration of generation "
			"%llu goes on",
			d->path, (unsigned long long)d->generation);
	}
	config_errors_done(&own);
	report_status(d);
	service_notify_ready();
	return err;
}
