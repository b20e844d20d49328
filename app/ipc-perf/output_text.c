/* SPDX-License-Identifier: BSD-3-Clause */
/* A run for people: warnings, configuration, tables, counts. Lines of 100 characters at most, but
 * for names and sentences that are longer by themselves. */

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include <rte_version.h>

#include <nhn_check.h>

#include "engine.h"
#include "output_text.h"

/** Bytes that hold a far end's text. */
#define FAR_TEXT_MAX 160

static void
print_warnings(FILE *out, const struct result *result)
{
	char text[512];
	unsigned int i;

	for (i = 0; result_warning(result, i, text, sizeof(text)); i++)
		fprintf(out, "%s\n", text);
}

static const char *
run_name(const struct settings *settings)
{
	return settings->name[0] != '\0' ? settings->name : settings->engine->name;
}

static void
print_title(FILE *out, const struct options *options, const struct result *result)
{
	const struct engine *engine = result->settings.engine;
	char **word;

	fprintf(out, "ipc-perf %s, run %s: mode %s, loop %s\n", IPC_PERF_VERSION,
		run_name(&result->settings), engine->name, engine->loop);
	fputs("command    ", out);
	for (word = options->argv; *word != NULL; word++)
		fprintf(out, " %s", *word);
	fputc('\n', out);
}

static void
print_link(FILE *out, const struct options *options, const struct result *result)
{
	const struct link_option *link = &options->link;

	if (link->text == NULL) {
		fputs("link        -: none was named\n", out);
		return;
	}
	if (link->port != NULL)
		fprintf(out, "link        port %s", link->port);
	else
		fprintf(out, "link        %s, %s %s", link->peer != NULL ? "split" : "joint",
			link->pci ? "pci" : "file", link->pci ? link->bdf : link->path);
	if (link->peer != NULL)
		fprintf(out, ", reads %s", link->peer);
	fprintf(out, ", %s, via %s", options_role_name(link->role),
		result != NULL ? result->via : options_via_name(options->via));
	if (result != NULL)
		fprintf(out, "; %s at the end", result->link_state);
	fputc('\n', out);
}

void
output_text_link(FILE *out, const struct options *options, const struct way *way,
		 const struct result *result)
{
	print_link(out, options, result);
	if (way == NULL)
		return;
	fprintf(out, "            now %s, limit %s, restarts of the far end %" PRIu64 "\n",
		way_down(way) ? "down" : "up",
		way_has_words(way) ? "can be measured" : "cannot be measured", way_restarts(way));
}

/** A setting is of this run: of every run, or its engine uses it. */
static bool
setting_used(const struct setting *setting, const struct settings *settings)
{
	return setting->bit == 0 ||
	       (settings->engine != NULL && (settings->engine->uses & setting->bit) != 0);
}

/** As on the command line, so that it can be copied from here. Empty ones are left out. */
void
output_text_config(FILE *out, const struct settings *settings)
{
	char text[SETTING_TEXT_MAX];
	int column = fprintf(out, "%-11s", "settings");
	size_t i;

	for (i = 0; i < settings_count; i++) {
		const struct setting *setting = &settings_table[i];
		int length;

		setting->print(settings, text, sizeof(text));
		if (!setting_used(setting, settings) || text[0] == '\0')
			continue;
		length = (int)(strlen(setting->name) + strlen(text)) + 4;
		if (column > 11 && column + length > 100)
			column = fprintf(out, "\n%11s", "") - 1;
		column += fprintf(out, strchr(text, ' ') != NULL ? " --%s '%s'" : " --%s %s",
				  setting->name, text);
	}
	fputc('\n', out);
}

/** Text of another program onto a terminal: nothing but letters, and its end. */
static const char *
far_text(const char *from, size_t bytes, char *text)
{
	size_t i;

	for (i = 0; i < bytes && i < FAR_TEXT_MAX - 1 && from[i] != '\0'; i++)
		text[i] = isprint((unsigned char)from[i]) ? from[i] : '?';
	text[i] = '\0';
	return i != 0 ? text : "-";
}

static void
print_near(FILE *out)
{
	const int cpu = output_core();
	struct utsname kernel;
	char place[512];

	uname(&kernel);
	output_place(cpu, place, sizeof(place));
	fprintf(out, "near        %s, core %d, %s %s %s, %s\n", kernel.nodename, cpu,
		kernel.sysname, kernel.release, kernel.machine, rte_version());
	fprintf(out, "            %s\n", place);
}

