// SPDX-License-Identifier: BSD-3-Clause
'use strict';

// Runs of a sweep as curves: latency and rates over what was varied, a hue a document.
const chartSweep = (() => {
	const LATENCIES = [['p50', []], ['p99', [7, 4]], ['p99.9', [2, 3]]];
	const OVER = {
		rate: { title: 'offered rate, messages/s', format: (v) => text.scaled(v, text.SI, '/s', 2),
			read: text.rate, log: 10 },
		size: { title: 'message size, bytes', format: text.bytes, log: 2 },
		burst: { title: 'burst, messages sent at once', format: text.count, log: 2 },
	};
	const achieved = (entry) => model.rate(entry).messages_per_s;

	function groups(entries) {
		const found = new Map();
		for (const entry of entries) {
			const { over, value } = entry.sweep;
			if (!(over in OVER) || !text.isNumber(value) || value <= 0)
				continue;
			found.set(over, [...(found.get(over) || []), entry]);
		}
		return [...found].filter(([, list]) => list.length > 1);
	}

	// A line a document and metric; all on the places of all.
	function build(list, x, metrics) {
		const xs = [...new Set(list.map(x).filter((v) => text.isNumber(v) && v > 0))].sort((a, b) => a - b);
		const sheets = [...new Set(list.map((entry) => entry.sheet))];
		const series = [];
		const columns = [];
		for (const sheet of sheets)
			for (const metric of metrics) {
				const values = new Map(list.filter((entry) => entry.sheet === sheet)
					.map((entry) => [x(entry), metric.get(entry)]));
				const column = xs.map((at) => {
					const value = values.get(at);
					return text.isNumber(value) && value > 0 ? value : null;
				});
				if (column.every((v) => v === null))
					continue;
				const hue = sheets.length > 1 ? sheet.index : metric.hue;
				series.push({ label: sheets.length > 1 ? `${sheet.label}: ${metric.label}` : metric.label,
					dash: sheets.length > 1 || metric.keepDash ? metric.dash : [], points: true,
					color: () => theme.shade(hue, null) });
				columns.push(column);
			}
		return { xs, series, columns };
	}

	// Where a sweep's values stand closer than labels do, some have none.
	function splitsAt(xs, log) {
		return (u) => {
			const width = u.bbox.width / uPlot.pxRatio;
			if (log !== 2)
				return plot.logSplits(u, 'x', width / 5);
			let last = -Infinity;
			return xs.filter((x) => {
				const place = u.valToPos(x, 'x');
				const free = place - last >= 62;
				last = free ? place : last;
				return free;
			});
		};
	}

	function make(id, title, list, x, over, metrics, y, more) {
		const { xs, series, columns } = build(list, x, metrics);
		if (series.length === 0 || xs.length === 0)
			return null;
		const data = [xs, ...columns];
		if (more && more.diagonal) {
			series.push({ label: 'achieved = offered', dash: [3, 4], width: 1.25,
				color: () => theme.css('--ink-soft') });
			data.push(xs);
		}
		return plot.make({
			id, title, data, series, height: 320, note: more && more.note,
			xTitle: over.title, yTitle: y.title,
			x: { log: over.log, format: over.format, splits: splitsAt(xs, over.log),
				range: (u, low, high) => plot.logRange(low, high), space: 70 },
			y: { log: 10, format: y.format, splits: (u) => plot.logSplits(u, 'y', u.bbox.height / uPlot.pxRatio),
				range: (u, low, high) => plot.logRange(low, high) },
			readX: (v) => (over.read || over.format)(v), readY: y.read || y.format,
		});
	}

	const latencies = LATENCIES.map(([name, dash], hue) => ({ label: name, dash, hue: [0, 1, 3][hue],
		get: (entry) => (model.histogram(entry, 'latency_ns') || {})[name] }));
	const ofRate = [{ label: 'achieved, near end', dash: [], hue: 0, get: achieved },
		{ label: 'as the far end counted', dash: [7, 4], keepDash: true, hue: 1,
			get: (e) => model.rate(e).far_messages_per_s },
		{ label: 'from the far end, at the same time', dash: [2, 3], hue: 2,
			get: (e) => model.rate(e).back_messages_per_s }];
	const ofBytes = [{ label: 'bytes', dash: [], hue: 0, get: (e) => model.rate(e).bytes_per_s }];
	const yTime = { title: 'latency', format: (v) => text.time(v, 2), read: (v) => text.time(v, 4) };
	const yRate = { title: 'messages/s', format: (v) => text.scaled(v, text.SI, '/s', 2), read: text.rate };
	const yBytes = { title: 'bytes/s', format: (v) => text.scaled(v, text.SI, 'B/s', 2), read: text.byteRate };

	function unheld(list) {
		const names = list.filter((entry) => model.rate(entry).held === false).map((entry) => entry.label);
		return names.length ? 'The rate was not held in: ' + names.join('; ') + '.' : null;
	}

	function charts(entries) {
		return groups(entries).flatMap(([name, list]) => {
			const over = OVER[name];
			const value = (entry) => entry.sweep.value;
			const note = name === 'rate' ? unheld(list) : null;
			const found = [make(`sweep-${name}-latency`, `Latency over ${over.title.split(',')[0]}`,
				list, value, over, latencies, yTime, { note })];
			if (name === 'rate')
				found.push(make('sweep-rate-achieved-latency', 'Latency over achieved rate', list, achieved,
					{ ...over, title: 'achieved rate, messages/s' }, latencies, yTime));
			found.push(make(`sweep-${name}-rate`, name === 'rate' ? 'Achieved over offered rate'
				: `Rate over ${over.title.split(',')[0]}`, list, value, over, ofRate, yRate,
				{ diagonal: name === 'rate', note }));
			if (name === 'size')
				found.push(make('sweep-size-bytes', 'Bytes per second over message size', list, value, over,
					ofBytes, yBytes));
			return found.filter(Boolean);
		});
	}

	return { charts };
})();
