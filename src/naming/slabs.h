/* SPDX-License-Identifier: MIT */
/* Names of flows in 64 bytes each: numbers, and the numbers of shared texts. */
#ifndef BPEI_SLABS_H
#define BPEI_SLABS_H

#include "naming/ids.h"
#include "naming/intern.h"

/* Groups of texts; the texts of a group come together. */
enum {
	BPEI_TEXT_SERVER,
	BPEI_TEXT_OTHERS,
	BPEI_TEXT_CLIENT,
	BPEI_TEXT_HELLO,       /* alpn, ja4, ja3 */
	BPEI_TEXT_CERTIFICATE, /* subject, issuer */
	BPEI_TEXT_SSH,         /* hassh and banner of both ends */
	BPEI_TEXT_METHOD,
	BPEI_TEXT_GROUPS
};

struct bpei_slab {
	uint8_t app, source, others_count, zero;
	uint16_t flags, tls_version, tls_cipher, http_status;
	uint32_t quic_version;
	uint32_t text[BPEI_TEXT_GROUPS]; /* 0: none */
	int64_t answered_ns, ttl_ns;     /* of a name by DNS */
};
_Static_assert(sizeof(struct bpei_slab) <= 64, "a cache line");

struct bpei_slabs {
	struct bpei_pool pool;
	struct bpei_texts texts;
	uint64_t lost; /* names without room */
};

/* Returns false without memory. */
bool bpei_slabs_init(struct bpei_slabs *slabs, struct bpei_account *account, uint64_t seed);
void bpei_slabs_free(struct bpei_slabs *slabs);

/* Keeps names, instead of a finished id's (BPEI_ID_NOTHING: none), and returns the finished
 * id of the new ones.  age_ns in names is the answer's time.  Without room the numbers are kept,
 * or at least the protocol, and the loss is counted. */
uint32_t bpei_slabs_keep(struct bpei_slabs *slabs, uint32_t id, const struct bpe_flow_names *names);
/* Fills the members of *names that a finished id has; the rest is unchanged.  age_ns becomes the
 * answer's time. */
void bpei_slabs_fill(const struct bpei_slabs *slabs, uint32_t id, struct bpe_flow_names *names);
/* Empties names that a reader has filled: numbers, and the first byte of each text. */
void bpei_slabs_clear(struct bpe_flow_names *names);
/* Returns the protocol, and the source of the server's name, of a finished id. */
uint8_t bpei_slabs_app(const struct bpei_slabs *slabs, uint32_t id);
uint8_t bpei_slabs_source(const struct bpei_slabs *slabs, uint32_t id);
/* Copies the server's name of a finished id. */
void bpei_slabs_server(const struct bpei_slabs *slabs, uint32_t id, char server[256]);
/* Frees the names of a finished id. */
void bpei_slabs_drop(struct bpei_slabs *slabs, uint32_t id);

#endif
