#include "inject.h"

#include <dirent.h>
#include <dlfcn.h>
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

void *__wrap_malloc(size_t size);
void __wrap_free(void *memory);

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
	{ "fcntl", { EBADF } },
	{ "flock", { EWOULDBLOCK, EINTR, ENOLCK } },
	{ "fchmod", { EPERM, EROFS } },
	{ "lchown", { EPERM, EROFS } },
	{ "gethostname", { ENAMETOOLONG } },
	{ "getpeername", { ENOBUFS } },
	{ "poll", { ENOMEM, EINTR } },
	{ "pwrite", { ENOSPC, EINTR, EIO } },
	{ "writev", { ENOSPC, EIO, EPIPE } },
	{ "getgrnam_r", { EMFILE, EIO, EINTR, ENOMEM } },
	{ "uv_poll_init", { ENOMEM, ENOSPC } },
	{ "uv_pipe_open", { EMFILE } },
	{ "uv_write", { ENOMEM, EPIPE } },
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

/* The kind in which all fail of those of which one fails in `of`. */
static enum inject_kind lasting(enum inject_kind of)
{
	switch (of) {
	case INJECT_ALLOCATION:
		return INJECT_ALLOCATIONS;
	case INJECT_CALL:
		return INJECT_CALLS;
	default:
		return INJECT_KINDS;
	}
}

static bool is_due(enum inject_kind of, bool *ret_lasts)
{
	*ret_lasts = kind == lasting(of);
	counts[of]++;
	if (*ret_lasts)
		return at && counts[of] >= at;
	return kind == of && counts[of] == at;
}

static void note_place(void *from)
{
	Dl_info i;

	if (!dladdr(from, &i))
		return;
	(void)snprintf(
		failure.object, sizeof(failure.object), "%s", i.dli_fname);
	failure.at = (uintptr_t)from - (uintptr_t)i.dli_fbase;
}

bool inject_fails(enum inject_kind of, const char *call, void *from)
{
	bool lasts;

	if (!is_armed || !is_due(of, &lasts))
		return false;
	/* A log that can never be written says nothing of what else fails. */
	if (lasts && strcmp(call, "writev") == 0)
		return false;
	errno = error_of(call, lasts);
	if (failure.call)
		return true;
	failure.call = call;
	failure.error = errno;
	note_place(from);
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

void *inject_hold(void *memory)
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
void inject_let_go(uintptr_t memory)
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

/* ---- the plan ---- */

void inject_plan(enum inject_kind of, unsigned n, unsigned which)
{
	json_set_alloc_funcs(__wrap_malloc, __wrap_free);
	inject_libraries(true);
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
