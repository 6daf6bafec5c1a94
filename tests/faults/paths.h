/*
 * paths: what a daemon in a life is told to relay, and what is said there.
 */
#ifndef CRIER_TESTS_PATHS_H
#define CRIER_TESTS_PATHS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The search is one of them. */
enum { PATHS = 12, PATH_SEARCH = 9, PATH_ROOM = 2048 };

/* Two files: the first one, and the one it reloads to. */
extern const char *const life_files[2];

/* From segment 1 to segment 2. */
struct path {
	const char *group, *address;
	uint16_t port, from;
	/* Writes a datagram with `token` in it, of up to PATH_ROOM bytes.
	 * Returns its size. */
	size_t (*make)(const char *token, uint8_t *to);
	bool in[2]; /* the first file, the second */
};

extern const struct path life_paths[PATHS];

/* A search for unicast answers, and such an answer; as `make`. */
size_t path_search(const char *token, uint8_t *to);
size_t path_answer(const char *token, uint8_t *to);

#endif
