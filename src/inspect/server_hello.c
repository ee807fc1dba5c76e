/* SPDX-License-Identifier: MIT */
/* ServerHello (server_hello.h); stateless. */
#include "inspect/server_hello.h"

#include "inspect/hello.h"

enum { SERVER_RANDOM_BYTES = 32, MOST_SERVER_SESSION_BYTES = 32, LEAST_SERVER_BODY_BYTES = 36 };

bool bpei_server_encrypts(uint16_t version)
{
	/* 0x7f..: drafts of TLS 1.3; 0xfb1a: Facebook's */
	return version == BPEI_TLS_13 || version >> 8 == 0x7f || version == 0xfb1a ||
	       version == BPEI_DTLS_13;
}

static bool is_server_version(uint16_t version, char transport)
{
	if (transport == BPEI_HELLO_DTLS)
		return version == 0xfeff || version == BPEI_DTLS_12 || version == 0x0100;
	return (version >= 0x0300 && version <= 0x0303) || version >> 8 == 0x7f;
}

/* What a ServerHello has. */
struct server_choice {
	uint16_t version, cipher;
	struct bpei_hello_span alpn;
};

static bool parse_server_extensions(struct bpei_cursor *c, struct server_choice *choice)
{
	struct bpei_hello_span data;
	uint16_t type;

	if (!bpei_cursor_left(c))
		return true;
	if (bpei_cursor_u16(c, true) != bpei_cursor_left(c))
		return false;
	while (bpei_hello_extension(c, &type, &data)) {
		if (type == BPEI_EXTENSION_VERSIONS && data.n == 2)
			choice->version = bpei_be16(data.at);
		if (type == BPEI_EXTENSION_ALPN)
			choice->alpn = data;
	}
	return !c->bad;
}

/* Parses the body of a whole ServerHello. */
static bool parse_server_body(struct bpei_cursor *c, char transport, struct server_choice *choice)
{
	choice->version = bpei_cursor_u16(c, true);
	/* the drafts up to 21 have neither a session nor a compression */
	const bool is_draft = choice->version >> 8 == 0x7f;

	if (!is_server_version(choice->version, transport))
		return false;
	bpei_cursor_take(c, SERVER_RANDOM_BYTES);
	if (!is_draft) {
		const size_t session = bpei_cursor_u8(c);
		if (session > MOST_SERVER_SESSION_BYTES)
			return false;
		bpei_cursor_take(c, session);
	}
	choice->cipher = bpei_cursor_u16(c, true);
	if (!is_draft && bpei_cursor_u8(c) > 1)
		return false;
	return !c->bad && parse_server_extensions(c, choice);
}

enum bpei_verdict bpei_server_hello(
	const uint8_t *handshake, size_t n, char transport, struct bpe_flow_names *said)
{
	const size_t total = bpei_hello_bytes(handshake, n);
	struct server_choice choice = { 0 };
	struct bpei_cursor c;

	if (n && handshake[0] != BPEI_HELLO_SERVER)
		return BPEI_NOT;
	if (n < BPEI_HELLO_HEAD)
		return BPEI_MORE;
	if (total < BPEI_HELLO_HEAD + LEAST_SERVER_BODY_BYTES)
		return BPEI_NOT;
	if (n >= BPEI_HELLO_HEAD + 2 && !is_server_version(bpei_be16(handshake + 4), transport))
		return BPEI_NOT;
	if (n < total)
		return BPEI_MORE;
	c = bpei_cursor_init(handshake + BPEI_HELLO_HEAD, total - BPEI_HELLO_HEAD);
	if (!parse_server_body(&c, transport, &choice))
		return BPEI_NOT;
	said->tls_version = choice.version;
	said->tls_cipher = choice.cipher;
	said->flags |= BPE_NAMED_SERVER;
	if (bpei_server_encrypts(choice.version))
		return BPEI_DONE;
	said->alpn[0] = 0;
	if (choice.alpn.at && !bpei_hello_alpn(choice.alpn, said->alpn, sizeof said->alpn))
		said->flags |= BPE_NAMED_CUT;
	return BPEI_DONE;
}
