/* Tests of stash/: what is written is read again, and nothing else. */
#include "stash/stash.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int fd;

static void make_file(void)
{
	fd = memfd_create("stash", MFD_CLOEXEC);
	ck_assert_int_ge(fd, 0);
}

static void close_file(void)
{
	(void)close(fd);
}

static struct net_address address(const char *text)
{
	struct net_address a;

	ck_assert_int_eq(net_address_parse(text, &a), 0);
	return a;
}

static void write_two_records(uint64_t sequence)
{
	struct net_address six = address("fe80::1%3");
	struct stash_writer w;

	stash_begin(&w, fd, sequence);
	stash_record(&w, STASH_PLACE);
	stash_put_number(&w, UINT64_MAX);
	stash_put_text(&w, "a text");
	stash_put_bytes(&w, "\0\1\2", 3);
	stash_put_address(&w, &six);
	stash_record(&w, STASH_ENTRY);
	stash_put_text(&w, "");
	ck_assert_int_eq(stash_end(&w), 0);
}

START_TEST(reads_what_was_written)
{
	struct net_address six = address("fe80::1%3"), a;
	struct stash_reader r;
	enum stash_tag tag;
	const void *bytes;
	size_t size;

	write_two_records(7);
	ck_assert_int_eq(stash_open(&r, fd), 0);
	ck_assert_uint_eq(r.sequence, 7);
	ck_assert(stash_next(&r, &tag));
	ck_assert_int_eq(tag, STASH_PLACE);
	ck_assert_uint_eq(stash_get_number(&r), UINT64_MAX);
	ck_assert_str_eq(stash_get_text(&r), "a text");
	bytes = stash_get_bytes(&r, &size);
	ck_assert_uint_eq(size, 3);
	ck_assert_mem_eq(bytes, "\0\1\2", 3);
	a = stash_get_address(&r);
	ck_assert(net_address_equal(&a, &six));
	ck_assert(stash_is_sound(&r));
	ck_assert(stash_next(&r, &tag));
	ck_assert_int_eq(tag, STASH_ENTRY);
	ck_assert_str_eq(stash_get_text(&r), "");
	ck_assert(stash_is_sound(&r));
	ck_assert(!stash_next(&r, &tag));
	stash_rewind(&r);
	ck_assert(stash_next(&r, &tag));
	ck_assert_int_eq(tag, STASH_PLACE);
	stash_close(&r);
	stash_close(&r);
}
END_TEST

START_TEST(what_a_record_lacks_is_empty_and_not_sound)
{
	struct stash_reader r;
	enum stash_tag tag;
	size_t size;

	write_two_records(1);
	ck_assert_int_eq(stash_open(&r, fd), 0);
	ck_assert(stash_next(&r, &tag));
	ck_assert(stash_next(&r, &tag));
	ck_assert_str_eq(stash_get_text(&r), "");
	ck_assert_uint_eq(stash_get_number(&r), 0);
	ck_assert(!stash_is_sound(&r));
	ck_assert_str_eq(stash_get_text(&r), "");
	(void)stash_get_bytes(&r, &size);
	ck_assert_uint_eq(size, 0);
	ck_assert_int_eq(stash_get_address(&r).family, AF_UNSPEC);
	stash_close(&r);
}
END_TEST

START_TEST(a_size_beyond_the_record_is_refused)
{
	struct stash_reader r;
	struct stash_writer w;
	enum stash_tag tag;
	size_t size;

	stash_begin(&w, fd, 1);
	stash_record(&w, STASH_HOST);
	stash_put_number(&w, UINT64_MAX); /* read as a size */
	stash_put_number(&w, 1);
	ck_assert_int_eq(stash_end(&w), 0);
	ck_assert_int_eq(stash_open(&r, fd), 0);
	ck_assert(stash_next(&r, &tag));
	(void)stash_get_bytes(&r, &size);
	ck_assert_uint_eq(size, 0);
	ck_assert(!stash_is_sound(&r));
	stash_close(&r);
}
END_TEST

/* One of a family that nobody knows, of no bytes, was an address that is set.
 */
START_TEST(an_address_is_of_a_family_that_is_known_or_is_none)
{
	static const sa_family_t families[] = { AF_UNSPEC, AF_UNIX, 77 };
	struct stash_reader r;
	struct stash_writer w;
	enum stash_tag tag;

	stash_begin(&w, fd, 1);
	for (size_t i = 0; i < 3; i++) {
		stash_record(&w, STASH_HOST);
		stash_put_address(
			&w, &(struct net_address){ .family = families[i] });
	}
	ck_assert_int_eq(stash_end(&w), 0);
	ck_assert_int_eq(stash_open(&r, fd), 0);
	for (size_t i = 0; i < 3; i++) {
		ck_assert(stash_next(&r, &tag));
		ck_assert_int_eq(stash_get_address(&r).family, AF_UNSPEC);
		ck_assert(stash_is_sound(&r) == (i == 0));
	}
	stash_close(&r);
}
END_TEST

