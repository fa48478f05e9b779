import assert from 'node:assert/strict';
import { test } from 'node:test';
import { announcement } from '../../src/cli/announcement.ts';

const started = {
  publicUrl: 'http://127.0.0.1:1',
  adminUrl: 'http://127.0.0.1:2',
  gripUrl: null,
  dataFolder: '/data',
  asksForCredentials: false,
};

test('a program gets the addresses as one line of JSON, whoever may use them', () => {
  const { publicUrl, adminUrl, dataFolder } = started;
  for (const asksForCredentials of [true, false]) {
    const text = announcement({ ...started, asksForCredentials }, { isInteractive: false });
    assert.equal(text, `${JSON.stringify({ publicUrl, adminUrl, dataFolder })}\n`);
  }
});

test('where origins publish by GRIP is told if there is such a place', () => {
  const gripUrl = 'http://127.0.0.1:3';
  assert.equal(JSON.parse(announcement({ ...started, gripUrl }, { isInteractive: false })).gripUrl, gripUrl);
  assert.match(
    announcement({ ...started, gripUrl }, { isInteractive: true }),
    /grip +http:\/\/127\.0\.0\.1:3/,
  );
});

test('the commands that a person is shown have a credential where the server asks for one, and none elsewhere', () => {
  const open = announcement(started, { isInteractive: true });
  assert.doesNotMatch(open, /TIDEGATE_TOKEN|key create/);
  const asking = announcement({ ...started, asksForCredentials: true }, { isInteractive: true });
  const commands = asking.split('\n').filter((line) => line.includes('curl '));
  assert.equal(commands.length, 2);
  for (const command of commands) assert.match(command, /"Authorization: Bearer \$TIDEGATE_TOKEN"/);
  assert.match(asking, /tidegate key create NAME/);
});
