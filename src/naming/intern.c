/* SPDX-License-Identifier: MIT */
/* Interned texts: a hash table with chains, and an array from numbers to texts.  Free numbers are
 * linked through the array. */
#include "naming/intern.h"

#include "base/mem.h"
#include "base/siphash.h"

#include <stdlib.h>
#include <string.h>

#define LEAST_CHAINS 64u
#define BYTES_A_CHAIN 256u
#define ALLOCATION 16u /* about the bytes that an allocation adds */

/* Returns SipHash-2-4 of the bytes, folded to 32 bits. */
static uint32_t hash_text(const uint64_t key[2], const char *bytes, uint32_t n)
{
	uint64_t v[4];
	uint64_t word = 0;

	bpei_siphash_begin(v, key);
	for (uint32_t k = 0; k + 8 <= n; k += 8) {
		memcpy(&word, bytes + k, sizeof word);
		v[3] ^= word;
		bpei_siphash_round(v);
		bpei_siphash_round(v);
		v[0] ^= word;
	}
	word = 0;
	memcpy(&word, bytes + (n & ~7u), n & 7u);
	word ^= (uint64_t)n << 56;
	v[3] ^= word;
	bpei_siphash_round(v);
	bpei_siphash_round(v);
	v[0] ^= word;
	v[2] ^= 0xff;
	for (int k = 0; k < 4; k++)
		bpei_siphash_round(v);
	word = v[0] ^ v[1] ^ v[2] ^ v[3];
	return (uint32_t)(word ^ word >> 32);
}

/* Returns the memory of a text of n bytes. */
static uint64_t bytes_of_text(uint32_t n)
{
	return sizeof(struct bpei_text) + n + ALLOCATION;
}

bool bpei_texts_init(struct bpei_texts *t, struct bpei_account *account, uint64_t seed)
{
	const uint64_t room = bpei_account_ceiling(account, BPEI_PART_TEXTS);
	const uint64_t size = room / (bytes_of_text(1) + sizeof *t->text);
	uint32_t chains = LEAST_CHAINS;

	while (chains * 2ull <= room / BYTES_A_CHAIN && chains < 1u << 24)
		chains *= 2;
	*t = (struct bpei_texts){ .account = account,
		.key = { seed, ~seed * 0x9e3779b97f4a7c15u },
		.mask = chains - 1,
		.size = size < UINT32_MAX / 2 ? (uint32_t)size : UINT32_MAX / 2 };
	t->text = bpei_mem_map(((size_t)t->size + 1) * sizeof *t->text, 0);
	t->chains = bpei_mem_map(chains * sizeof *t->chains, 0);
	return t->text && t->chains &&
	       bpei_account_take(account, BPEI_PART_TEXTS, chains * sizeof *t->chains);
}

void bpei_texts_free(struct bpei_texts *t)
{
	for (uint32_t c = 0; t->chains && t->text && c <= t->mask; c++) {
		uint32_t number = t->chains[c];

		while (number) {
			struct bpei_text *const text = t->text[number - 1];

			number = text->next;
			free(text);
		}
	}
	bpei_mem_unmap(t->text, ((size_t)t->size + 1) * sizeof *t->text);
	bpei_mem_unmap(t->chains, (t->mask + 1ull) * sizeof *t->chains);
	t->text = NULL;
	t->chains = NULL;
}

/* Returns the number of an interned text, or 0. */
static uint32_t find_text(const struct bpei_texts *t, uint32_t hash, const char *bytes, uint32_t n)
{
	uint32_t number = t->chains[hash & t->mask];

	while (number) {
		const struct bpei_text *const text = bpei_texts_at(t, number);

		if (text->hash == hash && text->n == n && !memcmp(text->bytes, bytes, n))
			return number;
		number = text->next;
	}
	return 0;
}

/* Takes a number for a new text.  Returns 0 without room. */
static uint32_t take_text_number(struct bpei_texts *t)
{
	const uint32_t number = t->free;

	if (!number)
		return t->touched < t->size ? ++t->touched : 0;
	t->free = (uint32_t)(uintptr_t)t->text[number - 1];
	return number;
}

/* Gives a number back to the free list. */
static void give_text_number(struct bpei_texts *t, uint32_t number)
{
	t->text[number - 1] = (struct bpei_text *)(uintptr_t)t->free;
	t->free = number;
}

uint32_t bpei_texts_take(struct bpei_texts *t, const char *bytes, uint32_t n)
{
	const uint64_t cost = bytes_of_text(n) + sizeof *t->text;
	const uint32_t hash = hash_text(t->key, bytes, n);
	uint32_t number = find_text(t, hash, bytes, n);

	if (number) {
		t->text[number - 1]->references++;
		return number;
	}
	if (!bpei_account_take(t->account, BPEI_PART_TEXTS, cost))
		return 0;
	number = take_text_number(t);
	struct bpei_text *const text = number ? malloc(sizeof *text + n) : NULL;

	if (!text) {
		bpei_account_give(t->account, BPEI_PART_TEXTS, cost);
		if (number)
			give_text_number(t, number);
		return 0;
	}
	*text = (struct bpei_text){
		.next = t->chains[hash & t->mask], .references = 1, .hash = hash, .n = n
	};
	memcpy(text->bytes, bytes, n);
	t->text[number - 1] = text;
	t->chains[hash & t->mask] = number;
	t->used++;
	return number;
}

void bpei_texts_give(struct bpei_texts *t, uint32_t number)
{
	struct bpei_text *const text = t->text[number - 1];
	uint32_t *link = &t->chains[text->hash & t->mask];

	if (--text->references)
		return;
	while (*link != number)
		link = &t->text[*link - 1]->next;
	*link = text->next;
	bpei_account_give(t->account, BPEI_PART_TEXTS, bytes_of_text(text->n) + sizeof *t->text);
	free(text);
	give_text_number(t, number);
	t->used--;
}
