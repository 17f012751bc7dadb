// usage: node --test runner_test.mjs
//
// The harness itself: the vectors of the runner's file grammar, and what it makes of a log.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expand, holds } from './expressions.mjs';
import { parseFileCommand } from './file_commands.mjs';
import { Log, Masks, parseCommand } from './log.mjs';

const taken = [
  ['a=b=c\n', { a: 'b=c' }],
  ['a=\n', { a: '' }],
  ['a<<X\n1\n2\nX\n', { a: '1\n2' }],
  ['a<<X\n1\n2\nX', { a: '1\n2' }],
  ['a<<X\nX\n', { a: '' }],
  ['a<<X\n\nX\n', { a: '' }],
  ['a=<<X\n', { a: '<<X' }],
  ['a<<X=\nq\nX=\n', { a: 'q' }],
  ['a<<X\n1\nX \nX\n', { a: '1\nX ' }],
  [' k =v \n', { ' k ': 'v ' }],
  ['a=1\r\n', { a: '1\r' }],
  ['a=1\n\nb=2', { a: '1', b: '2' }],
  ['', {}],
];
for (const [content, pairs] of taken) {
  test(`a file of ${JSON.stringify(content)} is taken`, () => assert.deepEqual(parseFileCommand(content), pairs));
}

const refused = [
  ['abc\n', /Invalid format/],
  ['<<X\nX\n', /must not be empty/],
  ['a<<\nX\n', /must not be empty/],
  ['=1\n', /must not be empty/],
  ['a<<X\n1', /EOF marker missing new line/],
  ['a<<X\n1\n', /delimiter not found/],
];
for (const [content, message] of refused) {
  test(`a file of ${JSON.stringify(content)} fails the step`, () => assert.throws(() => parseFileCommand(content), message));
}

const words = ['error', 'group'];
test('a command starts its line, after blanks', () => {
  assert.equal(parseCommand('  ::group::x', words).data, 'x');
  assert.equal(parseCommand('a ::group::x', words), undefined);
  assert.equal(parseCommand('::unheard::x', words), undefined);
});
test('the older form may stand anywhere in a line', () => assert.equal(parseCommand('a ##[group]x', words).name, 'group'));
test('properties and data are unescaped', () => {
  const { properties, data } = parseCommand('::error file=a%2Cb,title=x%3Ay::1%0A2%25', words);
  assert.deepEqual([properties, data], [{ file: 'a,b', title: 'x:y' }, '1\n2%']);
});

const logOf = (...lines) => {
  const log = new Log(new Masks());
  for (const line of lines) log.line(line);
  log.end();
  return log;
};
test('the eleventh annotation of a level is lost', () => {
  const log = logOf(...Array(11).fill('::error::x'), '::notice::y');
  assert.deepEqual([log.annotations.length, log.lost.length], [11, 1]);
});
test('a message is cut at 4096 characters', () => assert.equal(logOf(`::error::${'x'.repeat(5000)}`).annotations[0].message.length, 4096));
test('commands that are stopped are text, until the token', () => {
  const log = logOf('::stop-commands::abcdefgh', '::error::no', 'a ##[error]no', '::abcdefgh::', '::error::yes');
  assert.deepEqual(log.annotations.map(({ message }) => message), ['yes']);
  assert.deepEqual(log.faults, []);
});
test('a token that is not said again is a fault', () => assert.equal(logOf('::stop-commands::abcdefgh').faults.length, 1));
test('a mask hides each of its lines from then on', () => {
  assert.deepEqual(logOf('one', '::add-mask::one%0Atwo', 'one and two').lines, ['one', '*** and ***']);
});
test('a planted secret is a fault, masked or not', () => {
  const log = new Log(new Masks(), ['hunter2']);
  log.line('::add-mask::hunter2');
  log.line('it is hunter2');
  assert.deepEqual([log.lines, log.faults], [['it is ***'], ['a secret is in the log']]);
});
test('a mask of nothing, a nested group and a disabled command are faults', () => {
  assert.equal(logOf('::add-mask::', '::group::a', '::group::b', '::endgroup::', '::set-output name=a::b').faults.length, 3);
});

test('expressions are those of GitHub', () => {
  const contexts = { inputs: { a: '' }, env: { A: 'x' }, needs: { seed: { outputs: {} } } };
  assert.equal(expand('${{ inputs.a || env.A }}', contexts), 'x');
  assert.equal(expand("${{ needs.seed.outputs.image || 'none' }}!", contexts), 'none!');
  assert.equal(expand('${{ needs.seed.outputs.image }}', contexts), '');
});
test('a condition without a status function is for successful jobs', () => {
  assert.equal(holds("'a' == 'a'", {}, { status: 'failure' }), false);
  assert.equal(holds("always() && 'a' == 'a'", {}, { status: 'failure' }), true);
});
