#include "stash/stash.h"

#include "stash/format.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* The head at `at` and what comes with it, if it is whole and sound. */
static bool read_head(
	const struct stash_reader *r, size_t at, struct stash_head *ret)
{
	if (r->size - at < sizeof(*ret))
		return false;
	memcpy(ret, r->map + at, sizeof(*ret));
	at += sizeof(*ret);
	return r->size - at >= ret->size;
}

static int check(struct stash_reader *r)
{
	size_t at = sizeof(struct stash_header);
	struct stash_header header;
	struct stash_head h;
	uint64_t n;

	if (r->size < sizeof(header))
		return -EBADMSG;
	memcpy(&header, r->map, sizeof(header));
	if (header.magic != STASH_MAGIC)
		return -EBADMSG;
	if (header.version != STASH_VERSION)
		return -EPROTO;
	if (header.sum != stash_sum_header(&header) || header.size != r->size)
		return -EBADMSG;
	for (n = 0; at < r->size; n++) {
		if (!read_head(r, at, &h) ||
			h.sum != stash_sum(&h, at, r->map + at + sizeof(h)))
			return -EBADMSG;
		at += sizeof(h) + h.size;
	}
	r->sequence = header.sequence;
	return n == header.records ? 0 : -EBADMSG;
}

int stash_open(struct stash_reader *r, int fd)
{
	struct stash_reader opened = { 0 };
	struct stat st;
	void *map;
	int err;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size <= 0)
		return -ENODATA;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	opened.map = map;
	opened.size = (size_t)st.st_size;
	err = check(&opened);
	if (err < 0) {
		stash_close(&opened);
		return err;
	}
	stash_rewind(&opened);
	*r = opened;
	return 0;
}

void stash_close(struct stash_reader *r)
{
	if (r->map)
		(void)munmap(r->map, r->size);
	*r = (struct stash_reader){ 0 };
}

void stash_rewind(struct stash_reader *r)
{
	r->next = sizeof(struct stash_header);
}

bool stash_next(struct stash_reader *r, enum stash_tag *ret)
{
	struct stash_head h;

	if (!r->map || r->next >= r->size || !read_head(r, r->next, &h))
		return false;
	r->at = r->next + sizeof(h);
	r->end = r->at + h.size;
	r->next = r->end;
	r->is_short = false;
	*ret = (enum stash_tag)h.tag;
	return true;
}

/* The next `size` bytes, or NULL. */
static const uint8_t *take(struct stash_reader *r, uint64_t size)
{
	if (r->is_short || size > r->end - r->at) {
		r->is_short = true;
		return NULL;
	}
	r->at += (size_t)size;
	return r->map + r->at - size;
}

uint64_t stash_get_number(struct stash_reader *r)
{
	uint64_t value = 0;
	const uint8_t *from = take(r, sizeof(value));

	if (from)
		memcpy(&value, from, sizeof(value));
	return value;
}

const void *stash_get_bytes(struct stash_reader *r, size_t *ret_size)
{
	uint64_t size = stash_get_number(r);
	const uint8_t *from = take(r, size);

	*ret_size = from ? (size_t)size : 0;
	return from ? from : (const uint8_t *)"";
}

const char *stash_get_text(struct stash_reader *r)
{
	size_t size;
	const char *text = stash_get_bytes(r, &size);

	if (size == 0 || text[size - 1] != '\0') {
		r->is_short = true;
		return "";
	}
	return text;
}

struct net_address stash_get_address(struct stash_reader *r)
{
	struct net_address a = { 0 };
	const void *bytes;
	size_t size;

	a.family = (sa_family_t)stash_get_number(r);
	a.scope = (uint32_t)stash_get_number(r);
	bytes = stash_get_bytes(r, &size);
	/* What has no size is no family that an address can have. */
	if (size != net_address_size(&a) ||
		(size == 0 && a.family != AF_UNSPEC)) {
		r->is_short = true;
		return (struct net_address){ 0 };
	}
	memcpy(a.bytes, bytes, size);
	return a;
}

bool stash_is_sound(const struct stash_reader *r)
{
	return !r->is_short;
}
