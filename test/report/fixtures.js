// SPDX-License-Identifier: BSD-3-Clause
'use strict';

// Documents as ipc-perf writes them (doc/guides/ipc-perf-json.rst), of made-up figures that are the
// same each time. Each fixture: { name, documents }.

const PERCENTILES = ['p50', 'p90', 'p99', 'p99.9', 'p99.99', 'p99.999', 'p99.9999'];
const SLICES = 64;
const CURVE_POINTS = 150;

// Marsaglia's xorshift, of 32 bits.
function random(seed) {
	let state = seed >>> 0 || 1;
	return () => {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		state >>>= 0;
		return state / 2 ** 32;
	};
}

const needs = (fraction) => Math.ceil(100 / Math.min(fraction, 1 - fraction) - 1e-6);
const fractionOf = (name) => Number(name.slice(1)) / 100;

// Latency by percentile: a narrow body, a step of interrupts, a long tail.
const quantile = (base) => (fraction) => {
	const x = -Math.log10(1 - fraction);
	const step = 1 / (1 + Math.exp(-(x - 3.1) * 5));
	return Math.round(base * (0.9 + 0.12 * x + 4 * step + 0.5 * Math.max(0, x - 4) ** 2));
};

function histogram(base, n) {
	const at = quantile(base);
	const h = { n, below: 0, above: 0, min: Math.round(base * 0.8) };
	for (const name of PERCENTILES)
		h[name] = n >= needs(fractionOf(name)) ? at(fractionOf(name)) : null;
	h.max = Math.round(at(1 - 0.5 / Math.max(n, 2)) * 2.2);
	h.mean = base * 1.0341;
	h.interval = {};
	for (const name of PERCENTILES)
		h.interval[name] = h[name] === null ? null
			: [Math.floor(h[name] * 0.99), Math.ceil(h[name] * 1.012)];
	const last = Math.log10(n / 100);
	h.curve = [];
	for (let i = 0; i <= CURVE_POINTS; i += 1) {
		const fraction = 1 - 10 ** -(0.0005 + last * i / CURVE_POINTS);
		h.curve.push([fraction, Math.max(at(fraction), h.min)]);
	}
	h.curve.push([1, h.max]);
	return h;
}

const emptyHistogram = () => ({ n: 0, below: 0, above: 0, min: null, max: null, mean: null, curve: [],
	...Object.fromEntries(PERCENTILES.map((name) => [name, null])),
	interval: Object.fromEntries(PERCENTILES.map((name) => [name, null])) });

function slices(base, runNs, next) {
	const bounds = [];
	for (let i = 8; i <= 64; i += 1)
		bounds.push(Math.round(10 ** (i / 8)));
	const rows = [];
	for (let i = 0; i < SLICES; i += 1) {
		const wave = base * (1 + 0.15 * Math.sin(i / 6) + 0.05 * next() + (i > 40 && i < 46 ? 0.9 : 0));
		const n = 15000 + Math.floor(next() * 1500);
		const counts = bounds.map(() => 0);
		for (let k = 0; k < 3000; k += 1) {
			const ns = quantile(wave)(1 - 10 ** (Math.log10(Math.max(next(), 1e-6))));
			counts[bounds.findIndex((bound) => ns <= bound)] += 5;
		}
		const max = Math.round(wave * (8 + 40 * next() ** 6));
		counts[bounds.findIndex((bound) => max <= bound)] += 1;
		rows.push({ begin_ns: Math.round(runNs * i / SLICES), end_ns: Math.round(runNs * (i + 1) / SLICES),
			messages: n, n: counts.reduce((a, b) => a + b), p50: quantile(wave)(0.5), p99: quantile(wave)(0.99),
			'p99.9': i % 9 === 0 ? null : quantile(wave)(0.999), max, counts });
	}
	return { bounds_ns: bounds, rows };
}

