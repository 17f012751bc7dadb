// This tree as its users and GitHub see it.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const read = (name) => readFileSync(join(root, name), 'utf8');

// Where the actions are that we publish, by what stands in `uses:` before and after the @.
export const actions = {
  seed: 'action.yml',
  'build.yaml': 'actions/build.yaml/action.yml',
  build: 'actions/build/action.yml',
  run: 'actions/run/action.yml',
  promote: 'actions/promote/action.yml',
};
export const workflows = readdirSync(join(root, '.github/workflows')).map((name) => `.github/workflows/${name}`);
export const templates = ['ci-templates/nix-seed.yml', 'templates/nix-seed.yml'];
export const builders = Object.fromEntries(
  readdirSync(join(root, 'ci-templates/builders'))
    .filter((name) => name.endsWith('.yml'))
    .map((name) => [name.replace('.yml', ''), `ci-templates/builders/${name}`]),
);
export const pages = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)].filter((name) =>
  name.endsWith('.md'),
);

// The action.yml that `uses` names, where it is ours: path before the @, or behind it as the name of
// the alias branch.
export function ownAction({ owner, name, path, ref }) {
  if (`${owner}/${name}` !== '0compute/nix-seed') return undefined;
  const folder = path || ref.split('/').slice(1).join('/');
  const file = folder ? `${folder}/action.yml` : 'action.yml';
  return existsSync(join(root, file)) ? file : undefined;
}

// The YAML code blocks of a page: {name, text, kind}, where the kind is that of the document.
export function snippets(page) {
  const found = [];
  for (const match of read(page).matchAll(/^( *)```yaml\n([^]*?)^ *```$/gm)) {
    const line = read(page).slice(0, match.index).split('\n').length + 1;
    const text = match[2].replaceAll(new RegExp(`^${match[1]}`, 'gm'), '');
    found.push({ name: `${page}:${line}`, text, kind: kindOf(text) });
  }
  return found;
}

function kindOf(text) {
  const document = parse(text.split(/^---$/m).at(-1)) ?? {};
  const keys = Object.keys(document);
  if (keys.includes('on') && keys.includes('jobs')) return 'workflow';
  if (keys.includes('include')) return 'gitlab include';
  if (keys.length > 0 && Object.values(document).every((job) => job?.script)) return 'gitlab jobs';
  return 'unknown';
}
