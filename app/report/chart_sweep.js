// SPDX-License-Identifier: BSD-3-Clause
'use strict';

// Runs of a sweep as curves: latency and rates over what was varied, a hue a document.
const chartSweep = (() => {
	const LATENCIES = [['p50', []], ['p99', [7, 4]], ['p99.9', [2, 3]]];
	const OVER = ['rate', 'size', 'burst'];
	const achieved = (entry) => model.rate(entry).messages_per_s;

	function groups(entries) {
		const found = new Map();
		for (const entry of entries) {
			const { over, value } = entry.sweep;
			if (!OVER.includes(over) || !text.isNumber(value) || value <= 0)
				continue;
			found.set(over, [...(found.get(over) || []), entry]);
		}
		return [...found].filter(([, list]) => list.length > 1);
	}

	// A line a document and metric.
	function lines(list, x, metrics) {
		const sheets = [...new Set(list.map((entry) => entry.sheet))];
		return sheets.flatMap((sheet) => metrics.map((metric) => {
			const hue = sheets.length > 1 ? sheet.index : metric.hue;
			return { label: sheets.length > 1 ? `${sheet.label}: ${metric.label}` : metric.label,
				values: list.filter((entry) => entry.sheet === sheet).map((entry) => [x(entry), metric.get(entry)]),
				dash: sheets.length > 1 || metric.keepDash ? metric.dash : [], points: true,
				color: () => theme.shade(hue, null) };
		}));
	}

	function make(id, title, list, x, over, metrics, y, more) {
		const found = lines(list, x, metrics);
		if (more && more.diagonal && found.some((line) => line.values.some(([, value]) => value > 0)))
			found.push({ label: 'achieved = offered', dash: [3, 4], width: 1.25,
				values: list.map((entry) => [x(entry), x(entry)]), color: () => theme.css('--ink-soft') });
		return chartLines.make({ id, title, x: over, y, lines: found, note: more && more.note });
	}

	const latencies = LATENCIES.map(([name, dash], hue) => ({ label: name, dash, hue: [0, 1, 3][hue],
		get: (entry) => (model.histogram(entry, 'latency_ns') || {})[name] }));
	const ofRate = [{ label: 'achieved, near end', dash: [], hue: 0, get: achieved },
		{ label: 'as the far end counted', dash: [7, 4], keepDash: true, hue: 1,
			get: (e) => model.rate(e).far_messages_per_s },
		{ label: 'from the far end, at the same time', dash: [2, 3], hue: 2,
			get: (e) => model.rate(e).back_messages_per_s }];
	const ofBytes = [{ label: 'bytes', dash: [], hue: 0, get: (e) => model.rate(e).bytes_per_s }];
	const { time: yTime, rate: yRate, bytes: yBytes } = chartLines.Y;

	function unheld(list) {
		const names = list.filter((entry) => model.rate(entry).held === false).map((entry) => entry.label);
		return names.length ? 'The rate was not held in: ' + names.join('; ') + '.' : null;
	}

	function charts(entries) {
		return groups(entries).flatMap(([name, list]) => {
			const over = chartLines.X[name];
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