const CAUSES = [['timer tick', 'LOC +1 Local timer interrupts'], ['rescheduled', 'run delay 41 us, involuntary +1'],
	['page fault', 'minor +3'], ['stolen by the host', 'steal 112 us'], ['unknown', '']];

function gaps(runNs, next) {
	return Array.from({ length: 40 }, () => {
		const [cause, detail] = CAUSES[Math.floor(next() ** 2 * CAUSES.length)];
		return { when_ns: Math.floor(next() * runNs), gap_ns: Math.floor(2000 + 400000 * next() ** 5),
			where: next() < 0.7 ? 'near' : 'far', cause, detail };
	}).sort((a, b) => b.gap_ns - a.gap_ns);
}

const end = (host, core) => ({ host, system: 'Linux 6.1.0-28-amd64', dpdk: 'DPDK 22.11.7', core,
	clock_hz: 2095078000, topology: `socket 0, L3 0, L2 ${core}, no sibling, isolated, governor performance` });

const counts = (n) => ({ received: n, sent: n, lost: 0, duplicates: 0, misordered: 0, corrupt: 0, dropped: 0,
	strange: 0, bulk: 0, minor_faults: 0, major_faults: 0, voluntary_switches: 0, involuntary_switches: 3 });

const spread = (value) => ({ min: value * 0.97, p25: value * 0.99, p75: value * 1.01, max: value * 1.02 });

function run(seed, changes) {
	const next = random(seed);
	const base = changes.base || 420;
	const n = changes.n || 1000000;
	const runNs = 2400000000;
	const perSecond = 1e9 / (base * 1.05);
	const made = {
		name: 'ping', mode: 'ping', via: 'channel', loop: 'closed', outcome: 'complete', link_state: 'up',
		met: true, warnings: [], begun: '2026-11-23T10:40:12.345Z', run_ns: runNs, measured_ns: 1600000000,
		settings: { size: '64', samples: String(n), floor: 'on', seed: '1' }, sweep: null,
		link: { text: 'role=host,path=/dev/shm/nahanni', layout: 'joint', kind: 'file', role: 'host', device: null,
			path: '/dev/shm/nahanni', port: null, peer: null, limit: null, size_bytes_asked: 16777216 },
		far: end('guest', 3), method: { warmup_messages: 10000, limit_trips: 10000, limit_drift: 0.2 },
		samples: n, messages: n, lost: 0, duplicates: 0, misordered: 0, corrupt: 0, restarts: 0,
		rounds: { planned: 20, kept: 20, dropped: 1, void: 0, messages: 50000 },
		counts: { near: counts(n), far: counts(n) },
		usage: { minor_faults: 0, major_faults: 0, voluntary_switches: 0, involuntary_switches: 3 },
		recorder_ns_per_sample: 2.37, latency_of: 'round trip', latency_ns: histogram(base, n), extra_of: null,
		extra_ns: null, limit_ns: histogram(base * 0.6, 200000), floor_ns: histogram(30, 5000000),
		far_floor_ns: histogram(34, 5000000), far_work_ns: null, there_ns: histogram(base * 0.52, 20000),
		back_ns: histogram(base * 0.47, 20000), ratio_p50: 1.6481, ratio_p50_spread: spread(1.6481),
		offset: { begin: { offset_ns: -123456, error_ns: 81 }, end: { offset_ns: -123401, error_ns: 84 },
			drift_ppm: 0.023 },
		gaps: gaps(runNs, next), slices: slices(base, runNs, next),
		rate: { asked: null, messages_per_s: perSecond, spread: spread(perSecond), bytes_per_s: perSecond * 64,
			far_messages_per_s: null, back_messages_per_s: null, back_spread: null, held: null, late: null,
			late_most_ns: null },
		expect: [],
	};
	Object.assign(made, changes);
	delete made.base;
	delete made.n;
	return made;
}

