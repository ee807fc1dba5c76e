/* SPDX-License-Identifier: MIT */
/* Messages about a source which cannot be opened (answers.h); stateless. */
#include "answers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BEGIN = 512 }; /* bytes of a file to look at */

/* Prints an answer about a source.  Returns EXIT_SOURCE. */
#define ANSWER_SOURCE(...) (option_answer(__VA_ARGS__), EXIT_SOURCE)

/* Writes the line with another value of -i or -r.  Returns to. */
static const char *write_with_value(char *to, const char *value, const char *text)
{
	char room[OPTION_LINE];
	const struct option_edit edit = option_line_value(value, text, room, sizeof room);

	return option_line_write(to, &edit, 1);
}

/* Writes the line with another option in place of -i or -r and the value.  Returns to. */
static const char *write_with_option(char *to, const char *value, const char *text)
{
	const int at = option_line_index(value);
	const bool is_attached = option_line_word(at) != value;
	const struct option_edit edit = { at - !is_attached, 1 + !is_attached, text };

	*to = 0;
	return edit.at > 0 ? option_line_write(to, &edit, 1) : to;
}

static const char *all_interfaces_word(void)
{
#ifdef __APPLE__
	return "pktap";
#else
	return "any";
#endif
}

/* ---- Interfaces ---- */

/* Answers names which only libpcap, or another system, has.  Returns 0 or EXIT_SOURCE. */
static int explain_foreign_name(const char *name)
{
	static const char *const others[] = { "nflog", "nfqueue", "usbmon", "bluetooth", "dbus-" };
	char line[OPTION_LINE];

	if (!strcmp(name, "-"))
		return ANSWER_SOURCE(write_with_option(line, name, "-r -"),
			"The standard input is read with -r -.");
	for (size_t k = 0; k < sizeof others / sizeof *others; k++) {
		if (strncmp(name, others[k], strlen(others[k])) != 0)
			continue;
		snprintf(line, sizeof line, "tcpdump -i %.60s -w - | bpfengine -r -", name);
		return ANSWER_SOURCE(line,
			"%s is no network interface: tcpdump -i %s -w - captures it.", name, name);
	}
#ifdef __linux__
	if (!strncmp(name, "pktap", 5))
		return ANSWER_SOURCE(write_with_value(line, name, "any"),
			"pktap is for macOS. On Linux all interfaces are -i any.");
#endif
	return 0;
}

/* Answers words which are no name of an interface by the form.  Returns 0 or EXIT_SOURCE. */
static int explain_form(const char *name)
{
	const size_t n = strlen(name);
	char line[OPTION_LINE];
	char text[OPTION_LINE];
	char other[64];
	struct stat st;

	if (n && strchr(" \r\n\t", name[n - 1])) {
		snprintf(text, sizeof text, "%.*s", (int)strcspn(name, " \r\n\t"), name);
		return ANSWER_SOURCE(
			write_with_value(line, name, text), "\"%s\" has a blank at its end.", name);
	}
	if (!name[strspn(name, "0123456789")])
		return ANSWER_SOURCE(NULL,
			"There is no interface %s: bpfengine -D numbers them from 1 to %d.", name,
			cli_interface_number(other, sizeof other, name));
	if (!strncmp(name, "synth,", 6)) {
		snprintf(text, sizeof text, "synth:%.200s", name + 6);
		return ANSWER_SOURCE(
			write_with_value(line, name, text), "synth's keys stand behind a colon.");
	}
	if (strchr(name, ','))
		return ANSWER_SOURCE(write_with_value(line, name, all_interfaces_word()),
			"not all of %s are interfaces (bpfengine -L lists them); all of them are -i %s.",
			name, all_interfaces_word());
	if (stat(name, &st) || !S_ISREG(st.st_mode))
		return 0;
	option_quote(other, sizeof other, name);
	snprintf(text, sizeof text, "-r %s", other);
	return ANSWER_SOURCE(
		write_with_option(line, name, text), "%s is a file: read it with -r.", name);
}

/* Answers an address in place of an interface.  Returns 0 or EXIT_SOURCE. */
static int explain_address(const char *name)
{
	unsigned char bytes[16];
	char owner[64];
	char line[OPTION_LINE + 100];
	char host[100];

	if (inet_pton(AF_INET, name, bytes) != 1 && inet_pton(AF_INET6, name, bytes) != 1)
		return 0;
	if (!*cli_interface_of_address(owner, sizeof owner, name))
		return ANSWER_SOURCE(NULL,
			"%s is an address: name an interface, and give \"host %s\" as filter.",
			name, name);
	write_with_value(line, name, owner);
	snprintf(host, sizeof host, " host %.80s", name);
	if (*line)
		strcat(line, host);
	return ANSWER_SOURCE(line, "%s is an address of %s.", name, owner);
}

