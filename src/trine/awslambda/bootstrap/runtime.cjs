// The Node.js client of the Runtime API: loads the handler, then takes events and returns answers over the inherited
// socket until it ends. Behaves as AWS's own client does: CommonJS and ES modules, async and callback handlers,
// streamed answers, the same error values and log lines. An answer and the wish for the next event go out in one write.
'use strict';

const net = require('node:net');
require('./connections.cjs');
const { setUpConsole } = require('./runtime_console.cjs');
const { API, RuntimeFault, errorMessage, logError } = require('./runtime_faults.cjs');
const { isModern, loadHandler } = require('./runtime_handler.cjs');
const { ResponseStream, highWaterMark, isStreaming, stream } = require('./runtime_stream.cjs');

const NEXT = `GET ${API}/invocation/next HTTP/1.1\r\nHost: runtime\r\n\r\n`;
const HEAD_END = Buffer.from('\r\n\r\n');
const link = new net.Socket({ fd: Number(process.env._TRINE_RUNTIME_FD), readable: true, writable: true });
delete process.env._TRINE_RUNTIME_FD;

const later = setImmediate; // a handler that replaces it means its own
const NEXT_BYTES = Buffer.from(NEXT);
const REQUEST_ID = Symbol.for('aws.lambda.runtime.requestId'); // where AWS's client keeps it, and others look for it

let isServing = false; // the handler is loaded
let requestId; // of the invocation under way
let answered = null; // its answer, until the end of this turn of the event loop
let ending = false; // an error that nobody caught was told to the owner
let streamed = null; // the streamed answer of the latest invocation
let whenEmpty = null; // what to do when the event loop runs empty during an invocation

// -- invocations -----------------------------------------------------------------------------------------------------

const get = (name) => process.env[name];

function parse(text, name) {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`Cannot parse ${name} as json: ${error}`);
  }
}

