/*
 * peer: who is at the other end of a connection, and what they may do.
 */
#ifndef CRIER_CONTROL_PEER_H
#define CRIER_CONTROL_PEER_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

/*
 * True where the peer of the Unix socket `fd` may change the daemon: root, the
 * daemon's own user, and members of the group `gid` ((gid_t)-1: there is none).
 * The kernel's word, as of when the peer connected (kernel-facts 9.1).
 * `*ret` tells who it is, where that is true.
 */
bool peer_may_change(int fd, gid_t gid, struct ucred *ret);

#endif
