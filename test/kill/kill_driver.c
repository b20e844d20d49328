/* SPDX-License-Identifier: BSD-3-Clause */

#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>

#include <nhn_link_text.h>

#include "kill_driver.h"
#include "process.h"

#define POLL_US 50u

static const char *const side_name[] = {"host", "guest"};

static void
say_side(const struct kill_driver *driver, uint32_t who)
{
	const struct kill_status *status = &driver->ledger->status[who];
	uint32_t state = nhn_load_acquire(&status->state);
	uint32_t i;

	fprintf(stderr, "  %s: %s, %s, session %u, discarded %u\n", side_name[who],
		driver->pid[who] == 0  ? "dead"
		: driver->stopped[who] ? "stopped"
				       : "running",
		state == 0 ? "not yet there"
			   : nhn_link_state_text((enum nhn_link_state)(state - 1)),
		status->session, status->discarded);
	for (i = 0; i < KILL_CHANNELS; i++)
		fprintf(stderr, "    channel %u: %u of %u sent, %u delivered\n", i,
			driver->ledger->way[who][i].intended, driver->ledger->way[who][i].allowed,
			driver->ledger->way[who][i].delivered);
}

void
kill_fail(const struct kill_driver *driver, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fprintf(stderr, "seed %llu: ", (unsigned long long)driver->ledger->seed);
	vfprintf(stderr, format, arguments);
	fprintf(stderr, "\n");
	va_end(arguments);
	say_side(driver, 0);
	say_side(driver, 1);
	exit(1);
}

void
kill_driver_init(struct kill_driver *driver, const struct kill_plan *plan,
		 struct kill_totals *totals, const char *path)
{
	struct kill_ledger *ledger = process_memory(sizeof(*ledger));

	if (ledger == NULL) {
		perror("mmap");
		exit(1);
	}
	memset(driver, 0, sizeof(*driver));
	driver->plan = plan;
	driver->ledger = ledger;
	driver->totals = totals;
	driver->path = path;
	driver->deadline_ns = process_now_ns() + KILL_SECONDS * UINT64_C(1000000000);
	ledger->epoch_ns = process_now_ns();
	ledger->seed = plan->seed;
	ledger->layout_changes = plan->layout[0] != plan->layout[1];
	ledger->beat_period_us = KILL_BEAT_US;
	ledger->life_seconds = KILL_SECONDS;
	memcpy(ledger->first_session, plan->first_session, sizeof(ledger->first_session));
}

uint32_t
kill_now_us(const struct kill_driver *driver)
{
	return (uint32_t)((process_now_ns() - driver->ledger->epoch_ns) / 1000);
}

/* The words of a side's area, which outlive it. NULL: there is no file yet. */
static const struct nhn_control *
own_words(struct kill_driver *driver, uint32_t who)
{
	struct nhn_region_config config;

	if (driver->look.base == NULL) {
		nhn_region_config_init(&config);
		config.path = driver->path;
		config.access = NHN_REGION_READ_ONLY;
		if (nhn_region_open(&driver->look, &config) != 0)
			return NULL;
	}
	return (const struct nhn_control *)(driver->look.base + who * (KILL_REGION_BYTES / 2));
}

/* ---- begin ---- */

void
kill_arm(struct kill_driver *driver, uint32_t who, const struct kill_injury *injury)
{
	struct kill_order *order = &driver->ledger->order[who];

	driver->ledger->status[who].hit = 0;
	driver->doomed[who] = injury->action == KILL_DEAD;
	order->passes = injury->passes;
	order->action = injury->action;
	nhn_store_release(&order->armed, injury->point == KILL_NO_POINT ? 0 : injury->point + 1);
}

void
kill_begin(struct kill_driver *driver, uint32_t who, const struct kill_injury *injury)
{
	struct kill_ledger *ledger = driver->ledger;
	struct kill_order *order = &ledger->order[who];
	const struct nhn_control *own = own_words(driver, who);
	uint32_t i;

	memset(&ledger->status[who], 0, sizeof(ledger->status[who]));
	if (own != NULL)
		ledger->status[who].discarded = nhn_load_relaxed(&own->discarded);
	for (i = 0; i < KILL_CHANNELS; i++)
		ledger->way[1 - who][i].based = 0;
	order->finish = 0;
	order->armed = 0;
	order->life++;
	if (who == 0)
		order->layout = driver->plan->layout[driver->host_lives++ % 2];
	driver->stopped[who] = false;
	driver->doomed[who] = false;
	if (injury != NULL)
		kill_arm(driver, who, injury);
	driver->starting = true;
	driver->started_us = kill_now_us(driver);
	driver->pid[who] = process_fork();
	if (driver->pid[who] == 0)
		_exit(kill_side_run(ledger, (enum nhn_role)(who + 1), driver->path));
	if (driver->pid[who] < 0)
		KILL_FAIL(driver, "fork: %m");
}

/* ---- end ---- */

/* What it had read and not published, by its cursors, which outlive it. */
static uint32_t
read_untold(struct kill_driver *driver, uint32_t who)
{
	const struct nhn_control *own = own_words(driver, who);
	uint32_t sum = 0;
	uint32_t i;

	for (i = 0; own != NULL && i < KILL_CHANNELS; i++) {
		const struct kill_way *in = &driver->ledger->way[1 - who][i];

		if (in->based)
			sum += in->base + in->delivered - nhn_load_relaxed(&own->cursor[i].cells);
	}
	return sum;
}

/* What it counted in the control step that it died in: its next life may find the cells
 * still there and count them again. */
static uint32_t
counted_last(struct kill_driver *driver, uint32_t who)
{
	const struct nhn_control *own = own_words(driver, who);

	return own == NULL
		       ? 0
		       : nhn_load_relaxed(&own->discarded) - driver->ledger->status[who].discarded;
}

