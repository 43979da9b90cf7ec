// The console's own door: documents by view, with the key of the session. Errors carry the server's sentence.

// A link brings the key behind the #. It is kept for this origin, port included; the cookie alone, which a browser sends to
// every port of this host, opens nothing.
const KEY = "trine-console-key";
const brought = /^#key=([\w=-]+)$/.exec(location.hash);
if (brought) {
  localStorage.setItem(KEY, brought[1]);
  history.replaceState(null, "", location.pathname);
}

export class Closed extends Error {}

async function ask(path, options = {}) {
  const answer = await fetch(`/_trine/${path}`, {
    credentials: "same-origin",
    ...options,
    headers: { "x-trine-console": localStorage.getItem(KEY) ?? "", ...(options.headers ?? {}) },
  });
  const body = await answer.text();
  let document;
  try { document = JSON.parse(body); } catch { document = { message: body.slice(0, 500) }; }
  if (answer.ok && document.message !== body.slice(0, 500)) return document;
  if (answer.status === 403 && /session has ended/.test(document.message ?? "")) throw new Closed(document.message);
  throw new Error(document.message ?? `the server answered ${answer.status}`);
}

export const get = (view, query = {}, signal) => {
  const wanted = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== "" && value !== null));
  return ask(wanted.size ? `${view}?${wanted}` : view, { signal });
};
export const post = (view, document = {}, signal) =>
  ask(view, { method: "POST", body: JSON.stringify(document), headers: { "content-type": "application/json" }, signal });

/** One call of the table's API; its AWS error becomes an Error. */
export async function dynamodb(operation, input, signal) {
  const answer = await post("call", { service: "dynamodb", operation, input }, signal);
  const document = JSON.parse(answer.body || "{}");
  if (answer.status !== 200) {
    const type = String(document.__type ?? answer.status).split("#").pop();
    throw new Error(`${type}: ${document.message ?? document.Message ?? ""}`);
  }
  return document;
}
