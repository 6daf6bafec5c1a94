#include "mqtt/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* What OpenSSL says of the last thing that failed, without its codes. */
static const char *openssl_words(void)
{
	unsigned long code = ERR_peek_last_error();
	const char *words;

	if (ERR_SYSTEM_ERROR(code))
		return strerror(ERR_GET_REASON(code));
	words = ERR_reason_error_string(code);
	return words != NULL ? words : "unknown error";
}

static int complain(char *why, size_t size, const char *what, const char *path)
{
	(void)snprintf(why, size, "%s %s: %s", what, path, openssl_words());
	ERR_clear_error();
	return -EINVAL;
}

/* There is nobody at a terminal to ask.
 * NOLINTNEXTLINE(readability-non-const-parameter): the type is OpenSSL's. */
static int refuse_password(char *buf, int size, int writes, void *data)
{
	(void)buf;
	(void)size;
	(void)writes;
	(void)data;
	return -1;
}

static int load_ca(SSL_CTX *x, const char *ca, char *why, size_t size)
{
	struct stat st;
	int r;

	if (ca == NULL)
		return SSL_CTX_set_default_verify_paths(x) == 1
			       ? 0
			       : complain(why, size, "CA", "of the system");
	if (stat(ca, &st) != 0) {
		r = -errno;
		(void)snprintf(why, size, "CA %s: %s", ca, strerror(errno));
		return r;
	}
	r = S_ISDIR(st.st_mode) ? SSL_CTX_load_verify_dir(x, ca)
				: SSL_CTX_load_verify_file(x, ca);
	return r == 1 ? 0 : complain(why, size, "CA", ca);
}

static int load_certificate(
	SSL_CTX *x, const struct tls_files *files, char *why, size_t size)
{
	const char *key = files->key != NULL ? files->key : files->certificate;

	if (files->certificate == NULL)
		return 0;
	if (SSL_CTX_use_certificate_chain_file(x, files->certificate) != 1)
		return complain(
			why, size, "client certificate", files->certificate);
	/* This also finds a key that is not that of the certificate. */
	if (SSL_CTX_use_PrivateKey_file(x, key, SSL_FILETYPE_PEM) != 1)
		return complain(why, size, "key", key);
	return 0;
}

static int keep_verdict(int ok, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(
		store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	int e = X509_STORE_CTX_get_error(store);

	if (!ok && t->reason[0] == '\0')
		(void)snprintf(t->reason, sizeof(t->reason),
			"its certificate cannot be trusted: %s",
			X509_verify_cert_error_string(e));
	return ok;
}

/* OpenSSL lacks words for the one that is most likely. */
static const char *alert_words(int alert)
{
	if ((alert & 0xff) == TLS13_AD_CERTIFICATE_REQUIRED)
		return "certificate required";
	return SSL_alert_desc_string_long(alert);
}

static void keep_alert(const SSL *ssl, int where, int ret)
{
	struct tls *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	char *name = t->name[0] != '\0' ? t->name : NULL;

	/* libmosquitto is told an address, the one of several that is tried,
	 * and would ask for a server of that name. */
	if (where & SSL_CB_HANDSHAKE_START)
		(void)SSL_set_tlsext_host_name((SSL *)ssl, name);
	if ((where & SSL_CB_READ_ALERT) != SSL_CB_READ_ALERT ||
		(ret & 0xff) == SSL_AD_CLOSE_NOTIFY || t->reason[0] != '\0')
		return;
	(void)snprintf(t->reason, sizeof(t->reason),
		"it refuses the TLS connection: %s", alert_words(ret));
}

/* Whose certificate it has to be. */
static int expect(struct tls *t, const char *host)
{
	X509_VERIFY_PARAM *p = SSL_CTX_get0_param(t->context);
	unsigned char address[sizeof(struct in6_addr)];

	if (inet_pton(AF_INET, host, address) == 1 ||
		inet_pton(AF_INET6, host, address) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(p, host) == 1 ? 0
								   : -EINVAL;
	if (strlen(host) >= sizeof(t->name))
		return -ENAMETOOLONG;
	memcpy(t->name, host, strlen(host) + 1);
	X509_VERIFY_PARAM_set_hostflags(
		p, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return X509_VERIFY_PARAM_set1_host(p, host, 0) == 1 ? 0 : -EINVAL;
}

static int set_up(struct tls *t, const char *host,
	const struct tls_files *files, bool verify, char *why, size_t size)
{
	SSL_CTX *x = t->context;
	int r;

	(void)SSL_CTX_set_min_proto_version(x, TLS1_2_VERSION);
	(void)SSL_CTX_set_options(x, SSL_OP_NO_COMPRESSION |
					     SSL_OP_NO_RENEGOTIATION |
					     SSL_OP_IGNORE_UNEXPECTED_EOF);
	(void)SSL_CTX_set_mode(x, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_default_passwd_cb(x, refuse_password);
	SSL_CTX_set_info_callback(x, keep_alert);
	SSL_CTX_set_verify(
		x, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, keep_verdict);
	(void)SSL_CTX_set_app_data(x, t);
	r = expect(t, host);
	if (r < 0) {
		(void)snprintf(why, size, "no server can have the name");
		return r;
	}
	r = verify ? load_ca(x, files->ca, why, size) : 0;
	return r < 0 ? r : load_certificate(x, files, why, size);
}

int tls_init(struct tls *t, const char *host, const struct tls_files *files,
	bool verify, char *why, size_t size)
{
	int r;

	memset(t, 0, sizeof(*t));
	ERR_clear_error();
	t->context = SSL_CTX_new(TLS_client_method());
	if (t->context == NULL)
		return complain(why, size, "TLS", "context");
	r = set_up(t, host, files, verify, why, size);
	if (r < 0)
		tls_done(t);
	return r;
}

void tls_done(struct tls *t)
{
	SSL_CTX_free(t->context);
	t->context = NULL;
}

const char *tls_reason(const struct tls *t)
{
	return t->reason;
}
