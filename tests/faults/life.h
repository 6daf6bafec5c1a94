/*
 * life: a whole life of a daemon, in which something fails.
 *
 *   1. It starts; 2. relays, searches and their answers too, and tells it to a
 *      subscriber; 3. learns of a new device, answers on the control socket and
 *      takes an announcement there; 4. reloads to another file; 5. relays
 * again.
 *   6. Now, and at once after the first failure too, all that it was told to
 *      relay must cross, searches must be answered, the control socket must
 *      answer, and the device must be known.
 *   7. The device goes; it stops, and leaves neither memory nor descriptors.
 *
 * What inject_plan() says fails everywhere but in 6.
 */
#ifndef CRIER_TESTS_LIFE_H
#define CRIER_TESTS_LIFE_H

#include "../unit/house.h"

#include <stdbool.h>

/* How long until all is well again after a failure. */
enum { LIFE_RECOVERY_MS = 5000 };

struct life {
	struct house *house; /* with segments 1 and 2; its loop is ours */
	const char *folder;  /* for files */
	bool is_started, is_reloaded;
	char wrong[256]; /* which claim did not hold; "" if all did */
};

/* Lives it. To be called once in a process. */
void life_run(struct life *l);

#endif
