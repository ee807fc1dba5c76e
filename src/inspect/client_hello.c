/* SPDX-License-Identifier: MIT */
/* ClientHello (client_hello.h); stateless.
 *
 * ECH: the extension carries an encrypted hello, or random bytes of the same look on purpose
 * (GREASE, RFC 9849, section 6.2).  A hello alone cannot tell them apart, so the extension sets
 * BPE_NAMED_ECH.  BPE_NAMED_OUTER needs a name of public_names, which no host bears. */
#include "inspect/client_hello.h"

#include "inspect/hello.h"

#include <string.h>

enum { RANDOM_BYTES = 32, MOST_SESSION_BYTES = 32, LEAST_BODY_BYTES = 41 };

/* Public names of ECH configurations that are no server's own names: Cloudflare's
 * (https://developers.cloudflare.com/ssl/edge-certificates/ech/), and those of the test servers
 * tls-ech.dev and defo.ie. */
static const char *const public_names[] = { "cloudflare-ech.com", "public.tls-ech.dev",
	"cover.defo.ie" };

size_t bpei_hello_bytes(const uint8_t *handshake, size_t n)
{
	if (n < BPEI_HELLO_HEAD)
		return BPEI_HELLO_HEAD;
	return BPEI_HELLO_HEAD + (bpei_be32(handshake) & 0xffffff);
}

/* Notes an extension; the first of a type counts. */
static void note_extension(struct bpei_hello *hello, uint16_t type, struct bpei_hello_span data)
{
	switch (type) {
	case BPEI_EXTENSION_SNI:
		if (!hello->sni.at)
			hello->sni = data;
		break;
	case BPEI_EXTENSION_ALPN:
		if (!hello->alpn.at)
			hello->alpn = data;
		break;
	case BPEI_EXTENSION_VERSIONS:
		if (!hello->versions.at)
			hello->versions = bpei_hello_list(data, 1);
		break;
	case BPEI_EXTENSION_GROUPS:
		if (!hello->groups.at)
			hello->groups = bpei_hello_list(data, 2);
		break;
	case BPEI_EXTENSION_FORMATS:
		if (!hello->formats.at)
			hello->formats = bpei_hello_list(data, 1);
		break;
	case BPEI_EXTENSION_SIGNATURES:
		if (!hello->signatures.at)
			hello->signatures = bpei_hello_list(data, 2);
		break;
	case BPEI_EXTENSION_ECH:
		hello->has_ech = true;
		break;
	default:
		break;
	}
}

static bool is_hello_version(uint16_t version, char transport)
{
	if (transport == BPEI_HELLO_DTLS)
		return version == 0xfeff || version == BPEI_DTLS_12 || version == BPEI_DTLS_13 ||
		       version == 0x0100;
	return version >= 0x0300 && version <= BPEI_TLS_13;
}

/* Reads the extensions, the last part of a hello.  Returns NOT if their lengths do not fit. */
static enum bpei_verdict parse_extensions(struct bpei_cursor *c, size_t total, size_t n,
	const uint8_t *start, struct bpei_hello *hello)
{
	uint16_t type;
	struct bpei_hello_span data;

	if (!bpei_cursor_left(c) && n >= total) {
		hello->is_whole = true;
		return BPEI_DONE;
	}
	hello->extensions.n = bpei_cursor_u16(c, true);
	if (c->bad)
		return n < total ? BPEI_MORE : BPEI_NOT;
	if ((size_t)(c->next - start) + hello->extensions.n != total)
		return BPEI_NOT;
	hello->extensions.at = c->next;
	while (bpei_hello_extension(c, &type, &data))
		note_extension(hello, type, data);
	if (n < total)
		return BPEI_MORE;
	hello->is_whole = !c->bad;
	return c->bad ? BPEI_NOT : BPEI_DONE;
}

/* Returns the verdict for a hello read up to *c. */
static enum bpei_verdict judge_cursor(const struct bpei_cursor *c, bool fits, bool is_cut)
{
	if (!c->bad)
		return fits ? BPEI_DONE : BPEI_NOT;
	return is_cut ? BPEI_MORE : BPEI_NOT;
}

/* Takes the parts before the extensions: DONE if they are there and fit. */
static enum bpei_verdict parse_start(
	struct bpei_cursor *c, char transport, bool is_cut, struct bpei_hello *hello)
{
	enum bpei_verdict verdict;
	size_t bytes;

	hello->version = bpei_cursor_u16(c, true);
	verdict = judge_cursor(c, is_hello_version(hello->version, transport), is_cut);
	if (verdict != BPEI_DONE)
		return verdict;
	bpei_cursor_take(c, RANDOM_BYTES);
	bytes = bpei_cursor_u8(c);
	verdict = judge_cursor(c, bytes <= MOST_SESSION_BYTES, is_cut);
	if (verdict != BPEI_DONE)
		return verdict;
	bpei_cursor_take(c, bytes);
	if (transport == BPEI_HELLO_DTLS)
		bpei_cursor_take(c, bpei_cursor_u8(c)); /* the cookie */
	hello->ciphers.n = bpei_cursor_u16(c, true);
	verdict = judge_cursor(c, hello->ciphers.n >= 2 && hello->ciphers.n % 2 == 0, is_cut);
	if (verdict != BPEI_DONE)
		return verdict;
	hello->ciphers.at = bpei_cursor_take(c, hello->ciphers.n);
	bytes = bpei_cursor_u8(c);
	verdict = judge_cursor(c, bytes >= 1, is_cut);
	if (verdict != BPEI_DONE)
		return verdict;
	bpei_cursor_take(c, bytes);
	return judge_cursor(c, true, is_cut);
}

