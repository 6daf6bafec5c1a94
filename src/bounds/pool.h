/*
 * pool: items of one size, taken and given back without an allocation each.
 *
 * Memory comes in chunks that grow with the pool and stay until pool_done():
 * what traffic needed once it may need again.
 */
#ifndef CRIER_BOUNDS_POOL_H
#define CRIER_BOUNDS_POOL_H

#include <stddef.h>

struct pool {
	/* Private. */
	struct pool_chunk *chunks;
	void *free;
	size_t item_bytes;
	size_t chunk_items; /* of the next chunk */
};

/* Prepares an empty pool of items of `item_bytes`, aligned as for malloc. */
void pool_init(struct pool *p, size_t item_bytes);

/* Frees all chunks, and so every item. */
void pool_done(struct pool *p);

/* An item with all bytes zero, or NULL without memory. */
void *pool_take(struct pool *p);

/* Gives `item` back. */
void pool_give(struct pool *p, void *item);

#endif
