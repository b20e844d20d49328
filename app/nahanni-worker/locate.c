/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lines of the configuration file. rte_cfgfile reads it and tells sections and entries
 * without their lines; here they are looked for again, for messages only.
 */

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "config.h"

/** What rte_cfgfile takes in one piece; it ends at a longer line. */
#define LINE_BYTES (CFG_NAME_LEN + CFG_VALUE_LEN + 4)

enum line {
	LINE_EMPTY,
	LINE_SECTION,
	LINE_ENTRY,
	LINE_OTHER,
};

/** Without the comment and the blanks around. */
static char *
line_strip(char *text)
{
	char *comment = strchr(text, CFG_DEFAULT_COMMENT_CHARACTER);
	size_t length;

	if (comment != NULL && (comment == text || comment[-1] != '\\'))
		*comment = '\0';
	while (isspace((unsigned char)*text))
		text++;
	length = strlen(text);
	while (length > 0 && isspace((unsigned char)text[length - 1]))
		text[--length] = '\0';
	return text;
}

static enum line
line_kind(const char *text)
{
	if (text[0] == '\0')
		return LINE_EMPTY;
	if (text[0] == '[')
		return LINE_SECTION;
	return strchr(text, '=') != NULL ? LINE_ENTRY : LINE_OTHER;
}

uint32_t
locate(const char *path, struct config_spot spot)
{
	/* Section 0 is what stands before the first heading. */
	int section = 0;
	int entry = -1;
	char text[LINE_BYTES];
	uint32_t line = 0;
	FILE *file = fopen(path, "r");

	if (file == NULL)
		return 0;
	while ((section != spot.section || entry != spot.entry) &&
	       fgets(text, sizeof(text), file) != NULL) {
		enum line kind = line_kind(line_strip(text));

		line++;
		entry += kind == LINE_ENTRY;
		if (kind == LINE_SECTION) {
			section++;
			entry = -1;
		}
	}
	fclose(file);
	return section == spot.section && entry == spot.entry ? line : 0;
}

static const char *
line_wrong(char *text)
{
	size_t length = strlen(text);
	const char *value;

	if (length == LINE_BYTES - 1 && text[length - 1] != '\n')
		return "the line is too long, expected a key of less than 64 and a value of less"
		       " than 255 bytes";
	text = line_strip(text);
	switch (line_kind(text)) {
	case LINE_SECTION:
		if (strchr(text, ']') == NULL)
			return "the section's name has no end, expected [NAME]";
		if (strchr(text, ']') - text > CFG_NAME_LEN)
			return "the section's name is too long, expected less than 64 bytes";
		return NULL;
	case LINE_ENTRY:
		/* rte_cfgfile cuts what is longer. */
		value = strchr(text, '=') + 1;
		if (value - text > CFG_NAME_LEN || strlen(value) >= CFG_VALUE_LEN)
			return "the line is too long, expected a key of less than 64 and a value"
			       " of less than 255 bytes";
		return NULL;
	case LINE_OTHER:
		return "the line is neither a section nor a key with its value, expected"
		       " [NAME], KEY=VALUE, or a comment behind ;";
	default:
		return NULL;
	}
}

uint32_t
locate_unreadable(const char *path, const char **why)
{
	char text[LINE_BYTES];
	uint32_t line = 0;
	FILE *file = fopen(path, "r");

	*why = NULL;
	if (file == NULL)
		return 0;
	while (*why == NULL && fgets(text, sizeof(text), file) != NULL) {
		line++;
		*why = line_wrong(text);
	}
	fclose(file);
	return *why != NULL ? line : 0;
}