/* Answers an unknown name.  Returns EXIT_SOURCE. */
static int explain_absent(const struct cli *c, const char *name)
{
	const char *dot = strrchr(name, '.');
	char line[OPTION_LINE + 100];
	char parent[64];
	char names[300];

	snprintf(parent, sizeof parent, "%.*s", dot ? (int)(dot - name) : 0, name);
	if (*parent && cli_is_interface(parent) && dot[1] &&
		!dot[1 + strspn(dot + 1, "0123456789")]) {
		write_with_value(line, name, parent);
		if (*line && !c->filter)
			snprintf(line + strlen(line), 40, " vlan %.20s", dot + 1);
		else
			*line = 0;
		return ANSWER_SOURCE(line,
			"%s: there is no interface of that name. For VLAN %s of %s the filter is \"vlan %s\":",
			name, dot + 1, parent, dot + 1);
	}
	if (*cli_nearest_interface(parent, sizeof parent, name))
		return ANSWER_SOURCE(write_with_value(line, name, parent),
			"%s: there is no interface of that name. Did you mean %s?", name, parent);
	cli_interface_names(names, sizeof names);
	if (c->engine.wait_interface)
		return ANSWER_SOURCE(NULL,
			"%s: there is no interface of that name, and --wait-interface waits for the return of an interface that was there at the start. Here are: %s.",
			name, names);
	return ANSWER_SOURCE(
		NULL, "%s: there is no interface of that name. Here are: %s.", name, names);
}

/* Answers a key of synth with a colon.  Returns 0 or EXIT_USAGE. */
static int explain_synth(const char *name)
{
	const char *key = name + 6;
	const size_t n = strcspn(key, ":,=");

	if (strncmp(name, "synth:", 6) || key[n] != ':')
		return 0;
	return option_answer(NULL, "synth: write %.*s=%s, not %.*s:%s", (int)n, key, key + n + 1,
		(int)n, key, key + n + 1);
}

/* Answers missing rights.  Returns 0 or EXIT_RIGHTS. */
static int explain_rights(const char *name)
{
#ifdef __linux__
	char line[OPTION_LINE];
	char path[500] = "/path/of/bpfengine";
	char quoted[600];
	char both[2 * OPTION_LINE];
	const struct option_edit edit = { 0, 0, "sudo" };
	const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

	if (n > 0)
		path[n] = 0;
	option_line_write(line, &edit, 1);
	if (!*line)
		return 0;
	snprintf(both, sizeof both,
		"%s\n  sudo setcap cap_net_raw,cap_net_admin+ep %s   (once, for all users)", line,
		option_quote(quoted, sizeof quoted, path));
	option_answer(both, "Capturing on %s needs rights.", name);
	return EXIT_RIGHTS;
#else
	(void)name;
	return 0;
#endif
}

/* Answers a failure of an interface.  Returns 0 or the exit code. */
static int explain_interface(const struct cli *c, const struct bpe_error *error)
{
	const char *name = c->engine.interface_name;
	const bool is_ours = !strncmp(name, "bpf:", 4) || !strncmp(name, "if:", 3) ||
			     !strcmp(name, "synth") || !strncmp(name, "synth:", 6);
	int code;

	if (!*name)
		return option_answer("",
			"the interface's name is empty (an unset variable?): bpfengine -L lists the interfaces");
	if (is_ours)
		return explain_synth(name);
	code = explain_foreign_name(name);
	if (code)
		return code;
	if (cli_is_interface(name))
		return error->status == BPE_E_RIGHTS ? explain_rights(name) : 0;
	if (error->status != BPE_E_RIGHTS && error->status != BPE_E_ABSENT)
		return 0;
	code = explain_form(name);
	if (!code)
		code = explain_address(name);
	return code ? code : explain_absent(c, name);
}

/* ---- Savefiles ---- */

/* Answers the name of a missing file.  Returns EXIT_SOURCE. */
static int explain_no_file(const char *path)
{
	char line[OPTION_LINE];
	char text[OPTION_LINE];
	char quoted[300];
	const char *host = strstr(path, "://");

	option_quote(quoted, sizeof quoted, path);
	if (!strncmp(path, "rpcap://", 8)) {
		const int n = (int)strcspn(path + 8, "/:");
		const char *slash = strchr(path + 8, '/');

		snprintf(line, sizeof line, "ssh %.*s tcpdump -i %.60s -w - | bpfengine -r -", n,
			path + 8, slash && slash[1] ? slash + 1 : "any");
		return ANSWER_SOURCE(line, "Remote capture is done by ssh:");
	}
	if (!strncmp(path, "TCP@", 4))
		return ANSWER_SOURCE(
			"ssh HOST tcpdump -w - | bpfengine -r -", "Remote capture is done by ssh:");
	if (host) {
		snprintf(line, sizeof line, "curl -s %s | bpfengine -r -", quoted);
		return ANSWER_SOURCE(line, "A URL is no file:");
	}
	if (cli_is_interface(path)) {
		snprintf(text, sizeof text, "-i %s", quoted);
		return ANSWER_SOURCE(write_with_option(line, path, text),
			"There is no file %s, but an interface: capture with -i.", path);
	}
	if (!strncmp(path, "~/", 2)) {
		snprintf(text, sizeof text, "-r \"$HOME/%.300s\"", path + 2);
		return ANSWER_SOURCE(write_with_option(line, path, text),
			"There is no file \"%s\": the shell did not expand \"~\" (quoted?).", path);
	}
	if (strpbrk(path, "*?"))
		return ANSWER_SOURCE(NULL,
			"There is no file \"%s\": the shell found none, or the name was quoted.",
			path);
	return ANSWER_SOURCE(NULL, "%s: there is no such file", path);
}

