/* SPDX-License-Identifier: BSD-3-Clause */
/* What the main lcore does between and around runs. The prompt's requests come in session_ask.c. */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_common.h>

#include "near.h"
#include "output.h"
#include "say.h"
#include "session_internal.h"

/** Between two looks at what the prompt wants, with a control step each. */
#define IDLE_NS 1000000

static void
tell(void *context, const struct run *run)
{
	live_tell(context, run);
}

/** The exit status of a run that was begun. */
static int
status_of(const struct result *result)
{
	if (!result_met(result))
		return EXIT_FAILED;
	return result_expects_missed(result) != 0 ? EXIT_MISSED : EXIT_MET;
}

/** Not begun is worse than failed, failed than a threshold missed. */
static void
status_add(struct session *session, int status)
{
	static const int ranks[] = {
		[EXIT_MET] = 0, [EXIT_FAILED] = 2, [EXIT_NOT_BEGUN] = 3, [EXIT_MISSED] = 1};

	if (ranks[status] > ranks[session->worst])
		session->worst = status;
}

/** Keep its object, write the files, print it. @return 0, or -errno with a sentence said */
static int
result_publish(struct session *session)
{
	const struct options *options = session->options;
	json_t *object, *document;
	unsigned int kind;
	int ret = 0;

	pthread_mutex_lock(&session->lock);
	object = output_json_run(options, session->clock, session->way, session->result);
	if (object == NULL || json_array_append_new(session->runs, object) != 0)
		ret = -ENOMEM;
	document = output_json_document(options, session->clock, session->runs);
	pthread_mutex_unlock(&session->lock);
	for (kind = 0; kind < OUTPUT_KINDS; kind++)
		if (session->files[kind].stream != NULL &&
		    output_write(&session->files[kind], options, document, session->result) != 0)
			ret = -EIO;
	json_decref(document);
	output_text(stdout, options, session->clock, session->result);
	if (fflush(stdout) != 0) {
		say("The results could not be written to stdout (%m), expected that they can: see"
		    " the disk or pipe behind it.");
		ret = -EIO;
	}
	return ret;
}

/** One run. @return its exit status */
static int
run_one(struct session *session, const struct settings *settings)
{
	struct run run = {
		.way = (settings->engine->uses & USES_LINK) != 0 ? session->way : NULL,
		.clock = session->clock,
		.settings = settings,
		.result = session->result,
		.lock = &session->lock,
		.stopped = session->stopped,
		.tell = tell,
		.tell_context = &session->live,
	};
	int status;

	run.calls = run.way != NULL ? session->calls : NULL;
	pthread_mutex_lock(&session->lock);
	result_begin(session->result, settings, run.way != NULL ? run.calls->name : "none");
	session->has_result = true;
	pthread_mutex_unlock(&session->lock);
	live_begin(&session->live, session->options->interactive);
	if (run_all(&run) != 0) {
		live_end(&session->live);
		return EXIT_NOT_BEGUN;
	}
	live_end(&session->live);
	status = status_of(session->result);
	if (result_publish(session) != 0)
		status = EXIT_FAILED;
	/* With no far end nothing more can be run. */
	if (session->result->outcome == OUTCOME_GONE || session->result->outcome == OUTCOME_LOST)
		session->far_lost = true;
	return status;
}

void
session_execute(struct session *session, const struct settings *settings)
{
	uint32_t values = settings->sweep.over == SWEEP_NONE ? 1 : settings->sweep.count;
	struct settings one;
	uint32_t i;

	for (i = 0; i < values && !*session->stopped && !session->far_lost; i++) {
		one = *settings;
		settings_resolve(&one);
		if (settings->sweep.over != SWEEP_NONE) {
			sweep_apply(&one, i);
			/* Its results tell which value of what they are. */
			one.sweep = (struct sweep){
				settings->sweep.over, 1, {settings->sweep.values[i]}};
		}
		status_add(session, run_one(session, &one));
	}
	session_unbegun(session, values - i);
}

void
session_unbegun(struct session *session, uint32_t runs)
{
	if (runs == 0)
		return;
	say("%" PRIu32 " runs were not begun.", runs);
	status_add(session, EXIT_FAILED);
}

/** Runs of the prompt, until it has enough. */
void
session_obey(struct session *session)
{
	const struct timespec pause = {.tv_nsec = IDLE_NS};
	enum session_state state;
	struct settings settings;

	for (;;) {
		pthread_mutex_lock(&session->lock);
		state = session->state;
		if (state == SESSION_STARTING) {
			session->state = SESSION_RUNNING;
			settings = session->settings;
		}
		pthread_mutex_unlock(&session->lock);
		if (state == SESSION_ENDING)
			return;
		if (state == SESSION_STARTING) {
			session_execute(session, &settings);
			session_rest(session);
			continue;
		}
		/* ^C with nothing under way. */
		if (*session->stopped)
			return;
		if (session->way != NULL)
			session->calls->keep(session->way);
		nanosleep(&pause, NULL);
	}
}

/** The far end is told that nothing more comes. */
void
session_end(struct session *session)
{
	struct near near = {
		.length = FRAME_BYTES_MIN - session->calls->overhead_bytes,
		.sequence = (uint32_t)nhn_clock_now(),
	};
	struct nhn_gaps gaps;

	nhn_gaps_init(&gaps, UINT64_MAX);
	near.gaps = &gaps;
	near.answers.next = near.sequence;
	near.pattern = near_pattern_new(near.length, 0);
	if (near.pattern != NULL && session->calls->end(session->way, &near) != OUTCOME_OK)
		say("pong did not answer that it ends: end it by ^C.");
	free((void *)(uintptr_t)near.pattern);
}
