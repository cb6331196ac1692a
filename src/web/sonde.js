/* SPDX-License-Identifier: MIT */
/*
 * The page of sonde. At "/" this browser measures by itself, with the server that sent the page; below any other path
 * it shows what sonde measures on this machine (`sonde gui`). Both make one document with the keys of
 * `sonde check -f json`, and all that is shown, kept and copied comes from that.
 */
"use strict";

const serving = location.pathname === "/";
document.documentElement.dataset.mode = serving ? "serve" : "gui";

/* ---- Statistics ---- */

/* Nearest rank; null of nothing. */
function quantile(values, q) {
	const sorted = Float64Array.from(values).sort();
	return sorted.length ? sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] : null;
}

function median(values) {
	return quantile(values, 0.5);
}

/* RFC 3550 section 6.4.1, over successive round trips. */
function jitter(rtts) {
	let j = 0;
	for (let i = 1; i < rtts.length; i++)
		j += (Math.abs(rtts[i] - rtts[i - 1]) - j) / 16;
	return rtts.length > 1 ? j : null;
}

/* @lost: null where nobody can know */
function pingFigures(rtts, lost) {
	const sent = rtts.length + (lost || 0);
	return {
		method: "http", stamps: "user", sent, received: rtts.length, lost,
		loss_ratio: lost === null || !sent ? null : lost / sent,
		rtt_min_ms: quantile(rtts, 0), rtt_mean_ms: rtts.length ? rtts.reduce((a, b) => a + b) / rtts.length : null,
		rtt_max_ms: quantile(rtts, 1), rtt_p50_ms: median(rtts), rtt_p90_ms: quantile(rtts, 0.9),
		rtt_p99_ms: quantile(rtts, 0.99), jitter_ms: jitter(rtts),
	};
}

/* Bits per second; moved(t): bytes that had come at t milliseconds. */
function rateBetween(moved, from, to) {
	return to > from ? (moved(to) - moved(from)) * 8000 / (to - from) : 0;
}

/* When the rate had become what it stays: the beginning does not count as long as it is clearly below what follows. */
function steadyFrom(moved, from, to) {
	const n = Math.max(1, Math.floor((to - from) / 250)), slice = (to - from) / n, rates = [];
	for (let i = 0; i < n; i++)
		rates.push(rateBetween(moved, from + i * slice, from + (i + 1) * slice));
	let i = 0;
	while (i < n / 2) {
		const rest = rates.slice(i + 1);
		if (rates[i] >= 0.9 * median(rest) || rates[i] >= quantile(rest, 0.1))
			break;
		i++;
	}
	return from + i * slice;
}

function flowFigures(moved, from, to, more) {
	const since = steadyFrom(moved, from, to);
	if (to - since < 1000 || moved(to) <= moved(since))
		return { flow: noFlow("failed", "too little came through to tell a rate"), since };
	return { since, flow: { ...noFlow("ok", null), bits_per_second: Math.round(rateBetween(moved, since, to)),
		bytes: Math.round(moved(to) - moved(since)), seconds: (to - since) / 1000, ...more } };
}

function noFlow(status, reason) {
	return { status, reason, bits_per_second: null, bytes: null, seconds: null, connections: null, counted_by: null };
}

function gradeOf(increase, grades) {
	if (increase === null || !grades)
		return null;
	const better = Object.entries(grades).sort((a, b) => a[1] - b[1]).find(([, below]) => increase < below);
	return better ? better[0] : "F";
}

/* What the load adds to the latency, as `sonde check` tells it. */
function bufferbloat(doc, grades) {
	const idle = doc.ping && doc.ping.rtt_p50_ms;
	const add = p => p && p.received >= 5 && idle !== null ? Math.max(0, p.rtt_p50_ms - idle) : null;
	const down = add(doc.loaded.download), up = add(doc.loaded.upload);
	const most = down === null && up === null ? null : Math.max(down, up);
	return { grade: gradeOf(most, grades), increase_ms: most, download_increase_ms: down, upload_increase_ms: up };
}

/* ---- Words ---- */

const DASH = "–", UNSEEN = "not visible to a browser";

function rateParts(bps) {
	const units = ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"];
	let i = 0;
	if (bps === null || bps === undefined)
		return [DASH, "Mbit/s"];
	for (; bps >= 999.95 && i < 4; i++)
		bps /= 1000;
	return [bps.toFixed(i ? 1 : 0), units[i]];
}

function rateWords(bps) {
	return rateParts(bps).join(" ");
}

function ms(value) {
	return value === null || value === undefined ? DASH : value.toFixed(value < 1 && !serving ? 3 : value < 10 ? 2 : value < 100 ? 1 : 0);
}

/* For a sentence: as exact as one speaks. */
function roughly(value) {
	return value < 1 ? String(Number(value.toPrecision(1))) : String(Math.round(value));
}

function percent(ratio) {
	return ratio === null || ratio === undefined ? DASH : (ratio * 100).toFixed(ratio && ratio < 0.1 ? 1 : 0) + " %";
}

/* In which direction the load adds more. */
function worseWay(doc) {
	const b = doc.bufferbloat;
	return b.upload_increase_ms !== null && b.upload_increase_ms >= (b.download_increase_ms || 0) ? "upload" : "download";
}

function effectWords(increase, doing, calm) {
	if (increase < 5)
		return `${calm}: latency stays near `;
	const rises = ": latency rises from ";
	if (increase < 30)
		return `Games may notice while someone ${doing}, calls will not${rises}`;
	if (increase < 100)
		return `Games will stutter while someone ${doing}, and calls may${rises}`;
	return `Calls and games will stutter while someone ${doing}${rises}`;
}

function sentenceOf(doc) {
	const idle = doc.ping && doc.ping.rtt_p50_ms, b = doc.bufferbloat, down = doc.download.bits_per_second;
	const slow = down !== null && down < 5e6, words = [];
	if (b.increase_ms !== null && idle !== null) {
		const way = worseWay(doc), full = roughly(doc.loaded[way].rtt_p50_ms);
		const calm = slow ? "Slow, but even" : idle > 100 ? "Even, but far away" : "Fast and even";
		words.push(effectWords(b.increase_ms, way + "s", calm) +
			(b.increase_ms < 5 ? `${full} ms while the link is full.` : `${roughly(idle)} to ${full} ms.`));
	} else if (idle !== null) {
		words.push(`Without load the latency is ${roughly(idle)} ms; under load it could not be measured.`);
	} else if (down === null && doc.upload.bits_per_second === null) {
		words.push("Nothing could be measured.");
	}
	if (slow)
		words.push(`Films will stop and start at ${rateWords(down)}.`);
	if (doc.ping && doc.ping.loss_ratio >= 0.01)
		words.push(`Of the probes ${percent(doc.ping.loss_ratio)} were lost.`);
	return words.join(" ");
}

