#include "udp_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fixture fx;

const int families[2] = { AF_INET, AF_INET6 };

__attribute__((format(printf, 1, 0))) static int run_shell(
	const char *format, va_list arguments)
{
	char command[2048];
	int n;

	n = vsnprintf(command, sizeof(command), format, arguments);
	ck_assert(n >= 0 && (size_t)n < sizeof(command));
	return system(command);
}

void sh(const char *format, ...)
{
	va_list arguments;
	int r;

	va_start(arguments, format);
	r = run_shell(format, arguments);
	va_end(arguments);
	ck_assert_msg(r == 0, "failed with %d: %s", r, format);
}

int try_sh(const char *format, ...)
{
	va_list arguments;
	int r;

	va_start(arguments, format);
	r = run_shell(format, arguments);
	va_end(arguments);
	return r;
}

void set_sysctl(const char *path, const char *value)
{
	char name[256];
	FILE *f;

	(void)snprintf(name, sizeof(name), "/proc/sys/net/%s", path);
	f = fopen(name, "w");
	ck_assert_msg(f != NULL, "%s: %s", name, strerror(errno));
	ck_assert_int_ge(fputs(value, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static int own_namespace(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

void fixture_go_away(void)
{
	ck_assert_int_eq(setns(fx.away, CLONE_NEWNET), 0);
}

void fixture_go_home(void)
{
	ck_assert_int_eq(setns(fx.home, CLONE_NEWNET), 0);
}

static void fixture_begin(void)
{
	memset(&fx, 0, sizeof(fx));
	fx.away = -1;
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	fx.home = own_namespace();
	sh("ip link set lo up");
	ck_assert_int_eq(uv_loop_init(&fx.loop), 0);
	ck_assert_int_eq(uv_timer_init(&fx.loop, &fx.deadline), 0);
	ck_assert_int_eq(udp_batch_new(&fx.batch, 16, 2048), 0);
}

static void fixture_end(void)
{
	for (unsigned i = 0; i < fx.n_handles; i++)
		udp_close(&fx.handles[i], NULL);
	uv_close((uv_handle_t *)&fx.deadline, NULL);
	ck_assert_int_eq(uv_run(&fx.loop, UV_RUN_DEFAULT), 0);
	ck_assert_int_eq(uv_loop_close(&fx.loop), 0);
	udp_batch_free(fx.batch);
	(void)close(fx.home);
	if (fx.away >= 0)
		(void)close(fx.away);
}

TCase *fixture_case(Suite *suite, const char *name)
{
	TCase *c = tcase_create(name);

	tcase_add_checked_fixture(c, fixture_begin, fixture_end);
	tcase_set_timeout(c, 60);
	suite_add_tcase(suite, c);
	return c;
}

int fixture_main(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int result = 77;

	if (unshare(CLONE_NEWNET) < 0) {
		perror("skipped, no network namespace");
	} else {
		srunner_run_all(runner, CK_NORMAL);
		result = srunner_ntests_failed(runner) == 0 ? 0 : 1;
	}
	srunner_free(runner);
	return result;
}

/*
 * Until the kernel's link watcher has seen a device up it may drop what is sent
 * there, and IPv6 is deaf on it. What takes the kernel's lock for devices after
 * this, such as giving it an address, comes after the watcher.
 */
static void wait_up(char end)
{
	sh("timeout 5 sh -c 'for i in 0 1 2; do "
	   "until ip link show %c$i | grep -q \"state UP\"; do :; done; done'",
		end);
}

/* Otherwise what comes from where no route leads is dropped. */
static void accept_any_source(void)
{
	set_sysctl("ipv4/conf/all/rp_filter", "0");
	set_sysctl("ipv4/conf/default/rp_filter", "0");
}

static void add_cables(void)
{
	/* Ends with the same index would have the link watcher take its time:
	 * it would not know them for a cable (linkwatch_urgent_event). */
	for (int i = 0; i < 3; i++)
		sh("ip link add r%d type veth peer name p%d index 1%d "
		   "netns /proc/%d/fd/%d && "
		   "ip link set r%d addrgenmode none up",
			i, i, i, (int)getpid(), fx.away, i);
	fixture_go_away();
	for (int i = 0; i < 3; i++)
		sh("ip link set p%d addrgenmode none up", i);
	wait_up('p');
	fixture_go_home();
	wait_up('r');
}

void fixture_devices(void)
{
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	fx.away = own_namespace();
	sh("ip link set lo up");
	accept_any_source();
	fixture_go_home();
	accept_any_source();
	add_cables();
	fx.r[0] = if_nametoindex("r0");
	fx.r[1] = if_nametoindex("r1");
	fx.r[2] = if_nametoindex("r2");
	sh("ip addr add 10.1.0.1/24 brd + dev r0 && "
	   "ip addr add 10.1.0.9/24 brd + dev r0 && "
	   "ip addr add 10.2.0.1/24 brd + dev r1 && "
	   "ip addr add 2001:db8:1::1/64 dev r0 nodad && "
	   "ip addr add 2001:db8:2::1/64 dev r1 nodad && "
	   "ip addr add fe80::1/64 dev r0 nodad && "
	   "ip addr add fe80::1/64 dev r1 nodad && "
	   "ip addr add fe80::1/64 dev r2 nodad");
	fixture_go_away();
	for (int i = 0; i < 3; i++)
		sh("ip addr add 10.%d.0.2/24 brd + dev p%d && "
		   "ip addr add 2001:db8:%d::2/64 dev p%d nodad && "
		   "ip addr add fe80::2/64 dev p%d nodad",
			i + 1, i, i + 1, i, i);
	fixture_go_home();
}

static void on_deadline(uv_timer_t *timer)
{
	(void)timer;
	fx.expired = true;
}

void fixture_arm(void)
{
	fx.expired = false;
	ck_assert_int_eq(uv_timer_start(&fx.deadline, on_deadline, 5000, 0), 0);
}

void fixture_disarm(void)
{
	(void)uv_timer_stop(&fx.deadline);
}

union udp_address address(const char *text, uint16_t port)
{
	union udp_address a = { .in6 = { .sin6_port = htons(port) } };
	char host[INET6_ADDRSTRLEN];
	const char *device = strchr(text, '%');
	size_t size = device ? (size_t)(device - text) : strlen(text);

	ck_assert_uint_lt(size, sizeof(host));
	memcpy(host, text, size);
	host[size] = '\0';
	if (inet_pton(AF_INET, host, &a.in.sin_addr) == 1) {
		a.in.sin_family = AF_INET;
		return a;
	}
	ck_assert_int_eq(inet_pton(AF_INET6, host, &a.in6.sin6_addr), 1);
	a.in6.sin6_family = AF_INET6;
	if (device) {
		a.in6.sin6_scope_id = if_nametoindex(device + 1);
		ck_assert_uint_ne(a.in6.sin6_scope_id, 0);
	}
	return a;
}

union udp_address loopback(int family, uint16_t port)
{
	return address(family == AF_INET ? "127.0.0.1" : "::1", port);
}

bool same_host(const union udp_address *a, const union udp_address *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	return IN6_ARE_ADDR_EQUAL(&a->in6.sin6_addr, &b->in6.sin6_addr) &&
	       a->in6.sin6_scope_id == b->in6.sin6_scope_id;
}

bool same_address(const union udp_address *a, const union udp_address *b)
{
	/* Both families keep the port in the same place. */
	return same_host(a, b) && a->in.sin_port == b->in.sin_port;
}

struct udp *new_handle(void)
{
	struct udp *u = &fx.handles[fx.n_handles];

	ck_assert_uint_lt(fx.n_handles, HANDLES_MAX);
	fx.n_handles++;
	ck_assert_int_eq(udp_init(&fx.loop, u), 0);
	return u;
}

struct udp *bound_handle(const union udp_address *a, unsigned flags)
{
	struct udp *u = new_handle();

	ck_assert_int_eq(udp_bind(u, a, flags), 0);
	return u;
}

struct udp *hearing_handle(const union udp_address *a, unsigned flags)
{
	struct udp *u = bound_handle(a, flags);

	ck_assert_int_eq(udp_recv_start(u, fx.batch, record), 0);
	return u;
}

struct ear *ear_of(const struct udp *u)
{
	return &fx.ears[u - fx.handles];
}

void record(struct udp *u, ssize_t n, const struct udp_datagram *datagrams,
	uint32_t kernel_dropped)
{
	struct ear *e = ear_of(u);

	ck_assert(n != 0);
	e->dropped += kernel_dropped;
	if (n < 0) {
		e->errors++;
		e->last_error = (int)n;
		return;
	}
	e->calls++;
	if ((size_t)n > e->largest)
		e->largest = (size_t)n;
	for (ssize_t i = 0; i < n; i++) {
		struct seen *s = &e->seen[e->n++];
		size_t size = datagrams[i].size;

		ck_assert_uint_le(e->n, SEEN_MAX);
		s->told = datagrams[i];
		s->told.data = NULL;
		if (size > sizeof(s->bytes))
			size = sizeof(s->bytes);
		memcpy(s->bytes, datagrams[i].data, size);
	}
}

union udp_address name_of(const struct udp *u)
{
	union udp_address a;

	ck_assert_int_eq(udp_getsockname(u, &a), 0);
	return a;
}

int plain_socket(int family, const union udp_address *a)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	if (a)
		ck_assert_int_eq(bind(fd, &a->sa, udp_address_size(a)), 0);
	return fd;
}

union udp_address closed_port(int family)
{
	union udp_address a = loopback(family, 0);
	int fd = plain_socket(family, &a);
	socklen_t size = sizeof(a);

	ck_assert_int_eq(getsockname(fd, &a.sa, &size), 0);
	(void)close(fd);
	return a;
}

void say(struct udp *u, const char *text, const union udp_address *to)
{
	uv_buf_t buf = uv_buf_init((char *)text, (unsigned)strlen(text));

	ck_assert_int_eq(udp_try_send(u, &buf, 1, to), (int)buf.len);
}

bool heard(const struct udp *u, size_t i, const char *text)
{
	const struct ear *e = ear_of(u);

	return i < e->n && e->seen[i].told.size == strlen(text) &&
	       memcmp(e->seen[i].bytes, text, strlen(text)) == 0;
}
