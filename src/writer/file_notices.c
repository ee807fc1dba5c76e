/* SPDX-License-Identifier: MIT */
/* Notices about the files of a writer (files.h): each kind of failure is told once, and counted
 * each time. */
#include "base/error.h"
#include "writer/files_parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void bpei_files_tell(struct bpei_files *files, enum bpei_told kind, int failed, const char *what,
	const char *name)
{
	char text[2 * BPEI_NAME_ROOM];

	files->counts.errors += failed < 0;
	if (files->told & kind)
		return;
	files->told |= kind;
	if (!files->o.on_notice)
		return;
	if (failed < 0)
		snprintf(text, sizeof text, "%s %s: %s", what, name, strerror(-failed));
	else
		snprintf(text, sizeof text, "%s %s", what, name);
	files->o.on_notice(files->o.user, text);
}

void bpei_files_blame(struct bpei_files *files, int failed, const char *name)
{
	if (files->error.status != BPE_OK)
		return;
	if (failed == -EPIPE)
		bpei_fail(&files->error, BPE_E_END, "write", 0, "nobody reads %s any more", name);
	else
		bpei_fail(&files->error, BPE_E_IO, "write", -failed, "cannot write %s", name);
}
