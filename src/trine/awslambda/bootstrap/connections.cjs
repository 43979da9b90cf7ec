// Calls to AWS's own addresses that AWS_ENDPOINT_URL has no say in stay in the house: see connections.py.
//
// - the management API of WebSocket APIs, whose endpoint handlers make out of their event;
// - whatever is signed for AWS: version 2 of the AWS SDK knows no AWS_ENDPOINT_URL, and others name an endpoint;
// - the keys of user pools (`https://cognito-idp.{region}.amazonaws.com/{pool}/.well-known/…`), which handlers fetch to
//   verify tokens.
// What was signed stays as it was signed: the Host header keeps naming AWS's host.
'use strict';

const http = require('node:http');
const https = require('node:https');
const { syncBuiltinESMExports } = require('node:module');
const { urlToHttpOptions } = require('node:url');

const stock = https.request;
const AWS_HOST = /^[a-z0-9.-]+\.amazonaws\.com(\.cn)?$/i;
const POOL_HOST = /^cognito-idp(-fips)?\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$/i;
const SIGNED = /[?&]X-Amz-Signature=/;

const hostOf = (options) => String(options.hostname || options.host || '').replace(/:\d+$/, '');

function header(headers, wanted) {
  if (headers === null || typeof headers !== 'object' || Array.isArray(headers)) return undefined;
  const name = Object.keys(headers).find((each) => each.toLowerCase() === wanted);
  return name === undefined ? undefined : String(headers[name]);
}

function stays(options) {
  const path = String(options.path || '');
  if (path.includes('/@connections/')) return true;
  const host = hostOf(options);
  if (!AWS_HOST.test(host)) return false;
  if (POOL_HOST.test(host) && path.includes('/.well-known/')) return true;
  return SIGNED.test(path) || /^AWS4-HMAC-SHA256 /.test(header(options.headers, 'authorization') || '');
}

// https.request(url[, options][, callback]) → [options, callback]; null for what is left to Node.js to refuse.
function taken(first, rest) {
  if (typeof first !== 'string' && !(first instanceof URL)) {
    return first !== null && typeof first === 'object' ? [first, ...rest] : null;
  }
  let url;
  try {
    url = urlToHttpOptions(new URL(first));
  } catch {
    return null;
  }
  const more = rest[0] !== null && typeof rest[0] === 'object' ? rest[0] : {};
  return [{ ...url, ...more }, ...rest.filter((each) => typeof each === 'function')];
}

https.request = function request(first, ...rest) {
  const endpoint = process.env.AWS_ENDPOINT_URL;
  const call = endpoint ? taken(first, rest) : null;
  if (call === null || !stays(call[0])) return stock.call(this, first, ...rest);
  const [options, ...others] = call;
  const to = new URL(endpoint);
  const headers = { ...options.headers };
  if (header(headers, 'host') === undefined) headers.host = options.host || options.hostname;
  const send = to.protocol === 'http:' ? http.request : stock;
  const port = to.port || (to.protocol === 'http:' ? 80 : 443);
  const place = { protocol: to.protocol, host: to.hostname, hostname: to.hostname, port, servername: undefined };
  return send({ ...options, ...place, headers, agent: undefined }, ...others);
};

https.get = function get(...values) {
  const request = https.request(...values);
  request.end();
  return request;
};

const stockFetch = globalThis.fetch;
if (typeof stockFetch === 'function') {
  globalThis.fetch = function fetch(input, init) {
    const endpoint = process.env.AWS_ENDPOINT_URL;
    if (endpoint && (typeof input === 'string' || input instanceof URL) && URL.canParse?.(input)) {
      const url = new URL(input);
      if (url.protocol === 'https:' && POOL_HOST.test(url.hostname) && url.pathname.includes('/.well-known/')) {
        return stockFetch(new URL(url.pathname + url.search, endpoint), init);
      }
    }
    return stockFetch(input, init);
  };
}

syncBuiltinESMExports(); // named imports of ES modules see it too
