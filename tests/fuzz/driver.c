/* SPDX-License-Identifier: MIT */
/* libFuzzer's entry for the target that -DFUZZ_TARGET names; no state. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	FUZZ_TARGET(bytes, n);
	return 0;
}
