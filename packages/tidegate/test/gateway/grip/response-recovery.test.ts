import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../listeners/lab.ts';
import { type GripLab, openGripLab, response } from './lab.ts';

// Holds whose origin says what the client has: nothing that was published since is lost.

/** Holds a response for `news`; `prevId` tells what the client has. */
function holdAt(lab: GripLab, prevId: string, body = 'held'): void {
  lab.answers((_, answer) =>
    answer
      .writeHead(200, { 'Grip-Hold': 'response', 'Grip-Channel': `news; prev-id=${prevId}` })
      .end(`${body} ${lab.asked.length}`),
  );
}

const item = (id: string) => ({ channel: 'news', id, 'http-response': { body: `item ${id}` } });

test('the message after the one that the client has answers at once', async (t) => {
  const lab = await openGripLab(t);
  await lab.items(item('1'), item('2'), item('3'));
  holdAt(lab, '1');
  assert.equal((await response(await lab.get())).body, 'item 2');
  assert.equal(lab.asked.length, 1);
});

test('a client that has the last message waits for the next, and the origin is not asked again', async (t) => {
  const lab = await openGripLab(t);
  await lab.items(item('1'), item('2'));
  holdAt(lab, '2');
  const client = await lab.get();
  await lab.subscribed('news');
  assert.equal(client.received, '');
  await lab.items(item('3'));
  assert.equal((await response(client)).body, 'item 3');
  assert.equal(lab.asked.length, 1);
});

test('in a channel without messages nothing was missed', async (t) => {
  const lab = await openGripLab(t);
  holdAt(lab, '5');
  const client = await lab.get();
  await lab.subscribed('news');
  await lab.items(item('6'));
  assert.equal((await response(client)).body, 'item 6');
  assert.equal(lab.asked.length, 1);
});

test('if what the client has is not among the latest gripRecoveryMessagesMax, the origin is asked with Grip-Last', async (t) => {
  const lab = await openGripLab(t, { gripRecoveryMessagesMax: 2 });
  await lab.items(item('1'), item('2'), item('3'));
  lab.answers((_, answer) => {
    if (lab.asked.length > 1) answer.end('all of it');
    else answer.writeHead(200, { 'Grip-Hold': 'response', 'Grip-Channel': 'news; prev-id=1' }).end('held');
  });
  assert.equal((await response(await lab.get('/x?y=1'))).body, 'all of it');
  assert.deepEqual(
    lab.asked.map(({ url, lasts }) => [url, lasts]),
    [
      ['/x?y=1', []],
      ['/x?y=1', ['news; last-id=1']],
    ],
  );
  assert.equal(lab.metric('tidegate_grip_missed_total'), 1);
});

test('an origin that says that there is nothing newer is believed, and what came meanwhile is not lost', async (t) => {
  const lab = await openGripLab(t);
  await lab.items(item('1'));
  lab.answers((_, answer) => {
    const held = (): void => {
      answer.writeHead(200, { 'Grip-Hold': 'response', 'Grip-Channel': 'news; prev-id=0' }).end('held');
    };
    if (lab.asked.length === 1) held();
    else void lab.items(item('2')).then(held);
  });
  assert.equal((await response(await lab.get())).body, 'item 2');
  assert.equal(lab.asked.length, 2);
});

test('an origin that answers with another id each time is asked gripLinkHopsMax times', async (t) => {
  const lab = await openGripLab(t, { gripLinkHopsMax: 3 });
  await lab.items(item('1'));
  lab.answers((_, answer) =>
    answer
      .writeHead(200, { 'Grip-Hold': 'response', 'Grip-Channel': `news; prev-id=x${lab.asked.length}` })
      .end(`held ${lab.asked.length}`),
  );
  assert.equal((await response(await lab.get())).body, 'held 4');
  assert.deepEqual(
    lab.asked.map(({ lasts }) => lasts.length),
    [0, 1, 1, 1],
  );
});

test('if the origin does not answer when it is asked again, it is tried again, and then the client gets an error', async (t) => {
  const lab = await openGripLab(t, { gripLinkAttemptsMax: 2 });
  await lab.items(item('1'));
  lab.answers((request, answer) => {
    if (lab.asked.length > 1) request.socket.destroy();
    else answer.writeHead(200, { 'Grip-Hold': 'response', 'Grip-Channel': 'news; prev-id=0' }).end('held');
  });
  const client = await lab.get();
  await until(() => {
    lab.clock.advance(250);
    return client.received !== '';
  });
  assert.match((await response(client)).head, /^HTTP\/1.1 502 /);
});

test('a client that leaves while the origin is asked again takes the request with it', async (t) => {
  const lab = await openGripLab(t);
  await lab.items(item('1'));
  let closed = 0;
  lab.answers((request, answer) => {
    if (lab.asked.length > 1) request.on('close', () => closed++);
    else answer.writeHead(200, { 'Grip-Hold': 'response', 'Grip-Channel': 'news; prev-id=0' }).end('held');
  });
  const client = await lab.get();
  await lab.askedTimes(2);
  client.socket.destroy();
  await until(() => closed === 1);
  await until(() => lab.ended.length === 1);
  assert.deepEqual(lab.ended, [null]);
});

test('filters decide for each client', async (t) => {
  const lab = await openGripLab(t);
  lab.answers((request, answer) =>
    answer
      .writeHead(200, {
        'Grip-Hold': 'response',
        'Grip-Channel': 'news; filter=skip-self; filter=var-subst; filter=require-sub',
        'Grip-Set-Meta': `user="${request.headers['x-user']}"`,
      })
      .end('held'),
  );
  const [ann, bob] = [await lab.get('/', 'X-User: ann\r\n'), await lab.get('/', 'X-User: bob\r\n')];
  await lab.subscribed('news', 2);
  await lab.items({
    channel: 'news',
    meta: { require_sub: 'elsewhere' },
    'http-response': { body: 'nobody' },
  });
  await lab.items({
    channel: 'news',
    meta: { sender: 'ann' },
    'http-response': { body: 'for %(user)s, 100%%' },
  });
  assert.equal((await response(bob)).body, 'for bob, 100%');
  assert.equal(ann.received, '');
  await lab.items({ channel: 'news', 'http-response': { body: '%(unknown)s' } });
  await lab.items({ channel: 'news', 'http-response': { body: 'plain' } });
  assert.equal((await response(ann)).body, 'plain');
  assert.equal(lab.metric('tidegate_grip_filtered_total{skipped}'), 3);
  assert.equal(lab.metric('tidegate_grip_filtered_total{unresolved}'), 1);
});
