// SPDX-License-Identifier: BSD-3-Clause
'use strict';

// usage: node report_test.js WRITER FOLDER CHROMIUM [FIXTURE...]
const { spawnSync } = require('child_process');
const fs = require('fs');
const path = require('path');
const puppeteer = require('puppeteer-core');
const fixtures = require('./fixtures.js');
const suiteFixtures = require('./suite_fixtures.js');
const suiteChecks = require('./suite_checks.js');

const REPORT_PAGE = path.join(__dirname, '../../devtools/report-page');
const [writer, folder, chromium, ...only] = process.argv.slice(2);
const PERCENTILES = ['p50', 'p90', 'p99', 'p99.9', 'p99.99', 'p99.999', 'p99.9999'];
const HISTOGRAMS = ['latency_ns', 'limit_ns', 'floor_ns', 'far_floor_ns', 'extra_ns', 'far_work_ns', 'there_ns', 'back_ns'];
const PAGE_BYTES_MAX = 200 * 1024;
const VIEWS = [
	{ name: 'desktop, light', width: 1280, scheme: 'light' },
	{ name: 'desktop, dark', width: 1280, scheme: 'dark' },
	{ name: 'phone, light', width: 390, scheme: 'light' },
	{ name: 'phone, dark', width: 390, scheme: 'dark' },
	{ name: 'paper, from dark', width: 720, scheme: 'dark', media: 'print' },
];
// Which charts a fixture must have; the others must not fail.
const CHARTS = {
	ping: ['curves-0-0', 'time-0-0', 'heat-0-0'],
	rates: ['curves', 'sweep-rate-latency', 'sweep-rate-achieved-latency', 'sweep-rate-rate'],
	sizes: ['curves', 'sweep-size-latency', 'sweep-size-rate', 'sweep-size-bytes'],
	bursts: ['sweep-burst-rate'],
	peers: ['curves', 'curves-1-0', 'heat-2-1'],
	contestants: ['curves'],
	suite: ['suite-latency-size-host', 'suite-latency-size-guest', 'suite-rate-size-1-host', 'suite-rate-size-32-host',
		'suite-rate-burst-host', 'suite-bandwidth-host', 'suite-latency-load-host', 'suite-latency-load-p99-host', 'suite-links-host',
		'suite-queues-host', 'suite-rings-host', 'suite-rings-rate-host', 'suite-rpc-host', 'suite-mixed-host', 'suite-wake-gap-host', 'suite-wake-host', 'suite-tail', 'suite-law-trip-size-host',
		'suite-law-message-size-host', 'suite-law-trip-links-host', 'suite-law-trip-load-host', 'suite-law-message-burst-host',
		'suite-law-trip-queues-host'],
};
let breaches = 0;

function check(found, where, what) {
	if (!found) {
		breaches += 1;
		console.log(`FAILED: ${where}: ${what}`);
	}
}

function write(name, documents) {
	const file = path.join(folder, `${name}.html`);
	const made = spawnSync(writer, { input: JSON.stringify(documents), maxBuffer: 1 << 28 });
	check(made.status === 0, name, `the writer ended with ${made.status}: ${made.stderr}`);
	fs.writeFileSync(file, made.stdout);
	return file;
}

// As benchmarks/run makes its page.
function writeSuite(name, documents) {
	const file = path.join(folder, `${name}.html`);
	const sources = documents.map((document, i) => {
		const source = path.join(folder, `${name}-${i}.json`);
		fs.writeFileSync(source, JSON.stringify(document));
		return source;
	});
	const made = spawnSync(REPORT_PAGE, ['--html', file, ...sources]);
	check(made.status === 0, name, `report-page ended with ${made.status}: ${made.stderr}`);
	return file;
}

// Runs in the page: what it shows.
function look() {
	// Thin blanks group digits, and a footnote's letter stands behind a dash.
	const plain = (cell) => {
		const copy = cell.cloneNode(true);
		copy.querySelectorAll('sup').forEach((mark) => mark.remove());
		return copy.textContent.replace(/\u202f/g, '');
	};
	const blank = (canvas) => {
		const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
		let inked = 0;
		for (let i = 3; i < data.length; i += 4 * 7)
			inked += data[i] > 0 ? 1 : 0;
		return inked < 200;
	};
	const all = (selector) => [...document.querySelectorAll(selector)];
	return {
		ready: document.documentElement.dataset.ready,
		wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
		figures: Object.fromEntries(all('[data-figure]').map((cell) =>
			[cell.dataset.figure, { value: cell.dataset.value, text: plain(cell), reason: Boolean(cell.querySelector('sup')) }])),
		warnings: all('[data-warning]').map((item) => [item.dataset.warning, item.textContent]),
		problems: all('.problem').filter((item) => !item.closest('noscript')).map((item) => item.textContent),
		charts: all('.chart').map((chart) => {
			const canvas = chart.querySelector('canvas');
			return { id: chart.dataset.chart, drawn: Boolean(canvas), blank: !canvas || blank(canvas),
				titles: [...chart.querySelectorAll('.axes span, .x-title')].map((title) => title.textContent) };
		}),
		commands: all('[data-command]').map((code) => code.textContent),
		verdict: (document.querySelector('.verdict [data-verdict]') || { dataset: {} }).dataset.verdict,
		text: document.body.textContent,
		ground: getComputedStyle(document.body).backgroundColor,
		pwned: window.pwned, images: all('img').length, scripts: document.scripts.length,
	};
}