static void
expect_unfailed(const struct kill_driver *driver, uint32_t who)
{
	if (nhn_load_acquire(&driver->ledger->status[who].failed) != 0)
		KILL_FAIL(driver, "%s failed: see above", side_name[who]);
}

static void
ended(struct kill_driver *driver, uint32_t who, int status)
{
	const struct kill_ledger *ledger = driver->ledger;
	bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && driver->doomed[who];
	bool finished = WIFEXITED(status) && WEXITSTATUS(status) == 0 && ledger->order[who].finish;

	driver->pid[who] = 0;
	driver->stopped[who] = false;
	expect_unfailed(driver, who); /* it may have been killed after that */
	if (!killed && !finished)
		KILL_FAIL(driver, "%s ended by %s %d, and nobody had ended it", side_name[who],
			  WIFSIGNALED(status) ? "signal" : "exit",
			  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	/* Whoever closes tells all that it has given back. */
	driver->read_untold[1 - who] +=
		finished ? ledger->status[who].held : read_untold(driver, who);
	driver->counted_twice[who] += counted_last(driver, who);
}

static void
look_at(struct kill_driver *driver, uint32_t who, int options)
{
	int status;

	if (driver->pid[who] == 0 || waitpid(driver->pid[who], &status, options) <= 0)
		return;
	if (WIFSTOPPED(status))
		driver->stopped[who] = true;
	else if (!WIFCONTINUED(status))
		ended(driver, who, status);
}

void
kill_wait(struct kill_driver *driver)
{
	uint32_t who;

	process_rest_us(POLL_US);
	if (process_now_ns() > driver->deadline_ns)
		KILL_FAIL(driver, "hangs: nothing more came for %u s", KILL_SECONDS);
	for (who = 0; who < 2; who++) {
		expect_unfailed(driver, who);
		look_at(driver, who, WNOHANG | WUNTRACED);
		/* It came to its point after all, when nobody waited any longer. */
		if (driver->stopped[who] && driver->ledger->order[who].armed == 0)
			kill_continue(driver, who);
	}
}

/* From here on counts how long the peer takes to be told. */
static void
note_injury(struct kill_driver *driver, uint32_t who)
{
	driver->starting = false;
	driver->since_us = kill_now_us(driver);
	driver->peer_was_up = driver->ledger->status[1 - who].state == NHN_LINK_UP + 1u;
}

void
kill_now(struct kill_driver *driver, uint32_t who)
{
	if (driver->pid[who] == 0) /* which would be everybody */
		return;
	driver->doomed[who] = true;
	note_injury(driver, who);
	kill(driver->pid[who], SIGKILL);
	while (driver->pid[who] != 0)
		look_at(driver, who, 0);
}

void
kill_stop(struct kill_driver *driver, uint32_t who)
{
	if (driver->pid[who] == 0)
		return;
	note_injury(driver, who);
	kill(driver->pid[who], SIGSTOP);
	while (driver->pid[who] != 0 && !driver->stopped[who])
		look_at(driver, who, WUNTRACED);
}

void
kill_continue(struct kill_driver *driver, uint32_t who)
{
	driver->ledger->order[who].armed = 0;
	driver->stopped[who] = false;
	driver->starting = false; /* the time it stood is not the link's */
	kill(driver->pid[who], SIGCONT);
}

void
kill_finish(struct kill_driver *driver)
{
	nhn_store_release(&driver->ledger->order[0].finish, 1);
	nhn_store_release(&driver->ledger->order[1].finish, 1);
	while (driver->pid[0] != 0 || driver->pid[1] != 0)
		kill_wait(driver);
}

/* ---- up, and told ---- */

static bool
is_up(const struct kill_driver *driver, uint32_t who)
{
	uint32_t state = nhn_load_acquire(&driver->ledger->status[who].state);

	return state == NHN_LINK_UP + 1u || state == NHN_LINK_STALLED + 1u;
}

void
kill_wait_up(struct kill_driver *driver)
{
	const struct kill_status *status = driver->ledger->status;
	uint32_t up_us;

	while (!is_up(driver, 0) || !is_up(driver, 1))
		kill_wait(driver);
	up_us = status[0].up_us > status[1].up_us ? status[0].up_us : status[1].up_us;
	if (driver->starting && up_us >= driver->started_us) {
		uint64_t took_ns = (uint64_t)(up_us - driver->started_us) * 1000;

		if (took_ns > driver->totals->up.max_ns)
			driver->totals->slowest_seed = driver->ledger->seed;
		nhn_histogram_record(&driver->totals->up, took_ns);
	}
	driver->starting = false;
}

void
kill_note_told(struct kill_driver *driver, uint32_t who)
{
	uint32_t told_us = nhn_load_acquire(&driver->ledger->status[1 - who].stalled_us);

	if (driver->peer_was_up && told_us > driver->since_us)
		nhn_histogram_record(&driver->totals->told,
				     (uint64_t)(told_us - driver->since_us) * 1000);
}

void
kill_print_times(const char *what, const struct nhn_histogram *h)
{
	uint64_t median_ns, p99_ns;

	printf("%-24s N %-6llu", what, (unsigned long long)h->total);
	if (nhn_histogram_percentile(h, 1, 2, &median_ns) == 0)
		printf(" median %8.3f ms,", (double)median_ns / 1e6);
	if (nhn_histogram_percentile(h, 99, 100, &p99_ns) == 0)
		printf(" p99 %8.3f ms,", (double)p99_ns / 1e6);
	printf(" worst %8.3f ms\n", (double)h->max_ns / 1e6);
}
