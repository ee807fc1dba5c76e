/* SPDX-License-Identifier: MIT */
/* What the program's helper processes have in common. */
#ifndef CLI_HELPER_H
#define CLI_HELPER_H

#include <stddef.h>

/* Makes a forked process a helper: no descriptors but the kept and the standard ones, no terminal,
 * no signals of the terminal.  The standard output becomes the error output. */
void cli_helper_become(const int *kept, size_t count);

#endif
