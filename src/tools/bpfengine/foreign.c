/* SPDX-License-Identifier: MIT */
/* Options of tcpdump, tshark, dumpcap, iftop and nfdump which bpfengine does not have (answers.h);
 * constant.  getopt reads the options, so a value is never taken for a filter. */
#include "answers.h"

#include <ctype.h>
#include <string.h>
#include <sys/stat.h>

/* Returns the change which puts an option and a value in place of a foreign option. */
static struct option_edit replace_option(const char *value, const char *text)
{
	const int at = option_line_index(value);
	const char *word = option_line_word(at);
	const bool is_attached = word != value;

	if (is_attached)
		return (struct option_edit){ at, 1, text };
	return (struct option_edit){ at - 1, 2, text };
}

/* Writes the line with an option in place of a foreign option.  Returns to. */
static const char *write_replaced(char *to, const char *value, const char *text)
{
	const struct option_edit edit = replace_option(value, text);

	*to = 0;
	return edit.at > 0 ? option_line_write(to, &edit, 1) : to;
}

bool cli_is_statistic(const char *word)
{
	static const char *const taps[] = { "conv,", "endpoints,", "io,", "http,", "follow,",
		"expert,", "dns,", "rpc,", "smb,", "sip,", "icmp,", "plen,", "proto,", "flow," };

	for (size_t k = 0; k < sizeof taps / sizeof *taps; k++)
		if (!strncmp(word, taps[k], strlen(taps[k])))
			return true;
	return false;
}

int cli_answer_statistic(const char *word)
{
	char line[OPTION_LINE];

	if (!strncmp(word, "conv", 4))
		return option_answer(write_replaced(line, word, "--largest 100"),
			"Conversations are flows (tshark's -z conv):");
	if (!strncmp(word, "endpoints", 9))
		return option_answer(write_replaced(line, word, "--flows -"),
			"Endpoints are in --top, and in the flows (tshark's -z endpoints):");
	if (!strncmp(word, "io", 2))
		return option_answer(write_replaced(line, word, "--stats-interval 1"),
			"A line a second (tshark's -z io) is:");
	return option_answer("",
		"-z %s is tshark's: statistics are in the report, in --flows and in --top", word);
}

static int answer_display_filter(void *target, const struct option_spec *spec, const char *word)
{
	char filter[OPTION_LINE] = "";
	char line[OPTION_LINE] = "";
	char quoted[OPTION_LINE];
	char shown[64];
	const char *advice = "tshark -Y does it";
	struct stat st;

	(void)target;
	option_shown(shown, sizeof shown, spec);
	if (*shown == '-' && shown[1] == 'R' && !stat(word, &st))
		return option_answer("",
			"nfdump's -R reads a directory. A run reads savefiles: -r FILE for each");
	cli_translate_display(word, filter, sizeof filter, &advice);
	if (*filter) {
		cli_quote_filter(quoted, sizeof quoted, filter);
		write_replaced(line, word, quoted);
	}
	if (!*line)
		return option_answer(
			"", "%s %s is tshark's display filter: %s", shown, word, advice);
	return option_answer(line, "%s %s is tshark's display filter. Here it is:", shown, word);
}

static int answer_capture_filter(void *target, const struct option_spec *spec, const char *word)
{
	char line[OPTION_LINE];
	char quoted[OPTION_LINE];
	char option[OPTION_LINE + 16];

	(void)target;
	(void)spec;
	snprintf(option, sizeof option, "--filter %s", option_quote(quoted, sizeof quoted, word));
	return option_answer(
		write_replaced(line, word, option), "--capture-filter is --filter here.");
}

static int answer_form(void *target, const struct option_spec *spec, const char *word)
{
	static const char *const tshark[] = { "fields", "json", "jsonraw", "ek", "pdml", "ps",
		"psml", "tabs", "text" };
	struct option_edit edits[64];
	size_t count = 0;
	char line[OPTION_LINE];
	bool is_tshark = false;
	const char *next;

	(void)target;
	(void)spec;
	for (size_t k = 0; k < sizeof tshark / sizeof *tshark; k++)
		is_tshark |= !strcmp(word, tshark[k]);
	if (!is_tshark)
		return option_answer("",
			"-T (what packets are taken for) is not done here; tcpdump and tshark do it.");
	edits[count++] = replace_option(word, "--print=json");
	for (int k = 1; (next = option_line_word(k)) && count < 64; k++)
		if (!strcmp(next, "-e") && option_line_word(k + 1))
			edits[count++] = (struct option_edit){ k, 2, NULL };
	return option_answer(option_line_write(line, edits, count),
		!strcmp(word, "fields")
			? "Fields are given as CSV by flow (--flows-format csv), or as JSON by packet:"
			: "JSON by packet is:");
}

static int answer_preference(void *target, const struct option_spec *spec, const char *word)
{
	char line[OPTION_LINE];

	(void)target;
	(void)spec;
	if (!strncmp(word, "tcp.relative_sequence_numbers", 29))
		return option_answer(write_replaced(line, word, "-S"),
			"-o is tshark's preference. Absolute numbers are -S.");
	if (strchr(word, ':'))
		return option_answer(
			"", "-o is tshark's preference, and \"%s\" is not done here.", word);
	return option_answer(write_replaced(line, word, "--flows - --flows-format csv"),
		"nfdump's -o chooses a form: that is --flows-format here.");
}

