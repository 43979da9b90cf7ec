// The pattern as a living map: doors, functions, tables, and what else starts work, with the last minute of each.

import { get } from "./api.js";
import { area, bytes, clock, h, millis, notice, number, put, reachable, refresh, s, table, text } from "./dom.js";
import { PATHS } from "./icons.js";

const WIDTH = 1160, BOX = { width: 300, height: 92 }, GAP = 16, COLUMNS = [4, 430, 856], TOP = 34;
const SHOWN_MAX = 60;
const SIGNS = { door: "door", function: "function", table: "table", event: "event" };

export async function show(main, scene) {
  const figures = h("div", { class: "cards" }), picture = h("div", {}), numbers = h("div", {}), alarms = h("div", {});
  put(main, h("h1", {}, "The last minute"), figures, picture, h("h2", {}, "In numbers"), numbers, alarms);
  if (scene.stack.observe !== "all") main.prepend(notice(`This stack runs with --observe ${scene.stack.observe}: nothing is counted for the map.`));
  await scene.every(1, async () => {
    const nodes = gather(scene.stack, await get("pulse", {}, scene.signal));
    put(figures, summary(nodes));
    refresh(picture, draw(nodes));
    refresh(numbers, listed(nodes));
    if (nodes.alarms.length) refresh(alarms, watched(nodes.alarms));
  });
}

/** Doors, functions and tables with what the pulse says of them, and the edges between them. */
export function gather(stack, pulse) {
  const beats = new Map(pulse.nodes.map((node) => [JSON.stringify(node.name), node]));
  const of = (...name) => beats.get(JSON.stringify(name));
  const doors = stack.apis.map((api) => ({
    column: 0, kind: "door", name: api.logicalId || api.name, id: `door ${api.id}`, link: "#/routes", detail: `${api.kind} API`,
    ...sum(pulse.nodes.filter((node) => node.name[0] === "route" && node.name[1] === api.id)),
  }));
  const functions = stack.functions.map((one) => {
    const environments = pulse.environments[one.name] ?? [];
    const warm = environments.filter((each) => each.state === "idle").length;
    return {
      column: 1, kind: "function", name: one.logicalId, id: `function ${one.name}`,
      link: `#/functions/${encodeURIComponent(one.name)}`,
      detail: environments.length ? `${warm} warm, ${environments.length - warm} busy or starting` : "no environment: cold",
      ...sum([of("function", one.name)]),
    };
  });
  const tables = stack.tables.map((one) => {
    const level = pulse.levels.find((each) => each.table === one.name && !each.index) ?? { storedBytes: 0 };
    const beat = sum([of("table", one.name)]);
    const provided = level.readUnits ? ` of ${number(level.readUnits)}/${number(level.writeUnits)}` : "";
    return {
      column: 2, kind: "table", name: one.logicalId, id: `table ${one.name}`, link: `#/tables/${encodeURIComponent(one.name)}`,
      detail: `${number(beat.readUnits / pulse.seconds, 1)}/${number(beat.writeUnits / pulse.seconds, 1)}${provided} RCU/WCU · `
        + bytes(level.storedBytes),
      ...beat,
    };
  });
  const edges = new Map(); // how the template joins them, then how often each way was taken
  for (const api of stack.apis) {
    for (const route of api.routes) if (route.function) edges.set(`door ${api.id}\nfunction ${route.function}`, 0);
  }
  for (const node of pulse.nodes) {
    if (node.name[0] !== "edge") continue;
    const [, kind, from, target, to] = node.name;
    const key = `${kind} ${from}\n${target} ${to}`;
    edges.set(key, (edges.get(key) ?? 0) + node.count);
  }
  const all = [...doors, ...events(stack, edges, (arn) => sum([of("event", arn)])), ...functions, ...tables];
  return { all, edges, seconds: pulse.seconds, alarms: pulse.alarms };
}

