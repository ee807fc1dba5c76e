/* SPDX-License-Identifier: MIT */
/* A ClientHello in its parts, for the reader of names and for the fingerprints.  Views of the
 * handshake's bytes. */
#ifndef BPEI_HELLO_H
#define BPEI_HELLO_H

#include "base/cursor.h"
#include "inspect/inspect.h"

/* Handshake messages (RFC 8446, 4; RFC 6347, 4.3.2). */
#define BPEI_HELLO_REQUEST 0u
#define BPEI_HELLO_CLIENT 1u
#define BPEI_HELLO_SERVER 2u
#define BPEI_HELLO_VERIFY 3u
#define BPEI_HELLO_CERTIFICATE 11u
#define BPEI_HELLO_HEAD 4u /* type and length */

/* Extensions. */
#define BPEI_EXTENSION_SNI 0u
#define BPEI_EXTENSION_GROUPS 10u
#define BPEI_EXTENSION_FORMATS 11u
#define BPEI_EXTENSION_SIGNATURES 13u
#define BPEI_EXTENSION_ALPN 16u
#define BPEI_EXTENSION_VERSIONS 43u
#define BPEI_EXTENSION_ECH 0xfe0du

#define BPEI_TLS_13 0x0304u
#define BPEI_DTLS_12 0xfefdu
#define BPEI_DTLS_13 0xfefcu

/* Bytes within a hello; at is NULL: the hello lacks them. */
struct bpei_hello_span {
	const uint8_t *at;
	size_t n;
};

struct bpei_hello {
	uint16_t version;                           /* the hello's own, legacy_version of TLS 1.3 */
	struct bpei_hello_span ciphers;             /* numbers of two bytes */
	struct bpei_hello_span extensions;          /* type, length, data */
	struct bpei_hello_span sni, alpn;           /* data of the first extension of the type */
	struct bpei_hello_span versions, groups;    /* lists without their length */
	struct bpei_hello_span signatures, formats; /* likewise; formats are single bytes */
	bool has_ech;
	bool is_whole; /* all extensions were seen */
};

/* Returns a cursor over a span, also over one that is lacking. */
static inline struct bpei_cursor bpei_hello_open(struct bpei_hello_span span)
{
	if (!span.at)
		return bpei_cursor_init("", 0);
	return bpei_cursor_init(span.at, span.n);
}

/* Returns whether a number is reserved for GREASE (RFC 8701): 0x0a0a, 0x1a1a ... 0xfafa. */
static inline bool bpei_hello_grease(uint16_t value)
{
	return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

/* Takes the next extension; returns false at the end, or at an extension that does not fit. */
bool bpei_hello_extension(
	struct bpei_cursor *extensions, uint16_t *type, struct bpei_hello_span *data);
/* Returns the list that fills data behind a length of `width` bytes; at is NULL: it does not. */
struct bpei_hello_span bpei_hello_list(struct bpei_hello_span data, size_t width);
/* Returns the first protocol of an ALPN extension; at is NULL: none. */
struct bpei_hello_span bpei_hello_protocol(const struct bpei_hello *hello);

/* Writes the protocols of an ALPN extension's data, separated by commas.  Returns false if not all
 * of them fit, or the list is malformed. */
bool bpei_hello_alpn(struct bpei_hello_span data, char *to, size_t room);

/* Writes JA4 of a client (FoxIO's text, BSD-3-Clause).  A hello with more than 1,024 ciphers or
 * extensions has none. */
void bpei_ja4_text(const struct bpei_hello *hello, char transport, char ja4[40]);
/* Writes JA3 (Salesforce's text, BSD-3-Clause): an MD5 hash. */
void bpei_ja3_text(const struct bpei_hello *hello, char ja3[33]);

#endif
