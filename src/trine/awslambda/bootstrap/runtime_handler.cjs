// Finds what `_HANDLER` names in the code folder: CommonJS and ES modules, nested exports; AWS's fault where it is not there.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { RuntimeFault } = require('./runtime_faults.cjs');

function splitHandler(text) {
  const folder = path.dirname(text);
  const parts = path.basename(text).split('.');
  if (parts.length < 2 || text.includes('..')) throw new RuntimeFault('Runtime.MalformedHandlerName', 'Bad handler');
  return [path.join(folder, parts[0]), parts.slice(1)];
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
  if (process.env._TRINE_MODULES) addModules(process.env._TRINE_MODULES.split(':'));
  delete process.env._TRINE_MODULES;
  let found;
  try {
    found = await loadModule(process.env.LAMBDA_TASK_ROOT, name);
  } catch (error) {
    if (error instanceof SyntaxError) throw RuntimeFault.because('Runtime.UserCodeSyntaxError', error);
    if (error && (error.code === 'MODULE_NOT_FOUND' || error.code === 'ERR_MODULE_NOT_FOUND')) {
      throw RuntimeFault.because('Runtime.ImportModuleError', error);
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

module.exports = { loadHandler };