START_TEST(every_flipped_bit_and_every_cut_is_found)
{
	struct stash_reader r = { .sequence = 99 };
	struct stat st;
	uint8_t byte, bad;
	off_t i;
	int err;

	write_two_records(1);
	ck_assert_int_eq(fstat(fd, &st), 0);
	for (i = 0; i < st.st_size; i++)
		for (int bit = 0; bit < 8; bit++) {
			ck_assert_int_eq(pread(fd, &byte, 1, i), 1);
			bad = byte ^ (uint8_t)(1 << bit);
			ck_assert_int_eq(pwrite(fd, &bad, 1, i), 1);
			err = stash_open(&r, fd);
			ck_assert_msg(err == -EBADMSG || err == -EPROTO,
				"byte %ld, bit %d: %d", (long)i, bit, err);
			ck_assert_int_eq(pwrite(fd, &byte, 1, i), 1);
		}
	for (i = st.st_size; i-- > 1;) {
		ck_assert_int_eq(ftruncate(fd, i), 0);
		ck_assert_int_eq(stash_open(&r, fd), -EBADMSG);
	}
	ck_assert_uint_eq(r.sequence, 99);
}
END_TEST

START_TEST(another_version_is_told_apart_from_damage)
{
	uint64_t version = STASH_VERSION + 1;
	struct stash_reader r;

	write_two_records(1);
	/* Behind the magic number. */
	ck_assert_int_eq(pwrite(fd, &version, 8, 8), 8);
	ck_assert_int_eq(stash_open(&r, fd), -EPROTO);
}
END_TEST

START_TEST(nothing_was_written_until_the_end)
{
	struct stash_reader r;
	struct stash_writer w;

	ck_assert_int_eq(stash_open(&r, fd), -ENODATA);
	write_two_records(1);
	stash_begin(&w, fd, 2);
	ck_assert_int_eq(stash_open(&r, fd), -ENODATA);
	/* More than is held back. */
	for (int i = 0; i < 100000; i++) {
		stash_record(&w, STASH_HOST);
		stash_put_number(&w, 1);
	}
	ck_assert_int_eq(stash_open(&r, fd), -EBADMSG);
	ck_assert_int_eq(stash_end(&w), 0);
	ck_assert_int_eq(stash_open(&r, fd), 0);
	ck_assert_uint_eq(r.sequence, 2);
	stash_close(&r);
}
END_TEST

START_TEST(a_large_stash_comes_back_whole)
{
	struct stash_reader r;
	struct stash_writer w;
	enum stash_tag tag;
	uint64_t n;
	char *large = malloc(1 << 20);
	size_t size;

	ck_assert_ptr_nonnull(large);
	memset(large, 'x', 1 << 20);
	stash_begin(&w, fd, 3);
	for (uint64_t i = 0; i < 50000; i++) {
		stash_record(&w, STASH_HOST);
		stash_put_number(&w, i);
	}
	stash_record(&w, STASH_ENTRY);
	stash_put_bytes(&w, large, 1 << 20);
	ck_assert_int_eq(stash_end(&w), 0);
	ck_assert_int_eq(stash_open(&r, fd), 0);
	for (n = 0; n < 50000; n++) {
		ck_assert(stash_next(&r, &tag));
		ck_assert_uint_eq(stash_get_number(&r), n);
	}
	ck_assert(stash_next(&r, &tag));
	ck_assert_mem_eq(stash_get_bytes(&r, &size), large, 1 << 20);
	ck_assert_uint_eq(size, 1 << 20);
	ck_assert(!stash_next(&r, &tag));
	stash_close(&r);
	free(large);
}
END_TEST

START_TEST(a_file_that_cannot_be_written_is_an_error)
{
	struct stash_writer w;
	int full = memfd_create("full", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	ck_assert_int_eq(fcntl(full, F_ADD_SEALS, F_SEAL_GROW), 0);
	stash_begin(&w, full, 1);
	stash_record(&w, STASH_HOST);
	ck_assert_int_eq(stash_end(&w), -EPERM);
	(void)close(full);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("stash");
	TCase *t = tcase_create("stash");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, make_file, close_file);
	tcase_add_test(t, reads_what_was_written);
	tcase_add_test(t, what_a_record_lacks_is_empty_and_not_sound);
	tcase_add_test(t, a_size_beyond_the_record_is_refused);
	tcase_add_test(t, an_address_is_of_a_family_that_is_known_or_is_none);
	tcase_add_test(t, every_flipped_bit_and_every_cut_is_found);
	tcase_add_test(t, another_version_is_told_apart_from_damage);
	tcase_add_test(t, nothing_was_written_until_the_end);
	tcase_add_test(t, a_large_stash_comes_back_whole);
	tcase_add_test(t, a_file_that_cannot_be_written_is_an_error);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
