// A table browser: query and scan page by page, with the units they cost, and editing that never overwrites what somebody
// else has changed meanwhile.

import { dynamodb, get } from "./api.js";
import { bytes, h, notice, number, put, refresh, table, text } from "./dom.js";

const PAGE = 100, COLUMNS_MAX = 12;

export async function show(main, scene, [name]) {
  if (name) return one(main, scene, name);
  const names = [], list = h("div", {}), keys = new Map(scene.stack.tables.map((each) => [each.name, each.keys]));
  let last;
  do {
    const page = await dynamodb("ListTables", { ExclusiveStartTableName: last }, scene.signal);
    names.push(...page.TableNames);
    last = page.LastEvaluatedTableName;
  } while (last && names.length < 1000);
  put(main, h("h1", {}, "Tables"), h("p", { class: "lead" }, "What each holds and has been asked since the stack started."), list);
  await scene.every(2, async () => {
    const parts = (await get("live", {}, scene.signal)).tables;
    refresh(list, table(names.length === 1 ? "1 table" : `${number(names.length)} tables`, [
      ["Table", (each) => h("a", { href: `#/tables/${encodeURIComponent(each)}`, "data-keep": each }, each)],
      ["Keys", (each) => (keys.get(each) ?? []).join(", ")],
      ["Indexes", (each) => parts.filter((part) => part.table === each && part.index).map((part) => part.index).join(", ")],
      ["Stored", (each) => bytes(total(parts, each, "storedBytes")), "number"],
      ["Read units", (each) => number(total(parts, each, "readUnits"), 1), "number"],
      ["Write units", (each) => number(total(parts, each, "writeUnits"), 1), "number"],
      ["Capacity", (each) => paid(parts.find((part) => part.table === each && !part.index))],
    ], names, "there are no tables"));
  });
}

/** Of a table and its indexes together. */
const total = (parts, name, member) => parts.filter((part) => part.table === name).reduce((all, part) => all + (part[member] ?? 0), 0);
const paid = (part) => (part?.provisionedReadUnits ? `${number(part.provisionedReadUnits)}/${number(part.provisionedWriteUnits)} RCU/WCU` : "on demand");

async function one(main, scene, name) {
  const { Table: described } = await dynamodb("DescribeTable", { TableName: name }, scene.signal);
  const indexes = [...(described.GlobalSecondaryIndexes ?? []), ...(described.LocalSecondaryIndexes ?? [])];
  const keysOf = (index) => (index ? indexes.find((each) => each.IndexName === index) : described).KeySchema;
  const typeOf = (attribute) => described.AttributeDefinitions.find((each) => each.AttributeName === attribute).AttributeType;
  const result = h("section", { "aria-live": "polite" });
  const index = h("select", { change: () => draw() }, h("option", { value: "" }, "the table"),
    indexes.map((each) => h("option", { value: each.IndexName }, each.IndexName)));
  const fields = h("div", { class: "row" });
  const consistent = h("input", { type: "checkbox" });
  let inputs = [];
  const draw = () => {
    inputs = keysOf(index.value).map((key) => ({
      key, input: h("input", { required: key.KeyType === "HASH" }),
      comparison: key.KeyType === "HASH" ? null : h("select", {}, ["=", "begins_with", "<", "<=", ">", ">="].map((sign) =>
        h("option", { value: sign }, sign))),
    }));
    put(fields, inputs.map(({ key, input, comparison }) => h("label", {}, `${key.AttributeName} (${typeOf(key.AttributeName)})`,
      h("span", { class: "row" }, comparison, input))));
  };
  draw();
  const context = { name, result, scene, described, keys: described.KeySchema.map((key) => key.AttributeName) };
  const query = (event) => {
    event.preventDefault();
    const names = {}, values = {}, conditions = [];
    inputs.forEach(({ key, input, comparison }, at) => {
      if (input.value === "") return;
      names[`#k${at}`] = key.AttributeName;
      values[`:k${at}`] = { [typeOf(key.AttributeName)]: input.value };
      const sign = comparison?.value ?? "=";
      conditions.push(sign === "begins_with" ? `begins_with(#k${at}, :k${at})` : `#k${at} ${sign} :k${at}`);
    });
    read(context, "Query", {
      KeyConditionExpression: conditions.join(" AND "), ExpressionAttributeNames: names, ExpressionAttributeValues: values,
      ...(index.value ? { IndexName: index.value } : {}), ConsistentRead: consistent.checked,
    });
  };
  put(main, h("p", { class: "crumb" }, h("a", { href: "#/tables" }, "← All tables")), h("h1", {}, text(name)),
    h("p", { class: "lead" }, `${described.KeySchema.map((key) => `${key.AttributeName} (${key.KeyType})`).join(", ")} · about `,
      `${number(described.ItemCount)} items, ${bytes(described.TableSizeBytes)} · `,
      described.BillingModeSummary?.BillingMode ?? "PROVISIONED"),
    h("form", { class: "card", submit: query }, h("div", { class: "row" }, h("label", {}, "Read", index), fields,
      h("label", { class: "inline" }, consistent, "strongly consistent")),
    h("p", { class: "row" }, h("button", { class: "primary" }, "Query"),
      h("button", { type: "button", click: () => read(context, "Scan", { ...(index.value ? { IndexName: index.value } : {}) }) },
        "Scan (reads everything)"),
      h("button", { type: "button", click: () => edit(context, null) }, "New item"))), result);
}

