/* SPDX-License-Identifier: MIT */
/* Tests the books of the output, packets printed and packets lost.  Outputs: a file, a full device,
 * a closed pipe, a pipe without a reader, and a descriptor without waiting. */
#include "tools/print/output.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct print_output *out;

static void begin_output(int fd)
{
	out = calloc(1, sizeof *out);
	cr_assert(out);
	signal(SIGPIPE, SIG_IGN);
	print_output_begin(out, fd);
}

/* Adds packets of a line of 100 bytes each. */
static void add_output_lines(uint32_t n)
{
	for (uint32_t k = 0; k < n; k++) {
		struct print_line line = print_output_line(out);

		for (int byte = 0; byte < 99; byte++)
			line_put_char(&line, 'x');
		line_put_char(&line, '\n');
		print_output_add(out, &line);
		print_output_packet(out);
	}
}

/* Checks the books. */
static void expect_books(uint64_t printed, uint64_t lost, int error)
{
	cr_assert_eq(out->printed, printed, "printed %lu", (unsigned long)out->printed);
	cr_assert_eq(out->lost, lost, "lost %lu", (unsigned long)out->lost);
	cr_assert_eq(out->error, error, "error %d", out->error);
}

Test(output, a_file_gets_all)
{
	FILE *file = tmpfile();

	begin_output(fileno(file));
	add_output_lines(10000);
	cr_assert_gt(out->used, 0);
	print_output_flush(out);
	expect_books(10000, 0, 0);
	cr_assert_eq(lseek(fileno(file), 0, SEEK_END), 1000000);
	fclose(file);
	free(out);
}

Test(output, a_full_device_is_an_error)
{
	const int fd = open("/dev/full", O_WRONLY);

	if (fd < 0)
		cr_skip("no /dev/full here");
	begin_output(fd);
	add_output_lines(3000);
	print_output_flush(out);
	add_output_lines(5);
	print_output_flush(out);
	expect_books(0, 3005, ENOSPC);
	close(fd);
	free(out);
}

Test(output, a_closed_pipe_is_an_error)
{
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	close(ends[0]);
	begin_output(ends[1]);
	add_output_lines(10);
	print_output_flush(out);
	expect_books(0, 10, EPIPE);
	close(ends[1]);
	free(out);
}

Test(output, a_reader_that_takes_nothing_is_left_at_the_end, .timeout = 550)
{
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	begin_output(ends[1]);
	out->is_ending = 1;
	add_output_lines(20000);
	print_output_flush(out);
	cr_assert_eq(out->error, ETIMEDOUT);
	cr_assert_gt(out->lost, 0);
	cr_assert_eq(out->printed + out->lost, 20000);
	close(ends[0]);
	close(ends[1]);
	free(out);
}

static void *read_whole_pipe(void *argument)
{
	static char bytes[1000];
	static uint64_t sum;
	ssize_t n;

	sum = 0;
	while ((n = read(*(int *)argument, bytes, sizeof bytes)) > 0)
		sum += (uint64_t)n;
	return &sum;
}

Test(output, a_pipe_that_does_not_wait_gets_all, .timeout = 550)
{
	int ends[2];
	pthread_t reader;
	void *sum;

	cr_assert_eq(pipe(ends), 0);
	fcntl(ends[1], F_SETFL, O_NONBLOCK);
	begin_output(ends[1]);
	out->is_whole = true; /* as a file: write(2) itself says EAGAIN */
	cr_assert_eq(pthread_create(&reader, NULL, read_whole_pipe, &ends[0]), 0);
	add_output_lines(30000);
	print_output_flush(out);
	close(ends[1]);
	pthread_join(reader, &sum);
	expect_books(30000, 0, 0);
	cr_assert_eq(*(uint64_t *)sum, 3000000);
	free(out);
}
