// Streamed answers of Node.js: `awslambda.streamifyResponse`, the stream it hands to the handler, and its way to the
// Runtime API as one chunked POST with late errors in its trailers.
'use strict';

const { Writable } = require('node:stream');
const { API, RuntimeFault, logError } = require('./runtime_faults.cjs');

const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
const HIGH_WATER = Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark');
const HIGH_WATER_BYTES = 65536;

/** What the handler writes to. `link` is the socket, `next` the message that asks for the next event. */
class ResponseStream extends Writable {
  constructor(link, requestId, next, highWaterMark = HIGH_WATER_BYTES) {
    super({ highWaterMark });
    this.contentType = 'application/octet-stream';
    this.isWritten = false;
    this.begun = false;
    this.over = false;
    this.settled = false; // the handler's promise is
    this.abandoned = false;
    this.link = link;
    this.requestId = requestId;
    this.next = next;
  }

  setContentType(type) {
    if (this.isWritten) throw new RuntimeFault('Runtime.InvalidStreamingOperation', 'Cannot set content-type, too late.');
    this.contentType = type;
  }

  // As in AWS's client: what is neither text nor bytes goes out as JSON, and the metadata of an HTTP answer before the
  // first piece that is written.
  write(chunk, ...more) {
    if (typeof chunk !== 'string' && !Buffer.isBuffer(chunk) && chunk?.constructor !== Uint8Array) {
      chunk = JSON.stringify(chunk);
    }
    if (!this.isWritten) {
      this.isWritten = true;
      this._onBeforeFirstWrite?.((first) => super.write(first));
    }
    return super.write(chunk, ...more);
  }

  begin() {
    if (this.begun) return;
    this.begun = true;
    this.link.write(
      `POST ${API}/invocation/${this.requestId}/response HTTP/1.1\r\nContent-Type: ${this.contentType}\r\n` +
        'Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
  }

  _write(data, encoding, done) {
    if (this.over) {
      done();
      return;
    }
    this.begin();
    const chunk = typeof data === 'string' ? Buffer.from(data, encoding) : data;
    if (chunk.length === 0) {
      done();
      return;
    }
    const framed = Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]);
    this.link.write(framed, () => done());
  }

  /** Sends nothing more, as the process is ending; what ends the answer with that error, null when none is under way. */
  breakOff(value) {
    const midway = this.begun && !this.over;
    this.abandoned = this.over = true;
    return midway ? `0\r\n${errorTrailers(value)}\r\n` : null;
  }

  endChunks(trailers) {
    this.begin();
    this.over = true;
    this.link.write(`0\r\n${trailers}\r\n${this.settled ? this.next : ''}`);
  }

  /** The handler is done; the next event may come once the answer is out too. */
  settle() {
    this.settled = true;
    if (this.over && !this.abandoned) this.link.write(this.next);
  }
}

function errorTrailers(value) {
  const encoded = Buffer.from(JSON.stringify(value)).toString('base64');
  const kind = String(value.errorType).replace(/[^\x20-\x7e]/g, '');
  return `Lambda-Runtime-Function-Error-Type: ${kind}\r\nLambda-Runtime-Function-Error-Body: ${encoded}\r\n`;
}

/** Whether a handler streams its answers. */
const isStreaming = (handler) => Boolean(handler[STREAMING]);

/** How much of its answer is kept until the owner takes it, in bytes, when the handler says. */
const highWaterMark = (handler) => handler[HIGH_WATER];

/**
 * Runs a streaming handler; `fail` is called with an error that came before the first byte. An answer that is not ended
 * ends with the function's timeout, as on AWS.
 */
function stream(handler, event, context, out, fail) {
  let trailers = '';
  out.on('finish', () => {
    if (!out.abandoned) out.endChunks(trailers); // behind everything that was written before
  });
  const failed = (error) => {
    if (out.writableEnded) {
      logError('Invoke Error', error); // too late for the caller
      out.settle();
      return;
    }
    out.settled = true;
    if (!out.begun) {
      out.abandoned = true;
      fail(error ?? 'handled');
      return;
    }
    trailers = errorTrailers(logError('Invoke Error', error));
    if (!out.writableEnded) out.end();
  };
  let result;
  try {
    result = handler(event, out, context);
  } catch (error) {
    failed(error);
    return;
  }
  if (typeof result?.then !== 'function') {
    failed('Streaming does not support non-async handlers.');
    return;
  }
  result.then((value) => {
    if (value !== undefined) console.warn('Streaming handlers ignore return values.');
    out.settle();
  }, failed);
}

globalThis.awslambda = {
  streamifyResponse(handler, options) {
    handler[STREAMING] = 'response';
    if (typeof options?.highWaterMark === 'number') handler[HIGH_WATER] = Math.trunc(options.highWaterMark);
    return handler;
  },
  HttpResponseStream: class HttpResponseStream {
    static from(out, metadata) {
      out.setContentType('application/vnd.awslambda.http-integration-response');
      const text = JSON.stringify(metadata);
      out._onBeforeFirstWrite = (write) => write(Buffer.concat([Buffer.from(text), Buffer.alloc(8)]));
      return out;
    }
  },
};

module.exports = { ResponseStream, highWaterMark, isStreaming, stream };
