/*
 * errors: what must hold of the errors of a file, for the fuzz targets of
 * configurations.
 */
#ifndef CRIER_FUZZ_ERRORS_H
#define CRIER_FUZZ_ERRORS_H

#include "config/config.h"
#include "fuzz.h"

#include <errno.h>
#include <string.h>

/* Each has a path and a text, and can be printed. */
static inline void check_errors(const struct config_errors *errors)
{
	FILE *out = fopen("/dev/null", "w");

	MUST(out != NULL);
	MUST(errors->n > 0);
	for (size_t i = 0; i < errors->n; i++) {
		const struct config_error *e = &errors->at[i];

		MUST(e->path != NULL);
		MUST(e->message != NULL && e->message[0] != '\0');
		config_error_print(e, "fuzz.yaml", out);
	}
	(void)fclose(out);
}

#endif
