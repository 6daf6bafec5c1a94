/*
 * By itself, since the C library's <netinet/tcp.h>, which <uv.h> brings, lacks
 * the end of struct tcp_info, and the kernel's own cannot be had beside it.
 */
#include "mqtt/consumed.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum {
	WANTED = offsetof(struct tcp_info, tcpi_bytes_received) +
		 sizeof(((struct tcp_info *)NULL)->tcpi_bytes_received),
};

uint64_t consumed(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t size = sizeof(info);
	unsigned waiting = 0;

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 ||
		size < WANTED || ioctl(fd, FIONREAD, &waiting) != 0 ||
		info.tcpi_bytes_received < waiting)
		return 0;
	return info.tcpi_bytes_received - waiting;
}
