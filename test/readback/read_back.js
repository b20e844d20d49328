// SPDX-License-Identifier: BSD-3-Clause
// Reads the logs of write_logs by hdr-histogram-js and compares all that it finds with
// what is expected. Of its .hgrm the numbers are compared, not their text: it rounds the
// binary value, where the Java library rounds the decimal one.
//
// usage: node read_back.js FOLDER_OF_NODE_MODULES FOLDER
'use strict';
const fs = require('fs');
const path = require('path');
const hdr = require(path.join(path.resolve(process.argv[2]), 'hdr-histogram-js'));

const folder = process.argv[3];
const HIGHEST_NS = 100000000000n;
let compared = 0;
let broken = 0;

function same(where, found, expected)
{
	compared++;
	if (found === expected)
		return;
	if (broken++ < 20)
		console.log(`${where}: found ${found}, expected ${expected}`);
}

// What our value is here: the end of its step; of one above the range, of the last step.
function end(h, value)
{
	return h.highestEquivalentValue(Number(BigInt(value) > HIGHEST_NS ? HIGHEST_NS : BigInt(value)));
}

function recorded(h)
{
	const values = [];
	const iterator = h.recordedValuesIterator;
	iterator.reset();
	while (iterator.hasNext()) {
		const value = iterator.next();
		values.push([value.valueIteratedTo, value.countAtValueIteratedTo]);
	}
	return values;
}

// By the rank rule itself, over the decoded counts.
function atRank(values, rank)
{
	let seen = 0;
	for (const [value, count] of values) {
		seen += count;
		if (seen >= rank)
			return value;
	}
	return -1;
}

function compareFacts(where, h, lines)
{
	const values = recorded(h);
	const counts = values.map(([value, count]) => `count ${h.lowestEquivalentValue(value)} ${count}`);
	const facts = {
		tag: (word) => same(`${where} tag`, h.tag === 'NO TAG' ? '-' : h.tag, word),
		begin: (word) => same(`${where} begin`, h.startTimeStampMsec, Number(word)),
		end: (word) => same(`${where} end`, h.endTimeStampMsec, Number(word)),
		total: (word) => same(`${where} total`, h.totalCount, Number(word)),
		min: (word) => same(`${where} min`, h.highestEquivalentValue(values[0][0]), end(h, word)),
		max: (word) => same(`${where} max`, h.maxValue, end(h, word)),
		percentile: (number, rank, value) => {
			same(`${where} p${number}`, h.getValueAtPercentile(Number(number)), end(h, value));
			same(`${where} rank of p${number}`, atRank(values, Number(rank)), end(h, value));
		},
	};
	for (const line of lines.filter((line) => !line.startsWith('count '))) {
		const [fact, ...words] = line.split(' ');
		facts[fact](...words);
	}
	same(`${where} counts`, counts.join(), lines.filter((line) => line.startsWith('count ')).join());
}

// Words that are numbers may differ by one in their last digit.
function sameWord(theirs, ours)
{
	const decimals = (ours.match(/\.([0-9]+)$/) || ['', ''])[1].length;
	return theirs === ours || (decimals > 0 && theirs.length === ours.length &&
		Math.abs(Number(theirs) - Number(ours)) < 1.5 * 10 ** -decimals);
}

function words(text)
{
	return text.trim().split('\n').map((line) => line.split(/[ ,\]]+/).filter((word) => word !== ''));
}

function compareText(file, h, unit)
{
	const ours = words(fs.readFileSync(file, 'utf8'));
	const theirs = words(h.outputPercentileDistribution(5, unit));
	const where = path.basename(file);
	same(`${where} lines`, theirs.length, ours.length);
	for (let i = 0; i < Math.min(theirs.length, ours.length); i++) {
		const equal = theirs[i].length === ours[i].length && theirs[i].every((word, j) => sameWord(word, ours[i][j]));
		same(`${where} line ${i + 1}`, equal ? ours[i].join(' ') : theirs[i].join(' '), ours[i].join(' '));
	}
}

function compareLog(log)
{
	const name = path.join(folder, log.replace(/\.hlog$/, ''));
	// 64: its counters of 32 bits would overflow.
	const reader = new hdr.HistogramLogReader(fs.readFileSync(`${name}.hlog`, 'utf8'), 64);
	let i = 0;
	for (let h; (h = reader.nextIntervalHistogram()) !== null; i++) {
		const part = `${name}.${i}`;
		compareFacts(path.basename(part), h, fs.readFileSync(`${part}.expected`, 'utf8').trim().split('\n'));
		compareText(`${part}.ns.hgrm`, h, 1);
		compareText(`${part}.us.hgrm`, h, 1000);
	}
	same(`${log} has no more intervals`, fs.existsSync(`${name}.${i}.expected`), false);
}

// Readers find the rank in doubles, which have an end. The first N = k * 10^6 - 1, where N p
// of p99.9999 is a millionth above a whole number, at which this reader takes that number.
function firstOtherRank()
{
	const h = hdr.build({bitBucketSize: 64, highestTrackableValue: 100, numberOfSignificantValueDigits: 3});
	for (let n = 999999; n < 1e11; n += 1e6) {
		const rank = n - Math.floor(n / 1e6);
		h.reset();
		h.recordValueWithCount(10, rank - 1);
		h.recordValueWithCount(20, n - rank + 1);
		if (h.getValueAtPercentile(99.9999) !== 20)
			return n;
	}
	return 0;
}

const logs = fs.readdirSync(folder).filter((name) => name.endsWith('.hlog'));
logs.forEach(compareLog);
console.log(`JavaScript: ${logs.length} logs, ${compared} comparisons, ${broken} differ; its p99.9999 has another rank from N = ${firstOtherRank()}`);
process.exitCode = broken === 0 && compared > 0 ? 0 : 1;
