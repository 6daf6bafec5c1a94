/*
 * replay: a main() for the fuzz targets where there is no fuzzer: every file of
 * a corpus, as it is and mutated, in buffers of the exact size.
 *
 * usage: fuzz_NAME [-n MUTATIONS] [DIRECTORY]...
 *
 * The default is MUTATIONS of $top_srcdir/tests/fuzz/corpus/NAME, or, where
 * there is none of that name, of the datagrams of all protocols. They are the
 * same in every run.
 */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Fewer where one takes long: see Makefile.am. */
#ifndef MUTATIONS
#define MUTATIONS 20000
#endif

enum { BROKEN = 99, MAX_FILES = 1000, LARGEST = 65536 };

struct input {
	uint8_t *bytes;
	size_t size;
};

struct corpus {
	struct input file[MAX_FILES];
	size_t n;
	uint64_t random;
};

/* xorshift64* (Vigna 2016). */
static size_t draw(struct corpus *c, size_t bound)
{
	c->random ^= c->random >> 12;
	c->random ^= c->random << 25;
	c->random ^= c->random >> 27;
	return (size_t)((c->random * UINT64_C(2685821657736338717)) >> 33) %
	       bound;
}

static struct input read_file(const char *path)
{
	struct input in = { .bytes = malloc(LARGEST) };
	FILE *f = fopen(path, "rb");

	if (f == NULL || in.bytes == NULL) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(BROKEN);
	}
	in.size = fread(in.bytes, 1, LARGEST, f);
	(void)fclose(f);
	return in;
}

static void read_directory(struct corpus *c, const char *path)
{
	struct dirent **names;
	int n = scandir(path, &names, NULL, alphasort);

	if (n < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(BROKEN);
	}
	for (int i = 0; i < n; i++) {
		char file[4096];
		struct stat st;

		(void)snprintf(
			file, sizeof(file), "%s/%s", path, names[i]->d_name);
		free(names[i]);
		if (stat(file, &st) == 0 && S_ISREG(st.st_mode) &&
			c->n < MAX_FILES)
			c->file[c->n++] = read_file(file);
	}
	free(names);
}

/* A copy in a buffer of its exact size, so that a sanitizer sees every byte
 * too many. */
static void run(const uint8_t *bytes, size_t size)
{
	uint8_t *exact = malloc(size);

	if (exact == NULL && size > 0)
		exit(BROKEN);
	if (size > 0)
		memcpy(exact, bytes, size);
	(void)LLVMFuzzerTestOneInput(exact, size);
	free(exact);
}

/* Takes some bytes out, doubles them, puts those of another file in their
 * place; but most often changes one, so that much stays well-formed. Returns
 * the new size. */
static size_t mutate(struct corpus *c, uint8_t *bytes, size_t size)
{
	static const uint8_t special[] = { 0, 1, 0x0c, 0x3f, 0x40, 0x7f, 0x80,
		0xc0, 0xff, ' ', '\r', '\n', ':', '<', '>', '"' };
	const struct input *other = &c->file[draw(c, c->n)];
	size_t at = draw(c, size), n = 1 + draw(c, 16), from;

	if (n > size - at)
		n = size - at;
	switch (draw(c, 12)) {
	case 0:
		memmove(bytes + at, bytes + at + n, size - at - n);
		return size - n;
	case 1:
		if (size + n > LARGEST)
			return at;
		memmove(bytes + at + n, bytes + at, size - at);
		return size + n;
	case 2:
		if (other->size == 0)
			return size;
		from = draw(c, other->size);
		if (n > other->size - from)
			n = other->size - from;
		memcpy(bytes + at, other->bytes + from, n);
		return size;
	case 3:
		return draw(c, 4) == 0 ? at : size;
	case 4:
	case 5:
	case 6:
		bytes[at] = special[draw(c, sizeof(special))];
		return size;
	default:
		bytes[at] ^= (uint8_t)(1 << draw(c, 8));
		return size;
	}
}

static void run_mutated(struct corpus *c)
{
	static uint8_t bytes[LARGEST];
	const struct input *in = &c->file[draw(c, c->n)];
	size_t size = in->size;

	memcpy(bytes, in->bytes, size);
	for (size_t n = 1 + draw(c, 3); n > 0 && size > 0; n--)
		size = mutate(c, bytes, size);
	run(bytes, size);
}

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Datagrams of all kinds. */
static void read_datagrams(struct corpus *c, const char *corpora)
{
	static const char *const names[] = { "mdns", "ssdp", "wsd" };
	char path[4096];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", corpora, names[i]);
		read_directory(c, path);
	}
}

static void default_directory(struct corpus *c, const char *program)
{
	const char *top = getenv("top_srcdir");
	const char *name = strstr(program, "fuzz_");
	char corpora[2048], path[4096];

	/* The last one: a directory may be called alike. */
	for (const char *next = name; next != NULL;
		next = strstr(name + 1, "fuzz_"))
		name = next;
	if (top == NULL || name == NULL) {
		fprintf(stderr, "%s: no directory, and no top_srcdir\n",
			program);
		exit(BROKEN);
	}
	(void)snprintf(corpora, sizeof(corpora), "%s/tests/fuzz/corpus", top);
	(void)snprintf(
		path, sizeof(path), "%s/%s", corpora, name + strlen("fuzz_"));
	if (is_directory(path))
		read_directory(c, path);
	else
		read_datagrams(c, corpora);
}

int main(int argc, char **argv)
{
	static struct corpus c = { .random = 88172645463325252 };
	unsigned long mutations = MUTATIONS;
	int option;

	while ((option = getopt(argc, argv, "n:")) != -1) {
		if (option != 'n')
			return 2;
		mutations = strtoul(optarg, NULL, 10);
	}
	for (int i = optind; i < argc; i++)
		read_directory(&c, argv[i]);
	if (optind == argc)
		default_directory(&c, argv[0]);
	if (c.n == 0) {
		fprintf(stderr, "%s: the corpus is empty\n", argv[0]);
		return BROKEN;
	}
	run(NULL, 0);
	for (size_t i = 0; i < c.n; i++)
		run(c.file[i].bytes, c.file[i].size);
	for (unsigned long i = 0; i < mutations; i++)
		run_mutated(&c);
	printf("%zu files, %lu mutations\n", c.n, mutations);
	for (size_t i = 0; i < c.n; i++)
		free(c.file[i].bytes);
	return 0;
}
