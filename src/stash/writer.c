#include "stash/stash.h"

#include "stash/format.h"

#include "bounds/bounds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The buffer is emptied between records when it holds more. */
enum { FLUSH_BYTES = 256 * 1024 };

/* Against accidents, not against enemies: so the key is no secret. */
uint64_t stash_sum_header(const struct stash_header *h)
{
	const struct siphash_key key = { STASH_MAGIC, h->version };

	return siphash(&key, h, offsetof(struct stash_header, sum));
}

uint64_t stash_sum(
	const struct stash_head *h, uint64_t at, const uint8_t *values)
{
	const struct siphash_key key = { at, h->tag };

	return siphash(&key, values, h->size);
}

void stash_begin(struct stash_writer *w, int fd, uint64_t sequence)
{
	*w = (struct stash_writer){
		.fd = fd,
		.sequence = sequence,
		.at = sizeof(struct stash_header),
		.record = SIZE_MAX,
	};
	if (ftruncate(fd, 0) < 0)
		w->err = -errno;
}

static int write_at(int fd, const void *data, size_t size, uint64_t at)
{
	const uint8_t *from = data;
	ssize_t n;

	while (size > 0) {
		n = pwrite(fd, from, size, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		from += n;
		at += (uint64_t)n;
		size -= (size_t)n;
	}
	return 0;
}

static void flush(struct stash_writer *w)
{
	if (w->err == 0)
		w->err = write_at(w->fd, w->buffer, w->used, w->at);
	w->at += w->used;
	w->used = 0;
}

/* Room for `size` bytes more. NULL: it failed. */
static uint8_t *extend(struct stash_writer *w, size_t size)
{
	uint8_t *grown;
	size_t room;

	if (w->err < 0)
		return NULL;
	if (size > w->room - w->used) {
		room = w->room + size + FLUSH_BYTES;
		grown = realloc(w->buffer, room);
		if (!grown) {
			w->err = -ENOMEM;
			return NULL;
		}
		w->buffer = grown;
		w->room = room;
	}
	w->used += size;
	return w->buffer + w->used - size;
}

/* Writes the head of the record of now, which is complete. */
static void finish(struct stash_writer *w)
{
	struct stash_head h;
	size_t size;

	if (w->err < 0 || w->record == SIZE_MAX)
		return;
	memcpy(&h, w->buffer + w->record, sizeof(h));
	size = w->used - w->record - sizeof(h);
	if (size > UINT32_MAX) {
		w->err = -EFBIG;
		return;
	}
	h.size = (uint32_t)size;
	h.sum = stash_sum(
		&h, w->at + w->record, w->buffer + w->record + sizeof(h));
	memcpy(w->buffer + w->record, &h, sizeof(h));
	w->record = SIZE_MAX;
	w->records++;
	if (w->used >= FLUSH_BYTES)
		flush(w);
}

void stash_record(struct stash_writer *w, enum stash_tag tag)
{
	const struct stash_head h = { .tag = (uint32_t)tag };
	uint8_t *to;

	finish(w);
	to = extend(w, sizeof(h));
	if (!to)
		return;
	w->record = w->used - sizeof(h);
	memcpy(to, &h, sizeof(h));
}

void stash_put_number(struct stash_writer *w, uint64_t value)
{
	uint8_t *to = extend(w, sizeof(value));

	if (to)
		memcpy(to, &value, sizeof(value));
}

void stash_put_bytes(struct stash_writer *w, const void *data, size_t size)
{
	uint8_t *to;

	stash_put_number(w, size);
	to = extend(w, size);
	if (to && size > 0)
		memcpy(to, data, size);
}

void stash_put_text(struct stash_writer *w, const char *text)
{
	stash_put_bytes(w, text, strlen(text) + 1);
}

void stash_put_address(struct stash_writer *w, const struct net_address *a)
{
	stash_put_number(w, a->family);
	stash_put_number(w, a->scope);
	stash_put_bytes(w, a->bytes, net_address_size(a));
}

int stash_end(struct stash_writer *w)
{
	struct stash_header h = {
		.magic = STASH_MAGIC,
		.version = STASH_VERSION,
		.sequence = w->sequence,
	};

	finish(w);
	flush(w);
	h.records = w->records;
	h.size = w->at;
	h.sum = stash_sum_header(&h);
	if (w->err == 0)
		w->err = write_at(w->fd, &h, sizeof(h), 0);
	free(w->buffer);
	w->buffer = NULL;
	w->room = 0;
	return w->err;
}
