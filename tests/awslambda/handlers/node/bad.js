// Handlers that misbehave, for Node.js.
'use strict';

const { spawn } = require('node:child_process');
const fs = require('node:fs');

exports.bigint = async () => 10n;
exports.large = async (event) => 'x'.repeat(event.size);
exports.allocate = async () => {
  const kept = [];
  for (;;) kept.push(Buffer.alloc(1 << 20, 1));
};
exports.grow = async () => {
  const kept = [];
  for (;;) kept.push(new Array(1000).fill({}));
};
exports.kill = async (event) => {
  process.kill(process.pid, event.signal);
  await new Promise((resolve) => setTimeout(resolve, 10000));
};
exports.killParent = async (event) => {
  try {
    process.kill(process.ppid, event.signal);
  } catch {
    return 'refused';
  }
  await new Promise((resolve) => setTimeout(resolve, 300));
  return 'still here';
};
exports.abort = async () => process.abort();
exports.closeOutput = async () => {
  fs.closeSync(1);
  console.log('nobody hears');
  return 'closed';
};
exports.flood = async (event) => {
  for (let n = 0; n < event.lines; n += 1) console.log('y'.repeat(1000));
  return 'done';
};
exports.leaveChildren = async () => {
  const child = spawn('sleep', ['300'], { detached: true, stdio: 'ignore' });
  child.unref();
  return 'done';
};
exports.recurse = async function recurse() {
  const inner = () => inner() + 1;
  return inner();
};
exports.never = () => new Promise(() => setInterval(() => {}, 1000));
exports.emptyLoop = () => new Promise(() => {});
exports.throwsNothing = async () => {
  throw undefined; // eslint-disable-line no-throw-literal
};
exports.closeLink = async () => {
  fs.closeSync(3);
  return 'closed';
};
