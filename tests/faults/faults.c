/*
 * faults: whole lives of a daemon, in each of which one allocation fails, or
 * one of a library that it calls, or one system call, or all from one on, or
 * the process may open no more files than so many. Each is a process of its
 * own, so that a crash, a hang and a leak are seen; and what each must do,
 * life.h says.
 *
 * Without options a few of them, for "make check". --every K takes each K-th,
 * from the first on or, with --from I, from the I-th; --every 1 all, which
 * takes some hours. They wait more than they work, so several may run at once,
 * as by "make faults". --only KIND:N:TURN repeats one, as a claim names it.
 */
#include "inject.h"
#include "life.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HANGS_S = 60, MOST_TURNS = 4 };

static const struct {
	const char *name;
	unsigned turns; /* as many errors has a call at most */
	unsigned every; /* "make check" has some ten seconds */
} kinds[INJECT_KINDS] = {
	[INJECT_ALLOCATION] = { "allocation", 1, 1201 },
	[INJECT_CALL] = { "call", MOST_TURNS, 601 },
	[INJECT_LIBRARY] = { "library", 1, 2999 },
	[INJECT_DESCRIPTORS] = { "descriptors", 1, 83 },
	[INJECT_ALLOCATIONS] = { "allocations", 1, 3499 },
	[INJECT_CALLS] = { "calls", MOST_TURNS, 1601 },
};

/* What a life tells, in memory that it shares with us. */
struct told {
	struct life life;
	struct inject_failure failure;
	unsigned counts[INJECT_KINDS];
	bool is_over;
};

struct faults {
	struct house house;
	char folder[64];
	struct told *told;
	unsigned every, from; /* every: 0 for what `kinds` says */
	unsigned lives, reached, unstarted, unreloaded, wrong;
};

/* ---- one life ---- */

static void live(const struct faults *f, enum inject_kind kind, unsigned n,
	unsigned turn)
{
	struct told *t = f->told;
	struct house house = f->house;

	(void)alarm(HANGS_S);
	(void)signal(SIGPIPE, SIG_IGN);
	t->life.house = &house;
	t->life.folder = f->folder;
	inject_plan(kind, n, turn);
	life_run(&t->life);
	t->failure = *inject_failed();
	for (unsigned k = 0; k < INJECT_KINDS; k++)
		t->counts[k] = inject_count(k);
	t->is_over = true;
	exit(0); /* not _exit(): a sanitizer looks for leaks */
}

/* The claim that did not hold, or NULL. */
static const char *judge(const struct told *t, int status)
{
	static char text[64];

	if (WIFSIGNALED(status)) {
		(void)snprintf(text, sizeof(text), "%s",
			WTERMSIG(status) == SIGALRM
				? "hangs"
				: strsignal(WTERMSIG(status)));
		return text;
	}
	if (t->life.wrong[0])
		return t->life.wrong;
	if (WEXITSTATUS(status) != 0 || !t->is_over)
		return "ends with an error of its own, see above";
	return NULL;
}

static void lead(
	struct faults *f, enum inject_kind kind, unsigned n, unsigned turn)
{
	struct told *t = f->told;
	const char *wrong;
	int status;
	pid_t pid;

	memset(t, 0, sizeof(*t));
	(void)fflush(stdout);
	pid = fork();
	if (pid == 0)
		live(f, kind, n, turn);
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		perror("fork");
		exit(99);
	}
	f->lives++;
	f->reached += t->failure.call != NULL;
	f->unstarted += !t->life.is_started;
	f->unreloaded += t->life.is_started && !t->life.is_reloaded;
	wrong = judge(t, status);
	if (!wrong)
		return;
	f->wrong++;
	printf("not ok - %s:%u:%u: %s", kinds[kind].name, n, turn, wrong);
	if (t->failure.call)
		printf(" (%s: %s, at %#lx of %s)", t->failure.call,
			strerror(t->failure.error),
			(unsigned long)t->failure.at, t->failure.object);
	printf("\n");
}

