/* SPDX-License-Identifier: MIT */
/* Keys of Initials on the examples of RFC 9001 (A.1), RFC 9369 (A.1) and
 * draft-ietf-quic-tls-29. */
#include "quic_case.h"

#include <criterion/criterion.h>

Test(quic_keys, are_those_of_the_standards, .timeout = 550)
{
	static const struct {
		uint32_t version;
		const char *key, *iv, *hp;
	} rows[] = {
		{ 1, "1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c",
			"9f50449e04a0e810283a1e9933adedd2" },
		{ 0x6b3343cf, "8b1a0bc121284290a29e0971b5cd045d", "91f73e2351d8fa91660e909f",
			"45b95e15235d6f45a6b19cbcb0294ba9" },
		/* draft-ietf-quic-tls-29, A.1 */
		{ 0xff00001d, "175257a31eb09dea9366d8bb79ad80ba", "6b26114b9cba2b63a9e8dd4f",
			"9ddd12c994c0698b89374a9c077a3077" },
	};
	static const uint8_t dcid[8] = { 0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08 };
	struct bpei_quic_keys keys;
	uint8_t wanted[16];

	for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
		cr_assert(bpei_quic_keys_make(&keys, &quic_crypto,
			bpei_quic_version_find(rows[k].version), dcid, sizeof dcid));
		cr_assert_eq(quic_from_hex(wanted, rows[k].key), 16);
		cr_assert_eq(memcmp(keys.key, wanted, 16), 0, "%zu", k);
		cr_assert_eq(quic_from_hex(wanted, rows[k].iv), 12);
		cr_assert_eq(memcmp(keys.iv, wanted, 12), 0, "%zu", k);
		cr_assert_eq(quic_from_hex(wanted, rows[k].hp), 16);
		cr_assert_eq(memcmp(keys.hp, wanted, 16), 0, "%zu", k);
	}
}

static bool refuse_hmac(const uint8_t *key, size_t key_bytes, const uint8_t *text,
	size_t text_bytes, uint8_t mac[32])
{
	(void)key;
	(void)text;
	(void)mac;
	return key_bytes + text_bytes == SIZE_MAX;
}

Test(quic_keys, a_library_that_fails_makes_none, .timeout = 550)
{
	struct bpe_crypto broken = quic_crypto;
	struct bpei_quic_keys keys;

	broken.hmac_sha256 = refuse_hmac;
	cr_assert_not(bpei_quic_keys_make(
		&keys, &broken, bpei_quic_version_find(1), (const uint8_t *)"12345678", 8));
}
