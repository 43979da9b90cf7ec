// Faults of a Node.js function as AWS's client reports them: error values, their log line, and the messages that carry
// them to the Runtime API.
'use strict';

const util = require('node:util');

const API = '/2018-06-01/runtime';

/** A fault that the runtime finds, not the handler: `Runtime.HandlerNotFound` and its like. */
class RuntimeFault extends Error {
  constructor(name, message) {
    super(message);
    // Not enumerable, so that the log does not show them twice; JSON logs call an error by its class.
    Object.defineProperties(this, { name: { value: name }, constructor: { value: { name: name.split('.').pop() } } });
  }

  /** The fault `name` because of `error`: AWS's first line, then the error's own stack, which tells the place. */
  static because(name, error) {
    const fault = new RuntimeFault(name, asOnAws(String(error)));
    fault.stack = `${name}: ${fault.message}\n${asOnAws(error.stack.replace(`${error}\n`, ''))}`;
    return fault;
  }
}

// What Node.js says of a missing module lists the files that asked for it; the last ones are this client's.
const OWN_FILES = new RegExp(`(\\n- ${__dirname.replace(/[^\w/]/g, '\\$&')}/[^\n]*)+`, 'g');
const asOnAws = (text) => text.replace(OWN_FILES, '\n- /var/runtime/index.mjs');

const escaped = (text) => text.replace(/\x7F/g, '%7F');
const isErrorLike = (value) =>
  value && ['name', 'message', 'stack'].every((member) => value[member] && typeof value[member] === 'string');

/** The error as the JSON value that goes to the caller. */
function errorValue(error) {
  try {
    if (util.types.isNativeError(error) || isErrorLike(error)) {
      return {
        errorType: error.name === undefined ? undefined : escaped(error.name),
        errorMessage: error.message === undefined ? undefined : escaped(error.message),
        trace: escaped(error.stack).split('\n'),
      };
    }
    return { errorType: typeof error, errorMessage: error.toString(), trace: [] };
  } catch {
    const problem = 'there was a problem while retrieving one or more of its message, name, and stack';
    return { errorType: 'handled', errorMessage: `callback called with Error argument, but ${problem}` };
  }
}

/** What the log shows of an error: its own members too (`code`, `statusCode`, `reason`), errors within it likewise. */
function shown(key, value) {
  if (!(value instanceof Error)) return value;
  const members = { errorType: value.name, errorMessage: value.message, code: value.code, ...value };
  if (typeof value.stack === 'string') members.stack = value.stack.split('\n');
  return members;
}

function asText(error) {
  try {
    return JSON.stringify(error, shown);
  } catch {
    return JSON.stringify(errorValue(error)); // it has members that JSON cannot hold
  }
}

/**
 * Writes the error's log line; its value. An error that is none is logged as one, and what cannot even be made one (a
 * symbol, an object without a prototype) counts as the error that this raises.
 */
function logError(title, error) {
  let told = error;
  try {
    told = error instanceof Error ? error : new Error(error);
  } catch (problem) {
    error = told = problem;
  }
  if (process.env.AWS_LAMBDA_LOG_FORMAT === 'JSON') console.error(told);
  else console.error(title, `\t${asText(told)}`);
  return errorValue(error);
}

/** The POST of an error value to `target`. */
function errorMessage(target, value) {
  const body = Buffer.from(JSON.stringify(value));
  const kind = String(value.errorType).replace(/[^\x20-\x7e]/g, '');
  const head =
    `POST ${API}${target} HTTP/1.1\r\nContent-Type: application/json\r\n` +
    `Lambda-Runtime-Function-Error-Type: ${kind}\r\nContent-Length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

module.exports = { API, RuntimeFault, errorMessage, logError };
