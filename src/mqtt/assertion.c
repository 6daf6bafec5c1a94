#include "mqtt/assertion.h"

#undef NDEBUG
#include <assert.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The way out of assertion_survive(), which has to be found from a function
 * that is handed nothing of ours: the one exception to the rule that
 * nothing has state of its own, and one for each thread. */
static _Thread_local jmp_buf *way_out;

int assertion_survive(int (*run)(struct mosquitto *client),
	struct mosquitto *client, int otherwise)
{
	jmp_buf here;
	int r;

	if (setjmp(here) != 0) {
		way_out = NULL;
		return otherwise;
	}
	way_out = &here;
	r = run(client);
	way_out = NULL;
	return r;
}

/* In the place of the C library's, whose names are reserved, for the whole
 * program. All other assertions, those of our own among them, end it as ever.
 */
/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
void __assert_fail(const char *expression, const char *file, unsigned line,
	const char *function)
{
	if (way_out != NULL && strcmp(function, "log__printf") == 0)
		longjmp(*way_out, 1);
	(void)fprintf(stderr, "%s:%u: %s: assertion failed: %s\n", file, line,
		function, expression);
	abort();
}