const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

function checkFigure(where, seen, key, wanted) {
	const found = seen.figures[key];
	const there = typeof wanted === 'number';
	if (!found) {
		check(false, where, `${key} is not shown`);
		return;
	}
	check(found.value === (there ? String(wanted) : 'null'), where, `${key} is ${found.value}, expected ${wanted}`);
	check(there || (found.text === '\u2013' && found.reason), where, `${key} is null and shown as "${found.text}"`);
	// Whole numbers are shown to the last digit.
	if (there && Number.isInteger(wanted) && /_ns\/|overview|samples$/.test(key) && !key.startsWith('offset'))
		check(found.text.startsWith(String(wanted)), where, `${key} is shown as ${found.text}, expected ${wanted}`);
}

function checkRun(where, seen, id, run) {
	const latency = run.latency_ns || {};
	for (const name of [...PERCENTILES, 'max'])
		checkFigure(where, seen, `${id}/overview/${name}`, latency[name]);
	for (const key of HISTOGRAMS.filter((key, i) => i < 4 || isObject(run[key]))) {
		for (const name of ['min', ...PERCENTILES, 'max', 'mean', 'n'])
			checkFigure(where, seen, `${id}/${key}/${name}`, (run[key] || {})[name]);
	}
	for (const name of PERCENTILES) {
		const pair = (latency.interval || {})[name];
		const { text: found } = seen.figures[`${id}/latency_ns/interval/${name}`] || {};
		check(found === (pair ? `${pair[0]} to ${pair[1]}` : '\u2013'), where, `interval of ${id} ${name} is "${found}"`);
	}
	for (const name of ['asked', 'messages_per_s', 'bytes_per_s', 'late'])
		checkFigure(where, seen, `${id}/rate.${name}`, (run.rate || {})[name]);
	for (const name of ['samples', 'messages', 'lost', 'corrupt', 'ratio_p50', 'run_ns'])
		checkFigure(where, seen, `${id}/${name}`, run[name]);
	for (const name of Object.keys((run.counts || {}).near || {}))
		checkFigure(where, seen, `${id}/counts.near.${name}`, run.counts.near[name]);
	for (const warning of run.warnings || [])
		check(seen.warnings.some(([of, said]) => of === id && said === warning), where, `the warning "${warning}" is not shown`);
}

function checkView(name, view, documents, seen) {
	const where = `${name}, ${view.name}`;
	const print = view.media === 'print';
	check(seen.ready === 'yes', where, 'the page did not finish');
	check(print || seen.wide <= 0, where, `the page is ${seen.wide} pixels wider than the screen`);
	check(seen.pwned === undefined && seen.images === 0 && seen.scripts === 2, where, 'text of a document became markup');
	documents.filter(isObject).forEach((document, d) => (document.runs || []).forEach((run, r) =>
		checkRun(where, seen, `${d}-${r}`, run)));
	for (const chart of seen.charts) {
		check(chart.drawn && !chart.blank, where, `the chart ${chart.id} is ${chart.drawn ? 'blank' : 'not drawn'}`);
		check(chart.titles.length === 2 && chart.titles.every((title) => title.length > 3), where, `${chart.id} has an axis without a title`);
	}
	for (const id of CHARTS[name] || [])
		check(seen.charts.some((chart) => chart.id === id), where, `there is no chart ${id}`);
	const dark = view.scheme === 'dark' && !print;
	check((seen.ground === 'rgb(255, 255, 255)') === !dark, where, `the ground is ${seen.ground}`);
	check(!seen.problems.some((said) => /cannot be/.test(said)), where, `a part failed: ${seen.problems}`);
}

const VERDICTS = { ping: 'met', missed: 'missed', several: 'failed', hostile: 'failed', nulls: 'unknown' };

