// A step's output as the runner reads it: workflow commands, masks, and the limits of annotations.

const maxOfALevel = 10;
const maxMessage = 4096;
const levels = ['error', 'warning', 'notice'];
const known = [...levels, 'debug', 'group', 'endgroup', 'add-mask', 'add-matcher', 'remove-matcher', 'stop-commands', 'echo'];
// Commands that a file has replaced: to see one is to see something that does nothing or fails.
const refused = ['set-env', 'add-path', 'set-output', 'save-state'];

const data = (text) => text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
const property = (text) => data(text.replaceAll('%3A', ':').replaceAll('%2C', ','));

// ::name key=value,key=value::data, or in the older form anywhere in a line ##[name key=value]data.
export function parseCommand(line, words) {
  const trimmed = line.trimStart();
  const now = trimmed.match(/^::([^\s:]+)(?: ([^]*?))?::([^]*)$/);
  const before = line.match(/##\[([^\s\]]+)(?: ([^\]]*))?\]([^]*)$/);
  const found = [now, before].find((match) => match && words.includes(match[1].toLowerCase()));
  if (!found) return undefined;
  const separator = found === now ? ',' : ';';
  const properties = {};
  for (const pair of (found[2] ?? '').split(separator)) {
    const equals = pair.indexOf('=');
    if (equals > 0) properties[pair.slice(0, equals).trim()] = property(pair.slice(equals + 1));
  }
  return { name: found[1].toLowerCase(), properties, data: data(found[3]) };
}

// Values that must not be shown, of a whole job.
export class Masks {
  values = new Set();

  add(value) {
    for (const part of [value, ...value.split(/\r?\n/)]) if (part.trim()) this.values.add(part);
  }
  hide(text) {
    for (const value of [...this.values].sort((a, b) => b.length - a.length)) text = text.replaceAll(value, '***');
    return text;
  }
}

export class Log {
  lines = [];
  annotations = [];
  groups = [];
  lost = []; // annotations above the limit
  faults = []; // what a runner complains of
  #masks;
  #planted;
  #stop;
  #open = false;

  // `planted` are secrets that a program must not say even where they are masked.
  constructor(masks, planted = []) {
    this.#masks = masks;
    this.#planted = planted;
  }

  line(text) {
    const words = this.#stop ? [this.#stop.toLowerCase()] : [...known, ...refused];
    const command = parseCommand(text, words);
    if (!command) return this.#show(text);
    if (this.#stop) {
      this.#stop = undefined;
      return this.#show(text);
    }
    if (refused.includes(command.name)) return void this.faults.push(`the command ${command.name} is disabled`);
    if (levels.includes(command.name)) return this.#annotate(command);
    this.#do(command, text);
  }

  // Whether the step left commands stopped, or a group open.
  end() {
    if (this.#stop) this.faults.push('commands were stopped and not resumed');
    if (this.#open) this.faults.push('a group was not ended');
  }

  #do(command, text) {
    if (command.name === 'add-mask') {
      if (command.data.trim()) this.#masks.add(command.data);
      else this.faults.push("Can't add secret mask for empty string");
    } else if (command.name === 'stop-commands') {
      if (!command.data || known.includes(command.data.toLowerCase())) this.faults.push('a stop token that is none');
      this.#stop = command.data;
      if (this.#stop.length > 6) this.#masks.add(this.#stop);
      this.#show(text);
    } else if (command.name === 'group') {
      if (this.#open) this.faults.push(`a group in a group: ${command.data}`);
      this.#open = true;
      this.groups.push(this.#masks.hide(command.data));
    } else if (command.name === 'endgroup') {
      this.#open = false;
    }
  }

  #annotate({ name: level, properties, data: text }) {
    const annotation = { level, ...properties, message: this.#masks.hide(text).slice(0, maxMessage) };
    if (text.length > maxMessage) this.faults.push(`a message of ${text.length} characters was cut`);
    const sofar = this.annotations.filter((other) => other.level === level).length;
    (sofar < maxOfALevel ? this.annotations : this.lost).push(annotation);
    this.#show(`##[${level}]${text}`);
  }

  #show(text) {
    if (this.#planted.some((secret) => text.includes(secret))) this.faults.push('a secret is in the log');
    this.lines.push(this.#masks.hide(text));
  }
}
