/* SPDX-License-Identifier: MIT */
/* Wireshark's extcap(4): Wireshark calls each program in its folder of extcaps, and asks for
 * interfaces, link types and options; a capture goes to a FIFO.  A call of a capture becomes a
 * command line of this program.  State: that command line.
 *
 * Names of interfaces begin with "bpfengine-", for Wireshark lists the same interfaces, too. */
#include "extcap.h"

#include "cli.h"

#include <stdlib.h>
#include <string.h>

#define PREFIX "bpfengine-"
#define WORDS_MOST 32
#define UNKNOWN_LINK 147 /* DLT_USER0, as Wireshark's own extcaps say for a link type to come */

/* Wishes of a call. */
struct extcap_call {
	bool is_list, is_links, is_config, is_capture;
	const char *interface, *fifo, *filter;
	const char *snaplen, *buffer; /* values of options, as typed */
	bool promiscuous, process;
};

static char *capture_words[WORDS_MOST];

/* ---- Reading the call ---- */

/* Options of a call, and where their values go. */
struct extcap_option {
	const char *name;
	size_t offset;
	bool is_flag; /* takes no value */
};
#define FLAG(name, member) { name, offsetof(struct extcap_call, member), true }
#define VALUE(name, member) { name, offsetof(struct extcap_call, member), false }

static const struct extcap_option extcap_options[] = { FLAG("--extcap-interfaces", is_list),
	FLAG("--extcap-dlts", is_links), FLAG("--extcap-config", is_config),
	FLAG("--capture", is_capture), VALUE("--extcap-interface", interface),
	VALUE("--fifo", fifo), VALUE("--extcap-capture-filter", filter),
	VALUE("--snapshot-length", snaplen), VALUE("--buffer-size", buffer),
	FLAG("--promiscuous", promiscuous), FLAG("--process", process) };
/* Options that change nothing here; each takes a value. */
static const char *const ignored_options[] = { "--extcap-version", "--extcap-control-in",
	"--extcap-control-out" };

/* Returns the value behind "=", or NULL. */
static const char *attached_value(const char *word)
{
	const char *equals = strchr(word, '=');

	return equals ? equals + 1 : NULL;
}

static bool is_named(const char *word, const char *name)
{
	const size_t n = strlen(name);

	return !strncmp(word, name, n) && (!word[n] || word[n] == '=');
}

/* Returns the option of a word, or NULL. */
static const struct extcap_option *find_extcap_option(const char *word)
{
	for (size_t k = 0; k < sizeof extcap_options / sizeof *extcap_options; k++)
		if (is_named(word, extcap_options[k].name))
			return &extcap_options[k];
	return NULL;
}

static bool is_ignored(const char *word)
{
	for (size_t k = 0; k < sizeof ignored_options / sizeof *ignored_options; k++)
		if (is_named(word, ignored_options[k]))
			return true;
	return false;
}

/* Reads the word at *index and its value.  Returns 0 or EXIT_USAGE after the message. */
static int read_extcap_word(struct extcap_call *call, int argc, char **argv, int *index)
{
	const char *word = argv[*index];
	const struct extcap_option *option = find_extcap_option(word);
	const char *value = attached_value(word);

	if (!option && !is_ignored(word)) {
		program_tell("%s is no option of an extcap call; see extcap(4)", word);
		return EXIT_USAGE;
	}
	if (option && option->is_flag) {
		const bool is_on = !value || strcmp(value, "false") != 0;

		memcpy((char *)call + option->offset, &is_on, sizeof is_on);
		return 0;
	}
	if (!value && *index + 1 < argc)
		value = argv[++*index];
	if (!value) {
		program_tell("%s wants a value", word);
		return EXIT_USAGE;
	}
	if (option)
		memcpy((char *)call + option->offset, &value, sizeof value);
	return 0;
}

/* ---- Answers ---- */

/* Prints a text inside braces: characters of the grammar and of terminals become blanks. */
static void print_value(const char *key, const char *text)
{
	printf("{%s=", key);
	for (; *text; text++) {
		const bool is_plain = (unsigned char)*text >= ' ' && *text != 127;

		putchar(is_plain && !strchr("{}=", *text) ? *text : ' ');
	}
	putchar('}');
}

/* Returns whether Wireshark can give the name back as printed. */
static bool is_plain_name(const char *name)
{
	for (; *name; name++)
		if ((unsigned char)*name <= ' ' || *name == 127 || strchr("{}=", *name))
			return false;
	return true;
}

/* Prints the interfaces that are up.  Returns an exit code. */
static int print_extcap_interfaces(void)
{
	struct bpe_interface *all;
	struct bpe_error error;
	char text[400];
	const int n = bpe_interfaces_list(&all, &error);

	if (n < 0) {
		program_tell("%s", error.text);
		return EXIT_ERROR;
	}
	printf("extcap {version=%s}{display=bpfengine}\n", bpe_version());
	for (int k = 0; k < n; k++) {
		if (!(all[k].flags & BPE_IF_UP) || !is_plain_name(all[k].name) ||
			!strcmp(all[k].name, "synth"))
			continue;
		printf("interface {value=" PREFIX "%s}", all[k].name);
		snprintf(text, sizeof text, "bpfengine: %s%s%s", all[k].name,
			all[k].description[0] ? ", " : "", all[k].description);
		print_value("display", text);
		putchar('\n');
	}
	bpe_interfaces_free(all);
	return EXIT_GOOD;
}

