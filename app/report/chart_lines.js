// SPDX-License-Identifier: BSD-3-Clause
'use strict';

// Lines through points of several series, all on the places of all: sweeps, suites, laws.
const chartLines = (() => {
	// log: the base of the axis; without it the axis is linear.
	const X = {
		rate: { title: 'offered rate, messages/s', format: (v) => text.scaled(v, text.SI, '/s', 2),
			read: text.rate, log: 10 },
		size: { title: 'message size, bytes', format: text.bytes, log: 2 },
		burst: { title: 'burst, messages sent at once', format: text.count, log: 2 },
		links: { title: 'links between the two ends', format: text.count, log: 2 },
		queues: { title: 'queues of the link', format: text.count, log: 2 },
		ring: { title: 'ring size, entries', format: text.count, log: 2 },
		load: { title: 'offered load, % of what round trips carry', format: (v) => text.count(v) + '\u00a0%' },
		bulk: { title: 'bulk message, bytes', format: text.bytes, log: 2 },
		gap_ns: { title: 'idle time before each message', format: (v) => text.time(v, 2), log: 10 },
	};
	const Y = {
		time: { title: 'latency', format: (v) => text.time(v, 2), read: (v) => text.time(v, 4) },
		rate: { title: 'messages/s', format: (v) => text.scaled(v, text.SI, '/s', 2), read: text.rate },
		bytes: { title: 'bytes/s', format: (v) => text.scaled(v, text.SI, 'B/s', 2), read: text.byteRate },
	};

	// Where a sweep's values stand closer than labels do, some have none.
	function splitsAt(xs, log) {
		if (!log)
			return undefined;
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

	const padded = (low, high) => low === high ? [low - 1, high + 1]
		: [low - 0.03 * (high - low), high + 0.03 * (high - low)];

	// spec: { id, title, note, x: one of X, y: one of Y, lines: [{ label, values: [[x, y]], color,
	//         dash, width, points, paths, follows: the label of the line it is
	//         hidden with, unmarked: its places bear no label }] }
	function make(spec) {
		const { x, y } = spec;
		const usable = ([at, value]) => text.isNumber(at) && (at > 0 || !x.log) && text.isNumber(value) && value > 0;
		const lines = spec.lines.map((line) => ({ ...line, values: line.values.filter(usable) }))
			.filter((line) => line.values.length > 0);
		const places = (list) => [...new Set(list.flatMap((line) => line.values.map(([at]) => at)))].sort((a, b) => a - b);
		const xs = places(lines);
		if (xs.length === 0)
			return null;
		const columns = lines.map((line) => {
			const values = new Map(line.values);
			return xs.map((at) => values.has(at) ? values.get(at) : null);
		});
		return plot.make({
			id: spec.id, title: spec.title, data: [xs, ...columns], series: lines, height: 320, note: spec.note,
			xTitle: x.title, yTitle: y.title,
			x: { log: x.log, format: x.format, splits: splitsAt(places(lines.filter((line) => !line.unmarked)), x.log),
				range: (u, low, high) => (x.log ? plot.logRange : padded)(low, high), space: 70 },
			y: { log: 10, format: y.format, splits: (u) => plot.logSplits(u, 'y', u.bbox.height / uPlot.pxRatio),
				range: (u, low, high) => plot.logRange(low, high) },
			readX: (v) => (x.read || x.format)(v), readY: y.read || y.format,
		});
	}

	return { make, X, Y };
})();
