/*
 * load: sends datagrams to a group at a pace, each with a stamp of its own.
 *
 * usage: load DEVICE GROUP PORT [--rate N] [--seconds S | --count N]
 *             [--size BYTES] [--payload opaque|mixed|mdns]
 *
 * --rate      datagrams a second; 0, the default, is as many as will go
 * --seconds   for how long, such as 0.5; 1 by default
 * --count     how many, instead
 * --size      bytes of each that is opaque; 256 by default
 * --payload   mixed: opaque, of up to that size, and no two in a row the same
 *             mdns: announcements of 500 services in turn, whose text differs
 *
 * Prints what was sent in the form key=value. A burst is due every 100 us. What
 * was held up is made up for, but LATE_MAX of them at most: more at once would
 * be another load than the one that was asked for.
 */
#include "bench.h"

#include <err.h>
#include <getopt.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE_MAX_BYTES = 1400, SIZE_BYTES = 256, BURST_MAX = 64 };
enum { SEGMENTED_MAX = 65000 }; /* one datagram, before it is cut */
enum { SERVICES = 500, WAKEUPS = 10000, LATE_MAX = 1000 };

struct text {
	uint8_t bytes[SIZE_MAX_BYTES];
	size_t size;
	void *stamp;
};

struct load {
	int fd;
	struct bench_group group;
	uint64_t rate, duration_ns, count; /* one of the last two */
	size_t size;
	bool mdns, mixed, is_segmented;
	struct text *texts; /* sent in turn; no burst has one twice */
	size_t n_texts;
	uint64_t sent;
	uint64_t due_ns; /* when the next one is */
};

static void parse(struct load *l, int argc, char *argv[])
{
	static const struct option options[] = {
		{ "rate", required_argument, NULL, 'r' },
		{ "seconds", required_argument, NULL, 's' },
		{ "count", required_argument, NULL, 'c' },
		{ "size", required_argument, NULL, 'b' },
		{ "payload", required_argument, NULL, 'p' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'r')
			l->rate = (uint64_t)bench_number(optarg, 0);
		else if (c == 's')
			l->duration_ns = (uint64_t)(atof(optarg) * 1e9);
		else if (c == 'c')
			l->count = (uint64_t)bench_number(optarg, 1);
		else if (c == 'b')
			l->size = (size_t)bench_number(optarg, STAMP_BYTES);
		else if (c == 'p') {
			l->mdns = strcmp(optarg, "mdns") == 0;
			l->mixed = strcmp(optarg, "mixed") == 0;
		} else
			errx(2, "see the head of load.c");
	}
	if (argc - optind != 3 || l->size > SIZE_MAX_BYTES ||
		(l->mixed && l->size < BURST_MAX + STAMP_BYTES))
		errx(2, "see the head of load.c");
}

static void write_texts(struct load *l)
{
	char stamp[STAMP_BYTES + 1] = "";

	bench_stamp(stamp, 0, 0);
	l->n_texts = l->mdns ? SERVICES : BURST_MAX;
	l->texts = calloc(l->n_texts, sizeof(*l->texts));
	if (!l->texts)
		err(99, "memory");
	for (size_t i = 0; i < l->n_texts; i++) {
		struct text *t = &l->texts[i];
		const uint8_t address[4] = { 10, 64, (uint8_t)(i >> 8),
			(uint8_t)i };

		if (l->mdns) {
			t->size = bench_announcement((long)i, address, stamp,
				t->bytes, sizeof(t->bytes));
		} else {
			memcpy(t->bytes, stamp, STAMP_BYTES);
			t->size = l->size;
			/* Each is of another size than its neighbours. */
			if (l->mixed)
				t->size -= i % BURST_MAX;
		}
		t->stamp = bench_find_stamp(t->bytes, t->size);
		if (!t->stamp)
			errx(99, "no room for the stamp");
	}
}

