/* SPDX-License-Identifier: MIT */
/* Which source a name means. */
#include "bpfengine.h"

#include <criterion/criterion.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct bpe_options options;
static struct bpe_error error;

static void expect_interface(const char *source)
{
	bpe_options_init(&options);
	options.file = "before";
	options.push = true;
	cr_assert_eq(bpe_options_set_source(&options, source, &error), BPE_OK, "%s", error.text);
	cr_assert_eq(options.interface_name, source);
	cr_assert_null(options.file);
	cr_assert(!options.push && !options.memory);
}

static void expect_file(const char *source)
{
	bpe_options_init(&options);
	options.memory = "before";
	options.memory_bytes = 6;
	cr_assert_eq(bpe_options_set_source(&options, source, &error), BPE_OK, "%s", error.text);
	cr_assert_eq(options.file, source);
	cr_assert_null(options.interface_name);
	cr_assert(!options.push && !options.memory && !options.memory_bytes);
}

/* Expects a failure with a word in the text, and the options as they were. */
static void expect_no_source(const char *source, int status, const char *word)
{
	bpe_options_init(&options);
	options.interface_name = "before";
	error = (struct bpe_error){ 0 };
	cr_assert_eq(bpe_options_set_source(&options, source, &error), status);
	cr_assert_eq(error.status, status);
	cr_assert_not_null(strstr(error.text, word), "%s", error.text);
	cr_assert_str_eq(options.interface_name, "before");
	cr_assert_null(options.file);
	cr_assert_eq(bpe_options_set_source(&options, source, NULL), status);
}

Test(source, names_that_need_nothing_to_exist)
{
	expect_interface("synth");
	expect_interface("synth:flows=10");
	expect_interface("if:gone0");
	expect_interface("bpf:gone0");
	expect_file("-");
}

Test(source, every_interface_of_the_system_is_one)
{
	struct bpe_interface *all;
	const int n = bpe_interfaces_list(&all, &error);

	cr_assert_gt(n, 0);
	for (int k = 0; k < n; k++)
		expect_interface(all[k].name);
	bpe_interfaces_free(all);
}

/* Makes a folder for files, and goes there. */
static void enter_new_folder(void)
{
	static char folder[] = "/tmp/bpe_source.XXXXXX";

	cr_assert_not_null(mkdtemp(folder));
	cr_assert_eq(chdir(folder), 0);
}

static void make_source_file(const char *name)
{
	FILE *f = fopen(name, "w");

	cr_assert_not_null(f);
	fclose(f);
}

Test(source, files_by_path)
{
	char folder[256];

	enter_new_folder();
	cr_assert_not_null(getcwd(folder, sizeof folder));
	make_source_file("trace.pcap");
	make_source_file("synthetic");
	expect_file("trace.pcap");
	expect_file("./trace.pcap");
	expect_file("synthetic"); /* begins as synth does */
	cr_assert_eq(mkfifo("pipe", 0600), 0);
	expect_file("pipe");
	expect_no_source(folder, BPE_E_ARGUMENT, "folder");
	expect_no_source(".", BPE_E_ARGUMENT, "folder");
	expect_no_source("./trace.pcapng", BPE_E_ABSENT, "check the path");
	unlink("trace.pcap");
	unlink("synthetic");
	unlink("pipe");
	cr_assert_eq(rmdir(folder), 0);
}

Test(source, an_interface_comes_before_a_file_of_its_name)
{
	char folder[256];
	char path[IF_NAMESIZE + 2];
	char name[IF_NAMESIZE];
	struct if_nameindex *all = if_nameindex();

	if (!all || !all[0].if_name)
		cr_skip("no interface here");
	snprintf(name, sizeof name, "%s", all[0].if_name);
	if_freenameindex(all);
	enter_new_folder();
	cr_assert_not_null(getcwd(folder, sizeof folder));
	make_source_file(name);
	expect_interface(name);
	snprintf(path, sizeof path, "./%s", name);
	expect_file(path);
	unlink(name);
	cr_assert_eq(rmdir(folder), 0);
}

Test(source, nothing_of_the_name_is_told_with_advice)
{
	expect_no_source(NULL, BPE_E_ARGUMENT, "bpfengine -L");
	expect_no_source("", BPE_E_ARGUMENT, "bpfengine -L");
	expect_no_source("nosuch0", BPE_E_ABSENT, "bpfengine -L");
	expect_no_source("nosuch0", BPE_E_ABSENT, "synth");
	expect_no_source("/nonexistent/x.pcap", BPE_E_ABSENT, "/nonexistent/x.pcap");
}
