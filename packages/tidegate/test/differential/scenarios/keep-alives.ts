import type { Recording } from '../recording.ts';
import { differs, type Scenario } from '../scenario.ts';
import { type Stage, textOf } from '../stage.ts';
import { content, streamed } from './stream-holds.ts';

/** Opens a stream with a keep-alive of a second, and waits for two of them. */
async function keptAlive(stage: Stage, value: string, expected: string) {
  stage.answers(200, streamed(stage, { 'Grip-Keep-Alive': value }), 'first\n');
  const stream = await stage.open();
  await stream.until(expected.repeat(2));
  return textOf(stream).slice(0, 'first\n'.length + 2 * expected.length);
}

/** A stream whose keep-alive is not what can be followed: whether it is a stream all the same. */
async function started(stage: Stage, value: string): Promise<Recording> {
  stage.answers(200, streamed(stage, { 'Grip-Keep-Alive': value }), 'first\n');
  const stream = await stage.open();
  if (stream.status !== 200) return { status: stream.status };
  await stage.subscribed(stream);
  await stage.publish(content('end\n'));
  await stream.until('end\n');
  // One of a second may come at any time: Pushpin takes up to a second off.
  return { status: stream.status, text: textOf(stream).replaceAll('ping', '') };
}

/** What streams are sent so that they stay open. */
export const KEEP_ALIVES: readonly Scenario[] = [
  ...[
    ['raw', 'ping; format=raw; timeout=1', 'ping'],
    ['without a format', 'ping; timeout=1', 'ping'],
    ['cstring', ':\\n\\r\\\\\\x41\\n; format=cstring; timeout=1', ':\n\r\\A\n'],
    ['base64', 'AAE=; format=base64; timeout=1', '\x00\x01'],
    ['of JSON', '{"type":"ping"}\\n; format=cstring; timeout=1', '{"type":"ping"}\n'],
    ['mode idle', 'ping; timeout=1; mode=idle', 'ping'],
    ['mode interval', 'ping; timeout=1; mode=interval', 'ping'],
    ['with a time-out of zero', 'ping; timeout=0', 'ping'],
  ].map(([name, value, expected]) => ({
    name: `keep-alive ${name}`,
    run: (stage: Stage) => keptAlive(stage, value, expected),
  })),
  {
    name: 'keep-alive in an interval comes although something is published',
    async run(stage) {
      stage.answers(200, streamed(stage, { 'Grip-Keep-Alive': 'ping; timeout=2; mode=interval' }), 'first\n');
      const stream = await stage.open();
      // Something is published the whole time, so that the stream is never idle.
      let published = 0;
      while (!stream.text.includes('ping')) {
        await stage.publish(content('.'));
        published++;
        if (published > 5000) throw new Error('there is no keep-alive');
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      return { hasPing: true };
    },
  },
  ...[
    ['an unknown format', 'ping; format=rot13; timeout=1'],
    ['a time-out that is no number', 'ping; timeout=soon'],
    ['an unknown mode', 'ping; timeout=55; mode=sometimes'],
    ['a cstring that ends in a backslash', 'ping\\; format=cstring; timeout=55'],
    ['no time-out', 'ping'],
  ].map(([name, value]) => ({
    name: `keep-alive with ${name}`,
    run: (stage: Stage) => started(stage, value),
  })),
  {
    name: 'keep-alive with base64 that is none',
    run: (stage) => started(stage, '%%%; format=base64; timeout=55'),
    differs: differs('unreadable-values', ['status', 200, 502], ['text', 'first\nend\n', null]),
  },
];
