/* SPDX-License-Identifier: MIT */
#include "base/descriptor.h"
#include "bpfengine.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Tests X1: no descriptor of the library takes the place of a closed standard descriptor. */

static void expect_closed(const char *what)
{
	for (int fd = 0; fd < 3; fd++)
		cr_expect(fcntl(fd, F_GETFD) < 0 && errno == EBADF, "descriptor %d after %s", fd,
			what);
}

static void close_standard(void)
{
	for (int fd = 0; fd < 3; fd++)
		close(fd);
}

static void expect_kept(int fd)
{
	cr_expect_geq(fd, 3);
	cr_expect_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
}

Test(descriptor, x1_every_way_to_one_is_above_two)
{
	int ends[2];
	close_standard();
	expect_kept(bpei_fd_open("/dev/null", O_RDONLY));
	expect_kept(bpei_fd_keep(socket(AF_INET, SOCK_DGRAM, 0)));
	cr_assert_eq(bpei_fd_pipe(ends, true), 0);
	for (int i = 0; i < 2; i++) {
		cr_expect(fcntl(ends[i], F_GETFL) & O_NONBLOCK);
		expect_kept(ends[i]);
	}
	cr_assert_eq(bpei_fd_pipe(ends, false), 0);
	for (int i = 0; i < 2; i++)
		expect_kept(ends[i]);
	cr_assert_eq(open("/dev/null", O_RDWR), 0);
	expect_kept(bpei_fd_dup(0));
	close(0);
	expect_closed("all");
	cr_expect_eq(bpei_fd_keep(-1), -1);
	errno = 0;
	cr_expect(bpei_fd_open("/nonexistent/file", O_RDONLY) == -1 && errno == ENOENT);
	cr_expect(bpei_fd_dup(77) == -1 && errno == EBADF);
}

/* Runs an engine and a capture with the three descriptors closed; leaves out sources without the
 * needed rights. */
static void run_source(const char *interface_name, const char *file)
{
	struct bpe_options o;
	struct bpe_engine *engine;
	struct bpe_capture *capture;
	bpe_options_init(&o);
	o.interface_name = interface_name;
	o.file = file;
	o.max_packets = 100;
	if (bpe_engine_open(&o, &engine, NULL) == BPE_OK) {
		expect_closed(interface_name ? interface_name : file);
		cr_expect_eq(bpe_engine_start(engine, NULL), BPE_OK);
		bpe_engine_wait(engine, 20000000);
		expect_closed("the run");
		bpe_engine_close(engine);
	}
	if (bpe_capture_open(&o, &capture, NULL) == BPE_OK) {
		cr_expect(bpe_capture_fd(capture) == -1 || bpe_capture_fd(capture) > 2);
		expect_closed("bpe_capture_open");
		bpe_capture_close(capture);
	}
}

Test(descriptor, x1_no_source_takes_a_standard_descriptor)
{
	static const uint8_t head[24] = { 0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 4, 0, 1 };
	char path[] = "/tmp/bpe_descriptor_XXXXXX";
	struct bpe_interface *list;
	int fd = mkstemp(path);
	cr_assert(fd >= 0 && write(fd, head, sizeof head) == (ssize_t)sizeof head);
	close(fd);
	close_standard();
	run_source("synth", NULL);
	run_source("synth:rate=1000", NULL);
	run_source(NULL, path);
	run_source("lo", NULL);
	run_source("any", NULL);
	run_source("bpf:lo", NULL);
	if (bpe_interfaces_list(&list, NULL) >= 0)
		bpe_interfaces_free(list);
	expect_closed("the list of interfaces");
	unlink(path);
}
