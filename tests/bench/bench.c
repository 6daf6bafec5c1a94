#include "bench.h"

#include "proto/proto.h"

#include <arpa/inet.h>
#include <err.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

long bench_number(const char *text, long least)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (*text == '\0' || *end != '\0' || n < least)
		errx(2, "\"%s\" is no number from %ld on", text, least);
	return n;
}

unsigned bench_device(const char *name)
{
	unsigned index = if_nametoindex(name);

	if (index == 0)
		err(99, "%s", name);
	return index;
}

uint64_t bench_now_ns(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void bench_sleep_until_ns(uint64_t due_ns)
{
	const struct timespec t = {
		.tv_sec = (time_t)(due_ns / 1000000000),
		.tv_nsec = (long)(due_ns % 1000000000),
	};

	(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

/* ---- groups ---- */

void bench_group(struct bench_group *ret, const char *address, const char *port)
{
	struct bench_group g = { .family = AF_INET };

	g.port = (uint16_t)bench_number(port, 1);
	if (inet_pton(AF_INET, address, &g.to.v4.sin_addr) == 1) {
		g.to.v4.sin_family = AF_INET;
		g.to.v4.sin_port = htons(g.port);
		g.size = sizeof(g.to.v4);
		g.broadcast = g.to.v4.sin_addr.s_addr == INADDR_NONE;
	} else if (inet_pton(AF_INET6, address, &g.to.v6.sin6_addr) == 1) {
		g.family = g.to.v6.sin6_family = AF_INET6;
		g.to.v6.sin6_port = htons(g.port);
		g.size = sizeof(g.to.v6);
	} else {
		errx(2, "\"%s\" is no address", address);
	}
	*ret = g;
}

void bench_set(int fd, int level, int name, int value)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)) < 0)
		err(99, "setsockopt %d %d", level, name);
}

int bench_bind(const struct bench_group *g, int buffer_bytes)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	struct bench_group at = *g;
	int fd = socket(g->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		err(99, "socket");
	bench_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	bench_set(fd, SOL_SOCKET, SO_RCVBUFFORCE, buffer_bytes);
	if (g->family == AF_INET6)
		at.to.v6.sin6_scope_id = 1;
	if (bind(fd, &at.to.any, at.size) < 0)
		err(99, "bind");
	if (g->family == AF_INET6 && connect(fd, &nobody, sizeof(nobody)) < 0)
		err(99, "connect");
	return fd;
}

void bench_join(int fd, const struct bench_group *g, unsigned device)
{
	struct group_req r = { .gr_interface = device };
	int level = g->family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;

	if (g->broadcast)
		return;
	memcpy(&r.gr_group, &g->to, g->size);
	if (setsockopt(fd, level, MCAST_JOIN_GROUP, &r, sizeof(r)) < 0)
		err(99, "join on device %u", device);
}

/* ---- stamps ---- */

static void put_digits(char *at, uint64_t n)
{
	for (int i = STAMP_DIGITS - 1; i >= 0; i--, n >>= 4)
		at[i] = "0123456789abcdef"[n & 15];
}

static bool get_digits(const char *at, uint64_t *ret)
{
	uint64_t n = 0;

	for (int i = 0; i < STAMP_DIGITS; i++) {
		const char c = at[i];

		if (c >= '0' && c <= '9')
			n = n << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			n = n << 4 | (uint64_t)(c - 'a' + 10);
		else
			return false;
	}
	*ret = n;
	return true;
}

void bench_stamp(void *at, uint64_t number, uint64_t sent_ns)
{
	char *digits = (char *)at + sizeof(STAMP_KEY) - 1;

	memcpy(at, STAMP_KEY, sizeof(STAMP_KEY) - 1);
	put_digits(digits, number);
	put_digits(digits + STAMP_DIGITS, sent_ns);
}

void *bench_find_stamp(void *payload, size_t size)
{
	uint8_t *at = memmem(payload, size, STAMP_KEY, sizeof(STAMP_KEY) - 1);

	return at && (uint8_t *)payload + size - at >= STAMP_BYTES ? at : NULL;
}

bool bench_read_stamp(
	const void *at, uint64_t *ret_number, uint64_t *ret_sent_ns)
{
	const char *digits = (const char *)at + sizeof(STAMP_KEY) - 1;

	return get_digits(digits, ret_number) &&
	       get_digits(digits + STAMP_DIGITS, ret_sent_ns);
}

/* ---- announcements ---- */

__attribute__((format(printf, 2, 3))) static void name_of(
	struct mdns_name *ret, const char *format, ...)
{
	char text[64];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (mdns_name_from_text(text, ret) < 0)
		errx(99, "not a name: %s", text);
}

size_t bench_announcement(long i, const uint8_t address[4], const char *text,
	uint8_t *out, size_t room)
{
	char *strings[] = { (char *)text };
	const struct proto_list txt = { strings, 1 };
	struct mdns_name type, instance, host;
	struct mdns_writer w;
	int r;

	name_of(&type, "_sensor._udp.local");
	name_of(&instance, "Sensor\\032%ld._sensor._udp.local", i);
	name_of(&host, "sensor-%ld.local", i);
	r = mdns_begin(&w, out, room, 0, MDNS_RESPONSE | MDNS_AUTHORITATIVE);
	r |= mdns_put_ptr(&w, MDNS_ANSWER, &type, 4500, &instance);
	r |= mdns_put_srv(&w, MDNS_ANSWER, &instance, 120, 8000, &host);
	r |= mdns_put_txt(&w, MDNS_ANSWER, &instance, 4500, &txt);
	r |= mdns_put_address(&w, MDNS_ANSWER, &host, 120, address, 4);
	if (r < 0)
		errx(99, "cannot build an announcement");
	return w.used;
}