/* Reads the begin of a file as text.  Returns the bytes read. */
static size_t read_begin(const char *path, char *to)
{
	FILE *file = fopen(path, "re");
	size_t n = 0;

	if (file) {
		n = fread(to, 1, BEGIN, file);
		fclose(file);
	}
	to[n] = 0;
	return n;
}

/* Answers a file which is no savefile by the content.  Returns 0 or EXIT_SOURCE. */
static int explain_content(const char *path)
{
	char begin[BEGIN + 1];
	char line[OPTION_LINE];
	char text[OPTION_LINE];
	char quoted[300];
	const size_t n = read_begin(path, begin);

	if (n > 1 && (!memcmp(begin, "\xa5\x0c", 2) || !memcmp(begin, "\x0c\xa5", 2)))
		return ANSWER_SOURCE(
			NULL, "%s holds flows of nfcapd, no packets: nfdump reads it.", path);
	if (!n || n == BEGIN || strlen(begin) != n || !cli_is_filter(begin))
		return 0;
	snprintf(text, sizeof text, "-i %s -F %s", cli_first_interface(),
		option_quote(quoted, sizeof quoted, path));
	return ANSWER_SOURCE(write_with_option(line, path, text),
		"%s is text, no savefile. A filter's file is given with -F.", path);
}

/* Answers a compressed file with the program for the file.  Returns 0 or EXIT_SOURCE. */
static int explain_compressed(const char *path, const char *message)
{
	const char *with = strstr(message, "read it with ");
	const char *file = with ? strstr(with, " FILE") : NULL;
	char line[OPTION_LINE];
	char whole[2 * OPTION_LINE];
	char quoted[300];

	if (!file)
		return 0;
	with += strlen("read it with ");
	write_with_value(line, path, "-");
	snprintf(whole, sizeof whole, "%.*s %s | %s", (int)(file - with), with,
		option_quote(quoted, sizeof quoted, path), line);
	return ANSWER_SOURCE(*line ? whole : NULL, "%.*s", (int)(with - message - 1), message);
}

static int explain_file(const struct cli *c, const struct bpe_error *error)
{
	const char *path = c->engine.file;
	int code = 0;

	if (!strcmp(path, "-"))
		return 0;
	if (error->sys_errno == ENOENT)
		return explain_no_file(path);
	if (strstr(error->text, "neither pcap nor pcapng"))
		code = explain_content(path);
	return code ? code : explain_compressed(path, error->text);
}

/* ---- The whole ---- */

/* Returns the exit code for the engine's error. */
static int exit_of_error(const struct bpe_error *error)
{
	/* the variable by which the user chose kernels that do not run here */
	if (!strcmp(error->step, "BPFENGINE_ARCH"))
		return EXIT_USAGE;
	switch (error->status) {
	case BPE_E_RIGHTS:
		return EXIT_RIGHTS;
	case BPE_E_ARGUMENT:
		return EXIT_USAGE;
	default:
		return EXIT_SOURCE;
	}
}

/* Answers a failure of the source.  Returns 0 or the exit code. */
static int explain_source(const struct cli *c, const struct bpe_error *error)
{
	struct cli alone;

	if (cli_has_several(c)) {
		if (!cli_sources_failed(c, error->text, &alone))
			return 0;
		c = &alone;
	}
	if (c->engine.interface_name)
		return explain_interface(c, error);
	return c->engine.file ? explain_file(c, error) : 0;
}

int cli_explain_failure(const struct cli *c, const struct bpe_error *error)
{
	const bool is_filter = !strcmp(error->step, "filter");
	int code = 0;

	if (is_filter && cli_explain_filter(c))
		return EXIT_USAGE;
	if (!is_filter)
		code = explain_source(c, error);
	if (code)
		return code;
	if (is_filter || c->verbose)
		program_tell("%s: %s", error->step, error->text);
	else
		program_tell("%s", error->text);
	return exit_of_error(error);
}
