// SPDX-License-Identifier: BSD-3-Clause
'use strict';

// Tables that tell what happened in a run and where it ran.
const tablesRun = (() => {
	const { el } = dom;
	const GAPS_SHOWN = 24;
	const TOTALS = ['lost', 'duplicates', 'misordered', 'corrupt', 'restarts'];
	const TIMES = /^(p\d|min$|max$|mean$)/;

	// Both ends' counts side by side; fields that this page does not know come along.
	function counts(entry) {
		const { run } = entry;
		const counted = model.object(run.counts);
		const near = model.object(counted.near);
		const far = model.object(counted.far);
		const notes = tables.footnotes();
		const names = [...new Set([...Object.keys(near), ...Object.keys(far)])];
		const rows = TOTALS.map((name) => el('tr', {}, el('th', { scope: 'row' }, name + ', whole run'),
			tables.figure(entry, name, run[name], text.count, 'not in the document', notes), el('td', {})));
		for (const name of names)
			rows.push(el('tr', {}, el('th', { scope: 'row' }, text.name(name)),
				tables.figure(entry, `counts.near.${name}`, near[name], text.count, 'not in the document', notes),
				tables.figure(entry, `counts.far.${name}`, far[name], text.count,
					counted.far ? 'not in the document' : 'the far end could not be asked', notes)));
		const usage = model.object(run.usage);
		for (const name of Object.keys(usage))
			rows.push(el('tr', {}, el('th', { scope: 'row' }, text.name(name) + ', measured rounds'),
				tables.figure(entry, `usage.${name}`, usage[name], text.count, 'not in the document', notes),
				el('td', {})));
		return [dom.table('Counts of both ends', [el('th', { scope: 'col' }, ''),
			el('th', { scope: 'col' }, 'near'), el('th', { scope: 'col' }, 'far')], rows, 'figures'), notes.list()];
	}

	function oneWay(entry) {
		const offset = model.object(entry.run.offset);
		const there = model.histogram(entry, 'there_ns');
		const back = model.histogram(entry, 'back_ns');
		if (!entry.run.offset && !there && !back)
			return null;
		const notes = tables.footnotes();
		const at = (name) => {
			const found = model.object(offset[name]);
			return el('tr', {}, el('th', { scope: 'row' }, `far clock less near clock, ${name}`),
				tables.figure(entry, `offset.${name}.offset_ns`, found.offset_ns,
					(v) => text.ns(v) + (text.isNumber(found.error_ns) ? ` \u00b1\u202f${text.ns(found.error_ns)}` : ''),
					'the clocks were not compared', notes));
		};
		const errors = ['begin', 'end'].map((name) => model.object(offset[name]).error_ns).filter(text.isNumber);
		const half = (h, key, label) => el('tr', {}, el('th', { scope: 'row' }, label),
			tables.figure(entry, `oneway/${key}/p50`, model.object(h).p50, (v) => text.ns(v) +
				(errors.length ? ` \u00b1\u202f${text.ns(Math.max(...errors))}` : ''),
			model.whyNot(entry, key, 'p50'), notes));
		return [dom.table('One way, by the clocks of both ends', null, [at('begin'), at('end'),
			el('tr', {}, el('th', { scope: 'row' }, 'drift between them'), tables.figure(entry, 'offset.drift_ppm',
				offset.drift_ppm, (v) => `${text.count(v)}\u00a0ppm`, 'needs two comparisons', notes)),
			half(there, 'there_ns', 'p50, near to far'), half(back, 'back_ns', 'p50, far to near')], 'facts'),
		notes.list()];
	}

	function gaps(entry) {
		const all = chartTime.gapsOf(entry);
		if (all.length === 0)
			return null;
		const causes = chartTime.causes(all);
		const where = (list) => [...new Set(list.map((gap) => model.string(gap.where, 'unknown')))].join(', ');
		const glyph = (name) => {
			const i = causes.findIndex((cause) => cause.name === name);
			return el('span', { class: 'glyph', 'aria-hidden': 'true' }, chartTime.GLYPHS[chartTime.shapeOf(i)]);
		};
		const byCause = dom.table('Gaps by likeliest cause', ['cause', 'gaps', 'longest', 'together', 'end'],
			causes.map((cause) => el('tr', {}, el('th', { scope: 'row' }, glyph(cause.name), el('bdi', {}, cause.name)),
				el('td', { class: 'number' }, text.count(cause.gaps.length)),
				el('td', { class: 'number' }, text.ns(cause.most)),
				el('td', { class: 'number' }, text.ns(cause.sum)),
				el('td', {}, el('bdi', {}, where(cause.gaps))))), 'figures');
		const rows = all.slice(0, GAPS_SHOWN).map((gap) => el('tr', {},
			el('td', { class: 'number', 'data-gap': entry.id, 'data-value': String(gap.gap_ns) }, text.ns(gap.gap_ns)),
			el('td', { class: 'number' }, text.seconds(gap.when_ns / 1e9)),
			el('td', {}, el('bdi', {}, model.string(gap.where, text.DASH))),
			el('td', {}, glyph(model.string(gap.cause, 'unknown')), el('bdi', {}, model.string(gap.cause, 'unknown'))),
			el('td', { class: 'prose' }, el('bdi', {}, model.string(gap.detail, '')))));
		return [byCause, dom.table(all.length > GAPS_SHOWN
			? `The ${GAPS_SHOWN} longest of ${text.count(all.length)} gaps` : 'Gaps, the longest first',
		['length', 'when', 'end', 'cause', 'counted in that time'], rows)];
	}

	function expects(entry) {
		const list = model.array(entry.run.expect).filter(model.isObject);
		if (list.length === 0)
			return null;
		const notes = tables.footnotes();
		const show = (expect) => TIMES.test(String(expect.metric)) ? text.ns : text.count;
		return [dom.table('Thresholds', ['asked for', 'found', 'met'], list.map((expect, i) => el('tr', {},
			el('th', { scope: 'row' }, el('bdi', {}, model.string(expect.text, String(expect.metric)))),
			tables.figure(entry, `expect/${i}`, expect.found, show(expect), 'too few samples', notes),
			el('td', {}, tables.badge(expect.met === true ? 'met' : 'missed')))), 'figures'), notes.list()];
	}

	function checks(list) {
		if (list.length === 0)
			return null;
		return dom.table('Checks of the machine', ['check', 'status', 'found', 'wanted', 'why', 'remedy'],
			list.map((check) => el('tr', {}, ['id', 'status', 'found', 'wanted', 'why', 'remedy'].map((key, i) =>
				el(i ? 'td' : 'th', { class: i > 3 ? 'prose' : null, scope: i ? null : 'row' },
					el('bdi', {}, text.value(key, check[key])))))));
	}

	// ---- placement ----

	const PLACES = [['host', 'host'], ['system', 'system'], ['machine', 'machine'], ['dpdk', 'DPDK'],
		['core', 'core'], ['clock_hz', 'clock'], ['clock_error_ppm', 'clock error, at most'],
		['topology', 'topology of the core']];

	// Columns: the near end, then each far end that differs.
	function placement(sheet) {
		const notes = tables.footnotes();
		const columns = [{ title: 'near end', end: sheet.near }];
		const seen = new Map();
		for (const entry of sheet.runs) {
			const key = JSON.stringify(entry.run.far || null);
			if (entry.run.far && !seen.has(key)) {
				seen.set(key, true);
				columns.push({ title: 'far end', entry, end: model.object(entry.run.far) });
			}
		}
		if (columns.length > 2)
			columns.slice(1).forEach((column) => { column.title = `far end from ${column.entry.name} on`; });
		const known = PLACES.map(([key]) => key);
		const extra = [...new Set(columns.flatMap((c) => Object.keys(c.end)))].filter((key) => !known.includes(key));
		const rows = [...PLACES, ...extra.map((key) => [key, text.name(key)])].map(([key, label]) =>
			el('tr', {}, el('th', { scope: 'row' }, label), columns.map(({ end }) => {
				const value = end[key];
				return el('td', { class: 'prose', 'data-place': `${sheet.index}/${key}` },
					value === null || value === undefined ? notes.dash('not known or not told')
						: el('bdi', {}, text.value(key, value)));
			})));
		const titles = columns.map((column) => el('th', { scope: 'col' }, el('bdi', {}, column.title)));
		return [dom.table(`Placement: ${sheet.label}`, [el('th', { scope: 'col' }, ''), ...titles], rows, 'facts'),
			columns.length === 1 && el('p', { class: 'note' }, 'No far end told of itself.'), notes.list()];
	}

	function settings(entry) {
		const { run } = entry;
		const rows = [...dom.pairs(model.object(run.settings), 'settings'), ...dom.pairs(model.object(run.link), 'link'),
			...dom.pairs(model.object(run.method), 'method'),
			...dom.pairs({ mode: run.mode, via: run.via, loop: run.loop, begun: run.begun, outcome: run.outcome,
				link_state: run.link_state })];
		return dom.table('Settings, link and method', null, rows, 'facts');
	}

	return { counts, oneWay, gaps, expects, checks, placement, settings };
})();
