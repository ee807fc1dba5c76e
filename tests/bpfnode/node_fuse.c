/* SPDX-License-Identifier: MIT */
/* The requests of FUSE: open, ioctl, read and poll of a node, answered by the model.
 *
 * Arguments of ioctl requests lie in the caller's memory, and the kernel passes the address on.
 * process_vm_readv(2) and process_vm_writev(2) copy the arguments: Linux and BSD disagree on the
 * bits of a request for the argument's direction.  libfuse's threads run in parallel; all
 * share the model under node.lock.  A sleeping read waits on node.changed. */
#include "bpfnode.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define ROOT 1
#define FIRST_NODE 2 /* inode of bpf0 */

/* ---- The caller's memory ---- */

/* Copies n bytes between `ours` and the caller's address `theirs`.  Returns 0 or -errno. */
static int copy_caller_memory(void *ours, uint64_t theirs, size_t n, bool store)
{
	struct iovec local = { ours, n };
	struct iovec remote = { (void *)(uintptr_t)theirs, n };
	ssize_t r;

	if (!theirs)
		return -EFAULT;
	if (store)
		r = process_vm_writev(node.caller, &local, 1, &remote, 1, 0);
	else
		r = process_vm_readv(node.caller, &local, 1, &remote, 1, 0);
	if (r == (ssize_t)n)
		return 0;
	return r < 0 && errno == EPERM ? -EPERM : -EFAULT;
}

int node_fetch(void *user, void *to, uint64_t from, size_t n)
{
	(void)user;
	return copy_caller_memory(to, from, n, false);
}

int node_store(void *user, uint64_t to, const void *from, size_t n)
{
	(void)user;
	return copy_caller_memory((void *)(uintptr_t)from, to, n, true);
}

void node_use_sharer(void)
{
	if (node.sharer)
		node.caller = node.sharer;
}

/* ---- Polls ---- */

void node_notify_polls(int64_t now)
{
	for (int i = 0; i < MODEL_NODES; i++) {
		if (!node.poll[i] || !model_ready(&node.model, i, now, &node.poll_again_ns[i]))
			continue;
		fuse_lowlevel_notify_poll(node.poll[i]);
		fuse_pollhandle_destroy(node.poll[i]);
		node.poll[i] = NULL;
	}
}

/* ---- Requests ---- */

/* Returns true if a file of the name is a node, and the node's number in *number. */
static bool name_is_node(const char *name, int *number)
{
	char *end;
	if (strncmp(name, "bpf", 3))
		return false;
	if (!node.model.abi->numbered) {
		*number = 0;
		return !name[3];
	}
	if (name[3] < '0' || name[3] > '9')
		return false;
	long n = strtol(name + 3, &end, 10);
	*number = (int)n;
	return !*end && n >= 0 && n < (long)node.model.made;
}

static void fill_attributes(struct stat *s, fuse_ino_t inode)
{
	*s = (struct stat){ .st_ino = inode,
		.st_mode = inode == ROOT ? S_IFDIR | 0755 : S_IFREG | 0600,
		.st_nlink = 1,
		.st_uid = getuid(),
		.st_gid = getgid() };
}

static void answer_lookup(fuse_req_t request, fuse_ino_t parent, const char *name)
{
	int number;
	pthread_mutex_lock(&node.lock);
	bool found = parent == ROOT && name_is_node(name, &number);
	pthread_mutex_unlock(&node.lock);
	if (!found) {
		fuse_reply_err(request, ENOENT);
		return;
	}
	struct fuse_entry_param e = { .ino = (fuse_ino_t)number + FIRST_NODE };
	fill_attributes(&e.attr, e.ino);
	fuse_reply_entry(request, &e);
}

static void answer_getattr(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *f)
{
	struct stat s;
	(void)f;
	fill_attributes(&s, inode);
	fuse_reply_attr(request, &s, 0);
}

static void answer_readdir(
	fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset, struct fuse_file_info *f)
{
	char buffer[4096], name[16];
	size_t used = 0;
	(void)f;
	if (inode != ROOT) {
		fuse_reply_err(request, ENOTDIR);
		return;
	}
	uint32_t n = node.model.abi->numbered ? node.model.made : 1;
	for (uint32_t i = (uint32_t)offset; i < n; i++) {
		struct stat s;
		fill_attributes(&s, i + FIRST_NODE);
		if (node.model.abi->numbered)
			snprintf(name, sizeof name, "bpf%u", i);
		else
			snprintf(name, sizeof name, "bpf");
		size_t w = fuse_add_direntry(
			request, buffer + used, sizeof buffer - used, name, &s, i + 1);
		if (w > sizeof buffer - used || used + w > size)
			break;
		used += w;
	}
	fuse_reply_buf(request, buffer, used);
}

static void answer_open(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *f)
{
	if (inode == ROOT) {
		fuse_reply_err(request, EISDIR);
		return;
	}
	pthread_mutex_lock(&node.lock);
	int r = model_open(&node.model, node.model.abi->numbered ? (int)(inode - FIRST_NODE) : -1,
		fuse_req_ctx(request)->pid);
	pthread_mutex_unlock(&node.lock);
	if (r < 0) {
		fuse_reply_err(request, -r);
		return;
	}
	f->fh = (uint64_t)r;
	f->direct_io = 1;
	f->nonseekable = 1;
	if (fuse_reply_open(request, f)) {
		pthread_mutex_lock(&node.lock);
		model_close(&node.model, r);
		pthread_mutex_unlock(&node.lock);
	}
}

void node_count_closed(const struct model_node *closed)
{
	node.received += closed->received;
	node.dropped += closed->dropped;
}

