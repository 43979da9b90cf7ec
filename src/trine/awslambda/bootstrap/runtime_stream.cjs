// Streamed answers of Node.js: `awslambda.streamifyResponse`, the stream it hands to the handler, and its way to the
// Runtime API as one chunked POST with late errors in its trailers.
'use strict';

const { Writable } = require('node:stream');
const { API, logError } = require('./runtime_faults.cjs');

const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');

/** What the handler writes to. `link` is the socket, `next` the message that asks for the next event. */
class ResponseStream extends Writable {
  constructor(link, requestId, next) {
    super({ highWaterMark: 65536 });
    this.contentType = 'application/octet-stream';
    this.begun = false;
    this.over = false;
    this.abandoned = false;
    this.link = link;
    this.requestId = requestId;
    this.next = next;
  }

  setContentType(type) {
    this.contentType = type;
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
    this.link.write(`0\r\n${trailers}\r\n${this.next}`);
  }
}

function errorTrailers(value) {
  const encoded = Buffer.from(JSON.stringify(value)).toString('base64');
  const kind = String(value.errorType).replace(/[^\x20-\x7e]/g, '');
  return `Lambda-Runtime-Function-Error-Type: ${kind}\r\nLambda-Runtime-Function-Error-Body: ${encoded}\r\n`;
}

/** Whether a handler streams its answers. */
const isStreaming = (handler) => Boolean(handler[STREAMING]);

/** Runs a streaming handler; `fail` is called with an error that came before the first byte. */
function stream(handler, event, context, out, fail) {
  let trailers = '';
  out.on('finish', () => {
    if (!out.abandoned) out.endChunks(trailers); // behind everything that was written before
  });
  const result = Promise.resolve().then(() => handler(event, out, context));
  result.then(
    () => {
      if (!out.writableEnded) out.end();
    },
    (error) => {
      if (!out.begun) {
        out.abandoned = true;
        fail(error ?? 'handled');
        return;
      }
      trailers = errorTrailers(logError('Invoke Error', error ?? 'handled'));
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

module.exports = { ResponseStream, isStreaming, stream };
