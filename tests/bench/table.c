/*
 * table: what the discovered table costs at 100,000 entries, side by side with
 * what it could be instead: uthash to find an entry, and a timer of libuv for
 * each to let it end. Both do the same work in the same run.
 *
 * usage: table [ENTRIES]
 */
#include "discovery/table.h"

#include <err.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uthash.h>
#include <uv.h>

enum { ROUNDS = 5, SPREAD_MS = 60 * 1000 };

/* An entry as others would have it. */
struct other {
	uint64_t digest;
	UT_hash_handle hh;
	uv_timer_t timer;
};

struct bench {
	size_t n;
	uint64_t *digests; /* in the order in which they are asked for */
	struct place place;
	struct table table;
	struct other *others, *by_digest;
	uv_loop_t loop;
};

static double now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static size_t allocated(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

/* xorshift64 (Marsaglia 2003). */
static uint64_t draw(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void shuffle(struct bench *b)
{
	uint64_t random = 88172645463325252;

	for (size_t i = b->n - 1; i > 0; i--) {
		size_t j = draw(&random) % (i + 1);
		uint64_t digest = b->digests[i];

		b->digests[i] = b->digests[j];
		b->digests[j] = digest;
	}
}

static struct proto_piece piece(const char *text)
{
	return (struct proto_piece){ text, strlen(text) };
}

/* One as a small mDNS announcer makes it, of a host of its own. */
static void add(struct bench *b, size_t i)
{
	struct net_address source = { .family = AF_INET };
	struct host_text {
		char name[48], host[48];
	} t;
	struct words_change c = { 0 };
	struct book_news news = { .ttl = 120 };
	struct discovery_entry *e;
	uint64_t digest;

	source.v4.s_addr = htonl(UINT32_C(0x0a400002) + (uint32_t)i);
	(void)snprintf(t.name, sizeof(t.name), "Sensor %zu", i);
	(void)snprintf(t.host, sizeof(t.host), "sensor-%zu.local", i);
	digest = table_digest(&b->table, &b->place, t.name, strlen(t.name));
	e = table_add(&b->table, &b->place, digest, &source, 0);
	if (!e)
		errx(99, "no memory");
	c.piece[WORD_NAME] = piece(t.name);
	c.piece[WORD_TYPE] = piece("_sensor._udp");
	c.piece[WORD_DETAIL] = piece("id=1\n");
	(void)words_set(&e->words, &c);
	e->host = book_hold(&b->table.book, digest + 1, t.host);
	news.address = news.source = source;
	(void)book_record(&b->table.book, digest + 1, t.host, &news);
	b->digests[i] = digest;
}

static void never(uv_timer_t *t)
{
	(void)t;
}

static void measure_memory(struct bench *b, const struct siphash_key *key)
{
	size_t before = allocated();

	table_init(&b->table, b->n, key, 0);
	for (size_t i = 0; i < b->n; i++)
		add(b, i);
	printf("  %-38s %8.0f bytes (%zu the entry itself)\n",
		"memory for each entry, host and source",
		(double)(allocated() - before) / (double)b->n,
		sizeof(struct discovery_entry));
}

static void fill_others(struct bench *b)
{
	b->others = calloc(b->n, sizeof(*b->others));
	if (!b->others || uv_loop_init(&b->loop) < 0)
		errx(99, "no memory");
	for (size_t i = 0; i < b->n; i++) {
		b->others[i].digest = b->digests[i];
		(void)uv_timer_init(&b->loop, &b->others[i].timer);
		HASH_ADD(hh, b->by_digest, digest, sizeof(uint64_t),
			&b->others[i]);
	}
}

static void measure_lookup(struct bench *b)
{
	size_t found = 0;
	double ours = 0, theirs = 0, start;

	for (int round = 0; round < ROUNDS; round++) {
		start = now_ns();
		for (size_t i = 0; i < b->n; i++)
			found += table_find(&b->table, b->digests[i]) != NULL;
		ours += now_ns() - start;
		start = now_ns();
		for (size_t i = 0; i < b->n; i++) {
			struct other *o;

			HASH_FIND(hh, b->by_digest, &b->digests[i],
				sizeof(uint64_t), o);
			found += o != NULL;
		}
		theirs += now_ns() - start;
	}
	if (found != 2 * ROUNDS * b->n)
		errx(1, "not all were found");
	printf("  %-38s %8.0f ns, uthash %.0f ns\n", "a lookup",
		ours / ROUNDS / (double)b->n, theirs / ROUNDS / (double)b->n);
}

static void measure_refresh(struct bench *b)
{
	double ours = 0, theirs = 0, start;

	for (int round = 1; round <= ROUNDS; round++) {
		uint64_t random = 1;

		start = now_ns();
		for (size_t i = 0; i < b->n; i++)
			table_set_until(&b->table,
				table_find(&b->table, b->digests[i]),
				(uint64_t)round * SPREAD_MS +
					draw(&random) % SPREAD_MS);
		ours += now_ns() - start;
		start = now_ns();
		for (size_t i = 0; i < b->n; i++) {
			struct other *o;

			HASH_FIND(hh, b->by_digest, &b->digests[i],
				sizeof(uint64_t), o);
			(void)uv_timer_start(&o->timer, never,
				(uint64_t)round * SPREAD_MS +
					draw(&random) % SPREAD_MS,
				0);
		}
		theirs += now_ns() - start;
	}
	printf("  %-38s %8.0f ns, uthash and a timer %.0f ns\n",
		"a lookup and a longer life", ours / ROUNDS / (double)b->n,
		theirs / ROUNDS / (double)b->n);
}

/* Each ends in its own time, over a minute that passes in steps of a tick. */
static void measure_expiry(struct bench *b)
{
	uint64_t now = 0, next;
	double start = now_ns(), ours, worst = 0, theirs;

	while (table_next(&b->table, &next)) {
		double one = now_ns();

		now = next > now ? next : now;
		(void)table_expire(&b->table, now, SIZE_MAX);
		if (now_ns() - one > worst)
			worst = now_ns() - one;
	}
	ours = now_ns() - start;
	start = now_ns();
	for (size_t i = 0; i < b->n; i++) {
		(void)uv_timer_stop(&b->others[i].timer);
		HASH_DEL(b->by_digest, &b->others[i]);
	}
	theirs = now_ns() - start;
	printf("  %-38s %8.0f ns, uthash and a timer %.0f ns\n",
		"an expiry, its memory given back", ours / (double)b->n,
		theirs / (double)b->n);
	printf("  %-38s %8.1f us\n", "the longest tick", worst / 1e3);
}

int main(int argc, char *argv[])
{
	struct bench b = { .n = argc > 1 ? strtoul(argv[1], NULL, 10)
					 : 100000 };
	const struct siphash_key key = { 1, 2 };

	b.digests = calloc(b.n + 1, sizeof(*b.digests));
	if (!b.digests || b.n == 0)
		errx(2, "usage: table [ENTRIES]");
	b.place.id = 1;
	printf("%zu entries:\n", b.n);
	measure_memory(&b, &key);
	shuffle(&b);
	fill_others(&b);
	measure_lookup(&b);
	measure_refresh(&b);
	measure_expiry(&b);
	table_done(&b.table);
	for (size_t i = 0; i < b.n; i++)
		uv_close((uv_handle_t *)&b.others[i].timer, NULL);
	(void)uv_run(&b.loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&b.loop) < 0)
		errx(1, "a timer was left");
	free(b.others);
	free(b.digests);
	return 0;
}
