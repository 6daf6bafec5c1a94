#include "service/plain.h"
#include "service/service.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#else

/* Without libsystemd: nobody to notify, and nobody who passes anything. */

static int sd_notify(int unset_environment, const char *state)
{
	(void)unset_environment;
	(void)state;
	return 0;
}

static int sd_watchdog_enabled(int unset_environment, uint64_t *ret_us)
{
	(void)unset_environment;
	(void)ret_us;
	return 0;
}

static int sd_listen_fds_with_names(int unset_environment, char ***ret_names)
{
	(void)unset_environment;
	(void)ret_names;
	return 0;
}

static int sd_is_socket_unix(
	int fd, int type, int listening, const char *path, size_t length)
{
	(void)fd;
	(void)type;
	(void)listening;
	(void)path;
	(void)length;
	return 0;
}

#define SD_LISTEN_FDS_START 3

#endif

/* The environment stays as it is: a second daemon in the process reads it
 * too, and crierd starts no children. */
enum { UNSET = 0 };

/* ---- notices ---- */

void service_notify_ready(void)
{
	(void)sd_notify(UNSET, "READY=1");
}

void service_notify_reloading(void)
{
	struct timespec now;
	char text[64];

	/* The time tells the manager which READY=1 ends this reload. */
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	(void)snprintf(text, sizeof(text),
		"RELOADING=1\nMONOTONIC_USEC=%lld%06ld", (long long)now.tv_sec,
		now.tv_nsec / 1000);
	(void)sd_notify(UNSET, text);
}

/* Plain, since what stands behind a newline would be another notice, and since
 * systemd drops what is no UTF-8. `notice` ends with "STATUS=". */
__attribute__((format(printf, 2, 0))) static void notify_with_status(
	const char *notice, const char *format, va_list ap)
{
	char raw[512], text[512];
	char *at = stpcpy(text, notice);

	(void)vsnprintf(raw, sizeof(raw), format, ap);
	plain_text(at, (size_t)(text + sizeof(text) - at), raw);
	(void)sd_notify(UNSET, text);
}

void service_notify_stopping(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	notify_with_status("STOPPING=1\nSTATUS=", format, ap);
	va_end(ap);
}

void service_notify_status(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	notify_with_status("STATUS=", format, ap);
	va_end(ap);
}

void service_notify_watchdog(void)
{
	(void)sd_notify(UNSET, "WATCHDOG=1");
}

uint64_t service_watchdog_ms(void)
{
	uint64_t us;

	return sd_watchdog_enabled(UNSET, &us) > 0 ? us / 1000 : 0;
}

/* ---- passed sockets ---- */

static int is_candidate(int fd)
{
	return sd_is_socket_unix(fd, SOCK_STREAM, 1, NULL, 0) > 0;
}

int service_listen_fd(void)
{
	char **names = NULL;
	int n = sd_listen_fds_with_names(UNSET, &names);
	int named = -1, other = -1, others = 0, fd;

	for (int i = 0; i < n; i++) {
		fd = SD_LISTEN_FDS_START + i;
		if (!is_candidate(fd)) {
			free(names[i]);
			continue;
		}
		if (named < 0 && !strcmp(names[i], "control"))
			named = fd;
		other = fd;
		others++;
		free(names[i]);
	}
	free(names);
	if (named >= 0)
		return named;
	return others == 1 ? other : -1;
}
