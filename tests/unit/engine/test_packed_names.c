/* SPDX-License-Identifier: MIT */
/* Names in a ring of records: what is packed is unpacked, and takes no more than the texts need. */
#include "engine/packed_names.h"

#include <criterion/criterion.h>
#include <string.h>

/* Packs names, and expects the same names to be unpacked from as many bytes.  Returns the bytes. */
static uint32_t expect_same_names(const struct bpe_flow_names *names)
{
	uint8_t packed[sizeof *names + 1];
	struct bpe_flow_names unpacked = { .app = 0 };
	const uint32_t n = bpei_packed_names_bytes(names);

	cr_assert_leq(n, sizeof *names);
	memset(packed, 0xee, sizeof packed);
	bpei_packed_names_write(packed, names);
	cr_assert_eq(packed[n], 0xee);
	cr_assert_eq(bpei_packed_names_read(packed, &unpacked), packed + n);
	cr_assert(!memcmp(&unpacked, names, sizeof *names));
	return n;
}

Test(packed_names, empty_names_take_nothing)
{
	const struct bpe_flow_names names = { .uid = -1 };

	cr_assert_eq(bpei_packed_names_bytes(&names), 0);
}

Test(packed_names, a_flow_with_a_name_takes_what_the_texts_need)
{
	struct bpe_flow_names names = { .app = BPE_APP_TLS,
		.source = BPE_NAME_TLS,
		.uid = -1,
		.server = "www.example.com",
		.alpn = "h2",
		.ja4 = "t13d1516h2_8daaf6152771_e5627efa2ab1" };

	cr_assert_leq(expect_same_names(&names), 140);
	cr_assert_geq(expect_same_names(&names), 15 + 2 + 36);
}

Test(packed_names, full_texts_fit)
{
	struct bpe_flow_names names;

	memset(&names, 'x', sizeof names);
	names.server[sizeof names.server - 1] = 0;
	names.others[sizeof names.others - 1] = 0;
	names.client[sizeof names.client - 1] = 0;
	names.alpn[sizeof names.alpn - 1] = 0;
	names.ja4[sizeof names.ja4 - 1] = 0;
	names.ja3[sizeof names.ja3 - 1] = 0;
	names.method[sizeof names.method - 1] = 0;
	names.subject[sizeof names.subject - 1] = 0;
	names.issuer[sizeof names.issuer - 1] = 0;
	names.container[sizeof names.container - 1] = 0;
	for (int k = 0; k < 2; k++) {
		names.hassh[k][sizeof names.hassh[k] - 1] = 0;
		names.banner[k][sizeof names.banner[k] - 1] = 0;
	}
	const uint32_t n = bpei_packed_names_bytes(&names);

	cr_assert_leq(n, sizeof names);
	cr_assert_gt(n, sizeof names - 16);
}

Test(packed_names, a_host_alone_or_a_container_alone_is_packed)
{
	struct bpe_flow_names names = { .uid = -1, .client = "laptop" };

	cr_assert_neq(expect_same_names(&names), 0);
	names = (struct bpe_flow_names){ .uid = 0, .container = "docker:1f2e3d4c5b6a" };
	cr_assert_neq(expect_same_names(&names), 0);
}
