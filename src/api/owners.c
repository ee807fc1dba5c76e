/* SPDX-License-Identifier: MIT */
/* The exported functions that ask for the owners of sockets; stateless. */
#include "owners/owners.h"

#include "base/error.h"

int bpe_owners_open(struct bpe_owners **owners, struct bpe_error *error)
{
	if (!owners)
		return bpei_fail(error, BPE_E_ARGUMENT, "owners", 0, "nowhere to put the owners");
	return bpei_owners_open(owners, error);
}

int bpe_owners_ask(struct bpe_owners *owners, const struct bpe_owner_question *questions,
	struct bpe_owner_answer *answers, size_t n)
{
	if (!owners || (n && (!questions || !answers)))
		return BPE_E_ARGUMENT;
	return bpei_owners_ask(owners, questions, answers, n);
}

void bpe_owners_close(struct bpe_owners *owners)
{
	if (owners)
		bpei_owners_close(owners);
}
