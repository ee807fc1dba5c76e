/* SPDX-License-Identifier: MIT */
/* Notices of the run: printed on stderr, and kept for the report.
 *
 * Life: that of the process.  A notice is kept whether --quiet hides the line or not.  A mutex
 * guards the list: the main thread, the reader and the output thread give notices. */
#include "cli.h"

#include <pthread.h>
#include <stdarg.h>
#include <string.h>

enum { NOTICES = 64, NOTICE_BYTES = 600 };

static struct {
	pthread_mutex_t mutex;
	uint64_t count; /* given; the first NOTICES are kept */
	char text[NOTICES][NOTICE_BYTES];
} kept = { .mutex = PTHREAD_MUTEX_INITIALIZER };

void cli_notice_keep(const char *text)
{
	pthread_mutex_lock(&kept.mutex);
	if (kept.count < NOTICES)
		snprintf(kept.text[kept.count], NOTICE_BYTES, "%s", text);
	kept.count++;
	pthread_mutex_unlock(&kept.mutex);
}

void cli_notice(bool quiet, const char *format, ...)
{
	char text[NOTICE_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	cli_notice_keep(text);
	if (!quiet)
		program_tell("%s", text);
}

void cli_notices_json(FILE *to)
{
	pthread_mutex_lock(&kept.mutex);
	fprintf(to, "\"notices\":[");
	for (uint64_t i = 0; i < kept.count && i < NOTICES; i++) {
		fputs(i ? "," : "", to);
		program_print_json(to, kept.text[i]);
	}
	fprintf(to, "]");
	if (kept.count > NOTICES)
		fprintf(to, ",\"notices_more\":%llu", (unsigned long long)(kept.count - NOTICES));
	pthread_mutex_unlock(&kept.mutex);
}

void cli_notices_text(FILE *to)
{
	char shown[4 * NOTICE_BYTES];

	pthread_mutex_lock(&kept.mutex);
	if (kept.count)
		fprintf(to, "\nNotices\n");
	for (uint64_t i = 0; i < kept.count && i < NOTICES; i++)
		fprintf(to, "  %s\n", program_visible(shown, sizeof shown, kept.text[i]));
	if (kept.count > NOTICES)
		fprintf(to, "  and %llu more\n", (unsigned long long)(kept.count - NOTICES));
	pthread_mutex_unlock(&kept.mutex);
}
