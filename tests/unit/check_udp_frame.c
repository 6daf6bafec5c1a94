/* Tests of udp/frame: what takes no socket. tests/net/frames.sh has the rest.
 */
#include "udp/udp.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <string.h>

struct sample {
	const char *address;
	uint8_t hardware[6];
};

/* RFC 1112, 6.4: the low 23 bits; RFC 2464, 7: the low 32. */
static const struct sample samples[] = {
	{ "224.0.0.251", { 0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb } },
	{ "239.255.255.250", { 0x01, 0x00, 0x5e, 0x7f, 0xff, 0xfa } },
	{ "239.128.0.1", { 0x01, 0x00, 0x5e, 0x00, 0x00, 0x01 } },
	{ "255.255.255.255", { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
	{ "192.0.2.255", { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
	{ "ff02::fb", { 0x33, 0x33, 0x00, 0x00, 0x00, 0xfb } },
	{ "ff15::1234:5678", { 0x33, 0x33, 0x12, 0x34, 0x56, 0x78 } },
};

START_TEST(groups_and_broadcasts_have_a_hardware_address)
{
	const struct sample *s = &samples[_i];
	union udp_address a = { 0 };
	uint8_t got[6];

	if (strchr(s->address, ':')) {
		a.in6.sin6_family = AF_INET6;
		ck_assert_int_eq(
			inet_pton(AF_INET6, s->address, &a.in6.sin6_addr), 1);
	} else {
		a.in.sin_family = AF_INET;
		ck_assert_int_eq(
			inet_pton(AF_INET, s->address, &a.in.sin_addr), 1);
	}
	udp_frame_hardware(&a, got);
	ck_assert_mem_eq(got, s->hardware, sizeof(got));
}
END_TEST

struct seen {
	size_t n;
	char *tags[UDP_FRAMES];
	int error;
};

static void note(void *data, void *tag, int error)
{
	struct seen *s = data;

	ck_assert_uint_lt(s->n, UDP_FRAMES);
	s->tags[s->n++] = tag;
	s->error = error;
}

START_TEST(a_batch_is_bounded_reports_each_and_is_empty_then)
{
	static char tags[UDP_FRAMES];
	struct udp_frames *f;
	struct seen seen = { 0 };
	struct udp_frame *x;

	ck_assert_int_eq(udp_frames_new(&f), 0);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < UDP_FRAMES; i++) {
			x = udp_frames_take(f);
			ck_assert_ptr_nonnull(x);
			*x = (struct udp_frame){ .family = AF_INET,
				.device = 1,
				.payload = "",
				.tag = &tags[i] };
		}
		ck_assert_ptr_null(udp_frames_take(f));
		seen.n = 0;
		ck_assert_uint_eq(udp_frames_send(f, -1, note, &seen), 0);
		ck_assert_uint_eq(seen.n, UDP_FRAMES);
		ck_assert_int_eq(seen.error, -EBADF);
		for (size_t i = 0; i < UDP_FRAMES; i++)
			ck_assert_ptr_eq(seen.tags[i], &tags[i]);
	}
	ck_assert_uint_eq(udp_frames_send(f, -1, note, &seen), 0);
	ck_assert_uint_eq(seen.n, UDP_FRAMES);
	udp_frames_free(f);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("udp_frame");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_loop_test(t, groups_and_broadcasts_have_a_hardware_address, 0,
		(int)(sizeof(samples) / sizeof(samples[0])));
	tcase_add_test(t, a_batch_is_bounded_reports_each_and_is_empty_then);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
