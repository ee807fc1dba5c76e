/* SPDX-License-Identifier: MIT */
/* NetBSD has nothing that a process could confine itself with; a build for a sanitizer confines
 * nothing, since that would need far more system calls than a capture. */
#include "rights.h"

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