static void answer_release(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *f)
{
	(void)inode;
	pthread_mutex_lock(&node.lock);
	struct model_node *d = &node.model.node[f->fh];
	node_count_closed(d);
	if (node.poll[f->fh])
		fuse_pollhandle_destroy(node.poll[f->fh]);
	node.poll[f->fh] = NULL;
	if (d->zero_copy)
		node.sharer = 0;
	model_close(&node.model, (int)f->fh);
	pthread_mutex_unlock(&node.lock);
	fuse_reply_err(request, 0);
}

/* Answers a request; the parameters are those of struct fuse_lowlevel_ops. */
static void answer_ioctl(fuse_req_t request, fuse_ino_t inode, unsigned int command, void *argument,
	struct fuse_file_info *f, unsigned flags, const void *in, size_t in_size, size_t out_size)
{
	(void)inode;
	(void)flags;
	(void)in;
	(void)in_size;
	(void)out_size;
	pthread_mutex_lock(&node.lock);
	node.caller = fuse_req_ctx(request)->pid;
	int r = model_ioctl(&node.model, (int)f->fh, command, (uint64_t)(uintptr_t)argument,
		bpei_clock_mono_ns());
	if (r >= 0 && node.model.node[f->fh].on)
		node.attached = 1;
	if (node.model.node[f->fh].zbuf[0])
		node.sharer = node.caller;
	pthread_cond_broadcast(&node.changed);
	pthread_mutex_unlock(&node.lock);
	if (r < 0)
		fuse_reply_err(request, -r);
	else
		fuse_reply_ioctl(request, r, NULL, 0);
}

static void note_interrupt(fuse_req_t request, void *flag)
{
	(void)request;
	pthread_mutex_lock(&node.lock);
	*(bool *)flag = true;
	pthread_cond_broadcast(&node.changed);
	pthread_mutex_unlock(&node.lock);
}

/* Notes that the reader reads, for which the feeder waits.  Called with the lock held. */
static void note_reader(void)
{
	if (node.attached != 1)
		return;
	node.attached = 2;
	pthread_cond_broadcast(&node.changed);
}

/* Returns the read buffer of the calling thread, which lives as long as libfuse's thread; NULL
 * without memory. */
static uint8_t *thread_buffer(void)
{
	uint8_t *buffer = pthread_getspecific(node.buffers);

	if (buffer)
		return buffer;
	buffer = malloc(MOST_READ);
	if (buffer && pthread_setspecific(node.buffers, buffer)) {
		free(buffer);
		return NULL;
	}
	return buffer;
}

/* Waits for a change of the model or a time.  Called with the lock held. */
static void wait_changed(int64_t until)
{
	struct timespec t = { .tv_sec = until / 1000000000, .tv_nsec = until % 1000000000 };

	pthread_cond_timedwait(&node.changed, &node.lock, &t);
}

/* Reads from the model, and sleeps as the driver would.  Called with the lock held.  Returns the
 * bytes read or -errno. */
static int64_t read_node(
	struct fuse_file_info *f, uint8_t *buffer, size_t size, const bool *signalled)
{
	struct model_node *d = &node.model.node[f->fh];
	const int64_t began = bpei_clock_mono_ns();

	for (int64_t now = began;; now = bpei_clock_mono_ns()) {
		int64_t deadline;

		d->nonblocking = f->flags & O_NONBLOCK;
		const struct model_moment moment = { began, now, *signalled };
		int64_t r = model_read(&node.model, (int)f->fh, buffer, size, &moment, &deadline);
		if (r != MODEL_SLEEP)
			return r;
		wait_changed(deadline < now + TICK_NS * 100 ? deadline : now + TICK_NS * 100);
	}
}

static void answer_read(
	fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset, struct fuse_file_info *f)
{
	bool signalled = false;
	uint8_t *buffer = thread_buffer();
	int64_t r = -ENOMEM;
	(void)inode;
	(void)offset;

	fuse_req_interrupt_func(request, note_interrupt, &signalled);
	pthread_mutex_lock(&node.lock);
	if (node.model.node[f->fh].on)
		note_reader();
	if (buffer)
		r = read_node(f, buffer, size, &signalled);
	if (r > 0) {
		node.read_calls++;
		node.read_bytes += (uint64_t)r;
	}
	pthread_mutex_unlock(&node.lock);
	fuse_req_interrupt_func(request, NULL, NULL);
	if (r < 0)
		fuse_reply_err(request, (int)-r);
	else
		fuse_reply_buf(request, (char *)buffer, (size_t)r);
}

static void answer_poll(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *f,
	struct fuse_pollhandle *handle)
{
	(void)inode;
	pthread_mutex_lock(&node.lock);
	note_reader();
	node_use_sharer();
	int64_t *again = &node.poll_again_ns[f->fh];
	bool ready = model_ready(&node.model, (int)f->fh, bpei_clock_mono_ns(), again);
	if (handle) {
		if (node.poll[f->fh])
			fuse_pollhandle_destroy(node.poll[f->fh]);
		node.poll[f->fh] = ready ? NULL : handle;
		if (ready)
			fuse_pollhandle_destroy(handle);
	}
	pthread_mutex_unlock(&node.lock);
	fuse_reply_poll(request, ready ? POLLIN | POLLRDNORM : 0);
}

const struct fuse_lowlevel_ops node_operations = { .lookup = answer_lookup,
	.getattr = answer_getattr,
	.readdir = answer_readdir,
	.open = answer_open,
	.release = answer_release,
	.read = answer_read,
	.ioctl = answer_ioctl,
	.poll = answer_poll };
