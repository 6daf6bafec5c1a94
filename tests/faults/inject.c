#include "inject.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ERRORS = 4, SLOTS = 1 << 16 };

/* A slot that was in use: what lies behind it is still to be found. */
#define GONE ((uintptr_t)1)

/* Volatile, since the compiler knows that malloc() changes no variables. */
static volatile bool is_armed;
static enum inject_kind kind;
static unsigned at, turn, counts[INJECT_KINDS];
static struct inject_failure failure;
static uintptr_t slots[SLOTS];
static size_t live;

/* ---- what fails ---- */

extern const char __executable_start[];

/* The errors that the manuals name, and that crier can meet. */
static const struct {
	const char *call;
	int errors[ERRORS];
} calls[] = {
	{ "socket", { EMFILE, ENOBUFS, ENFILE } },
	{ "accept4", { EMFILE, ECONNABORTED, EINTR, ENOBUFS } },
	{ "bind", { EADDRINUSE, ENOMEM, EADDRNOTAVAIL } },
	{ "listen", { EADDRINUSE } },
	{ "connect", { ENETUNREACH, ENOMEM, EINTR } },
	{ "setsockopt", { ENOBUFS, ENOMEM, ENODEV } },
	{ "getsockopt", { ENOBUFS } },
	{ "getsockname", { ENOBUFS } },
	{ "send", { ENOBUFS, EPIPE, EAGAIN } },
	{ "recv", { ECONNRESET, EINTR, ENOMEM } },
	{ "sendmsg", { ENOBUFS, EINTR, EAGAIN, ENODEV } },
	{ "sendmmsg", { ENOBUFS, EINTR, EAGAIN, ENODEV } },
	{ "recvmsg", { ENOBUFS, EINTR, ENOMEM } },
	{ "recvmmsg", { ENOMEM, EINTR, ENOBUFS } },
	{ "open", { EMFILE, EINTR, EACCES } },
	{ "fopen", { EMFILE, ENOENT } },
	{ "fstat", { EOVERFLOW } },
	{ "lstat", { EACCES } },
	{ "read", { EIO, EINTR } },
	{ "unlink", { EACCES, EROFS } },
	{ "chmod", { EPERM } },
	{ "memfd_create", { EMFILE, ENOMEM } },
	{ "mmap", { ENOMEM } },
	{ "ftruncate", { ENOSPC, EINTR } },
	{ "getrandom", { ENOSYS, EINTR } },
	{ "mnl_socket_open2", { EMFILE, ENOBUFS } },
	{ "mnl_socket_bind", { ENOMEM, EADDRINUSE } },
	{ "mnl_socket_sendto", { ENOBUFS, EINTR, ECONNREFUSED } },
};

/* Those that are allocations are not in the table. */
static int error_of(const char *call, bool lasts)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		unsigned n = 0;
		int error;

		if (strcmp(calls[i].call, call) != 0)
			continue;
		while (n < ERRORS && calls[i].errors[n])
			n++;
		error = calls[i].errors[(at + turn) % n];
		/* Who is interrupted may well try for ever. */
		return lasts && error == EINTR ? calls[i].errors[0] : error;
	}
	return ENOMEM;
}

static bool is_due(enum inject_kind of, bool *ret_lasts)
{
	*ret_lasts =
		kind == (of == INJECT_CALL ? INJECT_CALLS : INJECT_ALLOCATIONS);
	counts[of]++;
	if (*ret_lasts)
		return at && counts[of] >= at;
	return kind == of && counts[of] == at;
}

static bool fails(enum inject_kind of, const char *call, void *from)
{
	bool lasts;

	if (!is_armed || !is_due(of, &lasts))
		return false;
	errno = error_of(call, lasts);
	if (failure.call)
		return true;
	failure.call = call;
	failure.error = errno;
	failure.at = (uintptr_t)from - (uintptr_t)__executable_start;
	return true;
}

/* ---- descriptors ---- */

static rlim_t first_free(void)
{
	int fd = dup(0);

	(void)close(fd);
	return (rlim_t)fd;
}

/* The highest descriptor that is open. */
static unsigned highest(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned most = 0, fd;
	struct dirent *e;

	while (d && (e = readdir(d)) != NULL)
		if (sscanf(e->d_name, "%u", &fd) == 1 &&
			fd != (unsigned)dirfd(d) && fd > most)
			most = fd;
	if (d)
		(void)closedir(d);
	return most;
}

