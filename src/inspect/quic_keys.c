/* SPDX-License-Identifier: MIT */
/* Keys of Initials: HKDF of SHA-256 (RFC 5869) with TLS 1.3's labels (RFC 8446, 7.1; RFC 9001,
 * 5.2); stateless. */
#include "inspect/quic.h"

#include <string.h>

#define SECRET 32u
#define LABEL_MOST 24u

/* Expands a secret by a label.  A result of 32 bytes at most takes one block of HKDF-Expand. */
static bool expand_label(const struct bpe_crypto *crypto, const uint8_t secret[SECRET],
	const char *prefix, const char *label, uint8_t *to, uint32_t to_bytes)
{
	static const char tls[] = "tls13 ";
	uint8_t info[4 + sizeof tls + LABEL_MOST];
	uint8_t mac[32];
	size_t prefix_bytes = strlen(prefix);
	size_t label_bytes = strlen(label);
	size_t name_bytes = sizeof tls - 1 + prefix_bytes + label_bytes;

	if (prefix_bytes + label_bytes > LABEL_MOST)
		return false;
	info[0] = 0;
	info[1] = (uint8_t)to_bytes;
	info[2] = (uint8_t)name_bytes;
	memcpy(info + 3, tls, sizeof tls - 1);
	memcpy(info + 3 + sizeof tls - 1, prefix, prefix_bytes);
	memcpy(info + 3 + sizeof tls - 1 + prefix_bytes, label, label_bytes);
	info[3 + name_bytes] = 0; /* bytes of context */
	info[4 + name_bytes] = 1; /* the first block */
	if (!crypto->hmac_sha256(secret, SECRET, info, 5 + name_bytes, mac))
		return false;
	memcpy(to, mac, to_bytes);
	return true;
}

bool bpei_quic_keys_make(struct bpei_quic_keys *keys, const struct bpe_crypto *crypto,
	const struct bpei_quic_version *version, const uint8_t *dcid, uint32_t dcid_bytes)
{
	uint8_t initial[SECRET];
	uint8_t client[SECRET];

	return crypto->hmac_sha256(
		       version->salt, sizeof version->salt, dcid, dcid_bytes, initial) &&
	       expand_label(crypto, initial, "", "client in", client, SECRET) &&
	       expand_label(crypto, client, version->prefix, " key", keys->key, 16) &&
	       expand_label(crypto, client, version->prefix, " iv", keys->iv, 12) &&
	       expand_label(crypto, client, version->prefix, " hp", keys->hp, 16);
}
