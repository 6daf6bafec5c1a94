/*
 * stash: what outlives the process: records in a memory file, for the process
 * that comes after it. The folder's one header for others.
 *
 * A stash is read on the machine and by the program that wrote it, so numbers
 * stand as the machine has them. It is whole or it is nothing: the header,
 * which says how much there is, is written last, and every record carries a
 * sum, so that a damaged or half-written one is found before it is used.
 * STASH_VERSION tells apart what an older or newer program wrote.
 *
 * Life cycle of writing: stash_begin(); for each record stash_record() and its
 * values; stash_end(). A failure is kept, and what follows it does nothing.
 * Life cycle of reading: stash_open(), which looks at everything; stash_next()
 * and the values of each record in the order in which they were put;
 * stash_close().
 */
#ifndef CRIER_STASH_STASH_H
#define CRIER_STASH_STASH_H

#include "net/net.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* To be raised with any change of what a record holds. */
enum { STASH_VERSION = 4 };

/* What a record is. Who writes it says what it holds. */
enum stash_tag {
	STASH_SOCKET = 1,   /* relay: one receiving socket, what it joined */
	STASH_RELAY,        /* relay: as a whole */
	STASH_CHANNEL,      /* relay: those that follow are of this one */
	STASH_SEGMENT,      /* relay: its counters */
	STASH_REMEMBERED,   /* relay: the loop guard's */
	STASH_NEIGHBOUR,    /* relay: a host whose name is known */
	STASH_TABLE,        /* discovery: as a whole */
	STASH_PLACE,        /* discovery */
	STASH_HOST,         /* discovery */
	STASH_ENTRY,        /* discovery */
	STASH_KEPT,         /* discovery: to be repeated */
	STASH_ANNOUNCEMENT, /* announce */
};

struct stash_writer {
	/* Private. */
	int fd;
	int err;
	uint64_t sequence, records;
	uint64_t at; /* where the buffer goes */
	uint8_t *buffer;
	size_t used, room;
	size_t record; /* where the one of now begins; SIZE_MAX: none */
};

/*
 * Begins a stash in `fd`, a file that can be truncated, which stays the
 * caller's. What it held is void at once.
 * sequence: the greater one of two stashes is the newer.
 */
void stash_begin(struct stash_writer *w, int fd, uint64_t sequence);
/* Begins the next record. */
void stash_record(struct stash_writer *w, enum stash_tag tag);
void stash_put_number(struct stash_writer *w, uint64_t value);
void stash_put_bytes(struct stash_writer *w, const void *data, size_t size);
void stash_put_text(struct stash_writer *w, const char *text);
void stash_put_address(struct stash_writer *w, const struct net_address *a);
/* Makes it valid, and frees what the writer holds. Returns 0; -ENOMEM; -EFBIG
 * (a record of 4 GiB); or what the first system call that failed said. */
int stash_end(struct stash_writer *w);

struct stash_reader {
	uint64_t sequence; /* for everybody to read */
	/* Private. */
	uint8_t *map; /* NULL: empty */
	size_t size;
	size_t next;    /* record */
	size_t at, end; /* of the record of now */
	bool is_short;  /* more was asked for than it has */
};

/*
 * Opens what was written into `fd`, which may be closed meanwhile.
 * Returns 0; -ENODATA (nothing was); -EPROTO (another version's); -EBADMSG (it
 * is damaged); -errno.
 */
int stash_open(struct stash_reader *r, int fd);
/* All zero is a closed reader. Idempotent. */
void stash_close(struct stash_reader *r);
/* Back before the first record. */
void stash_rewind(struct stash_reader *r);
/* Goes to the next record, if there is one. */
bool stash_next(struct stash_reader *r, enum stash_tag *ret);
/*
 * The next value of the record; 0, "", no bytes or no address where it has no
 * more. What is pointed at is valid until stash_close().
 */
uint64_t stash_get_number(struct stash_reader *r);
const void *stash_get_bytes(struct stash_reader *r, size_t *ret_size);
const char *stash_get_text(struct stash_reader *r);
struct net_address stash_get_address(struct stash_reader *r);
/* True if the record had everything that it was asked for. */
bool stash_is_sound(const struct stash_reader *r);

#endif
