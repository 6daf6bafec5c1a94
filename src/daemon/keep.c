/*
 * What outlives the process: receiving sockets in the service manager's fd
 * store, and beside them two memory files, of which one always holds a whole
 * stash of what goes on: what the sockets have joined and what was announced at
 * run time, whenever that changes; counters, the discovered table and what the
 * loop guard remembers, at a stop.
 *
 * Life cycle:
 *   1. keep_open() takes what the process before left.
 *   2. keep_inherit(), before the relay's first configuration, and
 *      keep_resume(), after it, give it back to those whose it was.
 *   3. keep_mark() has the rest written anew, soon.
 *   4. keep_write() writes all of it, before keep_close().
 */
#include "daemon/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <syslog.h>
#include <unistd.h>
#include <utlist.h>

/* A descriptor that nobody has asked for yet. */
struct stored {
	struct stored *next;
	int fd;
	char name[];
};

static const char *const file_names[KEEP_FILES] = { "state-0", "state-1" };

/* ---- what is there ---- */

static struct stored *find(const struct keep *k, const char *name)
{
	struct stored *s = k->stored;

	while (s && strcmp(s->name, name) != 0)
		s = s->next;
	return s;
}

/* Another one of that name, or one without memory for it, is nobody's. */
static void collect(void *data, const char *name, int fd)
{
	struct keep *k = data;
	size_t size = strlen(name) + 1;
	struct stored *s;

	for (size_t i = 0; i < KEEP_FILES; i++)
		if (strcmp(name, file_names[i]) == 0 && k->files[i] < 0) {
			k->files[i] = fd;
			return;
		}
	s = find(k, name) ? NULL : calloc(1, sizeof(*s) + size);
	if (!s) {
		(void)close(fd);
		return;
	}
	s->fd = fd;
	memcpy(s->name, name, size);
	LL_PREPEND(k->stored, s);
}

static int take(struct keep *k, struct stored *s)
{
	int fd = s->fd;

	LL_DELETE(k->stored, s);
	free(s);
	return fd;
}

/* Closes what nobody asked for, for ever or (not) for this process alone.
 * Returns how many. */
static size_t drop_stored(struct keep *k, bool for_ever)
{
	size_t n;

	for (n = 0; k->stored; n++) {
		if (for_ever)
			service_unstore(k->stored->name);
		(void)close(take(k, k->stored));
	}
	return n;
}

/* Opens the newest stash that is whole. Returns 0, or why there is none. */
static int open_newest(struct keep *k)
{
	struct stash_reader r;
	int found = -ENODATA, err;

	for (size_t i = 0; i < KEEP_FILES; i++) {
		if (k->files[i] < 0)
			continue;
		err = stash_open(&r, k->files[i]);
		if (err < 0) {
			if (found < 0 && err != -ENODATA)
				found = err;
			continue;
		}
		if (found == 0 && r.sequence < k->in.sequence) {
			stash_close(&r);
			continue;
		}
		stash_close(&k->in);
		k->in = r;
		k->current = i;
		k->sequence = r.sequence;
		found = 0;
	}
	return found;
}

static void make_files(struct daemon *d)
{
	struct keep *k = &d->keep;

	for (size_t i = 0; i < KEEP_FILES; i++) {
		if (k->files[i] >= 0)
			continue;
		k->files[i] = memfd_create(file_names[i], MFD_CLOEXEC);
		if (k->files[i] >= 0)
			service_store(file_names[i], k->files[i]);
	}
}

void keep_open(struct daemon *d)
{
	struct keep *k = &d->keep;
	size_t dropped = 0;
	int err;

	service_each_stored(collect, k);
	err = open_newest(k);
	if (err < 0)
		dropped = drop_stored(k, true);
	if (dropped > 0)
		service_log(&d->log, LOG_WARNING,
			SERVICE_KIND(MESSAGE_RESTART_LOST),
			"restart: %s: the %zu sockets that the process before "
			"left are closed, and what waited in them is lost",
			err == -EPROTO ? "another version wrote down its state"
			: err == -EBADMSG ? "the state that it left is damaged"
					  : "it left no state",
			dropped);
	make_files(d);
}