static void open_socket(struct load *l, unsigned device)
{
	struct ip_mreqn via = { .imr_ifindex = (int)device };
	int fd = socket(l->group.family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		err(99, "socket");
	if (l->group.broadcast) {
		bench_set(fd, SOL_SOCKET, SO_BROADCAST, 1);
		bench_set(fd, SOL_SOCKET, SO_BINDTOIFINDEX, (int)device);
	} else if (l->group.family == AF_INET) {
		bench_set(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
		if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &via,
			    sizeof(via)) < 0)
			err(99, "IP_MULTICAST_IF");
	} else {
		bench_set(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
		bench_set(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)device);
	}
	/* Connected: a route for each would slow the flood down. */
	if (l->group.family == AF_INET6)
		l->group.to.v6.sin6_scope_id = device;
	if (connect(fd, &l->group.to.any, l->group.size) < 0)
		err(99, "connect");
	/* The kernel cuts a flood up at the receiver, or sending would be
	 * slower than the relay. */
	if (!l->rate && !l->mdns && !l->mixed &&
		l->size * BURST_MAX < SEGMENTED_MAX) {
		bench_set(fd, SOL_UDP, UDP_SEGMENT, (int)l->size);
		l->is_segmented = true;
	}
	l->fd = fd;
}

static void send_all(struct load *l, struct mmsghdr *m, unsigned n)
{
	unsigned done = 0;

	while (done < n) {
		int r = sendmmsg(l->fd, m + done, n - done, 0);

		if (r < 0)
			err(99, "sendmmsg");
		done += (unsigned)r;
	}
}

static void send_burst(struct load *l, unsigned n)
{
	struct mmsghdr m[BURST_MAX] = { 0 };
	struct iovec iov[BURST_MAX];
	const uint64_t now = bench_now_ns(CLOCK_REALTIME);

	for (unsigned i = 0; i < n; i++) {
		struct text *t = &l->texts[(l->sent + i) % l->n_texts];

		bench_stamp(t->stamp, l->sent + i, now);
		iov[i] = (struct iovec){ t->bytes, t->size };
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	if (l->is_segmented) {
		m[0].msg_hdr.msg_iovlen = n;
		n = 1;
	}
	send_all(l, m, n);
}

/* How many are due by now, at most so many; waits until one is. */
static unsigned due(struct load *l)
{
	const uint64_t left = l->count ? l->count - l->sent : BURST_MAX;
	const uint64_t most = left < BURST_MAX ? left : BURST_MAX;
	uint64_t burst = l->rate / WAKEUPS ? l->rate / WAKEUPS : 1;
	uint64_t now, late_ns, n;

	if (!l->rate)
		return (unsigned)most;
	if (burst > most)
		burst = most;
	/* Until the last one of the burst is. */
	bench_sleep_until_ns(l->due_ns + (burst - 1) * 1000000000 / l->rate);
	now = bench_now_ns(CLOCK_MONOTONIC);
	late_ns = UINT64_C(1000000000) * LATE_MAX / l->rate;
	if (now > l->due_ns + late_ns)
		l->due_ns = now - late_ns;
	n = (now - l->due_ns) * l->rate / 1000000000 + 1;
	if (n > most)
		n = most;
	l->due_ns += n * 1000000000 / l->rate;
	return (unsigned)n;
}

int main(int argc, char *argv[])
{
	struct load l = { .size = SIZE_BYTES };
	uint64_t start, now;

	parse(&l, argc, argv);
	if (!l.count && !l.duration_ns)
		l.duration_ns = 1000000000;
	bench_group(&l.group, argv[optind + 1], argv[optind + 2]);
	open_socket(&l, bench_device(argv[optind]));
	write_texts(&l);
	start = now = l.due_ns = bench_now_ns(CLOCK_MONOTONIC);
	while (l.count ? l.sent < l.count : now - start < l.duration_ns) {
		unsigned n = due(&l);

		send_burst(&l, n);
		l.sent += n;
		now = bench_now_ns(CLOCK_MONOTONIC);
	}
	printf("sent=%llu seconds=%.6f rate=%.0f\n", (unsigned long long)l.sent,
		(double)(now - start) / 1e9,
		(double)l.sent * 1e9 / (double)(now - start + 1));
	free(l.texts);
	return 0;
}