// What holds of one fixture only.
function checkSpecial(name, documents, seen) {
	if (VERDICTS[name])
		check(seen.verdict === VERDICTS[name], name, `the verdict is ${seen.verdict}`);
	if (name === 'newer')
		check(seen.problems.some((said) => said.includes('schema version 2')) &&
			seen.problems.some((said) => said.includes('"other"')), name, `no word of other schemas: ${seen.problems}`);
	if (name === 'none')
		check(seen.problems.length === 1, name, 'no word of the missing document');
	if (name === 'unknown-fields')
		check(seen.figures['0-0/counts.near.fresh'].value === '4' && seen.text.includes('numa node'), name,
			'new counts and places are not shown');
	if (name === 'hostile')
		check(seen.text.includes(documents[0].runs[0].name) && seen.commands[0].includes(documents[0].program.command[3]),
			name, 'hostile text is not shown as it is');
	if (name === 'ping')
		check(seen.commands[0] === documents[0].program.command.map((word) => word.includes(' ') ? `'${word}'` : word).join(' '),
			name, `the command line is ${seen.commands[0]}`);
}

const settle = (page) => page.evaluate(() => new Promise((done) =>
	requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 30)))));

async function open(browser, file, view, said) {
	const page = await browser.newPage();
	page.on('console', (message) => said.push(`console: ${message.text()}`));
	page.on('pageerror', (error) => said.push(`error: ${error.message}`));
	page.on('request', (request) => request.url() === `file://${file}` || said.push(`request of ${request.url()}`));
	await page.setOfflineMode(true);
	await page.setViewport({ width: view.width, height: 900 });
	await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: view.scheme }]);
	await page.goto(`file://${file}`);
	await page.evaluate(() => document.querySelectorAll('details').forEach((details) => { details.open = true; }));
	if (view.media)
		await page.emulateMediaType(view.media);
	await settle(page);
	return page;
}

// Keys read a chart's values without a mouse; wanted: what the legend may say.
async function checkKeys(page, id, readout, wanted) {
	await page.focus(`[data-chart="${id}"] .canvas`);
	await page.keyboard.press('Home');
	await page.keyboard.press('ArrowRight');
	const read = await page.$eval(`[data-chart="${id}"]`, (chart) =>
		[chart.querySelector('.readout').textContent, chart.querySelector('.legend .value').textContent]);
	check(readout.test(read[0]) && wanted.test(read[1]), 'keys', `the readout of ${id} is "${read}"`);
}

async function checkRuns(name, view, documents, page) {
	const seen = await page.evaluate(look);
	checkView(name, view, documents, seen);
	if (view === VIEWS[0])
		checkSpecial(name, documents, seen);
	if (name === 'ping' && !view.media)
		await checkKeys(page, 'curves-0-0', /%/, /(ns|µs|ms)$/);
}

async function checkSuite(name, view, documents, page) {
	const seen = await page.evaluate(look);
	checkView(name, view, [], seen);
	if (name === 'suite' && view !== VIEWS[0])
		return;
	// The first line is the limit, in the document 156.6 ns at 60 bytes.
	if (name === 'suite')
		await checkKeys(page, 'suite-latency-size-host', /^60\u00a0B$/, /^156\.6\u00a0ns$/);
	const all = await page.evaluate(suiteChecks.walk, suiteChecks.INPUTS);
	suiteChecks.checkFigures(check, name, documents[0], all);
	suiteChecks.checkSpecial(check, name, documents[0], all, seen.problems);
}

async function checkPages(browser, name, views, documents, file, checkPage) {
	for (const view of views) {
		const said = [];
		const page = await open(browser, file, view, said);
		await checkPage(name, view, documents, page);
		check(said.length === 0, `${name}, ${view.name}`, said.join('; '));
		await page.close();
	}
}

async function main() {
	const browser = await puppeteer.launch({ executablePath: chromium, headless: true,
		args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
	const wanted = ({ name }) => only.length === 0 || only.includes(name);
	try {
		const bytes = fs.statSync(write('template', [])).size;
		check(bytes < PAGE_BYTES_MAX, 'template', `the page has ${bytes} bytes, expected less than ${PAGE_BYTES_MAX}`);
		for (const { name, make } of fixtures.filter(wanted)) {
			const documents = make();
			await checkPages(browser, name, VIEWS, documents, write(name, documents), checkRuns);
		}
		for (const { name, make } of suiteFixtures.filter(wanted)) {
			const documents = make();
			await checkPages(browser, name, name === 'suite' ? VIEWS : [VIEWS[3]], documents, writeSuite(name, documents), checkSuite);
		}
	} finally {
		await browser.close();
	}
	console.log(breaches ? `${breaches} checks failed` : 'all checks passed');
	process.exitCode = breaches ? 1 : 0;
}

main().catch((error) => {
	console.log(`FAILED: ${error.stack}`);
	process.exitCode = 1;
});
