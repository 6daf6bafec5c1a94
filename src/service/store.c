/*
 * The fd store: descriptors that the service manager keeps for the process that
 * comes after this one, also where this one is killed (sd_notify(3), FDSTORE).
 */
#include "service/service.h"

#include <stdlib.h>

#ifdef HAVE_SYSTEMD

#include <stdio.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

/* FDPOLL=0: a socket's pending error is no reason to drop it. */
void service_store(const char *name, int fd)
{
	char text[256];

	(void)snprintf(
		text, sizeof(text), "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
	(void)sd_pid_notify_with_fds(0, 0, text, &fd, 1);
}

void service_unstore(const char *name)
{
	char text[256];

	(void)snprintf(text, sizeof(text), "FDSTOREREMOVE=1\nFDNAME=%s", name);
	(void)sd_notify(0, text);
}

void service_each_stored(
	void (*each)(void *data, const char *name, int fd), void *data)
{
	char **names = NULL;
	int n = sd_listen_fds_with_names(0, &names);

	for (int i = 0; i < n; i++) {
		int fd = SD_LISTEN_FDS_START + i;

		/* A socket of a .socket unit, which is not stored. */
		if (sd_is_socket(fd, AF_UNIX, 0, -1) <= 0)
			each(data, names[i], fd);
		free(names[i]);
	}
	free(names);
}

#else

void service_store(const char *name, int fd)
{
	(void)name;
	(void)fd;
}

void service_unstore(const char *name)
{
	(void)name;
}

void service_each_stored(
	void (*each)(void *data, const char *name, int fd), void *data)
{
	(void)each;
	(void)data;
}

#endif
