/* SPDX-License-Identifier: BSD-3-Clause */
/* ipc-perf's settings: words to values and back, what is refused, and in which words. */

#include "settings_rig.h"

#include <options.h>

/* ---- rows ---- */

static void
test_round_trips(void **state)
{
	static const struct {
		const char *name, *text, *back;
	} good[] = {
		{"mode", "pong", "pong"},
		{"mode", "idle-wake", "idle-wake"},
		{"size", "8", "8"},
		{"size", "1500", "1500"},
		{"size", "64K", "64K"},
		{"size", "65536", "64K"},
		{"size", "2M", "2M"},
		{"reply-size", "same", "same"},
		{"reply-size", "128", "128"},
		{"bulk-size", "same", "same"},
		{"bulk-size", "4K", "4K"},
		{"burst", "256", "256"},
		{"rate", "250k", "250k"},
		{"rate", "1000000000", "1G"},
		{"rate", "1234", "1234"},
		{"depth", "1024", "1024"},
		{"samples", "1M", "1M"},
		{"samples", "none", "none"},
		{"samples", "1", "1"},
		{"duration", "1.5s", "1500ms"},
		{"duration", "10080m", "10080m"},
		{"duration", "90s", "90s"},
		{"duration", "none", "none"},
		{"idle", "20us", "20us"},
		{"idle", "0.5us", "500ns"},
		{"work", "10s", "10s"},
		{"wait", "sleep", "sleep"},
		{"wait", "pause", "pause"},
		{"floor", "off", "off"},
		{"seed", "18446744073709551615", "18446744073709551615"},
		{"sweep", "size=8,60,1500", "size=8,60,1500"},
		{"sweep", "rate=10k, 100000,1M", "rate=10k,100k,1M"},
		{"sweep", "burst=1,8,32", "burst=1,8,32"},
		{"sweep", "none", "none"},
		{"expect", "p99.99<20us", "p99.99<20us"},
		{"expect", "lost<1, rate>900k,ratio < 1.5", "lost<1,rate>900k,ratio < 1.5"},
		{"expect", "none", "none"},
	};
	char text[SETTING_TEXT_MAX], again[SETTING_TEXT_MAX];
	struct settings settings, other;
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(good); i++) {
		const struct setting *row = setting_find(good[i].name);

		assert_non_null(row);
		settings_init(&settings);
		assert_int_equal(row->parse(&settings, good[i].text), 0);
		row->print(&settings, text, sizeof(text));
		assert_string_equal(text, good[i].back);
		settings_init(&other);
		assert_int_equal(row->parse(&other, text), 0);
		row->print(&other, again, sizeof(again));
		assert_string_equal(again, text);
	}
}

/** What settings_init() has can be said in words, by each row. */
static void
test_defaults_round_trip(void **state)
{
	char text[SETTING_TEXT_MAX];
	struct settings settings, other;
	size_t i;

	(void)state;
	settings_init(&settings);
	settings_init(&other);
	for (i = 0; i < settings_count; i++) {
		settings_table[i].print(&settings, text, sizeof(text));
		assert_int_equal(settings_table[i].parse(&other, text), 0);
	}
	assert_memory_equal(&settings, &other, sizeof(settings));
	assert_string_equal(settings.engine->name, "ping");
	assert_int_equal(settings.size, 64);
	assert_true(settings.seed == UINT64_C(0x6e6168616e6e69));
}