void
output_text_topology(FILE *out, const struct result *result)
{
	const struct reply_hello *far = result != NULL ? &result->far : NULL;
	char text[4][FAR_TEXT_MAX];

	print_near(out);
	if (far == NULL || far->version == 0) {
		fputs("far         -: not known\n", out);
		return;
	}
	fprintf(out, "far         %s, core %d, %s, %s, clock %" PRIu64 " Hz\n",
		far_text(far->host, sizeof(far->host), text[0]), far->core,
		far_text(far->system, sizeof(far->system), text[1]),
		far_text(far->dpdk, sizeof(far->dpdk), text[2]), far->clock_hz);
	fprintf(out, "            %s\n", far_text(far->topology, sizeof(far->topology), text[3]));
}

/** What is wrong with the cores in use, where --cores or --strict asked. */
static void
print_checks(FILE *out, const struct options *options)
{
	unsigned int i;

	for (i = 0; i < options->check_count; i++) {
		const struct nhn_check_result *result = &options->checks[i];

		if (result->status == NHN_CHECK_FAIL || result->status == NHN_CHECK_WARN)
			fprintf(out, "check       %s %s: %s; remedy: %s\n",
				nhn_check_status_name(result->status), result->id, result->found,
				result->remedy);
	}
}

static void
print_times(FILE *out, const struct nhn_clock *clock, const struct result *result)
{
	char day[32];
	struct tm tm;

	gmtime_r(&result->begun.tv_sec, &tm);
	strftime(day, sizeof(day), "%Y-%m-%d %H:%M:%S", &tm);
	fprintf(out, "clock       %" PRIu64 " Hz, error at most %.3f ppm\n", clock->hz,
		clock->error_ppm);
	fprintf(out, "time        begun %s UTC, run %.3f s, of that measured %.3f s\n", day,
		(double)result->run_ns * 1e-9, (double)result->measured_ns * 1e-9);
	fprintf(out,
		"rounds      of %" PRIu64 " messages; warm-up of %" PRIu64
		" messages and %u limit trips"
		" left out\n",
		result->round_messages, result->warmup_messages, LIMIT_TRIPS);
}

static void
print_messages(FILE *out, const struct result *result)
{
	static const char *const names[] = {"lost", "duplicates", "misordered", "corrupt"};
	double value;
	size_t i;

	fprintf(out, "messages    %" PRIu64, result->messages);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (result_metric(result, names[i], &value) == 0)
			fprintf(out, ", %s %.0f", names[i], value);
	fprintf(out, "; restarts of pong %" PRIu64 "\n", result->restarts);
	fprintf(out,
		"rounds      kept %" PRIu32 ", dropped %" PRIu32
		" (limit before and after differed by more than %.0f %%), void %" PRIu32 "\n",
		result->rounds_kept, result->rounds_dropped, LIMIT_DRIFT * 100,
		result->rounds_void);
}

struct count {
	const char *name;
	uint64_t near, far;
};

static void
print_count(FILE *out, const struct result *result, const struct count *count)
{
	fprintf(out, "            %-20s%16" PRIu64, count->name, count->near);
	if (result->counts.far_known)
		fprintf(out, "%16" PRIu64 "\n", count->far);
	else
		fprintf(out, "%16s\n", "-");
}

static void
print_message_counts(FILE *out, const struct result *result)
{
	const struct reply_counts *near = &result->counts.near;
	const struct reply_counts *far = &result->counts.far;
	const struct count counts[] = {
		{"received", near->received, far->received},
		{"sent", near->sent, far->sent},
		{"lost", near->lost, far->lost},
		{"duplicates", near->duplicates, far->duplicates},
		{"misordered", near->misordered, far->misordered},
		{"corrupt", near->corrupt, far->corrupt},
		{"dropped", near->dropped, far->dropped},
		{"strange", near->strange, far->strange},
	};
	size_t i;

	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		print_count(out, result, &counts[i]);
	if (!result->counts.far_known)
		fputs("            far -: it was not asked, or did not answer\n", out);
}

/** What the threads cost themselves in the rounds. */
static void
print_usage_counts(FILE *out, const struct result *result)
{
	const struct usage *near = &result->usage;
	const struct reply_counts *far = &result->counts.far;
	const struct count counts[] = {
		{"minor faults", (uint64_t)near->minor_faults, (uint64_t)far->minor_faults},
		{"major faults", (uint64_t)near->major_faults, (uint64_t)far->major_faults},
		{"voluntary switches", (uint64_t)near->voluntary_switches,
		 (uint64_t)far->voluntary_switches},
		{"involuntary switches", (uint64_t)near->involuntary_switches,
		 (uint64_t)far->involuntary_switches},
	};
	size_t i;

	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		print_count(out, result, &counts[i]);
}

/** Both ends beside each other. */
static void
print_counts(FILE *out, const struct result *result)
{
	fprintf(out, "counts      %20s%16s%16s\n", "", "near", "far");
	if (result->settings.engine->uses & USES_LINK)
		print_message_counts(out, result);
	print_usage_counts(out, result);
}

/** Of few messages a second the tenth counts. */
static void
print_rate_of(FILE *out, const char *before, double rate)
{
	fprintf(out, "%s%.*f", before, rate < 1000 ? 1 : 0, rate);
}

