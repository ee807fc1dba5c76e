/* SPDX-License-Identifier: MIT */
/* Variables of the environment (environment.h).  Stateless. */
#include "base/environment.h"

#include <stdlib.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/auxv.h>
#endif

const char *bpei_environment_get(const char *name)
{
#if defined(__linux__)
	const int has_borrowed = getauxval(AT_SECURE) != 0;
#else
	const int has_borrowed = issetugid();
#endif

	return has_borrowed ? NULL : getenv(name);
}
