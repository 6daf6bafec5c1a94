#include "bounds/siphash.h"

#include <endian.h>
#include <string.h>

struct state {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static inline struct state mix(struct state s)
{
	s.v0 += s.v1;
	s.v1 = rotate(s.v1, 13) ^ s.v0;
	s.v0 = rotate(s.v0, 32);
	s.v2 += s.v3;
	s.v3 = rotate(s.v3, 16) ^ s.v2;
	s.v0 += s.v3;
	s.v3 = rotate(s.v3, 21) ^ s.v0;
	s.v2 += s.v1;
	s.v1 = rotate(s.v1, 17) ^ s.v2;
	s.v2 = rotate(s.v2, 32);
	return s;
}

static inline struct state absorb(struct state s, uint64_t word)
{
	s.v3 ^= word;
	s = mix(s);
	s.v0 ^= word;
	return s;
}

static inline struct state begin(const struct siphash_key *key)
{
	return (struct state){
		.v0 = key->k0 ^ UINT64_C(0x736f6d6570736575),
		.v1 = key->k1 ^ UINT64_C(0x646f72616e646f6d),
		.v2 = key->k0 ^ UINT64_C(0x6c7967656e657261),
		.v3 = key->k1 ^ UINT64_C(0x7465646279746573),
	};
}

static inline uint64_t word_at(const uint8_t *p, size_t size)
{
	uint64_t word = 0;

	memcpy(&word, p, size);
	return le64toh(word);
}

/* `total`: of all bytes, those that were absorbed before included. */
static inline uint64_t finish(
	struct state s, const uint8_t *p, size_t size, size_t total)
{
	uint64_t last = (uint64_t)total << 56;

	/* Of nothing, `p` may be NULL, which even 0 must not be added to. */
	for (size_t n = size / 8; n > 0; n--, p += 8)
		s = absorb(s, word_at(p, 8));
	if (size % 8)
		last |= word_at(p, size % 8);
	s = absorb(s, last);
	s.v2 ^= 0xff;
	s = mix(mix(mix(s)));
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t siphash(const struct siphash_key *key, const void *data, size_t size)
{
	return finish(begin(key), data, size, size);
}

uint64_t siphash_behind(const struct siphash_key *key, uint64_t first,
	const void *data, size_t size)
{
	return finish(
		absorb(begin(key), first), data, size, sizeof(first) + size);
}
