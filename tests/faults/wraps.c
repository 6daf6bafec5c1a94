/*
 * What libcrier.a calls, by --wrap: each may fail as inject_plan() has it.
 */
#include "inject.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <uv.h>

#define FAILS(of, call) inject_fails(of, call, __builtin_return_address(0))

#define ALLOCATION(type, name, parameters, arguments)                          \
	type __real_##name parameters;                                         \
	type __wrap_##name parameters;                                         \
	type __wrap_##name parameters                                          \
	{                                                                      \
		if (FAILS(INJECT_ALLOCATION, #name))                           \
			return NULL;                                           \
		return inject_hold(__real_##name arguments);                   \
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
		inject_let_go(was);
	return inject_hold(grown);
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
	inject_let_go((uintptr_t)memory);
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
		(void)inject_hold(*ret);
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

CALL(int, flock, -1, (int fd, int operation), (fd, operation))
CALL(int, fchmod, -1, (int fd, mode_t mode), (fd, mode))
CALL(int, lchown, -1, (const char *path, uid_t uid, gid_t gid),
	(path, uid, gid))
CALL(int, gethostname, -1, (char *ret, size_t size), (ret, size))
CALL(int, getpeername, -1, (int fd, struct sockaddr *a, socklen_t *size),
	(fd, a, size))
CALL(int, poll, -1, (struct pollfd * p, nfds_t n, int ms), (p, n, ms))
CALL(ssize_t, pwrite, -1, (int fd, const void *data, size_t size, off_t at),
	(fd, data, size, at))
CALL(ssize_t, writev, -1, (int fd, const struct iovec *v, int n), (fd, v, n))

int __real_fcntl(int fd, int what, ...);
int __wrap_fcntl(int fd, int what, ...);
int __real_getgrnam_r(const char *name, struct group *ret, char *buffer,
	size_t size, struct group **ret_found);
int __wrap_getgrnam_r(const char *name, struct group *ret, char *buffer,
	size_t size, struct group **ret_found);

/* crier only looks at flags and sets them. */
int __wrap_fcntl(int fd, int what, ...)
{
	va_list ap;
	int flags;

	va_start(ap, what);
	flags = what == F_SETFL ? va_arg(ap, int) : 0;
	va_end(ap);
	return FAILS(INJECT_CALL, "fcntl") ? -1 : __real_fcntl(fd, what, flags);
}

/* The number is what it returns. What glibc's name service asks for passes: it
 * asserts that it has memory. */
int __wrap_getgrnam_r(const char *name, struct group *ret, char *buffer,
	size_t size, struct group **ret_found)
{
	int r;

	if (FAILS(INJECT_CALL, "getgrnam_r")) {
		*ret_found = NULL;
		return errno;
	}
	inject_libraries(false);
	r = __real_getgrnam_r(name, ret, buffer, size, ret_found);
	inject_libraries(true);
	return r;
}

/* libuv's, as it says that a system call of its own has failed. */
#define LIBUV(name, parameters, arguments)                                     \
	int __real_##name parameters;                                          \
	int __wrap_##name parameters;                                          \
	int __wrap_##name parameters                                           \
	{                                                                      \
		return FAILS(INJECT_CALL, #name) ? -errno                      \
						 : __real_##name arguments;    \
	}

LIBUV(uv_poll_init, (uv_loop_t * loop, uv_poll_t *poll, int fd),
	(loop, poll, fd))
LIBUV(uv_pipe_open, (uv_pipe_t * pipe, uv_file fd), (pipe, fd))
LIBUV(uv_write,
	(uv_write_t * req, uv_stream_t *stream, const uv_buf_t *buffers,
		unsigned n, uv_write_cb done),
	(req, stream, buffers, n, done))
