/* SPDX-License-Identifier: MIT */
/* A writer's options: defaults, formats by name, refusals. */
#include "writer/writer_options.h"

#include <criterion/criterion.h>
#include <string.h>

Test(writer_options, defaults)
{
	struct bpe_writer_options o;
	struct bpe_write_interface i;

	bpe_writer_options_init(&o);
	cr_assert(o.struct_size == sizeof o && o.fd == -1 && o.directory == -1 && !o.path);
	cr_assert(o.memory_bytes == UINT64_C(64) << 20 && !o.wait && !o.rotate_bytes);
	bpe_write_interface_init(&i);
	cr_assert(i.struct_size == sizeof i && i.link_type == 1 && i.time_digits == 9);
}

Test(writer_options, format_by_name)
{
	static const struct {
		const char *path;
		uint32_t asked, format;
	} cases[] = { { "a.pcap", BPE_WRITE_AUTO, BPE_WRITE_PCAP },
		{ "a.pcap.zst", BPE_WRITE_AUTO, BPE_WRITE_PCAP },
		{ "a.pcapng", BPE_WRITE_AUTO, BPE_WRITE_PCAPNG },
		{ ".pcap", BPE_WRITE_AUTO, BPE_WRITE_PCAPNG },
		{ "-", BPE_WRITE_AUTO, BPE_WRITE_PCAPNG },
		{ "a.pcap", BPE_WRITE_PCAPNG, BPE_WRITE_PCAPNG },
		{ "a", BPE_WRITE_PCAP_NS, BPE_WRITE_PCAP_NS } };

	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		struct bpe_writer_options o;

		bpe_writer_options_init(&o);
		o.path = cases[k].path;
		o.format = cases[k].asked;
		cr_assert(bpei_writer_format(&o) == cases[k].format, "%s", cases[k].path);
	}
}

/* Returns the status of options with a change, and demands a text with a word. */
static int check_change(void (*change)(struct bpe_writer_options *o), const char *word)
{
	struct bpe_writer_options o, copy;
	struct bpe_error error = { 0 };

	bpe_writer_options_init(&o);
	o.path = "x";
	change(&o);
	const int status = bpei_writer_options_check(&copy, &o, &error);

	cr_assert(status == BPE_OK || strstr(error.text, word), "%s: %s", word, error.text);
	return status;
}

static void change_nothing(struct bpe_writer_options *o)
{
	(void)o;
}
static void change_both(struct bpe_writer_options *o)
{
	o->fd = 1;
}
static void change_none(struct bpe_writer_options *o)
{
	o->path = NULL;
}
static void change_empty(struct bpe_writer_options *o)
{
	o->path = "";
}
static void change_format(struct bpe_writer_options *o)
{
	o->format = 9;
}
static void change_snaplen(struct bpe_writer_options *o)
{
	o->snaplen = BPE_MAX_SNAPLEN + 1;
}
static void change_error(struct bpe_writer_options *o)
{
	o->on_error = 7;
}

Test(writer_options, refusals)
{
	cr_assert(check_change(change_nothing, "") == BPE_OK);
	cr_assert(check_change(change_both, "") == BPE_OK);
	cr_assert(check_change(change_none, "neither is set") == BPE_E_ARGUMENT);
	cr_assert(check_change(change_empty, "empty") == BPE_E_ARGUMENT);
	cr_assert(check_change(change_format, "not 9") == BPE_E_ARGUMENT);
	cr_assert(check_change(change_snaplen, "snaplen") == BPE_E_ARGUMENT);
	cr_assert(check_change(change_error, "not 7") == BPE_E_ARGUMENT);
	cr_assert(bpei_writer_options_check(NULL, NULL, NULL) == BPE_E_ARGUMENT);
}