/* Prints the link type of an interface.  Returns an exit code. */
static int print_extcap_links(const char *name)
{
	bool is_found;
	const int link = cli_listed_link_type(name, &is_found);
	const char *link_name = bpe_link_type_name(link);

	if (!is_found) {
		program_tell("%s: no such interface", name);
		return EXIT_SOURCE;
	}
	if (link_name)
		printf("dlt {number=%d}{name=%s}{display=%s}\n", link, link_name,
			link == 1 ? "Ethernet" : link_name);
	else
		printf("dlt {number=%d}{name=USER0}{display=Known once the interface is open}\n",
			UNKNOWN_LINK);
	return EXIT_GOOD;
}

/* Prints the options that Wireshark offers.  Returns EXIT_GOOD. */
static int print_extcap_config(void)
{
	printf("arg {number=0}{call=--promiscuous}{display=Packets for other hosts, too}"
	       "{tooltip=The promiscuous mode of the interface}{type=boolflag}"
	       "{default=false}\n"
	       "arg {number=1}{call=--snapshot-length}{display=Bytes kept of each packet}"
	       "{tooltip=0 keeps all bytes}{type=integer}{range=0,%d}{default=0}\n"
	       "arg {number=2}{call=--buffer-size}{display=Kernel buffer in KiB}"
	       "{type=integer}{range=64,4194304}{default=16384}\n",
		BPE_MAX_SNAPLEN);
#ifdef __APPLE__
	printf("arg {number=3}{call=--process}{display=Process of each packet}"
	       "{tooltip=Writes the name and number of the process with each packet}"
	       "{type=boolflag}{default=true}\n");
#endif
	return EXIT_GOOD;
}

/* Prints why a filter is wrong, and nothing for a good filter (extcap(4)).  Returns EXIT_GOOD.
 */
static int check_extcap_filter(const char *name, const char *filter)
{
	bool is_found;
	int link = cli_listed_link_type(name, &is_found);
	struct bpe_error error;
	struct bpe_insn *program = NULL;
	uint32_t length;

	if (!is_found || link < 0)
		link = 1; /* Ethernet */
	if (bpe_filter_compile(filter, link, 0, &program, &length, &error) < 0)
		printf("%.*s\n", (int)strcspn(error.text, "\n"), error.text);
	else
		bpe_filter_free(program);
	return EXIT_GOOD;
}

/* ---- A capture ---- */

/* Adds a word to the command line of the capture; the rows are enough for all. */
static void add_word(int *count, const char *word)
{
	if (*count + 1 < WORDS_MOST)
		capture_words[(*count)++] = (char *)(uintptr_t)word;
}

/* Adds an option with a value, if there is a value. */
static void add_option(int *count, const char *option, const char *value)
{
	if (!value || !*value)
		return;
	add_word(count, option);
	add_word(count, value);
}

/* Makes the command line of the capture.  Returns the number of words. */
static int make_capture_words(const struct extcap_call *call, const char *name, char *program)
{
	int count = 0;

	add_word(&count, program);
	add_option(&count, "-i", name);
	add_option(&count, "-w", call->fifo);
	add_option(&count, "--write-format", "pcapng");
	add_option(&count, "-f", call->filter);
	add_option(&count, "-s", call->snaplen);
	add_option(&count, "-B", call->buffer);
	if (call->promiscuous)
		add_word(&count, "--promiscuous");
	if (call->process)
		add_word(&count, "--process");
	add_word(&count, "-U");
	add_word(&count, "--quiet");
	add_word(&count, "--no-flows");
	capture_words[count] = NULL;
	return count;
}

static bool is_extcap_call(int argc, char **argv)
{
	for (int k = 1; k < argc; k++)
		if (!strncmp(argv[k], "--extcap-", 9))
			return true;
	return false;
}

/* Answers a call about an interface, or begins a capture.  Returns an exit code, or -1 to go on. */
static int answer_interface_call(const struct extcap_call *call)
{
	const char *name = call->interface;
	const size_t n = strlen(PREFIX);

	if (!name) {
		program_tell("--extcap-interface NAME is missing; --extcap-interfaces lists names");
		return EXIT_USAGE;
	}
	if (!strncmp(name, PREFIX, n))
		name += n;
	if (call->is_links)
		return print_extcap_links(name);
	if (call->is_config)
		return print_extcap_config();
	if (!call->is_capture && call->filter)
		return check_extcap_filter(name, call->filter);
	if (call->is_capture && call->fifo)
		return -1;
	program_tell("%s", call->is_capture
				   ? "--capture wants --fifo FILE"
				   : "--extcap-interface wants --extcap-dlts, --extcap-config,"
				     " --extcap-capture-filter or --capture");
	return EXIT_USAGE;
}

bool cli_extcap(int *argc, char ***argv, int *code)
{
	struct extcap_call call = { .is_list = false };
	const size_t n = strlen(PREFIX);

	if (!is_extcap_call(*argc, *argv))
		return false;
	*code = 0;
	for (int k = 1; k < *argc && !*code; k++)
		*code = read_extcap_word(&call, *argc, *argv, &k);
	if (!*code && call.is_list)
		*code = print_extcap_interfaces();
	else if (!*code)
		*code = answer_interface_call(&call);
	if (*code >= 0) {
		if (!program_end_output("the answer"))
			*code = EXIT_ERROR;
		return true;
	}
	const char *name = call.interface;
	if (!strncmp(name, PREFIX, n))
		name += n;
	*argc = make_capture_words(&call, name, (*argv)[0]);
	*argv = capture_words;
	return false;
}