/* Parses as much of a hello as is there. */
static enum bpei_verdict parse_hello(
	const uint8_t *handshake, size_t n, char transport, struct bpei_hello *hello)
{
	const size_t total = bpei_hello_bytes(handshake, n);
	struct bpei_cursor c = bpei_cursor_init(handshake, n < total ? n : total);
	enum bpei_verdict verdict;

	memset(hello, 0, sizeof *hello);
	if (n && handshake[0] != BPEI_HELLO_CLIENT)
		return BPEI_NOT;
	if (n < BPEI_HELLO_HEAD)
		return BPEI_MORE;
	if (total < BPEI_HELLO_HEAD + LEAST_BODY_BYTES)
		return BPEI_NOT;
	bpei_cursor_take(&c, BPEI_HELLO_HEAD);
	verdict = parse_start(&c, transport, n < total, hello);
	if (verdict != BPEI_DONE)
		return verdict;
	return parse_extensions(&c, total, n, handshake, hello);
}

/* Returns the highest version that a client offers; the numbers of DTLS count down. */
static uint16_t choose_version(const struct bpei_hello *hello)
{
	uint16_t best = 0;

	if (!hello->versions.at)
		return hello->version;
	for (size_t i = 0; i + 2 <= hello->versions.n; i += 2) {
		const uint16_t version = bpei_be16(hello->versions.at + i);
		const bool is_datagram = version >> 8 == 0xfe;
		if (bpei_hello_grease(version))
			continue;
		if (!best || (is_datagram ? version < best : version > best))
			best = version;
	}
	return best;
}

/* Tells whether a name is only the public name of ECH configurations. */
static bool is_public_name(const char *name)
{
	for (size_t i = 0; i < sizeof public_names / sizeof *public_names; i++) {
		if (!strcmp(name, public_names[i]))
			return true;
	}
	return false;
}

/* Says the name of the server: the first host name of the list. */
static void say_server(const struct bpei_hello *hello, char transport, struct bpe_flow_names *said)
{
	const struct bpei_hello_span list = bpei_hello_list(hello->sni, 2);
	struct bpei_cursor c = bpei_hello_open(list);

	while (bpei_cursor_left(&c)) {
		const uint8_t type = bpei_cursor_u8(&c);
		const size_t n = bpei_cursor_u16(&c, true);
		const uint8_t *name = bpei_cursor_take(&c, n);
		if (!name)
			return;
		if (type || !n)
			continue;
		if (!bpei_said_text(said->server, sizeof said->server, name, n)) {
			said->server[0] = 0;
			said->flags |= BPE_NAMED_CUT;
			return;
		}
		said->source = transport == BPEI_HELLO_QUIC ? BPE_NAME_QUIC : BPE_NAME_TLS;
		return;
	}
}

static void say_hello(
	const struct bpei_hello *hello, char transport, uint32_t names, struct bpe_flow_names *said)
{
	say_server(hello, transport, said);
	if (hello->has_ech) {
		said->flags |= BPE_NAMED_ECH;
		if (is_public_name(said->server))
			said->flags |= BPE_NAMED_OUTER;
	}
	if (!hello->is_whole)
		said->flags |= BPE_NAMED_CUT;
	if (!(said->flags & BPE_NAMED_SERVER)) {
		if (hello->is_whole || hello->versions.at)
			said->tls_version = choose_version(hello);
		if (hello->alpn.at && !bpei_hello_alpn(hello->alpn, said->alpn, sizeof said->alpn))
			said->flags |= BPE_NAMED_CUT;
	}
	if (!hello->is_whole)
		return;
	bpei_ja4_text(hello, transport, said->ja4);
	if (names & BPE_NAMES_JA3)
		bpei_ja3_text(hello, said->ja3);
}

enum bpei_verdict bpei_client_hello(const uint8_t *handshake, size_t n, char transport,
	struct bpei_inspector *in, struct bpe_flow_names *said)
{
	struct bpei_hello hello;
	const enum bpei_verdict verdict = parse_hello(handshake, n, transport, &hello);

	if (verdict == BPEI_DONE)
		say_hello(&hello, transport, in->names, said);
	return verdict;
}

enum bpei_verdict bpei_client_hello_part(const uint8_t *handshake, size_t n, char transport,
	struct bpei_inspector *in, struct bpe_flow_names *said)
{
	struct bpei_hello hello;
	const enum bpei_verdict verdict = parse_hello(handshake, n, transport, &hello);

	if (verdict == BPEI_NOT || n < BPEI_HELLO_HEAD)
		return BPEI_NOT;
	say_hello(&hello, transport, in->names, said);
	return BPEI_DONE;
}
