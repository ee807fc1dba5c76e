/* SPDX-License-Identifier: MIT */
/* bpfnode DIRECTORY [options]: serves BPF device nodes for programs on Linux that expect macOS's or
 * a BSD's, through FUSE.
 *
 * DIRECTORY/bpf0, bpf1, ... (macOS) or DIRECTORY/bpf (the BSDs, each open a clone) answer open,
 * ioctl, read and poll as the driver does: tests/support/bpf_model.c is that driver, this file puts
 * it behind real system calls and feeds it. Arguments of requests lie in the caller's memory, whose
 * address the kernel hands on: they are fetched from and stored to there (process_vm_readv(2)),
 * since Linux and BSD disagree on which way a request's bits say that its argument goes.
 *
 * Threads: libfuse's answer requests; one feeds packets; all share the model under one lock.  A
 * read that sleeps waits on `changed`. A read is at most MOST bytes, the buffers' limit here,
 * because FUSE splits larger ones. */
#define FUSE_USE_VERSION 35
#include <fuse3/fuse_lowlevel.h>

#include "base/clock.h"
#include "bpf_model.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define MOST 983040u /* below FUSE's 256 pages whatever the caller's alignment */
#define ROOT 1
#define FIRST_NODE 2 /* inode of bpf0 */
#define TICK_NS 1000000

enum at_end { AT_END_IDLE, AT_END_REMOVE, AT_END_EXIT };

static struct {
	struct model model;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct model_interface *interface;
	struct fuse_pollhandle *poll[MODEL_NODES];
	int64_t poll_again_ns[MODEL_NODES];
	pid_t caller; /* whose memory model.get and put reach; under the lock */
	pid_t sharer; /* who shares buffers with the node (FreeBSD's zero-copy); 0: nobody */
	bool zero_copy;
	struct fuse_session *session;
	struct bpe_options source;
	double rate; /* packets/s; 0: as fast as they are read */
	uint64_t loops;
	enum at_end at_end;
	int64_t end_wait_ns;
	bool ending, original_times, patient;
	uint64_t fed, fed_bytes, read_calls, read_bytes, dropped, received;
	uint32_t attached;
	pthread_key_t buffers;
} node = { .lock = PTHREAD_MUTEX_INITIALIZER, .loops = 1 };

/* ---- The caller's memory ---- */

static int reach(void *ours, uint64_t theirs, size_t n, bool put)
{
	struct iovec local = { ours, n }, remote = { (void *)(uintptr_t)theirs, n };
	if (!theirs)
		return -EFAULT;
	ssize_t r = put ? process_vm_writev(node.caller, &local, 1, &remote, 1, 0)
			: process_vm_readv(node.caller, &local, 1, &remote, 1, 0);
	return r == (ssize_t)n ? 0 : r < 0 && errno == EPERM ? -EPERM : -EFAULT;
}

static int get(void *user, void *to, uint64_t from, size_t n)
{
	return (void)user, reach(to, from, n, false);
}
static int put(void *user, uint64_t to, const void *from, size_t n)
{
	return (void)user, reach((void *)(uintptr_t)from, to, n, true);
}

/* ---- Polls ---- */

/* Under the lock: tells those who poll and may now read. */
static void tell_polls(int64_t now)
{
	for (int i = 0; i < MODEL_NODES; i++) {
		if (!node.poll[i] || !model_ready(&node.model, i, now, &node.poll_again_ns[i]))
			continue;
		fuse_lowlevel_notify_poll(node.poll[i]);
		fuse_pollhandle_destroy(node.poll[i]);
		node.poll[i] = NULL;
	}
}

/* ---- FUSE ---- */

static bool name_is_node(const char *name, int *number)
{
	char *end;
	if (strncmp(name, "bpf", 3))
		return false;
	if (!node.model.abi->numbered)
		return *number = 0, !name[3];
	if (name[3] < '0' || name[3] > '9')
		return false;
	long n = strtol(name + 3, &end, 10);
	*number = (int)n;
	return !*end && n >= 0 && n < (long)node.model.made;
}

