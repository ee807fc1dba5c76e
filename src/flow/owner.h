/* SPDX-License-Identifier: MIT */
/* Owners of flows, which come from outside of the table: questions about new flows, and answers
 * (options.owners). */
#ifndef BPEI_FLOW_OWNER_H
#define BPEI_FLOW_OWNER_H

#include "flow/flow.h"

/* A question about the flow of an entry, by which the answer finds the flow. */
struct bpei_flow_question {
	struct bpe_owner_question asked;
	uint64_t key[5];
	int64_t opened_ns; /* flow time */
	uint32_t entry;
	uint32_t zero;
};

/* Returns the entries that the last update opened, and in *entries the numbers.  Good until the
 * next update.  An entry may have ended since. */
uint32_t bpei_table_opened(const struct bpei_table *table, const uint32_t **entries) BPEI_WORKER;
/* Fills the question about an entry.  Returns false if no flow of TCP or UDP is there. */
bool bpei_table_question(const struct bpei_table *table, uint32_t entry,
	struct bpei_flow_question *question) BPEI_WORKER;
/* Gives the flow an owner, if the flow is still there.  A process by metadata of packets stays. */
void bpei_table_answer(struct bpei_table *table, const struct bpei_flow_question *question,
	const struct bpe_owner_answer *answer) BPEI_WORKER;

#endif
