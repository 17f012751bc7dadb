// node --import packages.mjs PROGRAM: lets the program import the packages that are installed in the
// folder $NIX_SEED_NODE_MODULES, wherever the program is, and lets packages import JSON without the
// attribute that Node wants, as bundlers do.
import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';

const packages = pathToFileURL(`${process.env.NIX_SEED_NODE_MODULES}/`);

registerHooks({
  resolve(specifier, context, next) {
    const ours = !context.parentURL?.includes('/node_modules/');
    const bare = /^@?[a-z]/.test(specifier) && !specifier.startsWith('node:');
    return next(specifier, ours && bare ? { ...context, parentURL: packages.href } : context);
  },
  load(url, context, next) {
    const json = url.endsWith('.json');
    return next(url, json ? { ...context, format: 'json', importAttributes: { type: 'json' } } : context);
  },
});
