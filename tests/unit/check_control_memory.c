/*
 * Each method, with memory running out at each of its allocations in turn.
 */
#include "control_fixture.h"

#include "control/methods.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct fixture f;
static int pair[2]; /* its ends are us, and so root or the daemon's own user */

static void setup(void)
{
	fixture_open(&f);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
}

static void teardown(void)
{
	(void)close(pair[0]);
	(void)close(pair[1]);
	fixture_close(&f);
}

static unsigned allocations_left;

static void *scarce_malloc(size_t size)
{
	if (allocations_left == 0)
		return NULL;
	allocations_left--;
	return malloc(size);
}

static const char *const any_call[] = {
	CALL("status"),
	CALL("interfaces"),
	CALL("groups"),
	CALL_WITH("explain",
		"{\"group\":\"mdns\",\"interface\":\"lan\",\"source\":\"192.0.2.7\",\"names\":[\"a\"]}"),
	CALL("presets"),
	CALL("flows"),
	CALL("discovered"),
	CALL("announcements"),
	CALL_WITH("announce", "{\"name\":\"a\",\"group\":\"mdns\","
			      "\"payload\":{\"text\":\"hi\"},"
			      "\"interval\":30}"),
	CALL_WITH("withdraw", "{\"name\":\"wep\"}"),
	CALL("metrics"),
	CALL_WITH("subscribe", "{\"events\":[\"drop\"],\"groups\":[\"mdns\"]}"),
	CALL_WITH("sites", "{\"site\":\"home\",\"broker\":\"b\","
			   "\"state\":\"waiting\",\"sites\":[{\"site\":"
			   "\"hut\"}]}"),
	CALL("reload"),
	CALL_WITH("standby", "{\"enabled\":true}"),
	CALL("none"),
};

/*
 * Whichever allocation fails, the answer is an error or none at all, and
 * nothing is left behind (a sanitizer or valgrind sees to that).
 */
START_TEST(a_lack_of_memory_is_survived)
{
	const struct discovery_info info = fixture_entry("TV\xff");
	struct subscription *subscription = NULL;
	struct methods_context context = { .handles = &f.handles,
		.now_ms = f.handles.started_ms,
		.fd = pair[0],
		.subscription = &subscription,
		.reports = &f.reports,
		.client = &f };
	unsigned tried = 0;
	char *text;
	size_t size;
	int r;

	f.reload_result = -EINVAL;
	fixture_parse.result = -EINVAL;
	(void)fixture_add_entry(f.discovery, &info);
	json_set_alloc_funcs(scarce_malloc, free);
	do {
		allocations_left = tried++;
		r = rpc_answer(&methods_rpc, &context, any_call[_i],
			strlen(any_call[_i]), &text, &size);
		ck_assert(r == 0 || r == -ENOMEM);
		ck_assert(r == 0 || text == NULL);
		free(text);
		subscription_free(subscription);
		subscription = NULL;
	} while (allocations_left == 0);
	json_set_alloc_funcs(malloc, free);
	ck_assert_uint_gt(tried, 10);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("control/memory");
	TCase *t = tcase_create("memory");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, a_lack_of_memory_is_survived, 0,
		sizeof(any_call) / sizeof(any_call[0]));
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return fixture_main(suite());
}
