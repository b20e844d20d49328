/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdio.h>

#include <jansson.h>

#include "output.h"

static json_t *
json_writes(const struct nhn_check_result *result)
{
	json_t *writes = json_array();

	for (unsigned int i = 0; i < result->write_count; i++)
		json_array_append_new(writes, json_pack("{s:s, s:s}", "path", result->write[i].path,
							"value", result->write[i].value));
	return writes;
}

static json_t *
json_result(const struct nhn_check_result *result)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:b}", "id", result->id, "title",
			 result->title, "status", nhn_check_status_name(result->status), "found",
			 result->found, "wanted", result->wanted, "why", result->why, "remedy",
			 result->remedy, "writes", json_writes(result), "writes_more",
			 (int)result->write_more);
}

static json_t *
json_machine(const struct report *report)
{
	const struct nhn_check_machine *machine = report->machine;

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "role",
			 nhn_check_role_name(machine->role), "kernel", machine->kernel, "processor",
			 machine->processor, "cores", machine->cores, "cores_from",
			 machine->cores_from, "online", machine->online, "isolated",
			 machine->isolated, "nohz_full", machine->nohz_full);
}

static json_t *
json_counts(const struct report *report)
{
	json_t *counts = json_object();

	for (int status = NHN_CHECK_PASS; status <= NHN_CHECK_SKIP; status++)
		json_object_set_new(counts, nhn_check_status_name((enum nhn_check_status)status),
				    json_integer(report->counts[status]));
	return counts;
}

int
output_json(const struct report *report)
{
	json_t *checks = json_array(), *root;
	int rc = checks == NULL ? -1 : 0;

	for (unsigned int i = 0; i < report->count && rc == 0; i++)
		rc = json_array_append_new(checks, json_result(&report->results[i]));
	if (rc != 0) {
		json_decref(checks);
		return -ENOMEM;
	}
	root = json_pack("{s:s, s:i, s:s, s:o, s:o, s:o}", "schema", "nahanni-check",
			 "schema_version", 1, "version", NAHANNI_CHECK_VERSION, "machine",
			 json_machine(report), "counts", json_counts(report), "checks", checks);
	/* A fault of writing is found when the stream is flushed. */
	if (root == NULL || json_dumpf(root, stdout, JSON_INDENT(2)) != 0)
		rc = root == NULL ? -ENOMEM : 0;
	json_decref(root);
	putchar('\n');
	return rc;
}
