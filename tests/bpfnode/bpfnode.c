/* SPDX-License-Identifier: MIT */
/* bpfnode DIRECTORY [options]: serves BPF device nodes for programs on Linux which expect the nodes
 * of macOS or a BSD, through FUSE.
 *
 * DIRECTORY/bpf0, bpf1, ... (macOS) or DIRECTORY/bpf (the BSDs, each open a clone) answer open,
 * ioctl, read and poll as the driver does.  tests/support/bpf_model.c is the driver; this program
 * puts the model behind real system calls and feeds packets.
 *
 * Threads: libfuse's threads answer requests, another feeds packets, another runs timers; all share
 * the model under node.lock.  A read is at most MOST_READ bytes, the buffers' limit here, because
 * FUSE splits longer reads. */
#include "bpfnode.h"

#include "names/numbers.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct served_node node = { .lock = PTHREAD_MUTEX_INITIALIZER, .loops = 1 };

/* ---- Options ---- */

static void print_node_usage(void)
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
	      "  --at-end idle|remove|exit   and then: nothing more comes, the interface goes away once all was read, or the node ends\n"
	      "  --end-wait SECONDS      ... so long after the last packet\n"
	      "  --buffer-most BYTES     limit of BIOCSBLEN (960 KiB at most)\n"
	      "  --zero-copy             FreeBSD: buffers can be shared, by one reader (net.bpf.zerocopy_enable=1)\n"
	      "  --version N             macOS: answer as release N, without the requests that came later\n"
	      "Packets come when the first reader reads.  At the end one line of JSON tells what was fed, read and dropped.\n",
		stderr);
}

/* What the options say about the model. */
struct model_options {
	const struct bpei_bpf_abi *abi;
	const char *interface;
	uint32_t most, version;
};

static enum at_end parse_at_end(const char *word)
{
	if (!strcmp(word, "remove"))
		return AT_END_REMOVE;
	return strcmp(word, "exit") ? AT_END_IDLE : AT_END_EXIT;
}

/* Applies an option of the source.  Returns false for another option. */
static bool apply_source_option(int letter, const char *word)
{
	static char synth[256];

	switch (letter) {
	case 'r':
		node.source.file = word;
		node.original_times = true;
		return true;
	case 's':
		snprintf(synth, sizeof synth, "synth:%s", word);
		node.source.interface_name = synth;
		return true;
	case 'l':
		node.source.interface_name = word;
		return true;
	case 'R':
		node.rate = atof(word);
		return true;
	case 'L':
		node.loops = strtoull(word, NULL, 10);
		return true;
	default:
		return false;
	}
}

/* Applies any option.  Returns false for an unknown option. */
static bool apply_node_option(int letter, const char *word, struct model_options *m)
{
	switch (letter) {
	case 'a':
		m->abi = bpei_bpf_abi_find(word);
		return true;
	case 'i':
		m->interface = word;
		return true;
	case 'p':
		node.patient = true;
		return true;
	case 'z':
		node.zero_copy = true;
		return true;
	case 'e':
		node.at_end = parse_at_end(word);
		return true;
	case 'w':
		node.end_wait_ns = (int64_t)(atof(word) * 1e9);
		return true;
	case 'b':
		m->most = (uint32_t)strtoul(word, NULL, 10);
		return true;
	case 'v':
		m->version = (uint32_t)strtoul(word, NULL, 10);
		return true;
	default:
		return apply_source_option(letter, word);
	}
}

static void make_model(const struct model_options *m)
{
	model_init(&node.model, m->abi);
	node.model.get = node_fetch;
	node.model.put = node_store;
	node.model.version = m->version;
	node.model.zero_copy_enabled = node.zero_copy;
	node.model.buffer_most = m->most > MOST_READ ? MOST_READ : m->most;
	if (node.model.buffer_most > m->abi->most_buffer)
		node.model.buffer_most = m->abi->most_buffer;
	node.interface = model_add(&node.model, m->interface, 1, 14);
}

