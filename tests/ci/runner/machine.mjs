// The folders of one job's machine, and where a command of a step runs: on it, or in the job's
// container, which sees the folders under other names.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export class Machine {
  constructor({ folder, repository, environment }) {
    const name = repository.split('/')[1];
    this.work = join(folder, '_work');
    this.workspace = join(this.work, name, name);
    this.temp = join(this.work, '_temp');
    this.actions = join(this.work, '_actions');
    this.tools = join(folder, '_tool');
    this.home = join(this.temp, '_github_home');
    this.workflow = join(this.temp, '_github_workflow');
    for (const made of [this.workspace, this.temp, this.actions, this.tools, this.home, this.workflow]) {
      mkdirSync(made, { recursive: true });
    }
    this.environment = environment;
  }

  // A path or an environment value, as the step's processes see it.
  inside(text) {
    return text;
  }

  // Runs a step's process; each line of its output goes to `line`.  Gives the exit code.
  run(command, environment, directory, line) {
    const child = spawn(command[0], command.slice(1), {
      cwd: directory,
      env: { ...this.environment, HOME: this.environment.HOME ?? this.home, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return finished(child, line);
  }

  checkedOut() {}
  stop() {}
}

function finished(child, line) {
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream, crlfDelay: Infinity }).on('line', line);
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(code ?? signal));
  });
}

// A job container, made and entered as the runner does it.
export class ContainerMachine extends Machine {
  constructor(options, image, { network = 'none' } = {}) {
    super(options);
    this.names = [
      [this.home, '/github/home'],
      [this.workflow, '/github/workflow'],
      [this.tools, '/__t'],
      [this.work, '/__w'],
    ];
    const mounts = this.names.map(([here, there]) => ['-v', `${here}:${there}`]);
    const program = (...words) =>
      execFileSync('podman', words, { env: this.environment, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
    const pull = /^(127\.0\.0\.1|localhost)[:/]/.test(image) ? ['--tls-verify=false'] : [];
    program('pull', '-q', ...pull, image);
    this.id = program(
      ...['create', '--network', network, '--workdir', this.inside(this.workspace), '-e', 'GITHUB_ACTIONS=true', '-e', 'CI=true'],
      ...mounts.flat(),
      ...['--entrypoint', 'tail', image, '-f', '/dev/null'],
    );
    program('start', this.id);
    this.path = /^PATH=(.*)$/m.exec(program('inspect', this.id, '--format', '{{range .Config.Env}}{{println .}}{{end}}'))?.[1] ?? '';
  }

  inside(text) {
    for (const [here, there] of this.names) text = text.replaceAll(here, there);
    return text;
  }

  run(command, environment, directory, line) {
    const given = { HOME: '/github/home', ...environment };
    if (given.PATH) given.PATH = [given.PATH, this.path].filter(Boolean).join(':');
    const variables = Object.entries(given).flatMap(([name, value]) => ['-e', `${name}=${this.inside(value)}`]);
    const words = ['exec', '-i', '--workdir', this.inside(directory), ...variables, this.id, ...command.map((word) => this.inside(word))];
    return finished(spawn('podman', words, { env: this.environment, stdio: ['ignore', 'pipe', 'pipe'] }), line);
  }

  // The user of the hosted runners owns what root in the container works on.
  checkedOut() {
    execFileSync('chown', ['-R', '1001:1001', this.workspace]);
  }

  stop() {
    execFileSync('podman', ['rm', '-f', '-t', '0', this.id], { env: this.environment, stdio: 'ignore' });
  }
}
