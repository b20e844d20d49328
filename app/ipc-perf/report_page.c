/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>

#include "report_page.h"
#include "say.h"

#ifdef REPORT_PAGE

/** Where the documents go: devtools/report-page sees to it that it is there once. */
static const char mark[] = "@DOCUMENTS@";

int
report_page_check(void)
{
	return 0;
}

/** "<" is in strings only: so escaped it begins no tag and no comment. */
static int
write_escaped(const char *bytes, size_t length, void *stream)
{
	FILE *out = stream;

	while (length != 0) {
		const char *less = memchr(bytes, '<', length);
		const size_t plain = less != NULL ? (size_t)(less - bytes) : length;

		if (fwrite(bytes, 1, plain, out) != plain)
			return -1;
		if (less == NULL)
			return 0;
		if (fputs("\\u003c", out) == EOF)
			return -1;
		bytes += plain + 1;
		length -= plain + 1;
	}
	return 0;
}

int
report_page_write(FILE *out, json_t *documents)
{
	const char *page = (const char *)report_page_template;
	const char *end = page + report_page_template_bytes;
	const char *place = memmem(page, report_page_template_bytes, mark, sizeof(mark) - 1);

	if (place == NULL)
		return -EIO;
	fwrite(page, 1, (size_t)(place - page), out);
	if (json_dump_callback(documents, write_escaped, out, JSON_COMPACT) != 0)
		return -EIO;
	place += sizeof(mark) - 1;
	fwrite(place, 1, (size_t)(end - place), out);
	return ferror(out) != 0 ? -EIO : 0;
}

#else

int
report_page_check(void)
{
	say("This build has no report page: run devtools/setup and build again.");
	return -ENOTSUP;
}

int
report_page_write(FILE *out, json_t *documents)
{
	(void)out;
	(void)documents;
	return report_page_check();
}

#endif /* REPORT_PAGE */