/* ---- all of them ---- */

static void lead_all(struct faults *f, enum inject_kind kind, unsigned most)
{
	unsigned every = f->every ? f->every : kinds[kind].every;
	unsigned i = 0, before = f->wrong;

	if (most == 0) {
		printf("# %s: none can be made to fail here\n",
			kinds[kind].name);
		return;
	}
	f->lives = f->reached = f->unstarted = f->unreloaded = 0;
	for (unsigned turn = 0; turn < kinds[kind].turns; turn++)
		for (unsigned n = 1; n <= most; n++)
			if (i++ % every == f->from)
				lead(f, kind, n, turn);
	printf("# %s: %u in a life, %u lives, in %u something failed; %u did "
	       "not start, %u did not reload\n",
		kinds[kind].name, most, f->lives, f->reached, f->unstarted,
		f->unreloaded);
	if (f->wrong == before)
		printf("ok - %s\n", kinds[kind].name);
}

/* A life in which nothing fails, which tells how much there is to fail. */
static void lead_unharmed(struct faults *f, unsigned most[INJECT_KINDS])
{
	lead(f, INJECT_ALLOCATION, 0, 0);
	memcpy(most, f->told->counts, sizeof(f->told->counts));
	if (f->wrong || !f->told->life.is_reloaded) {
		printf("not ok - a life in which nothing fails\n");
		exit(1);
	}
}

static void set_up(struct faults *f)
{
	house_open(&f->house);
	/* Each life has a loop of its own. */
	ck_assert_int_eq(uv_loop_close(&f->house.loop), 0);
	house_add(&f->house, 1, false);
	house_add(&f->house, 2, false);
	(void)snprintf(f->folder, sizeof(f->folder), "/tmp/crier-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(f->folder));
	f->told = mmap(NULL, sizeof(*f->told), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert(f->told != MAP_FAILED);
}

static void tear_down(struct faults *f)
{
	house_run("rm -r %s", f->folder);
	(void)munmap(f->told, sizeof(*f->told));
	(void)close(f->house.hosts);
	(void)close(f->house.router);
}

static void lead_one(struct faults *f, const char *which)
{
	unsigned n, turn;
	char name[32];

	if (sscanf(which, "%31[a-z]:%u:%u", name, &n, &turn) != 3)
		exit(2);
	for (unsigned k = 0; k < INJECT_KINDS; k++)
		if (strcmp(name, kinds[k].name) == 0)
			lead(f, k, n, turn);
}

static int usage(void)
{
	(void)fputs("Usage: faults [--every K [--from I]] "
		    "[--only KIND:N:TURN]\n",
		stderr);
	return 2;
}

int main(int argc, char *argv[])
{
	unsigned most[INJECT_KINDS];
	struct faults f = { 0 };
	const char *only = NULL;

	for (int i = 1; i < argc; i += 2) {
		if (i + 1 == argc)
			return usage();
		if (strcmp(argv[i], "--every") == 0)
			f.every = (unsigned)strtoul(argv[i + 1], NULL, 10);
		else if (strcmp(argv[i], "--from") == 0)
			f.from = (unsigned)strtoul(argv[i + 1], NULL, 10);
		else if (strcmp(argv[i], "--only") == 0)
			only = argv[i + 1];
		else
			return usage();
	}
	if (f.from && f.from >= f.every)
		return usage();
	if (!house_is_possible()) {
		(void)fputs("no network namespaces here\n", stderr);
		return 77;
	}
	set_up(&f);
	if (only) {
		lead_one(&f, only);
	} else {
		lead_unharmed(&f, most);
		for (unsigned k = 0; k < INJECT_KINDS; k++)
			lead_all(&f, k, most[k]);
	}
	tear_down(&f);
	return f.wrong ? 1 : 0;
}
