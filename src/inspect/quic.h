/* SPDX-License-Identifier: MIT */
/* Parts of QUIC's reader (quic.c): headers, keys of Initials, their opening, and their frames.
 * All are pure functions.  Sources: RFC 8999, RFC 9000, RFC 9001, RFC 9369. */
#ifndef BPEI_QUIC_H
#define BPEI_QUIC_H

#include "inspect/inspect.h"

/* Reads a direction of a flow (struct bpei_reader). */
enum bpei_verdict bpei_read_quic(
	struct bpei_inspector *in, struct bpei_stream *stream, struct bpe_flow_names *said);

/* Most bytes of a connection id in the known versions (RFC 9000, 17.2). */
#define BPEI_QUIC_CID_MOST 20u
#define BPEI_QUIC_TAG 16u /* bytes of AES-128-GCM's tag behind a packet */

/* A version with published keys. */
struct bpei_quic_version {
	uint32_t first, last; /* numbers with the same salt */
	uint8_t salt[20];
	const char *prefix; /* of the labels: "quic", "quicv2" */
	uint8_t shift;      /* of packet types: a type's bits are (kind + shift) mod 4 */
	uint8_t crypto;     /* type of CRYPTO frames */
};
/* Returns the version with published keys, or NULL. */
const struct bpei_quic_version *bpei_quic_version_find(uint32_t version);
/* Returns another version for a client's keys, if the keys of `tried` open nothing; NULL: none.  A
 * client sends a reserved number to hear the server's versions, and takes the keys of a known
 * version. */
const struct bpei_quic_version *bpei_quic_version_next(
	uint32_t version, const struct bpei_quic_version *tried);
/* Returns whether the number belongs to a QUIC version by registration: drafts, experiments, and
 * versions to exercise negotiation (0x?a?a?a?a). */
bool bpei_quic_version_known(uint32_t version);

enum bpei_quic_kind {
	BPEI_QUIC_INITIAL = 0,
	BPEI_QUIC_0RTT,
	BPEI_QUIC_HANDSHAKE,
	BPEI_QUIC_RETRY,
	BPEI_QUIC_NEGOTIATION, /* of versions */
	BPEI_QUIC_OPAQUE       /* of a version with another layout; takes the whole datagram */
};

/* A packet with a long header. */
struct bpei_quic_packet {
	const uint8_t *start;
	const uint8_t *dcid;
	const struct bpei_quic_version *known; /* NULL: keys are not published */
	uint32_t version;
	uint32_t bytes;     /* of the packet, from start */
	uint32_t number_at; /* of the packet number, from start */
	uint8_t kind;       /* enum bpei_quic_kind */
	uint8_t dcid_bytes;
};
/* Reads a long header of n bytes at most.  Returns false without a long header, or if lengths do
 * not fit. */
bool bpei_quic_packet_read(struct bpei_quic_packet *packet, const uint8_t *bytes, uint32_t n);
/* Returns whether a flow of QUIC may begin with this datagram.  Fills *packet with its first
 * packet. */
bool bpei_quic_packet_begins(struct bpei_quic_packet *packet, const uint8_t *bytes, uint32_t n);
/* Reads a number of QUIC's variable length (RFC 9000, 16) at *at of n bytes, and moves *at. */
bool bpei_quic_number(const uint8_t *bytes, uint32_t n, uint32_t *at, uint64_t *value);

struct bpei_quic_keys {
	uint8_t key[16], iv[12], hp[16];
};
/* Makes the keys of a client's Initials by the first destination connection id. */
bool bpei_quic_keys_make(struct bpei_quic_keys *keys, const struct bpe_crypto *crypto,
	const struct bpei_quic_version *version, const uint8_t *dcid, uint32_t dcid_bytes);

/* Room for an opened packet: the header without protection, and its frames. */
struct bpei_quic_opened {
	uint8_t bytes[BPEI_STREAM_MOST];
	uint32_t frames_at, frames_bytes;
	uint64_t number;
};
/* Opens an Initial.  Without crypto->aes128_gcm_open the tag is not checked: the frames tell. */
bool bpei_quic_open(struct bpei_quic_opened *opened, const struct bpe_crypto *crypto,
	const struct bpei_quic_keys *keys, const struct bpei_quic_packet *packet);

/* Bytes of CRYPTO frames, in the order in which they are read, and which of them are there. */
#define BPEI_QUIC_SPANS 64u
struct bpei_quic_stream {
	uint8_t bytes[BPEI_STREAM_MOST];
	uint32_t count;
	struct {
		uint32_t from, to;
	} spans[BPEI_QUIC_SPANS]; /* ascending, with a hole between any two */
};
/* Adds a piece.  Bytes already there stay.  Returns false, if the piece is beyond the
 * room, or makes too many holes. */
bool bpei_quic_stream_add(
	struct bpei_quic_stream *stream, uint64_t offset, const uint8_t *bytes, uint32_t n);
/* Returns the number of bytes from the first to the first hole. */
uint32_t bpei_quic_stream_ready(const struct bpei_quic_stream *stream);
/* Returns whether an Initial may have all of the frames, and adds the CRYPTO frames to the stream
 * then.  crypto: the type of CRYPTO frames: 6, and 8 in Google's versions. */
bool bpei_quic_frames_read(
	struct bpei_quic_stream *stream, uint8_t crypto, const uint8_t *bytes, uint32_t n);

#endif
