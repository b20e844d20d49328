/* SPDX-License-Identifier: BSD-3-Clause */

/* Each check on a machine where all is well, and on one where one thing is not. */

#include "check_fixtures.h"
#include "check_fixtures_machine.h"

#define SYSTEM (sizeof(fixtures_system) / sizeof(fixtures_system[0]))
#define FIXTURES (SYSTEM + sizeof(fixtures_machine) / sizeof(fixtures_machine[0]))

static const struct fixture *
fixture_at(unsigned int index)
{
	return index < SYSTEM ? &fixtures_system[index] : &fixtures_machine[index - SYSTEM];
}

static bool
says(const char *text, const char *part)
{
	return part[0] == '\0' ? text[0] == '\0' : strstr(text, part) != NULL;
}

/* All that could be written. */
static bool
writes(const struct nhn_check_result *result, const char *wanted)
{
	char all[600] = "";

	for (unsigned int i = 0; i < result->write_count; i++)
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s=%s", i > 0 ? " " : "",
			 result->write[i].path, result->write[i].value);
	return !result->write_more && strcmp(all, wanted != NULL ? wanted : "") == 0;
}

static void
spoil(struct check_rig *rig, const struct fixture *fixture)
{
	rig_mend(rig);
	for (unsigned int i = 0; i < EDITS_MAX && fixture->edits[i].path != NULL; i++) {
		const struct rig_edit *edit = &fixture->edits[i];

		/* A number in binary, with a zero in it. */
		if (strcmp(edit->path, "dev/cpu_dma_latency") == 0 && edit->text != NULL)
			rig_write_bytes(rig, edit->path, edit->text, 4);
		else
			rig_edit(rig, edit);
	}
	if (fixture->cores != NULL)
		rig->config.cores = fixture->cores[0] != '\0' ? fixture->cores : NULL;
	if (fixture->load_ns > 0)
		rig->bar.load_ns = fixture->load_ns;
}

static bool
is_judged(struct check_rig *rig, const struct fixture *fixture)
{
	const struct nhn_check_result *result;

	spoil(rig, fixture);
	result = rig_run(rig, fixture->id);
	if (result->status == fixture->status && says(result->found, fixture->found) &&
	    says(result->remedy, fixture->remedy) && writes(result, fixture->write))
		return true;
	print_error("%s, wanted %s '%s' '%s' [%s], got %s '%s' '%s' [%s=%s] %u\n", fixture->id,
		    nhn_check_status_name(fixture->status), fixture->found, fixture->remedy,
		    fixture->write != NULL ? fixture->write : "",
		    nhn_check_status_name(result->status), result->found, result->remedy,
		    result->write[0].path, result->write[0].value, result->write_count);
	return false;
}

static void
fixtures_are_judged(void **state)
{
	unsigned int wrong = 0;

	for (unsigned int i = 0; i < FIXTURES; i++)
		wrong += !is_judged(*state, fixture_at(i));
	assert_int_equal(wrong, 0);
}

/* Only root may make them, and not everywhere. */
static void
device_nodes_are_judged(void **state)
{
	unsigned int wrong = 0;

	if (!rig_node(*state, "0600 0 dax")) {
		print_message("skipped: a node cannot be made here\n");
		skip();
	}
	for (unsigned int i = 0; i < sizeof(fixtures_nodes) / sizeof(fixtures_nodes[0]); i++)
		wrong += !is_judged(*state, &fixtures_nodes[i]);
	assert_int_equal(wrong, 0);
}

static void
all_passes_where_all_is_well(void **state)
{
	struct check_rig *rig = *state;
	struct nhn_check *check;
	unsigned int wrong = 0;

	assert_int_equal(nhn_check_open(&check, &rig->config), 0);
	for (unsigned int i = 0; i < nhn_check_count(); i++) {
		const struct nhn_check_result *result = &rig->result;

		assert_int_equal(nhn_check_run(check, i, &rig->result), 0);
		assert_string_equal(result->id, nhn_check_item_at(i)->id);
		assert_string_equal(result->title, nhn_check_item_at(i)->title);
		assert_string_equal(result->remedy, "");
		assert_int_equal(result->write_count, 0);
		if (result->status == NHN_CHECK_PASS && result->found[0] != '\0' &&
		    result->wanted[0] != '\0')
			continue;
		wrong++;
		print_error("%s: %s '%s' '%s'\n", result->id, nhn_check_status_name(result->status),
			    result->found, result->wanted);
	}
	nhn_check_close(check);
	assert_int_equal(wrong, 0);
}

/* What decides has a fixture that fails, and all have one that is not well. */
static void
each_check_has_fixtures(void **state)
{
	static const char *const cheap[] = {"timer_migration", "stat_interval", "mce", "resctrl",
					    "turbo"};
	static const char *const only_fail[] = {"isolcpus", "nohz_full", "rcu_nocbs", "workqueues"};

	(void)state;
	for (unsigned int i = 0; i < nhn_check_count(); i++) {
		bool warns = false, fails = false, may_fail = true, may_warn = true;

		for (unsigned int j = 0; j < FIXTURES; j++)
			if (strcmp(fixture_at(j)->id, nhn_check_item_at(i)->id) == 0) {
				warns |= fixture_at(j)->status == NHN_CHECK_WARN;
				fails |= fixture_at(j)->status == NHN_CHECK_FAIL;
			}
		for (unsigned int j = 0; j < sizeof(cheap) / sizeof(cheap[0]); j++)
			may_fail &= strcmp(cheap[j], nhn_check_item_at(i)->id) != 0;
		for (unsigned int j = 0; j < sizeof(only_fail) / sizeof(only_fail[0]); j++)
			may_warn &= strcmp(only_fail[j], nhn_check_item_at(i)->id) != 0;
		if (warns != may_warn || fails != may_fail)
			print_error("%s\n", nhn_check_item_at(i)->id);
		assert_int_equal(warns, may_warn);
		assert_int_equal(fails, may_fail);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_passes_where_all_is_well, rig_setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(fixtures_are_judged, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(device_nodes_are_judged, rig_setup, rig_teardown),
		cmocka_unit_test(each_check_has_fixtures),
	};

	return cmocka_run_group_tests_name("check_fixtures", tests, NULL, NULL);
}