const LIMITS = {
	network: "the network", receiver: "the receiver’s window", sender: "the sender’s buffer", server: "the server’s CPU",
	"client-cpu": "this machine’s CPU", size: "the amount of data: the link may carry more",
};

function flowWords(flow) {
	if (flow.status === "skipped")
		return flow.reason || "not measured";
	if (flow.status !== "ok")
		return `${flow.status === "unsupported" ? "not possible here" : "failed"}: ${flow.reason || "no reason is known"}`;
	if (flow.limited_by !== undefined)
		return `limited by ${LIMITS[flow.limited_by] || "the network or the server"}`;
	return `${flow.connections} connections, counted by ${flow.counted_by === "sender" ? "the sender" : flow.by || "the receiver"}`;
}

function increaseWords(b) {
	const ways = [["download", b.download_increase_ms], ["upload", b.upload_increase_ms]].filter(w => w[1] !== null);
	return ways.map(([way, value]) => `+${roughly(value)} ms while ${way}ing`).join(", ");
}

function lossWords(p) {
	return p && p.loss_ratio === null && serving ? UNSEEN : percent(p && p.loss_ratio);
}

function command() {
	return "sonde check " + (location.port ? location.host : location.host + ":80");
}

function wholeText(doc) {
	if (doc.targets)
		return doc.targets.map(doc.type === "ping" ? pingText : traceText).join("\n");
	const b = doc.bufferbloat, full = b.increase_ms === null ? null : doc.loaded[worseWay(doc)].rtt_p50_ms;
	return [`sonde ${doc.version}, ${doc.target.url}, ${doc.time}`,
		`ping        ${ms(doc.ping && doc.ping.rtt_p50_ms)} ms, jitter ${ms(doc.ping && doc.ping.jitter_ms)} ms, loss ${lossWords(doc.ping)}`,
		`download    ${rateWords(doc.download.bits_per_second)}, ${flowWords(doc.download)}`,
		`upload      ${rateWords(doc.upload.bits_per_second)}, ${flowWords(doc.upload)}`,
		`under load  ${ms(full)} ms, grade ${b.grade || DASH}`, sentenceOf(doc), ""].join("\n");
}

function pingText(t) {
	return `${t.target}  median ${ms(t.rtt_p50_ms)} ms, p99 ${ms(t.rtt_p99_ms)} ms, jitter ${ms(t.jitter_ms)} ms, ` +
		`loss ${percent(t.loss_ratio)} of ${t.sent}`;
}

function traceText(t) {
	return [`${t.target} (${t.address})`, ...t.hops.map(h => `${String(h.ttl).padStart(3)}  ` + (h.addresses.length ?
		`${hopName(h)}  ${ms(h.rtt_p50_ms)} ms, loss ${percent(h.loss_ratio)}` : "no answer"))].join("\n");
}

function hopName(h) {
	return h.addresses.map((a, i) => h.names && h.names[i] ? `${h.names[i]} (${a})` : a).join(", ");
}

