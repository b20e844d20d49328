// SPDX-License-Identifier: BSD-3-Clause
'use strict';

// Documents as benchmarks/run writes them, of made-up figures that are the same each time; and one
// that it wrote, on a contest that makes its figures up.
const { execFileSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');

const HOSTILE = '</script><b>bold</b><script>window.pwned = 1</script><img src=x onerror="window.pwned = 2"><!--&amp;"\'`';
const SIZES = [8, 60, 64, 1500, 65536];
const BURSTS = [1, 8, 32, 256];
const LINKS = [1, 16, 256];
const QUEUES = [1, 4, 8];
const RINGS = [16, 256, 1024, 16384];
const PORTS = ['ethdev', 'memif', 'vhost-split'];
const WITH_RINGS = ['channel', 'bare-ring', 'ethdev', 'memif'];
const LOADS = [10, 50, 90];
const GAPS = [10000, 1000000];

// name, kind, cost of a round trip, cost of a message; in no order
const HOST = [['limit', 'reference', 150, null], ['packed', 'ours', 180, 2.1], ['channel', 'ours', 172, 9], ['ethdev', 'ours', 260, 21],
	['rpc', 'ours', 240, 30], ['bare-ring', 'reference', 190, 14], ['plain-copy', 'reference', null, 12], ['memif', 'peer', 520, 45],
	['vhost-split', 'peer', 640, 60], ['unix-seqpacket', 'peer', 5200, 900], ['zmq', 'peer', 21000, 1400]];
const GUEST = [['channel', 'ours', 190, 10], ['vhost-split', 'peer', 700, 66]];
const RAW = { min: 148, p50: 151, p90: 153, p99: 160.5, 'p99.9': 171, 'p99.99': 230, max: 40123 };

// The limit jumped meanwhile: by nanoseconds this one would rank behind memif.
const LIMITS = { 'vhost-split': 200 };
const limitOf = (name) => LIMITS[name] || 150.25;

const spread = (value) => value === null ? null : { median: value, p25: value * 0.985, p75: value * 1.02 };

function contestant([name, kind], where) {
	return { name, where, ours: kind === 'ours', reference: kind === 'reference', what: `${name}, as its documents advise`,
		attach_ns: 1234567 + name.length, near_kib: 2048, far_kib: 2052.5, shared_kib: 16384, missing: null, error: null };
}

function figure(name, where, work, keys, changes) {
	return { contestant: name, where, work, size: null, burst: null, links: null, queues: null, ring: null, load: null, gap_ns: null,
		bulk: null, waiting: false, rounds: 20, dropped: 1, samples: 2000000, lost: 0, misordered: 0, limit_ns: limitOf(name), p50: null, ratio: null,
		percentiles: null, intervals: null, rate: null, bytes_per_s: null, over: null, ...keys, ...changes };
}

function timed(name, where, work, keys, ns) {
	const few = work === 'wake';
	// Rounded, so that some have the same ratio.
	const ratio = Number((ns / limitOf(name)).toFixed(1));
	return figure(name, where, work, keys, { samples: few ? 2000 : 2000000, p50: spread(ns), ratio: spread(ratio),
		percentiles: { min: ns * 0.9, p50: ns, p90: ns * 1.05, p99: ns * 1.4, 'p99.9': few ? null : ns * 2, 'p99.99': few ? null : ns * 4.5,
			max: Math.round(ns * 90) },
		intervals: few ? null : { p99: [ns * 1.3, ns * 1.6], 'p99.9': [ns * 1.9, ns * 2.5], 'p99.99': work === 'rpc' ? null : [ns * 3, ns * 9] } });
}

// Two rounds have no quartiles.
const ofFew = (found) => ({ ...found, rounds: 2, p50: { ...found.p50, p25: null, p75: null }, ratio: { ...found.ratio, p25: null, p75: null } });

function rated(name, where, size, burst, ns) {
	const rate = 1e9 / (ns * (0.4 + 0.6 / burst) + size * 0.08);
	return figure(name, where, 'rate', { size, burst }, { rate: spread(rate), bytes_per_s: spread(rate * size),
		over: size === 8 ? { reference: 'bare-ring', ...spread(14 / ns) } : null });
}

// Cells at 60 bytes, frames at 64; each ring has a trip and a rate.
function ringsOf(name, where, trip, message) {
	const size = PORTS.includes(name) ? 64 : 60;
	return RINGS.flatMap((ring) => [timed(name, where, 'rings', { size, ring }, trip + 1.5 * Math.log2(ring)),
		{ ...rated(name, where, size, 32, message + Math.log2(ring)), work: 'rings', ring }]);
}

function figuresOf([name, , trip, message], where) {
	const timedAt = (work, keys, ns) => timed(name, where, work, keys, ns);
	const found = [];
	// A cell carries 60 bytes, a frame has 64 at least.
	const sizes = SIZES.filter((size) => name === 'ethdev' ? size >= 64 : name !== 'packed' || size <= 60);
	if (trip !== null) {
		found.push(...sizes.map((size) => timedAt('trips', { size }, trip + size * 0.11)));
		found.push(...LINKS.map((links) => timedAt('links', { size: 64, links }, trip + links * 2.5)));
		found.push(...LOADS.map((load) => timedAt('paced', { size: 64, load }, trip * (1 + load / 100))));
		found.push(...GAPS.map((gap) => timedAt('wake', { size: 64, gap_ns: gap }, trip + gap / 1000)));
		found.push(timedAt('wake', { size: 64, gap_ns: GAPS[0], waiting: true }, trip + 5000));
		found.push(timedAt('mixed', { size: name === 'ethdev' ? 64 : 8, links: 2, bulk: 65536 }, trip * 1.2));
		found.push(timedAt('rpc', { size: 8 }, trip), ofFew(timedAt('rpc', { size: 1500 }, trip * 1.3)));
	}
	if (PORTS.includes(name))
		found.push(...QUEUES.map((queues) => timedAt('queues', { size: 64, queues }, trip + queues * 3.5)));
	if (WITH_RINGS.includes(name))
		found.push(...ringsOf(name, where, trip, message));
	if (message !== null)
		for (const size of sizes)
			found.push(...BURSTS.map((burst) => rated(name, where, size, burst, message)));
	return found;
}

const law = (name, of, against, unit, intercept, slope, xs) => ({ contestant: name, where: 'host', of, against, intercept_ns: intercept,
	slope_ns: slope, r2: 0.9987, unit, points: xs.map((x, i) => [x, (intercept + slope * x) * (i % 2 ? 1.03 : 0.98)]) });

function suite(changes) {
	return { suite: 1, label: 'suite of the test', begun: '2026-11-23T14:00:00+00:00', command: ['benchmarks/run', '--out', 'a b', '--budget', '10m', '--cores=0,1', '--no-guest', '--quick', '--only', 'channel,limit',
		'--works', 'trips,rate', '--label', '--cores', '--build=b'],
		budget_s: 600, quick: false, complete: true, seconds: 571.2, commit: 'de5f226', rounds: 20, round_s: 0.05,
		place: { near_core: 0, far_core: 1, caches_shared: 'L3', smt: false, node: 0, kernel: 'Linux 6.1', cpu: 'a processor', governor: null,
			isolated: [], accelerator: 'kvm', versions: { dpdk: 'DPDK 22.11.7', libzmq: '4.3.4', nng: null } },
		contestants: [...HOST.map((one) => contestant(one, 'host')), ...GUEST.map((one) => contestant(one, 'guest-vfio')),
			{ ...contestant(['iceoryx', 'peer'], 'host'), what: null, attach_ns: null, near_kib: null, far_kib: null, shared_kib: null,
				missing: 'libiceoryx-posh-dev' },
			{ ...contestant(['nng', 'peer'], 'host'), attach_ns: null, error: 'nng: connection refused (host/trips/64)' }],
		figures: [...HOST.flatMap((one) => figuresOf(one, 'host')), ...GUEST.flatMap((one) => figuresOf(one, 'guest-vfio'))],
		tail: { contestant: 'channel', samples: 10000000, rounds: 20, dropped: 4, p99: { ratio: 1.021, low: 1.01, high: 1.03 },
			'p99.9': { ratio: 1.05, low: 1.02, high: 1.09 }, 'p99.99': { ratio: 1.13, low: 1.04, high: 1.31 }, lost: 2, misordered: 1, refused: 3,
			uncounted: 'allocations: the counting allocator is missing',
			noise: { syscalls: 0, minor_faults: 0, major_faults: 0, voluntary: 0, involuntary: 3, allocations: null },
			floor: { min: 12, p50: 14, p90: 15, p99: 22, 'p99.9': 31, 'p99.99': null, max: 51234 }, raw: RAW,
			ours: { min: 160, p50: 172, p90: 174, p99: 182, 'p99.9': 195, 'p99.99': 270, max: 45678 } },
		laws: [law('channel', 'trip', 'size', 'byte', 171.5, 0.1103, SIZES), law('memif', 'trip', 'size', 'byte', 519, 0.12, SIZES),
			law('channel', 'message', 'size', 'byte', 4.1, 0.0812, SIZES), law('channel', 'trip', 'links', 'link', 170, 2.51, LINKS),
			law('ethdev', 'trip', 'queues', 'queue', 256.5, 3.5, QUEUES),
			law('channel', 'trip', 'load', '% of load', 172, 1.7, LOADS), law('channel', 'message', 'burst', 'burst / messages', 3, 6,
				BURSTS.map((burst) => 1 / burst))],
		bars: [{ name: 'lone-p50-8', text: 'lone message of 8 bytes, channel: p50 over the limit', bar: 1.2, sense: 'at most', where: 'host',
			value: 1.1456, low: 1.13, high: 1.16, met: true, why: null, interval: 'quartiles', rounds: 7, apart: 2, against: ['limit'],
			absent: [] },
		{ name: 'burst-60', text: 'bursts of 60 bytes: rate over the bare ring\u2019s', bar: 1.5, sense: 'at least', where: 'host', value: 1.41,
			low: 1.4, high: 1.43, met: false, why: null, interval: '95 %', rounds: 40, apart: 0, against: ['bare-ring', 'cached-ring'],
			absent: [['rte-ring', 'dpdk is missing']] },
		{ name: 'guest-uio-channel-p50', text: 'guest, channel', bar: 0.4, sense: 'at most', where: 'guest-uio', value: null, low: null,
			high: null, met: null, why: 'no guest can be run here: QEMU is missing' },
		...[['near', 1.204], ['nearer', 1.20004]].map(([name, value]) => ({ name, text: `close to the bar: ${name}`, bar: 1.2,
			sense: 'at most', where: 'host', value, low: 1.1, high: 1.3, met: false, why: null })),
		{ name: 'own-noise', text: 'system calls of channel', bar: 0, sense: 'at most', where: 'host', value: 0, low: 0, high: 0, met: true,
			why: null, interval: 'counted', rounds: 20, apart: 0, against: [], absent: [] },
		{ name: 'doubtful', text: 'a peer failed', bar: 1.3, sense: 'at least', where: 'host', value: 1.5, low: 1.4, high: 1.6, met: null,
			why: 'vhost-split: it failed' }],
		plan: { limit_ns: 150.25, trip_ns: 171.5, trip_ns_per_byte: 0.1103, trip_ns_per_link: 2.51, message_ns: 4.1,
			message_ns_per_byte: 0.0812 },
		left_out: [{ step: 'host/wake/64', why: 'the budget' }],
		faults: [{ step: 'host/trips/64', contestant: 'nng', text: 'connection refused' }], ...changes };
}

// Each string of a document as text that would be markup.
function poison(value) {
	if (typeof value === 'string')
		return `${value}${HOSTILE}`;
	if (Array.isArray(value))
		return value.map(poison);
	if (value !== null && typeof value === 'object')
		return Object.fromEntries(Object.entries(value).map(([key, of]) => [key, poison(of)]));
	return value;
}

// Each number as null, but for those that tell figures apart.
const KEPT = ['suite', 'size', 'burst', 'links', 'queues', 'ring', 'load', 'gap_ns', 'bulk'];
function withoutNumbers(value, key) {
	if (typeof value === 'number')
		return KEPT.includes(key) ? value : null;
	if (Array.isArray(value))
		return value.map((of) => withoutNumbers(of));
	if (value !== null && typeof value === 'object')
		return Object.fromEntries(Object.entries(value).map(([name, of]) => [name, withoutNumbers(of, name)]));
	return value;
}

function written() {
	const root = path.join(__dirname, '../..');
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nahanni-report-'));
	try {
		const place = path.join(folder, 'benchmarks/contest');
		fs.mkdirSync(place, { recursive: true });
		fs.symlinkSync(path.join(root, 'test/suite/fake_contest.py'), path.join(place, 'contest'));
		execFileSync('python3', [path.join(root, 'benchmarks/run'), '--out', path.join(folder, 'out'), '--build', folder, '--no-guest',
			'--only', 'channel,msg,ethdev,memif,bare-ring', '--budget', '1h'], { stdio: ['ignore', 'ignore', 'pipe'] });
		return JSON.parse(fs.readFileSync(path.join(folder, 'out/results.json'), 'utf8'));
	} finally {
		fs.rmSync(folder, { recursive: true });
	}
}

const small = () => suite({ figures: GUEST.flatMap((one) => figuresOf(one, 'host')) });

module.exports = [
	['suite', () => [suite({})]],
	['suite-empty', () => [{ suite: 1 }]],
	['suite-nulls', () => [withoutNumbers(small())]],
	['suite-newer', () => [{ ...small(), suite: 2, complete: false, quick: true, figures: [null, 7, {}], bars: [null], laws: [{}],
		contestants: [null], tail: 5, plan: [], place: null, label: 3, command: 'x' }, { suite: 1 }]],
	['suite-written', () => [written()]],
	['suite-hostile', () => [poison(small())]],
].map(([name, make]) => ({ name, make }));
module.exports.HOSTILE = HOSTILE;
