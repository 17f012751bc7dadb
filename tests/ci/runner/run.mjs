// usage: run.mjs RUN.json
//
// Runs a workflow as GitHub's runner does (actions/runner 2.336), for one event, and prints what came
// of it as JSON.  RUN.json has: workflow, checkout and folder (paths), trees (the tree of each
// OWNER/NAME@REF), event, payload, actor, repository, ref, secrets, vars, environment (of the
// machine, over this process's own), planted (secrets that no step may say), and containers: "podman", or "none" to ignore `container:`.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { expand, expandAll, holds } from './expressions.mjs';
import { Job } from './job.mjs';
import { ContainerMachine, Machine } from './machine.mjs';

const own = /^0compute\/nix-seed\/(\.github\/workflows\/[\w.-]+)@(.*)$/;

// What a hosted runner says of itself, beside what this process has been given.
function machineEnvironment(given) {
  const ours = Object.entries(process.env).filter(([name]) => !/^(GITHUB_|RUNNER_|CI$|NIX_SEED_|ACTIONS_)/.test(name));
  return { ...Object.fromEntries(ours), ...given };
}

function contextsOf(run, machine, jobName) {
  const event = join(machine.workflow, 'event.json');
  writeFileSync(event, JSON.stringify(run.payload));
  const [owner] = run.repository.split('/');
  return {
    github: {
      ...{ actor: run.actor, event_name: run.event, event_path: event, event: run.payload, job: jobName },
      ...{ ref: run.ref, ref_name: run.ref.replace(/^refs\/(heads|tags|pull)\//, ''), ref_type: 'branch' },
      ...{ head_ref: run.payload.pull_request?.head.ref ?? '', base_ref: run.payload.pull_request?.base.ref ?? '' },
      ...{ repository: run.repository, repository_owner: owner, run_id: '16123456789', run_number: '7', run_attempt: '1' },
      ...{ server_url: 'https://github.com', api_url: 'https://api.github.com', sha: run.sha, workflow: run.workflow.name ?? '' },
      ...{ token: run.secrets.GITHUB_TOKEN, triggering_actor: run.actor, workspace: machine.workspace },
    },
    runner: {
      ...{ os: 'Linux', arch: process.arch === 'arm64' ? 'ARM64' : 'X64', name: 'harness', environment: 'github-hosted' },
      ...{ temp: machine.temp, tool_cache: machine.tools },
    },
    secrets: run.secrets,
    vars: run.vars ?? {},
    strategy: {},
    matrix: {},
    inputs: run.inputs ?? {},
  };
}

function makeMachine(run, image, folder) {
  const options = { folder, repository: run.repository, environment: machineEnvironment(run.environment) };
  return image && run.containers === 'podman' ? new ContainerMachine(options, image, { network: run.network }) : new Machine(options);
}

async function runJob(run, name, definition, needs) {
  const folder = join(run.folder, name);
  const planned = { ...contextsOf(run, new Machine({ folder, repository: run.repository, environment: {} }), name), needs };
  const { container } = definition;
  const image = expand(typeof container === 'object' ? container?.image : container, planned);
  const machine = makeMachine(run, image, folder);
  try {
    const job = new Job(run, definition, { ...contextsOf(run, machine, name), needs }, machine);
    const outcome = await job.execute();
    const steps = job.steps.map(({ log, ...step }) => ({
      ...step,
      ...{ annotations: log.annotations, lost: log.lost, groups: log.groups, log: log.lines },
    }));
    return { ...outcome, container: image, steps };
  } finally {
    machine.stop();
  }
}

// A job that is a workflow of ours: its jobs, with its inputs and secrets.
async function callWorkflow(run, name, definition, needs) {
  const [, file, ref] = definition.uses.match(own);
  const workflow = parse(readFileSync(join(run.trees[`0compute/nix-seed@${ref}`], file), 'utf8'));
  const { inputs: known, secrets: asked, outputs } = workflow.on.workflow_call;
  const contexts = { needs, vars: run.vars ?? {}, secrets: run.secrets, github: {}, inputs: {} };
  const given = expandAll(definition.with, contexts);
  const inputs = Object.fromEntries(Object.entries(known).map(([key, { default: preset }]) => [key, given[key] ?? preset]));
  const handed = definition.secrets === 'inherit' ? run.secrets : expandAll(definition.secrets, contexts);
  const secrets = Object.fromEntries(Object.keys(asked).map((key) => [key, handed[key] ?? '']));
  const called = { ...run, workflow, inputs, secrets: { ...secrets, GITHUB_TOKEN: run.secrets.GITHUB_TOKEN } };
  const jobs = await runJobs({ ...called, folder: join(run.folder, name) });
  const values = Object.fromEntries(Object.entries(outputs).map(([key, { value }]) => [key, value]));
  return {
    result: Object.values(jobs).every(({ result }) => result === 'success') ? 'success' : 'failure',
    outputs: expandAll(values, { jobs }),
    jobs,
  };
}

async function runJobs(run) {
  const done = {};
  for (const [name, definition] of Object.entries(run.workflow.jobs)) {
    const wanted = [definition.needs ?? []].flat();
    const missing = wanted.find((other) => !done[other]);
    if (missing) throw new Error(`job ${name} stands before ${missing}, which it needs`);
    const needs = Object.fromEntries(wanted.map((other) => [other, { result: done[other].result, outputs: done[other].outputs }]));
    const status = Object.values(needs).every(({ result }) => result === 'success') ? 'success' : 'failure';
    if (!holds(definition.if, { needs, github: {}, inputs: run.inputs ?? {} }, { status })) {
      done[name] = { result: 'skipped', outputs: {}, steps: [] };
      continue;
    }
    done[name] = await (definition.uses ? callWorkflow : runJob)(run, name, definition, needs);
  }
  return done;
}

const run = JSON.parse(readFileSync(process.argv[2], 'utf8'));
run.workflow = parse(readFileSync(run.workflow, 'utf8'));
console.log(JSON.stringify(await runJobs(run), null, 1));
