// SPDX-License-Identifier: BSD-2-Clause
//
// page.js - the live page of lastack. Reads /metrics, /api/flows and /api/events, and changes nothing.
//
//   /metrics, each second        the state diagram, the closes, the figures
//   /api/flows, as it can keep up   the table of connections, those that are stuck
//   /api/events, as they happen  the ladder of the chosen connection, the resets
//
// Whatever comes is only kept; it is drawn once a frame at most. All text goes through
// textContent: nothing that a packet or an interface is called can become markup.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const WINDOW_S = 300; // closes and resets are told for so long
const FLOWS_MAX = 10000;
const LIST_PATIENCE = 60000; // ms; a list is megabytes, and the way may be slow
const ROW = 26; // px, as in page.css
const KEPT_CONNECTIONS = 2000;
const KEPT_RECORDS = 400; // of each

const byId = (id) => document.getElementById(id);

function element(name, attributes = {}, text = "") {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.textContent = text;
  return node;
}

function shape(name, attributes = {}, text = "") {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== "") node.textContent = text;
  return node;
}

// ---- words ----

function duration(ns) {
  const s = ns / 1e9;
  if (s < 1e-3) return `${Math.round(ns / 1e3)} µs`;
  if (s < 1) return `${(s * 1e3).toPrecision(3)} ms`;
  if (s < 60) return `${s.toFixed(1)} s`;
  if (s < 3600) return `${Math.floor(s / 60)}m ${Math.floor(s % 60)}s`;
  if (s < 86400) return `${Math.floor(s / 3600)}h ${Math.floor((s % 3600) / 60)}m`;
  return `${Math.floor(s / 86400)}d ${Math.floor((s % 86400) / 3600)}h`;
}

function amount(n) {
  for (const unit of ["", "k", "M", "G", "T"]) {
    if (n < 1000) return (unit && n < 10 ? n.toFixed(1) : Math.round(n)) + unit;
    n /= 1000;
  }
  return `${n.toFixed(0)}P`;
}