static void
print_rates(FILE *out, const char *before, double rate, const char *of, const struct spread *spread)
{
	print_rate_of(out, before, rate);
	fprintf(out, " messages/s: %s; ", of);
	print_rate_of(out, "quartiles ", spread->quarter);
	print_rate_of(out, " to ", spread->three_quarters);
	fputc('\n', out);
}

static void
print_rate(FILE *out, const struct result *result)
{
	const struct settings *settings = &result->settings;
	const struct spread spread = series_spread(&result->rates);
	const struct spread back = series_spread(&result->back_rates);

	if (result->rates.count == 0) {
		fputs("rate        -: no round was kept\n", out);
		return;
	}
	print_rates(out, "rate        ", result->rate,
		    (settings->engine->uses & USES_RATE) ? "sent over time" : "median of rounds",
		    &spread);
	if (result->back_rates.count != 0)
		print_rates(out, "            back ", back.median, "median of rounds", &back);
	if (settings->engine->uses & USES_SIZE)
		fprintf(out, "            %.3f MB/s\n",
			result->rate * result_rate_bytes(result) / 1e6);
	if (settings->engine->uses & USES_RATE)
		fprintf(out,
			"            asked for %" PRIu64 "/s, %s; sent late %" PRIu64
			", at most by %.3f us\n",
			settings->rate, result->rate_held ? "held" : "NOT HELD", result->late,
			(double)result->late_most_ns / 1e3);
	if (result->far_rate > 0) {
		print_rate_of(out, "            ", result->far_rate);
		fputs(" messages/s by the far end's clock\n", out);
	}
}

static void
print_offset_end(FILE *out, const char *when, const struct offset *offset)
{
	if (offset->known)
		fprintf(out, "%s %+" PRId64 " ns, error at most %" PRIu64 " ns\n", when,
			offset->offset_ns, offset->error_ns);
	else
		fprintf(out, "%s -: not known\n", when);
}

/** One-way times are right within this error and no better. */
static void
print_offset(FILE *out, const struct result *result)
{
	if (!result->offset_begin.known && !result->offset_end.known)
		return;
	print_offset_end(out, "offset      far clock less near clock, begin",
			 &result->offset_begin);
	print_offset_end(out, "                                         end", &result->offset_end);
}

static void
print_ratio(FILE *out, const struct result *result)
{
	const struct spread ratio = series_spread(&result->ratios);

	if (result->ratios.count == 0) {
		fprintf(out, "ratio p50   -: %s\n",
			result->limit.total != 0 && result->settings.engine->latency == NULL
				? "the mode measures rates"
				: "there is no limit to compare with");
		return;
	}
	fprintf(out,
		"ratio p50   %.3f over the limit: median of rounds; quartiles %.3f to %.3f,"
		" range %.3f to %.3f\n",
		ratio.median, ratio.quarter, ratio.three_quarters, ratio.min, ratio.max);
}

static void
print_expects(FILE *out, const struct result *result)
{
	uint32_t i;

	for (i = 0; i < result->settings.expects; i++) {
		const struct expect *expect = &result->settings.expect[i];
		double found;
		bool met;

		fprintf(out, "%-12s%s: ", i == 0 ? "thresholds" : "", expect->text);
		if (result_metric(result, expect->metric, &found) != 0) {
			fputs("MISSED, there are too few samples\n", out);
			continue;
		}
		met = expect->below ? found < expect->value : found > expect->value;
		fprintf(out, "%s, found %.9g, expected %s %.9g\n", met ? "met" : "MISSED", found,
			expect->below ? "below" : "above", expect->value);
	}
}

static void
print_recorder(FILE *out, const struct result *result)
{
	if (result->recorder_ns > 0)
		fprintf(out, "recorder    %.2f ns a sample, as found before the run\n",
			result->recorder_ns);
}

void
output_text_stats(FILE *out, const struct result *result)
{
	print_messages(out, result);
	print_counts(out, result);
	print_rate(out, result);
	print_offset(out, result);
	print_recorder(out, result);
	print_expects(out, result);
	print_ratio(out, result);
}

void
output_text(FILE *out, const struct options *options, const struct nhn_clock *clock,
	    const struct result *result)
{
	const bool linked = (result->settings.engine->uses & USES_LINK) != 0;

	print_warnings(out, result);
	print_title(out, options, result);
	if (linked)
		print_link(out, options, result);
	output_text_config(out, &result->settings);
	if (linked)
		output_text_topology(out, result);
	else
		print_near(out);
	print_checks(out, options);
	print_times(out, clock, result);
	output_text_histogram(out, result);
	output_text_besides(out, result);
	output_text_gaps(out, result);
	output_text_stats(out, result);
	fputc('\n', out);
}
