/*
 * What happens when memory runs out: linked with --wrap for what allocates, so
 * that each allocation of src/config can be made to fail, though not those of
 * libyaml.
 */
#include "check_config_sites.h"

enum { NEVER = -1 };

void *__real_calloc(size_t n, size_t size);
void *__real_malloc(size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_reallocarray(void *memory, size_t n, size_t size);
char *__real_strdup(const char *text);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_reallocarray(void *memory, size_t n, size_t size);
char *__wrap_strdup(const char *text);

/* How many allocations go well before the one that fails. */
static int countdown = NEVER;

static bool fails(void)
{
	return countdown >= 0 && countdown-- == 0;
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	return fails() ? NULL : __real_realloc(memory, size);
}

void *__wrap_reallocarray(void *memory, size_t n, size_t size)
{
	return fails() ? NULL : __real_reallocarray(memory, n, size);
}

char *__wrap_strdup(const char *text)
{
	return fails() ? NULL : __real_strdup(text);
}

/* Has a value of every kind. */
static const char sites[] =
	SITE "brokers: [mqtts://broker.example, mqtt://broker.lan]\n"
	     "plain-text: [broker.lan]\n"
	     "prefix: a/b\nuser: u\npassword: p\n"
	     "tls: { ca: /c, certificate: /d, key: /e }\n"
	     "control: { socket: /s }\n"
	     "groups:\n"
	     "  a:\n"
	     "  b:\n"
	     "    publish: { allow: { services: _hap._tcp, sizes: 1 } }\n"
	     "    take: { from: [x, \"!y\"], deny: { sources: 192.0.2.1 } }\n";

/* The errors themselves take memory, too. */
static const char bad_sites[] = "site: -a\nbrokers: [mqtt://a, a]\nhubb: 1\n";

/*
 * Reads with the first allocation failing, the second ... Each is -ENOMEM, but
 * for the last time, which is `expected`. Returns how many could fail.
 */
static int parse_at_last(const char *text, int expected)
{
	struct config_sites *c = NULL;
	struct config_errors errors;
	int n_failures = 0, r;

	for (;; n_failures++) {
		countdown = n_failures;
		r = config_sites_parse(
			"test.yaml", text, strlen(text), &c, &errors);
		config_errors_done(&errors);
		/* Not used up: so many allocations there were not. */
		if (countdown != NEVER)
			break;
		ck_assert_int_eq(r, -ENOMEM);
		ck_assert_ptr_null(c);
	}
	countdown = NEVER;
	ck_assert_int_eq(r, expected);
	config_sites_free(c);
	return n_failures;
}

START_TEST(every_allocation_for_a_good_file_may_fail)
{
	ck_assert_int_gt(parse_at_last(sites, 0), 100);
}
END_TEST

START_TEST(every_allocation_for_a_bad_file_may_fail)
{
	ck_assert_int_gt(parse_at_last(bad_sites, -EINVAL), 30);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("memory");

	tcase_add_test(t, every_allocation_for_a_good_file_may_fail);
	tcase_add_test(t, every_allocation_for_a_bad_file_may_fail);
	return run(t);
}
