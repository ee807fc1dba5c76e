/* SPDX-License-Identifier: MIT */
/* rotating_writer SOURCE [FILE [PACKETS]]: writes the packets of an interface or a savefile to
 * files of at most PACKETS packets (1000), and prints a line for each complete file.  The source
 * ends, or Ctrl-C does. */
#include <bpfengine.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static volatile sig_atomic_t is_over;

static void end_capture(int signal)
{
	(void)signal;
	is_over = 1;
}

/* Runs on the writer's thread. */
static void print_file(void *user, const struct bpe_written_file *file)
{
	(void)user;
	printf("%s: %llu packets, %llu bytes\n", file->name, (unsigned long long)file->packets,
		(unsigned long long)file->file_bytes);
}

/* Opens the capture and the writer.  Returns whether both are open. */
static int open_both(int argc, char **argv, struct bpe_capture **capture,
	struct bpe_writer **writer, struct bpe_error *error)
{
	struct bpe_options options;
	struct bpe_writer_options files;

	bpe_options_init(&options);
	if (bpe_options_set_source(&options, argv[1], error) < 0 ||
		bpe_capture_open(&options, capture, error) < 0)
		return 0;
	bpe_writer_options_init(&files);
	files.path = argc > 2 ? argv[2] : "packets.pcapng";
	files.rotate_packets = argc > 3 ? strtoull(argv[3], NULL, 10) : 1000;
	files.wait = options.file; /* a savefile can wait for the disk, an interface cannot */
	files.packet_clock = options.file;
	files.on_file = print_file;
	return bpe_writer_open(&files, writer, error) >= 0;
}

int main(int argc, char **argv)
{
	struct bpe_capture *capture = NULL;
	struct bpe_writer *writer = NULL;
	struct bpe_batch batch;
	struct bpe_error error;
	struct bpe_written stats;
	int n = 0;

	if (argc < 2)
		return fprintf(stderr, "usage: rotating_writer SOURCE [FILE [PACKETS]]\n"), 2;
	if (!open_both(argc, argv, &capture, &writer, &error)) {
		bpe_capture_close(capture);
		return fprintf(stderr, "rotating_writer: %s\n", error.text), 1;
	}
	signal(SIGINT, end_capture);
	while (!is_over && (n = bpe_capture_next(capture, &batch, 100000000, &error)) >= 0) {
		if (n > 0 && bpe_writer_batch(writer, &batch, 0, batch.count) < 0)
			break;
	}
	bpe_writer_stats(writer, &stats);
	const int status = bpe_writer_close(writer, &error);
	bpe_capture_close(capture);
	if (status < 0)
		fprintf(stderr, "rotating_writer: %s\n", error.text);
	fprintf(stderr, "%llu packets were offered\n", (unsigned long long)stats.offered);
	return status < 0;
}
