/*
 * What crierd says about a configuration without running it.
 */
#include "daemon/daemon.h"
#include "proto/proto.h"

#include <errno.h>
#include <string.h>

static int load(const char *path, struct config **ret, FILE *err)
{
	struct config_errors errors = { 0 };
	int r;

	r = config_load(path, ret, &errors);
	config_errors_print(&errors, path, err);
	config_errors_done(&errors);
	if (r == -EINVAL)
		return DAEMON_BAD_CONFIG;
	if (r < 0) {
		(void)fprintf(err, "crierd: %s: %s\n", path, strerror(-r));
		return DAEMON_FAILED;
	}
	return DAEMON_OK;
}

struct remarks {
	const char *file;
	FILE *out;
};

static void print_remark(void *data, const char *path, const char *text)
{
	const struct remarks *r = data;

	(void)fprintf(r->out, "%s: note: %s: ", r->file, path);
	/* A preset of the file may say anything. */
	utf8_print(text, r->out);
	(void)fputc('\n', r->out);
}

/* A full disk or a closed pipe is a failure too. */
static int end(FILE *out)
{
	return fflush(out) == 0 ? DAEMON_OK : DAEMON_FAILED;
}

int daemon_check(const char *path, FILE *out, FILE *err)
{
	struct remarks r = { path, out };
	struct config *c;
	int status;

	status = load(path, &c, err);
	if (status != DAEMON_OK)
		return status;
	(void)fprintf(out, "%s: ok\n", path);
	config_remarks(c, print_remark, &r);
	config_unref(c);
	return end(out);
}

int daemon_dump_config(const char *path, FILE *out, FILE *err)
{
	struct config *c;
	int status;

	status = load(path, &c, err);
	if (status != DAEMON_OK)
		return status;
	if (config_dump(c, out) < 0)
		status = DAEMON_FAILED;
	config_unref(c);
	return status == DAEMON_OK ? end(out) : status;
}
