// The Node.js client of the Runtime API: loads the handler, then takes events and returns answers over the inherited
// socket until it ends. Behaves as AWS's own client does: CommonJS and ES modules, async and callback handlers,
// streamed answers, the same error values and log lines. An answer and the wish for the next event go out in one write.
'use strict';

const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const util = require('node:util');
const { Writable } = require('node:stream');
const { pathToFileURL } = require('node:url');

const API = '/2018-06-01/runtime';
const NEXT = `GET ${API}/invocation/next HTTP/1.1\r\nHost: runtime\r\n\r\n`;
const HEAD_END = Buffer.from('\r\n\r\n');
const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
const link = new net.Socket({ fd: Number(process.env._TRINE_RUNTIME_FD), readable: true, writable: true });
delete process.env._TRINE_RUNTIME_FD;

let requestId; // of the invocation under way
let whenEmpty = null; // what to do when the event loop runs empty during an invocation

class RuntimeFault extends Error {
  constructor(name, message) {
    super(message);
    this.name = name;
  }
}

// -- log -------------------------------------------------------------------------------------------------------------

function setUpConsole() {
  const json = process.env.AWS_LAMBDA_LOG_FORMAT === 'JSON';
  const order = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];
  const lowest = json ? order.indexOf((process.env.AWS_LAMBDA_LOG_LEVEL || 'INFO').toUpperCase()) : 0;
  const write = (level) => (...args) => {
    if (order.indexOf(level) < lowest) return;
    const time = new Date().toISOString();
    const message = json && args.length === 1 && typeof args[0] === 'object' ? args[0] : util.format(...args);
    const line = json
      ? JSON.stringify({ timestamp: time, level, requestId, message })
      : `${time}\t${requestId}\t${level}\t${message}`.replace(/\n/g, '\r');
    fs.writeSync(1, `${line}\n`);
  };
  console.log = console.info = write('INFO');
  console.error = write('ERROR');
  console.warn = write('WARN');
  console.debug = write('DEBUG');
  console.trace = write('TRACE');
}

// -- errors ----------------------------------------------------------------------------------------------------------

function errorValue(error) {
  if (util.types.isNativeError(error) || (error && error.name && error.message !== undefined && error.stack)) {
    return { errorType: error.name, errorMessage: error.message, trace: String(error.stack || '').split('\n') };
  }
  return { errorType: typeof error, errorMessage: String(error), trace: [] };
}

function logError(title, error) {
  const value = errorValue(error);
  console.error(`${title} \t${JSON.stringify({ ...value, trace: undefined, stack: value.trace })}`);
  return value;
}

