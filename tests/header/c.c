/* SPDX-License-Identifier: MIT */
/* The header by itself, as strict C. */
#include "bpfengine.h"
#include "bpfengine.h"

_Static_assert(sizeof(struct bpe_key) == 48 && sizeof(struct bpe_layers) == 24,
	"public structures have no surprise in them");

int main(void)
{
	return bpe_version()[0] == '0' + BPE_VERSION_MAJOR ? 0 : 1;
}
