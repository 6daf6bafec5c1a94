/*
 * sink: hears on devices what `load` sends, and tells what is missing.
 *
 * usage: sink DEVICE[,DEVICE...] GROUP PORT [--seconds S] [--count N]
 *             [--idle MS]
 *
 * Prints "ready" once it hears. Ends, with a line of key=value, by SIGTERM when
 * all that has arrived by then is read; after S seconds (600 by default); when
 * each device has brought N distinct ones; or when nothing has come for MS ms
 * after the first one.
 *
 * devices=    how many devices
 * heard=      distinct datagrams, on all devices together
 * least=      distinct datagrams of the device that brought fewest
 * twice=      copies beyond the first
 * overflow=   lost by the sink itself, whose buffer was full: must be 0
 * p50_us= p99_us= max_us=    from just before sending to the kernel's stamp at
 *             arrival, so without the time until this program runs
 */
#include "bench.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
	BUFFER_BYTES = 64 * 1024 * 1024,
	DEVICES_MAX = 64,
	BATCH = 64,
	ROOM = 1500,
	CONTROL = 128,
	SAMPLES_MAX = 1 << 20,
};

struct ear {
	int fd;
	uint8_t *seen; /* a bit for each number */
	size_t bytes;
	uint64_t heard;
	uint32_t overflow;
};

struct sink {
	struct ear ear[DEVICES_MAX];
	struct pollfd poll[DEVICES_MAX + 1]; /* the last one tells of SIGTERM */
	size_t n_ears;
	uint64_t heard, twice, count;
	uint64_t end_ns;
	int idle_ms;
	uint32_t *samples_ns;
	size_t n_samples;
};

/* What one call reads. */
struct batch {
	struct mmsghdr m[BATCH];
	struct iovec iov[BATCH];
	uint8_t payload[BATCH][ROOM];
	union {
		struct cmsghdr align;
		uint8_t bytes[CONTROL];
	} control[BATCH];
};

static void parse(struct sink *s, int argc, char *argv[])
{
	static const struct option options[] = {
		{ "seconds", required_argument, NULL, 's' },
		{ "count", required_argument, NULL, 'c' },
		{ "idle", required_argument, NULL, 'i' },
		{ 0 },
	};
	long seconds = 600;
	int c;

	s->idle_ms = -1;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's')
			seconds = bench_number(optarg, 1);
		else if (c == 'c')
			s->count = (uint64_t)bench_number(optarg, 1);
		else if (c == 'i')
			s->idle_ms = (int)bench_number(optarg, 1);
		else
			errx(2, "see the head of sink.c");
	}
	if (argc - optind != 3)
		errx(2, "see the head of sink.c");
	s->end_ns =
		bench_now_ns(CLOCK_MONOTONIC) + (uint64_t)seconds * 1000000000;
}

static void open_ears(
	struct sink *s, char *devices, const struct bench_group *g)
{
	char *save = NULL;

	for (char *d = strtok_r(devices, ",", &save); d;
		d = strtok_r(NULL, ",", &save)) {
		struct ear *e = &s->ear[s->n_ears];

		if (s->n_ears == DEVICES_MAX)
			errx(2, "too many devices");
		e->fd = bench_bind(g, BUFFER_BYTES);
		bench_set(e->fd, SOL_SOCKET, SO_BINDTOIFINDEX,
			(int)bench_device(d));
		bench_set(e->fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
		bench_set(e->fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
		bench_join(e->fd, g, bench_device(d));
		s->poll[s->n_ears++] =
			(struct pollfd){ .fd = e->fd, .events = POLLIN };
	}
}

static void watch_for_end(struct sink *s)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	s->poll[s->n_ears] = (struct pollfd){
		.fd = signalfd(-1, &set, SFD_CLOEXEC),
		.events = POLLIN,
	};
	if (s->poll[s->n_ears].fd < 0)
		err(99, "signalfd");
}

/* ---- one datagram ---- */

/* True if it is the first one of this number on this device. */
static bool is_new(struct ear *e, uint64_t number)
{
	const size_t byte = number / 8;
	const uint8_t bit = (uint8_t)(1 << number % 8);
	size_t bytes = e->bytes ? e->bytes : 65536;
	bool known;

	if (number > UINT64_C(1) << 32)
		errx(99, "a number that nobody sends");
	while (byte >= bytes)
		bytes *= 2;
	if (bytes > e->bytes) {
		e->seen = realloc(e->seen, bytes);
		if (!e->seen)
			err(99, "memory");
		memset(e->seen + e->bytes, 0, bytes - e->bytes);
		e->bytes = bytes;
	}
	known = e->seen[byte] & bit;
	e->seen[byte] |= bit;
	return !known;
}

/* When it arrived; 0 if that is not told. */
static uint64_t read_control(struct ear *e, struct msghdr *m)
{
	uint64_t ns = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		struct timespec t;

		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_TIMESTAMPNS) {
			memcpy(&t, CMSG_DATA(c), sizeof(t));
			ns = (uint64_t)t.tv_sec * 1000000000 +
			     (uint64_t)t.tv_nsec;
		} else if (c->cmsg_type == SO_RXQ_OVFL) {
			memcpy(&e->overflow, CMSG_DATA(c), sizeof(uint32_t));
		}
	}
	return ns;
}