function errorMessage(target, value, next) {
  const body = Buffer.from(JSON.stringify(value));
  const kind = String(value.errorType).replace(/[^\x20-\x7e]/g, '');
  const head =
    `POST ${API}${target} HTTP/1.1\r\nContent-Type: application/json\r\n` +
    `Lambda-Runtime-Function-Error-Type: ${kind}\r\nContent-Length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body, Buffer.from(next)]);
}

function endAfter(message, status) {
  // The process ends when the owner has read the message and closed the link, or soon after.
  link.removeAllListeners('data');
  link.write(message, () => setTimeout(() => process.exit(status), 50));
}

// -- handler ---------------------------------------------------------------------------------------------------------

function splitHandler(text) {
  const folder = path.dirname(text);
  const parts = path.basename(text).split('.');
  if (parts.length < 2 || text.includes('..')) throw new RuntimeFault('Runtime.MalformedHandlerName', 'Bad handler');
  return [path.join(folder, parts[0]), parts.slice(1)];
}

async function loadModule(root, name) {
  const base = path.resolve(root, name);
  for (const extension of ['', '.js', '.mjs', '.cjs']) {
    const file = base + extension;
    if (!fs.existsSync(file) || !fs.statSync(file).isFile()) continue;
    if (extension === '.mjs' || (extension !== '.cjs' && isModule(file))) return import(pathToFileURL(file).href);
    return require(file);
  }
  return require(require.resolve(name, { paths: [root, path.join(root, 'node_modules')] }));
}

function isModule(file) {
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    const description = path.join(folder, 'package.json');
    if (fs.existsSync(description)) {
      try {
        return JSON.parse(fs.readFileSync(description, 'utf8')).type === 'module';
      } catch {
        return false;
      }
    }
    if (folder === path.dirname(folder)) return false;
  }
}

async function loadHandler() {
  const text = process.env._HANDLER;
  const [name, members] = splitHandler(text);
  let found;
  try {
    found = await loadModule(process.env.LAMBDA_TASK_ROOT, name);
  } catch (error) {
    if (error instanceof SyntaxError) throw named('Runtime.UserCodeSyntaxError', error);
    if (error && (error.code === 'MODULE_NOT_FOUND' || error.code === 'ERR_MODULE_NOT_FOUND')) {
      throw named('Runtime.ImportModuleError', error);
    }
    throw error;
  }
  let handler = found;
  for (const member of members) handler = handler === null || handler === undefined ? handler : handler[member];
  if (handler === undefined && found.default) {
    handler = found.default;
    for (const member of members) handler = handler === undefined ? handler : handler[member];
  }
  if (!handler) throw new RuntimeFault('Runtime.HandlerNotFound', `${text} is undefined or not exported`);
  if (typeof handler !== 'function') throw new RuntimeFault('Runtime.HandlerNotFound', `${text} is not a function`);
  return handler;
}

function named(name, error) {
  const fault = new RuntimeFault(name, `${error.name}: ${error.message}`);
  fault.stack = `${name}: ${error.stack}`;
  return fault;
}

// -- invocations -----------------------------------------------------------------------------------------------------

const get = (name) => process.env[name];

function makeContext(headers, finish) {
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  const parse = (text) => (text ? JSON.parse(text) : undefined);
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionVersion: get('AWS_LAMBDA_FUNCTION_VERSION'),
    functionName: get('AWS_LAMBDA_FUNCTION_NAME'),
    memoryLimitInMB: get('AWS_LAMBDA_FUNCTION_MEMORY_SIZE'),
    logGroupName: get('AWS_LAMBDA_LOG_GROUP_NAME'),
    logStreamName: get('AWS_LAMBDA_LOG_STREAM_NAME'),
    clientContext: parse(headers['lambda-runtime-client-context']),
    identity: parse(headers['lambda-runtime-cognito-identity']),
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: requestId,
    getRemainingTimeInMillis: () => deadline - Date.now(),
    succeed: (result) => finish(null, result),
    fail: (error) => finish(error === undefined || error === null ? 'handled' : error),
    done: (error, result) => finish(error, result),
  };
}

function invoke(handler, headers, body) {
  requestId = headers['lambda-runtime-aws-request-id'];
  if (headers['lambda-runtime-trace-id']) process.env._X_AMZN_TRACE_ID = headers['lambda-runtime-trace-id'];
  const mine = requestId;
  let over = false;
  const finish = (error, result) => {
    if (over || mine !== requestId) return;
    over = true;
    whenEmpty = null;
    link.ref();
    if (error !== undefined && error !== null) fail(error);
    else succeed(result);
  };
  link.unref(); // from here on the event loop is the handler's; it may run empty
  whenEmpty = () => finish(null, null);
  try {
    const context = makeContext(headers, finish);
    const event = JSON.parse(body.toString('utf8'));
    if (handler[STREAMING]) {
      stream(handler, event, context, finish);
      return;
    }
    const callback = (error, result) => {
      if (error || !context.callbackWaitsForEmptyEventLoop) finish(error, result);
      else if (!over) whenEmpty = () => finish(null, result);
    };
    const result = handler(event, context, callback);
    if (result && typeof result.then === 'function') result.then((value) => finish(null, value), failed(finish));
  } catch (error) {
    failed(finish)(error);
  }
}

const failed = (finish) => (error) => finish(error === undefined || error === null ? 'undefined' : error);

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
  link.write(
    `POST ${target} HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${text}${NEXT}`,
  );
}

function fail(error) {
  const value = logError('Invoke Error', error);
  link.write(errorMessage(`/invocation/${requestId}/error`, value, NEXT));
}

// -- streamed answers ------------------------------------------------------------------------------------------------

class ResponseStream extends Writable {
  constructor() {
    super({ highWaterMark: 65536 });
    this.contentType = 'application/octet-stream';
    this.begun = false;
  }

  setContentType(type) {
    this.contentType = type;
  }

  begin() {
    if (this.begun) return;
    this.begun = true;
    link.write(
      `POST ${API}/invocation/${requestId}/response HTTP/1.1\r\nContent-Type: ${this.contentType}\r\n` +
        'Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
  }

  _write(data, encoding, done) {
    this.begin();
    const chunk = typeof data === 'string' ? Buffer.from(data, encoding) : data;
    if (chunk.length === 0) {
      done();
      return;
    }
    link.write(Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]), () => done());
  }

  end_chunks(trailers) {
    this.begin();
    link.write(`0\r\n${trailers}\r\n${NEXT}`);
  }
}

function stream(handler, event, context, finish) {
  const out = new ResponseStream();
  whenEmpty = null;
  link.ref();
  let trailers = '';
  out.on('finish', () => {
    if (!out.abandoned) out.end_chunks(trailers); // behind everything that was written before
  });
  const result = Promise.resolve().then(() => handler(event, out, context));
  result.then(
    () => {
      if (!out.writableEnded) out.end();
    },
    (error) => {
      if (!out.begun) {
        out.abandoned = true;
        finish(error === undefined ? 'undefined' : error);
        return;
      }
      const value = logError('Invoke Error', error);
      const encoded = Buffer.from(JSON.stringify(value)).toString('base64');
      const kind = String(value.errorType).replace(/[^\x20-\x7e]/g, '');
      trailers = `Lambda-Runtime-Function-Error-Type: ${kind}\r\nLambda-Runtime-Function-Error-Body: ${encoded}\r\n`;
      if (!out.writableEnded) out.end();
    },
  );
}

globalThis.awslambda = {
  streamifyResponse(handler) {
    handler[STREAMING] = true;
    return handler;
  },
  HttpResponseStream: {
    from(out, metadata) {
      out.setContentType('application/vnd.awslambda.http-integration-response');
      out.write(Buffer.concat([Buffer.from(JSON.stringify(metadata)), Buffer.alloc(8)]));
      return out;
    },
  },
};

// -- the link --------------------------------------------------------------------------------------------------------

function serve(handler) {
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
      if (status === 200) invoke(handler, headers, buffer.subarray(end + 4, stop));
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

process.on('beforeExit', () => {
  const then = whenEmpty;
  if (then === null) return;
  whenEmpty = null;
  setImmediate(then);
});
process.on('uncaughtException', (error) => {
  const value = logError('Uncaught Exception', error);
  endAfter(requestId ? errorMessage(`/invocation/${requestId}/error`, value, '') : errorMessage('/init/error', value, ''), 129);
});
process.on('unhandledRejection', (reason) => {
  const fault = new RuntimeFault('Runtime.UnhandledPromiseRejection', String((reason && reason.message) || reason));
  if (reason && reason.stack) fault.stack = `${fault.name}: ${reason.stack}`;
  const value = logError('Unhandled Promise Rejection', fault);
  endAfter(requestId ? errorMessage(`/invocation/${requestId}/error`, value, '') : errorMessage('/init/error', value, ''), 128);
});
link.on('error', () => process.exit(0));
link.on('close', () => process.exit(0));

setUpConsole();
loadHandler().then(serve, (error) => {
  const value = logError('Uncaught Exception', error);
  endAfter(errorMessage('/init/error', value, ''), 1);
});
