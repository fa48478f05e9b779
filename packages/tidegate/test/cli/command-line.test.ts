import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { COMMANDS } from '../../src/cli/commands/index.ts';
import { runProgram } from './run-program.ts';

test('--help lists every command, and each command explains itself with examples', async () => {
  const { code, output } = await runProgram(['--help']);
  assert.equal(code, 0);
  for (const { name, summary } of COMMANDS) assert.match(output, new RegExp(`^  ${name} +${summary}$`, 'm'));
  for (const command of COMMANDS) {
    const help = await runProgram([...command.name.split(' '), '--help']);
    assert.equal(help.code, 0, command.name);
    assert.equal(help.errors, '');
    for (const option of Object.keys(command.options))
      assert.match(help.output, new RegExp(`^  --${option}\\b`, 'm'));
    assert.ok(command.examples.length >= 2);
    for (const example of command.examples)
      assert.ok(help.output.includes(`  # ${example.effect}\n  ${example.command}`));
  }
});

test('a help that comes before the command is the same', async () => {
  const before = await runProgram(['help', 'topics', 'list']);
  assert.equal(before.output, (await runProgram(['topics', 'list', '-h'])).output);
});

test('--version prints the version of the package', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  assert.deepEqual(await runProgram(['--version']), { code: 0, output: `${version}\n`, errors: '' });
});

const misuses: readonly (readonly [name: string, args: readonly string[], expected: RegExp])[] = [
  ['no command', [], /^Commands:$/m],
  ['an unknown command', ['publsh'], /There is no command "publsh"; did you mean publish\?/],
  ['half a command', ['topics'], /topics needs a second word: list or describe/],
  ['an unknown second word', ['topics', 'delete'], /There is no command topics delete: list or describe/],
  ['an unknown option', ['publish', 'a', '--jsn'], /publish has no option --jsn; did you mean --json\?/],
  ['an unknown short option', ['publish', 'a', '-x'], /publish has no option -x/],
  ['a missing argument', ['publish'], /CHANNEL is missing/],
  ['an argument too many', ['publish', 'a', 'two', 'words'], /"words" is one argument too many; put quotes/],
  [
    'a number out of range',
    ['start', '--port', '70000'],
    /--port takes a whole number from 0 to 65535, not "70000"/,
  ],
  ['a number that is none', ['subscribe', 'a', '--count', 'many'], /--count takes a whole number/],
  ['an option without its value', ['publish', 'a', '--type'], /--type needs a value: --type TYPE/],
  ['an option in the place of a value', ['publish', 'a', '--type', '--json'], /--type needs a value/],
  ['a flag with a value', ['publish', 'a', '--json=yes'], /--json takes no value/],
  ['an empty value', ['start', '--data', ''], /--data is empty/],
  [
    'an address that is none',
    ['publish', 'a', 'b', '--url', 'localhost:8080'],
    /"localhost:8080" is not an address such as http/,
  ],
  ['data besides lines', ['publish', 'a', 'b', '--lines'], /DATA cannot be given with --lines/],
  [
    'a purge besides lines',
    ['publish', 'a', '--purge', 'url=a', '--lines'],
    /--purge cannot be given with --lines/,
  ],
  ['a channel that no URL can hold', ['subscribe', 'a/../b'], /segments \. and \.\./],
];

for (const [name, args, expected] of misuses) {
  test(`${name} is told on standard error and ends with 2`, async () => {
    const { code, output, errors } = await runProgram(args);
    assert.match(errors, expected);
    assert.equal(output, '');
    assert.equal(code, 2);
  });
}

test('an error says what happened, how to mend it, what to type next, and its code', async () => {
  const { errors } = await runProgram(['publish', 'a', '--jsn']);
  assert.deepEqual(
    errors
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' ')[0]),
    ['error:', 'fix:', 'next:', 'code:'],
  );
  assert.match(errors, /^next: {2}tidegate publish --help$/m);
});

test('a server that does not answer is told with its address and the cause', async () => {
  for (const args of [
    ['publish', 'a', 'b', '--url'],
    ['subscribe', 'a', '--url'],
    ['topics', 'list', '--admin-url'],
  ]) {
    // Port 1 of loopback: nothing listens there.
    const { code, errors } = await runProgram([...args, 'http://127.0.0.1:1']);
    assert.equal(code, 1);
    assert.match(errors, /The server does not answer: http:\/\/127\.0\.0\.1:1/);
    assert.match(errors, /^code: {2}server_unreachable$/m);
  }
});