static void
test_bad_values(void **state)
{
	static const struct {
		const char *name, *text, *parts;
	} bad[] = {
		{"mode", "pingpong", "'pingpong'|paced|idle-wake|pong"},
		{"size", "7", "'7'|from 8"},
		{"size", "1k", "'1k'|K or M"},
		{"size", "K", "'K'"},
		{"size", "", "''"},
		{"size", "-8", "'-8'"},
		{"size", "99999999999999999999999", "bytes"},
		{"size", "600M", "'600M'"},
		{"reply-size", "0", "'0'|same"},
		{"bulk-size", "all", "'all'|same"},
		{"burst", "0", "'0'|1 to 256"},
		{"burst", "257", "'257'|1 to 256"},
		{"rate", "0", "'0'|250k"},
		{"rate", "2G", "'2G'|1G"},
		{"rate", "10K", "'10K'|k, M or G"},
		{"rate", " 10", "' 10'"},
		{"depth", "1025", "'1025'|1024"},
		{"samples", "0", "'0'|none"},
		{"samples", "12x", "'12x'"},
		{"samples", "2G", "'2G'"},
		{"duration", "10", "'10'|a time with its unit, ns, us, ms, s or m"},
		{"duration", "0s", "'0s'"},
		{"duration", "8d", "'8d'"},
		{"duration", "10081m", "10080m"},
		{"duration", "1e3s", "'1e3s'"},
		{"duration", "0x10s", "'0x10s'"},
		{"duration", "nan", "'nan'"},
		{"duration", "1.2.3s", "'1.2.3s'"},
		{"idle", "11s", "10s"},
		{"work", "100", "unit"},
		{"wait", "block", "poll, pause or sleep"},
		{"floor", "yes", "on or off"},
		{"seed", "18446744073709551616", "number"},
		{"sweep", "size", "size=8,60,1500"},
		{"sweep", "size=", "size=8"},
		{"sweep", "size=8,,9", "'size=8,,9'"},
		{"sweep", "size=8,7", "'size=8,7'"},
		{"sweep", "depth=1,2", "size=, burst= or rate="},
		{"sweep", "rates=1", "rate="},
		{"expect", "p99<20", "a time such as 20us"},
		{"expect", "p98<20us", "'p98<20us'|p99.99"},
		{"expect", "lost", "METRIC<VALUE"},
		{"expect", "lost<", "number"},
		{"expect", "lost<-1", "number"},
		{"expect", "lost<=1", "METRIC<VALUE"},
		{"expect", "lost<1us", "number"},
		{"expect", "lost<1,", "'lost<1,'"},
		{"colour", "red", "colour is no setting|mode|sweep or |expect"},
	};
	struct settings settings, before;
	size_t i;
	int ret;

	(void)state;
	for (i = 0; i < RTE_DIM(bad); i++) {
		char place[64];

		settings_init(&settings);
		before = settings;
		capture_begin();
		ret = setting_set(&settings, "a.cfg, [b]", bad[i].name, bad[i].text);
		capture_end();
		if (ret != -EINVAL)
			fail_msg("%s '%s' was taken", bad[i].name, bad[i].text);
		assert_memory_equal(&settings, &before, sizeof(settings));
		snprintf(place, sizeof(place), "a.cfg, [b]: %s is |, expected ", bad[i].name);
		assert_said(place);
		assert_said(bad[i].parts);
	}
}

static void
test_times_and_counts(void **state)
{
	char text[32];
	uint64_t value;

	(void)state;
	assert_int_equal(time_parse("1.5us", &value), 0);
	assert_int_equal(value, 1500);
	assert_int_equal(time_parse("2m", &value), 0);
	assert_true(value == UINT64_C(120000000000));
	assert_int_equal(time_parse("999999999999999999s", &value), -ERANGE);
	assert_int_equal(time_parse("5", &value), -EINVAL);
	assert_int_equal(count_parse("18446744073709551615", &value), 0);
	assert_int_equal(count_parse("18446744073709551615k", &value), -ERANGE);
	assert_int_equal(count_parse("1kk", &value), -EINVAL);
	time_print(0, text, sizeof(text));
	assert_string_equal(text, "0ns");
	count_print(0, text, sizeof(text));
	assert_string_equal(text, "0");
}

static void
test_sweep_applied(void **state)
{
	struct settings settings, one;

	(void)state;
	settings_init(&settings);
	settings.engine = &engine_paced;
	assert_int_equal(sweep_parse(&settings.sweep, "rate=10k,1M"), 0);
	assert_int_equal(settings.sweep.count, 2);
	one = settings;
	sweep_apply(&one, 1);
	assert_int_equal(one.rate, 1000000);
	assert_int_equal(one.sweep.over, SWEEP_NONE);
	assert_string_equal(one.name, "paced rate 1M");
	assert_int_equal(one.samples, SAMPLES_DEFAULT);
	one = settings;
	memset(one.name, 'x', sizeof(one.name) - 1);
	sweep_apply(&one, 0);
	assert_string_equal(one.name + strlen(one.name) - strlen(" rate 10k"), " rate 10k");
	settings_init(&one);
	assert_int_equal(sweep_parse(&one.sweep, "size=8,64K"), 0);
	sweep_apply(&one, 1);
	assert_int_equal(one.size, 65536);
}

static void
test_sweep_limit(void **state)
{
	char text[SETTING_TEXT_MAX] = "size=8";
	struct sweep sweep;
	unsigned int i;

	(void)state;
	for (i = 1; i < SWEEP_MAX; i++)
		strcat(text, ",9");
	assert_int_equal(sweep_parse(&sweep, text), 0);
	assert_int_equal(sweep.count, SWEEP_MAX);
	strcat(text, ",9");
	assert_int_equal(sweep_parse(&sweep, text), -EINVAL);
}

