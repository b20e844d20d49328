/* SPDX-License-Identifier: BSD-3-Clause */
/* --cores of the programs: lists, auto, EAL's own options, and what the checker says. */

#include "topo_rig.h"

#include "cores.h"

/* Sentences of the test that runs. */
static char said[16][4096];
static unsigned int sentences;

static void __attribute__((format(printf, 1, 2))) hear(const char *format, ...)
{
	va_list args;

	assert_true(sentences < 16);
	va_start(args, format);
	vsnprintf(said[sentences++], sizeof(said[0]), format, args);
	va_end(args);
}

/* On two sockets of sixteen CPUs each. */
static int
choose(struct cores *cores, const struct topo_rig *rig, const char *text, unsigned int count)
{
	const struct nhn_topo_config machine = {.synthetic = TWO_SOCKETS, .root = rig->root};
	const struct cores_wish wish = {
		.name = "--cores",
		.text = text,
		.count = count,
		.say = hear,
		.machine = &machine,
	};

	sentences = 0;
	cores_free(cores);
	return cores_choose(cores, &wish);
}

static void
test_numbers(void **state)
{
	struct cores cores = {.count = 0};

	assert_int_equal(choose(&cores, *state, "3", 1), 0);
	assert_string_equal(cores.list, "3");
	assert_int_equal(sentences, 0);
	assert_int_equal(choose(&cores, *state, "2,4-6", 4), 0);
	assert_string_equal(cores.list, "2,4,5,6");
	assert_int_equal(cores.cpu[3], 6);
	assert_int_equal(choose(&cores, *state, "7,0", 2), 0);
	assert_string_equal(cores.list, "7,0");
	assert_non_null(strstr(cores.sentence, "cores 7 and 0: "));
	cores_free(&cores);
}

static void
test_wrong_numbers(void **state)
{
	static const char *const texts[] = {"",	   "a",	  "1,",	  ",1",	   "1-",
					    "3-2", "1,1", "1-1-", "auto ", "99999999999"};
	struct cores cores = {.count = 0};
	char expected[200];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(choose(&cores, *state, texts[i], 1), -EINVAL);
		snprintf(expected, sizeof(expected),
			 "--cores is '%s', expected auto, or numbers of cores such as 2 or 2-5,8,"
			 " each once.",
			 texts[i]);
		assert_string_equal(said[0], expected);
		assert_int_equal(sentences, 1);
	}
	assert_int_equal(choose(&cores, *state, "2-3", 1), -EINVAL);
	assert_string_equal(said[0], "--cores is 2-3, 2 cores, expected 1: as many as this program"
				     " polls on.");
	assert_int_equal(choose(&cores, *state, "2,99", 2), -ENOENT);
	assert_string_equal(said[0], "--cores is 2,99, expected cores out of 0-31: this process can"
				     " run on no core 99.");
	cores_free(&cores);
}

static void
test_not_allowed(void **state)
{
	const struct topo_rig *rig = *state;
	const struct nhn_topo_config machine = {
		.synthetic = TWO_SOCKETS, .root = rig->root, .allowed = "0-2,5,8-9"};
	const struct cores_wish wish = {
		.name = "cores", .text = "3", .count = 1, .say = hear, .machine = &machine};
	struct cores cores = {.count = 0};

	sentences = 0;
	assert_int_equal(cores_choose(&cores, &wish), -ENOENT);
	assert_string_equal(said[0], "cores is 3, expected cores out of 0-2,5,8-9: this process can"
				     " run on no core 3.");
}

