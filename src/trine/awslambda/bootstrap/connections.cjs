// Calls to https://{api}.execute-api.{region}.amazonaws.com/{stage}/@connections/… stay in the house: see connections.py.
// The AWS SDK (versions 2 and 3) has signed them for that host, and the Host header keeps naming it.
'use strict';

const http = require('node:http');
const https = require('node:https');
const { syncBuiltinESMExports } = require('node:module');

const PATH = '/@connections/';
const stock = https.request;

https.request = function request(options, ...rest) {
  const endpoint = process.env.AWS_ENDPOINT_URL;
  const calls = options !== null && typeof options === 'object' && String(options.path || '').includes(PATH);
  if (!endpoint || !calls || options instanceof URL) return stock.call(this, options, ...rest);
  const to = new URL(endpoint);
  const headers = { ...options.headers };
  if (!Object.keys(headers).some((name) => name.toLowerCase() === 'host')) {
    headers.host = options.host || options.hostname;
  }
  const send = to.protocol === 'http:' ? http.request : stock;
  const port = to.port || (to.protocol === 'http:' ? 80 : 443);
  const place = { protocol: to.protocol, host: to.hostname, hostname: to.hostname, port, servername: undefined };
  return send({ ...options, ...place, headers, agent: undefined }, ...rest);
};
syncBuiltinESMExports(); // named imports of ES modules see it too