static void
test_expects_add_up(void **state)
{
	struct settings settings;
	unsigned int i;

	(void)state;
	settings_init(&settings);
	assert_int_equal(expect_parse(&settings, "p99.99<20us"), 0);
	assert_int_equal(expect_parse(&settings, "rate>900k,ratio<1.5"), 0);
	assert_int_equal(settings.expects, 3);
	assert_string_equal(settings.expect[0].metric, "p99.99");
	assert_true(settings.expect[0].below && settings.expect[0].value == 20000);
	assert_true(!settings.expect[1].below && settings.expect[1].value == 900000);
	assert_true(settings.expect[2].value == 1.5);
	for (i = settings.expects; i < EXPECTS_MAX; i++)
		assert_int_equal(expect_parse(&settings, "lost<1"), 0);
	assert_int_equal(expect_parse(&settings, "lost<1"), -EINVAL);
	assert_int_equal(expect_parse(&settings, "none"), 0);
	assert_int_equal(settings.expects, 0);
	/* Each figure that is promised. */
	for (i = 0; i < 2; i++) {
		assert_int_equal(expect_parse(&settings, "min<1us,p50<1us,p90<1us,p99<1us"), 0);
		assert_int_equal(expect_parse(&settings, "p99.9<1us,p99.999<1us,max<1us"), 0);
		settings.expects = 0;
		assert_int_equal(expect_parse(&settings, "p99.9999<1us,samples>1"), 0);
		assert_int_equal(expect_parse(&settings,
					      "duplicates<1,misordered<1,corrupt<1,late<1,"
					      "restarts<1,out-of-range<1"),
				 0);
		settings.expects = 0;
	}
}

/* ---- what fits together ---- */

static void
check_refused(const struct settings *settings, uint64_t given, bool ethdev, const char *parts)
{
	int ret;

	capture_begin();
	ret = settings_check(settings, "--", given, ethdev);
	capture_end();
	assert_int_equal(ret, -EINVAL);
	assert_said("expected");
	assert_said(parts);
}

static void
test_checks(void **state)
{
	struct settings settings;

	(void)state;
	settings_init(&settings);
	assert_int_equal(settings_check(&settings, "--", bit_of("size"), true), 0);
	check_refused(&settings, bit_of("rate"), false, "--rate|mode ping|does not use|mode paced");
	check_refused(&settings, bit_of("wait"), false, "--wait|mode ping|idle-wake");
	settings.size = 60;
	assert_int_equal(settings_check(&settings, "--", 0, false), 0);
	check_refused(&settings, 0, true, "--size is 60|64|ethdev");
	settings.size = 64;
	assert_int_equal(sweep_parse(&settings.sweep, "burst=1,2"), 0);
	check_refused(&settings, 0, false, "--sweep|burst|mode ping|flood, duplex or mixed");
	assert_int_equal(sweep_parse(&settings.sweep, "size=64,63"), 0);
	assert_int_equal(settings_check(&settings, "--", 0, false), 0);
	check_refused(&settings, 0, true, "--sweep is 63|64");
	assert_int_equal(sweep_parse(&settings.sweep, "none"), 0);
	settings.engine = &engine_flood;
	assert_int_equal(expect_parse(&settings, "rate>1k,lost<1"), 0);
	assert_int_equal(settings_check(&settings, "--", bit_of("expect"), false), 0);
	assert_int_equal(expect_parse(&settings, "p99<1us"), 0);
	check_refused(&settings, 0, false, "--expect|'p99<1us'|flood");
	settings.engine = NULL;
	check_refused(&settings, bit_of("mode") | bit_of("seed"), false, "--seed|pong|--link");
	assert_int_equal(settings_check(&settings, "--", bit_of("mode"), false), 0);
}

static void
test_resolve(void **state)
{
	struct settings settings;

	(void)state;
	settings_init(&settings);
	settings.duration_ns = 5;
	settings_resolve(&settings);
	assert_int_equal(settings.samples, 0);
	assert_string_equal(settings.name, "ping");
	settings.duration_ns = 0;
	settings_resolve(&settings);
	assert_int_equal(settings.samples, SAMPLES_DEFAULT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trips),    cmocka_unit_test(test_defaults_round_trip),
		cmocka_unit_test(test_bad_values),     cmocka_unit_test(test_times_and_counts),
		cmocka_unit_test(test_sweep_applied),  cmocka_unit_test(test_sweep_limit),
		cmocka_unit_test(test_expects_add_up), cmocka_unit_test(test_checks),
		cmocka_unit_test(test_resolve),
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
