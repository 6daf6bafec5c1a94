#include "model.h"

uint64_t draw(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1d;
}

unsigned pick(uint64_t *state, unsigned n)
{
	return (unsigned)((draw(state) >> 32) * n >> 32);
}

bool chance(uint64_t *state, unsigned percent)
{
	return pick(state, 100) < percent;
}

/* As splitmix64 does (Steele and others 2014). */
uint64_t chance_from(uint64_t seed)
{
	uint64_t z = seed + 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	z ^= z >> 31;
	return z ? z : 1;
}