/* Reads the options and makes the model.  Returns false for a wrong option. */
static bool read_node_options(int argc, char **argv, char **directory)
{
	static const struct option longs[] = { { "abi", 1, 0, 'a' }, { "interface", 1, 0, 'i' },
		{ "read", 1, 0, 'r' }, { "synth", 1, 0, 's' }, { "live", 1, 0, 'l' },
		{ "rate", 1, 0, 'R' }, { "loop", 1, 0, 'L' }, { "at-end", 1, 0, 'e' },
		{ "end-wait", 1, 0, 'w' }, { "buffer-most", 1, 0, 'b' }, { "version", 1, 0, 'v' },
		{ "patient", 0, 0, 'p' }, { "zero-copy", 0, 0, 'z' }, { NULL, 0, 0, 0 } };
	struct model_options m = {
		.abi = &bpei_bpf_abis[BPEI_MACOS], .interface = "en0", .most = MOST_READ
	};
	int letter;

	bpe_options_init(&node.source);
	while ((letter = getopt_long(argc, argv, "", longs, NULL)) != -1)
		if (!apply_node_option(letter, optarg, &m))
			return false;
	const bool one_source = !node.source.interface_name != !node.source.file;
	if (!m.abi || optind + 1 != argc || !one_source || !m.most)
		return false;
	*directory = argv[optind];
	make_model(&m);
	return true;
}

/* ---- Life ---- */

/* Returns the bytes of a link header. */
static uint32_t link_header_bytes(uint32_t link)
{
	switch (link) {
	case LINK_ETHERNET:
		return 14;
	case LINK_NULL:
	case LINK_LOOP:
		return 4;
	case LINK_SLL:
		return 16;
	case LINK_SLL2:
		return 20;
	default:
		return 0;
	}
}

/* Gives the interface the link type of the capture's first interface, as the kernel calls the
 * type. */
static void choose_interface_type(struct bpe_capture *capture)
{
	int link = LINK_ETHERNET;

	for (int l = 0; l < 512; l++) {
		const char *name = bpe_link_type_name(l);

		if (name && !strcmp(name, bpe_capture_link_type(capture)))
			link = l;
	}
	node.interface->dlt[0] = node.model.abi->dlt_of((uint32_t)link);
	node.interface->link_bytes = link_header_bytes((uint32_t)link);
}

/* Makes the condition variable by the clock of bpei_clock_mono_ns. */
static void init_condition(void)
{
	pthread_condattr_t clock;

	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&node.changed, &clock);
}

/* Answers requests until a signal comes, beside the two other threads.  Returns 0, or 1 if a thread
 * cannot be started. */
static int run_threads(struct bpe_capture *capture, struct fuse_loop_config *how)
{
	pthread_t feeder, timers;

	if (pthread_create(&feeder, NULL, node_feed_packets, capture) ||
		pthread_create(&timers, NULL, node_run_timers, NULL))
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
	pthread_join(timers, NULL);
	return 0;
}

static int serve_directory(const char *directory, struct bpe_capture *capture)
{
	static char name[] = "bpfnode";
	static char flag[] = "-o";
	static char mount[] = "fsname=bpfnode,nodev,nosuid";
	char *words[] = { name, flag, mount, NULL };
	struct fuse_args args = FUSE_ARGS_INIT(3, words);
	struct fuse_loop_config *how = fuse_loop_cfg_create();

	node.session = fuse_session_new(&args, &node_operations, sizeof node_operations, NULL);
	if (!node.session || !how || fuse_set_signal_handlers(node.session))
		return 1;
	if (fuse_session_mount(node.session, directory)) {
		fprintf(stderr,
			"bpfnode: cannot mount on %s: it needs root, /dev/fuse and an empty directory\n",
			directory);
		return 1;
	}
	if (run_threads(capture, how))
		return 1;
	fuse_session_unmount(node.session);
	fuse_remove_signal_handlers(node.session);
	fuse_session_destroy(node.session);
	fuse_loop_cfg_destroy(how);
	fuse_opt_free_args(&args);
	return 0;
}

/* Prints the counts, with those of nodes whose release has not come yet. */
static void print_counts(void)
{
	for (int i = 0; i < MODEL_NODES; i++)
		if (node.model.node[i].open)
			node_count_closed(&node.model.node[i]);
	printf("{\"fed\":%llu,\"fed_bytes\":%llu,\"reads\":%llu,\"read_bytes\":%llu,\"received\":%llu,\"dropped\":%llu}\n",
		(unsigned long long)node.fed, (unsigned long long)node.fed_bytes,
		(unsigned long long)node.read_calls, (unsigned long long)node.read_bytes,
		(unsigned long long)node.received, (unsigned long long)node.dropped);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	char *directory;
	struct bpe_capture *capture;
	struct bpe_error e;

	if (!read_node_options(argc, argv, &directory)) {
		print_node_usage();
		return 2;
	}
	if (pthread_key_create(&node.buffers, free))
		return 1;
	if (bpe_capture_open(&node.source, &capture, &e) < 0) {
		fprintf(stderr, "bpfnode: %s\n", e.text);
		return 1;
	}
	init_condition();
	choose_interface_type(capture);
	int r = serve_directory(directory, capture);
	print_counts();
	model_free(&node.model);
	return r;
}
