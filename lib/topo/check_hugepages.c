/* SPDX-License-Identifier: BSD-3-Clause */

/* Huge pages on the nodes of the cores in use. */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_internal.h"

#define NODES "sys/devices/system/node"
#define NODES_NAMED_MAX 8

/* Of all sizes, in KiB. */
struct node_pages {
	unsigned long long total_kib, free_kib;
	bool known;
};

static int
is_pages(const struct dirent *entry)
{
	return strncmp(entry->d_name, "hugepages-", 10) == 0;
}

static struct node_pages
node_read(const struct nhn_check *check, const char *folder)
{
	struct node_pages pages = {.known = false};
	char full[CHECK_PATH_MAX];
	struct dirent **sizes;
	int count;

	if (!nhn_check_path(check, full, sizeof(full), folder))
		return pages;
	count = scandir(full, &sizes, is_pages, versionsort);
	for (int i = 0; i < count; i++) {
		const unsigned long long kib = strtoull(sizes[i]->d_name + 10, NULL, 10);
		long long total, unused;

		if (nhn_check_read_number(check, &total, "%s/%.64s/nr_hugepages", folder,
					  sizes[i]->d_name) == 0 &&
		    nhn_check_read_number(check, &unused, "%s/%.64s/free_hugepages", folder,
					  sizes[i]->d_name) == 0 &&
		    total >= 0 && unused >= 0) {
			pages.known = true;
			pages.total_kib += (unsigned long long)total * kib;
			pages.free_kib += (unsigned long long)unused * kib;
		}
		free(sizes[i]);
	}
	if (count >= 0)
		free(sizes);
	return pages;
}

/* What is found over all nodes. */
struct survey {
	unsigned long long total_kib; /* on any node */
	unsigned int told;	      /* nodes that tell */
	int lacking;		      /* one with our cores and no pages; -1: none */
	int used_up;		      /* one with our cores and no free ones; -1: none */
	char text[NHN_CHECK_TEXT_MAX];
};

static void
survey_node(const struct nhn_check *check, int node, struct survey *survey)
{
	struct check_cpus cpus;
	struct node_pages pages;
	char folder[64];

	snprintf(folder, sizeof(folder), NODES "/node%d/hugepages", node);
	pages = node_read(check, folder);
	if (!pages.known)
		return;
	survey->told++;
	survey->total_kib += pages.total_kib;
	if (survey->told <= NODES_NAMED_MAX)
		CHECK_ADD(survey->text, "%snode %d: %llu MiB, %llu free",
			  survey->told > 1 ? "; " : "", node, pages.total_kib / 1024,
			  pages.free_kib / 1024);
	if (nhn_check_read_cpus(check, &cpus, NODES "/node%d/cpulist", node) != 0 ||
	    !nhn_check_cpus_meet(&cpus, &check->cores))
		return;
	if (pages.total_kib == 0 && survey->lacking < 0)
		survey->lacking = node;
	else if (pages.total_kib != 0 && pages.free_kib == 0 && survey->used_up < 0)
		survey->used_up = node;
}

static int
survey_machine(const struct nhn_check *check, struct survey *survey)
{
	struct check_cpus nodes;
	int rc;

	*survey = (struct survey){.lacking = -1, .used_up = -1};
	rc = nhn_check_read_cpus(check, &nodes, NODES "/online");
	if (rc != 0)
		return rc;
	for (int node = 0; (node = nhn_check_cpus_next(&nodes, node)) >= 0; node++)
		survey_node(check, node, survey);
	return survey->told > 0 ? 0 : -ENOENT;
}

static int
check_hugepages(struct nhn_check *check, struct nhn_check_result *result)
{
	struct survey survey;
	int node, rc = survey_machine(check, &survey);

	nhn_check_want(result, "free ones on each node of %s", check->machine.cores);
	if (rc != 0)
		return nhn_check_skip_file(result, "/" NODES "/nodeN/hugepages", rc);
	node = survey.lacking >= 0 ? survey.lacking : survey.used_up;
	if (node < 0)
		return nhn_check_pass(result, "%s", survey.text);
	nhn_check_remedy(result,
			 "echo 512 > /" NODES "/node%d/hugepages/hugepages-2048kB/nr_hugepages",
			 node);
	if (survey.lacking >= 0 && survey.total_kib != 0) {
		nhn_check_note_write(result, "512",
				     "/" NODES "/node%d/hugepages/hugepages-2048kB/nr_hugepages",
				     node);
		return nhn_check_fail(result, "%s: only on another node", survey.text);
	}
	if (survey.lacking >= 0) {
		nhn_check_note_write(result, "512",
				     "/" NODES "/node%d/hugepages/hugepages-2048kB/nr_hugepages",
				     node);
		return nhn_check_warn(result, "%s: none", survey.text);
	}
	nhn_check_remedy(result,
			 "more than now, in /" NODES
			 "/node%d/hugepages/hugepages-2048kB/nr_hugepages",
			 node);
	return nhn_check_warn(result, "%s: none free", survey.text);
}

const struct check_entry nhn_check_hugepages_table[] = {
	{{"hugepages", "huge pages are near the cores",
	  "Pages of 4 KiB cost a walk of tables at each miss, and those of another node cross the"
	  " machine at each access.",
	  false},
	 check_hugepages},
	{{NULL, NULL, NULL, false}, NULL},
};
