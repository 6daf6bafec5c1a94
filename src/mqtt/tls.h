/*
 * tls: what a connection to a broker needs of OpenSSL.
 *
 * libmosquitto would read the files while it connects, and would say no more
 * than that verification failed; so it is given a context that is ready, made
 * in libuv's thread pool, which also keeps the reason of a failure.
 *
 * Life cycle: tls_init(), then mosquitto_opts_set(MOSQ_OPT_SSL_CTX), then
 * tls_done(). It must not move, nor go before the client that uses it.
 */
#ifndef CRIER_MQTT_TLS_H
#define CRIER_MQTT_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

struct tls_files {
	const char *ca; /* a file, a directory of hashed ones; NULL: the
			   system's */
	const char *certificate, *key; /* or NULL */
};

struct tls {
	SSL_CTX *context;
	char name[256]; /* the server's, or "": it is named by an address */
	char reason[160];
};

/*
 * Prepares `t` for a server that is called `host`, a name or an address. Reads
 * files, so it may block. An encrypted key is refused rather than asked for.
 * Returns 0; or a negative errno, where `why` says what is wrong.
 */
int tls_init(struct tls *t, const char *host, const struct tls_files *files,
	bool verify, char *why, size_t size);
void tls_done(struct tls *t); /* one that is all 0 is fine */

/* Why the last handshake failed, or "". Its memory is that of `t`. */
const char *tls_reason(const struct tls *t);

#endif
