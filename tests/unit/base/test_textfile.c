/* SPDX-License-Identifier: MIT */
#include "base/textfile.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/bpe_textfile_XXXXXX";

static void write_text(const char *text, size_t n)
{
	FILE *f = fopen(path, "w");

	cr_assert(f && fwrite(text, 1, n, f) == n && !fclose(f));
}

static void make_file(void)
{
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	close(fd);
}

static void remove_file(void)
{
	unlink(path);
}

TestSuite(textfile, .init = make_file, .fini = remove_file);

Test(textfile, a_file_is_read_whole)
{
	static char text[100000];

	for (size_t n = 0; n <= sizeof text; n += n < 4095 ? 4095 : 12000) {
		memset(text, 'a' + (int)(n % 7), n);
		write_text(text, n);
		char *read = bpei_textfile_read(path, sizeof text);
		cr_assert_not_null(read);
		cr_expect(strlen(read) == n && !memcmp(read, text, n), "%zu bytes", n);
		free(read);
	}
}

Test(textfile, the_bound_counts_bytes)
{
	write_text("12345", 5);
	char *read = bpei_textfile_read(path, 5);
	cr_expect_str_eq(read, "12345");
	free(read);
	errno = 0;
	cr_expect(!bpei_textfile_read(path, 4) && errno == EFBIG);
}

Test(textfile, a_zero_and_a_missing_file_are_refused)
{
	write_text("a\0b", 3);
	errno = 0;
	cr_expect(!bpei_textfile_read(path, 100) && errno == EILSEQ);
	errno = 0;
	cr_expect(!bpei_textfile_read("/nonexistent/file", 100) && errno == ENOENT);
	errno = 0;
	cr_expect(!bpei_textfile_read("/", 100) && errno == EISDIR);
}
