/* SPDX-License-Identifier: MIT */
/* Systems that cannot be asked for the owners of sockets (owners.h); stateless. */
#include "owners/owners.h"

#include "base/error.h"

const bool bpei_owners_are_told = false;

int bpei_owners_open(struct bpe_owners **owners, struct bpe_error *error)
{
	(void)owners;
	return bpei_fail(error, BPE_E_UNSUPPORTED, "owners", 0,
		"this system cannot be asked for the processes of sockets here: Linux, FreeBSD and macOS can");
}

int bpei_owners_ask(struct bpe_owners *owners, const struct bpe_owner_question *questions,
	struct bpe_owner_answer *answers, size_t n)
{
	(void)owners;
	(void)questions;
	(void)answers;
	(void)n;
	return BPE_E_UNSUPPORTED;
}

void bpei_owners_close(struct bpe_owners *owners)
{
	(void)owners;
}