const document = (runs, changes) => ({ schema: 'ipc-perf', schema_version: 1,
	program: { version: '0.6.0', command: ['build/app/ipc-perf', '-l', '2', '--', '--mode', 'ping', '--link',
		'role=host,path=/dev/shm/nahanni', '--size', '64', '--samples', '1000000', '--report', 'a b.html'] },
	near: { ...end('host', 2), machine: 'x86_64', clock_error_ppm: 0.4 }, runs, ...changes });

// A run without samples: rates only.
function flood(seed, value, over, perSecond, changes) {
	return run(seed, { name: 'flood', mode: 'flood', loop: 'none', sweep: over && { over, value },
		settings: { size: over === 'size' ? String(value) : '64' }, samples: 0, latency_of: null, latency_ns: null,
		there_ns: null, back_ns: null, offset: null, ratio_p50: null, ratio_p50_spread: null, slices: null,
		rate: { asked: null, messages_per_s: perSecond, spread: spread(perSecond),
			bytes_per_s: perSecond * (over === 'size' ? value : 64), far_messages_per_s: perSecond * 0.998,
			back_messages_per_s: null, back_spread: null, held: null, late: null, late_most_ns: null }, ...changes });
}

function paced(seed, asked, slower) {
	const most = 2.1e6 / slower;
	const got = Math.min(asked, most);
	const held = asked <= most;
	return run(seed, { name: 'paced', mode: 'paced', loop: 'open', base: 500 * slower / (1.02 - Math.min(got / most, 1)) ** 0.6,
		sweep: { over: 'rate', value: asked }, latency_of: 'from the intended send to the answer',
		warnings: held ? [] : [`RATE NOT HELD: ${got} messages/s of ${asked} asked for.`],
		rate: { asked, messages_per_s: got, spread: spread(got), bytes_per_s: got * 64, far_messages_per_s: got,
			back_messages_per_s: null, back_spread: null, held, late: held ? 0 : 12345, late_most_ns: held ? 0 : 987654 } });
}

const RATES = [10000, 50000, 100000, 250000, 500000, 1000000, 1500000, 2000000, 2500000];
const SIZES = [8, 16, 32, 60, 64, 128, 256, 1024, 4096, 16384, 65536];
const BURSTS = [1, 2, 4, 8, 16, 32, 64];

const sweepOfSize = (seed, slower) => SIZES.map((size, i) => run(seed + i, { name: 'size', n: 200000,
	base: slower * (400 + size / 8), sweep: { over: 'size', value: size }, settings: { size: String(size) },
	rate: { messages_per_s: 2e6 / (1 + size / 4096), bytes_per_s: size * 2e6 / (1 + size / 4096) } }));

const HOSTILE = '</script><script>window.pwned = 1</script><img src=x onerror="window.pwned = 2"><!--&amp;"\'`';
const LONG = '/' + 'very-long-name_without-a-break'.repeat(40);

function hostile() {
	const nasty = run(7, { name: HOSTILE, mode: HOSTILE, via: '\u202egnol\u202c \u{1f980} \u0000 \u2028 end',
		met: false, warnings: [`FAILED: ${HOSTILE}`, 'second \u{1f4a5} & <b>warning</b>'], outcome: HOSTILE,
		settings: { [HOSTILE]: HOSTILE, size: '64' }, latency_of: HOSTILE });
	nasty.gaps[0].cause = HOSTILE;
	nasty.gaps[0].detail = LONG;
	nasty.far = { ...end(HOSTILE, 3), topology: LONG };
	nasty.link.path = LONG;
	nasty.expect = [{ text: `${HOSTILE}`, metric: HOSTILE, below: true, value: 1, found: 2, met: false }];
	return document([nasty], { program: { version: HOSTILE, command: ['ipc-perf', HOSTILE, '--link', LONG, "it's", '', '$(x)'] },
		near: { ...end(LONG, 2), machine: '\u{1f980}', clock_error_ppm: 1 } });
}

// All fields of a run, each null.
const nulls = () => Object.fromEntries(Object.keys(run(1, {})).map((key) => [key, null]));