static void attributes(struct stat *s, fuse_ino_t inode)
{
	*s = (struct stat){ .st_ino = inode,
		.st_mode = inode == ROOT ? S_IFDIR | 0755 : S_IFREG | 0600,
		.st_nlink = 1,
		.st_uid = getuid(),
		.st_gid = getgid() };
}

static void op_lookup(fuse_req_t request, fuse_ino_t parent, const char *name)
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
	attributes(&e.attr, e.ino);
	fuse_reply_entry(request, &e);
}

static void op_getattr(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *f)
{
	struct stat s;
	(void)f;
	attributes(&s, inode);
	fuse_reply_attr(request, &s, 0);
}

static void op_readdir(
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
		attributes(&s, i + FIRST_NODE);
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

static void op_open(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *f)
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
	f->direct_io = f->nonseekable = 1;
	if (fuse_reply_open(request, f)) {
		pthread_mutex_lock(&node.lock);
		model_close(&node.model, r);
		pthread_mutex_unlock(&node.lock);
	}
}

static void op_release(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *f)
{
	(void)inode;
	pthread_mutex_lock(&node.lock);
	struct model_node *d = &node.model.node[f->fh];
	node.received += d->received;
	node.dropped += d->dropped;
	if (node.poll[f->fh])
		fuse_pollhandle_destroy(node.poll[f->fh]);
	node.poll[f->fh] = NULL;
	if (d->zero_copy)
		node.sharer = 0;
	model_close(&node.model, (int)f->fh);
	pthread_mutex_unlock(&node.lock);
	fuse_reply_err(request, 0);
}

