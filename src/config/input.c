#include "config/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int check_kind(int fd, bool regular_only)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return regular_only && !S_ISREG(st.st_mode) ? -ENOTSUP : 0;
}

/* A pipe without a writer must not hold up a reload for good: it is opened
 * without blocking, and only read with it. */
static int open_blocking(const char *path)
{
	int fd, flags, r;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	flags = fcntl(fd, F_GETFL);
	if (flags >= 0 && fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == 0)
		return fd;
	r = -errno;
	(void)close(fd);
	return r;
}

/* Reads up to `room` bytes. Returns their number or the error. */
static ssize_t read_all(int fd, char *buffer, size_t room)
{
	size_t used = 0;
	ssize_t n;

	while (used < room) {
		n = read(fd, buffer + used, room - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		used += (size_t)n;
	}
	return (ssize_t)used;
}

int input_read(const char *path, bool regular_only, size_t max, char **ret,
	size_t *ret_size)
{
	char *buffer = NULL, *fitting;
	ssize_t n;
	int fd;

	fd = open_blocking(path);
	if (fd < 0)
		return fd;
	n = check_kind(fd, regular_only);
	if (n < 0)
		goto fail;
	/* One byte more tells a full file from one that is too large. */
	buffer = malloc(max + 2);
	n = buffer == NULL ? -ENOMEM : read_all(fd, buffer, max + 1);
	if (n >= 0 && (size_t)n > max)
		n = -EFBIG;
	if (n < 0)
		goto fail;
	(void)close(fd);
	buffer[n] = '\0';
	fitting = realloc(buffer, (size_t)n + 1);
	*ret = fitting != NULL ? fitting : buffer;
	*ret_size = (size_t)n;
	return 0;
fail:
	free(buffer);
	(void)close(fd);
	return (int)n;
}
