/*
 * Allocations of the libraries, which --wrap does not reach: malloc() and its
 * kin are defined here, and the dynamic linker prefers the program's own to
 * those of the C library. The C library's own calls come here too, so that
 * what open_memstream() keeps can fail to grow.
 *
 * libcrier.a's own are left to --wrap; expat's and jansson's go through there
 * too. What libuv asks for passes: without memory it calls abort().
 */
#include "inject.h"

#include <dlfcn.h>
#include <errno.h>
#include <features.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_ALLOCATOR_OF_ITS_OWN 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define HAS_ALLOCATOR_OF_ITS_OWN 1
#endif

#if defined(__GLIBC__) && !defined(HAS_ALLOCATOR_OF_ITS_OWN)

enum { PASSING = 8 };

/* What has an address in one of these is none of ours. */
static struct range {
	uintptr_t from, to;
} passing[PASSING];
static size_t n_passing;
/* Before that is known nothing fails. */
static bool is_ready;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);

static bool is_spared(const char *name)
{
	return !*name /* the program itself */ || strstr(name, "libuv.");
}

static int note(struct dl_phdr_info *info, size_t size, void *data)
{
	(void)size;
	(void)data;
	if (!is_spared(info->dlpi_name))
		return 0;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t from = info->dlpi_addr + p->p_vaddr;

		if (p->p_type == PT_LOAD && (p->p_flags & PF_X) &&
			n_passing < PASSING)
			passing[n_passing++] =
				(struct range){ from, from + p->p_memsz };
	}
	return 0;
}

void inject_libraries(bool on)
{
	if (!n_passing)
		(void)dl_iterate_phdr(note, NULL);
	is_ready = on;
}

static bool fails(const char *call, void *from)
{
	uintptr_t at = (uintptr_t)from;

	if (!is_ready)
		return false;
	for (size_t i = 0; i < n_passing; i++)
		if (at >= passing[i].from && at < passing[i].to)
			return false;
	return inject_fails(INJECT_LIBRARY, call, from);
}

#define FAILS(call) fails(call, __builtin_return_address(0))

void *malloc(size_t size)
{
	return FAILS("malloc of a library") ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return FAILS("calloc of a library") ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
	return FAILS("realloc of a library") ? NULL : __libc_realloc(old, size);
}

#else

void inject_libraries(bool on)
{
	(void)on;
}

#endif
