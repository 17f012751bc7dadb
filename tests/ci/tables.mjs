// usage: tables.mjs [--write]
//
// README's tables of inputs and outputs are those of the YAML.  Each stands between
// <!-- FILE inputs|outputs|secrets --> and <!-- end -->; --write makes them anew, else they are compared.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { read, root } from './tree.mjs';

const page = 'README.md';

// What of a file has inputs, outputs and secrets: an action, a reusable workflow or a template of GitLab.
function interfaceOf(file) {
  const document = parse(read(file).split(/^---$/m)[0]);
  return document.spec ?? document.on?.workflow_call ?? document;
}

const cell = (text) => String(text).replaceAll('|', '\\|');
const code = (text) => (text === '' ? '' : `\`${cell(text)}\``);
const line = (cells) => `| ${cells.join(' | ')} |`;

function table(file, part) {
  const rows = Object.entries(interfaceOf(file)[part]).map(([name, { description, default: preset = '' }]) => [
    code(name),
    cell(description),
    code(preset),
  ]);
  const columns = rows.some(([, , preset]) => preset) ? [part.slice(0, -1), 'what it is', 'default'] : [part.slice(0, -1), 'what it is'];
  const lines = [columns, columns.map(() => '---'), ...rows.map((row) => row.slice(0, columns.length))];
  return `${lines.map(line).join('\n')}\n`;
}

const before = read(page);
const after = before.replaceAll(
  /^<!-- (\S+) (inputs|outputs|secrets) -->\n[^]*?^<!-- end -->$/gm,
  (_, file, part) => `<!-- ${file} ${part} -->\n\n${table(file, part)}\n<!-- end -->`,
);
if (process.argv[2] === '--write') {
  writeFileSync(join(root, page), after);
} else if (after !== before) {
  console.log(`${page} has other inputs and outputs than the YAML; to write them anew: scripts/tables`);
  process.exit(1);
}