/* ---- giving it back ---- */

int keep_adopt(void *data, const char *name)
{
	struct daemon *d = data;
	struct stored *s = find(&d->keep, name);

	if (!s)
		return -1;
	d->keep.adopted++;
	return take(&d->keep, s);
}

void keep_inherit(struct daemon *d)
{
	if (d->keep.in.map)
		relay_inherit(d->relay, &d->keep.in);
}

static void announcement_lost(void *data, const char *name, int error)
{
	const struct daemon *d = data;

	service_log(&d->log, LOG_WARNING, NULL,
		"restart: announcement %s cannot go on: %s", name,
		strerror(-error));
}

void keep_resume(struct daemon *d)
{
	struct keep *k = &d->keep;
	struct relay_limit discovered;
	size_t dropped;

	if (k->in.map) {
		relay_resume(d->relay, &k->in);
		discovery_restore(d->discovery, &k->in);
		discovery_configure(d->discovery, d->config);
		announce_restore(d->announce, &k->in, announcement_lost, d);
	}
	dropped = drop_stored(k, true);
	discovery_limit(d->discovery, &discovered);
	if (k->adopted || dropped)
		service_log(&d->log, LOG_INFO, SERVICE_KIND(MESSAGE_RESTART),
			"restart: %zu sockets go on, %zu are of no use any "
			"more, %llu discovered entries are known",
			k->adopted, dropped,
			(unsigned long long)discovered.used);
	stash_close(&k->in);
}

/* ---- writing ---- */

static void write_stash(struct daemon *d, bool whole)
{
	struct keep *k = &d->keep;
	size_t next = k->current ? 0 : 1;
	struct stash_writer w;
	int err;

	if (k->files[next] < 0)
		return;
	stash_begin(&w, k->files[next], k->sequence + 1);
	relay_save_sockets(d->relay, &w);
	if (whole)
		relay_save(d->relay, &w);
	else
		relay_save_switch(d->relay, &w);
	announce_save(d->announce, &w);
	if (whole)
		discovery_save(d->discovery, &w);
	err = stash_end(&w);
	if (err < 0) {
		/* The one before is whole, if old: what has joined something
		 * since leaves it again. */
		service_log(&d->log, LOG_WARNING,
			SERVICE_KIND(MESSAGE_RESTART_LOST),
			"restart: cannot write down the state: %s",
			strerror(-err));
		(void)!ftruncate(k->files[next], 0);
		return;
	}
	/* Two of a full table would be one too many. */
	if (k->files[k->current] >= 0)
		(void)!ftruncate(k->files[k->current], 0);
	k->current = next;
	k->sequence++;
}

static void on_mark(uv_timer_t *t)
{
	write_stash(t->data, false);
}

/* At once is soon enough, once for all that happens in a turn of the loop. */
void keep_mark(struct daemon *d)
{
	if (d->keep.timer.data && !d->closing)
		(void)uv_timer_start(&d->keep.timer, on_mark, 0, 0);
}

void keep_start(struct daemon *d)
{
	write_stash(d, false);
	(void)uv_timer_init(d->loop, &d->keep.timer);
	d->keep.timer.data = d;
	d->open_handles++;
}

void keep_init(struct keep *k)
{
	*k = (struct keep){ 0 };
	for (size_t i = 0; i < KEEP_FILES; i++)
		k->files[i] = -1;
}

void keep_write(struct daemon *d)
{
	if (d->keep.timer.data)
		write_stash(d, true);
}

void keep_close(struct daemon *d, uv_close_cb closed)
{
	struct keep *k = &d->keep;

	/* Of a start that failed: the next one may have use for them. */
	(void)drop_stored(k, false);
	stash_close(&k->in);
	for (size_t i = 0; i < KEEP_FILES; i++)
		if (k->files[i] >= 0)
			(void)close(k->files[i]);
	if (k->timer.data)
		uv_close((uv_handle_t *)&k->timer, closed);
}
