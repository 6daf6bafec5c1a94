/*
 * crierd as a process: a loop of its own, and what concerns all of a process.
 */
#include "daemon/daemon.h"
#include "udp/udp.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <syslog.h>

/* Every segment sends by a socket of its own: the usual 1,024 are few. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

int daemon_run(const struct daemon_options *options)
{
	struct daemon *d;
	uv_loop_t loop;
	int err;

	raise_file_limit();
	/* A client that goes away while it is answered is no reason to die. */
	(void)signal(SIGPIPE, SIG_IGN);
	/* It is raised where `source: preserve` needs it. */
	(void)udp_lower_raw();
	err = uv_loop_init(&loop);
	if (err < 0) {
		service_log(&options->log, LOG_ERR, NULL, "cannot start: %s",
			strerror(-err));
		return DAEMON_FAILED;
	}
	err = daemon_new(&d, &loop, options);
	/* Until a signal closes the daemon, or what the failed start opened is
	 * closed again. */
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&loop) < 0)
		service_log(&options->log, LOG_ERR, NULL,
			"a handle was left open at the end");
	if (err < 0)
		return err == -EBADMSG ? DAEMON_BAD_CONFIG : DAEMON_FAILED;
	return DAEMON_OK;
}
