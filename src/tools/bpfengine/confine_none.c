/* SPDX-License-Identifier: MIT */
/* No confinement: NetBSD has no mechanism with which a process could confine itself, and a build
 * for a sanitizer needs far more system calls than a capture.  Stateless. */
#include "rights.h"

#include <errno.h>

#ifdef CLI_SANITIZED
const enum cli_system cli_system_here = CLI_NO_SYSTEM;
#else
const enum cli_system cli_system_here = CLI_NETBSD;
#endif

void cli_confine(const struct cli_confinement *how, struct cli_confined *done)
{
	(void)how;
	*done = (struct cli_confined){ .filter_fixed = false };
}

int cli_confine_owners(void)
{
	return ENOTSUP;
}
