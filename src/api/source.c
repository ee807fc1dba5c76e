/* SPDX-License-Identifier: MIT */
/* Which source a name means: an interface, a savefile, or generated traffic. */
#include "base/error.h"
#include "device/device.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/stat.h>

/* Returns true if a name is an interface's, or means a source that needs no interface. */
static bool names_interface(const char *source)
{
	if (bpei_device_name_is_taken(source) || if_nametoindex(source))
		return true;
	return !strcmp(source, "pktap"); /* macOS makes an interface for this name */
}

/* Returns BPE_OK if the path leads to a file, or a failure with *error filled. */
static int check_path(const char *path, struct bpe_error *error)
{
	struct stat st;

	const int failed = stat(path, &st) ? errno : 0;

	if (!failed && !S_ISDIR(st.st_mode))
		return BPE_OK;
	if (!failed)
		return bpei_fail(error, BPE_E_ARGUMENT, "source", 0,
			"%s is a folder: name a savefile in it", path);
	if (strchr(path, '/') || (failed != ENOENT && failed != ENOTDIR))
		return bpei_fail(error, bpei_status_of(failed), "source", failed,
			"no savefile can be read at %s: check the path", path);
	return bpei_fail(error, BPE_E_ABSENT, "source", failed,
		"%s is neither an interface (bpfengine -L lists them) nor a savefile; - is the standard input, synth is generated traffic",
		path);
}

int bpe_options_set_source(struct bpe_options *options, const char *source, struct bpe_error *error)
{
	if (!source || !source[0])
		return bpei_fail(error, BPE_E_ARGUMENT, "source", 0,
			"no source: name an interface (bpfengine -L lists them), a savefile, - or synth");
	const bool is_input = !strcmp(source, "-");
	const bool is_interface = !is_input && names_interface(source);
	int status = BPE_OK;

	if (!is_input && !is_interface)
		status = check_path(source, error);
	if (status < 0)
		return status;
	options->interface_name = is_interface ? source : NULL;
	options->file = is_interface ? NULL : source;
	options->memory = NULL;
	options->memory_bytes = 0;
	options->push = false;
	return BPE_OK;
}
