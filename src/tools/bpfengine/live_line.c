/* SPDX-License-Identifier: MIT */
/* Lines of statistics during a run: the line in place on a terminal, and the lines of
 * --stats-interval.  State: whether a line stands on the terminal, of the main
 * thread; the engine's threads clear the line. */
#include "cli.h"

#include <stdarg.h>
#include <string.h>

enum { LINE_BYTES = 400 };

static _Atomic bool is_line_shown, was_line_shown;

/* ---- Growing a line by parts ---- */

struct growing_line {
	char text[LINE_BYTES];
	size_t used;
	size_t room;  /* columns of the terminal that the line may fill */
	bool is_full; /* a part found no room */
};

/* Adds a part after two blanks, if this part and all parts before find room. */
static void add_part(struct growing_line *line, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void add_part(struct growing_line *line, const char *format, ...)
{
	char part[LINE_BYTES];
	const char *gap = line->used ? "  " : "";
	va_list args;

	va_start(args, format);
	vsnprintf(part, sizeof part, format, args);
	va_end(args);
	const size_t length = strlen(gap) + strlen(part);

	if (line->used + length > line->room || line->used + length >= sizeof line->text)
		line->is_full = true;
	if (line->is_full)
		return;
	snprintf(line->text + line->used, sizeof line->text - line->used, "%s%s", gap, part);
	line->used += length;
}

static void add_position(struct growing_line *line, const struct bpe_stats *s)
{
	double percent = 100;

	if (!s->source_bytes)
		return;
	if (s->source_position < s->source_bytes) /* a growing savefile may be longer by now */
		percent = 100 * (double)s->source_position / (double)s->source_bytes;
	add_part(line, "%3.0f%%", percent);
}

/* Adds the packets that kernel and program dropped. */
static void add_drops(struct growing_line *line, const struct bpe_stats *s)
{
	char kernel[CLI_NUMBER], own[CLI_NUMBER];

	cli_count(own, sizeof own, (double)cli_own_drops(s));
	if (!s->kernel_known) {
		add_part(line, "%s dropped", own);
		return;
	}
	snprintf(kernel, sizeof kernel, "unknown");
	if (s->kernel_known & BPE_KNOWN_DROPPED)
		cli_count(kernel, sizeof kernel, (double)s->kernel_dropped);
	add_part(line, "dropped: kernel %s, bpfengine %s", kernel, own);
}

/* ---- A terminal ---- */

/* Writes a line in place (cli.h). */
bool cli_live_line(const struct bpe_stats *s, const struct cli_shown_rates *rates)
{
	const size_t width = cli_terminal_width(stderr);
	struct growing_line line = { .room = width ? width - 1 : LINE_BYTES };
	char packets[CLI_NUMBER], flows[CLI_NUMBER], pps[CLI_RATE], bps[CLI_RATE];

	add_position(&line, s);
	add_part(&line, "%s packets", cli_count(packets, sizeof packets, (double)s->read_packets));
	add_part(&line, "%s%s", rates->of, cli_packet_rate(pps, sizeof pps, rates->packets));
	add_part(&line, "%s", cli_rate(bps, sizeof bps, rates->bits, "bit/s"));
	if (rates->reading > 0)
		add_part(&line, "read at %s", cli_packet_rate(pps, sizeof pps, rates->reading));
	add_drops(&line, s);
	add_part(&line, "%s flows", cli_count(flows, sizeof flows, (double)s->flows_active));
	clearerr(stderr);
	fprintf(stderr, "\r\033[K%s", line.text);
	fflush(stderr);
	is_line_shown = !ferror(stderr);
	if (is_line_shown)
		was_line_shown = true;
	return is_line_shown;
}

bool cli_live_was_shown(void)
{
	return was_line_shown;
}

void cli_live_clear(void)
{
	if (is_line_shown)
		fprintf(stderr, "\r\033[K");
	is_line_shown = false;
}

/* ---- Lines of --stats-interval ---- */

void cli_interval_line(FILE *to, const char *when, const struct bpe_stats *s, const char *rates)
{
	char kernel[CLI_NUMBER], packets[CLI_TIME], own[CLI_NUMBER], flows[CLI_TIME];

	fprintf(to, "%s: %s, %s", when,
		cli_counted(packets, sizeof packets, s->read_packets, "packet"), rates);
	if (s->kernel_known) {
		cli_kernel_count(kernel, sizeof kernel, s, BPE_KNOWN_DROPPED, s->kernel_dropped,
			"an unknown number");
		fprintf(to, ", %s dropped by the kernel", kernel);
	}
	fprintf(to, ", %s dropped by bpfengine, %s\n",
		cli_number(own, sizeof own, cli_own_drops(s)),
		cli_counted(flows, sizeof flows, s->flows_active, "flow"));
	fflush(to);
}
