/*
 * life: a whole life of a daemon, in which something fails.
 *
 *   1. It starts; 2. relays; 3. learns of a new device, and answers on the
 *   control socket; 4. reloads to another file; 5. relays again. Up to here,
 * and in 7., what inject_plan() says fails.
 *   6. All that it was told to relay must cross now, the control socket must
 *   answer, and the device must be known; the same at once after the first
 *   failure.
 *   7. The device goes; it stops, and leaves neither memory nor descriptors.
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