static void take(struct sink *s, struct ear *e, struct mmsghdr *m)
{
	const uint64_t arrived = read_control(e, &m->msg_hdr);
	uint64_t number, sent;
	const void *stamp =
		bench_find_stamp(m->msg_hdr.msg_iov->iov_base, m->msg_len);

	if (!stamp || !bench_read_stamp(stamp, &number, &sent))
		return;
	if (!is_new(e, number)) {
		s->twice++;
		return;
	}
	e->heard++;
	s->heard++;
	if (arrived > sent && s->n_samples < SAMPLES_MAX)
		s->samples_ns[s->n_samples++] =
			(uint32_t)(arrived - sent < UINT32_MAX ? arrived - sent
							       : UINT32_MAX);
}

/* Returns whether there may be more. */
static bool read_batch(struct sink *s, struct ear *e)
{
	static struct batch b;
	int n;

	for (int i = 0; i < BATCH; i++) {
		b.iov[i] = (struct iovec){ b.payload[i], ROOM };
		b.m[i].msg_hdr = (struct msghdr){
			.msg_iov = &b.iov[i],
			.msg_iovlen = 1,
			.msg_control = b.control[i].bytes,
			.msg_controllen = CONTROL,
		};
	}
	n = recvmmsg(e->fd, b.m, BATCH, MSG_DONTWAIT, NULL);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		err(99, "recvmmsg");
	for (int i = 0; i < n; i++)
		take(s, e, &b.m[i]);
	return n == BATCH;
}

/* ---- all of them ---- */

static uint64_t least(const struct sink *s)
{
	uint64_t n = UINT64_MAX;

	for (size_t i = 0; i < s->n_ears; i++)
		if (s->ear[i].heard < n)
			n = s->ear[i].heard;
	return n;
}

/* How long to wait for more. */
static int patience_ms(const struct sink *s)
{
	const uint64_t now = bench_now_ns(CLOCK_MONOTONIC);
	const int left =
		now < s->end_ns ? (int)((s->end_ns - now) / 1000000) + 1 : 0;

	return s->idle_ms >= 0 && s->heard && s->idle_ms < left ? s->idle_ms
								: left;
}

static void listen_all(struct sink *s)
{
	while (poll(s->poll, s->n_ears + 1, patience_ms(s)) > 0) {
		for (size_t i = 0; i < s->n_ears; i++)
			while (read_batch(s, &s->ear[i]))
				;
		/* What was there when the signal came is read by now. */
		if (s->poll[s->n_ears].revents)
			return;
		if (s->count && least(s) >= s->count)
			return;
	}
}

static int by_size(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void report(struct sink *s)
{
	const uint32_t *t = s->samples_ns;
	const size_t n = s->n_samples;
	unsigned long overflow = 0;

	for (size_t i = 0; i < s->n_ears; i++)
		overflow += s->ear[i].overflow;
	qsort(s->samples_ns, n, sizeof(*t), by_size);
	printf("devices=%zu heard=%llu least=%llu twice=%llu overflow=%lu",
		s->n_ears, (unsigned long long)s->heard,
		(unsigned long long)least(s), (unsigned long long)s->twice,
		overflow);
	if (n)
		printf(" p50_us=%.1f p99_us=%.1f max_us=%.1f", t[n / 2] / 1e3,
			t[n * 99 / 100] / 1e3, t[n - 1] / 1e3);
	(void)puts("");
}

int main(int argc, char *argv[])
{
	static struct sink s;
	struct bench_group g;

	parse(&s, argc, argv);
	bench_group(&g, argv[optind + 1], argv[optind + 2]);
	s.samples_ns = calloc(SAMPLES_MAX, sizeof(*s.samples_ns));
	if (!s.samples_ns)
		err(99, "memory");
	open_ears(&s, argv[optind], &g);
	watch_for_end(&s);
	(void)puts("ready");
	(void)fflush(stdout);
	listen_all(&s);
	report(&s);
	for (size_t i = 0; i < s.n_ears; i++) {
		(void)close(s.ear[i].fd);
		free(s.ear[i].seen);
	}
	(void)close(s.poll[s.n_ears].fd);
	free(s.samples_ns);
	return 0;
}
