#include "control/peer.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* The peer's supplementary groups, for the caller to free, and their number in
 * `*ret_n`. NULL: none, or they cannot be told. */
static gid_t *peer_groups(int fd, size_t *ret_n)
{
	socklen_t size = 32 * sizeof(gid_t);
	gid_t *groups = NULL, *larger;
	int r;

	do {
		larger = realloc(groups, size);
		if (!larger)
			goto fail;
		groups = larger;
		/* Too small: ERANGE, and `size` is what it takes. */
		r = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size);
	} while (r < 0 && errno == ERANGE);
	if (r < 0)
		goto fail;
	*ret_n = size / sizeof(gid_t);
	return groups;
fail:
	free(groups);
	return NULL;
}

static bool is_member(int fd, const struct ucred *peer, gid_t gid)
{
	gid_t *groups;
	size_t n = 0;
	bool found = false;

	if (gid == (gid_t)-1)
		return false;
	if (peer->gid == gid) /* SO_PEERGROUPS leaves the primary one out */
		return true;
	groups = peer_groups(fd, &n);
	for (size_t i = 0; groups && i < n; i++)
		found = found || groups[i] == gid;
	free(groups);
	return found;
}

bool peer_may_change(int fd, gid_t gid, struct ucred *ret)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return false;
	if (peer.uid != 0 && peer.uid != geteuid() &&
		!is_member(fd, &peer, gid))
		return false;
	*ret = peer;
	return true;
}
