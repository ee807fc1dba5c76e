/* SPDX-License-Identifier: MIT */
/* What the program's helper processes have in common. */
#ifndef CLI_HELPER_H
#define CLI_HELPER_H

/* Makes a forked process a helper: no descriptors but the two pipes and the standard ones, no
 * terminal, no signals of the terminal.  The standard output becomes the error output. */
void cli_helper_become(int from, int to);

#endif
