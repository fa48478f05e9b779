import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { idOf } from '../../../src/gateway/live/live-value.ts';
import { LiveStage } from './fakes.ts';

const tagFor = (value: unknown): string => `"${idOf(JSON.stringify(value))}"`;
const idFor = (value: unknown): string => idOf(JSON.stringify(value));
const PATCHES = { accept: 'application/json-patch+json' };

describe('A long-poll of a live route', () => {
  it('is answered with the value at once if it has none', () => {
    const stage = new LiveStage();
    const poll = stage.poll(null);
    stage.origin.answer('{ "a": 1 }');
    assert.deepEqual([poll.status, poll.body], [200, '{ "a": 1 }']);
    assert.equal(poll.headers['content-type'], 'application/json');
    assert.equal(poll.headers.etag, `"${idOf('{ "a": 1 }')}"`);
    assert.equal(poll.headers['cache-control'], 'no-store');
    assert.equal(stage.subscribers(), 0);
  });

  it('waits for another version than it has', () => {
    const stage = new LiveStage();
    const poll = stage.poll(tagFor({ a: 1 }));
    stage.origin.answer({ a: 1 });
    assert.equal(stage.subscribers(), 1);
    stage.next({ a: 1 });
    assert.equal(poll.status, 0);
    stage.next({ a: 2 });
    assert.deepEqual([poll.status, poll.body, poll.headers.etag], [200, '{"a":2}', tagFor({ a: 2 })]);
    assert.equal(stage.subscribers(), 0);
    stage.clock.advance(60_000);
    assert.equal(stage.origin.asked.length, 3, 'nobody is there any more');
  });

  it('is answered at once if it has an older version', () => {
    const stage = new LiveStage();
    const poll = stage.poll('W/"elsewhere", "old"');
    stage.origin.answer({ a: 1 });
    assert.deepEqual([poll.status, poll.body], [200, '{"a":1}']);
  });

  it('is told that nothing has changed when its wait is over', () => {
    const stage = new LiveStage();
    const poll = stage.poll(`"other", W/${tagFor({ a: 1 })}`);
    stage.origin.script = () => stage.origin.answer({ a: 1 });
    stage.origin.answer({ a: 1 });
    stage.clock.advance(19_999);
    assert.equal(poll.status, 0);
    stage.clock.advance(1);
    assert.deepEqual([poll.status, poll.body, poll.headers.etag], [304, '', tagFor({ a: 1 })]);
    assert.equal(stage.subscribers(), 0);
  });

  it('may name the version by the tag that the origin gave in a plain answer', () => {
    const stage = new LiveStage();
    const poll = stage.poll('"v1"');
    stage.origin.answer({ a: 1 }, { etag: 'W/"v1"' });
    assert.equal(poll.status, 0);
    stage.next({ a: 2 }, { etag: 'W/"v2"' });
    assert.deepEqual([poll.status, poll.body], [200, '{"a":2}']);
  });

  it('waits for any change with an asterisk', () => {
    const stage = new LiveStage();
    const poll = stage.poll('*');
    stage.origin.answer({ a: 1 });
    assert.equal(poll.status, 0);
    stage.next({ a: 2 });
    assert.equal(poll.status, 200);
  });

  it('says how long it waits by Prefer, by the field of LiveResource clients, or in the address', () => {
    for (const [headers, target, waitMs] of [
      [{ prefer: 'respond-async, Wait="5"; x=y' }, '/things', 5000],
      [{ prefer: 'wait=5, return=minimal' }, '/things', 5000],
      [{ prefer: 'wait=100000' }, '/things', 60_000],
      [{ wait: '5' }, '/things', 5000],
      [{}, '/things?live-wait=0.5', 500],
    ] as [Record<string, string>, string, number][]) {
      const stage = new LiveStage();
      const poll = stage.open(target, { ...headers, 'if-none-match': tagFor({ a: 1 }) });
      stage.origin.script = () => stage.origin.answer({ a: 1 });
      stage.origin.answer({ a: 1 });
      stage.clock.advance(waitMs - 1);
      assert.equal(poll.status, 0, JSON.stringify(headers));
      stage.clock.advance(1);
      assert.equal(poll.status, 304);
    }
  });

  it('does not wait if it names its version and no time', () => {
    const stage = new LiveStage();
    const poll = stage.open(`/things?live-from=${idFor({ a: 1 })}`, {});
    stage.origin.answer({ a: 1 });
    assert.equal(poll.status, 304);
  });

  it('gets a patch if it accepts that alone, over all that it has missed', () => {
    const stage = new LiveStage();
    stage.sse();
    stage.origin.answer({ a: 1 });
    const waiting = stage.poll(tagFor({ a: 1 }), PATCHES);
    stage.next({ a: 1, b: 2 });
    assert.equal(waiting.headers['content-type'], 'application/json-patch+json');
    assert.equal(waiting.body, '[{"op":"add","path":"/b","value":2}]');
    stage.next({ b: 2 });
    const late = stage.poll(tagFor({ a: 1 }), PATCHES);
    assert.equal(late.body, '[{"op":"add","path":"/b","value":2},{"op":"remove","path":"/a"}]');
    assert.equal(late.headers.etag, tagFor({ b: 2 }));
  });

  it('gets a patch that replaces everything if there is no other', () => {
    for (const mode of ['patch', 'value'] as const) {
      const stage = new LiveStage({ mode });
      const poll = stage.poll('"unknown"', PATCHES);
      stage.origin.answer({ a: 1 });
      assert.equal(poll.body, '[{"op":"replace","path":"","value":{"a":1}}]');
    }
  });

  it('waits on through failures that pass, and is given those that are about the resource', () => {
    const stage = new LiveStage();
    const poll = stage.poll(tagFor({ a: 1 }));
    stage.origin.answer({ a: 1 });
    stage.clock.advance(2000);
    stage.origin.answer('', {}, 503);
    assert.equal(poll.status, 0);
    stage.clock.advance(4000);
    stage.origin.answer('gone', {}, 410);
    assert.deepEqual([poll.status, poll.body], [410, 'gone']);
    assert.equal(stage.subscribers(), 0);
  });

  it('is answered when the server is drained, and when the client seems to have left', () => {
    const stage = new LiveStage();
    const polls = [stage.poll(tagFor({ a: 1 })), stage.poll(tagFor({ a: 1 }))];
    stage.origin.answer({ a: 1 });
    polls[0].abandon();
    assert.equal(polls[0].status, 304);
    assert.equal(stage.subscribers(), 1);
    stage.routes.drain();
    assert.equal(polls[1].status, 304);
    assert.equal(stage.subscribers(), 0);
    const arriving = new LiveStage();
    const poll = arriving.poll(null);
    poll.abandon();
    assert.equal(poll.code, 'upstream_timeout');
    assert.ok(arriving.origin.last.isAborted);
  });

  it('is refused if its address is ambiguous or cannot be met', () => {
    for (const query of ['live-wait=61', 'live-wait=x', 'live-from=a&live-from=b']) {
      const stage = new LiveStage();
      assert.equal(stage.open(`/things?${query}`, {}).code, 'http_query_invalid');
      assert.equal(stage.origin.asked.length, 0);
    }
  });
});
