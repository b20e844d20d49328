// SPDX-License-Identifier: BSD-3-Clause
'use strict';

// Numbers as people read them: digits in threes, always with a unit.
const text = (() => {
	const THIN = '\u202f';	// narrow and unbreakable: a number stays on one line
	const DASH = '\u2013';
	const SI = [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k'], [1, '']];
	const TIMES = [[1e9, 's'], [1e6, 'ms'], [1e3, 'µs'], [1, 'ns']];

	const isNumber = (value) => typeof value === 'number' && Number.isFinite(value);

	function group(digits) {
		return digits.replace(/\B(?=(\d{3})+$)/g, THIN);
	}

	// As exact as the document has it, to six digits after the point.
	function count(value) {
		if (!isNumber(value))
			return DASH;
		const plain = Number.isInteger(value) ? String(Math.abs(value))
			: String(Number(Math.abs(value).toFixed(6)));
		const [whole, part] = plain.split('.');
		const sign = value < 0 ? '\u2212' : '';
		return sign + (/^\d+$/.test(whole) ? group(whole) : whole) + (part ? '.' + part : '');
	}

	function digits(value, significant) {
		const fixed = Math.max(0, significant - 1 - Math.floor(Math.log10(value || 1)));
		return value.toFixed(Math.min(fixed, 6));
	}

	// The largest unit that leaves a number of one or more, to so many digits.
	function scaled(value, units, unit, significant) {
		if (!isNumber(value))
			return DASH;
		const size = Math.abs(value);
		const sign = value < 0 ? '\u2212' : '';
		// 999.6 with three digits is 1.00 of the next unit.
		const [by, name] = units.find(([least]) => size >= least * (1 - 0.5 * 10 ** -significant)) ||
			units[units.length - 1];
		let number = size === 0 ? '0' : digits(size / by, significant || 3);
		if (number.includes('.') && Number(number) === Math.round(Number(number)))
			number = String(Math.round(Number(number)));
		return sign + number + (name + unit ? '\u00a0' + name + unit : '');
	}

	const time = (ns, significant) => scaled(ns, TIMES, '', significant || 3);
	const ns = (value) => isNumber(value) ? count(value) + '\u00a0ns' : DASH;
	const rate = (value) => scaled(value, SI, '\u202fmsg/s', 4).replace('\u00a0\u202f', '\u00a0');
	const byteRate = (value) => scaled(value, SI, 'B/s', 4);
	const hertz = (value) => scaled(value, SI, 'Hz', 4);
	const bytes = (value) => isNumber(value) ? count(value) + '\u00a0B' : DASH;
	const seconds = (value) => isNumber(value) ? scaled(value * 1e9, TIMES, '', 3) : DASH;

	// "p99.9" as "99.9 %".
	const percent = (name) => name.replace(/^p/, '') + '\u00a0%';

	// "far_minor_faults" as "far minor faults"; the unit goes to the value.
	const UNITS = [
		['_messages_per_s', rate, ' messages'], ['_bytes_per_s', byteRate, ' bytes'],
		['_ns_per_sample', (v) => count(v) + '\u00a0ns', ' per sample'],
		['_ns', ns, ''], ['_bytes', bytes, ''], ['_hz', hertz, ''],
		['_ppm', (v) => count(v) + '\u00a0ppm', ''],
	];

	function unitOf(key) {
		const padded = '_' + key;
		return UNITS.find(([suffix]) => padded.endsWith(suffix));
	}

	function name(key) {
		const unit = unitOf(key);
		const stem = unit ? ('_' + key).slice(1, -unit[0].length) + unit[2] : key;
		return (stem || key).replace(/_/g, ' ').trim();
	}

	function value(key, found) {
		if (found === null || found === undefined)
			return DASH;
		if (typeof found === 'boolean')
			return found ? 'yes' : 'no';
		if (typeof found === 'number')
			return (unitOf(key) || [0, count])[1](found);
		if (typeof found === 'object')
			return JSON.stringify(found);
		return String(found);
	}

	// A word of a command line so that a shell reads it as it was.
	function quoted(word) {
		const plain = String(word);
		return /^[\w@%+=:,./-]+$/.test(plain) ? plain : "'" + plain.replace(/'/g, "'\\''") + "'";
	}

	return { DASH, THIN, isNumber, count, time, ns, rate, byteRate, hertz, bytes, seconds, percent,
		name, value, quoted, scaled, SI };
})();