/** Streams, queues, topics, rules and schedules, and the edges to the functions that they start. */
function events(stack, edges, beat) {
  const known = new Set(stack.functions.map((one) => one.name));
  const logical = new Map(stack.functions.map((one) => [one.name, one.logicalId]));
  const targets = new Map(); // a stream or topic that starts several functions is one part
  for (const source of stack.sources) {
    const { names, source: title } = targets.get(source.arn) ?? { names: [], source: source.source };
    targets.set(source.arn, { names: [...names, ...source.targets.map((one) => one.replace(/^lambda /, "").split(":")[0])], source: title });
  }
  return [...targets].map(([arn, { names, source }]) => {
    const id = `event ${arn}`;
    for (const name of names) {
      const edge = `${id}\nfunction ${name}`;
      if (known.has(name) && !edges.has(edge)) edges.set(edge, 0);
    }
    const shown = names.map((name) => logical.get(name) ?? name);
    return { column: 0, kind: "event", name: titled(source, stack.tables), id, link: "#/functions", detail: `→ ${shown.join(", ")}`, ...beat(arn) };
  });
}

/** A source as people call it: the stream of a table by the table's logical id. */
function titled(source, tables) {
  const stream = /^dynamodb (.+)\/stream\//.exec(source);
  return stream ? `${tables.find((one) => one.name === stream[1])?.logicalId ?? stream[1]} stream` : source;
}

function sum(beats) {
  const known = beats.filter(Boolean);
  const total = (member) => known.reduce((all, beat) => all + beat[member], 0);
  const series = new Array(60).fill(0);
  for (const beat of known) beat.series.forEach((count, at) => { series[at] += count; });
  return {
    count: total("count"), errors: total("errors"), faults: total("faults"), throttled: total("throttled"), readUnits: total("readUnits"),
    writeUnits: total("writeUnits"), p50: Math.max(0, ...known.map((beat) => beat.p50)),
    p99: Math.max(0, ...known.map((beat) => beat.p99)), series,
  };
}

function summary({ all, alarms, seconds }) {
  const doors = all.filter((node) => node.kind === "door"), functions = all.filter((node) => node.kind === "function");
  const total = (nodes, member) => nodes.reduce((sum_, node) => sum_ + node[member], 0);
  const requests = total(doors, "count"), faults = total(doors, "faults"), refused = total(doors, "errors") - faults;
  const part = (count) => (count ? `${number((count / requests) * 100, 1)} %` : requests ? "none" : "–");
  const alight = alarms.filter((alarm) => alarm.state === "ALARM");
  const lately = doors.reduce((sum_, node) => sum_ + node.series.slice(-5).reduce((a, b) => a + b, 0), 0) / 5;
  return [
    ["Right now", `${number(lately, 1)}/s`], [seconds < 59 ? `In ${number(seconds)} s` : "In the minute", number(requests)],
    ["Failed (5xx)", part(faults), faults ? "bad" : ""], ["Refused (4xx)", part(refused)],
    ["Slowest p99", requests ? millis(Math.max(...doors.map((node) => node.p99))) : "–"],
    ["Invocations", number(total(functions, "count"))],
    ["Throttled", number(total(all, "throttled")), total(all, "throttled") ? "bad" : ""],
    ...(alarms.length ? [["Alarms", `${alight.length} of ${alarms.length}`, alight.length ? "bad" : ""]] : []),
  ].map(([title, value, kind]) => h("div", { class: "card" }, title, h("strong", { class: kind ?? "" }, value)));
}

