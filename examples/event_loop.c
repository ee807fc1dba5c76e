/* SPDX-License-Identifier: MIT */
/* event_loop SOURCE [SECONDS]: flows of an interface or a savefile, in a program with one thread.
 * poll(2) waits for the capture's descriptor, and its time-out is the timer by which flows age. */
#include <bpfengine.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static unsigned long ended;

static void print_ended(void *user, const struct bpe_flow *flow, uint32_t worker)
{
	char line[BPE_FORMAT_BYTES];

	(void)user;
	(void)worker;
	ended++;
	if (bpe_flow_format(flow, BPE_FORMAT_JSON, line, sizeof line) > 0)
		fputs(line, stdout);
}

int main(int argc, char **argv)
{
	struct bpe_options options;
	struct bpe_capture *capture;
	struct bpe_batch batch;
	struct bpe_error error;
	unsigned long packets = 0;
	int n = 0;

	if (argc < 2)
		return fprintf(stderr, "usage: event_loop SOURCE [SECONDS]\n"), 2;
	const time_t stop = argc > 2 ? time(NULL) + atol(argv[2]) : 0;

	bpe_options_init(&options);
	options.flow_table = true;
	options.on_flow = print_ended;
	if (bpe_options_set_source(&options, argv[1], &error) < 0 ||
		bpe_capture_open(&options, &capture, &error) < 0)
		return fprintf(stderr, "%s\n", error.text), 1;
	struct pollfd wait = { .fd = bpe_capture_fd(capture), .events = POLLIN };

	while (n >= 0 && (!stop || time(NULL) < stop)) {
		while ((n = bpe_capture_next(capture, &batch, 0, &error)) > 0)
			packets += (unsigned long)n;
		if (n == 0) /* at least once a second, so that idle flows end */
			poll(&wait, 1, wait.fd >= 0 ? 1000 : 10);
	}
	bpe_capture_end_flows(capture, NULL);
	printf("%lu packets, %lu flows\n", packets, ended);
	bpe_capture_close(capture);
	return n < 0 && n != BPE_E_END;
}
