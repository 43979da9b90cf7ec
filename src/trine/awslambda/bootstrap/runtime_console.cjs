// What a Node.js function writes: `console` as on Lambda, text lines with time, request id and level, or JSON. Lines go
// out at once and whole; a stream that the function has closed, or a pipe that is full, breaks nothing.
'use strict';

const fs = require('node:fs');
const util = require('node:util');

const ORDER = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

/** Puts Lambda's functions into `console`. `requestId()` names the invocation under way. */
function setUpConsole(requestId) {
  const json = process.env.AWS_LAMBDA_LOG_FORMAT === 'JSON';
  const lowest = json ? ORDER.indexOf((process.env.AWS_LAMBDA_LOG_LEVEL || 'INFO').toUpperCase()) : 0;
  const write = (level) => (...args) => {
    if (ORDER.indexOf(level) < lowest) return;
    const time = new Date().toISOString();
    const message = json && args.length === 1 && typeof args[0] === 'object' ? args[0] : util.format(...args);
    const line = json
      ? JSON.stringify({ timestamp: time, level, requestId: requestId(), message })
      : `${time}\t${requestId()}\t${level}\t${message}`.replace(/\n/g, '\r');
    writeAll(Buffer.from(`${line}\n`));
  };
  console.log = console.info = write('INFO');
  console.error = write('ERROR');
  console.warn = write('WARN');
  console.debug = write('DEBUG');
  console.trace = write('TRACE');
}

function writeAll(data) {
  let at = 0;
  while (at < data.length) {
    try {
      at += fs.writeSync(1, data, at);
    } catch (error) {
      if (error.code !== 'EAGAIN') return; // EBADF, EPIPE: the function has closed it
    }
  }
}

module.exports = { setUpConsole };