const CHECKS = [
	{ id: 'governor', status: 'ok', found: 'performance', wanted: 'performance', why: 'clocks that change spread p50', remedy: '' },
	{ id: 'isolation', status: 'warning', found: 'core 2 is not isolated', wanted: 'isolcpus=2,3',
		why: 'the scheduler may move others there', remedy: 'boot with isolcpus=2,3 nohz_full=2,3' },
];

const withEach = (value, changes) => Object.assign(value, changes);

// An entry: name, documents.
module.exports = [
	['ping', () => [document([run(1, { checks: CHECKS, expect: [{ text: 'p99 < 2us', metric: 'p99', below: true,
		value: 2000, found: quantile(420)(0.99), met: true }] })])]],
	['missed', () => [document([run(2, { warnings: ['THRESHOLD MISSED: 1 of 2, named below.'], n: 30000, expect: [
		{ text: 'p99 < 100ns', metric: 'p99', below: true, value: 100, found: 560, met: false },
		{ text: 'p99.9999 < 1ms', metric: 'p99.9999', below: true, value: 1e6, found: null, met: false }] })])]],
	['rates', () => [document(RATES.map((rate, i) => paced(20 + i, rate, 1)))]],
	['sizes', () => [document(sweepOfSize(40, 1))]],
	['bursts', () => [document(BURSTS.map((burst, i) => flood(60 + i, burst, 'burst', 3e6 * (1 + Math.log2(burst)))))]],
	['several', () => [document([run(80, {}), run(81, { name: 'rpc', mode: 'rpc', base: 700, latency_of: 'request to reply' }),
		flood(82, 0, null, 8.1e6), run(83, { name: 'mixed', mode: 'mixed', base: 900, extra_of: 'round trip without bulk',
			extra_ns: histogram(430, 100000), met: false, outcome: 'link gone', lost: 17,
			warnings: ['CUT OFF: the link was down or the far end silent; these are the results until then.',
				'FAILED: of 1000000 messages sent, lost 17, duplicates 0, misordered 0, corrupt 0.'] }),
		run(84, {})])]],
	['peers', () => [document([run(90, {})]), document([run(91, { base: 1900, name: 'unix socket' })]),
		document([run(92, { base: 760, name: 'shared ring' }), run(93, { base: 1100, name: 'shared ring, 1 KiB' })])]],
	['peer-sweeps', () => [document(RATES.map((rate, i) => paced(100 + i, rate, 1))),
		document(RATES.map((rate, i) => paced(120 + i, rate, 2.5))), document(sweepOfSize(140, 2))]],
	['flood', () => [document([flood(150, 0, null, 21.5e6)])]],
	['empty-histogram', () => [document([run(160, { samples: 0, latency_ns: emptyHistogram(), slices: null, gaps: [] })])]],
	['nulls', () => [document([nulls()], { program: null, near: null }), document(null), null]],
	['none', () => []],
	['unknown-fields', () => [withEach(document([run(170, { colour: 'blue', cost_ns: 5 })]), { extra: { deep: [1, 2] } })]
		.map((d) => { d.near.numa_node = 1; d.runs[0].latency_ns.p42 = 1; d.runs[0].counts.near.fresh = 4; return d; })],
	['newer', () => [document([run(180, {})], { schema_version: 2 }), document([run(181, {})], { schema: 'other' })]],
	['hostile', () => [hostile()]],
	['contestants', () => Array.from({ length: 16 }, (_, i) =>
		document([run(200 + i, { base: 300 * 1.25 ** i })], { label: `contestant ${i + 1}` }))],
].map(([name, make]) => ({ name, make }));

if (require.main === module) {
	// node fixtures.js NAME: the documents on stdout.
	const found = module.exports.find(({ name }) => name === process.argv[2]);
	process.stdout.write(JSON.stringify(found ? found.make() : module.exports.map(({ name }) => name)));
}
