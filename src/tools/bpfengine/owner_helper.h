/* SPDX-License-Identifier: MIT */
/* --process: a helper process that asks the system for the owners of sockets.
 *
 * The program is confined and has no rights once packets are read, but looking at processes of
 * other users needs rights.  So a helper is forked before rights are given up.  The helper keeps
 * the rights for asking, reads no packet, and answers over two pipes.  The helper ends with the
 * program.  Without a helper the capture goes on, and flows have no known process. */
#ifndef CLI_OWNER_HELPER_H
#define CLI_OWNER_HELPER_H

#include "bpfengine.h"

struct cli;
struct cli_owners;

/* Starts the helper if --process was given and the source is an interface without names of
 * processes.  Tells why there will be no processes, or not all.  Runs before the source
 * is opened.  Returns 0, or the exit code after the message. */
int cli_owners_start(struct cli_owners **owners, const struct cli *cli);
/* Answers questions, as bpe_owner_fn.  Returns BPE_OK, or BPE_E_IO if the helper is gone.  The
 * engine's thread. */
int cli_owners_ask(struct cli_owners *owners, const struct bpe_owner_question *questions,
	struct bpe_owner_answer *answers, size_t n);
/* Ends the helper and frees; NULL is allowed. */
void cli_owners_close(struct cli_owners *owners);

#endif
