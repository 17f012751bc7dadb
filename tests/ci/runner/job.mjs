// One job: its steps in order, those of composite actions within them.
import { randomUUID } from 'node:crypto';
import { cpSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { expand, expandAll, holds } from './expressions.mjs';
import { parseFileCommand } from './file_commands.mjs';
import { Log, Masks } from './log.mjs';

const maxSummary = 1024 * 1024;
const shells = {
  bash: (script) => ['bash', '--noprofile', '--norc', '-e', '-o', 'pipefail', script],
  sh: (script) => ['sh', '-e', script],
};

export class Job {
  steps = [];
  masks = new Masks();
  #environment = {}; // what steps have added
  #paths = [];
  #machine;
  #run; // what all jobs of the run share
  #contexts;
  #situation;
  #count = 0;

  constructor(run, definition, contexts, machine) {
    this.#run = run;
    this.definition = definition;
    this.#machine = machine;
    this.#contexts = { ...contexts, steps: {}, job: { status: 'success', check_run_id: 4242 }, env: {} };
    this.#situation = { status: 'success', workspace: machine.workspace };
    for (const secret of Object.values(contexts.secrets)) this.masks.add(secret);
    this.#environment = expandAll({ ...run.workflow.env, ...definition.env }, this.#contexts, this.#situation);
  }

  async execute() {
    for (const step of this.definition.steps) {
      const contexts = { ...this.#contexts, env: this.#environment };
      if (!holds(step.if, contexts, this.#situation)) continue;
      const outcome = await this.#step(step, contexts, {});
      if (step.id) this.#contexts.steps[step.id] = { outputs: outcome.outputs, outcome: outcome.result, conclusion: outcome.result };
      if (outcome.result === 'failure' && !step['continue-on-error']) this.#situation.status = 'failure';
    }
    return { result: this.#situation.status, ...this.#outputs() };
  }

  // Outputs of a job that are empty or have a secret in them do not leave it.
  #outputs() {
    const contexts = { ...this.#contexts, env: this.#environment };
    const outputs = {};
    const skipped = [];
    for (const [name, value] of Object.entries(expandAll(this.definition.outputs, contexts, this.#situation))) {
      if (value !== this.masks.hide(value)) skipped.push(name);
      else if (value !== '') outputs[name] = value;
    }
    return { outputs, skipped };
  }

  async #step(step, contexts, inherited) {
    const local = expandAll(step.env, contexts, this.#situation);
    if (step.run !== undefined) return this.#script(step, contexts, { ...inherited, ...local });
    const uses = step.uses.replace(/ #.*/, '');
    if (uses.startsWith('actions/checkout@')) {
      cpSync(this.#run.checkout, this.#machine.workspace, { recursive: true, preserveTimestamps: true });
      this.#machine.checkedOut();
      return { result: 'success', outputs: {} };
    }
    return this.#composite(uses, step, contexts, { ...inherited, ...local });
  }

  async #composite(uses, step, contexts, environment) {
    const folder = uses.startsWith('./') ? join(this.#machine.workspace, uses) : this.#download(uses);
    const action = parse(readFileSync(join(folder, 'action.yml'), 'utf8'));
    const given = expandAll(step.with, { ...contexts, env: { ...contexts.env, ...environment } }, this.#situation);
    const inputs = {};
    for (const [name, { default: preset }] of Object.entries(action.inputs ?? {})) {
      const { github, strategy, matrix, job, runner } = contexts;
      inputs[name] = given[name] ?? expand(preset ?? '', { github, strategy, matrix, job, runner }, this.#situation);
    }
    for (const name of Object.keys(given)) {
      if (!(name in inputs)) throw new Error(`Unexpected input(s) '${name}' for ${uses}`);
    }
    const { secrets, vars, needs, ...allowed } = contexts;
    const steps = {};
    for (const inner of action.runs.steps) {
      const env = { ...this.#environment, ...environment };
      const within = { ...allowed, github: { ...contexts.github, action_path: folder }, inputs, steps, env };
      const outcome = await this.#step(inner, within, environment);
      if (inner.id) steps[inner.id] = { outputs: outcome.outputs, outcome: outcome.result };
      if (outcome.result === 'failure') return { result: 'failure', outputs: {} };
    }
    const values = Object.fromEntries(Object.entries(action.outputs ?? {}).map(([name, { value }]) => [name, value]));
    return { result: 'success', outputs: expandAll(values, { ...allowed, inputs, steps }, this.#situation) };
  }

  // As the runner unpacks an action: the tree of the ref, without the rest of a repository.
  #download(uses) {
    const [name, ref] = uses.split('@');
    const [owner, repository, ...path] = name.split('/');
    const tree = this.#run.trees[`${owner}/${repository}@${ref}`];
    if (!tree) throw new Error(`Unable to resolve action ${uses}`);
    const folder = join(this.#machine.actions, owner, repository, ref);
    for (const part of ['action.yml', 'actions']) {
      if (existsSync(join(tree, part))) cpSync(join(tree, part), join(folder, part), { recursive: true });
    }
    return join(folder, ...path);
  }

  async #script(step, contexts, environment) {
    const all = { ...contexts, env: { ...this.#environment, ...environment } };
    const script = join(this.#machine.temp, `${randomUUID()}.sh`);
    writeFileSync(script, `${expand(step.run, all, this.#situation)}\n`);
    const files = this.#files();
    const log = new Log(this.masks, this.#run.planted);
    const code = await this.#machine.run(
      shells[step.shell ?? 'bash'](script),
      { ...this.#environment, ...environment, ...this.#variables(contexts.github), ...files, ...this.#path() },
      this.#machine.workspace,
      (line) => log.line(line),
    );
    log.end();
    const record = { name: step.name ?? step.id ?? step.run, code, faults: log.faults, log, outputs: {}, summary: '' };
    this.steps.push(record);
    try {
      this.#take(files, record);
    } catch (error) {
      record.faults.push(error.message);
      record.code ||= 'the runner refused a file';
    }
    return { result: record.code === 0 ? 'success' : 'failure', outputs: record.outputs };
  }

  #path() {
    if (this.#paths.length === 0) return {};
    const rest = this.#machine.path === undefined ? this.#machine.environment.PATH : '';
    return { PATH: [...this.#paths, rest].filter(Boolean).join(':') };
  }

  // Each step has files of its own, empty to begin with.
  #files() {
    const files = {};
    for (const name of ['OUTPUT', 'ENV', 'PATH', 'STATE', 'STEP_SUMMARY']) {
      files[`GITHUB_${name}`] = join(this.#machine.temp, `${name.toLowerCase()}_${++this.#count}`);
      writeFileSync(files[`GITHUB_${name}`], '');
    }
    return files;
  }

  #take(files, record) {
    const read = (name) => readFileSync(files[name], 'utf8');
    for (const name of Object.keys(files)) {
      if ((this.#run.planted ?? []).some((secret) => read(name).includes(secret))) record.faults.push(`a secret is in ${name}`);
    }
    const size = statSync(files.GITHUB_STEP_SUMMARY).size;
    if (size > maxSummary) record.faults.push(`$GITHUB_STEP_SUMMARY upload aborted, ${size} bytes`);
    else record.summary = this.masks.hide(read('GITHUB_STEP_SUMMARY'));
    record.outputs = parseFileCommand(read('GITHUB_OUTPUT'));
    Object.assign(this.#environment, parseFileCommand(read('GITHUB_ENV')));
    this.#paths.unshift(...read('GITHUB_PATH').split('\n').filter(Boolean).reverse());
  }

  // Contexts that processes see as GITHUB_*; github.token is not among them.
  #variables({ token, event, ...github }) {
    const variables = { GITHUB_ACTIONS: 'true', CI: 'true' };
    for (const [name, value] of Object.entries(github)) variables[`GITHUB_${name.toUpperCase()}`] = value;
    for (const [name, value] of Object.entries(this.#contexts.runner)) variables[`RUNNER_${name.toUpperCase()}`] = value;
    return variables;
  }
}
