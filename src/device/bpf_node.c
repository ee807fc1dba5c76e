/* SPDX-License-Identifier: MIT */
/* Opening a BPF node: on macOS the first free of the numbered nodes, which admit a single opener
 * each; elsewhere the node which clones itself.  Nodes are opened for reading only, so nothing can
 * be sent by them. */
#include "device/bpf.h"

#include "base/bytes.h"
#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NODES_MOST 1024
/* struct xbpf_d, <net/bpf.h> of xnu-11417, private.  Not in macOS 11, 12. */
#define XBPF_D_BYTES 136u
#define XBPF_D_LEAST 96u
#define XBPF_D_MOST 4096u
enum { XBPF_PID = 24, XBPF_IFNAME = 80 };

/* Writes the holder of a node: "tcpdump pid 71 on en0".  A node may be attached to no interface
 * yet.  Returns the length of the text. */
static int format_holder(struct bpei_bpf *b, const uint8_t *entry, char *text, size_t room)
{
	char process[40] = "";
	char name[17] = "";
	int pid = (int)bpei_load32(entry + XBPF_PID);

	b->sys.process_name(b->sys.context, pid, process, sizeof process);
	memcpy(name, entry + XBPF_IFNAME, 16);
	const char *where = name[0] ? " on " : ", not attached";
	return snprintf(
		text, room, "%.20s%spid %d%s%s", process, process[0] ? " " : "", pid, where, name);
}

/* Lists the holders of the nodes, from macOS's debug.bpf_stats; "" where there is no such list. */
static void list_holders(struct bpei_bpf *b, char *text, size_t room)
{
	const size_t bytes = XBPF_D_BYTES * 256;
	uint8_t *list = malloc(bytes);
	ssize_t n = -ENOMEM;
	size_t used = 0;

	if (list)
		n = b->sys.sysctl(b->sys.context, "debug.bpf_stats", list, bytes);
	size_t size = n >= (ssize_t)XBPF_D_BYTES ? bpei_load32(list) : 0;
	text[0] = 0;
	if (size < XBPF_D_LEAST || size > XBPF_D_MOST)
		n = 0;
	for (ssize_t at = 0; n - at >= (ssize_t)size && size; at += (ssize_t)size) {
		char entry[96];
		int w = format_holder(b, list + at, entry, sizeof entry);

		if (used + (size_t)w + 6 >= room) {
			snprintf(text + used, room - used, " ...");
			break;
		}
		used += (size_t)snprintf(text + used, room - used, "%s%s", used ? "; " : "", entry);
	}
	free(list);
}

/* Opens the node at `path` and notes descriptor and path.  Returns >= 0 or -errno. */
static int open_node_path(struct bpei_bpf *b, const char *path)
{
	int fd;

	do
		fd = b->sys.open(b->sys.context, path);
	while (fd == -EINTR);
	if (fd < 0)
		return -bpei_bpf_errno(b->abi, -fd);
	snprintf(b->node, sizeof b->node, "%s", path);
	b->fd = fd;
	return fd;
}

/* ---- Errors ---- */

static int fail_denied(struct bpei_bpf *b, struct bpe_error *error, int r, const char *path)
{
	const char *device = b->options.bpf_device ? b->options.bpf_device : b->abi->device;

	return bpei_fail(error, BPE_E_RIGHTS, "open", -r,
		"%s: run it with sudo, or give your group access to %s%s (scripts/bpf-access.sh)",
		path, device, b->abi->numbered ? "*" : "");
}

static int fail_absent(struct bpei_bpf *b, struct bpe_error *error, const char *prefix)
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

static int fail_busy(struct bpei_bpf *b, struct bpe_error *error, const char *prefix, int busy)
{
	char holders[160];

	list_holders(b, holders, sizeof holders);
	return bpei_fail(error, BPE_E_BUSY, "open", 0,
		"all %d of %s* are in use%s%s: stop one of their holders and try again", busy,
		prefix, holders[0] ? ", by " : "", holders);
}

/* ---- Opening ---- */

/* One look at all numbered nodes. */
struct node_scan {
	int busy;         /* nodes in use */
	int denied;       /* -errno of the first node that may not be opened, or 0 */
	char path[256];   /* the node tried last */
	char closed[256]; /* the node of `denied` */
};

/* Tries all numbered nodes in order.  Returns >= 0 if a node is open, or the last -errno. */
static int try_nodes(struct bpei_bpf *b, const char *prefix, struct node_scan *scan)
{
	int r = -ENOENT;

	scan->busy = 0;
	for (b->minor = 0; b->minor < NODES_MOST; b->minor++) {
		snprintf(scan->path, sizeof scan->path, "%s%d", prefix, b->minor);
		r = open_node_path(b, scan->path);
		if (r >= 0)
			return r;
		if (r == -EBUSY) {
			scan->busy++;
		} else if (r == -EACCES || r == -EPERM) {
			if (!scan->denied)
				memcpy(scan->closed, scan->path, sizeof scan->closed);
			scan->denied = scan->denied ? scan->denied : r;
		} else if (r != -ENXIO) {
			break;
		}
	}
	return r;
}

/* Opens a free node of macOS.  Opening the last node makes the next node appear, so a second look
 * may find a node which the first look missed. */
static int open_numbered(struct bpei_bpf *b, const char *prefix, struct bpe_error *error)
{
	struct node_scan scan = { .busy = 0 };
	int r = -ENOENT;

	for (int tries = 0; tries < 3; tries++) {
		r = try_nodes(b, prefix, &scan);
		if (r >= 0)
			return BPE_OK;
		if (r != -ENOENT || scan.denied || !scan.busy)
			break;
	}
	/* Before "busy": a node was free, but access was denied. */
	if (scan.denied)
		return fail_denied(b, error, scan.denied, scan.closed);
	if (r != -ENOENT && r != -EBUSY && r != -ENXIO)
		return bpei_fail(error, bpei_status_of(-r), "open", -r, "%s", scan.path);
	if (scan.busy)
		return fail_busy(b, error, prefix, scan.busy);
	return fail_absent(b, error, prefix);
}

int bpei_bpf_open_node(struct bpei_bpf *b, struct bpe_error *error)
{
	const char *path = b->options.bpf_device ? b->options.bpf_device : b->abi->device;

	if (strlen(path) > sizeof b->node - 8)
		return bpei_fail(
			error, BPE_E_ARGUMENT, "open", 0, "the path of the BPF device is too long");
	if (b->abi->numbered)
		return open_numbered(b, path, error);
	int r = open_node_path(b, path);
	if (r == -ENOENT) {
		char first[256];

		snprintf(first, sizeof first, "%s0", path);
		r = open_node_path(b, first);
	}
	if (r >= 0)
		return BPE_OK;
	if (r == -EACCES || r == -EPERM)
		return fail_denied(b, error, r, path);
	return bpei_fail(error, bpei_status_of(-r), "open", -r, "%s%s", path,
		r == -ENOENT ? ": no BPF device here" : "");
}
