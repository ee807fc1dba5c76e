/* SPDX-License-Identifier: MIT */
/* Packs and unpacks records: every member, random records, records of another size, and bytes of
 * another kind. */
#include "tools/export/packed.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 1;

static uint32_t roll_bits(void)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)(state >> 33);
}

/* Texts of a record, to be compared up to their end. */
static const struct {
	size_t offset, size;
} texts[] = {
#define TEXT(member) { offsetof(struct bpe_flow, member), sizeof((struct bpe_flow *)0)->member }
	TEXT(interface_name), TEXT(comm), TEXT(effective_comm), TEXT(history), TEXT(names.server),
	TEXT(names.others), TEXT(names.client), TEXT(names.alpn), TEXT(names.ja4), TEXT(names.ja3),
	TEXT(names.hassh[0]), TEXT(names.hassh[1]), TEXT(names.method), TEXT(names.banner[0]),
	TEXT(names.banner[1]), TEXT(names.subject), TEXT(names.issuer), TEXT(names.container)
};
enum { TEXTS = sizeof texts / sizeof *texts };

/* Fills all bytes at random, and each text with a text of n bytes at most. */
static void roll_record(struct bpe_flow *flow, size_t most)
{
	uint8_t *bytes = (uint8_t *)flow;

	for (size_t k = 0; k < sizeof *flow; k++)
		bytes[k] = (uint8_t)roll_bits();
	flow->version = BPE_FLOW_VERSION;
	flow->size = sizeof *flow;
	for (size_t k = 0; k < TEXTS; k++) {
		char *text = (char *)bytes + texts[k].offset;
		const size_t limit = most < texts[k].size ? most : texts[k].size - 1;
		const size_t n = roll_bits() % (limit + 1);

		memset(text, 0, texts[k].size);
		for (size_t i = 0; i < n; i++)
			text[i] = (char)(1 + roll_bits() % 255);
	}
}

/* Compares all bytes, without bytes behind a text and the padding at the end. */
static void compare_flows(const struct bpe_flow *a, const struct bpe_flow *b)
{
	static struct bpe_flow copies[2];

	copies[0] = *a;
	copies[1] = *b;
	for (size_t k = 0; k < TEXTS; k++)
		for (int c = 0; c < 2; c++) {
			char *text = (char *)&copies[c] + texts[k].offset;
			const size_t n = strnlen(text, texts[k].size);

			cr_assert_lt(n, texts[k].size);
			memset(text + n, 0, texts[k].size - n);
		}
	const size_t end = offsetof(struct bpe_flow, names.container) + sizeof a->names.container;

	cr_assert_arr_eq(&copies[0], &copies[1], end);
}

Test(packed, keeps_every_member)
{
	static struct bpe_flow flow, back;
	uint8_t bytes[EXPORT_PACKED_MOST];

	for (int k = 0; k < 2000; k++) {
		roll_record(&flow, k % 3 ? 20 : sizeof flow);
		const uint32_t n = export_pack(bytes, &flow);

		cr_assert_leq(n, sizeof bytes);
		cr_assert(export_unpack(&back, bytes, n));
		compare_flows(&flow, &back);
	}
}

/* Packs a record without texts behind a record with texts: no text stays. */
Test(packed, leaves_no_text_of_before)
{
	static struct bpe_flow flow, back;
	uint8_t bytes[EXPORT_PACKED_MOST];

	roll_record(&flow, sizeof flow);
	cr_assert(export_unpack(&back, bytes, export_pack(bytes, &flow)));
	memset(&flow, 0, sizeof flow);
	flow.size = sizeof flow;
	const uint32_t n = export_pack(bytes, &flow);

	cr_assert(export_unpack(&back, bytes, n));
	compare_flows(&flow, &back);
	cr_assert_lt(n, 1000);
}

/* Packs texts without their end: each is cut before the last byte. */
Test(packed, ends_texts)
{
	static struct bpe_flow flow, back;
	uint8_t bytes[EXPORT_PACKED_MOST];

	memset(&flow, 'x', sizeof flow);
	flow.size = sizeof flow;
	cr_assert(export_unpack(&back, bytes, export_pack(bytes, &flow)));
	for (size_t k = 0; k < TEXTS; k++)
		cr_assert_eq(strlen((char *)&back + texts[k].offset), texts[k].size - 1);
}

/* Packs a record of an older library: members behind the size become 0. */
Test(packed, takes_other_sizes)
{
	static struct bpe_flow flow, back;
	uint8_t bytes[EXPORT_PACKED_MOST];

	roll_record(&flow, 20);
	flow.size = offsetof(struct bpe_flow, icmp_errors);
	cr_assert(export_unpack(&back, bytes, export_pack(bytes, &flow)));
	cr_assert_eq(back.size, flow.size);
	cr_assert_eq(back.keep_alives[1], flow.keep_alives[1]);
	cr_assert_str_eq(back.history, flow.history);
	cr_assert_eq(back.icmp_errors[0], 0);
	cr_assert_eq(back.names.server[0], 0);
}

Test(packed, refuses_other_bytes)
{
	static struct bpe_flow flow, back;
	static uint8_t bytes[EXPORT_PACKED_MOST + 1];

	for (int k = 0; k < 300; k++) {
		roll_record(&flow, 10);
		const uint32_t n = export_pack(bytes, &flow);
		uint8_t *exact = malloc(n);

		cr_assert_not_null(exact);
		memcpy(exact, bytes, n);
		for (uint32_t cut = 0; cut < n; cut += 1 + cut % 13)
			cr_assert(!export_unpack(&back, bytes, cut), "%u of %u bytes", cut, n);
		cr_assert(!export_unpack(&back, bytes, n + 1));
		exact[roll_bits() % n] ^= (uint8_t)(1 + roll_bits() % 255);
		export_unpack(&back, exact, n); /* reads nothing beyond, by the sanitizers */
		for (size_t i = 0; i < TEXTS; i++)
			cr_assert_lt(strnlen((char *)&back + texts[i].offset, texts[i].size),
				texts[i].size);
		free(exact);
	}
}
