/*
 * socket: the socket file of a daemon, made so that there is one daemon to it.
 *
 * Plain descriptors, no loop.
 */
#ifndef CRIER_CONTROL_SOCKET_H
#define CRIER_CONTROL_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

/* A listening socket, and the file that it is reached by. */
struct socket_file {
	int fd;
	char *path; /* NULL: the file is not ours */
	dev_t device;
	ino_t inode;
};

/*
 * Makes the file and listens. Whoever starts at the same time waits for the
 * other: the directory is locked meanwhile (flock). See control_new() for what
 * is replaced, and for the errors; `*ret_pid` is set with -EADDRINUSE.
 */
int socket_file_make(struct socket_file *ret, const char *path, unsigned mode,
	gid_t gid, pid_t *ret_pid);

/* True while the path still leads to this socket. */
bool socket_file_is_there(const struct socket_file *s);

/* Gives the file another mode and group. Returns 0, or -errno. */
int socket_file_set_access(
	const struct socket_file *s, unsigned mode, gid_t gid);

/* Removes the file, where it is ours and still there, and closes the socket.
 * In this order: who looks in between still finds somebody listening. */
void socket_file_done(struct socket_file *s);

#endif
