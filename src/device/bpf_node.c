/* SPDX-License-Identifier: MIT */
/* Opening a BPF node: macOS's numbered ones, each with one opener, or the one that clones itself.
 * Nodes are opened for reading only, so that nothing can be sent by them. */
#include "device/bpf.h"

#include "base/bytes.h"
#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NODES_MOST 1024
/* struct xbpf_d, <net/bpf.h> of xnu-11417, private: pid at 24, ifname at 80.  Not in macOS 11, 12.
 */
#define XBPF_D_BYTES 136u
#define XBPF_D_LEAST 96u

/* One holder: "tcpdump pid 71 on en0"; a node may be attached to no interface yet. */
static int holder(struct bpei_bpf *b, const uint8_t *entry, char *text, size_t room)
{
	char process[40] = "", name[17] = "";
	int pid = (int)bpei_load32(entry + 24);
	b->sys.process_name(b->sys.context, pid, process, sizeof process);
	memcpy(name, entry + 80, 16);
	return snprintf(text, room, "%.20s%spid %d%s%s", process, process[0] ? " " : "", pid,
		name[0] ? " on " : ", not attached", name);
}

/* Who holds the nodes, from macOS's debug.bpf_stats; "" where it cannot be told. */
static void list_holders(struct bpei_bpf *b, char *text, size_t room)
{
	const size_t bytes = XBPF_D_BYTES * 256;
	uint8_t *list = malloc(bytes);
	ssize_t n = -ENOMEM;
	if (list)
		n = b->sys.sysctl(b->sys.context, "debug.bpf_stats", list, bytes);
	size_t used = 0, size = n >= (ssize_t)XBPF_D_BYTES ? bpei_load32(list) : 0;
	text[0] = 0;
	if (size < XBPF_D_LEAST || size > 4096)
		n = 0;
	for (ssize_t at = 0; n - at >= (ssize_t)size && size; at += (ssize_t)size) {
		char entry[96];
		int w = holder(b, list + at, entry, sizeof entry);
		if (used + (size_t)w + 6 >= room) {
			snprintf(text + used, room - used, " ...");
			break;
		}
		used += (size_t)snprintf(text + used, room - used, "%s%s", used ? "; " : "", entry);
	}
	free(list);
}

static int open_path(struct bpei_bpf *b, const char *path)
{
	int fd;
	do
		fd = b->sys.open(b->sys.context, path);
	while (fd == -EINTR);
	if (fd < 0)
		return -bpei_bpf_errno(b->abi, -fd);
	snprintf(b->node, sizeof b->node, "%s", path);
	return b->fd = fd;
}

static int deny(struct bpei_bpf *b, struct bpe_error *error, int r, const char *path)
{
	return bpei_fail(error, BPE_E_RIGHTS, "open", -r,
		"%s: run it with sudo, or give your group access to %s%s (scripts/bpf-access.sh)",
		path, b->options.bpf_device ? b->options.bpf_device : b->abi->device,
		b->abi->numbered ? "*" : "");
}

static int tell_none(struct bpei_bpf *b, struct bpe_error *error, const char *prefix)
{
#ifdef BPEI_HAVE_AFPACKET
	static const char elsewhere[] =
		" (Linux captures without bpf:, --bpf-device names a served node)";
#else
	static const char elsewhere[] = "";
#endif
	const char *hint = b->options.bpf_device ? "" : elsewhere;
	return bpei_fail(error, BPE_E_ABSENT, "open", 0, "there is no %s0: no BPF device here%s",
		prefix, hint);
}

static int tell_busy(struct bpei_bpf *b, struct bpe_error *error, const char *prefix, int busy)
{
	char who[160];
	list_holders(b, who, sizeof who);
	return bpei_fail(error, BPE_E_BUSY, "open", 0,
		"all %d of %s* are in use%s%s: stop one of their holders and try again", busy,
		prefix, who[0] ? ", by " : "", who);
}

/* macOS: one opener a node; opening the last one makes the next appear, so a second look may find
 * what the first did not. */
static int scan(struct bpei_bpf *b, const char *prefix, struct bpe_error *error)
{
	char path[256], denied[256] = "";
	int busy = 0, r = -ENOENT, why = 0;
	for (int tries = 0; tries < 3; tries++) {
		busy = 0;
		for (b->minor = 0; b->minor < NODES_MOST; b->minor++) {
			snprintf(path, sizeof path, "%s%d", prefix, b->minor);
			r = open_path(b, path);
			if (r >= 0)
				return BPE_OK;
			if (r == -EBUSY)
				busy++;
			else if (r == -EACCES || r == -EPERM) {
				if (!denied[0])
					memcpy(denied, path, sizeof path), why = r;
			} else if (r != -ENXIO)
				break;
		}
		if (r != -ENOENT || denied[0] || !busy)
			break;
	}
	/* Before "busy": a node was free, and not for us. */
	if (denied[0])
		return deny(b, error, why, denied);
	if (r != -ENOENT && r != -EBUSY && r != -ENXIO)
		return bpei_fail(error, bpei_status_of(-r), "open", -r, "%s", path);
	return busy ? tell_busy(b, error, prefix, busy) : tell_none(b, error, prefix);
}

int bpei_bpf_open_node(struct bpei_bpf *b, struct bpe_error *error)
{
	const char *path = b->options.bpf_device ? b->options.bpf_device : b->abi->device;
	if (strlen(path) > sizeof b->node - 8)
		return bpei_fail(
			error, BPE_E_ARGUMENT, "open", 0, "the path of the BPF device is too long");
	if (b->abi->numbered)
		return scan(b, path, error);
	int r = open_path(b, path);
	if (r == -ENOENT) {
		char first[256];
		snprintf(first, sizeof first, "%s0", path);
		r = open_path(b, first);
	}
	if (r >= 0)
		return BPE_OK;
	if (r == -EACCES || r == -EPERM)
		return deny(b, error, r, path);
	return bpei_fail(error, bpei_status_of(-r), "open", -r, "%s%s", path,
		r == -ENOENT ? ": no BPF device here" : "");
}