/** Show one page of a query or scan; `start` goes on where the page before ended. */
async function read(context, operation, input, start = null, spent = 0) {
  const { result, scene, name, keys } = context;
  put(result, h("p", { class: "quiet" }, "reading …"));
  try {
    const page = await dynamodb(operation, {
      TableName: name, Limit: PAGE, ReturnConsumedCapacity: "TOTAL", ...input, ...(start ? { ExclusiveStartKey: start } : {}),
    }, scene.signal);
    const units = page.ConsumedCapacity?.CapacityUnits ?? 0, total = spent + units;
    const names = new Set(keys);
    for (const item of page.Items) Object.keys(item).forEach((each) => names.size < COLUMNS_MAX && names.add(each));
    put(result,
      h("p", { role: "status" }, `${page.Items.length} item${page.Items.length === 1 ? "" : "s"} of ${page.ScannedCount} read, `, h("strong", {}, `${units} read unit${units === 1 ? "" : "s"}`),
        total !== units ? `, ${total} with the pages before` : "",
        operation === "Scan" ? h("span", { class: "warn" }, " · a Scan reads, and bills, everything it passes") : ""),
      table("Items", [
        ...[...names].map((each) => [each, (item) => value(item[each])]),
        ["", (item) => h("button", { type: "button", click: () => edit(context, item), "aria-label": `Edit ${keys.map((key) => Object.values(item[key])[0]).join(" ").slice(0, 80)}` }, "Edit"), "act"],
      ], page.Items, "no items"),
      page.LastEvaluatedKey ? h("p", {}, h("button", { type: "button",
        click: () => read(context, operation, input, page.LastEvaluatedKey, total) }, `Next ${PAGE}`)) : "");
    context.again = () => read(context, operation, input, start, spent);
  } catch (fault) {
    if (!scene.signal.aborted) put(result, notice(fault.message, "bad"));
  }
}

function value(attribute) {
  if (attribute === undefined) return "";
  const [[type, held]] = Object.entries(attribute);
  return ["S", "N", "B"].includes(type) ? text(held, 200) : h("code", {}, text(type === "BOOL" ? String(held) : held, 200));
}

/** What must still hold of an item for a change to be safe: every attribute is as it was read. */
export function unchanged(item) {
  const names = {}, values = {};
  const conditions = Object.entries(item).map(([name, held], at) => {
    names[`#a${at}`] = name;
    values[`:a${at}`] = held;
    return `#a${at} = :a${at}`;
  });
  return {
    ConditionExpression: conditions.join(" AND "), ExpressionAttributeNames: names, ExpressionAttributeValues: values,
  };
}

function edit(context, item) {
  const { name, keys, scene } = context;
  const area = h("textarea", { rows: 16, spellcheck: "false", "aria-label": "The item in DynamoDB JSON" });
  area.value = JSON.stringify(item ?? Object.fromEntries(keys.map((key) => [key, { S: "" }])), null, 1);
  const said = h("div", { "aria-live": "polite" });
  const act = (work) => async (event) => {
    event.preventDefault();
    try {
      await work();
      dialog.close();
      context.again?.();
    } catch (fault) {
      const changed = fault.message.startsWith("ConditionalCheckFailed");
      put(said, notice(changed ? (item ? "somebody has changed the item since it was read: read it again" : "an item with this key exists")
        : fault instanceof SyntaxError ? `this is no JSON: ${fault.message}` : fault.message, "bad"));
    }
  };
  const save = act(async () => {
    const next = JSON.parse(area.value);
    const sameKey = item && keys.every((key) => JSON.stringify(next[key]) === JSON.stringify(item[key]));
    const condition = sameKey ? unchanged(item)
      : { ConditionExpression: "attribute_not_exists(#k)", ExpressionAttributeNames: { "#k": keys[0] } };
    await dynamodb("PutItem", { TableName: name, Item: next, ...condition }, scene.signal);
  });
  const remove = act(() => dynamodb("DeleteItem", {
    TableName: name, Key: Object.fromEntries(keys.map((key) => [key, item[key]])), ...unchanged(item),
  }, scene.signal));
  const sure = h("input", { type: "checkbox", change: (event) => { erase.disabled = !event.target.checked; } });
  const erase = h("button", { type: "button", class: "danger", disabled: true, click: remove }, "Delete item");
  const dialog = h("dialog", { close: () => dialog.remove() }, h("form", { submit: save },
    h("h2", {}, item ? "Edit item" : "New item"), area, said,
    h("p", { class: "row" }, h("button", { class: "primary" }, "Save"),
      h("button", { type: "button", click: () => dialog.close() }, "Cancel"),
      item ? [h("label", { class: "inline" }, sure, "I mean it"), erase] : "")));
  scene.signal.addEventListener("abort", () => dialog.close(), { once: true }); // who goes elsewhere leaves it behind
  document.body.append(dialog);
  dialog.showModal();
}
