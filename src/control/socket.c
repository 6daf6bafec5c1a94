#include "control/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* How long another crier may take to make the same socket. */
enum { LOCK_TRIES = 50, LOCK_WAIT_MS = 10 };

/* ---- the directory ---- */

static int open_directory(const char *path)
{
	char *copy = strdup(path);
	const char *directory;
	bool made;
	int fd = -1, r;

	if (!copy)
		return -ENOMEM;
	directory = dirname(copy);
	made = mkdir(directory, 0755) == 0;
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		goto fail;
	/* Not as the umask has it: the socket's mode says who may connect. */
	if (made && fchmod(fd, 0755) < 0)
		goto fail;
	free(copy);
	return fd;
fail:
	r = -errno;
	if (fd >= 0)
		(void)close(fd);
	free(copy);
	return r;
}

/* The lock goes with the descriptor. */
static int lock_directory(const char *path)
{
	int fd = open_directory(path);

	if (fd < 0)
		return fd;
	/* Without end only if somebody means harm: do not wait for them. */
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return fd;
		(void)poll(NULL, 0, LOCK_WAIT_MS);
	}
	(void)close(fd);
	return -EBUSY;
}

/* ---- who was there before ---- */

static int set_address(struct sockaddr_un *sa, const char *path)
{
	size_t size = strlen(path);

	if (size >= sizeof(sa->sun_path))
		return -ENAMETOOLONG;
	if (size == 0) /* would be a name outside of the file system */
		return -EINVAL;
	*sa = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(sa->sun_path, path, size);
	return 0;
}

static int open_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	return fd;
}

static pid_t peer_pid(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return 0;
	return peer.pid;
}

/*
 * Knocks. Returns 0 where nobody listens; -EADDRINUSE, with the listener's pid
 * where it answers (a full backlog does not, and is alive all the same).
 */
static int knock(const struct sockaddr_un *sa, pid_t *ret_pid)
{
	int fd = open_socket(), r;

	if (fd < 0)
		return fd;
	r = connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) < 0 ? -errno
								      : 0;
	if (r == 0 || r == -EAGAIN || r == -EPROTOTYPE) {
		*ret_pid = r == 0 ? peer_pid(fd) : 0;
		r = -EADDRINUSE;
	} else if (r == -ECONNREFUSED) {
		r = 0;
	}
	(void)close(fd);
	return r;
}

/* Removes the socket file that a daemon left behind. */
static int clear(const struct sockaddr_un *sa, pid_t *ret_pid)
{
	struct stat st;
	int r;

	if (lstat(sa->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -ENOTSOCK;
	r = knock(sa, ret_pid);
	if (r < 0)
		return r;
	return unlink(sa->sun_path) < 0 ? -errno : 0;
}

/* ---- the file ---- */

static int set_access(const char *path, unsigned mode, gid_t gid)
{
	/* None may mean no longer: a reload can take the group away. */
	if (gid == (gid_t)-1)
		gid = getegid();
	/* The group first: a change of it may clear bits of the mode. */
	if (lchown(path, (uid_t)-1, gid) < 0)
		return -errno;
	return chmod(path, mode) < 0 ? -errno : 0;
}

/* Nobody can connect before listen(): so the mode comes before that. */
static int bind_and_listen(int fd, const struct sockaddr_un *sa, unsigned mode,
	gid_t gid, struct stat *ret)
{
	int r;

	if (bind(fd, (const struct sockaddr *)sa, sizeof(*sa)) < 0)
		return -errno;
	r = set_access(sa->sun_path, mode, gid);
	if (r == 0 &&
		(lstat(sa->sun_path, ret) < 0 || listen(fd, SOMAXCONN) < 0))
		r = -errno;
	if (r < 0)
		(void)unlink(sa->sun_path);
	return r;
}

/* As socket_file_make(), with the directory locked. */
static int make(struct socket_file *ret, const struct sockaddr_un *sa,
	unsigned mode, gid_t gid, pid_t *ret_pid)
{
	struct socket_file s = { .fd = -1 };
	struct stat st = { 0 };
	int r;

	r = clear(sa, ret_pid);
	if (r < 0)
		return r;
	s.path = strdup(sa->sun_path);
	if (!s.path)
		return -ENOMEM;
	s.fd = r = open_socket();
	if (r < 0)
		goto fail;
	r = bind_and_listen(s.fd, sa, mode, gid, &st);
	if (r < 0)
		goto fail;
	s.device = st.st_dev;
	s.inode = st.st_ino;
	*ret = s;
	return 0;
fail:
	if (s.fd >= 0)
		(void)close(s.fd);
	free(s.path);
	return r;
}

int socket_file_make(struct socket_file *ret, const char *path, unsigned mode,
	gid_t gid, pid_t *ret_pid)
{
	struct sockaddr_un sa;
	int lock, r;

	r = set_address(&sa, path);
	if (r < 0)
		return r;
	lock = lock_directory(path);
	if (lock < 0)
		return lock;
	r = make(ret, &sa, mode, gid, ret_pid);
	(void)close(lock);
	return r;
}

bool socket_file_is_there(const struct socket_file *s)
{
	struct stat st;

	return s->path && lstat(s->path, &st) == 0 && st.st_dev == s->device &&
	       st.st_ino == s->inode;
}

int socket_file_set_access(
	const struct socket_file *s, unsigned mode, gid_t gid)
{
	return set_access(s->path, mode, gid);
}

void socket_file_done(struct socket_file *s)
{
	if (socket_file_is_there(s))
		(void)unlink(s->path);
	(void)close(s->fd);
	free(s->path);
	*s = (struct socket_file){ .fd = -1 };
}
