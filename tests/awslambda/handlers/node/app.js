// Handlers of the function wing's tests for Node.js (CommonJS).
'use strict';

let count = 0;

exports.hello = async (event) => ({ hello: event.name || 'world' });
exports.count = async () => (count += 1);
exports.echo = async (event) => event;
exports.callback = (event, context, callback) => setTimeout(() => callback(null, { by: 'callback' }), 5);
exports.callbackWaits = (event, context, callback) => {
  callback(null, 'early');
  setTimeout(() => console.log('late work done'), 30);
};
exports.callbackHurries = (event, context, callback) => {
  context.callbackWaitsForEmptyEventLoop = false;
  setTimeout(() => {}, 60000);
  callback(null, 'now');
};
exports.callbackError = (event, context, callback) => callback(new TypeError('called back'));
exports.succeed = (event, context) => context.succeed('old style');
exports.nothing = () => {};
exports.throws = async () => {
  throw new RangeError('röng');
};
exports.throwsText = async () => {
  throw 'just text'; // eslint-disable-line no-throw-literal
};
exports.throwsSync = () => {
  throw new Error('sync');
};
exports.rejectsElsewhere = async () => {
  Promise.reject(new Error('nobody listens'));
  await new Promise((resolve) => setTimeout(resolve, 1000));
};
exports.uncaught = () => new Promise(() => setTimeout(() => { throw new Error('from a timer'); }, 5));
exports.exit = async () => process.exit(9);
exports.loop = async () => {
  for (;;);
};
exports.circular = async () => {
  const value = {};
  value.self = value;
  return value;
};
exports.logs = async () => {
  console.log('two\nlines %s', 'ünïcode');
  console.error('an error');
  console.warn({ a: 1 });
};
exports.context = async (event, context) => ({ ...context, remaining: context.getRemainingTimeInMillis(), env: process.env });
exports.streamed = awslambda.streamifyResponse(async (event, responseStream) => {
  responseStream.setContentType('text/plain');
  for (let n = 0; n < 3; n += 1) {
    responseStream.write(`"part ${n}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  responseStream.write('"');
  responseStream.end();
});
exports.notAFunction = 7;
exports.nested = { inner: { handler: async () => 'nested' } };

// -- streamed answers of several manners, told by the event -----------------------------------------------------------

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

exports.streams = awslambda.streamifyResponse(async (event, out) => {
  if (event.failFirst) throw new TypeError('before the first byte');
  if (event.type) out.setContentType(event.type);
  const to = event.metadata ? awslambda.HttpResponseStream.from(out, event.metadata) : out;
  for (let n = 0; n < (event.pieces || 3); n += 1) {
    if (!to.write(event.size ? Buffer.alloc(event.size, 'x') : `piece ${n};`)) {
      await new Promise((done) => to.once('drain', done));
    }
    if (event.pause) await wait(event.pause);
    if (event.failAt === n) throw new RangeError('midway');
    if (event.exitAt === n) process.exit(7);
    if (event.hangAt === n) await wait(60000);
  }
  to.end();
});
exports.callbackTwice = (event, context, callback) => {
  callback(null, 1);
  callback(null, 2);
};
exports.throwsNothing = () => {
  throw null;
};
exports.rejectsNothing = async () => {
  throw undefined;
};
exports.unreadable = async () => {
  throw Object.create(null);
};
exports.rejectsAndAnswers = async () => {
  Promise.reject(new Error('lost'));
  await new Promise((resolve) => setTimeout(resolve, 20));
  return 'too late';
};
exports.carries = async () => {
  throw Object.assign(new Error('outer'), { code: 'E1', inner: new Error('inner') });
};
exports.streamsAndRejects = awslambda.streamifyResponse(async (event, out) => {
  out.write('one');
  Promise.reject(new Error('midway'));
  await new Promise((resolve) => setTimeout(resolve, 20));
  out.end('two');
});
exports.rejectsAndStreams = awslambda.streamifyResponse(async (event, out) => {
  Promise.reject(new Error('before'));
  await new Promise((resolve) => setTimeout(resolve, 20));
  out.end('late');
});
exports.streamsNothing = awslambda.streamifyResponse(async () => {
  throw null;
});
exports.rejectsAndReturns = async () => {
  Promise.reject(new Error('nobody listens'));
  return 'answered';
};
exports.fatal = (...args) => {
  console.fatal('the end of %s', 'it');
  console.log();
  args[2](null, Object.keys(args[1]).includes('tenantId'));
};
exports.streamsValues = awslambda.streamifyResponse(async (event, out) => {
  out.write({ a: 1 });
  out.write(5);
  out.end();
  return 'ignored';
});
exports.neverEnds = awslambda.streamifyResponse(async (event, out) => {
  out.write('a');
});
exports.setsTypeLate = awslambda.streamifyResponse(async (event, out) => {
  out.write('a');
  out.setContentType('text/plain');
});
exports.streamsAndGoesOn = awslambda.streamifyResponse(async (event, out) => {
  out.end(`began with ${exports.running ?? 0} others`);
  exports.running = (exports.running ?? 0) + 1;
  await new Promise((resolve) => setTimeout(resolve, 100));
  exports.running -= 1;
});
exports.default = { hidden: async () => 'not on AWS' };