function draw({ all, edges, seconds }) {
  const places = new Map(), rows = [0, 0, 0];
  const drawn = all.filter((node) => rows[node.column] < SHOWN_MAX && (places.set(node.id, {
    x: COLUMNS[node.column], y: TOP + rows[node.column]++ * (BOX.height + GAP),
  }), true));
  const height = TOP + Math.max(1, ...rows) * (BOX.height + GAP);
  const busiest = Math.max(1, ...edges.values());
  const lines = [...edges].map(([key, count]) => {
    const [from, to] = key.split("\n").map((id) => places.get(id));
    if (!from || !to) return null;
    const x1 = from.x + BOX.width, y1 = from.y + BOX.height / 2, x2 = to.x, y2 = to.y + BOX.height / 2;
    const bend = (x2 - x1) / 2;
    return s("path", { class: count ? "edge busy" : "edge idle", "stroke-width": count ? 2 + 4 * (count / busiest) : 1.5,
      d: `M${x1},${y1} C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}` },
      s("title", {}, count ? `${number(count)} calls in the last minute` : "not called in the last minute"));
  });
  const titles = [all.some((node) => node.kind === "event") ? "FRONT DOORS AND EVENTS" : "FRONT DOORS", "FUNCTIONS", "TABLES"].map(
    (title, at) => s("text", { class: "column", x: COLUMNS[at] + 2, y: 20 }, title));
  return reachable("Map of the stack", h("div", { class: "scroll bare", "data-keep": "map" }, s("svg", { class: "map", viewBox: `0 0 ${WIDTH} ${height}`, role: "group", "aria-label": "Parts and how they call each other" },
    titles, lines, drawn.map((node) => box(node, places.get(node.id), seconds)))));
}

function box(node, { x, y }, seconds) {
  const rate = node.count ? `${number(node.count / seconds, 1)}/s` : "quiet";
  const times = node.count ? `p50 ${millis(node.p50)} · p99 ${millis(node.p99)}` : "";
  const wrong = [node.faults ? `${number(node.faults)} failed` : "", node.throttled ? `${number(node.throttled)} throttled` : ""]
    .filter(Boolean).join(", ");
  const refused = node.errors - node.faults;
  const said = wrong || (refused && node.kind !== "function" ? `${number(refused)} refused · p99 ${millis(node.p99)}` : times);
  const sign = s("path", { class: "sign", d: PATHS[SIGNS[node.kind]], transform: `translate(${x + 16} ${y + 14}) scale(.83)` });
  return s("a", { href: node.link, "data-keep": node.id, class: node.kind },
    s("rect", { class: "box", x, y, width: BOX.width, height: BOX.height, rx: 12 }),
    s("rect", { class: "badge", x: x + 10, y: y + 8, width: 32, height: 32, rx: 9 }), sign,
    s("text", { class: "title", x: x + 52, y: y + 29 }, cut(node.name, 25), s("title", {}, node.name)),
    s("g", { transform: `translate(${x + BOX.width - 116} ${y + 42})` }, area(node.series, 104, 40)),
    s("text", { class: "rate", x: x + 14, y: y + 59 }, rate), s("text", { class: wrong ? "badtext" : "small", x: x + 14, y: y + 77 }, said),
    s("text", { class: "small", x: x + 14 + 8 * (rate.length + 1), y: y + 59 }, cut(node.detail, 30)));
}

function watched(alarms) {
  const colour = { ALARM: "bad", OK: "good" };
  return [h("h2", {}, "Alarms"), table(`${alarms.length} alarm${alarms.length === 1 ? "" : "s"}`, [
    ["Alarm", (alarm) => text(alarm.name, 200), "wraps"],
    ["State", (alarm) => h("span", { class: `pill ${colour[alarm.state] ?? ""}` }, alarm.state)],
    ["Since", (alarm) => clock(alarm.since), "tight"], ["Why", (alarm) => text(alarm.reason, 300), "found"],
  ], [...alarms].sort((a, b) => (b.state === "ALARM") - (a.state === "ALARM") || a.name.localeCompare(b.name)))];
}

const cut = (value, most) => (value.length > most ? `${value.slice(0, most - 1)}…` : value);

function listed({ all, seconds }) {
  return table("The same for reading", [
    ["Part", (node) => h("a", { href: node.link, "data-keep": `row ${node.id}` }, node.name)], ["Kind", (node) => node.kind],
    ["Rate", (node) => `${number(node.count / seconds, 2)}/s`, "number"], ["Failed", (node) => number(node.faults), "number"],
    ["Refused", (node) => number(node.errors - node.faults), "number"],
    ["Throttled", (node) => number(node.throttled), "number"], ["p50", (node) => (node.count ? millis(node.p50) : "–"), "number"],
    ["p99", (node) => (node.count ? millis(node.p99) : "–"), "number"], ["State", (node) => node.detail, "tight"],
  ], all, "the stack has no APIs, functions or tables");
}
