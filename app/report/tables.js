// SPDX-License-Identifier: BSD-3-Clause
'use strict';

// Tables of figures: all runs side by side, and all histograms of one run.
const tables = (() => {
	const { el } = dom;
	const STATES = { met: ['\u2713', 'met'], failed: ['\u2715', 'failed'],
		missed: ['!', 'threshold missed'], unknown: ['?', 'not known'] };

	function stateOf(entry) {
		if (entry.run.met === false)
			return 'failed';
		if (model.missed(entry).length > 0)
			return 'missed';
		return entry.run.met === true ? 'met' : 'unknown';
	}

	const badge = (state, words) => el('span', { class: `badge ${state}`, 'data-verdict': state },
		el('span', { 'aria-hidden': 'true' }, STATES[state][0]), ' ' + (words || STATES[state][1]));

	// Reasons for dashes, below the table: paper and phones have no hover.
	function footnotes() {
		const reasons = [];
		const mark = (reason) => {
			if (!reasons.includes(reason))
				reasons.push(reason);
			return String.fromCharCode(97 + reasons.indexOf(reason) % 26);
		};
		return {
			dash: (reason) => [text.DASH, el('sup', {}, mark(reason))],
			list: () => reasons.length > 0 && el('p', { class: 'footnotes' }, reasons.map((reason, i) =>
				[i > 0 && ' ', el('span', {}, el('sup', {}, mark(reason)), ` ${text.DASH}: ${reason}.`)])),
		};
	}

	// A number, or a dash with its reason. data-figure names it by the document's own path.
	function figure(entry, path, raw, show, why, notes) {
		const there = text.isNumber(raw);
		return el('td', { class: 'number', 'data-figure': `${entry.id}/${path}`,
			'data-value': there ? String(raw) : 'null' }, there ? show(raw) : notes.dash(why));
	}

	const link = (entry) => el('th', { scope: 'row' },
		el('a', { href: `#run-${entry.id}` }, el('bdi', {}, entry.label)));

	// Numbers alone in the cells: the head of each column has the unit.
	function overview(entries) {
		const notes = footnotes();
		const names = ['p50', 'p90', 'p99', 'p99.9', 'p99.99', 'p99.999', 'p99.9999'];
		const rows = entries.map((entry) => {
			const h = model.histogram(entry, 'latency_ns') || {};
			const rate = model.rate(entry);
			return el('tr', {}, link(entry), el('td', {}, badge(stateOf(entry))),
				figure(entry, 'samples', entry.run.samples, text.count, 'not in the document', notes),
				[...names, 'max'].map((name) => figure(entry, `overview/${name}`, h[name], text.count,
					model.whyNot(entry, 'latency_ns', name), notes)),
				figure(entry, 'ratio_p50', entry.run.ratio_p50, (v) => v.toFixed(3),
					'no limit was measured', notes),
				figure(entry, 'rate.messages_per_s', rate.messages_per_s,
					(v) => text.count(Math.round(v)), 'no rate was measured', notes));
		});
		const unit = (name, of) => el('th', { scope: 'col' }, name, el('small', {}, of));
		return [dom.table('All runs: latency in nanoseconds', [el('th', { scope: 'col' }, 'run'),
			el('th', { scope: 'col' }, 'verdict'), unit('N', 'samples'),
			names.map((name) => unit(text.percent(name), 'ns')), unit('max', 'ns'),
			unit('ratio', 'to limit'), unit('rate', 'messages/s')].flat(), rows, 'figures'), notes.list()];
	}

	// Two numbers, "low to high", or a dash with its reason.
	function range(entry, path, pair, show, why, notes, tag = 'td') {
		const found = model.array(pair);
		const there = found.length === 2 && found.every(text.isNumber);
		return el(tag, { class: 'number soft', 'data-figure': `${entry.id}/${path}`,
			'data-value': there ? JSON.stringify(found) : 'null' },
		there ? `${show(found[0])} to ${show(found[1])}` : notes.dash(why));
	}

	const interval = (entry, key, name, notes) => range(entry, `${key}/interval/${name}`,
		model.object(model.object(model.histogram(entry, key)).interval)[name], text.count,
		model.whyNot(entry, key, name), notes);

	// Percentiles down, histograms across: that fits a phone, and a run beside its limit and floors.
	function histograms(entry) {
		const notes = footnotes();
		const always = ['latency_ns', 'limit_ns', 'floor_ns', 'far_floor_ns'];
		const shown = model.HISTOGRAMS.filter(([key]) => always.includes(key) || model.histogram(entry, key))
			.sort((a, b) => Number(always.includes(b[0])) - Number(always.includes(a[0])));
		const cell = (key, name, show) => figure(entry, `${key}/${name}`,
			(model.histogram(entry, key) || {})[name], show, model.whyNot(entry, key, name), notes);
		const row = (name, label, show, hasInterval) => el('tr', {}, el('th', { scope: 'row' }, label),
			shown.map(([key]) => [cell(key, name, show), key === 'latency_ns' &&
				(hasInterval ? interval(entry, key, name, notes) : el('td', {}))]));
		const outside = ['below', 'above'].filter((name) =>
			shown.some(([key]) => (model.histogram(entry, key) || {})[name] > 0));
		const title = { latency_ns: model.string(entry.run.latency_of, 'latency'),
			extra_ns: model.string(entry.run.extra_of, 'extra') };
		const head = [el('th', { scope: 'col' }, 'percentile'), shown.map(([key, label]) =>
			[el('th', { scope: 'col' }, el('bdi', {}, title[key] || label), el('small', {}, 'ns')),
				key === 'latency_ns' && el('th', { scope: 'col' }, '95\u00a0% interval', el('small', {}, 'ns'))])];
		const body = [row('min', 'min', text.count),
			model.PERCENTILES.map((name) => row(name, text.percent(name), text.count, true)),
			row('max', 'max', text.count),
			row('mean', 'mean', (v) => text.count(Number(v.toFixed(1)))),
			row('n', 'N, samples', text.count),
			outside.map((name) => row(name, name === 'below' ? 'below 1\u00a0ns, samples'
				: 'above 100\u00a0s, samples', text.count))];
		return [dom.table('Latency, limit and noise floor', head.flat(Infinity).filter(Boolean),
			body.flat(), 'figures'), notes.list()];
	}

	// Named figures of a run with a reason for each that is not there.
	function facts(entry, caption, list) {
		const notes = footnotes();
		const rows = list.map(([path, label, raw, show, why]) => el('tr', {},
			el('th', { scope: 'row' }, label),
			typeof raw === 'boolean' ? el('td', { 'data-figure': `${entry.id}/${path}`, 'data-value': String(raw) },
				raw ? 'yes' : 'no') : figure(entry, path, raw, show, why, notes)));
		return [dom.table(caption, null, rows, 'facts'), notes.list()];
	}

	const between = (spread, show) => text.isNumber(model.object(spread).min)
		? ` (rounds: ${show(spread.min)} to ${show(spread.max)}, middle half ` +
			`${show(spread.p25)} to ${show(spread.p75)})` : '';

	function rates(entry) {
		const { run } = entry;
		const rate = model.rate(entry);
		const asked = 'no rate was asked for';
		const none = 'not measured in this mode';
		const perSecond = (v) => text.count(Number(v.toFixed(1))) + '\u00a0messages/s';
		const rounds = model.object(run.rounds);
		return facts(entry, 'Rate and rounds', [
			['rate.asked', 'offered', rate.asked, perSecond, asked],
			['rate.messages_per_s', 'achieved', rate.messages_per_s,
				(v) => perSecond(v) + between(rate.spread, text.rate), 'no round was kept'],
			['rate.bytes_per_s', 'bytes', rate.bytes_per_s, text.byteRate, 'no round was kept'],
			['rate.far_messages_per_s', 'as the far end counted', rate.far_messages_per_s, perSecond, none],
			['rate.back_messages_per_s', 'from the far end', rate.back_messages_per_s,
				(v) => perSecond(v) + between(rate.back_spread, text.rate), none],
			['rate.held', 'offered rate held', rate.held, text.count, asked],
			['rate.late', 'sent late by more than a period', rate.late,
				(v) => text.count(v) + '\u00a0messages', asked],
			['rate.late_most_ns', 'latest', rate.late_most_ns, text.ns, asked],
			['ratio_p50', 'p50 over the limit\u2019s p50', run.ratio_p50,
				(v) => v.toFixed(3) + between(run.ratio_p50_spread, (s) => s.toFixed(3)), 'no limit was measured'],
			['messages', 'messages of kept rounds', run.messages, text.count, 'not in the document'],
			['rounds.planned', 'rounds planned', rounds.planned, text.count, 'ended by time'],
			['rounds.kept', 'rounds kept', rounds.kept, text.count, 'not in the document'],
			['rounds.dropped', 'rounds dropped for an unsteady limit', rounds.dropped, text.count,
				'not in the document'],
			['rounds.void', 'rounds void by loss or restart', rounds.void, text.count, 'not in the document'],
			['run_ns', 'the run took', run.run_ns, (v) => text.time(v, 4), 'not in the document'],
			['measured_ns', 'of that in kept rounds', run.measured_ns, (v) => text.time(v, 4),
				'not in the document'],
			['recorder_ns_per_sample', 'recording a sample costs', run.recorder_ns_per_sample,
				(v) => text.count(Number(v.toFixed(2))) + '\u00a0ns', 'not measured'],
		]);
	}

	return { overview, histograms, rates, figure, range, facts, footnotes, badge, stateOf };
})();
