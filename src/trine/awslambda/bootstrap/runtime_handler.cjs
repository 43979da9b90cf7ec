// Finds what `_HANDLER` names in the code folder: CommonJS and ES modules, nested exports; AWS's fault where it is not there.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { RuntimeFault } = require('./runtime_faults.cjs');
const { isStreaming } = require('./runtime_stream.cjs');

// `./sub/x.a.b` → ['./sub/', 'x', ['a', 'b']]: the module's name ends at the first dot of the last part.
function splitHandler(text) {
  if (text.includes('..')) {
    const advice = 'Use absolute paths when specifying root directories in handler names.';
    throw new RuntimeFault('Runtime.MalformedHandlerName', `'${text}' is not a valid handler name. ${advice}`);
  }
  const last = path.basename(text);
  const at = last.indexOf('.');
  if (at < 0) throw new RuntimeFault('Runtime.MalformedHandlerName', 'Bad handler');
  return [text.slice(0, text.indexOf(last)), last.slice(0, at), last.slice(at + 1).split('.')];
}

// Packages that were installed for the function, its layers' and the runtime's own lie in folders of their own: `require`
// finds them by NODE_PATH, `import` by this hook, which looks there when nothing is found from where the import stands.
function addModules(folders) {
  const parents = folders.map((folder) => pathToFileURL(path.join(folder, 'index.js')).href);
  const elsewhere = (error, name) => error.code === 'ERR_MODULE_NOT_FOUND' && !/^(\.|\/|file:|node:|data:)/.test(name);
  const nodeModule = require('node:module');
  if (nodeModule.registerHooks) {
    nodeModule.registerHooks({
      resolve(name, context, next) {
        let first;
        for (const parentURL of [context.parentURL, ...parents]) {
          try {
            return next(name, { ...context, parentURL });
          } catch (error) {
            first ??= error;
            if (!elsewhere(error, name)) throw first;
          }
        }
        throw first;
      },
    });
    return;
  }
  const hook = `const elsewhere = ${elsewhere};
    export async function resolve(name, context, next) {
      let first;
      for (const parentURL of [context.parentURL, ...${JSON.stringify(parents)}]) {
        try { return await next(name, { ...context, parentURL }); } catch (error) {
          first ??= error;
          if (!elsewhere(error, name)) throw first;
        }
      }
      throw first;
    }`;
  nodeModule.register(`data:text/javascript,${encodeURIComponent(hook)}`);
}

// In AWS's order: the path as it is (a folder with an index, a file without extension), then by extensions, then as
// Node.js finds packages.
async function loadModule(root, folder, name) {
  const file = path.resolve(root, folder, name);
  const isThere = (extension) => fs.existsSync(file + extension);
  const imported = (extension) => import(pathToFileURL(file + extension).href);
  let found = isThere('') && require(file);
  if (found) return found;
  const isJsModule = isThere('.js') && isModule(`${file}.js`);
  if (!isJsModule && isThere('.js') && (found = require(`${file}.js`))) return found;
  if (isJsModule) return imported('.js');
  if (isThere('.mjs')) return imported('.mjs');
  if (isThere('.cjs') && (found = require(`${file}.cjs`))) return found;
  return require(require.resolve(name, { paths: [root, folder] }));
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

/** From Node.js 24 on AWS's client takes no callbacks: results and promises count, what is in `default` is found. */
const isModern = Number(/nodejs(\d+)/.exec(process.env.AWS_EXECUTION_ENV)?.[1]) >= 24;

const CALLBACK_REMOVED =
  'ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to ' +
  'modify this function to use a supported handler signature to use Node.js 24 or later. For more information see ' +
  'https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.';

const member = (names, found) => names.reduce((value, name) => value && value[name], found);

async function loadHandler() {
  const text = process.env._HANDLER;
  const [folder, name, members] = splitHandler(text);
  if (process.env._TRINE_MODULES) addModules(process.env._TRINE_MODULES.split(':'));
  delete process.env._TRINE_MODULES;
  let found;
  try {
    found = await loadModule(process.env.LAMBDA_TASK_ROOT, folder, name);
  } catch (error) {
    if (error instanceof SyntaxError) throw RuntimeFault.because('Runtime.UserCodeSyntaxError', error);
    if (error?.code === 'MODULE_NOT_FOUND') throw RuntimeFault.because('Runtime.ImportModuleError', error);
    throw error; // also ERR_MODULE_NOT_FOUND, of `import`: AWS's client passes that on as it is
  }
  const handler = member(members, found) || (isModern && member(members, found.default));
  if (!handler) throw new RuntimeFault('Runtime.HandlerNotFound', `${text} is undefined or not exported`);
  if (typeof handler !== 'function') throw new RuntimeFault('Runtime.HandlerNotFound', `${text} is not a function`);
  if (isModern && handler.length >= 3 && !isStreaming(handler)) {
    throw new RuntimeFault('Runtime.CallbackHandlerDeprecated', CALLBACK_REMOVED);
  }
  return handler;
}

module.exports = { isModern, loadHandler };
