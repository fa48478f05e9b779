import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, test } from 'node:test';
import { eventsOf } from '../../../src/gateway/grip/item-events.ts';
import { decodeStoredItem } from '../../../src/gateway/grip/stored-item.ts';
import { resolveLimits } from '../../../src/kernel/index.ts';
import { item, streamItem } from './items.ts';

const limits = resolveLimits();

/** The only event of an item, with its data as text. */
function content(members: Record<string, unknown>): unknown[] {
  const [event, ...others] = eventsOf(item({ channel: 'c', ...members }));
  assert.deepEqual(others, []);
  return [String(event.data), event.dataKind, event.attributes];
}

describe('The data of an item', () => {
  test('are the content for WebSockets, if there is one', () => {
    assert.deepEqual(
      content({
        'ws-message': { content: 'plain' },
        'http-response': { body: 'framed\n' },
        'http-stream': { content: 'data: framed\n\n' },
      }),
      ['plain', 'text', []],
    );
  });

  test('are the body of the response otherwise, with its content type', () => {
    assert.deepEqual(
      content({
        'http-response': { body: '{"a":1}', headers: { 'Content-Type': 'application/json' } },
        'http-stream': { content: 'x' },
      }),
      ['{"a":1}', 'json', [['datacontenttype', 'application/json']]],
    );
  });

  test('have the content type of the response if they are the same as its body, and only then', () => {
    const response = { body: 'same', headers: { 'content-type': 'text/markdown' } };
    assert.deepEqual(content({ 'ws-message': { content: 'same' }, 'http-response': response }), [
      'same',
      'text',
      [['datacontenttype', 'text/markdown']],
    ]);
    assert.deepEqual(content({ 'ws-message': { content: 'other' }, 'http-response': response }), [
      'other',
      'text',
      [],
    ]);
  });

  test('have no content type where the response names none that is one', () => {
    assert.deepEqual(content({ 'http-response': { body: 'x', headers: { 'content-type': 'nonsense' } } }), [
      'x',
      'text',
      [],
    ]);
  });

  test('are those of the server-sent event, if the stream content is exactly one', () => {
    for (const framed of [
      'data: a\ndata: b\n\n',
      'data: a\r\ndata: b\r\n\r\n',
      ':\nid: 4\ndata:a\ndata:b\n\n',
    ]) {
      assert.deepEqual(content({ 'http-stream': { content: framed } }), ['a\nb', 'text', []], framed);
    }
    assert.deepEqual(content({ 'http-stream': { content: 'event: tick\ndata: 1\n\n' } }), [
      '1',
      'json',
      [['type', 'tick']],
    ]);
  });

  test('are the stream content itself, if it is none, or more than one', () => {
    for (const raw of [
      'hello\n\n',
      'data: a\n',
      'data: a\n\ndata: b\n\n',
      'data: a\n\ndata: b\n',
      'database\n\n',
    ]) {
      assert.deepEqual(content({ 'http-stream': { content: raw } }), [raw, 'text', []], raw);
    }
  });

  test('are the patch, if there is nothing else', () => {
    const patch = [{ op: 'add', path: '/a', value: 1 }];
    assert.deepEqual(content({ 'http-response': { 'body-patch': patch } }), [
      JSON.stringify(patch),
      'json',
      [['datacontenttype', 'application/json-patch+json']],
    ]);
    assert.deepEqual(content({ 'http-response': { 'body-patch': patch }, 'http-stream': { content: 'x' } }), [
      'x',
      'text',
      [],
    ]);
  });

  test('are binary if they are not UTF-8', () => {
    const [event] = eventsOf(item({ channel: 'c', 'http-stream': { 'content-bin': '/w==' } }));
    assert.deepEqual([event.dataKind, [...(event.data ?? [])]], ['binary', [0xff]]);
  });
});

describe('The events of an item', () => {
  test('keep formats and meta where only GRIP reads them', () => {
    const published = streamItem('c', 'data: hello, world\n\n', { meta: { sender: 'me', é: '\n' }, id: '7' });
    const [event] = eventsOf(published);
    const stored = decodeStoredItem(event.renderings ?? '', event.data ?? Buffer.alloc(0), limits);
    assert.deepEqual([...stored.meta], [...published.meta]);
    assert.equal(
      stored.formats.httpStream?.action === 'send' && String(Buffer.from(stored.formats.httpStream.content)),
      'data: hello, world\n\n',
    );
    assert.deepEqual(event.attributes, [['id', '7']]);
    assert.equal(event.clientId, '7');
  });

  test('are a control event, if it only acts on connections', () => {
    const [event, ...others] = eventsOf(
      item({ channel: 'c', 'http-stream': { action: 'close' }, 'ws-message': { type: 'ping' } }),
    );
    assert.deepEqual(others, []);
    assert.equal(event.kind, 'control');
    const { formats } = decodeStoredItem(String(event.data), Buffer.alloc(0), limits);
    assert.deepEqual(formats.httpStream, { action: 'close' });
    assert.equal(formats.webSocketMessage?.action === 'send' && formats.webSocketMessage.type, 'ping');
  });

  test('are content and then control, if it has both, each with an identity of its own', () => {
    const events = eventsOf(
      item({ channel: 'c', id: '1', 'http-stream': { content: 'bye' }, 'ws-message': { action: 'close' } }),
    );
    assert.deepEqual(
      events.map(({ kind, data, clientId }) => [kind ?? 'data', String(data).slice(0, 3), clientId]),
      [
        ['data', 'bye', '1'],
        ['control', '\n{"', '1\0control'],
      ],
    );
    const { formats } = decodeStoredItem(events[0].renderings ?? '', Buffer.from('bye'), limits);
    assert.equal(formats.webSocketMessage, null);
  });

  test('cannot be read from a text that was not made of an item', () => {
    for (const text of ['', '{}', '["a"]\nnonsense', '\n{"http-stream":{"content":1}}']) {
      assert.throws(
        () => decodeStoredItem(text, Buffer.alloc(0), limits),
        { code: 'grip_item_invalid' },
        text,
      );
    }
  });
});