/* Why this is no target; "" where it may be one. The probe itself looks more closely. */
function complaint(text, run) {
	const bytes = new TextEncoder().encode(text).length, scheme = /^([a-z]+):\/\//i.exec(text);
	const rest = scheme ? text.slice(scheme[0].length) : text;
	if (!text)
		return "Type a name, an address, or host:port.";
	if (bytes > 255)
		return `That is ${bytes} characters long; a target has at most 255.`;
	if (/[<>"'`]/.test(text))
		return "That is markup, not a target: type a name, an address, or host:port.";
	if (/\s/.test(text))
		return "A target has no spaces in it.";
	if (/[\0-\x1f\x7f]/.test(text))
		return "There is a control character in it.";
	if (text[0] === "-")
		return "A target does not begin with “-”: options are for the command line.";
	if (/^https:/i.test(text))
		return "sonde speaks no TLS. Ping works with " +
			`tcp://${rest.split("/")[0].slice(0, 100) || "host"}${/:\d+(\/|$)/.test(rest) ? "" : ":443"}`;
	if (run !== "check" && /\/./.test(rest))
		return `${run === "ping" ? "Ping" : "Trace"} takes no path: leave out “${rest.slice(rest.indexOf("/")).slice(0, 40)}”.`;
	return "";
}

/* ---- Measuring with the server of this page ---- */

const IDLE_PINGS = 20, WARM_UPS = 2, PING_INTERVAL = 100, LOAD_MS = 8000, STREAMS = 4, PATIENCE = 4000, POST_MS = 350;
let serial = Date.now() % 1e6 * 1000;

function failure(kind, words) {
	return Object.assign(new Error(words), { kind });
}

/* An AbortController that its parent's end ends too. */
function childOf(signal) {
	const own = new AbortController();
	if (signal.aborted)
		own.abort();
	signal.addEventListener("abort", () => own.abort(), { once: true });
	return own;
}

function pause(time, signal) {
	return new Promise((resolve, reject) => {
		const leave = () => {
			clearTimeout(timer);
			reject(new DOMException("stopped", "AbortError"));
		};
		const timer = setTimeout(() => {
			signal.removeEventListener("abort", leave);
			resolve();
		}, time);
		if (signal.aborted)
			leave();
		signal.addEventListener("abort", leave, { once: true });
	});
}

async function refuseBad(answer) {
	if (answer.ok)
		return;
	const words = (await answer.text()).trim().split("\n")[0].slice(0, 120);
	throw failure("refused", `the server answered ${answer.status}${words ? ": " + words : ""}`);
}

/* The browser's own stamps of a request; they come a moment after the answer. */
async function stampsOf(url) {
	for (let i = 0; i < 4; i++) {
		const entry = performance.getEntriesByName(url)[0];
		if (entry && entry.responseStart > 0 && entry.requestStart > 0)
			return entry.responseStart - entry.requestStart;
		await new Promise(done => setTimeout(done, i));
	}
	return null;
}

async function roundTrip(signal) {
	const own = childOf(signal), timer = setTimeout(() => own.abort(), PATIENCE);
	const url = new URL("ping?" + serial++, location.href).href, begun = performance.now();
	try {
		const answer = await fetch(url, { cache: "no-store", signal: own.signal });
		const elapsed = performance.now() - begun;
		await refuseBad(answer);
		await answer.arrayBuffer();
		const stamped = await stampsOf(url);
		return stamped === null ? elapsed : stamped;
	} finally {
		clearTimeout(timer);
		own.abort();
		performance.clearResourceTimings();
	}
}

async function measureIdle(run) {
	const rtts = [];
	enter(run, "ping");
	for (let i = 0; i < IDLE_PINGS + WARM_UPS; i++) {
		const begun = performance.now(), rtt = await roundTrip(run.signal);
		if (i >= WARM_UPS) {
			rtts.push(rtt);
			note(run, "rtt", performance.now(), rtt);
			showPing(pingFigures(rtts, null), true);
		}
		await pause(Math.max(0, PING_INTERVAL - (performance.now() - begun)), run.signal);
	}
	run.doc.ping = pingFigures(rtts, null);
}

/* One at a time on a connection of its own, for the four others are busy. One that fails may be bad luck. */
async function keepPinging(run, probes, signal) {
	for (let failed = 0; failed < 2;) {
		const begun = performance.now();
		try {
			const rtt = await roundTrip(signal), now = performance.now();
			failed = 0;
			probes.push({ at: now, rtt });
			note(run, "rtt", now, rtt);
		} catch (e) {
			if (signal.aborted)
				throw e;
			failed++;
		}
		await pause(Math.max(0, PING_INTERVAL - (performance.now() - begun)), signal);
	}
	throw failure("gone", "it does not answer any more");
}

/* A load has: loops, moved(t), connections, heard (when something came last), lag (of the live rate), end(now). */
function startDownloads(run, signal) {
	const samples = [{ at: performance.now(), bytes: 0 }];
	const load = { connections: 0, heard: performance.now(), lag: 0, moved: t => bytesAt(samples, t),
		end: now => Math.min(now, samples[samples.length - 1].at) };
	const count = n => {
		const now = load.heard = performance.now(), last = samples[samples.length - 1];
		if (samples.length > 1 && now - samples[samples.length - 2].at < 10) {
			last.at = now;
			last.bytes += n;
		} else {
			samples.push({ at: now, bytes: last.bytes + n });
		}
	};
	load.loops = Array.from({ length: STREAMS }, (_, i) => keepReading(load, i, count, signal));
	return load;
}

/* Between two samples as if evenly. */
function bytesAt(samples, t) {
	let low = 0, high = samples.length - 1;
	if (t >= samples[high].at)
		return samples[high].bytes;
	while (high - low > 1) {
		const middle = (low + high) >> 1;
		if (samples[middle].at <= t)
			low = middle;
		else
			high = middle;
	}
	const a = samples[low], b = samples[high];
	return t <= a.at ? a.bytes : a.bytes + (b.bytes - a.bytes) * (t - a.at) / (b.at - a.at);
}

async function keepReading(load, i, count, signal) {
	await pause(i * 150, signal);
	const answer = await fetch(`down?seconds=${LOAD_MS / 1000 * 3}&n=${serial++}`, { cache: "no-store", signal });
	if (!answer.ok && load.connections > 0)
		return new Promise(() => {}); /* fewer streams than wished for */
	await refuseBad(answer);
	load.connections++;
	const reader = answer.body.getReader();
	for (;;) {
		const { done, value } = await reader.read();
		if (done)
			throw failure("gone", "it ended the download before its time");
		count(value.length);
	}
}

/* Nothing of 64 KiB in it comes twice within a megabyte: no link on the way can make it smaller. */
function incompressible() {
	const piece = () => crypto.getRandomValues(new Uint8Array(65536));
	return new Blob(Array.from({ length: 16 }, piece));
}

function blobOf(pool, bytes) {
	return new Blob([...Array(Math.floor(bytes / pool.size)).fill(pool), pool.slice(0, bytes % pool.size)]);
}

/* Only what the server says it has received counts, spread over the time it took to arrive. */
function startUploads(run, signal) {
	const receipts = [], begun = performance.now(), last = Array(STREAMS).fill(null);
	const load = { connections: 0, heard: begun, size: 32768, most: run.info.limits ? run.info.limits.body_bytes : 1e6 };
	load.moved = t => receipts.reduce((sum, r) => sum + r.bytes * Math.min(1, Math.max(0, (t - r.from) / (r.to - r.from))), 0);
	/* What is under way at the end is not known: where the first of the loops had its last receipt, all is. */
	load.end = now => last.reduce((end, t) => t === null ? end : Math.min(end, t), now);
	load.count = (i, r) => {
		receipts.push(r);
		load.heard = last[i] = r.to;
		load.lag = Math.min(1500, Math.max(...receipts.slice(-STREAMS).map(x => x.to - x.from)) + 50);
	};
	const pool = incompressible();
	load.loops = last.map((_, i) => keepSending(load, i, pool, signal));
	return load;
}

async function keepSending(load, i, pool, signal) {
	await pause(i * 150, signal);
	for (let first = true;; first = false) {
		const body = blobOf(pool, load.size), begun = performance.now();
		const answer = await fetch("up?" + serial++, { method: "POST", body, cache: "no-store", signal });
		const to = performance.now(), elapsed = Math.max(1, to - begun);
		if (!answer.ok && first && load.connections > 0)
			return new Promise(() => {});
		await refuseBad(answer);
		load.connections += first;
		const { bytes, seconds } = await answer.json();
		load.count(i, { from: to - (seconds > 0 ? Math.min(seconds * 1000, elapsed) : elapsed), to, bytes });
		load.size = Math.round(Math.min(load.most, 1 << 26, Math.max(16384, body.size * Math.min(4, POST_MS / elapsed))));
	}
}

/* Ten times a second: the rate of the last half second, and whether anything comes at all. */
async function watch(run, name, load, signal) {
	for (const begun = performance.now();;) {
		await pause(100, signal);
		const now = performance.now(), at = now - load.lag;
		if (now - load.heard > PATIENCE)
			throw failure("gone", `nothing has come for ${PATIENCE / 1000} seconds`);
		if (load.lag === undefined || at - begun < 200)
			continue;
		const bps = rateBetween(load.moved, Math.max(begun, at - 500), at);
		note(run, name, at, bps);
		showRate(name, bps);
	}
}

async function measureLoad(run, name, start) {
	const stop = childOf(run.signal), begun = performance.now(), probes = [];
	enter(run, name);
	run.doc[name] = noFlow("failed", "it was not finished");
	const load = start(run, stop.signal), over = pause(LOAD_MS, stop.signal);
	try {
		await Promise.race([over, ...load.loops, keepPinging(run, probes, stop.signal), watch(run, name, load, stop.signal)]);
	} catch (e) {
		if (e.kind !== "refused" || run.signal.aborted)
			throw e;
		run.doc[name] = noFlow("unsupported", e.message);
		return;
	} finally {
		stop.abort();
	}
	const to = load.end(performance.now());
	const by = name === "upload" ? "the server" : "this browser";
	const { flow, since } = flowFigures(load.moved, begun, to, { connections: load.connections, counted_by: "receiver", by });
	run.doc[name] = flow;
	if (flow.status === "ok")
		run.doc.loaded[name] = pingFigures(probes.filter(p => p.at >= since).map(p => p.rtt), null);
	redrawRates(run, name, load, begun, to);
}

/* What was drawn of an upload was late and incomplete; now all receipts are there. */
function redrawRates(run, name, load, begun, to) {
	const points = run.plot[name] = [];
	for (let at = begun + 100; at <= to; at += 100)
		points.push([(at - run.began) / 1000, rateBetween(load.moved, Math.max(begun, at - 250), Math.min(to, at + 250))]);
}

async function measure(run) {
	const answer = await fetch("info", { cache: "no-store", signal: run.signal });
	await refuseBad(answer);
	run.info = await answer.json();
	run.doc.version = run.info.version;
	await measureIdle(run);
	await measureLoad(run, "download", startDownloads);
	showFlow("download", run.doc.download);
	await measureLoad(run, "upload", startUploads);
}

function blankDoc() {
	const host = location.host;
	return {
		schema: 1, type: "page-check", version: "", time: new Date().toISOString().replace(/\.\d+/, ""),
		target: { url: location.origin + "/", host: location.hostname, port: Number(location.port || 80) },
		ping: null, download: noFlow("skipped", null), upload: noFlow("skipped", null),
		loaded: { download: null, upload: null }, bufferbloat: null, hidden: false,
	};
}

async function runHere(run) {
	let trouble = null;
	try {
		await measure(run);
	} catch (e) {
		trouble = e;
	}
	const gone = trouble && !run.signal.aborted;
	run.abort.abort();
	if (gone)
		trouble.words = trouble.kind ? trouble.message : "the connection broke";
	for (const name of ["download", "upload"])
		if (gone && run.doc[name].status === "failed")
			run.doc[name].reason = trouble.words;
	run.doc.bufferbloat = bufferbloat(run.doc, run.info && run.info.grades_ms);
	if (gone)
		finish(run, "failed", `The server has gone: ${trouble.words}. What was measured stays; press Check to start again.`);
	else
		finish(run, "done", trouble ? "Stopped. What was measured stays." : "Done.");
}

/* ---- Measuring by the sonde of this machine ---- */

function listen(run, kind, targets) {
	const query = targets.map(t => "&target=" + encodeURIComponent(t)).join("");
	const source = run.source = new EventSource(`events?run=${kind}${query}`);
	const take = { check: takeCheck, ping: takePing, trace: takeTrace }[kind];
	source.addEventListener("run", e => {
		run.id = JSON.parse(e.data).run;
		if (run.stopping)
			stop(run);
	});
	source.onmessage = e => {
		const line = JSON.parse(e.data);
		if (line.type === "error" && line.message)
			complain([line.message, ...(line.hints || []).map(h => "try: " + h)].join("\n"));
		else
			take(run, line);
	};
	source.addEventListener("end", () => {
		source.close();
		finishRemote(run);
	});
	source.onerror = () => {
		const refused = source.readyState === EventSource.CLOSED && run.id === undefined;
		source.close();
		run.stopping = false;
		finishRemote(run, refused ? "sonde would not start this: perhaps too much is running already." :
			"sonde has gone: start it again with `sonde gui`.");
	};
}

function finishRemote(run, trouble) {
	if (!run.final && run.kind === "check" && run.rtts.length) {
		run.doc.ping = pingFigures(run.rtts, run.lost);
		for (const name of ["download", "upload"])
			run.doc[name].reason = "it was not finished";
	}
	if (run.kind === "check")
		run.doc.bufferbloat = run.doc.bufferbloat || bufferbloat(run.doc, null);
	if (trouble)
		finish(run, "failed", trouble);
	else if (run.final)
		finish(run, "done", run.stopping ? "Stopped." : "Done.");
	else
		finish(run, "failed", "Nothing was measured.");
}

function takeCheck(run, line) {
	const now = performance.now();
	if (line.type === "check") {
		run.final = run.doc = line;
	} else if (line.type === "progress") {
		if (line.phase !== run.phase)
			enter(run, line.phase);
		if (line.bits_per_second !== null && run.plot[line.phase]) {
			note(run, line.phase, now, line.bits_per_second);
			showRate(line.phase, line.bits_per_second);
		}
	} else if (line.type === "probe") {
		if (run.phase === null)
			enter(run, "ping");
		const lost = line.outcome === "lost" || line.outcome === "error";
		if (line.rtt_ms !== null)
			note(run, "rtt", now, line.rtt_ms);
		if (run.phase !== "ping")
			return;
		run.lost += lost;
		if (line.outcome === "reply")
			run.rtts.push(line.rtt_ms);
		showPing(pingFigures(run.rtts, run.lost), true);
	}
}

function takePing(run, line) {
	if (line.type === "ping") {
		run.final = run.doc = line;
		line.targets.forEach(t => showPingRow(pingRow(run, t.target), t));
		return;
	}
	if (line.type === "resolve" && line.error)
		pingRow(run, line.target).cells[0].append(make("small", {}, " " + line.error));
	if (line.type !== "probe")
		return;
	const row = pingRow(run, line.target), at = (performance.now() - run.began) / 1000;
	if (row.first === undefined)
		row.first = at - (line.seq - 1) / 2; /* a probe every half second: a lost one is known late */
	if (line.outcome === "reply") {
		row.rtts.push(line.rtt_ms);
		row.last = line.rtt_ms;
		row.points.push([at - line.rtt_ms / 1000, line.rtt_ms]);
	} else if (line.outcome === "lost" || line.outcome === "error") {
		row.lost++;
		row.points.push([row.first + (line.seq - 1) / 2, null]);
		row.points.sort((a, b) => a[0] - b[0]);
	} else if (line.outcome === "late") {
		row.lost = Math.max(0, row.lost - 1);
	}
	row.rtts = row.rtts.slice(-20000);
	row.points = row.points.filter(p => p[0] > at - WINDOW_S - 5);
	run.status(`${run.rows.size > 1 ? run.rows.size + " targets" : line.target}, every half second.`);
	showPingRow(row, pingFigures(row.rtts, row.lost));
	redraw();
}

function takeTrace(run, line) {
	if (line.type === "trace") {
		run.final = run.doc = line;
		run.hops.clear();
		const t = line.targets[0];
		t.hops.forEach(h => run.hops.set(h.ttl, h));
		run.words = t.reached ? `${t.target} is ${t.hops.length} ${t.hops.length === 1 ? "hop" : "hops"} away.` :
			`The path to ${t.target} could not be seen to its end.`;
	} else if (line.type === "probe") {
		const h = run.hops.get(line.ttl) || { ttl: line.ttl, addresses: [], names: [], rtts: [], lost: 0 };
		run.hops.set(line.ttl, h);
		if (line.from && !h.addresses.includes(line.from))
			h.addresses.push(line.from);
		if (line.rtt_ms !== null)
			h.rtts.push(line.rtt_ms);
		else
			h.lost++;
		Object.assign(h, pingFigures(h.rtts, h.lost));
		run.status(`Following the path to ${line.target}…`);
	}
	showHops([...run.hops.values()].sort((a, b) => a.ttl - b.ttl));
}

/* ---- Drawing ---- */

const WINDOW_S = 90;
/* Told apart by those who see few colours too; from the ninth on, dashed. */
const LINES = { light: ["#0b62c4", "#b84a00", "#96278a", "#00705f", "#7a5d00", "#b3161b", "#3d4b5c", "#5b3fd0"],
	dark: ["#63aeff", "#ff9f52", "#e58fdb", "#4fd1b5", "#e3c34a", "#ff8a85", "#c3ced9", "#b3a1ff"] };

function colours() {
	const style = getComputedStyle(document.documentElement), get = name => style.getPropertyValue("--" + name).trim();
	const dark = matchMedia("(prefers-color-scheme: dark)").matches;
	return { download: get("down"), upload: get("up"), rtt: get("rtt"), ink: get("ink"), soft: get("soft"),
		line: get("line"), bad: get("bad"), sheet: get("sheet"), lines: LINES[dark ? "dark" : "light"] };
}

/* The smallest round step of which @parts cover @max. */
function niceStep(max, parts) {
	const raw = Math.max(max, 1e-6) / parts, scale = 10 ** Math.floor(Math.log10(raw));
	return [1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10].find(m => m * scale >= raw * 0.9999) * scale;
}

function plain(number) {
	return String(Number(number.toPrecision(3)));
}

/* A context in CSS pixels, sharp on every screen. */
function contextOf(canvas) {
	const box = canvas.getBoundingClientRect(), ratio = devicePixelRatio || 1;
	const w = Math.round(box.width * ratio), h = Math.round(box.height * ratio);
	if (canvas.width !== w || canvas.height !== h)
		Object.assign(canvas, { width: w, height: h });
	const g = canvas.getContext("2d");
	g.setTransform(ratio, 0, 0, ratio, 0, 0);
	g.clearRect(0, 0, box.width, box.height);
	return { g, w: box.width, h: box.height };
}

/*
 * @c: { from, to (seconds), axes: { left, right } of { top, unit, scale }, phases: [{ at, name }], series }
 * A series: { points: [[seconds, value or null]], axis, kind: "area", "line" or "dots", colour, dashed, marks }
 */
function drawChart(g, box, c, look) {
	const x = s => box.x + (s - c.from) / (c.to - c.from) * box.w;
	const y = (axis, v) => box.y + box.h - Math.min(1, v / c.axes[axis].top) * box.h;
	g.font = "12px system-ui, sans-serif";
	g.lineWidth = 1;
	if (!c.bare)
		drawFrame(g, box, c, x, look);
	g.save();
	g.beginPath();
	g.rect(box.x - 3, box.y - 3, box.w + 6, box.h + 6);
	g.clip();
	for (const s of c.series)
		drawSeries(g, box, s, x, v => y(s.axis, v));
	g.restore();
}

function drawFrame(g, box, c, x, look) {
	const parts = 4;
	g.textBaseline = "middle";
	for (let i = 0; i <= parts; i++) {
		const at = Math.round(box.y + box.h - i / parts * box.h) + 0.5;
		g.fillStyle = look.line;
		g.fillRect(box.x, at - 0.5, box.w, 1);
		g.fillStyle = look.soft;
		for (const [side, axis] of Object.entries(c.axes)) {
			g.textAlign = side === "left" ? "right" : "left";
			g.fillText(plain(axis.top / axis.scale * i / parts), side === "left" ? box.x - 8 : box.x + box.w + 8, at);
		}
	}
	g.textBaseline = "alphabetic";
	for (const [side, axis] of Object.entries(c.axes)) {
		g.textAlign = side === "left" ? "left" : "right";
		g.fillText(axis.unit, side === "left" ? box.x - 46 : box.x + box.w + 46, box.y - 14);
	}
	drawTime(g, box, c, x, look);
}

function drawTime(g, box, c, x, look) {
	const step = niceStep(c.to - c.from, Math.max(3, Math.floor(box.w / 90))), whole = Math.max(1, Math.ceil(step));
	g.textAlign = "center";
	for (let s = Math.ceil(c.from / whole) * whole; s <= c.to; s += whole)
		g.fillText(s === 0 || s + whole > c.to ? `${s} s` : s, x(s), box.y + box.h + 20);
	g.textAlign = "left";
	for (const p of c.phases || []) {
		g.fillStyle = look.soft;
		for (let at = box.y - 8; at < box.y + box.h; at += 6)
			g.fillRect(Math.round(x(p.at)), at, 1, 3);
		/* A phase without a moment of its own has no room for its name. */
		if (x(p.at) + 6 + g.measureText(p.name).width < x(c.to))
			g.fillText(p.name, x(p.at) + 6, box.y - 1 + 14);
	}
}

function drawSeries(g, box, s, x, y) {
	g.strokeStyle = g.fillStyle = s.colour;
	if (s.kind === "dots")
		return s.points.forEach(([at, v]) => {
			g.beginPath();
			g.arc(x(at), y(v), s.radius || 2.25, 0, 7);
			g.fill();
		});
	for (const part of unbroken(s.points)) {
		g.beginPath();
		part.forEach(([at, v]) => g.lineTo(x(at), y(v)));
		g.lineWidth = s.width || 2;
		g.lineJoin = "round";
		g.setLineDash(s.dashed ? [6, 4] : []);
		g.stroke();
		g.setLineDash([]);
		if (s.kind !== "area")
			continue;
		g.lineTo(x(part[part.length - 1][0]), box.y + box.h);
		g.lineTo(x(part[0][0]), box.y + box.h);
		g.globalAlpha = 0.14;
		g.fill();
		g.globalAlpha = 1;
	}
	for (const [at, v] of s.points)
		if (v === null)
			g.fillRect(x(at) - 1, box.y + box.h - 8 - (s.place || 0) * 3, 2, 8);
}

function unbroken(points) {
	const parts = [[]];
	for (const p of points) {
		if (p[1] !== null)
			parts[parts.length - 1].push(p);
		else if (parts[parts.length - 1].length)
			parts.push([]);
	}
	return parts.filter(p => p.length);
}

function most(points, least) {
	return points.reduce((m, p) => Math.max(m, p[1] || 0), least);
}

function checkChart(plot, look) {
	const rate = niceStep(most([...plot.download, ...plot.upload], 0) || 1e8, 4) * 4, i = Math.min(4, Math.floor(Math.log10(rate) / 3 + 1e-9));
	return {
		from: 0, to: plot.seconds, phases: plot.phases,
		axes: {
			left: { top: rate, scale: 1000 ** i, unit: ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"][i] },
			right: { top: niceStep(most(plot.rtt, 0) || 10, 4) * 4, scale: 1, unit: "ms" },
		},
		series: [
			{ points: plot.download, axis: "left", kind: "area", colour: look.download },
			{ points: plot.upload, axis: "left", kind: "area", colour: look.upload },
			{ points: plot.rtt, axis: "right", kind: "dots", colour: look.rtt },
		],
	};
}

function drawCheck(g, w, h, plot, look) {
	drawChart(g, { x: 50, y: 34, w: w - 100, h: h - 64 }, checkChart(plot, look), look);
}

function drawSmall(canvas, plot) {
	const { g, w, h } = contextOf(canvas), look = colours(), chart = checkChart(plot, look);
	chart.bare = true;
	chart.series.forEach(s => Object.assign(s, { width: 1.25, radius: 1 }));
	drawChart(g, { x: 2, y: 3, w: w - 4, h: h - 5 }, chart, look);
}

function drawLines(canvas, rows, now) {
	const { g, w, h } = contextOf(canvas), look = colours(), to = Math.max(WINDOW_S, now), list = [...rows];
	const series = list.map((r, i) => ({ points: r.points, axis: "left", kind: "line", colour: look.lines[i % 8],
		dashed: i >= 8, width: 1.75, place: i % 8 }));
	list.forEach((r, i) => r.swatch.style.borderTop = `3px ${i < 8 ? "solid" : "dashed"} ${look.lines[i % 8]}`);
	const top = niceStep(series.reduce((m, s) => most(s.points, m), 0) || 10, 4) * 4;
	drawChart(g, { x: 50, y: 34, w: w - 70, h: h - 64 }, { from: to - WINDOW_S, to, axes: { left: { top, scale: 1, unit: "ms" } }, series }, look);
}

let drawingDue = false;

function redraw() {
	if (drawingDue)
		return;
	drawingDue = true;
	requestAnimationFrame(() => {
		drawingDue = false;
		draw();
	});
}

function draw() {
	if (!$("view-check").hidden) {
		const { g, w, h } = contextOf($("plot"));
		drawCheck(g, w, h, shown.plot, colours());
	}
	if (!$("view-ping").hidden)
		drawLines($("lines"), shown.rows.values(), shown.running ? (performance.now() - shown.began) / 1000 : shown.seconds || 0);
}

function emptyPlot(seconds) {
	return { seconds, phases: [], download: [], upload: [], rtt: [] };
}

/* For sending: what a message shows. */
function picture(entry) {
	const canvas = make("canvas", { width: 1200, height: 630 }), g = canvas.getContext("2d"), look = colours();
	const text = (words, x, y, size, colour, weight = 400) => {
		g.font = `${weight} ${size}px system-ui, sans-serif`;
		g.fillStyle = colour;
		g.fillText(words, x, y);
	};
	g.fillStyle = look.sheet;
	g.fillRect(0, 0, 1200, 630);
	text("sonde", 48, 76, 36, look.ink, 700);
	text(`${entry.host}   ${when(entry.time)}`, 170, 76, 22, look.soft);
	[["Ping", ms(entry.ping) + " ms", look.rtt], ["Download", rateWords(entry.download), look.download],
		["Upload", rateWords(entry.upload), look.upload],
		["Under load", `${ms(entry.loaded)} ms${entry.grade ? "  " + entry.grade : ""}`, look.rtt],
	].forEach(([name, figure, colour], i) => {
		text(name, 48 + i * 280, 132, 20, look.soft);
		text(figure, 48 + i * 280, 176, 36, colour, 600);
	});
	text(entry.sentence, 48, 222, 20, look.ink);
	g.translate(24, 236);
	g.scale(1.4, 1.4);
	drawCheck(g, 1152 / 1.4, 380 / 1.4, entry.plot, look);
	return new Promise(done => canvas.toBlob(done, "image/png"));
}

/* ---- The page ---- */

const $ = id => document.getElementById(id);
let shown = { plot: emptyPlot(20), rows: new Map(), hops: new Map(), kind: "check" };
let hereInfo = {};

function make(tag, properties, ...children) {
	const e = Object.assign(document.createElement(tag), properties);
	e.append(...children);
	return e;
}

function setFigure(id, value, number, unit) {
	const e = $(id), known = value !== null && value !== undefined;
	e.dataset.value = known ? value : "";
	e.children[0].textContent = number;
	e.children[1].textContent = unit;
}

function setValue(id, value, words) {
	$(id).dataset.value = value === null || value === undefined ? "" : value;
	$(id).textContent = words;
}

function showPing(p, running) {
	const value = key => p && !running ? p[key] : null;
	setFigure("ping", value("rtt_p50_ms"), ms(p && p.rtt_p50_ms), "ms");
	setValue("jitter", value("jitter_ms"), p && p.jitter_ms !== null ? ms(p.jitter_ms) + " ms" : DASH);
	setValue("loss", value("loss_ratio"), lossWords(p));
}

function showRate(name, bps) {
	setFigure(name, null, ...rateParts(bps));
}

function showFlow(name, flow) {
	setFigure(name, flow.bits_per_second, ...rateParts(flow.bits_per_second));
	$(name + "-more").textContent = flowWords(flow);
}

function showLoaded(doc) {
	const b = doc.bufferbloat, full = b.increase_ms === null ? null : doc.loaded[worseWay(doc)].rtt_p50_ms;
	setFigure("loaded", full, ms(full), "ms");
	setValue("grade", b.grade, b.grade || DASH);
	$("grade").setAttribute("aria-label", "Grade " + (b.grade || "unknown"));
	$("loaded-more").textContent = increaseWords(b) || "not measured";
}

function showCheck(doc) {
	showPing(doc.ping, false);
	showFlow("download", doc.download);
	showFlow("upload", doc.upload);
	showLoaded(doc);
	$("sentence").textContent = sentenceOf(doc);
	$("plot").setAttribute("aria-label", `Rate and latency over ${Math.round(shown.plot.seconds)} seconds: download ` +
		`${rateWords(doc.download.bits_per_second)}, upload ${rateWords(doc.upload.bits_per_second)}, ` +
		`round trip ${ms(doc.ping && doc.ping.rtt_p50_ms)} ms without load. ${increaseWords(doc.bufferbloat)}.`);
}

function clearCheck() {
	showPing(null, true);
	$("loss").textContent = serving ? UNSEEN : DASH;
	for (const name of ["download", "upload"]) {
		showRate(name, null);
		$(name + "-more").textContent = "";
	}
	setFigure("loaded", null, DASH, "ms");
	setValue("grade", null, DASH);
	$("loaded-more").textContent = "";
}

const PHASES = { ping: "Measuring latency…", download: "Downloading…", upload: "Uploading…", both: "Loading both ways…" };

function enter(run, name) {
	run.phase = name;
	run.plot.phases.push({ at: (performance.now() - run.began) / 1000, name: name === "ping" ? "idle" : name });
	run.status(PHASES[name] || "Measuring…");
	lightUp(name);
}

function lightUp(name) {
	for (const tile of ["ping", "download", "upload"])
		$("tile-" + tile).classList.toggle("now", tile === name);
}

function note(run, key, at, value) {
	const seconds = (at - run.began) / 1000;
	run.plot[key].push([seconds, value]);
	if (seconds > run.plot.seconds)
		run.plot.seconds = Math.ceil(seconds / 5) * 5;
	redraw();
}

function pingRow(run, target) {
	if (!run.rows.has(target)) {
		const swatch = make("span", { className: "swatch" });
		const cells = Array.from({ length: 6 }, () => make("td", {}));
		cells[0].append(swatch, target);
		$("pings").append(make("tr", {}, ...cells));
		run.rows.set(target, { swatch, cells, rtts: [], points: [], lost: 0, last: null });
	}
	return run.rows.get(target);
}

function showPingRow(row, p) {
	[row.last, p.rtt_p50_ms, p.rtt_p99_ms, p.jitter_ms].forEach((v, i) => row.cells[i + 1].textContent = ms(v));
	row.cells[5].textContent = p.sent ? percent(p.loss_ratio) : DASH;
}

function showHops(hops) {
	const longest = hops.reduce((m, h) => Math.max(m, h.rtt_max_ms || 0), 0) || 1;
	$("hops").replaceChildren(...hops.map(h => hopRow(h, longest)));
}

function hopRow(h, longest) {
	const cell = (...content) => make("td", {}, ...content), name = h.names && h.names.find(n => n);
	if (!h.addresses.length) {
		const row = make("tr", {}, cell(String(h.ttl)), cell(h.sent ? "no answer" : "…"), cell(""), cell(""), cell(""));
		row.cells[1].className = "silent";
		return row;
	}
	const who = name ? cell(name, make("small", {}, h.addresses.join(", "))) : cell(h.addresses.join(", "));
	const range = make("i", {}), middle = make("b", {}), at = v => v / longest * 100 + "%";
	range.style.left = at(h.rtt_min_ms);
	range.style.width = at(h.rtt_max_ms - h.rtt_min_ms);
	middle.style.left = at(h.rtt_p50_ms);
	const bar = make("div", { className: "bar", title: `${ms(h.rtt_min_ms)} to ${ms(h.rtt_max_ms)} ms` }, range, middle);
	return make("tr", {}, cell(String(h.ttl)), who, cell(percent(h.loss_ratio)), cell(ms(h.rtt_p50_ms) + " ms"), cell(bar));
}

function setState(state) {
	document.body.dataset.state = state;
	const running = state === "running";
	$("button").textContent = running ? "Stop" : BUTTON[chosen()];
	for (const e of [$("target"), $("gateway"), ...$("modes").elements])
		e.disabled = running;
	for (const id of ["copy-text", "copy-json", "copy-picture"])
		$(id).disabled = running || !shown.result;
	$("copy-picture").hidden = shown.kind !== "check";
}

const BUTTON = { check: "Check", ping: "Ping", trace: "Trace" };

function chosen() {
	return serving ? "check" : document.querySelector("#modes :checked").value;
}

function begin(kind, targets) {
	const abort = new AbortController();
	const run = { kind, abort, signal: abort.signal, began: performance.now(), running: true, phase: null, doc: blankDoc(),
		plot: emptyPlot(20), rows: new Map(), hops: new Map(), rtts: [], lost: 0, targets };
	run.status = words => {
		if ($("status").textContent !== words)
			$("status").textContent = words;
	};
	shown = run;
	clearCheck();
	$("pings").replaceChildren();
	$("hops").replaceChildren();
	$("sentence").textContent = $("notes").textContent = $("copied").textContent = "";
	setState("running");
	run.status(serving ? "Asking the server…" : "Starting…");
	redraw();
	if (serving)
		runHere(run);
	else
		listen(run, kind, targets);
}

function stop(run) {
	run.stopping = true;
	if (serving) {
		run.abort.abort();
	} else if (run.id !== undefined) {
		run.status("Stopping…");
		fetch("stop?run=" + run.id, { method: "POST" }).catch(() => {});
	}
}

function finish(run, state, words) {
	if (!run.running)
		return;
	run.running = false;
	run.seconds = (performance.now() - run.began) / 1000;
	lightUp(null);
	const doc = run.doc;
	if (run.kind === "check") {
		run.plot.seconds = Math.max(1, ...["download", "upload", "rtt"].map(k => run.plot[k].length ? run.plot[k][run.plot[k].length - 1][0] : 0));
		doc.hidden = run.hid === true || undefined;
		showCheck(doc);
		$("notes").textContent = notesOn(run);
	} else if (run.words) {
		$("sentence").textContent = run.words;
	}
	run.result = serving || run.final ? doc : null;
	if (run.kind === "check" && doc.ping && (doc.download.bits_per_second || doc.upload.bits_per_second))
		remember(entryOf(run));
	run.status(words);
	setState(state);
	$("lines").setAttribute("aria-label", "Round trips over time; the table below has the figures.");
	redraw();
}

function notesOn(run) {
	const doc = run.doc, notes = [], fastest = Math.max(doc.download.bits_per_second, doc.upload.bits_per_second);
	if (serving && fastest > 1e9)
		notes.push(`The browser, not the network, is the limit at this speed: type in a terminal: ${command()}`);
	if (serving && run.hid)
		notes.push("The page was hidden meanwhile, and browsers slow hidden pages down: better measure again.");
	return notes.join(" ");
}

/* ---- History ---- */

function load(key) {
	try {
		const list = JSON.parse(localStorage.getItem(key));
		return Array.isArray(list) ? list : [];
	} catch (e) {
		return [];
	}
}

function save(key, list) {
	try {
		localStorage.setItem(key, JSON.stringify(list));
	} catch (e) {
		/* Kept for as long as the page is open, then. */
	}
}

/* Every n-th point, with as many figures as a small plot shows. */
function thin(points, n) {
	return points.filter((_, i) => i % Math.ceil(points.length / n) === 0).map(p => [Number(p[0].toFixed(1)), Number(p[1].toPrecision(3))]);
}

function entryOf(run) {
	const doc = run.doc, b = doc.bufferbloat, p = run.plot;
	return {
		time: doc.time, host: serving ? location.host : doc.target.url, ping: doc.ping.rtt_p50_ms, jitter: doc.ping.jitter_ms,
		loss: doc.ping.loss_ratio, download: doc.download.bits_per_second, upload: doc.upload.bits_per_second,
		loaded: b.increase_ms === null ? null : doc.loaded[worseWay(doc)].rtt_p50_ms, grade: b.grade, sentence: sentenceOf(doc),
		plot: { seconds: p.seconds, phases: p.phases, download: thin(p.download, 60), upload: thin(p.upload, 60), rtt: thin(p.rtt, 80) },
	};
}

let entries = [];

function remember(entry) {
	entries = [entry, ...entries].slice(0, 20);
	save("sonde-history", entries);
	showHistory();
}

function when(time) {
	const d = new Date(time), two = n => String(n).padStart(2, "0");
	return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${two(d.getHours())}:${two(d.getMinutes())}`;
}

/* All anew: what is new has no place that it could be moved from. */
function showHistory() {
	$("history").hidden = entries.length === 0;
	$("entries").replaceChildren(...entries.map(entryRow));
	drawHistory();
}

function entryRow(e) {
	const figure = (name, words) => make("span", {}, make("small", {}, name), words);
	return make("li", {}, make("span", {}, when(e.time), make("small", {}, e.host)), make("canvas", { ariaHidden: "true" }),
		figure("ping", ms(e.ping) + " ms"), figure("download", rateWords(e.download)), figure("upload", rateWords(e.upload)),
		figure("under load", `${ms(e.loaded)} ms ${e.grade || ""}`));
}

function drawHistory() {
	$("entries").querySelectorAll("canvas").forEach((canvas, i) => drawSmall(canvas, entries[i].plot));
}

/* ---- Copying ---- */

/* On plain http from another machine a page has no clipboard but this old one. */
function copyBySelection(text) {
	const area = make("textarea", { value: text, className: "off", readOnly: true }), was = document.activeElement;
	document.body.append(area);
	area.select();
	const done = document.execCommand("copy");
	area.remove();
	if (was)
		was.focus();
	return done;
}

async function copy(text, said) {
	let done = false;
	try {
		await navigator.clipboard.writeText(text);
		done = true;
	} catch (e) {
		done = copyBySelection(text);
	}
	say(said, done ? "copied" : "this browser does not let the page copy");
}

function say(id, words) {
	$(id).textContent = words;
	setTimeout(() => $(id).textContent = "", 4000);
}

async function copyPicture() {
	const image = picture(entryOf(shown));
	try {
		await navigator.clipboard.write([new ClipboardItem({ "image/png": image })]);
		say("copied", "copied");
	} catch (e) {
		const url = URL.createObjectURL(await image);
		make("a", { href: url, download: `sonde-${shown.doc.time.replace(/[:.]/g, "")}.png` }).click();
		setTimeout(() => URL.revokeObjectURL(url), 10000);
		say("copied", "saved as a file");
	}
}

/* ---- Starting ---- */

function complain(words) {
	$("target-error").textContent = words;
	$("target").setAttribute("aria-invalid", words ? "true" : "false");
}

function offerTargets() {
	const known = [...new Set([...load("sonde-targets"), hereInfo.gateway].filter(Boolean))];
	$("targets").replaceChildren(...known.map(value => make("option", { value })));
}

function typedTargets(kind) {
	const text = $("target").value.trim();
	return kind === "ping" ? text.split(/[\s,]+/).filter(Boolean) : [text];
}

function submit(event) {
	event.preventDefault();
	if (shown.running)
		return stop(shown);
	if (serving)
		return begin("check", []);
	const kind = chosen(), targets = typedTargets(kind), typed = targets.length ? targets : [""];
	const wrong = typed.map(t => complaint(t, kind)).find(Boolean) || (typed.length > 16 ? "Ping takes up to 16 targets here." : "");
	complain(wrong);
	if (wrong)
		return $("target").focus();
	save("sonde-targets", [...new Set([targets.join(" "), ...load("sonde-targets")])].slice(0, 20));
	offerTargets();
	begin(kind, targets);
}

const HINTS = { check: "host, host:port or http://host/file", ping: "one or more hosts, with blanks between", trace: "host or address" };

function choose() {
	const kind = chosen();
	for (const name of Object.keys(BUTTON))
		$("view-" + name).hidden = name !== kind;
	shown = { plot: emptyPlot(20), rows: new Map(), hops: new Map(), kind };
	clearCheck();
	$("pings").replaceChildren();
	$("hops").replaceChildren();
	$("sentence").textContent = $("notes").textContent = "";
	$("status").textContent = { check: "Takes about 20 seconds and fills the link meanwhile.", ping: "Goes on until you stop it.",
		trace: "Asks every hop ten times." }[kind];
	$("target").placeholder = HINTS[kind];
	$("target-label").textContent = kind === "ping" ? "Targets" : "Target";
	complain("");
	setState("idle");
	redraw();
}

async function startGui() {
	$("about").textContent = "measures from this machine";
	for (const e of $("modes").elements)
		e.onchange = choose;
	$("target").oninput = () => complain("");
	$("target").focus();
	choose();
	offerTargets();
	try {
		hereInfo = await (await fetch("info", { cache: "no-store" })).json();
	} catch (e) {
		$("status").textContent = "sonde has gone: start it again with `sonde gui`.";
	}
	if (!hereInfo.gateway)
		return;
	$("gateway").textContent = "Gateway " + hereInfo.gateway;
	$("gateway").hidden = false;
	$("gateway").onclick = () => {
		$("target").value = hereInfo.gateway;
		complain("");
	};
	offerTargets();
}

function startServe() {
	$("about").textContent = `between this browser and ${location.host}`;
	$("command").textContent = command();
	$("copy-command").onclick = () => copy(command(), "command-copied");
	clearCheck();
	$("button").focus();
}

function start() {
	$("form").onsubmit = submit;
	$("copy-text").onclick = () => copy(wholeText(shown.result), "copied");
	$("copy-json").onclick = () => copy(JSON.stringify(shown.result, null, 2) + "\n", "copied");
	$("copy-picture").onclick = copyPicture;
	$("clear").onclick = () => {
		entries = [];
		save("sonde-history", entries);
		showHistory();
	};
	document.addEventListener("visibilitychange", () => shown.hid = shown.hid || (document.hidden && shown.running));
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => (redraw(), drawHistory()));
	new ResizeObserver(() => (redraw(), drawHistory())).observe(document.body);
	performance.setResourceTimingBufferSize(1000);
	entries = load("sonde-history").filter(e => e && e.plot);
	showHistory();
	draw();
	if (serving)
		startServe();
	else
		startGui();
}

document.addEventListener("DOMContentLoaded", start);
