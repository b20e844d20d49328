/* SPDX-License-Identifier: BSD-3-Clause */
/* What the prompt's thread asks of the main lcore. */

#include <errno.h>

#include "engine.h"
#include "say.h"
#include "session_internal.h"

static bool
under_way(const struct session *session)
{
	return session->state == SESSION_STARTING || session->state == SESSION_RUNNING;
}

int
session_start(struct session *session)
{
	bool ethdev = session->options->via == VIA_ETHDEV;
	int ret = 0;

	pthread_mutex_lock(&session->lock);
	if (session->state != SESSION_IDLE)
		ret = -EBUSY;
	else
		ret = settings_check(&session->settings, "start", session->given, ethdev);
	if (ret == 0 && (session->settings.engine->uses & USES_LINK) && session->way == NULL) {
		say("start: the mode %s needs a link, expected --link on the command line.",
		    session->settings.engine->name);
		ret = -EINVAL;
	}
	if (ret == 0) {
		*session->stopped = 0;
		session->far_lost = false;
		session->state = SESSION_STARTING;
	}
	pthread_mutex_unlock(&session->lock);
	return ret;
}

void
session_stop(struct session *session)
{
	pthread_mutex_lock(&session->lock);
	/* One that has not begun never will. */
	if (session->state == SESSION_STARTING) {
		session->state = SESSION_IDLE;
		pthread_cond_broadcast(&session->changed);
	} else if (session->state == SESSION_RUNNING) {
		*session->stopped = 1;
	}
	pthread_mutex_unlock(&session->lock);
}

void
session_wait(struct session *session)
{
	pthread_mutex_lock(&session->lock);
	while (under_way(session))
		pthread_cond_wait(&session->changed, &session->lock);
	pthread_mutex_unlock(&session->lock);
}

int
session_clear(struct session *session)
{
	int ret = 0;

	pthread_mutex_lock(&session->lock);
	if (under_way(session))
		ret = -EBUSY;
	else
		session->has_result = json_array_clear(session->runs) != 0;
	pthread_mutex_unlock(&session->lock);
	return ret;
}

void
session_quit(struct session *session)
{
	session_stop(session);
	session_wait(session);
	pthread_mutex_lock(&session->lock);
	session->state = SESSION_ENDING;
	pthread_mutex_unlock(&session->lock);
}

void
session_rest(struct session *session)
{
	pthread_mutex_lock(&session->lock);
	if (session->state == SESSION_RUNNING)
		session->state = SESSION_IDLE;
	/* ^C, as stop, ends a whole scenario. */
	session->interrupted = *session->stopped != 0;
	*session->stopped = 0;
	pthread_cond_broadcast(&session->changed);
	pthread_mutex_unlock(&session->lock);
}
