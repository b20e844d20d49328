// SPDX-License-Identifier: BSD-3-Clause
'use strict';

// Tables of a suite: bars, contestants, place, the ranking of a work, the tail, laws.
const suiteTables = (() => {
	const { el } = dom;
	const head = (name, unit) => el('th', { scope: 'col' }, name, unit && el('small', {}, unit));
	const prose = (name) => el('th', { scope: 'col', class: 'prose' }, name);
	const ns = (value) => text.count(Number(value.toFixed(value < 1 ? 4 : 1)));
	const ratio = (value) => value.toFixed(3);
	const whole = (value) => text.count(Math.round(value));
	const NOT_KNOWN = 'not known, the document does not say';
	const BAR_WORDS = { met: 'met', missed: 'missed', unknown: 'not measured' };

	const nameCell = (entry, label, rank) => el('th', { scope: 'row' }, rank, el('bdi', {}, label),
		entry.kind !== 'peer' && el('span', { class: 'kind' }, entry.kind));
	const row = (entry, ...cells) => el('tr', { class: entry.kind }, cells);

	const quartiles = (of) => [model.object(of).p25, model.object(of).p75];

	// ---- headline ----

	// As many digits as show on which side of the bar it is.
	function beside(value, bar) {
		const shown = [3, 4, 5, 6].map((digits) => value.toFixed(digits));
		return shown.find((one) => value === bar || Number(one) !== bar) || shown[3];
	}

	const words = (value, empty) => Array.isArray(value) ? value.join(', ') || empty : 'not known';

	// Whom it is held against, and who was not there.
	function against(found) {
		const absent = model.array(found.absent).filter(Array.isArray);
		return el('td', { class: 'prose', 'data-against': '' }, el('bdi', {}, words(found.against, text.DASH)),
			absent.length > 0 && el('small', {}, ' without ', absent.map(([name, why], i) =>
				[i > 0 && '; ', el('bdi', {}, `${name} (${why})`)])),
			!Array.isArray(found.absent) && el('small', {}, ' (who was absent: not known)'));
	}

	function bars(sheet) {
		const notes = tables.footnotes();
		const rows = sheet.bars.map((bar) => {
			const { found } = bar;
			const state = suiteModel.barState(bar);
			const why = model.string(found.why, 'not measured');
			const counted = found.interval === 'counted';
			const show = counted ? text.count : ratio;
			return el('tr', {}, el('th', { scope: 'row', class: 'prose' }, el('bdi', {}, model.string(found.text, bar.name)),
				found.text && el('small', {}, el('code', {}, bar.name))),
			el('td', {}, tables.badge(state, state === 'unknown' && text.isNumber(found.value) ? 'not judged' : BAR_WORDS[state])),
			tables.figure(bar, 'value', found.value, (v) => counted ? show(v) : beside(v, found.bar), why, notes),
			tables.figure(bar, 'bar', found.bar, (v) => `${model.string(found.sense, '')} ${show(v)}`, 'no bar', notes),
			tables.range(bar, 'range', [found.low, found.high], show, why, notes),
			el('td', { 'data-interval': '' }, el('bdi', {}, model.string(found.interval, 'not known'))),
			tables.figure(bar, 'rounds', found.rounds, text.count, NOT_KNOWN, notes),
			tables.figure(bar, 'apart', found.apart, text.count, NOT_KNOWN, notes),
			against(found),
			el('td', { class: 'prose' }, el('bdi', {}, model.string(found.why, state === 'unknown' ? 'no reason in the document' : ''))));
		});
		return [dom.table('Bars: medians of per-round ratios', [head('bar'), head(''), head('found'), head('asked for'),
			head('range'), head('range of'), head('rounds'), head('left out', 'limits differed'), prose('against'), prose('why')],
		rows, 'figures'), notes.list()];
	}

	function contestants(sheet) {
		const notes = tables.footnotes();
		const rows = sheet.contestants.map((entry) => {
			const { found } = entry;
			const why = suiteModel.whyMissing(entry);
			const cell = (key, show) => tables.figure(entry, key, found[key], show, why || 'not measured', notes);
			return row(entry, nameCell(entry, entry.name), el('td', {}, el('bdi', {}, suiteModel.placeLabel(entry.where))),
				cell('attach_ns', (v) => text.time(v, 4)), ['near_kib', 'far_kib', 'shared_kib'].map((key) => cell(key, whole)),
				el('td', { class: 'prose' }, el('bdi', {}, model.string(found.what, text.DASH))),
				el('td', { class: 'prose', 'data-missing': why ? entry.id : null }, el('bdi', {}, why || '')));
		});
		return [dom.table('Contestants', [head('contestant'), head('where'), head('attach'), head('memory near', 'KiB'),
			head('memory far', 'KiB'), head('shared', 'KiB'), prose('what it is'), prose('why not measured')], rows, 'figures'),
		notes.list()];
	}

	// A list of words as a sentence has it.
	const listed = (of) => Object.fromEntries(Object.entries(of).map(([key, value]) => [key, Array.isArray(value)
		? value.map((one) => text.value('', one)).join('; ') || text.DASH : model.isObject(value) ? listed(value) : value]));

	function place(sheet) {
		const found = listed(model.object(sheet.document.place));
		for (const [name, version] of Object.entries(model.object(found.versions)))
			found.versions[name] = version === null ? 'not here' : version;
		if (Object.keys(found).length === 0)
			return el('p', { class: 'problem' }, 'The document has no "place": where it ran is not known.');
		return dom.table('Place', null, dom.pairs(found, ''), 'facts');
	}

	// What went wrong, and what the budget left out.
	function faults(sheet) {
		const { document: found } = sheet;
		const kinds = [['faults', 'Faults', ['step', 'contestant', 'text']], ['left_out', 'Left out', ['step', 'why']]];
		return kinds.map(([key, caption, keys]) => {
			const list = model.array(found[key]).filter(model.isObject);
			return list.length > 0 && el('details', {}, el('summary', {}, `${caption}: ${text.count(list.length)}`),
				dom.table(caption, keys, list.map((one, i) => el('tr', { 'data-listed': `${key}/${i}` }, keys.map((name) =>
					el('td', { class: 'prose' }, el('bdi', {}, text.value(name, one[name]))))))));
		}).filter(Boolean);
	}

	// ---- the ranking of a work ----

	const of = (key) => (found) => model.object(found[key]).median;
	const percentile = (name) => ({ path: `percentiles/${name}`, title: text.percent(name), unit: 'ns (95\u00a0% interval)', show: ns,
		name, get: (found) => model.object(found.percentiles)[name], interval: (found) => model.object(found.intervals)[name] });
	const TIMES = [
		{ path: 'ratio.median', title: 'ratio', unit: 'to the limit', show: ratio, get: of('ratio'), pair: 'ratio' },
		{ path: 'p50.median', title: 'p50', unit: 'ns', show: ns, get: of('p50'), pair: 'p50' },
		percentile('p99'), percentile('p99.9'), percentile('p99.99'),
		{ path: 'limit_ns', title: 'limit', unit: 'ns', show: ns, get: (found) => found.limit_ns },
	];
	const RATES = [
		{ path: 'rate.median', title: 'rate', unit: 'messages/s', show: whole, get: of('rate'), pair: 'rate' },
		{ path: 'bytes_per_s.median', title: 'bandwidth', unit: 'bytes/s', show: text.byteRate, get: of('bytes_per_s') },
	];
	const OVER = { path: 'over.median', title: 'over', unit: 'its reference', show: ratio, get: of('over'), pair: 'over' };
	const COUNTS = ['samples', 'rounds', 'dropped', 'lost', 'misordered'].map((key) => ({ path: key, title: key, show: text.count,
		get: (found) => found[key] }));

	const BESIDE = ['size', 'bulk'].map((key) => ({ path: key, title: key, unit: 'bytes', show: text.count, get: (found) => found[key] }));

	// A column that no figure of this work has says nothing, but for the first two.
	const columnsOf = (list, byRate) => [...(byRate ? [...RATES, OVER] : [...TIMES, ...RATES]), ...COUNTS]
		.filter((column, i) => i < 2 || list.some(({ found }) => text.isNumber(column.get(found))));

	const ascending = (a, b) => a < b ? -1 : a > b ? 1 : 0;

	// The best first; those without a figure last, and they have no rank. The limit of a machine may
	// jump from round to round: ratios to it stay comparable, nanoseconds do not.
	function ranked(list, byRate) {
		const best = byRate ? [of('rate')] : [of('ratio'), of('p50')];
		return list.map((entry) => ({ entry, values: best.map((get) => get(entry.found))
			.map((value) => text.isNumber(value) ? value * (byRate ? -1 : 1) : Infinity) }))
			.sort((a, b) => a.values.reduce((found, value, i) => found || ascending(value, b.values[i]), 0))
			.map(({ entry, values }, i) => ({ entry, rank: values.some(text.isNumber) ? `${i + 1}. ` : null }));
	}

	const varies = (list, column) => new Set(list.map(({ found }) => column.get(found)).filter(text.isNumber)).size > 1;

	function without(list) {
		const reasons = new Map();
		for (const entry of list) {
			const why = suiteModel.whyMissing(entry) || 'not measured at this choice';
			reasons.set(why, [...(reasons.get(why) || []), entry.label]);
		}
		return list.length > 0 && el('p', { class: 'note' }, 'Without a figure here: ', [...reasons].map(([why, labels], i) =>
			[i > 0 && '; ', el('bdi', {}, labels.join(', ')), ' (', el('bdi', {}, why), ')']), '.');
	}

	const NO_QUARTILES = 'quartiles need 3 rounds';
	const NO_INTERVAL = 'an interval needs 3 rounds, and samples enough in each draw of them';

	// A figure, and in brackets the interval that its column may have.
	function cellOf(entry, column, why, notes) {
		const raw = column.get(entry.found);
		const cell = tables.figure(entry, column.path, raw, column.show, why, notes);
		if (column.interval && text.isNumber(raw))
			cell.append(el('span', { class: 'soft' }, ' (', tables.range(entry, `${column.path}/interval`, column.interval(entry.found),
				column.show, NO_INTERVAL, notes, 'span'), ')'));
		return cell;
	}

	// all: the figures of this work, whose columns stay whatever is chosen; list: those to show.
	function ranking(caption, all, list, byRate, absent) {
		const notes = tables.footnotes();
		const columns = [...columnsOf(all, byRate), ...BESIDE.filter((column) => varies(list, column))];
		const rows = ranked(list, byRate).map(({ entry, rank }) => row(entry, nameCell(entry, entry.label, rank),
			columns.map((column) => {
				const why = suiteModel.whyNot(entry, column.name);
				return [cellOf(entry, column, why, notes),
					column.pair && tables.range(entry, `${column.pair}.quartiles`, quartiles(entry.found[column.pair]), column.show,
						text.isNumber(column.get(entry.found)) ? NO_QUARTILES : why, notes)];
			}), columns.includes(OVER) && el('td', {}, el('bdi', {}, model.string(model.object(entry.found.over).reference, '')))));
		const heads = [head('contestant'), columns.map((column) => [head(column.title, column.unit),
			column.pair && head('quartiles', column.unit)]), columns.includes(OVER) && head('reference')];
		return [dom.table(caption, heads.flat(Infinity).filter(Boolean), rows, 'figures ranking'), notes.list(),
			without(absent)];
	}

	// ---- tail ----

	const TAIL_NAMES = ['p50', 'p90', 'p99', 'p99.9', 'p99.99', 'p99.999', 'p99.9999'];

	function tail(found) {
		const entry = { id: 'tail', found };
		const notes = tables.footnotes();
		const histograms = [['ours', 'ours'], ['raw', 'raw line'], ['floor', 'gaps of the clock loop (each some ns), not trips']]
			.map(([key, title]) => ({ key, title, values: model.object(found[key]) }));
		const rows = ['min', ...TAIL_NAMES, 'max'].filter((name) => TAIL_NAMES.slice(2, 5).includes(name) ||
			histograms.some(({ values }) => text.isNumber(values[name]))).map((name) => {
			const why = suiteModel.whyNot(entry, name);
			const over = model.object(found[name]);
			const compared = TAIL_NAMES.slice(2, 5).includes(name);
			return el('tr', {}, el('th', { scope: 'row' }, name.startsWith('p') ? text.percent(name) : name),
				histograms.map(({ key, values }) => tables.figure(entry, `${key}/${name}`, values[name], ns, why, notes)),
				compared ? [tables.figure(entry, `${name}/ratio`, over.ratio, ratio, why, notes),
					tables.range(entry, `${name}/interval`, [over.low, over.high], ratio, why, notes)] : [el('td', {}), el('td', {})]);
		});
		return [dom.table('Tail: ours over the raw line', [head('percentile'), histograms.map(({ title }) => head(title, 'ns')),
			head('ratio', 'ours to raw'), head('95\u00a0% interval', 'bootstrap')].flat(), rows, 'figures'), notes.list()];
	}

	const NOISE_NAMES = { syscalls: 'system calls, in runs of their own', allocations: 'allocations, in runs of their own',
		voluntary: 'voluntary context switches', involuntary: 'involuntary context switches' };

	function noise(found) {
		const counts = model.object(found.noise);
		const names = [...new Set(['syscalls', 'minor_faults', 'major_faults', 'voluntary', 'involuntary', 'allocations',
			...Object.keys(counts)])];
		const uncounted = model.string(found.uncounted, null);
		return [tables.facts({ id: 'tail' }, 'Samples, and noise that ours made itself, both processes',
			[...['samples', 'rounds', 'dropped', 'lost', 'misordered', 'refused'].map((name) => [name, name, found[name], text.count, NOT_KNOWN]),
				...names.map((name) => [`noise.${name}`, NOISE_NAMES[name] || text.name(name), counts[name], text.count, 'not counted'])]),
		uncounted && el('p', { class: 'note', 'data-uncounted': '' }, 'Not counted: ', el('bdi', {}, uncounted), '.')];
	}

	// ---- laws ----

	function laws(sheet) {
		const notes = tables.footnotes();
		const rows = sheet.laws.map((entry) => {
			const { found } = entry;
			const unit = model.string(found.unit, 'step');
			const cell = (key, show) => tables.figure(entry, key, found[key], show, 'not fitted', notes);
			return row(entry, nameCell(entry, entry.label), el('td', {}, el('bdi', {}, model.string(found.of, text.DASH))),
				el('td', {}, el('bdi', {}, model.string(found.against, text.DASH))), cell('intercept_ns', ns),
				cell('slope_ns', (v) => text.count(Number(v.toPrecision(4)))), el('td', {}, el('bdi', {}, `ns/${unit}`)),
				cell('r2', (v) => v.toFixed(4)),
				el('td', { class: 'number', 'data-figure': `${entry.id}/points`, 'data-value': String(model.array(found.points).length) },
					text.count(model.array(found.points).length)));
		});
		return [dom.table('Laws: cost = constant + slope \u00d7 what grows', [head('contestant'), head('cost of a'), head('against'),
			head('constant', 'ns'), head('slope'), head(''), head('fit', 'R\u00b2'), head('points')], rows, 'figures'), notes.list()];
	}

	return { bars, contestants, place, faults, ranking, tail, noise, laws };
})();
