/*
 * fuzz: what every fuzz target has. With clang's -fsanitize=fuzzer each is a
 * fuzzer of its own; with replay.c it runs over a corpus.
 *
 * What is called avahi-, zeroconf-, minidlna- or wsdd- in the corpora was
 * recorded from these, netlink/ from a kernel, stash/ and heritage/ from crierd
 * (whole, or some of its records, or changed); all else is written after what
 * devices and clients send, or to be refused.
 */
#ifndef CRIER_TESTS_FUZZ_H
#define CRIER_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold for any input. */
#define MUST(condition)                                                        \
	do {                                                                   \
		if (!(condition)) {                                            \
			fprintf(stderr, "%s:%d: must hold: %s\n", __FILE__,    \
				__LINE__, #condition);                         \
			abort();                                               \
		}                                                              \
	} while (0)

#endif
