// What a Node.js function writes: `console` as on Lambda, text lines with time, request id and level, or JSON. Lines go
// out at once and whole; a stream that the function has closed, or a pipe that is full, breaks nothing.
'use strict';

const fs = require('node:fs');
const util = require('node:util');

const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

/** Puts Lambda's functions into `console`. `requestId()` names the invocation under way. */
function setUpConsole(requestId) {
  const json = process.env.AWS_LAMBDA_LOG_FORMAT === 'JSON';
  const lowest = LEVELS.indexOf((process.env.AWS_LAMBDA_LOG_LEVEL || '').toUpperCase()); // another word: all of them
  const write = (level) => {
    if (level !== 'FATAL' && LEVELS.indexOf(level) < lowest) return () => {};
    return (message, ...more) => {
      const time = new Date().toISOString();
      const line = json
        ? asJson({ timestamp: time, level, requestId: requestId() }, [message, ...more])
        : `${time}\t${requestId()}\t${level}\t${util.format(message, ...more)}`;
      writeAll(Buffer.from(`${line.replace(/\n/g, '\r')}\n`)); // the log turns them back: one call is one event
    };
  };
  console.log = console.info = write('INFO');
  console.error = write('ERROR');
  console.warn = write('WARN');
  console.debug = write('DEBUG');
  console.trace = write('TRACE');
  console.fatal = write('FATAL');
}

const typeOf = (error) => error.constructor?.name ?? 'UnknownError';
const linesOf = (stack) => (typeof stack === 'string' ? stack.split('\n') : stack);

function asJson(record, values) {
  if (values.length === 1) {
    record.message = values[0];
    try {
      return JSON.stringify(record, (key, value) => {
        if (!(value instanceof Error)) return value;
        const { message: errorMessage, stack } = value;
        return { errorType: typeOf(value), errorMessage, stackTrace: linesOf(stack), ...value };
      });
    } catch {
      record.message = util.format(values[0]); // it has members that JSON cannot hold
      return JSON.stringify(record);
    }
  }
  record.message = util.format(...values);
  const error = values.find((value) => value instanceof Error);
  if (error !== undefined) {
    record.errorType = typeOf(error);
    record.errorMessage = error.message;
    record.stackTrace = linesOf(error.stack) ?? [];
  }
  return JSON.stringify(record);
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
