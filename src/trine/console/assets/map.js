// The pattern as a living map: doors, functions, tables and streams, with the last minute of each.

import { get } from "./api.js";
import { bytes, h, millis, number, put, s, spark, table } from "./dom.js";

const WIDTH = 1100, BOX = { width: 270, height: 84 }, GAP = 18, COLUMNS = [10, 415, 820];
const SHOWN_MAX = 60;

export async function show(main, scene) {
  const picture = h("div", {}), numbers = h("div", {});
  put(main, h("h1", {}, "The last minute"), picture, h("h2", {}, "In numbers"), numbers);
  await scene.every(1, async () => {
    const nodes = gather(scene.stack, await get("pulse", {}, scene.signal));
    put(picture, draw(nodes));
    put(numbers, listed(nodes));
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
      detail: `${warm} warm, ${environments.length - warm} busy or starting`, ...sum([of("function", one.name)]),
    };
  });
  const tables = stack.tables.map((one) => {
    const level = pulse.levels.find((each) => each.table === one.name && !each.index) ?? { storedBytes: 0 };
    const beat = sum([of("table", one.name)]);
    const provided = level.readUnits ? ` of ${number(level.readUnits)}/${number(level.writeUnits)}` : " on demand";
    return {
      column: 2, kind: "table", name: one.logicalId, id: `table ${one.name}`, link: `#/tables/${encodeURIComponent(one.name)}`,
      detail: `${number(beat.readUnits / pulse.seconds, 1)}/${number(beat.writeUnits / pulse.seconds, 1)} RCU/WCU`
        + `${provided}, ${bytes(level.storedBytes)}`,
      ...beat,
    };
  });
  const edges = new Map();
  for (const node of pulse.nodes) {
    if (node.name[0] !== "edge") continue;
    const [, kind, from, target, to] = node.name;
    const key = `${kind} ${from}\n${target} ${to}`;
    edges.set(key, (edges.get(key) ?? 0) + node.count);
  }
  return { all: [...doors, ...functions, ...tables], edges, seconds: pulse.seconds };
}

function sum(beats) {
  const known = beats.filter(Boolean);
  const total = (member) => known.reduce((all, beat) => all + beat[member], 0);
  const series = new Array(60).fill(0);
  for (const beat of known) beat.series.forEach((count, at) => { series[at] += count; });
  return {
    count: total("count"), errors: total("errors"), throttled: total("throttled"), readUnits: total("readUnits"),
    writeUnits: total("writeUnits"), p50: Math.max(0, ...known.map((beat) => beat.p50)),
    p99: Math.max(0, ...known.map((beat) => beat.p99)), series,
  };
}

function draw({ all, edges, seconds }) {
  const places = new Map(), rows = [0, 0, 0];
  const drawn = all.filter((node) => rows[node.column] < SHOWN_MAX && (places.set(node.id, {
    x: COLUMNS[node.column], y: 34 + rows[node.column]++ * (BOX.height + GAP),
  }), true));
  const height = 40 + Math.max(1, ...rows) * (BOX.height + GAP);
  const busiest = Math.max(1, ...edges.values());
  const lines = [...edges].map(([key, count]) => {
    const [from, to] = key.split("\n").map((id) => places.get(id));
    if (!from || !to) return null;
    const x1 = from.x + BOX.width, y1 = from.y + BOX.height / 2, x2 = to.x, y2 = to.y + BOX.height / 2;
    const bend = (x2 - x1) / 2;
    return s("path", { class: "edge", "stroke-width": 1.5 + 5 * (count / busiest),
      d: `M${x1},${y1} C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}` },
      s("title", {}, `${count} calls in the last minute`));
  });
  const titles = ["Front doors", "Functions", "Tables"].map((title, at) =>
    s("text", { x: COLUMNS[at], y: 20, "font-weight": "bold" }, title));
  return s("svg", { class: "map", viewBox: `0 0 ${WIDTH} ${height}`, role: "group", "aria-label": "Map of the stack" },
    titles, lines, drawn.map((node) => box(node, places.get(node.id), seconds)));
}

function box(node, { x, y }, seconds) {
  const rate = node.count
    ? `${number(node.count / seconds, 1)}/s · p50 ${millis(node.p50)} · p99 ${millis(node.p99)}` : "quiet";
  const wrong = node.errors || node.throttled
    ? s("text", { class: "badtext", x: x + 12, y: y + 74 }, `${node.errors} errors, ${node.throttled} throttled`) : null;
  const line = spark(node.series, 84, 22);
  line.setAttribute("transform", `translate(${x + BOX.width - 96} ${y + 8})`);
  return s("a", { href: node.link, "aria-label": `${node.name}: ${rate}; ${node.detail}` },
    s("rect", { class: "box", x, y, width: BOX.width, height: BOX.height, rx: 8 }),
    s("text", { x: x + 12, y: y + 22, "font-weight": "bold" }, node.name.slice(0, 22)), line,
    s("text", { class: "small", x: x + 12, y: y + 41 }, rate), s("text", { class: "small", x: x + 12, y: y + 58 }, node.detail),
    wrong);
}

function listed({ all, seconds }) {
  return table("The same for reading", [
    ["Part", (node) => h("a", { href: node.link }, node.name)], ["Kind", (node) => node.kind],
    ["Rate", (node) => `${number(node.count / seconds, 2)}/s`, "number"], ["Errors", (node) => number(node.errors), "number"],
    ["Throttled", (node) => number(node.throttled), "number"], ["p50", (node) => millis(node.p50), "number"],
    ["p99", (node) => millis(node.p99), "number"], ["State", (node) => node.detail],
  ], all, "the stack has no APIs, functions or tables");
}
