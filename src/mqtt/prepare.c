#include "mqtt/prepare.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool copy(char **to, const char *from)
{
	if (from == NULL)
		return true;
	*to = strdup(from);
	return *to != NULL;
}

static bool is_loopback(const struct sockaddr *a)
{
	const struct sockaddr_in *in = (const void *)a;
	const struct sockaddr_in6 *in6 = (const void *)a;

	if (a->sa_family == AF_INET)
		return (ntohl(in->sin_addr.s_addr) >> 24) == IN_LOOPBACKNET;
	return a->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

static bool may_go_plain(const struct config_sites *c, const char *host)
{
	for (size_t i = 0; i < c->plain_text.n; i++)
		if (strcasecmp(c->plain_text.at[i], host) == 0)
			return true;
	return false;
}

int prepare_new(struct prepare **ret, const struct config_sites *c,
	const struct config_broker *broker)
{
	struct prepare *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return -ENOMEM;
	p->tls = broker->tls;
	p->verify = c->tls.verify;
	p->plain_text = may_go_plain(c, broker->host);
	(void)snprintf(p->port, sizeof(p->port), "%u", broker->port);
	if (!copy(&p->host, broker->host) || !copy(&p->ca, c->tls.ca) ||
		!copy(&p->certificate, c->tls.certificate) ||
		!copy(&p->key, c->tls.key) || !copy(&p->user, c->user) ||
		!copy(&p->password, c->password) ||
		!copy(&p->password_file, c->password_file)) {
		prepare_free(p);
		return -ENOMEM;
	}
	*ret = p;
	return 0;
}

static void forget(char *secret)
{
	if (secret != NULL)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

void prepare_free(struct prepare *p)
{
	if (p == NULL)
		return;
	tls_done(&p->context);
	if (p->addresses != NULL)
		freeaddrinfo(p->addresses);
	forget(p->password);
	free(p->password_file);
	free(p->user);
	free(p->key);
	free(p->certificate);
	free(p->ca);
	free(p->host);
	free(p);
}

/* The first line, without its end. Returns 0 or a negative errno. */
static int read_line(const char *path, char *line, size_t size)
{
	ssize_t n, all = 0;
	/* A FIFO without a writer would never open. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), r = 0;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, line + all, size - 1 - (size_t)all)) > 0)
		all += n;
	if (n < 0)
		r = -errno;
	(void)close(fd);
	if (r < 0)
		return r;
	if (memchr(line, '\0', (size_t)all) != NULL)
		return -EILSEQ;
	line[all] = '\0';
	if (strcspn(line, "\r\n") == size - 1)
		return -EMSGSIZE;
	line[strcspn(line, "\r\n")] = '\0';
	return 0;
}

static int find_password(struct prepare *p)
{
	char line[PREPARE_PASSWORD_MAX + 2];
	int r;

	if (p->password_file == NULL)
		return 0;
	r = read_line(p->password_file, line, sizeof(line));
	if (r < 0) {
		(void)snprintf(p->why, sizeof(p->why), "password file %s: %s",
			p->password_file, strerror(-r));
		return r;
	}
	forget(p->password);
	p->password = strdup(line);
	explicit_bzero(line, sizeof(line));
	return p->password != NULL ? 0 : -ENOMEM;
}

static int find_addresses(struct prepare *p)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV };
	int r = getaddrinfo(p->host, p->port, &hints, &p->addresses);

	if (r != 0) {
		p->addresses = NULL;
		(void)snprintf(p->why, sizeof(p->why), "%s",
			r == EAI_SYSTEM ? strerror(errno) : gai_strerror(r));
		return -ENOENT;
	}
	return 0;
}

/* The parser has said so already; it is not to depend on that alone, since a
 * password would go in clear. */
static int guard_plain(struct prepare *p)
{
	if (p->tls || p->plain_text)
		return 0;
	for (struct addrinfo *a = p->addresses; a != NULL; a = a->ai_next) {
		if (is_loopback(a->ai_addr))
			continue;
		(void)snprintf(p->why, sizeof(p->why),
			"is not to be spoken to without TLS");
		return -EPERM;
	}
	return 0;
}

void prepare_run(struct prepare *p)
{
	const struct tls_files files = { p->ca, p->certificate, p->key };
	int r = find_password(p);

	if (r == 0)
		r = find_addresses(p);
	if (r == 0)
		r = guard_plain(p);
	if (r == 0 && p->tls)
		r = tls_init(&p->context, p->host, &files, p->verify, p->why,
			sizeof(p->why));
	if (r < 0 && p->why[0] == '\0')
		(void)snprintf(p->why, sizeof(p->why), "%s", strerror(-r));
}
