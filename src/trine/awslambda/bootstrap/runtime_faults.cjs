// Faults of a Node.js function as AWS's client reports them: error values, their log line, and the messages that carry
// them to the Runtime API.
'use strict';

const util = require('node:util');

const API = '/2018-06-01/runtime';

/** A fault that the runtime finds, not the handler: `Runtime.HandlerNotFound` and its like. */
class RuntimeFault extends Error {
  constructor(name, message) {
    super(message);
    this.name = name;
  }

  /** The fault `name` because of `error`, with its stack. */
  static because(name, error) {
    const fault = new RuntimeFault(name, `${error.name}: ${error.message}`);
    fault.stack = `${name}: ${error.stack}`;
    return fault;
  }
}

/** The error as the JSON value that goes to the caller. */
function errorValue(error) {
  try {
    if (util.types.isNativeError(error) || (error && error.name && error.message !== undefined && error.stack)) {
      return { errorType: error.name, errorMessage: error.message, trace: String(error.stack || '').split('\n') };
    }
    return { errorType: typeof error, errorMessage: error.toString(), trace: [] };
  } catch {
    const problem = 'there was a problem while retrieving one or more of its message, name, and stack';
    return { errorType: 'handled', errorMessage: `callback called with Error argument, but ${problem}`, trace: [] };
  }
}

/** What the log shows of an error: its own members too (`code`, `statusCode`, `reason`), errors within it likewise. */
function shown(key, value) {
  if (!(value instanceof Error)) return value;
  const { errorType, errorMessage, trace } = errorValue(value);
  return { errorType, errorMessage, code: value.code, ...value, stack: trace };
}

/** Writes the error's log line; the value. */
function logError(title, error) {
  const value = errorValue(error);
  let text;
  try {
    text = JSON.stringify(error instanceof Error ? error : { ...value, trace: undefined, stack: value.trace }, shown);
  } catch {
    text = JSON.stringify({ ...value, trace: undefined, stack: value.trace }); // members that JSON cannot hold
  }
  console.error(`${title} \t${text}`);
  return value;
}

/** The POST of an error value to `target`, with `next` behind it. */
function errorMessage(target, value, next) {
  const body = Buffer.from(JSON.stringify(value));
  const kind = String(value.errorType).replace(/[^\x20-\x7e]/g, '');
  const head =
    `POST ${API}${target} HTTP/1.1\r\nContent-Type: application/json\r\n` +
    `Lambda-Runtime-Function-Error-Type: ${kind}\r\nContent-Length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body, Buffer.from(next)]);
}

module.exports = { API, RuntimeFault, errorMessage, logError };