static void op_ioctl(fuse_req_t request, fuse_ino_t inode, unsigned int command, void *argument,
	struct fuse_file_info *f, unsigned flags, const void *in, size_t in_size, size_t out_size)
{
	(void)inode, (void)flags, (void)in, (void)in_size, (void)out_size;
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

static void interrupted(fuse_req_t request, void *flag)
{
	(void)request;
	pthread_mutex_lock(&node.lock);
	*(bool *)flag = true;
	pthread_cond_broadcast(&node.changed);
	pthread_mutex_unlock(&node.lock);
}

static void op_read(
	fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset, struct fuse_file_info *f)
{
	bool signalled = false;
	int64_t began = bpei_clock_mono_ns(), deadline, r;
	(void)inode, (void)offset;
	uint8_t *buffer = pthread_getspecific(node.buffers); /* for the life of libfuse's thread */
	if (!buffer) {
		buffer = malloc(MOST);
		if (buffer && pthread_setspecific(node.buffers, buffer))
			free(buffer), buffer = NULL;
	}
	fuse_req_interrupt_func(request, interrupted, &signalled);
	pthread_mutex_lock(&node.lock);
	struct model_node *d = &node.model.node[f->fh];
	if (node.attached == 1 && d->on)
		node.attached = 2, pthread_cond_broadcast(&node.changed);
	for (int64_t now = began;; now = bpei_clock_mono_ns()) {
		d->nonblocking = f->flags & O_NONBLOCK;
		r = buffer ? model_read(&node.model, (int)f->fh, buffer, size, began, now,
				     signalled, &deadline)
			   : -ENOMEM;
		if (r != MODEL_SLEEP)
			break;
		struct timespec t;
		int64_t until = deadline < now + TICK_NS * 100 ? deadline : now + TICK_NS * 100;
		t.tv_sec = until / 1000000000, t.tv_nsec = until % 1000000000;
		pthread_cond_timedwait(&node.changed, &node.lock, &t);
	}
	if (r > 0)
		node.read_calls++, node.read_bytes += (uint64_t)r;
	pthread_mutex_unlock(&node.lock);
	fuse_req_interrupt_func(request, NULL, NULL);
	if (r < 0)
		fuse_reply_err(request, (int)-r);
	else
		fuse_reply_buf(request, (char *)buffer, (size_t)r);
}

static void op_poll(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *f,
	struct fuse_pollhandle *handle)
{
	(void)inode;
	pthread_mutex_lock(&node.lock);
	if (node.attached == 1)
		node.attached = 2, pthread_cond_broadcast(&node.changed);
	if (node.sharer)
		node.caller = node.sharer;
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

static const struct fuse_lowlevel_ops operations = { .lookup = op_lookup,
	.getattr = op_getattr,
	.readdir = op_readdir,
	.open = op_open,
	.release = op_release,
	.read = op_read,
	.ioctl = op_ioctl,
	.poll = op_poll };

/* ---- Feeding ---- */

/* Timers of polls and of sleeping reads. */
static void *tick(void *unused)
{
	for (;;) {
		bpei_clock_sleep_ns(TICK_NS);
		pthread_mutex_lock(&node.lock);
		bool ending = node.ending;
		if (node.sharer)
			node.caller = node.sharer;
		tell_polls(bpei_clock_mono_ns());
		pthread_mutex_unlock(&node.lock);
		if (ending)
			return unused;
	}
}

static void wait_for_reader(void)
{
	pthread_mutex_lock(&node.lock);
	while (node.attached < 2 && !node.ending)
		pthread_cond_wait(&node.changed, &node.lock);
	pthread_mutex_unlock(&node.lock);
}

static void feed_batch(const struct bpe_batch *b, int64_t start, uint64_t first)
{
	uint32_t i = 0;
	while (i < b->count && !node.ending) {
		int64_t now = bpei_clock_mono_ns();
		uint32_t upto = b->count;
		if (node.rate > 0) {
			double due = (double)(now - start) * 1e-9 * node.rate - (double)(first - 0);
			upto = due <= 0 ? 0 : due < b->count ? (uint32_t)due : b->count;
			if (upto <= i) {
				bpei_clock_sleep_ns(50000);
				continue;
			}
		}
		pthread_mutex_lock(&node.lock);
		if (node.sharer)
			node.caller = node.sharer;
		for (; i < upto &&
			(!node.patient || model_room(&node.model, node.interface, b->caplen[i]));
			i++) {
			struct model_packet p = { .data = b->data[i],
				.caplen = b->caplen[i],
				.wirelen = b->wirelen[i],
				.time_ns =
					node.original_times ? b->time_ns[i] : bpei_clock_wall_ns(),
				.outgoing = b->layers[i].flags & BPE_PKT_OUTGOING };
			model_tap(&node.model, node.interface, &p, now);
			node.fed++;
			node.fed_bytes += p.wirelen;
		}
		tell_polls(now);
		pthread_cond_broadcast(&node.changed);
		pthread_mutex_unlock(&node.lock);
		if (i < upto)
			bpei_clock_sleep_ns(50000); /* until there is room again */
	}
}

static void wait_until_drained(void)
{
	for (bool drained = false; !drained;) {
		pthread_mutex_lock(&node.lock);
		if (node.sharer)
			node.caller = node.sharer;
		drained = node.ending || model_drained(&node.model, node.interface);
		pthread_mutex_unlock(&node.lock);
		if (!drained)
			bpei_clock_sleep_ns(TICK_NS);
	}
}

static int feed_once(struct bpe_capture *c)
{
	struct bpe_batch b;
	struct bpe_error e;
	int64_t start = bpei_clock_mono_ns();
	uint64_t fed = 0;
	int n = 0;
	while (!node.ending && (n = bpe_capture_next(c, &b, 100000000, &e)) >= 0) {
		if (!n)
			continue;
		feed_batch(&b, start, fed);
		fed += (uint64_t)n;
	}
	if (n < 0 && n != BPE_E_END)
		fprintf(stderr, "bpfnode: %s\n", e.text);
	return n;
}

static void *feed(void *capture)
{
	struct bpe_capture *c = capture;
	struct bpe_error e;
	wait_for_reader();
	for (uint64_t k = 0; k < node.loops && !node.ending; k++) {
		if (k && bpe_capture_open(&node.source, &c, &e) < 0)
			break;
		feed_once(c);
		bpe_capture_close(c);
	}
	if (node.patient)
		wait_until_drained();
	if (node.end_wait_ns)
		bpei_clock_sleep_ns(node.end_wait_ns);
	if (node.at_end == AT_END_REMOVE) {
		pthread_mutex_lock(&node.lock);
		model_remove(&node.model, node.interface);
		pthread_cond_broadcast(&node.changed);
		pthread_mutex_unlock(&node.lock);
	}
	if (node.at_end == AT_END_EXIT)
		kill(getpid(), SIGTERM);
	return NULL;
}

static uint32_t link_bytes(uint32_t link)
{
	switch (link) {
	case 1:
		return 14;
	case 0:
	case 108:
		return 4;
	case 113:
		return 16;
	case 276:
		return 20;
	default:
		return 0;
	}
}

/* ---- The program ---- */

static void usage(void)
{
	fputs("bpfnode DIRECTORY: serves BPF device nodes in DIRECTORY (as root), for bpfengine -i bpf:NAME --bpf-device DIRECTORY/bpf\n"
	      "  --abi macos|freebsd|netbsd|openbsd   whose driver answers (macos)\n"
	      "  --interface NAME        the interface that it has (en0)\n"
	      "  --read FILE             its packets: a savefile, with the file's time stamps\n"
	      "  --synth SPEC            ... generated: flows=1000,size=imix,...\n"
	      "  --live NAME             ... those of a Linux interface\n"
	      "  --rate N                packets a second (as fast as they are read)\n"
	      "  --patient               no packet comes while a reader has no room for it, and no end before all has been read: nothing is\n"
	      "                          dropped, however slow the host\n"
	      "  --loop N                the file N times\n"
	      "  --at-end idle|remove|exit   and then: nothing more comes, the interface goes away, or the node ends\n"
	      "  --end-wait SECONDS      ... so long after the last packet\n"
	      "  --buffer-most BYTES     limit of BIOCSBLEN (960 KiB at most)\n"
	      "  --zero-copy             FreeBSD: buffers can be shared, by one reader (net.bpf.zerocopy_enable=1)\n"
	      "  --version N             macOS: answer as release N, without the requests that came later\n"
	      "Packets come when the first reader reads.  At the end one line of JSON tells what was fed, read and dropped.\n",
		stderr);
}

static int options(int argc, char **argv, char **directory)
{
	static const struct option longs[] = { { "abi", 1, 0, 'a' }, { "interface", 1, 0, 'i' },
		{ "read", 1, 0, 'r' }, { "synth", 1, 0, 's' }, { "live", 1, 0, 'l' },
		{ "rate", 1, 0, 'R' }, { "loop", 1, 0, 'L' }, { "at-end", 1, 0, 'e' },
		{ "end-wait", 1, 0, 'w' }, { "buffer-most", 1, 0, 'b' }, { "version", 1, 0, 'v' },
		{ "patient", 0, 0, 'p' }, { "zero-copy", 0, 0, 'z' }, { NULL, 0, 0, 0 } };
	const struct bpei_bpf_abi *abi = &bpei_bpf_abis[BPEI_MACOS];
	const char *interface = "en0";
	static char synth[256];
	uint32_t most = MOST, version = 0;
	int o;
	bpe_options_init(&node.source);
	while ((o = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (o) {
		case 'a':
			abi = bpei_bpf_abi_find(optarg);
			break;
		case 'i':
			interface = optarg;
			break;
		case 'r':
			node.source.file = optarg;
			node.original_times = true;
			break;
		case 's':
			snprintf(synth, sizeof synth, "synth:%s", optarg);
			node.source.interface_name = synth;
			break;
		case 'l':
			node.source.interface_name = optarg;
			break;
		case 'R':
			node.rate = atof(optarg);
			break;
		case 'p':
			node.patient = true;
			break;
		case 'z':
			node.zero_copy = true;
			break;
		case 'L':
			node.loops = strtoull(optarg, NULL, 10);
			break;
		case 'e':
			node.at_end = !strcmp(optarg, "remove") ? AT_END_REMOVE
				      : !strcmp(optarg, "exit") ? AT_END_EXIT
								: AT_END_IDLE;
			break;
		case 'w':
			node.end_wait_ns = (int64_t)(atof(optarg) * 1e9);
			break;
		case 'b':
			most = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'v':
			version = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		default:
			usage();
			return 2;
		}
	}
	if (!abi || optind + 1 != argc || !node.source.interface_name == !node.source.file ||
		!most) {
		usage();
		return 2;
	}
	*directory = argv[optind];
	model_init(&node.model, abi);
	node.model.get = get;
	node.model.put = put;
	node.model.version = version;
	node.model.zero_copy_enabled = node.zero_copy;
	node.model.buffer_most = most > MOST ? MOST : most;
	if (node.model.buffer_most > abi->most_buffer)
		node.model.buffer_most = abi->most_buffer;
	node.interface = model_add(&node.model, interface, 1, 14);
	return 0;
}

static int serve(const char *directory, struct bpe_capture *capture)
{
	static char name[] = "bpfnode", flag[] = "-o", mount[] = "fsname=bpfnode,nodev,nosuid";
	char *words[] = { name, flag, mount, NULL };
	struct fuse_args args = FUSE_ARGS_INIT(3, words);
	struct fuse_loop_config *how = fuse_loop_cfg_create();
	pthread_t feeder, ticker;
	node.session = fuse_session_new(&args, &operations, sizeof operations, NULL);
	if (!node.session || !how || fuse_set_signal_handlers(node.session))
		return 1;
	if (fuse_session_mount(node.session, directory)) {
		fprintf(stderr,
			"bpfnode: cannot mount on %s: it needs root, /dev/fuse and an empty directory\n",
			directory);
		return 1;
	}
	if (pthread_create(&feeder, NULL, feed, capture) ||
		pthread_create(&ticker, NULL, tick, NULL))
		return 1;
	fputs("ready\n", stderr);
	fuse_loop_cfg_set_max_threads(how, 32);
	fuse_loop_cfg_set_clone_fd(how, 0);
	fuse_session_loop_mt(node.session, how);
	pthread_mutex_lock(&node.lock);
	node.ending = true;
	pthread_cond_broadcast(&node.changed);
	pthread_mutex_unlock(&node.lock);
	pthread_join(feeder, NULL);
	pthread_join(ticker, NULL);
	fuse_session_unmount(node.session);
	fuse_remove_signal_handlers(node.session);
	fuse_session_destroy(node.session);
	fuse_loop_cfg_destroy(how);
	fuse_opt_free_args(&args);
	return 0;
}

int main(int argc, char **argv)
{
	char *directory;
	struct bpe_capture *capture;
	struct bpe_error e;
	if (options(argc, argv, &directory))
		return 2;
	if (pthread_key_create(&node.buffers, free))
		return 1;
	if (bpe_capture_open(&node.source, &capture, &e) < 0) {
		fprintf(stderr, "bpfnode: %s\n", e.text);
		return 1;
	}
	pthread_condattr_t clock;
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&node.changed, &clock);
	/* The first interface's link type, as the kernel would call it. */
	int link = 1;
	for (int l = 0; l < 512; l++)
		if (bpe_link_type_name(l) &&
			!strcmp(bpe_link_type_name(l), bpe_capture_link_type(capture)))
			link = l;
	node.interface->dlt[0] = node.model.abi->dlt_of((uint32_t)link);
	node.interface->link_bytes = link_bytes((uint32_t)link);
	int r = serve(directory, capture);
	for (int i = 0; i < MODEL_NODES; i++) /* whose release has not come yet */
		if (node.model.node[i].open)
			node.received += node.model.node[i].received,
				node.dropped += node.model.node[i].dropped;
	printf("{\"fed\":%llu,\"fed_bytes\":%llu,\"reads\":%llu,\"read_bytes\":%llu,\"received\":%llu,\"dropped\":%llu}\n",
		(unsigned long long)node.fed, (unsigned long long)node.fed_bytes,
		(unsigned long long)node.read_calls, (unsigned long long)node.read_bytes,
		(unsigned long long)node.received, (unsigned long long)node.dropped);
	fflush(stdout);
	model_free(&node.model);
	return r;
}
