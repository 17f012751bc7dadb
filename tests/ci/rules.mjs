// What we ask of our own YAML beyond what its hosts do; each gives a list of faults.
import { parse } from 'yaml';
import { actions, read, templates, workflows } from './tree.mjs';

const maxInputs = 12;
// The outputs that workflows of users name.
const outputs = {
  seed: ['image', 'tag', 'key', 'digest', 'status', 'system', 'closure', 'bytes_pushed', 'bytes_reused'],
  build: ['mode', 'image', 'paths', 'built'],
  run: [],
  promote: ['image', 'digest', 'status', 'counted', 'missing', 'conflicts'],
};

// An input fills the variable of its name, and leaves it to the job's environment where it is empty.
const mapped = (name) => [`NIX_SEED_${name.toUpperCase()}`, `\${{ inputs.${name} || env.NIX_SEED_${name.toUpperCase()} }}`];

// What only an expression can tell the program: which check this job is, for its spans, and the hash
// that users write as the tag (NS011).
const job = ['NIX_SEED_CHECK_RUN_ID', '${{ job.check_run_id }}'];
const told = {
  seed: [['NIX_SEED_LOCK_HASH', "${{ inputs.flake == '' && hashFiles('flake.lock') || '' }}"], job],
  build: [job],
  promote: [job],
};

export function actionFaults(file) {
  const action = parse(read(file));
  const faults = [];
  const expect = (holds, fault) => holds || faults.push(fault);
  const names = Object.keys(action.inputs);
  expect(names.length <= maxInputs, `${names.length} inputs, ${maxInputs} are the limit`);
  for (const [name, input] of Object.entries(action.inputs)) {
    expect(/^[a-z]+(_[a-z]+)*$/.test(name), `input ${name} is not in snake_case`);
    expect(typeof input.default === 'string' && !input.required, `input ${name} has no default`);
    expect(input.description, `input ${name} has no description`);
  }
  const [step, ...more] = action.runs.steps;
  expect(more.length === 0, 'more than one step');
  expect(/^exec sh "\$GITHUB_ACTION_PATH\/[a-z./]*bootstrap\.sh" (seed|build|run|promote)$/.test(step.run), `it runs ${step.run}`);
  const environment = Object.fromEntries([
    ['GITHUB_TOKEN', '${{ inputs.github_token }}'],
    ...(told[step.run.split(' ').at(-1)] ?? []),
    ...names.filter((name) => name !== 'github_token').map(mapped),
  ]);
  expect(JSON.stringify(step.env) === JSON.stringify(environment), `env is not the inputs in their order: ${JSON.stringify(environment)}`);
  const promised = outputs[step.id];
  expect(JSON.stringify(Object.keys(action.outputs ?? {})) === JSON.stringify(promised), `outputs are not ${promised}`);
  for (const [name, { value }] of Object.entries(action.outputs ?? {})) {
    expect(value === `\${{ steps.${step.id}.outputs.${name} }}`, `output ${name} is ${value}`);
  }
  return faults;
}

// Code of others is named by commit, with the version for people and Dependabot behind it.
export function pinFaults(file) {
  return read(file)
    .split('\n')
    .map((line, index) => [line.match(/^\s*(?:- )?uses: (.*)$/)?.[1], index + 1])
    .filter(([uses]) => uses && !/^(\.\/|0compute\/nix-seed[/@])/.test(uses))
    .filter(([uses]) => !/^[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(uses))
    .map(([uses, line]) => `${line}: ${uses} is not pinned as OWNER/NAME@<40 hex> # vX.Y.Z`);
}

// An expression in a script is code that whoever names a branch may write.
export function injectionFaults(file) {
  const steps = Object.values(parse(read(file)).jobs).flatMap((job) => job.steps ?? []);
  return steps.filter((step) => step.run?.includes('${{')).map((step) => `an expression in: ${step.run}`);
}

// A .gitlab-ci.yml of the pages includes the template in a way that there is, with inputs that it has.
export function includeFaults(text) {
  const known = parse(read(templates[0]).split(/^---$/m)[0]).spec.inputs;
  return [parse(text).include].flat().flatMap(({ component, remote, project, file, inputs = {} }) => {
    const forms = [
      /^\$CI_SERVER_FQDN\/0compute\/nix-seed\/nix-seed@\d+(\.\d+){0,2}$/.test(component),
      /^https:\/\/raw\.githubusercontent\.com\/0compute\/nix-seed\/v[\d.]+\/ci-templates\/nix-seed\.yml$/.test(remote),
      project && file === '/ci-templates/nix-seed.yml',
    ];
    const unknown = Object.keys(inputs).filter((name) => !(name in known));
    return [...(forms.some(Boolean) ? [] : ['it includes no template of ours']), ...unknown.map((name) => `no input is called ${name}`)];
  });
}

export const sameFaults = (one, other) => (read(one) === read(other) ? [] : [`${other} is not ${one}`]);

export const ownFaults = () => ({
  ...Object.fromEntries(Object.values(actions).map((file) => [file, actionFaults(file)])),
  ...Object.fromEntries(workflows.map((file) => [file, [...pinFaults(file), ...injectionFaults(file)]])),
  'the alias actions/build': sameFaults(actions['build.yaml'], actions.build),
  'the component': sameFaults(...templates),
});

// Jobs for platforms whose readers can't be had here: what their documentation asks of the form, and that they
// seed, signed.
const seeds = (text) => (/nix-seed seed --push always --sign always/.test(text) ? [] : ['it makes no signed seed']);
const lines = (value) => Array.isArray(value) && value.length > 0 && value.every((line) => typeof line === 'string');
export const unreadJobFaults = {
  aws(text) {
    const { version, phases, ...rest } = parse(text);
    const right = version === 0.2 && Object.values(phases).every(({ commands }) => lines(commands)) && Object.keys(rest).length === 0;
    return [...(right ? [] : ['it is no buildspec of version 0.2']), ...seeds(text)];
  },
  azure(text) {
    const { trigger, pr, pool, steps, ...rest } = parse(text);
    const right = lines(trigger.branches.include) && pr === 'none' && pool.vmImage && Object.keys(rest).length === 0;
    const known = steps.every((step) => step.checkout === 'self' || (step.task === 'AzureCLI@2' && step.inputs.inlineScript));
    return [...(right && known ? [] : ['it is no pipeline of two steps']), ...seeds(read('ci-templates/builders/azure-seed'))];
  },
  gcp(text) {
    const { steps, substitutions, serviceAccount, options, ...rest } = parse(text);
    const right = Object.keys(substitutions).every((name) => /^_[A-Z]+$/.test(name)) && serviceAccount && options.logging && Object.keys(rest).length === 0;
    const known = steps.every(({ name, script }) => name && typeof script === 'string');
    return [...(right && known ? [] : ['it is no build of steps with scripts']), ...seeds(text)];
  },
};
