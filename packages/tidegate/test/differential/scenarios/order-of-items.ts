import { differs, type Scenario } from '../scenario.ts';
import { type Item, textOf } from '../stage.ts';
import { content, streamed } from './stream-holds.ts';

export const numbered = (id: string, previous?: string): Item =>
  content(`${id}\n`, previous === undefined ? { id } : { id, 'prev-id': previous });

/** Ids of items, and the order in which items come. */
export const ORDER_OF_ITEMS: readonly Scenario[] = [
  {
    name: 'an id that was published is not published again',
    async run(stage) {
      stage.answers(200, streamed(stage));
      const stream = await stage.open();
      await stage.subscribed(stream);
      await stage.publish(numbered('1'), numbered('2'));
      await stage.publish(numbered('1'), numbered('2'), numbered('3'), content('end\n'));
      await stream.until('end\n');
      return textOf(stream);
    },
  },
  {
    name: 'the same id in another channel is another id',
    async run(stage) {
      const other = `${stage.channel}-other`;
      stage.answers(200, streamed(stage, { 'Grip-Channel': `${stage.channel}, ${other}` }));
      const stream = await stage.open();
      await stage.subscribed(stream);
      await stage.publish(numbered('1'));
      await stream.until('1\n');
      await stage.publish({ ...content('1 of other\n', { id: '1' }), channel: other });
      await stream.until('1 of other\n');
      return textOf(stream);
    },
  },
  {
    name: 'items that overtook each other are put in order',
    async run(stage) {
      stage.answers(200, streamed(stage));
      const stream = await stage.open();
      await stage.subscribed(stream);
      await stage.publish(numbered('1'));
      await Promise.all([
        stage.publish(content('end\n', { 'prev-id': '3', id: '4' })),
        stage.publish(numbered('3', '2')),
        stage.publish(numbered('2', '1')),
      ]);
      await stream.until('end\n');
      return textOf(stream);
    },
  },
  {
    name: 'the answer to an item that waits for another',
    async run(stage) {
      stage.answers(200, streamed(stage));
      const stream = await stage.open();
      await stage.subscribed(stream);
      await stage.publish(numbered('1'));
      await stage.publish(numbered('3', '2'));
      // Where the answer came at once, the item still waits for this one; else it has waited in vain.
      await stage.publish(numbered('2', '1'));
      await stage.publish(content('end\n', { 'prev-id': '3', id: '4' }));
      await stream.until('end\n');
      return textOf(stream);
    },
    differs: differs('early-answers', ['all', '1\n2\n3\nend\n', '1\n3\n2\nend\n']),
  },
  {
    name: 'an item that waits in vain comes after five seconds',
    async run(stage) {
      stage.answers(200, streamed(stage));
      const stream = await stage.open();
      await stage.subscribed(stream);
      await stage.publish(numbered('1'));
      const late = stage.publish(numbered('3', '2'));
      const next = stage.publish(content('unnumbered\n'));
      await stream.until('3\n');
      await Promise.all([late, next]);
      return textOf(stream);
    },
  },
  {
    name: 'two publishers of which each names the same item before its own',
    async run(stage) {
      stage.answers(200, streamed(stage));
      const stream = await stage.open();
      await stage.subscribed(stream);
      await stage.publish(numbered('1'), numbered('2', '1'));
      await stage.publish(content('2b\n', { id: '2b', 'prev-id': '1' }), numbered('3', '2'));
      await stream.until('2b\n');
      await stream.until('3\n');
      return textOf(stream);
    },
    differs: differs('waiting-items', ['all', '1\n2\n3\n2b\n', '1\n2\n2b\n3\n']),
  },
  {
    name: 'an item that does not want to wait',
    async run(stage) {
      stage.answers(200, streamed(stage));
      const stream = await stage.open();
      await stage.subscribed(stream);
      await stage.publish(numbered('1'), { ...numbered('3', '2'), 'no-seq': true }, content('end\n'));
      await stream.until('end\n');
      return textOf(stream);
    },
  },
];