const rate = (n) => (n >= 10 ? amount(n) : n.toFixed(1));
const address = (ip, port) => (ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`);
const server = (r) => address(r.resp_ip, r.resp_port);

// The kind of an ending: it names a colour.
function kind(reason) {
  if (reason.includes("fin")) return "fin";
  if (reason.includes("reset")) return "reset";
  return reason === "refused" || reason === "timeout" ? reason : "other";
}
const KINDS = ["fin", "reset", "refused", "timeout", "other"];

// ---- drawing once a frame, and not more than 60 times a second ----

const FRAME = 1000 / 60; // ms
const dirty = new Set();
let due = 0; // ms: not to draw before

function changed(draw) {
  if (!dirty.size) requestAnimationFrame(drawAll);
  dirty.add(draw);
}

function drawAll(now) {
  if (now < due - 1) { // the display refreshes more often than anybody reads
    requestAnimationFrame(drawAll);
    return;
  }
  due = Math.max(due, now - FRAME) + FRAME;
  const draws = [...dirty];
  dirty.clear();
  for (const draw of draws) draw();
}

// ---- metrics ----

let metrics = null; // Map of "name{labels}" to number
let before = null;
let seconds = 1; // between the two
const samples = []; // {time, counts: Map of "reason|closed_by" to closes since the one before}

function parseMetrics(text) {
  const map = new Map();
  for (const line of text.split("\n")) {
    const at = line.lastIndexOf(" ");
    if (line && line[0] !== "#" && !line.includes("_bucket{"))
      map.set(line.slice(0, at), Number(line.slice(at + 1)));
  }
  return map;
}

// How much a counter has grown; one that fell began anew.
function growth(key) {
  const now = metrics.get(key) || 0;
  const was = before ? before.get(key) || 0 : now;
  return now < was ? now : now - was;
}

const gauge = (endpoint, state) =>
  metrics.get(`lastack_connections{endpoint="${endpoint}",state="${state}"}`) || 0;

function moves(from, to) {
  let sum = 0;
  for (const endpoint of ["orig", "resp"])
    sum += growth(`lastack_state_transitions_total{endpoint="${endpoint}",from="${from}",to="${to}"}`);
  return sum / seconds;
}

function noteCloses(time) {
  const counts = new Map();
  for (const key of metrics.keys()) {
    const match = /^lastack_connections_closed_total\{reason="(\w+)",closed_by="(\w+)"[,}]/.exec(key);
    const n = match ? growth(key) : 0;
    const name = n ? `${match[1]}|${match[2]}` : "";
    if (n) counts.set(name, (counts.get(name) || 0) + n);
  }
  samples.push({ time, counts });
  while (samples.length && samples[0].time < time - WINDOW_S * 1000) samples.shift();
}

let polled = 0; // ms

async function pollMetrics() {
  try {
    const text = await get("metrics");
    const now = performance.now();
    before = metrics;
    seconds = before ? Math.max(0.1, (now - polled) / 1000) : 1;
    polled = now;
    metrics = parseMetrics(text);
    noteCloses(Date.now());
    alive(true);
    changed(drawFigures);
    changed(drawDiagram);
    changed(drawCloses);
  } catch {
    alive(false);
  }
  setTimeout(pollMetrics, document.hidden ? 5000 : 1000);
}

async function get(path, patience = 10000) { // ms
  const answer = await fetch(path, { signal: AbortSignal.timeout(patience) });
  const text = await answer.text();
  if (!answer.ok) throw Object.assign(new Error(text), { status: answer.status });
  return text;
}

function alive(is) {
  const status = byId("status");
  const text = is ? "live" : "no answer, trying again";
  if (status.textContent === text) return;
  status.textContent = text;
  status.classList.toggle("away", !is);
}

function drawFigures() {
  let closed = 0, lost = 0;
  for (const key of metrics.keys()) {
    if (key.startsWith("lastack_connections_closed_total")) closed += growth(key);
    if (key.startsWith("lastack_events_lost_total")) lost += metrics.get(key);
  }
  byId("entries").textContent =
    `${amount(metrics.get("lastack_flow_entries") || 0)} of ${amount(metrics.get("lastack_flow_entries_limit") || 0)}`;
  byId("opened").textContent = rate(growth("lastack_connections_opened_total") / seconds);
  byId("closed").textContent = rate(closed / seconds);
  byId("lost").textContent = amount(lost + missed);
}

// ---- the state diagram ----

// Where each state stands. CLOSED stands twice: where connections begin, and where they end.
const PLACES = {
  BEGIN: [450, 28], LISTEN: [230, 100], SYN_SENT: [670, 100], SYN_RECEIVED: [230, 190],
  ESTABLISHED: [450, 255], FIN_WAIT_1: [230, 340], CLOSE_WAIT: [670, 340],
  FIN_WAIT_2: [110, 440], CLOSING: [350, 440], LAST_ACK: [670, 440], TIME_WAIT: [230, 540],
  CLOSED: [560, 575],
};
const EDGES = [
  ["BEGIN", "SYN_SENT"], ["LISTEN", "SYN_RECEIVED"], ["SYN_SENT", "SYN_RECEIVED"],
  ["SYN_SENT", "ESTABLISHED"], ["SYN_RECEIVED", "ESTABLISHED"], ["SYN_RECEIVED", "FIN_WAIT_1"],
  ["ESTABLISHED", "FIN_WAIT_1"], ["ESTABLISHED", "CLOSE_WAIT"], ["FIN_WAIT_1", "FIN_WAIT_2"],
  ["FIN_WAIT_1", "CLOSING"], ["FIN_WAIT_2", "TIME_WAIT"], ["CLOSING", "TIME_WAIT"],
  ["CLOSE_WAIT", "LAST_ACK"], ["LAST_ACK", "CLOSED"], ["TIME_WAIT", "CLOSED"],
];
const BOX = [132, 44];
const nodes = new Map();
const edges = [];

// From the border of one box to the border of another.
function between(from, to) {
  const [x1, y1] = PLACES[from], [x2, y2] = PLACES[to];
  const dx = x2 - x1, dy = y2 - y1;
  const t = Math.min(Math.abs((BOX[0] / 2 + 3) / dx), Math.abs((BOX[1] / 2 + 3) / dy));
  return [x1 + dx * t, y1 + dy * t, x2 - dx * t, y2 - dy * t];
}

function makeEdge(svg, [from, to]) {
  const [x1, y1, x2, y2] = between(from, to);
  const line = shape("line", { class: "edge", x1, y1, x2, y2, "marker-end": "url(#head)" });
  const label = shape("text", { class: "rate", x: (x1 + x2) / 2, y: (y1 + y2) / 2 + 4 });
  svg.append(line, label);
  edges.push({ from: from === "BEGIN" ? "CLOSED" : from, to, line, label });
}

function makeNode(svg, name) {
  const [x, y] = PLACES[name], counted = name !== "BEGIN";
  const group = shape("g", { transform: `translate(${x} ${y})` });
  group.append(
    shape("rect", { x: -BOX[0] / 2, y: -BOX[1] / 2, width: BOX[0], height: BOX[1], rx: 8 }),
    shape("text", { y: counted ? -4 : 5 }, counted ? name : "CLOSED"));
  const orig = shape("text", { class: "count orig", x: -8, y: 15 });
  const resp = shape("text", { class: "count resp", x: 8, y: 15 });
  if (counted) {
    group.append(orig, resp);
    nodes.set(name, { group, orig, resp });
  }
  svg.append(group);
}

function makeDiagram() {
  const svg = byId("diagram");
  const marker = shape("marker", { id: "head", viewBox: "0 0 8 8", refX: 7, refY: 4,
    markerWidth: 8, markerHeight: 8, markerUnits: "userSpaceOnUse", orient: "auto" });
  svg.setAttribute("viewBox", "0 0 780 610");
  marker.append(shape("path", { d: "M0 0 8 4 0 8z" }));
  svg.append(marker);
  for (const edge of EDGES) makeEdge(svg, edge);
  for (const name of Object.keys(PLACES)) makeNode(svg, name);
  svg.append(shape("text", { class: "note", id: "cut", x: 560, y: 608 }));
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// Transitions into CLOSED that no arrow shows: resets and refusals.
function cuts() {
  const drawn = new Set(EDGES.filter(([, to]) => to === "CLOSED").map(([from]) => from));
  let sum = 0;
  for (const from of nodes.keys()) if (!drawn.has(from)) sum += moves(from, "CLOSED");
  return sum;
}

function drawDiagram() {
  const said = [];
  for (const [state, node] of nodes) {
    const orig = gauge("orig", state), resp = gauge("resp", state);
    setText(node.orig, amount(orig));
    setText(node.resp, amount(resp));
    node.orig.classList.toggle("none", !orig);
    node.resp.classList.toggle("none", !resp);
    node.group.classList.toggle("busy", orig + resp > 0);
    if (orig + resp) said.push(`${state} ${orig} originators, ${resp} responders`);
  }
  for (const edge of edges) {
    const r = moves(edge.from, edge.to);
    edge.line.classList.toggle("live", r > 0);
    edge.line.setAttribute("stroke-width", r ? Math.min(6, 1.5 + Math.log10(1 + r)) : 1.5);
    setText(edge.label, r ? rate(r) : "");
  }
  const cut = cuts();
  setText(byId("cut"), cut ? `cut by RST or refused: ${rate(cut)}/s` : "");
  byId("diagram").setAttribute("aria-label", `TCP state diagram. ${said.join("; ") || "no connection"}`);
}

// ---- how connections ended ----

function fill(id, rows, none) {
  const body = byId(id).tBodies[0];
  const columns = byId(id).tHead.rows[0].cells.length;
  body.replaceChildren(...rows);
  if (!rows.length) {
    const row = element("tr");
    row.append(element("td", { class: "empty", colspan: columns }, none));
    body.append(row);
  }
}

function row(...cells) {
  const tr = element("tr");
  for (const cell of cells) {
    const [text, className] = Array.isArray(cell) ? cell : [cell, ""];
    tr.append(element("td", className ? { class: className } : {}, String(text)));
  }
  return tr;
}

function drawCloses() {
  const totals = new Map();
  for (const { counts } of samples)
    for (const [key, n] of counts) totals.set(key, (totals.get(key) || 0) + n);
  const rows = [...totals].sort((a, b) => b[1] - a[1]).map(([key, n]) => {
    const [reason, by] = key.split("|");
    return row([reason, kind(reason)], by, [amount(n), "number"]);
  });
  fill("closes", rows, "none yet");
  drawBars();
}

const BARS = 60;

function drawBars() {
  const svg = byId("bars"), now = Date.now(), step = (WINDOW_S * 1000) / BARS;
  const bars = Array.from({ length: BARS }, () => Object.fromEntries(KINDS.map((k) => [k, 0])));
  let most = 1;
  for (const { time, counts } of samples) {
    const bar = bars[BARS - 1 - Math.floor((now - time) / step)];
    if (bar) for (const [key, n] of counts) bar[kind(key.split("|")[0])] += n;
  }
  for (const bar of bars) most = Math.max(most, KINDS.reduce((sum, k) => sum + bar[k], 0));
  svg.setAttribute("viewBox", "0 0 600 110");
  svg.replaceChildren(shape("line", { x1: 0, x2: 600, y1: 95, y2: 95 }),
    shape("text", { x: 0, y: 108 }, "5 minutes ago"),
    shape("text", { x: 600, y: 108, "text-anchor": "end" }, "now"),
    shape("text", { x: 0, y: 10 }, `${amount(most)} in ${step / 1000} s`));
  bars.forEach((bar, i) => {
    let y = 95;
    for (const k of KINDS) {
      const height = (bar[k] / most) * 80;
      if (height) svg.append(shape("rect", { class: k, x: i * 10 + 1, y: y -= height, width: 8, height }));
    }
  });
}

// ---- events ----

const stories = new Map(); // id to its records; the least recently heard of first
let resets = []; // {time, server, reason, suspect}
let missed = 0; // events that this page was too slow for

function note(record) {
  const story = stories.get(record.id) || [];
  stories.delete(record.id);
  stories.set(record.id, story);
  if (story.length < KEPT_RECORDS) story.push(record);
  if (stories.size > KEPT_CONNECTIONS) stories.delete(stories.keys().next().value);
  if (record.id === chosen) changed(drawLadder);
  if (record.type === "close" && ["reset", "refused"].includes(kind(record.reason))) {
    resets.push({ time: Date.now(), server: server(record), reason: record.reason,
      suspect: Boolean(record.forged) });
    if (resets.length > 10000) resets = resets.slice(-5000);
    changed(drawResets);
  }
}

function follow() {
  const source = new EventSource("api/events");
  source.onmessage = (event) => {
    const record = JSON.parse(event.data);
    if (record.id) note(record);
  };
  source.addEventListener("dropped", (event) => {
    missed += JSON.parse(event.data).count;
  });
  // A server that is gone, or refuses, is asked again: the browser itself does so only for some.
  source.onerror = () => {
    if (source.readyState !== EventSource.CLOSED) return;
    source.close();
    setTimeout(follow, 2000);
  };
}

function drawResets() {
  const spots = new Map();
  resets = resets.filter((r) => r.time > Date.now() - WINDOW_S * 1000);
  for (const r of resets) {
    const key = `${r.server} ${r.reason}`;
    const spot = spots.get(key) || { ...r, count: 0, suspects: 0 };
    spot.count++;
    spot.suspects += r.suspect;
    spots.set(key, spot);
  }
  const rows = [...spots.values()].sort((a, b) => b.count - a.count).slice(0, 8)
    .map((s) => row(s.server, [s.reason, kind(s.reason)], [s.count, "number"],
      [s.suspects || "", "number reset"]));
  fill("resets", rows, "none");
}

// ---- the table of connections ----

const timeIn = (flow, endpoint) => flow[`${endpoint}_${flow[`${endpoint}_state`].toLowerCase()}_ns`] || 0;

// Of the ends that are sockets of that host; what a process calls itself may be anything.
const processes = (f) => [f.orig_comm, f.resp_comm && `→ ${f.resp_comm}`].filter(Boolean).join(" ");

const COLUMNS = [
  { title: "orig state", size: "medium", className: "orig", value: (f) => f.orig_state },
  { title: "originator", size: "wide", value: (f) => address(f.orig_ip, f.orig_port) },
  { title: "responder", size: "wide", value: server },
  { title: "resp state", size: "medium", className: "resp", value: (f) => f.resp_state },
  { title: "process", size: "medium", value: processes },
  { title: "age", size: "narrow", number: (f) => f.duration_ns, show: duration },
  { title: "idle", size: "narrow", number: (f) => f.idle_ns, show: duration },
  { title: "bytes →", size: "narrow", number: (f) => f.orig_bytes, show: amount },
  { title: "bytes ←", size: "narrow", number: (f) => f.resp_bytes, show: amount },
  { title: "retrans", size: "narrow", number: (f) => f.orig_retrans + f.resp_retrans, show: amount },
  { title: "ended", size: "medium", value: (f) => f.reason || "" },
  { title: "on", size: "narrow", value: (f) => f.ifname || "" },
];

let flows = [];
let sorting = { column: 5, up: false };
let filter = "";
let chosen = null; // id

function makeHead() {
  const head = byId("flows").tHead.rows[0];
  COLUMNS.forEach((column, i) => {
    const th = element("th", { scope: "col", class: `${column.size}${column.number ? " number" : ""}` });
    const button = element("button", { type: "button" }, column.title);
    button.addEventListener("click", () => {
      sorting = { column: i, up: sorting.column === i ? !sorting.up : !column.number };
      arrange();
    });
    th.append(button);
    head.append(th);
  });
}

function arrange() {
  const { column, up } = sorting, of = COLUMNS[column].number || COLUMNS[column].value;
  const sign = up ? 1 : -1;
  flows.sort((a, b) => {
    const x = of(a), y = of(b);
    return x < y ? -sign : x > y ? sign : a.id < b.id ? -1 : 1;
  });
  [...byId("flows").tHead.rows[0].cells].forEach((th, i) => {
    if (i === column) th.setAttribute("aria-sort", up ? "ascending" : "descending");
    else th.removeAttribute("aria-sort");
  });
  changed(drawFlows);
}

function flowRow(flow) {
  const tr = row(...COLUMNS.map((c) => c.number ? [c.show(c.number(flow)), "number"]
    : [c.value(flow), c.className || (c.title === "ended" && flow.reason ? kind(flow.reason) : "")]));
  tr.dataset.id = flow.id;
  tr.setAttribute("aria-selected", flow.id === chosen);
  return tr;
}

function pad(rows) {
  const tr = element("tr", { class: "pad", "aria-hidden": "true" });
  const td = element("td", { colspan: COLUMNS.length });
  td.style.height = `${rows * ROW}px`;
  tr.append(td);
  return tr;
}

// Only the rows that can be seen are there, between two that hold the place of the others.
function drawFlows() {
  const scroll = byId("scroll");
  const first = Math.max(0, Math.floor(scroll.scrollTop / ROW) - 5);
  const last = Math.min(flows.length, first + Math.ceil(scroll.clientHeight / ROW) + 10);
  const rows = flows.slice(first, last).map(flowRow);
  if (first) rows.unshift(pad(first));
  if (last < flows.length) rows.push(pad(flows.length - last));
  byId("flows").tBodies[0].replaceChildren(...rows);
  byId("flows").setAttribute("aria-rowcount", flows.length + 1);
  setText(byId("found"), `${flows.length}${flows.length === FLOWS_MAX ? " or more" : ""}`);
}

// A few hundred at a time: nothing else moves while they are read.
async function readLines(text) {
  const lines = text.split("\n"), records = [];
  for (let i = 0; i < lines.length; i++) {
    if (i % 500 === 499) await new Promise((later) => setTimeout(later));
    if (lines[i]) records.push(JSON.parse(lines[i]));
  }
  return records;
}

let poll = 0; // the latest: an older one that is late is not heard any more

async function pollFlows() {
  const mine = ++poll, began = performance.now();
  try {
    const query = new URLSearchParams({ filter, limit: FLOWS_MAX });
    const list = await readLines(await get(`api/flows?${query}`, LIST_PATIENCE));
    if (mine !== poll) return;
    flows = list;
    complain("");
    arrange();
  } catch (error) {
    if (mine !== poll) return;
    if (error.status === 400) complain(error.message);
  }
  // Never busy for more than a tenth of the time, as below.
  setTimeout(() => mine === poll && pollFlows(), Math.max(2000, 10 * (performance.now() - began)));
}

function complain(text) {
  const pre = byId("complaint");
  setText(pre, text);
  pre.hidden = !text;
}

function choose(id) {
  chosen = id;
  changed(drawFlows);
  changed(drawLadder);
}

// Up, Down and Enter in the table; what is chosen stays in sight.
function onKey(event) {
  const steps = { ArrowUp: -1, ArrowDown: 1, PageUp: -15, PageDown: 15 };
  const step = steps[event.key];
  if (!flows.length || (!step && event.key !== "Enter")) return;
  if (event.target !== byId("scroll")) return;
  event.preventDefault();
  const at = flows.findIndex((f) => f.id === chosen);
  const next = step ? Math.min(flows.length - 1, Math.max(0, at + step)) : Math.max(0, at);
  choose(flows[next].id);
  const scroll = byId("scroll"), top = next * ROW;
  if (top < scroll.scrollTop) scroll.scrollTop = top;
  if (top > scroll.scrollTop + scroll.clientHeight - 3 * ROW)
    scroll.scrollTop = top - scroll.clientHeight + 3 * ROW;
  if (event.key === "Enter") byId("rungs").focus();
}

// ---- those that are stuck ----

const STUCK = ["CLOSE_WAIT", "FIN_WAIT_1", "FIN_WAIT_2", "CLOSING", "LAST_ACK", "SYN_SENT", "SYN_RECEIVED"];
const STUCK_NS = 3e9; // for so long a state is only on the way

function stuckSpots(list) {
  const spots = new Map();
  for (const flow of list)
    for (const who of ["orig", "resp"]) {
      const state = flow[`${who}_state`], ns = timeIn(flow, who);
      if (flow.reason || !STUCK.includes(state) || ns < STUCK_NS) continue;
      const key = `${server(flow)} ${who} ${state}`;
      const spot = spots.get(key) || { server: server(flow), who, state, count: 0, longest: 0 };
      spot.count++;
      spot.longest = Math.max(spot.longest, ns);
      spots.set(key, spot);
    }
  return [...spots.values()].sort((a, b) => b.longest - a.longest);
}

async function pollStuck() {
  const began = performance.now();
  try {
    const words = STUCK.map((s) => `state ${s.toLowerCase().replaceAll("_", "-")}`).join(" or ");
    const spots = stuckSpots(await readLines(await get(`api/flows?${new URLSearchParams({ filter: words, limit: 2000 })}`, LIST_PATIENCE)));
    fill("stuck", spots.slice(0, 8).map((s) => row(s.server, [s.who, s.who], s.state, [s.count, "number"],
      [duration(s.longest), "number"])), "none");
  } catch {
    // the status says so
  }
  setTimeout(pollStuck, Math.max(3000, 10 * (performance.now() - began)));
}

// ---- the ladder ----

const LEFT = 150, RIGHT = 450, RUNG = 34;

// A transition that an endpoint's own segment proves was caused by that endpoint, else by the other.
function rungsOf(records) {
  const rungs = [];
  for (const r of records) {
    if (r.type !== "state" && r.type !== "rst" && r.type !== "close") continue;
    const last = rungs[rungs.length - 1];
    let rung = last && last.ts === r.ts_ns && r.type !== "close" && !last.end ? last : null;
    if (!rung) rungs.push(rung = { ts: r.ts_ns, states: {} });
    if (r.type === "close") {
      rung.end = `${r.reason.replaceAll("_", " ")}, by ${r.closed_by}, after ${duration(r.duration_ns)}`;
    } else if (r.type === "rst") {
      Object.assign(rung, { from: r.sender, label: `RST (${r.verdict.replaceAll("_", " ")})`, rst: true });
    } else {
      rung.states[r.endpoint] = { text: r.to, presumed: r.certainty === "presumed", mark: r.certainty };
      if (rung.rst) continue;
      const own = r.certainty === "seen" || r.certainty === "corrected";
      if (!rung.from || own) rung.from = own ? r.endpoint : r.endpoint === "orig" ? "resp" : "orig";
      rung.label = r.certainty === "timer" ? "" : r.cause.toUpperCase().replace("_", "-");
    }
  }
  return rungs;
}

function drawArrow(svg, rung, y) {
  const right = rung.from === "orig";
  const [x1, x2] = right ? [LEFT, RIGHT] : [RIGHT, LEFT];
  const className = rung.rst ? "arrow rst" : "arrow", tip = right ? -8 : 8;
  svg.append(shape("line", { class: className, x1, x2, y1: y, y2: y + 12 }),
    shape("path", { class: className, fill: "none", d: `M${x2 + tip} ${y + 6} L${x2} ${y + 12} L${x2 + tip} ${y + 15}` }),
    shape("text", { class: rung.rst ? "rst" : "", x: (LEFT + RIGHT) / 2, y: y, "text-anchor": "middle" }, rung.label));
}

function drawRung(svg, rung, y, start) {
  svg.append(shape("text", { class: "when", x: 4, y: y - 8 }, `+${duration(Math.max(0, rung.ts - start))}`));
  if (rung.end) {
    svg.append(shape("text", { class: "end", x: (LEFT + RIGHT) / 2, y: y + 8, "text-anchor": "middle" }, rung.end));
    return;
  }
  if (rung.label) drawArrow(svg, rung, y);
  for (const [who, x, anchor] of [["orig", LEFT - 8, "end"], ["resp", RIGHT + 8, "start"]]) {
    const state = rung.states[who];
    if (!state) continue;
    const below = rung.from && rung.from !== who ? 14 : 2;
    svg.append(shape("text", { class: `${who}${state.presumed ? " presumed" : ""}`, x, y: y + below,
      "text-anchor": anchor }, state.presumed ? `(${state.text})` : state.text));
  }
}

function drawLadder() {
  const svg = byId("ladder"), box = byId("rungs");
  const story = stories.get(chosen), flow = flows.find((f) => f.id === chosen);
  const ends = (story && story[story.length - 1]) || flow;
  if (!ends) return;
  const rungs = story ? rungsOf(story) : [];
  const height = 60 + Math.max(1, rungs.length) * RUNG;
  const atEnd = box.scrollTop + box.clientHeight >= box.scrollHeight - 4;
  byId("chosen").textContent = `${address(ends.orig_ip, ends.orig_port)} → ${server(ends)}  ·  ${chosen}`;
  svg.setAttribute("viewBox", `0 0 600 ${height}`);
  svg.setAttribute("data-rungs", rungs.length);
  svg.replaceChildren(
    shape("text", { class: "orig end", x: LEFT, y: 14, "text-anchor": "middle" }, "originator"),
    shape("text", { class: "resp end", x: RIGHT, y: 14, "text-anchor": "middle" }, "responder"),
    shape("line", { class: "life", x1: LEFT, x2: LEFT, y1: 22, y2: height }),
    shape("line", { class: "life", x1: RIGHT, x2: RIGHT, y1: 22, y2: height }));
  rungs.forEach((rung, i) => drawRung(svg, rung, 46 + i * RUNG, rungs[0].ts));
  if (!rungs.length)
    svg.append(shape("text", { x: (LEFT + RIGHT) / 2, y: 50, "text-anchor": "middle" },
      `${ends.orig_state} and ${ends.resp_state}; what comes will be drawn`));
  if (atEnd) box.scrollTop = box.scrollHeight;
}

// ---- beginning ----

function begin() {
  makeDiagram();
  makeHead();
  fill("stuck", [], "none");
  fill("resets", [], "none");
  byId("search").addEventListener("submit", (event) => {
    event.preventDefault();
    filter = byId("filter").value.trim();
    pollFlows();
  });
  byId("scroll").addEventListener("scroll", () => changed(drawFlows));
  byId("scroll").addEventListener("keydown", onKey);
  byId("flows").tBodies[0].addEventListener("click", (event) => {
    const tr = event.target.closest("tr[data-id]");
    if (tr) choose(tr.dataset.id);
  });
  addEventListener("resize", () => changed(drawFlows));
  setInterval(() => changed(drawResets), 5000);
  pollMetrics();
  pollFlows();
  pollStuck();
  follow();
}

begin();