static int answer_decryption(void *target, const struct option_spec *spec, const char *word)
{
	(void)target;
	(void)spec;
	if (strchr(word, '='))
		return option_answer(
			"", "tshark's -E is for -T fields: use --flows - --flows-format csv");
	return option_answer("", "-E (decrypting ESP) is not done here; tcpdump and tshark do it.");
}

static int answer_modules(void *target, const struct option_spec *spec, const char *word)
{
	char line[OPTION_LINE];

	(void)target;
	(void)spec;
	if (isdigit((unsigned char)*word))
		return option_answer(write_replaced(line, word, "--top"),
			"iftop's -m sets a scale, which --top does not have.");
	return option_answer("", "-m (SMI modules) is not done here: SNMP is not taken apart.");
}

static int answer_list_of_files(void *target, const struct option_spec *spec, const char *word)
{
	char quoted[OPTION_LINE];
	char line[OPTION_LINE + 64];

	(void)target;
	(void)spec;
	snprintf(line, sizeof line, "bpfengine $(sed 's/^/-r /' %s)",
		option_quote(quoted, sizeof quoted, word));
	return option_answer(line, "-V (a list of files) is -r for each file here.");
}

/* Prints the text of the row. */
static int answer_text(void *target, const struct option_spec *spec, const char *word)
{
	(void)target;
	(void)word;
	return option_answer("", "%s", spec->hint);
}

static int act_monitor_mode(void *target)
{
	(void)target;
#if defined(__linux__)
	return option_answer(
		"sudo iw dev NAME set type monitor", "Monitor mode is set by the system:");
#elif defined(__APPLE__)
	return option_answer(
		"bpfengine -i en0 -y IEEE802_11_RADIO", "Monitor mode is chosen by the link type:");
#elif defined(__FreeBSD__)
	return option_answer("ifconfig wlan1 create wlandev DEVICE wlanmode monitor",
		"Monitor mode is set by the system:");
#else
	return option_answer(
		"ifconfig NAME mediaopt monitor", "Monitor mode is set by the system:");
#endif
}

static int act_second_pass(void *target)
{
	(void)target;
	return option_answer("", "-2 is tshark's second pass; there is one here. Leave it out.");
}

static int act_apple_process(void *target)
{
	(void)target;
	return option_answer("", "-k is Apple's: processes are shown with --process (macOS).");
}

static int act_apple_lines(void *target)
{
	(void)target;
	return option_answer(
		"", "-g is Apple's: --print writes a line for each packet. Leave -g out.");
}

static int act_old_letter(void *target)
{
	const char *word;
	char line[OPTION_LINE];

	(void)target;
	for (int k = 1; (word = option_line_word(k)); k++) {
		const char *next = option_line_word(k + 1);
		const struct option_edit edit = { k, 1, "-Q" };

		if (!strcmp(word, "-P") && next &&
			(!strcmp(next, "in") || !strcmp(next, "out") || !strcmp(next, "inout")))
			return option_answer(option_line_write(line, &edit, 1), "-P is -Q here.");
	}
	return option_answer("",
		"-P: packets are printed with --print (tshark's -P); ports are always shown, also in --top (iftop's -P).");
}

static int act_lengths(void *target)
{
	(void)target;
	return option_answer("", "--lengths is of tcpdump 5: --print shows lengths, more with -v.");
}

const struct option_spec cli_foreign_specs[] = {
	{ "display-filter", "Y", OPTION_READ, .read = answer_display_filter,
		.wants = "is tshark's display filter" },
	{ NULL, "R", OPTION_READ, .read = answer_display_filter,
		.wants = "is tshark's display filter" },
	{ "capture-filter", NULL, OPTION_READ, .read = answer_capture_filter,
		.wants = "is --filter here" },
	{ NULL, "T", OPTION_READ, .read = answer_form, .wants = "is not done here" },
	{ NULL, "o", OPTION_READ, .read = answer_preference, .wants = "is tshark's preference" },
	{ NULL, "E", OPTION_READ, .read = answer_decryption, .wants = "is not done here" },
	{ NULL, "m", OPTION_READ, .read = answer_modules, .wants = "is not done here" },
	{ NULL, "M", OPTION_READ, .read = answer_text, .wants = "is not done here",
		.hint = "-M (TCP-MD5) is not done here; tcpdump does it." },
	{ NULL, "V", OPTION_READ, .read = answer_list_of_files,
		.wants =
			"wants a list of files. The version is --version; tshark's details are --print -v" },
	{ "monitor-mode", "I", OPTION_ACT, .act = act_monitor_mode },
	{ NULL, "2", OPTION_ACT, .act = act_second_pass },
	{ NULL, "k", OPTION_ACT, .act = act_apple_process },
	{ NULL, "g", OPTION_ACT, .act = act_apple_lines },
	{ NULL, "P", OPTION_ACT, .act = act_old_letter },
	{ "lengths", NULL, OPTION_ACT, .act = act_lengths },
};

const size_t cli_foreign_count = sizeof cli_foreign_specs / sizeof *cli_foreign_specs;
