/* SPDX-License-Identifier: MIT */
/* Prints the level of kernels chosen by bpfengine_single.h on this CPU. */
#define BPFENGINE_IMPLEMENTATION
#include "bpfengine_single.h"

#include <stdio.h>

int main(void)
{
	printf("%s\n", bpei_backend_get()->name);
	return 0;
}
