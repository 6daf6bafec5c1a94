/*
 * model: lets networks of relays happen, and says which claim about them does
 * not hold.
 *
 * Each seed is a network of up to 50 relays and 30 segments, in which hosts
 * announce and repeat. The exit status is 0 where all claims held, 1 where one
 * did not, 2 after bad usage.
 */
#include "model.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
	uint64_t seed, runs;
	enum model_break broken;
	bool shrinks, tells, mixed;
};

static const char *const breaks[] = { "nothing", "guard", "window", "silence",
	"reach", "longer", "direction" };

static int usage(FILE *to)
{
	fputs("usage: model [--runs N] [--seed S] [--shrink] [--break WHAT] "
	      "[--mixed] [-v]\n\n"
	      "  --runs N      so many networks, 300 by default\n"
	      "  --seed S      the first one's seed, 1 by default\n"
	      "  --shrink      make a network that fails as small as it can be\n"
	      "  --break WHAT  guard, window, silence, reach, longer, "
	      "direction: to\n                see that a claim can fail\n"
	      "  --mixed       also networks that are known not to come to "
	      "rest always:\n                criers that keep sources, and "
	      "foreign relays that do not\n"
	      "  -v            a line for each network\n",
		to);
	return to == stdout ? 0 : 2;
}

static bool is_number(const char *text, uint64_t *ret)
{
	char *end;

	*ret = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end;
}

static bool is_break(const char *text, enum model_break *ret)
{
	for (size_t i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++)
		if (strcmp(text, breaks[i]) == 0) {
			*ret = (enum model_break)i;
			return true;
		}
	return false;
}

static int failed(const struct options *by, struct model *m, uint64_t seed,
	struct outcome *o)
{
	uint64_t luck = 0;

	printf("FAILED: seed %" PRIu64 ": %s: %s\n", seed,
		claim_word(o->failed), o->text);
	if (!by->shrinks) {
		printf("see more by %s--seed %" PRIu64 " --runs 1 --shrink\n",
			by->mixed ? "--mixed " : "", seed);
		return 1;
	}
	(void)fflush(stdout);
	shrink(m, &luck, by->broken, o);
	printf("shrunken: %s\n", o->text);
	show(m);
	return 1;
}

/* Keeps the worst of both in `all`. */
static void add(struct outcome *all, const struct outcome *o)
{
	all->asked += o->asked;
	all->datagrams += o->datagrams;
	if (o->copies.bound)
		(void)measure(&all->copies, o->copies.most, o->copies.bound);
	if (o->quiet.bound)
		(void)measure(&all->quiet, o->quiet.most, o->quiet.bound);
	if (o->gap.bound)
		(void)measure(&all->gap, o->gap.most, o->gap.bound);
	if (o->slow_ms > all->slow_ms)
		all->slow_ms = o->slow_ms;
}

static void tell(uint64_t seed, const struct model *m, const struct outcome *o)
{
	printf("seed %" PRIu64 ": %u relays, %u segments, %u sayings, %" PRIu64
	       " datagrams heard, copies %" PRIu64 " of %" PRIu64
	       ", slowest %" PRIu64 " ms, quiet after %" PRIu64 " of %" PRIu64
	       " ms, gap %" PRIu64 " of %" PRIu64 " ms\n",
		seed, m->n_relays, m->n_segments, m->n_sayings, o->datagrams,
		o->copies.most, o->copies.bound, o->slow_ms, o->quiet.most,
		o->quiet.bound, o->gap.most, o->gap.bound);
}

static void sum_up(const struct outcome *o, uint64_t runs, uint64_t relays)
{
	printf("%" PRIu64 " networks of %" PRIu64 " relays, %" PRIu64
	       " datagrams heard: all claims hold\n",
		runs, relays, o->datagrams);
	printf("heard where it must be: %" PRIu64 " times, the slowest after "
	       "%" PRIu64 " ms\n",
		o->asked, o->slow_ms);
	printf("at most\n"
	       "  %" PRIu64 " (%" PRIu64
	       " may be) copies of a payload on a segment "
	       "within a dedup time\n"
	       "  %" PRIu64 " of %" PRIu64 " ms until silence after the last "
	       "host's\n"
	       "  %" PRIu64 " of %" PRIu64 " ms without what a host says all "
	       "the time\n",
		o->copies.most, o->copies.bound, o->quiet.most, o->quiet.bound,
		o->gap.most, o->gap.bound);
}

static int run(const struct options *by)
{
	static struct model m;
	struct outcome all = { 0 }, o;
	uint64_t relays = 0, i;

	for (i = 0; i < by->runs; i++) {
		generate(&m, by->seed + i, by->mixed);
		judge(&m, 0, by->broken, &o);
		if (by->tells)
			tell(by->seed + i, &m, &o);
		if (o.failed)
			return failed(by, &m, by->seed + i, &o);
		relays += m.n_relays;
		add(&all, &o);
	}
	sum_up(&all, i, relays);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = { { "runs", 1, NULL, 'n' },
		{ "seed", 1, NULL, 's' }, { "shrink", 0, NULL, 'S' },
		{ "break", 1, NULL, 'b' }, { "mixed", 0, NULL, 'm' },
		{ "help", 0, NULL, 'h' }, { 0 } };
	struct options by = { .seed = 1, .runs = 300 };
	bool good = true;
	int c;

	while ((c = getopt_long(argc, argv, "vh", longs, NULL)) != -1) {
		switch (c) {
		case 'n':
			good &= is_number(optarg, &by.runs);
			break;
		case 's':
			good &= is_number(optarg, &by.seed);
			break;
		case 'S':
			by.shrinks = true;
			break;
		case 'b':
			good &= is_break(optarg, &by.broken);
			break;
		case 'm':
			by.mixed = true;
			break;
		case 'v':
			by.tells = true;
			break;
		case 'h':
			return usage(stdout);
		default:
			good = false;
		}
	}
	if (!good || optind < argc)
		return usage(stderr);
	return run(&by);
}
