// SPDX-License-Identifier: BSD-3-Clause
'use strict';

// The page: reads the documents that stand in it and builds all parts in order.
const page = (() => {
	const { el } = dom;
	const { part, section } = parts;
	const command = (sheet) => parts.command(sheet.program.command, sheet.index);
	// Runs that are unfolded from the begin: a long report stays short and quick.
	const OPEN_RUNS = 1;

	const SENTENCES = {
		met: (v, sheet) => sheet.runs.length > 1 ? 'All runs did what was asked of them.' : 'The run did what was asked of it.',
		failed: (v, sheet) => sheet.runs.length > 1
			? `${v.failed.length} of ${sheet.runs.length} runs failed: something was lost, wrong or cut off.`
			: 'The run failed: something was lost, wrong or cut off.',
		missed: (v, sheet) => sheet.runs.length > 1 ? `${v.short.length} of ${sheet.runs.length} runs missed a threshold.`
			: 'The run missed a threshold.',
		unknown: (v, sheet) => sheet.runs.length ? 'Whether the runs did what was asked is not in the document.'
			: 'The document holds no run.',
	};

	function header(sheet) {
		const v = model.verdict(sheet);
		const first = sheet.runs.length ? model.string(sheet.runs[0].run.begun, null) : null;
		const facts = [model.string(sheet.near.host, null), parts.when(first),
			model.string(sheet.program.version, null) && `ipc-perf ${sheet.program.version}`,
			`${text.count(sheet.runs.length)} ${sheet.runs.length === 1 ? 'run' : 'runs'}`];
		return el('header', {}, el('h1', {}, 'ipc-perf report'),
			parts.factsLine(facts),
			el('div', { class: `verdict ${v.gravest && v.state === 'met' ? 'missed' : v.state}` }, el('p', {}, tables.badge(v.state), ' ',
				SENTENCES[v.state](v, sheet)),
			v.gravest && el('p', { class: 'gravest' }, el('bdi', {}, String(v.gravest.warning)),
				sheet.runs.length > 1 && el('span', { class: 'soft' }, ' (', el('bdi', {}, v.gravest.entry.name), ')'))),
			command(sheet));
	}

	function warnings(entry) {
		const list = model.array(entry.run.warnings);
		return list.length > 0 && el('ul', { class: 'warnings' }, list.map((warning) =>
			el('li', { 'data-warning': entry.id }, el('bdi', {}, text.value('', warning)))));
	}

	function subtitle(entry) {
		const { run } = entry;
		const of = [run.mode, run.via && `via ${run.via}`, run.loop && (run.loop === 'none' ? 'no loop' : `${run.loop} loop`),
			run.outcome, model.string(model.object(run.settings).size, null) && `size ${run.settings.size}`];
		return of.filter((word) => typeof word === 'string').join(', ');
	}

	function runSection(entry, open) {
		const charts = [part('The percentile chart', () => chartCurve.single(entry)),
			part('The chart over time', () => chartTime.lines(entry)),
			part('The heat map', () => chartTime.heat(entry))].filter(Boolean);
		return el('details', { class: 'run', id: `run-${entry.id}`, open },
			el('summary', {}, el('h3', {}, el('bdi', {}, entry.label)), tables.badge(tables.stateOf(entry)),
				el('span', { class: 'soft' }, el('bdi', {}, subtitle(entry)))),
			warnings(entry),
			part('The thresholds', () => tablesRun.expects(entry)),
			part('The table of latency', () => tables.histograms(entry)),
			charts.length > 0 ? charts : el('p', { class: 'note' },
				`No charts of latency: ${model.whyNot(entry, 'latency_ns', 'min')}.`),
			el('div', { class: 'columns' },
				el('div', {}, part('The table of rates', () => tables.rates(entry)),
					part('The table of one-way times', () => tablesRun.oneWay(entry))),
				el('div', {}, part('The table of counts', () => tablesRun.counts(entry)))),
			part('The table of gaps', () => tablesRun.gaps(entry)),
			el('details', {}, el('summary', {}, 'Settings, link and method'),
				part('The settings', () => tablesRun.settings(entry))));
	}

	function placements(sheets) {
		return sheets.map((sheet) => {
			const all = [...model.array(sheet.document.checks),
				...sheet.runs.flatMap((entry) => model.array(entry.run.checks))].filter(model.isObject);
			const once = [...new Map(all.map((check) => [JSON.stringify(check), check])).values()];
			return [part('The placement', () => tablesRun.placement(sheet)),
				part('The checks', () => tablesRun.checks(once))];
		});
	}

	function peers(sheets) {
		return sheets.slice(1).map((sheet) => [
			el('h3', {}, el('bdi', {}, sheet.label)),
			el('p', {}, el('bdi', {}, [model.string(sheet.near.host, null), model.string(sheet.program.version, null)]
				.filter(Boolean).join(', ') || 'host and version not known'),
			`, ${text.count(sheet.runs.length)} ${sheet.runs.length === 1 ? 'run' : 'runs'}: `,
			tables.badge(model.verdict(sheet).state)),
			command(sheet)]);
	}

	const METHOD = [
		['Percentile', 'The smallest recorded value with at least that share of the N samples at or below it, ' +
			'within 0.1\u00a0%. It is given only where at least 100 samples lie on its scarcer side.'],
		['95\u00a0% interval', 'Between two of the samples, by their ranks (order statistics): no shape of the ' +
			'distribution is assumed. It tells of chance, not of a machine that changes.'],
		['Closed loop', 'The next message goes out when the last answer is there; a pause of either end delays ' +
			'what would have come in it, and is seen once.'],
		['Open loop', 'Each message has its time, and latency counts from that time, whether it could be sent ' +
			'then or not: a pause is seen by all messages in it.'],
		['Limit', 'Round trip of one 32-bit word on a cache line of its own each way, in the same memory, on the ' +
			'same cores, between the rounds. The ratio is that of p50 to the p50 of the limit around each round; ' +
			'of these the median. Ratios are steadier than nanoseconds between two machines.'],
		['Noise floor', 'Gaps of a loop that only reads the clock, on the near and on the far core, between the ' +
			'rounds. What the floor has, the machine did.'],
		['Gaps', 'The largest interruptions seen, with the likeliest cause by what the kernel counted meanwhile.'],
		['One way', 'By the clocks of both ends, compared in the exchange with the shortest round trip. Right ' +
			'within the error that stands beside it.'],
		['Rate', 'Median of the rounds; where a rate was offered, messages over time.'],
	];

	// A suite's document has a page of its own.
	function build(documents) {
		if (suiteModel.isSuite(model.array(documents)[0]))
			return suite.build(documents).flat(Infinity).filter(Boolean);
		const { sheets, entries } = model.read(documents);
		const open = entries.length <= OPEN_RUNS + 1 ? entries.length : OPEN_RUNS;
		const problems = sheets.map((sheet) => sheet.problem).filter(Boolean);
		const curves = part('The percentile chart', () => entries.length > 1 && chartCurve.compare(entries));
		return [
			sheets.length ? part('The verdict', () => header(sheets[0])) : el('h1', {}, 'ipc-perf report'),
			problems.map((sentence) => el('p', { class: 'problem' }, sentence)),
			sheets.length === 0 && el('p', { class: 'problem' }, 'There is no document in this page.'),
			section('summary', 'Figures', entries.length ? part('The overview', () => tables.overview(entries))
				: el('p', {}, 'There is no run to show.'),
			el('p', { class: 'note screen' }, parts.CHARTS_HOW), curves),
			section('sweeps', 'Sweeps', part('The sweeps', () => chartSweep.charts(entries))),
			section('runs', entries.length === 1 ? 'The run' : 'Each run', entries.map((entry, i) => runSection(entry, i < open))),
			section('placement', 'Placement and checks', part('The placement', () => placements(sheets))),
			section('peers', 'Compared with', part('The peers', () => peers(sheets))),
			section('method', 'How to read it', parts.method(METHOD)),
		].flat(Infinity).filter(Boolean);
	}

	// ---- paper, theme, links into folded runs ----

	const unfolded = new Set();

	function toPaper() {
		for (const details of document.querySelectorAll('details:not([open])')) {
			unfolded.add(details);
			details.open = true;
		}
		plot.setPaper(true);
	}

	function fromPaper() {
		unfolded.forEach((details) => { details.open = false; });
		unfolded.clear();
		plot.setPaper(false);
	}

	function unfoldTarget() {
		const target = document.getElementById(location.hash.slice(1));
		if (target && target.tagName === 'DETAILS')
			target.open = true;
	}

	function listen() {
		window.addEventListener('beforeprint', toPaper);
		window.addEventListener('afterprint', fromPaper);
		matchMedia('print').addEventListener('change', (event) => event.matches ? toPaper() : fromPaper());
		matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => plot.redraw());
		window.addEventListener('hashchange', unfoldTarget);
		unfoldTarget();
	}

	function start() {
		const main = document.getElementById('report');
		try {
			main.replaceChildren(...build(JSON.parse(document.getElementById('documents').textContent)));
			listen();
		} catch (error) {
			main.replaceChildren(el('p', { class: 'problem' }, `The data in this page cannot be read: ${error.message}.`));
		}
		document.documentElement.dataset.ready = 'yes';
	}

	return { start };
})();

page.start();