static void
test_auto(void **state)
{
	struct cores cores = {.count = 0};

	rig_write(*state, "sys/devices/system/cpu/isolated", "10-11\n");
	assert_int_equal(choose(&cores, *state, "auto", 1), 0);
	assert_string_equal(cores.list, "10");
	assert_null(strstr(cores.sentence, "isolated ("));
	rig_write(*state, "sys/devices/system/cpu/isolated", "\n");
	assert_int_equal(choose(&cores, *state, "auto", 2), 0);
	assert_int_equal(cores.count, 2);
	assert_non_null(strstr(cores.sentence, "relaxed: isolated (0 of 2; the kernel isolates"
					       " none)"));
	assert_int_equal(sentences, 0);
	assert_int_equal(choose(&cores, *state, "auto", 33), -ENOENT);
	assert_string_equal(said[0], "--cores auto: 33 cores were asked for, and 32 (0-31) of 32"
				     " are allowed and not busy; widen the affinity or the cpuset,"
				     " or ask for fewer.");
	cores_free(&cores);
}

static void
test_eal(void **state)
{
	static char *const both[][4] = {{"p", "-n", "2", "-l3"},
					{"p", "--lcores=1@2", "", ""},
					{"p", "--main-lcore", "5", ""}};
	static char *const neither[] = {"p", "--log-level=8", "--lcores-x", "--no-pci"};

	(void)state;
	sentences = 0;
	assert_int_equal(cores_eal_check("--cores", 4, (char **)(uintptr_t)neither, hear), 0);
	assert_int_equal(sentences, 0);
	assert_int_equal(cores_eal_check("--cores", 4, (char **)(uintptr_t)both[0], hear), -EINVAL);
	assert_string_equal(said[0], "--cores is given together with -l of EAL, expected one of"
				     " them: leave out one.");
	assert_int_equal(cores_eal_check("--cores", 2, (char **)(uintptr_t)both[1], hear), -EINVAL);
	assert_string_equal(said[1], "--cores is given together with --lcores of EAL, expected one"
				     " of them: leave out one.");
	assert_int_equal(cores_eal_check("--cores", 3, (char **)(uintptr_t)both[2], hear), -EINVAL);
	assert_string_equal(said[2], "--cores is given together with --main-lcore of EAL, expected"
				     " one of them: leave out one.");
}

/* A fake machine of which cores 2 and 3 are isolated, and nothing else is known. */
static void
test_judge(void **state)
{
	const struct topo_rig *rig = *state;
	struct cores cores = {.count = 0};

	rig_write(rig, "sys/devices/system/cpu/online", "0-15\n");
	rig_write(rig, "sys/devices/system/cpu/isolated", "2-3\n");
	rig_write(rig, "sys/devices/system/cpu/nohz_full", "2\n");
	assert_int_equal(choose(&cores, rig, "3", 1), 0);
	assert_int_equal(cores_judge(&cores, rig->root, false, hear), 0);
	assert_int_equal(cores.check_count, 12);
	assert_string_equal(cores.checks[0].id, "cores");
	assert_string_equal(said[0], "fail nohz_full: nohz_full: 2; 3 not, wanted 3 within"
				     " nohz_full; remedy: kernel parameter nohz_full=2-3");
	assert_int_equal(cores_judge(&cores, rig->root, true, hear), -EPERM);
	assert_non_null(strstr(said[sentences - 1], "Strict refuses core 3: "));
	cores_free(&cores);
}

/* The best one: no check fails, so strict takes it. */
static void
test_judge_well(void **state)
{
	const struct topo_rig *rig = *state;
	struct cores cores = {.count = 0};

	rig_write(rig, "sys/devices/system/cpu/online", "0-15\n");
	rig_write(rig, "sys/devices/system/cpu/isolated", "2-3\n");
	rig_write(rig, "sys/devices/system/cpu/nohz_full", "2-3\n");
	assert_int_equal(choose(&cores, rig, "2", 1), 0);
	assert_int_equal(cores_judge(&cores, rig->root, true, hear), 0);
	for (unsigned int i = 0; i < sentences; i++)
		print_message("%s\n", said[i]);
	assert_int_equal(sentences, 0);
	assert_int_equal(cores.checks[1].status, NHN_CHECK_PASS);
	cores_free(&cores);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_numbers, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_wrong_numbers, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_not_allowed, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_auto, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_eal, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_judge, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_judge_well, rig_setup, rig_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
