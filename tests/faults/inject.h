/*
 * inject: one allocation or one system call of libcrier.a fails, or all from
 * one on, for a program that is linked with --wrap for all of them; or one
 * allocation of the libraries that it calls.
 *
 * Nothing fails, and nothing is counted, but while inject_arm() is on: around
 * what crier does, so that the test's own calls go well.
 */
#ifndef CRIER_TESTS_INJECT_H
#define CRIER_TESTS_INJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum inject_kind {
	INJECT_ALLOCATION,
	INJECT_CALL,
	INJECT_LIBRARY,     /* an allocation of a library that crier calls */
	INJECT_DESCRIPTORS, /* no call; the process may open so many more */
	INJECT_ALLOCATIONS, /* the n-th and all that follow */
	INJECT_CALLS,       /* the same of calls */
	INJECT_KINDS,
};

/* What was made to fail first. */
struct inject_failure {
	const char *call; /* NULL: nothing was */
	int error;
	char object[64]; /* who called it, and where, for addr2line(1) */
	uintptr_t at;
};

/* The `n`-th of a kind will fail (0: none), with the error whose turn it is of
 * those that this call knows. Counts from now on. */
void inject_plan(enum inject_kind kind, unsigned n, unsigned turn);
void inject_arm(bool on);

/* How many there were of its kind while it was armed; of descriptors, how many
 * were open at most. */
unsigned inject_count(enum inject_kind kind);
const struct inject_failure *inject_failed(void);

/* Blocks of memory that libcrier.a and jansson hold. */
size_t inject_live(void);

/* For what stands in for a call. True if this one, from that address, must
 * fail; errno says how. */
bool inject_fails(enum inject_kind of, const char *call, void *from);
/* Memory that was got, or NULL; returns it. And what is given back. */
void *inject_hold(void *memory);
void inject_let_go(uintptr_t memory);

/* Makes INJECT_LIBRARY work or not, where it can at all: not under a sanitizer,
 * which has an allocator of its own. */
void inject_libraries(bool on);

#endif
