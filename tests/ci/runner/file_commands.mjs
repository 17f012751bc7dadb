// The files that steps write for the runner: GITHUB_OUTPUT, GITHUB_ENV and GITHUB_STATE share one
// grammar.  What the runner does not take fails the step, and so throws here.

export function parseFileCommand(content) {
  const pairs = {};
  let at = 0;
  // A line without its LF, and whether it had one; nothing at the end of the file.
  const line = () => {
    if (at >= content.length) return undefined;
    const end = content.indexOf('\n', at);
    const text = content.slice(at, end < 0 ? content.length : end);
    at = end < 0 ? content.length : end + 1;
    return { text, ended: end >= 0 };
  };
  for (let next = line(); next; next = line()) {
    const { text } = next;
    if (text === '') continue;
    const equals = text.indexOf('=');
    const heredoc = text.indexOf('<<');
    if (equals >= 0 && (heredoc < 0 || equals < heredoc)) {
      const [name, value] = [text.slice(0, equals), text.slice(equals + 1)];
      if (name === '') throw new Error(`Invalid format '${text}'. Name must not be empty`);
      pairs[name] = value;
    } else if (heredoc >= 0) {
      const [name, delimiter] = [text.slice(0, heredoc), text.slice(heredoc + 2)];
      if (name === '' || delimiter === '') throw new Error(`Invalid format '${text}'. Name and delimiter must not be empty`);
      pairs[name] = heredocValue(line, name, delimiter);
    } else {
      throw new Error(`Invalid format '${text}'`);
    }
  }
  return pairs;
}

function heredocValue(line, name, delimiter) {
  const values = [];
  for (let next = line(); next; next = line()) {
    if (next.text === delimiter) return values.join('\n');
    if (!next.ended) throw new Error('Invalid value. EOF marker missing new line.');
    values.push(next.text);
  }
  throw new Error(`Invalid value. Matching delimiter not found '${delimiter}'`);
}