static void limit_descriptors(bool on)
{
	static rlim_t base;
	struct rlimit limit;
	unsigned used;

	(void)getrlimit(RLIMIT_NOFILE, &limit);
	if (!base)
		base = first_free();
	used = highest() + 1 - (unsigned)base;
	if (used > counts[INJECT_DESCRIPTORS] && highest() >= base)
		counts[INJECT_DESCRIPTORS] = used;
	limit.rlim_cur = limit.rlim_max;
	if (on && kind == INJECT_DESCRIPTORS && at) {
		limit.rlim_cur = base + at - 1;
		failure.call = "all that opens a file";
		failure.error = EMFILE;
	}
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* ---- what is held ---- */

static uintptr_t *slot_of(uintptr_t memory)
{
	size_t i = (memory >> 4) * UINT64_C(0x9e3779b97f4a7c15) % SLOTS;
	uintptr_t *gone = NULL;

	for (;; i = (i + 1) % SLOTS) {
		if (slots[i] == memory)
			return &slots[i];
		if (slots[i] == GONE && !gone)
			gone = &slots[i];
		if (!slots[i])
			return gone ? gone : &slots[i];
	}
}

static void *hold(void *memory)
{
	if (memory) {
		if (live > SLOTS / 2)
			abort(); /* the table is too small */
		*slot_of((uintptr_t)memory) = (uintptr_t)memory;
		live++;
	}
	return memory;
}

/* What the C library made, such as open_memstream(), is not known here. */
static void let_go(uintptr_t memory)
{
	uintptr_t *slot = slot_of(memory);

	if (!memory || *slot != memory)
		return;
	*slot = GONE;
	live--;
}

size_t inject_live(void)
{
	return live;
}

/* ---- what is wrapped ---- */

#define FAILS(of, call) fails(of, call, __builtin_return_address(0))

#define ALLOCATION(type, name, parameters, arguments)                          \
	type __real_##name parameters;                                         \
	type __wrap_##name parameters;                                         \
	type __wrap_##name parameters                                          \
	{                                                                      \
		if (FAILS(INJECT_ALLOCATION, #name))                           \
			return NULL;                                           \
		return hold(__real_##name arguments);                          \
	}

#define CALL(type, name, failed, parameters, arguments)                        \
	type __real_##name parameters;                                         \
	type __wrap_##name parameters;                                         \
	type __wrap_##name parameters                                          \
	{                                                                      \
		return FAILS(INJECT_CALL, #name) ? failed                      \
						 : __real_##name arguments;    \
	}

ALLOCATION(void *, malloc, (size_t size), (size))
ALLOCATION(void *, calloc, (size_t n, size_t size), (n, size))
ALLOCATION(void *, aligned_alloc, (size_t alignment, size_t size),
	(alignment, size))
ALLOCATION(char *, strdup, (const char *text), (text))

void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t n, size_t size);
void __real_free(void *memory);
void __wrap_free(void *memory);
FILE *__real_open_memstream(char **text, size_t *size);
FILE *__wrap_open_memstream(char **text, size_t *size);

static void *grow(void *old, size_t size)
{
	uintptr_t was = (uintptr_t)old;
	void *grown = __real_realloc(old, size);

	if (grown)
		let_go(was);
	return hold(grown);
}

void *__wrap_realloc(void *old, size_t size)
{
	return FAILS(INJECT_ALLOCATION, "realloc") ? NULL : grow(old, size);
}

void *__wrap_reallocarray(void *old, size_t n, size_t size)
{
	if (FAILS(INJECT_ALLOCATION, "reallocarray"))
		return NULL;
	if (size && n > SIZE_MAX / size)
		return NULL;
	return grow(old, n * size);
}

void __wrap_free(void *memory)
{
	let_go((uintptr_t)memory);
	__real_free(memory);
}

FILE *__wrap_open_memstream(char **text, size_t *size)
{
	if (FAILS(INJECT_ALLOCATION, "open_memstream"))
		return NULL;
	return __real_open_memstream(text, size);
}

/* What a wrapped function of the kind of asprintf() ends with. */
static int made(char *const *ret, int n)
{
	if (n >= 0)
		(void)hold(*ret);
	return n;
}

#define PRINTS(first) __attribute__((format(printf, first, 0)))

int __real_vasprintf(char **ret, const char *format, va_list arguments)
	PRINTS(2);
int __wrap_vasprintf(char **ret, const char *format, va_list arguments)
	PRINTS(2);
int __real___vasprintf_chk(
	char **ret, int flag, const char *format, va_list arguments) PRINTS(3);
int __wrap___vasprintf_chk(
	char **ret, int flag, const char *format, va_list arguments) PRINTS(3);

int __wrap_vasprintf(char **ret, const char *format, va_list arguments)
{
	if (FAILS(INJECT_ALLOCATION, "vasprintf"))
		return -1;
	return made(ret, __real_vasprintf(ret, format, arguments));
}

/* Where _FORTIFY_SOURCE is on, it is called by this name. */
int __wrap___vasprintf_chk(
	char **ret, int flag, const char *format, va_list arguments)
{
	if (FAILS(INJECT_ALLOCATION, "vasprintf"))
		return -1;
	return made(ret, __real___vasprintf_chk(ret, flag, format, arguments));
}

CALL(int, socket, -1, (int family, int type, int protocol),
	(family, type, protocol))
CALL(int, accept4, -1, (int fd, struct sockaddr *a, socklen_t *size, int flags),
	(fd, a, size, flags))
CALL(int, bind, -1, (int fd, const struct sockaddr *a, socklen_t size),
	(fd, a, size))
CALL(int, listen, -1, (int fd, int n), (fd, n))
CALL(int, connect, -1, (int fd, const struct sockaddr *a, socklen_t size),
	(fd, a, size))
CALL(int, setsockopt, -1,
	(int fd, int level, int name, const void *value, socklen_t size),
	(fd, level, name, value, size))
CALL(int, getsockopt, -1,
	(int fd, int level, int name, void *value, socklen_t *size),
	(fd, level, name, value, size))
CALL(int, getsockname, -1, (int fd, struct sockaddr *a, socklen_t *size),
	(fd, a, size))
CALL(ssize_t, send, -1, (int fd, const void *data, size_t size, int flags),
	(fd, data, size, flags))
CALL(ssize_t, recv, -1, (int fd, void *data, size_t size, int flags),
	(fd, data, size, flags))
CALL(ssize_t, sendmsg, -1, (int fd, const struct msghdr *m, int flags),
	(fd, m, flags))
CALL(ssize_t, recvmsg, -1, (int fd, struct msghdr *m, int flags),
	(fd, m, flags))
CALL(int, sendmmsg, -1, (int fd, struct mmsghdr *m, unsigned n, int flags),
	(fd, m, n, flags))
CALL(int, recvmmsg, -1,
	(int fd, struct mmsghdr *m, unsigned n, int flags,
		struct timespec *timeout),
	(fd, m, n, flags, timeout))
CALL(FILE *, fopen, NULL, (const char *path, const char *mode), (path, mode))
CALL(int, fstat, -1, (int fd, struct stat *ret), (fd, ret))
CALL(int, lstat, -1, (const char *path, struct stat *ret), (path, ret))
CALL(int, unlink, -1, (const char *path), (path))
CALL(int, chmod, -1, (const char *path, mode_t mode), (path, mode))
CALL(int, memfd_create, -1, (const char *name, unsigned flags), (name, flags))
CALL(void *, mmap, MAP_FAILED,
	(void *where, size_t size, int protection, int flags, int fd,
		off_t offset),
	(where, size, protection, flags, fd, offset))
CALL(int, ftruncate, -1, (int fd, off_t size), (fd, size))
CALL(ssize_t, getrandom, -1, (void *data, size_t size, unsigned flags),
	(data, size, flags))

struct mnl_socket;
CALL(struct mnl_socket *, mnl_socket_open2, NULL, (int bus, int flags),
	(bus, flags))
CALL(int, mnl_socket_bind, -1,
	(struct mnl_socket * s, unsigned groups, pid_t pid), (s, groups, pid))
CALL(ssize_t, mnl_socket_sendto, -1,
	(const struct mnl_socket *s, const void *data, size_t size),
	(s, data, size))

ssize_t __real___read_chk(int fd, void *data, size_t size, size_t room);
ssize_t __wrap___read_chk(int fd, void *data, size_t size, size_t room);
ssize_t __real_read(int fd, void *data, size_t size);
ssize_t __wrap_read(int fd, void *data, size_t size);
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);

/* See above. */
ssize_t __wrap___read_chk(int fd, void *data, size_t size, size_t room)
{
	return FAILS(INJECT_CALL, "read")
		       ? -1
		       : __real___read_chk(fd, data, size, room);
}

ssize_t __wrap_read(int fd, void *data, size_t size)
{
	return FAILS(INJECT_CALL, "read") ? -1 : __real_read(fd, data, size);
}

/* crier makes no file by it, so there is no mode. */
int __wrap_open(const char *path, int flags, ...)
{
	return FAILS(INJECT_CALL, "open") ? -1 : __real_open(path, flags);
}

/* ---- the plan ---- */

void inject_plan(enum inject_kind of, unsigned n, unsigned which)
{
	json_set_alloc_funcs(__wrap_malloc, __wrap_free);
	memset(counts, 0, sizeof(counts));
	failure = (struct inject_failure){ 0 };
	kind = of;
	at = n;
	turn = which;
}

void inject_arm(bool on)
{
	limit_descriptors(on);
	is_armed = on;
}

unsigned inject_count(enum inject_kind of)
{
	if (of == INJECT_ALLOCATIONS)
		of = INJECT_ALLOCATION;
	return counts[of == INJECT_CALLS ? INJECT_CALL : of];
}

const struct inject_failure *inject_failed(void)
{
	return &failure;
}
