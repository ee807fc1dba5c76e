/* SPDX-License-Identifier: MIT */
/* Prints the level of kernels chosen by bpfengine_single.h on this CPU. */
#define BPFENGINE_IMPLEMENTATION
#include "bpfengine_single.h"

#include <stdio.h>

int main(void)
{
#if defined(__x86_64__) && !defined(BPFENGINE_SCALAR)
	static const char *const names[] = { "scalar", "sse42", "avx2", "avx512" };
	printf("%s\n", names[bpei_best_level()]);
#else
	printf("scalar\n");
#endif
	return 0;
}
