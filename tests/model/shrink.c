/*
 * Takes away from a network that fails what its failure does not need: relays,
 * hosts, legs, sayings; then it makes simpler what is left. Since nothing
 * happens at the same time any more when something is missing, each try gets
 * several chances. A large network that storms takes long to try, so after a
 * while what is left is good enough.
 */
#include "model.h"

#include "config/config.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

enum {
	TRIES = 12,
	PATIENCE = 400 * 1000 * 1000, /* datagrams heard: about two minutes */
};

struct shrinker {
	struct model *m, *tried;
	uint64_t *luck;
	enum model_break broken;
	struct outcome *o;
	uint64_t heard; /* datagrams, in all tries */
};

/* Keeps `tried` where the same claim still fails. */
static bool still_fails(struct shrinker *s)
{
	struct outcome o;

	for (uint64_t luck = 0; luck < TRIES; luck++) {
		if (s->heard > PATIENCE)
			return false;
		judge(s->tried, luck, s->broken, &o);
		s->heard += o.datagrams;
		if (o.failed != s->o->failed)
			continue;
		*s->m = *s->tried;
		*s->luck = luck;
		*s->o = o;
		return true;
	}
	return false;
}

static void drop_sayings(struct model *m, unsigned from, unsigned n)
{
	memmove(&m->sayings[from], &m->sayings[from + n],
		(m->n_sayings - from - n) * sizeof(m->sayings[0]));
	m->n_sayings -= n;
}

/* Halves, quarters, and so on, down to single ones. */
static bool fewer_sayings(struct shrinker *s)
{
	bool done = false;
	unsigned n, i;

	for (n = s->m->n_sayings / 2; n; n /= 2)
		for (i = 0; i + n <= s->m->n_sayings;) {
			*s->tried = *s->m;
			drop_sayings(s->tried, i, n);
			if (still_fails(s))
				done = true;
			else
				i += n;
		}
	return done;
}

static bool fewer_relays(struct shrinker *s)
{
	bool done = false;

	for (unsigned i = s->m->n_relays; i--;) {
		*s->tried = *s->m;
		s->tried->n_relays--;
		memmove(&s->tried->relays[i], &s->tried->relays[i + 1],
			(s->tried->n_relays - i) * sizeof(s->tried->relays[0]));
		done |= still_fails(s);
	}
	return done;
}

static bool fewer_hosts(struct shrinker *s)
{
	bool done = false;

	for (unsigned i = 0; i < s->m->n_hosts; i++) {
		*s->tried = *s->m;
		for (unsigned k = s->tried->n_sayings; k--;)
			if (s->tried->sayings[k].host == i)
				drop_sayings(s->tried, k, 1);
		if (s->tried->n_sayings != s->m->n_sayings)
			done |= still_fails(s);
	}
	return done;
}

static bool fewer_legs(struct shrinker *s)
{
	bool done = false;

	for (unsigned i = 0; i < s->m->n_relays; i++)
		for (size_t k = s->m->relays[i].n_legs; k--;) {
			struct model_relay *r;

			*s->tried = *s->m;
			r = &s->tried->relays[i];
			if (r->n_legs <= 2)
				break;
			r->legs[k] = r->legs[--r->n_legs];
			done |= still_fails(s);
		}
	return done;
}

/* Takes one wish from a relay. False: there is no such wish. */
static bool simplify(struct model_relay *r, unsigned wish)
{
	switch (wish) {
	case 0:
		r->rate = 0;
		return true;
	case 1:
		r->ttl = r->crier ? 255 : CONFIG_TTL_KEEP;
		return true;
	case 2:
		r->knows_itself = false;
		return true;
	case 3:
		r->keeps_source = false;
		return true;
	case 4:
		r->delay_ms /= 2;
		return true;
	case 5:
		for (size_t k = 0; k < r->n_legs; k++)
			r->legs[k].role = CONFIG_HEARS | CONFIG_SENT_TO;
		return true;
	default:
		return false;
	}
}

static bool simpler_relays(struct shrinker *s)
{
	bool done = false;

	for (unsigned i = 0; i < s->m->n_relays; i++)
		for (unsigned wish = 0;; wish++) {
			struct model_relay *r = &s->tried->relays[i];

			*s->tried = *s->m;
			if (!simplify(r, wish))
				break;
			if (memcmp(r, &s->m->relays[i], sizeof(*r)) != 0)
				done |= still_fails(s);
		}
	return done;
}

void shrink(struct model *m, uint64_t *luck, enum model_break broken,
	struct outcome *o)
{
	struct shrinker s = { m, malloc(sizeof(*m)), luck, broken, o, 0 };
	bool again;

	if (!s.tried)
		err(99, "no memory");
	do {
		again = fewer_hosts(&s);
		again |= fewer_sayings(&s);
		again |= fewer_relays(&s);
		again |= fewer_legs(&s);
		again |= simpler_relays(&s);
	} while (again);
	free(s.tried);
}
