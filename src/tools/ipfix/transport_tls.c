/* SPDX-License-Identifier: MIT */
/* TLS for transport_stream.c, by OpenSSL.  Certificates and keys are read when the transport is
 * made, with the program's first rights. */
#include "transport_parts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct tls {
	SSL_CTX *context;
	SSL *connection; /* NULL: none */
};

const char *transport_tls_missing(void)
{
	return NULL;
}

static struct tls *tls_of(const struct transport *t)
{
	return t->stream.tls;
}

/* Writes the library's reason, and empties the list of errors.  Returns -1. */
static int explain_tls(char *why, size_t room, const char *what)
{
	const unsigned long code = ERR_peek_last_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	if (!reason)
		reason = errno ? strerror(errno) : "no reason given";
	snprintf(why, room, "%s: %s", what, reason);
	ERR_clear_error();
	return -1;
}

/* Loads the certificates that a collector's certificate must descend from.  Returns 0 or -1. */
static int load_authorities(SSL_CTX *context, const char *ca, char *why, size_t room)
{
	char what[160];

	if (!*ca)
		return SSL_CTX_set_default_verify_paths(context) == 1
			       ? 0
			       : explain_tls(why, room, "the system's certificates");
	snprintf(what, sizeof what, "ca=%.140s", ca);
	errno = 0;
	if (SSL_CTX_load_verify_locations(context, ca, NULL) == 1)
		return 0;
	return explain_tls(why, room, what);
}

/* Loads our certificate and key.  Returns 0 or -1. */
static int load_own(
	SSL_CTX *context, const struct transport_settings *settings, char *why, size_t room)
{
	char what[160];
	const char *const key = *settings->key ? settings->key : settings->cert;

	if (!*settings->cert)
		return 0;
	errno = 0;
	snprintf(what, sizeof what, "cert=%.140s", settings->cert);
	if (SSL_CTX_use_certificate_chain_file(context, settings->cert) != 1)
		return explain_tls(why, room, what);
	errno = 0;
	if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
		return explain_tls(why, room, "the key of the certificate");
	if (SSL_CTX_check_private_key(context) != 1)
		return explain_tls(why, room, "the key does not belong to the certificate");
	return 0;
}

/* Answers for a key with a passphrase: none, rather than a question on the terminal. */
static int refuse_passphrase(char *to, int room, int writes, void *user)
{
	(void)to;
	(void)room;
	(void)writes;
	(void)user;
	return 0;
}

int transport_tls_make(struct transport *t, char *why, size_t room)
{
	struct tls *const tls = calloc(1, sizeof *tls);

	t->stream.tls = tls;
	if (tls)
		tls->context = SSL_CTX_new(TLS_client_method());
	if (!tls || !tls->context) {
		snprintf(why, room, "no memory for TLS");
		return -1;
	}
	SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION);
	SSL_CTX_set_mode(
		tls->context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_verify(
		tls->context, t->settings.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_default_passwd_cb(tls->context, refuse_passphrase);
	if (t->settings.verify && load_authorities(tls->context, t->settings.ca, why, room))
		return -1;
	return load_own(tls->context, &t->settings, why, room) ? -1 : 1;
}

int transport_tls_begin(struct transport *t, char *why, size_t room)
{
	struct tls *const tls = tls_of(t);
	const char *const name = *t->settings.name ? t->settings.name : t->settings.host;
	uint8_t address[16];
	const bool is_address =
		inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;

	transport_tls_reset(t);
	ERR_clear_error();
	tls->connection = SSL_new(tls->context);
	if (!tls->connection || SSL_set_fd(tls->connection, t->fd) != 1)
		return explain_tls(why, room, "TLS");
	int is_set;

	if (is_address)
		is_set = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls->connection), name);
	else
		is_set = SSL_set1_host(tls->connection, name) == 1 &&
			 /* SSL_set_tlsext_host_name, which casts const away */
			 SSL_ctrl(tls->connection, SSL_CTRL_SET_TLSEXT_HOSTNAME,
				 TLSEXT_NAMETYPE_host_name, (void *)(uintptr_t)name) == 1;
	if (is_set != 1)
		return explain_tls(why, room, "TLS, the name of the collector");
	SSL_set_connect_state(tls->connection);
	return 1;
}

/* Returns 1 if the call is to be tried again later, 0 if the connection is broken. */
static int is_wanting(struct transport *t, int result)
{
	const int error = SSL_get_error(tls_of(t)->connection, result);

	t->stream.wants_write = error == SSL_ERROR_WANT_WRITE;
	return error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_WANT_READ;
}

int transport_tls_shake(struct transport *t, char *why, size_t room)
{
	SSL *const connection = tls_of(t)->connection;

	ERR_clear_error();
	errno = 0;
	const int done = SSL_do_handshake(connection);

	if (done == 1)
		return 1;
	if (is_wanting(t, done))
		return 0;
	const long verdict = SSL_get_verify_result(connection);

	if (t->settings.verify && verdict != X509_V_OK) {
		snprintf(why, room,
			"the collector's certificate: %s (ca=FILE names the authority to trust)",
			X509_verify_cert_error_string(verdict));
		ERR_clear_error();
		return -1;
	}
	return explain_tls(why, room, "the handshake of TLS");
}

int transport_tls_write(
	struct transport *t, const uint8_t *bytes, uint32_t n, char *why, size_t room)
{
	ERR_clear_error();
	errno = 0;
	const int written = SSL_write(tls_of(t)->connection, bytes, (int)n);

	if (written > 0)
		return written;
	return is_wanting(t, written) ? 0 : explain_tls(why, room, "TLS");
}

int transport_tls_drain(struct transport *t, char *why, size_t room)
{
	SSL *const connection = tls_of(t)->connection;
	char bytes[2048];

	for (int k = 0; k < 16; k++) {
		ERR_clear_error();
		errno = 0;
		const int n = SSL_read(connection, bytes, sizeof bytes);

		if (n > 0)
			continue;
		if (is_wanting(t, n))
			return 1;
		if (SSL_get_error(connection, n) == SSL_ERROR_ZERO_RETURN || !ERR_peek_error()) {
			snprintf(why, room, "the collector closed the connection");
			return -1;
		}
		return explain_tls(why, room, "the collector ended TLS");
	}
	return 1;
}

uint64_t transport_tls_written(const struct transport *t)
{
	const struct tls *const tls = tls_of(t);

	return tls->connection ? BIO_number_written(SSL_get_wbio(tls->connection)) : 0;
}

void transport_tls_reset(struct transport *t)
{
	struct tls *const tls = tls_of(t);

	if (!tls)
		return;
	SSL_free(tls->connection);
	tls->connection = NULL;
}

void transport_tls_end(struct transport *t)
{
	if (tls_of(t)->connection)
		SSL_shutdown(tls_of(t)->connection);
}

void transport_tls_free(struct transport *t)
{
	struct tls *const tls = tls_of(t);

	if (!tls)
		return;
	transport_tls_reset(t);
	SSL_CTX_free(tls->context);
	free(tls);
	t->stream.tls = NULL;
}
