#include "sealed.h"

#include "fuzz.h"
#include "stash/format.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int sealed_file(const void *data, size_t size)
{
	int fd = memfd_create("stash", MFD_CLOEXEC);

	MUST(fd >= 0);
	MUST(size == 0 || write(fd, data, size) == (ssize_t)size);
	return fd;
}

/* Returns its size. */
static size_t seal(uint8_t *bytes, size_t size)
{
	struct stash_header header;
	struct stash_head h;
	size_t at = sizeof(header);

	memcpy(&header, bytes, sizeof(header));
	header.magic = STASH_MAGIC;
	header.version = STASH_VERSION;
	header.records = 0;
	while (size - at >= sizeof(h)) {
		size_t rest = size - at - sizeof(h);

		memcpy(&h, bytes + at, sizeof(h));
		if (h.size > rest)
			h.size = (uint32_t)rest;
		h.sum = stash_sum(&h, at, bytes + at + sizeof(h));
		memcpy(bytes + at, &h, sizeof(h));
		at += sizeof(h) + h.size;
		header.records++;
	}
	header.size = at;
	header.sum = stash_sum_header(&header);
	memcpy(bytes, &header, sizeof(header));
	return at;
}

bool sealed_open(struct stash_reader *ret, const uint8_t *data, size_t size)
{
	uint8_t *bytes;
	int fd;

	if (size < sizeof(struct stash_header))
		return false;
	bytes = malloc(size);
	MUST(bytes != NULL);
	memcpy(bytes, data, size);
	fd = sealed_file(bytes, seal(bytes, size));
	free(bytes);
	MUST(stash_open(ret, fd) == 0);
	(void)close(fd);
	return true;
}
