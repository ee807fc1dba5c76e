/* SPDX-License-Identifier: MIT */
/* Texts shared by many flows: kept once, counted, and named by a number of 4 bytes. */
#ifndef BPEI_INTERN_H
#define BPEI_INTERN_H

#include "naming/pool.h"

struct bpei_text {
	uint32_t next; /* in the chain; 0: the last */
	uint32_t references;
	uint32_t hash;
	uint32_t n;
	char bytes[];
};

struct bpei_texts {
	struct bpei_account *account;
	uint64_t key[2];         /* of the hash: names come from strangers */
	struct bpei_text **text; /* by number - 1 */
	uint32_t *chains;
	uint32_t mask; /* number of chains - 1 */
	uint32_t size, touched, free, used;
};

/* Returns false without memory. */
bool bpei_texts_init(struct bpei_texts *texts, struct bpei_account *account, uint64_t seed);
void bpei_texts_free(struct bpei_texts *texts);

/* Returns the number of a text of n bytes, with another reference; 0 without room. */
uint32_t bpei_texts_take(struct bpei_texts *texts, const char *bytes, uint32_t n);
/* Gives a reference back.  The last frees the text. */
void bpei_texts_give(struct bpei_texts *texts, uint32_t number);

/* Returns a text with references. */
static inline const struct bpei_text *bpei_texts_at(const struct bpei_texts *texts, uint32_t number)
{
	return texts->text[number - 1];
}

#endif
