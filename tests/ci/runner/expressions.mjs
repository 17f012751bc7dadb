// ${{ }} by GitHub's own evaluator.
import { Evaluator, Lexer, Parser, data } from '@actions/expressions';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

// For patterns that name a file: a hash over the hashes of those that are there.
function hashFiles(workspace, names) {
  const outer = createHash('sha256');
  const there = names.map((name) => join(workspace, name)).filter((name) => existsSync(name));
  for (const name of there) outer.update(createHash('sha256').update(readFileSync(name)).digest());
  return there.length > 0 ? outer.digest('hex') : '';
}

const functionsOf = ({ status = 'success', workspace }) => {
  const define = (name, most, call) => ({ name, minArgs: 0, maxArgs: most, call });
  const truth = (name, value) => define(name, 0, () => new data.BooleanData(value));
  return [
    truth('success', status === 'success'),
    truth('failure', status === 'failure'),
    truth('always', true),
    truth('cancelled', false),
    define('hashFiles', 255, (...names) => new data.StringData(hashFiles(workspace, names.map((name) => name.coerceString())))),
  ];
};

const toData = (value) => JSON.parse(JSON.stringify(value ?? null), data.reviver);

// The value of one expression, as the evaluator's data.
function evaluate(text, contexts, situation) {
  const functions = functionsOf(situation);
  const parser = new Parser(new Lexer(text).lex().tokens, Object.keys(contexts), functions);
  const dictionary = new data.Dictionary(...Object.entries(contexts).map(([key, value]) => ({ key, value: toData(value) })));
  return new Evaluator(parser.parse(), dictionary, new Map(functions.map((each) => [each.name.toLowerCase(), each]))).evaluate();
}

// The text with its expressions replaced.  `situation` has the workspace, and the status of a job.
export function expand(text, contexts, situation = {}) {
  if (typeof text !== 'string') return text === undefined || text === null ? '' : String(text);
  return text.replaceAll(/\$\{\{((?:'[^']*'|[^'])*?)\}\}/g, (_, expression) => evaluate(expression, contexts, situation).coerceString());
}

export const expandAll = (mapping, contexts, situation) =>
  Object.fromEntries(Object.entries(mapping ?? {}).map(([key, text]) => [key, expand(text, contexts, situation)]));

// Whether a job or step with this `if` runs.
export function holds(condition, contexts, situation) {
  const text = String(condition ?? 'success()').replace(/^\$\{\{(.*)\}\}$/s, '$1');
  const asked = /\b(success|failure|always|cancelled)\(/.test(text) ? text : `success() && (${text})`;
  const value = evaluate(asked, contexts, situation);
  return !['', 'false', '0'].includes(value.coerceString());
}