function makeContext(headers, ways) {
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  return {
    callbackWaitsForEmptyEventLoop: true,
    ...ways,
    functionVersion: get('AWS_LAMBDA_FUNCTION_VERSION'),
    functionName: get('AWS_LAMBDA_FUNCTION_NAME'),
    memoryLimitInMB: get('AWS_LAMBDA_FUNCTION_MEMORY_SIZE'),
    logGroupName: get('AWS_LAMBDA_LOG_GROUP_NAME'),
    logStreamName: get('AWS_LAMBDA_LOG_STREAM_NAME'),
    clientContext: parse(headers['lambda-runtime-client-context'], 'ClientContext'),
    identity: parse(headers['lambda-runtime-cognito-identity'], 'CognitoIdentity'),
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: requestId,
    tenantId: headers['lambda-runtime-aws-tenant-id'],
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
}

function invoke(handler, headers, body) {
  requestId = global[REQUEST_ID] = headers['lambda-runtime-aws-request-id'];
  if (headers['lambda-runtime-trace-id']) process.env._X_AMZN_TRACE_ID = headers['lambda-runtime-trace-id'];
  const mine = requestId;
  let over = false;
  const finish = (error, result) => {
    if (over || mine !== requestId) return; // also after an uncaught error: the process is about to end
    over = true;
    whenEmpty = null;
    link.ref();
    if (isNothing(error)) succeed(result);
    else fail(error);
  };
  let called = false;
  const once = (then) => (...values) => {
    if (called) return; // of callback, done, succeed, fail and the promise the first one counts, even while it waits
    called = true;
    then(...values);
  };
  link.unref(); // from here on the event loop is the handler's; it may run empty
  whenEmpty = () => finish(null, null);
  let callback = finish; // of an event that cannot be read
  try {
    if (isStreaming(handler)) {
      whenEmpty = null;
      link.ref();
      const context = makeContext(headers);
      const event = JSON.parse(body.toString('utf8'));
      streamed = new ResponseStream(link, requestId, NEXT, highWaterMark(handler));
      stream(handler, event, context, streamed, finish);
      return;
    }
    if (isModern) {
      whenEmpty = null;
      link.ref();
      const context = { ...makeContext(headers), xRayTraceId: headers['lambda-runtime-trace-id'] };
      delete context.callbackWaitsForEmptyEventLoop;
      const event = JSON.parse(body.toString('utf8'));
      const result = handler(event, context);
      Promise.resolve(result).then((value) => finish(null, value), (error) => finish(error ?? 'handled'));
      return;
    }
    const done = once(finish);
    const succeedWith = (result) => done(null, result);
    const failWith = (error) => done(isNothing(error) ? 'handled' : error);
    const context = makeContext(headers, { succeed: succeedWith, fail: failWith, done });
    const event = JSON.parse(body.toString('utf8'));
    callback = once((error, result) => {
      if (!isNothing(error) || !context.callbackWaitsForEmptyEventLoop) finish(error, result);
      else whenEmpty = () => finish(null, result);
    });
    const result = handler(event, context, callback);
    if (result && typeof result.then === 'function') result.then(succeedWith, failWith);
  } catch (error) {
    callback(error);
  }
}

const isNothing = (error) => error === undefined || error === null;

function succeed(result) {
  let text;
  try {
    text = JSON.stringify(result === undefined ? null : result);
    if (text === undefined) text = 'null';
  } catch {
    fail(new Error('Unable to stringify response body'));
    return;
  }
  const target = `${API}/invocation/${requestId}/response`;
  const length = Buffer.byteLength(text);
  answer(`POST ${target} HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${text}`);
}

function fail(error) {
  const value = logError('Invoke Error', error);
  answer(errorMessage(`/invocation/${requestId}/error`, value));
}

// The answer goes out at the end of this turn of the event loop: a promise that was rejected in it and that nobody waits
// for ends the process, which must not have asked for the next event then.
function answer(message) {
  answered = message;
  later(sendAnswer);
}

function sendAnswer() {
  if (answered === null) return;
  const message = answered;
  answered = null;
  link.write(typeof message === 'string' ? message + NEXT : Buffer.concat([message, NEXT_BYTES]));
  lookForNext();
}

// -- haste -----------------------------------------------------------------------------------------------------------

// Where the owner says that events come one by one and soon, the event loop goes round for half a millisecond before it
// sleeps: to be woken from another processor costs more. A function that is idle sleeps.
const HASTY_MILLISECONDS = 0.5;
const now = performance.now.bind(performance);
let waitingSince = 0;
let isHasty = false;

function lookForNext() {
  if (!isHasty) return;
  waitingSince = now();
  later(look);
}

function look() {
  if (waitingSince && now() - waitingSince < HASTY_MILLISECONDS) later(look);
}

// -- the link --------------------------------------------------------------------------------------------------------

function serve(handler) {
  isServing = true;
  link.ref();
  let parts = [];
  let size = 0;
  let wanted = 1;
  link.on('data', (data) => {
    parts.push(data);
    size += data.length;
    while (size >= wanted) {
      const buffer = parts.length === 1 ? parts[0] : Buffer.concat(parts);
      const end = buffer.indexOf(HEAD_END);
      if (end < 0) {
        [parts, wanted] = [[buffer], size + 1];
        return;
      }
      const [status, headers] = parseHead(buffer.toString('utf8', 0, end));
      const stop = end + 4 + Number(headers['content-length'] || 0);
      if (size < stop) {
        [parts, wanted] = [[buffer], stop];
        return;
      }
      const rest = buffer.subarray(stop);
      [parts, size, wanted] = [rest.length ? [rest] : [], rest.length, 1];
      if (status !== 200) continue;
      waitingSince = 0;
      isHasty = 'trine-haste' in headers;
      invoke(handler, headers, buffer.subarray(end + 4, stop));
    }
  });
  link.write(NEXT);
}

function parseHead(text) {
  const lines = text.split('\r\n');
  const headers = {};
  for (let n = 1; n < lines.length; n += 1) {
    const at = lines[n].indexOf(':');
    headers[lines[n].slice(0, at).toLowerCase()] = lines[n].slice(at + 1).trim();
  }
  return [Number(lines[0].slice(9, 12)), headers];
}

// Tells the owner of the error that ends this process, which it does when the owner has read that and closed the link,
// or soon after. Nothing that the handler does meanwhile may ask for an event that nobody would answer.
function endBecause(title, error, status) {
  const value = logError(title, error);
  if (ending) return;
  const target = requestId ? `/invocation/${requestId}/error` : '/init/error';
  const message = answered ?? streamed?.breakOff(value) ?? errorMessage(target, value); // an answer that was given counts
  ending = true;
  answered = null;
  requestId = undefined;
  link.removeAllListeners('data');
  link.ref();
  link.write(message, () => setTimeout(() => process.exit(status), 50));
}

process.on('beforeExit', () => {
  const then = whenEmpty;
  if (then === null) return;
  whenEmpty = null;
  setImmediate(then);
});
process.on('uncaughtException', (error) => endBecause('Uncaught Exception', error, 129));
process.on('unhandledRejection', (reason, promise) => {
  const fault = new RuntimeFault('Runtime.UnhandledPromiseRejection', reason === undefined ? '' : String(reason));
  endBecause('Unhandled Promise Rejection', Object.assign(fault, { reason, promise }), 128);
});
process.on('exit', (code) => {
  if (!isServing && !ending && code === 0) process.exitCode = 13; // a module that awaits what never comes, as in Node.js
});
link.on('error', () => process.exit(0));
link.on('close', () => process.exit(0));

setUpConsole(() => requestId);
link.unref(); // while modules load there is nothing to wait for here
// Not at once: promises that were rejected meanwhile, and that nobody waits for, come first.
loadHandler().then((handler) => later(serve, handler), (error) => endBecause(isModern ? 'Init Error' : 'Uncaught Exception', error, 1));
