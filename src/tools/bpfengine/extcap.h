/* SPDX-License-Identifier: MIT */
/* Calls by Wireshark, as extcap(4) describes them. */
#ifndef CLI_EXTCAP_H
#define CLI_EXTCAP_H

#include <stdbool.h>

/* Answers a command line with an option --extcap-...  Returns true with the exit code in *code if
 * the call is done.  Returns false for another command line, and for a capture, with the command
 * line of the capture in *argc and *argv. */
bool cli_extcap(int *argc, char ***argv, int *code);

#endif
