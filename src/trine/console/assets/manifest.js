// The fidelity manifest: every property of the template, enforced, stored or ignored; and what differs on this machine.

import { h, number, put, table, text } from "./dom.js";

const COLOURS = { enforced: "good", stored: "", ignored: "warn" };

const SAID = { namespaces: "Namespaces", landlock: "Landlock", seccomp: "Seccomp", controlGroups: "Control groups", cpuLimits: "CPU ceilings" };

/** What the machine offers, in words. */
function said(value) {
  if (value === true) return "yes";
  if (value === false || value === null || value === 0 || (Array.isArray(value) && !value.length)) return "no";
  return Array.isArray(value) ? value.join(", ") : typeof value === "number" ? `version ${value}` : text(value);
}

export async function show(main, scene) {
  const rows = scene.stack.manifest;
  const list = h("div", {});
  let kind = "", wanted = "";
  const draw = () => put(list, table("Properties of the template", [
    ["Resource", (row) => text(row.logicalId, 200)], ["Type", (row) => row.type], ["Property", (row) => text(row.property, 200)],
    ["Counts as", (row) => h("span", { class: `pill ${COLOURS[row.fidelity]}` }, row.fidelity)], ["Line", (row) => row.line || "", "number"],
    ["Remark", (row) => text(row.remark ?? "", 400)],
  ], rows.filter((row) => (!kind || row.fidelity === kind)
    && `${row.logicalId} ${row.type} ${row.property}`.toLowerCase().includes(wanted)), "nothing fits"));
  const counts = Object.keys(COLOURS).map((name) => [name, rows.filter((row) => row.fidelity === name).length]);
  put(main, h("h1", {}, "What of the template counts"),
    h("div", { class: "cards" }, counts.map(([name, count]) => h("div", { class: "card" }, name, h("strong", {}, number(count))))),
    scene.stack.problems.map((problem) => h("p", { class: "notice" }, text(problem))),
    h("h2", {}, "How functions are kept apart"), h("dl", {}, Object.entries(scene.stack.isolation).flatMap(([name, value]) =>
      [h("dt", {}, SAID[name] ?? name), h("dd", {}, said(value))])),
    h("form", { class: "row", submit: (event) => event.preventDefault() },
      h("label", {}, "Which", h("select", { change: (event) => { kind = event.target.value; draw(); } },
        h("option", { value: "" }, "all"), Object.keys(COLOURS).map((name) => h("option", { value: name }, name)))),
      h("label", { class: "grow" }, "Contains", h("input", { type: "search",
        input: (event) => { wanted = event.target.value.toLowerCase(); draw(); } }))), list);
  draw();
}
