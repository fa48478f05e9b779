import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  closeFrame,
  EVENT_SOURCE,
  htmlFile,
  jsonp,
  messagesFrame,
  messagesOfForm,
  parseMessages,
  quoteMessage,
} from '../../../src/wire/sockjs/index.ts';

test('any text comes out of a frame as it went in, also with halves of surrogates, and in ASCII where it matters', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), (messages) => {
      const frame = messagesFrame(messages.map(quoteMessage));
      assert.equal(frame[0], 'a');
      assert.deepEqual(JSON.parse(frame.slice(1)), messages);
      assert.doesNotMatch(
        frame,
        // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what must not be there.
        /[\x00-\x1f\ud800-\udfff\u200c-\u200f\u2028-\u202f\u2060-\u206f\ufff0-\uffff]/,
      );
    }),
  );
  assert.equal(quoteMessage('\ud83d'), '"\\ud83d"');
});

test('a frame is one line of an event, and one string of a script, whatever is in it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (message) => {
      const frame = messagesFrame([quoteMessage(message)]);
      assert.equal(EVENT_SOURCE.frame(frame), `data: ${frame}\r\n\r\n`);
      assert.doesNotMatch(frame, /[\r\n]/);
      const script = htmlFile('cb').frame(frame);
      assert.equal(script.match(/<\/?script/g)?.length, 2);
      const called = jsonp('cb').frame(frame);
      assert.equal(JSON.parse(called.slice('/**/cb('.length, -');\r\n'.length)), frame);
    }),
  );
});

test('a close has its code and its reason', () => {
  assert.equal(closeFrame(3000, 'Go "away"!'), 'c[3000,"Go \\"away\\"!"]');
});

test('messages are a JSON array of strings, and nothing else', () => {
  assert.deepEqual(parseMessages('[]'), []);
  assert.deepEqual(parseMessages(' ["a", "\\u00e9"] '), ['a', 'é']);
  for (const json of ['', '1', '"a"', 'null', '{}', '[1]', '["a",null]'])
    assert.equal(parseMessages(json), 'Payload expected.', json);
  for (const json of ['[', '["a"', 'a']) assert.equal(parseMessages(json), 'Broken JSON encoding.', json);
});

test('a form has them in d', () => {
  assert.equal(messagesOfForm('a=b&d=%5B%22x+y%22%5D'), '["x y"]');
  assert.equal(messagesOfForm('a=b'), '');
});
