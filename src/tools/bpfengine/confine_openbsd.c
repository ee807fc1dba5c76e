/* SPDX-License-Identifier: MIT */
/* OpenBSD: pledge(2) and unveil(2).  Under a pledge a BPF device can be read and asked for its
 * counters (promise "bpf"), but gets no other filter: with files to read again (SIGUSR2) a live
 * capture is held by unveil alone.  "error": what is not promised fails with ENOSYS, as on other
 * systems, and does not end the capture.  Not run on OpenBSD yet. */
#include "rights.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const enum cli_system cli_system_here = CLI_OPENBSD;
const char *const cli_name_files[] = { "/etc/services", "/etc/protocols", "/etc/networks",
	"/etc/hosts", NULL };

void cli_confine(const struct cli_confinement *how, struct cli_confined *done)
{
	bool read = how->file_count || (how->filter && !how->live), write = how->output,
	     pledged = !how->live || !how->file_count;
	char promises[64];
	int e = 0;
	*done = (struct cli_confined){ .filter_fixed = pledged && how->live };
	for (size_t i = 0; i < how->file_count && !e; i++)
		e = unveil(how->files[i], "r") ? errno : 0;
	for (size_t i = 0; read && cli_name_files[i] && !e; i++)
		e = unveil(cli_name_files[i], "r") && errno != ENOENT ? errno : 0;
	if (write && !e)
		e = unveil(how->output, "wc") ? errno : 0;
	if ((read || write) && !e)
		e = unveil(NULL, NULL) ? errno : 0;
	snprintf(promises, sizeof promises, "stdio%s%s%s%s error", read || write ? " rpath" : "",
		write ? " wpath cpath" : "", how->live ? " bpf" : "", how->terminal ? " tty" : "");
	if (pledged && !e)
		e = pledge(promises, NULL) ? errno : 0;
	if (e)
		snprintf(done->failed, sizeof done->failed, "no pledge, or no unveil (%s)",
			strerror(e)),
			done->filter_fixed = false;
	else
		snprintf(done->holds, sizeof done->holds, "%s%s%s%s%s", pledged ? "pledge (" : "",
			pledged ? promises : "", pledged ? ")" : "",
			pledged && (read || write) ? ", " : "",
			read && write ? "unveil (the filter's files, and the flows')"
			: read        ? "unveil (the filter's files)"
			: write       ? "unveil (the flows' file)"
				      : "");
}
