// Roles: what they may do beside what was done, and the smallest policy for that.

import { get } from "./api.js";
import { h, put, table, text } from "./dom.js";

const policy = (title, statements) => [h("h2", {}, title),
  h("pre", {}, text(JSON.stringify({ Version: "2012-10-17", Statement: statements }, null, 2)))];
const rights = (count) => `${count} right${count === 1 ? "" : "s"}`;

export async function show(main, scene) {
  const found = await get("rights", {}, scene.signal);
  const nameOf = new Map(scene.stack.functions.map((one) => [one.role, one.logicalId]));
  put(main, h("h1", {}, "Roles"), h("p", { class: "lead" },
    "Calls are noted as they are decided; ", h("code", {}, "trine policy"), " turns them into a change of the template."));
  for (const role of found.roles) {
    main.append(h("details", { class: "card", open: role.uses.length > 0 && found.roles.length <= 12 },
      h("summary", {}, h("strong", {}, nameOf.get(role.role) ?? role.name), ` · ${rights(role.uses.filter((use) => use.allowed).length)} used`,
        role.missing.length ? h("span", { class: "bad" }, ` · ${role.missing.length} refused`) : "",
        role.unused.length ? h("span", { class: "warn" }, ` · ${role.unused.length} statement${role.unused.length === 1 ? "" : "s"} wider than used`) : ""),
      h("p", { class: "quiet mono" }, text(role.role)),
      table("Asked for", [
        ["Action", (use) => use.action], ["On", (use) => h("code", {}, text(use.resource, 300))],
        ["Verdict", (use) => h("span", { class: use.allowed ? "pill good" : "pill bad" }, use.allowed ? "allowed" : "refused")],
      ], role.uses, "no call was recorded: nothing can be said about these rights"),
      role.unused.length ? table("Not used", [
        ["Policy", (one) => `${one.policy}, statement ${one.statement}`],
        ["What", (one) => one.whole ? "the whole statement" : text([...one.actions, ...one.resources].join(", "), 600)],
      ], role.unused) : "",
      role.tooWide.length ? table("Wider than needed", [
        ["Wildcard", (one) => h("code", {}, text(one.pattern))], ["Needed", (one) => text(one.needed.join(", "), 600)],
      ], role.tooWide) : "",
      role.smallest.length ? policy("The smallest policy", role.smallest) : "",
      role.missing.length ? policy("What would allow what was refused", role.missing.map(({ action, resource }) =>
        ({ Effect: "Allow", Action: action, Resource: resource }))) : ""));
  }
  if (found.roles.length === 0) main.append(h("p", { class: "quiet" }, "The stack has no roles."));
}
