// SPDX-License-Identifier: BSD-3-Clause
'use strict';

// Percentile curves: latency over log10(1 / (1 - fraction)), HdrHistogram's axis, where each
// further nine is as wide as the one before.
const chartCurve = (() => {
	const TICKS = [[0, '0'], [0.5, '50'], [0.9, '90'], [0.99, '99'], [0.999, '99.9'],
		[0.9999, '99.99'], [0.99999, '99.999'], [0.999999, '99.9999'], [0.9999999, '99.99999'],
		[0.99999999, '99.999999'], [0.999999999, '99.9999999']]
		.map(([fraction, name]) => [position(fraction), name]);
	// Nearer than a third of a pixel of the widest chart is one place.
	const SAME = 0.002;

	function position(fraction) {
		return -Math.log10(1 - fraction);
	}

	// [x, ns] of a histogram, rising: its curve and the percentiles it quotes, so that the
	// figures of the tables lie on the line. The maximum stands by itself: N cannot carry
	// what is between it and the last point.
	function points(h) {
		const found = model.array(h.curve)
			.filter((p) => Array.isArray(p) && text.isNumber(p[0]) && text.isNumber(p[1]) && p[0] < 1)
			.map(([fraction, ns]) => [position(Math.max(fraction, 0)), Math.max(ns, 1)]);
		for (const name of model.PERCENTILES)
			if (text.isNumber(h[name]))
				found.push([position(Number(name.slice(1)) / 100), Math.max(h[name], 1)]);
		return found.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
	}

	function maximum(h) {
		return text.isNumber(h.max) && h.n > 0 ? [Math.log10(h.n), Math.max(h.max, 1)] : null;
	}

	// One grid of places for all curves: uPlot wants it, and a reader compares at one place.
	function grid(curves) {
		const all = curves.flatMap((c) => c.points.map((p) => p[0]))
			.concat(curves.filter((c) => c.top).map((c) => c.top[0]))
			.concat(model.PERCENTILES.map((name) => position(Number(name.slice(1)) / 100)))
			.sort((a, b) => a - b);
		const exact = new Set(TICKS.map(([x]) => x));
		const kept = [];
		for (const x of all) {
			const last = kept[kept.length - 1];
			if (last === undefined || x - last > SAME)
				kept.push(x);
			else if (exact.has(x))
				kept[kept.length - 1] = x;
		}
		return kept;
	}

	// The curve at x: on a straight line in the chart, so in the logarithm of the time.
	function sampled(found, xs) {
		let at = 0;
		return xs.map((x) => {
			if (found.length === 0 || x < found[0][0] - SAME || x > found[found.length - 1][0] + SAME)
				return null;
			while (at < found.length - 2 && found[at + 1][0] < x)
				at += 1;
			const [x0, y0] = found[at];
			const [x1, y1] = found[Math.min(at + 1, found.length - 1)];
			const share = x1 > x0 ? Math.min(Math.max((x - x0) / (x1 - x0), 0), 1) : 1;
			return y0 * (y1 / y0) ** share;
		});
	}

	function percentAt(x) {
		const near = TICKS.find(([tick]) => Math.abs(tick - x) < SAME);
		const percent = near ? near[1]
			: (100 * (1 - 10 ** -x)).toFixed(Math.min(Math.max(Math.ceil(x), 1), 9));
		return percent + '\u00a0% of samples at or below';
	}

	// The maxima, dotted from where the line ends, since what lies between is not known.
	function drawTops(u, curves) {
		const { ctx } = u;
		ctx.save();
		ctx.beginPath();
		ctx.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
		ctx.clip();
		for (const { series, points: found, top } of curves) {
			if (!top || series.hidden)
				continue;
			const x = u.valToPos(top[0], 'x', true);
			const y = u.valToPos(top[1], 'y', true);
			const last = found[found.length - 1];
			ctx.strokeStyle = ctx.fillStyle = series.color();
			ctx.lineWidth = uPlot.pxRatio;
			ctx.setLineDash([uPlot.pxRatio, 3 * uPlot.pxRatio]);
			ctx.beginPath();
			if (last) {
				ctx.moveTo(u.valToPos(last[0], 'x', true), u.valToPos(last[1], 'y', true));
				ctx.lineTo(x, y);
			}
			ctx.stroke();
			ctx.setLineDash([]);
			ctx.beginPath();
			ctx.arc(x, y, 3 * uPlot.pxRatio, 0, 2 * Math.PI);
			ctx.fill();
		}
		ctx.restore();
	}

	function xScale(widest) {
		const last = Math.max(widest * 1.02, 1);
		return {
			range: () => [0, last],
			splits: () => TICKS.map(([x]) => x).filter((x) => x <= last),
			format: (x, narrow) => {
				const tick = TICKS.find(([at]) => at === x);
				// On a phone the nines take turns, and the unit stands in the title.
				if (!tick || (narrow && (x === 0 || (x > 3.5 && Math.round(x) % 2 === 1))))
					return '';
				return narrow || x > 5.5 ? tick[1] : tick[1] + '\u00a0%';
			},
		};
	}

	// wanted: [{ label, h, color, dash, width }]
	function make(id, title, wanted, note) {
		const curves = wanted.map((w) => ({ series: w, points: points(w.h), top: maximum(w.h) }))
			.filter((c) => c.points.length > 0 || c.top);
		if (curves.length === 0)
			return null;
		const xs = grid(curves);
		const ys = curves.map((c) => sampled(c.points, xs));
		const values = curves.flatMap((c) => c.points.map((p) => p[1]).concat(c.top ? [c.top[1]] : []));
		return plot.make({
			id, title, note, xTitle: 'percentile, %', yTitle: 'latency', height: 400,
			data: [xs, ...ys], series: curves.map((c) => c.series),
			x: xScale(xs[xs.length - 1]),
			y: plot.timeScale(() => plot.logRange(Math.min(...values), Math.max(...values))),
			readX: percentAt, readY: (v) => text.time(v, 4),
			over: (u) => drawTops(u, curves),
		});
	}

	function series(entry) {
		return { label: entry.label, h: model.histogram(entry, 'latency_ns'), width: 2.25,
			dash: theme.dash(entry.hue), color: () => theme.shade(entry.hue, entry.place) };
	}

	const soft = (name) => () => theme.css(name);

	// All runs of all documents; limit and floors of the first run that has them.
	function compare(entries) {
		const runs = entries.filter((entry) => model.histogram(entry, 'latency_ns'));
		const lines = runs.map(series);
		const beside = [['limit_ns', 'limit', '--ink', [7, 4]], ['floor_ns', 'floor near', '--ink-soft', [2, 3]],
			['far_floor_ns', 'floor far', '--ink-soft', [8, 3, 2, 3]]];
		for (const [key, label, ink, dash] of beside) {
			const entry = runs.find((e) => e.sheet.index === 0 && model.histogram(e, key));
			if (entry)
				lines.push({ label: runs.length > 1 ? `${label} (${entry.label})` : label,
					h: entry.run[key], width: 1.5, dash, color: soft(ink) });
		}
		return make('curves', 'Percentiles of latency', lines,
			'A curve is drawn as far as its samples carry it; the point is its maximum, and nothing ' +
			'is known of the dotted way there.');
	}

	// All that one run recorded.
	function single(entry) {
		const LOOKS = { latency_ns: [0, []], extra_ns: [1, []], there_ns: [2, [7, 4]],
			back_ns: [3, [7, 4]], far_work_ns: [4, [10, 3, 2, 3]] };
		const BESIDE = { limit_ns: ['--ink', [7, 4]], floor_ns: ['--ink-soft', [2, 3]],
			far_floor_ns: ['--ink-soft', [8, 3, 2, 3]] };
		const lines = model.HISTOGRAMS.filter(([key]) => model.histogram(entry, key))
			.map(([key, label]) => ({ h: entry.run[key], width: BESIDE[key] ? 1.5 : 2.25,
				label: key === 'latency_ns' ? model.string(entry.run.latency_of, label)
					: key === 'extra_ns' ? model.string(entry.run.extra_of, label) : label,
				dash: (LOOKS[key] || BESIDE[key])[1],
				color: LOOKS[key] ? () => theme.shade(LOOKS[key][0], null) : soft(BESIDE[key][0]) }));
		return make(`curves-${entry.id}`, 'Percentiles: all that this run recorded', lines);
	}

	return { make, compare, single };
})();
