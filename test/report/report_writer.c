/* SPDX-License-Identifier: BSD-3-Clause */
/* The page on stdout, with the array of documents that stdin has. */

#include <stdio.h>

#include <jansson.h>

#include "report_page.h"

int
main(void)
{
	json_error_t error;
	json_t *documents = json_loadf(stdin, JSON_ALLOW_NUL, &error);
	int ret;

	if (documents == NULL) {
		fprintf(stderr, "report_writer: %s\n", error.text);
		return 1;
	}
	ret = report_page_write(stdout, documents);
	json_decref(documents);
	return ret == 0 && fflush(stdout) == 0 ? 0 : 1;
}
