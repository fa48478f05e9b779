import type { Recording } from '../recording.ts';
import { differs, type Scenario } from '../scenario.ts';
import { type Item, type Stage, textOf } from '../stage.ts';
import { timedOut } from './response-holds.ts';
import { content, streamed } from './stream-holds.ts';

/** A stream with filters and meta, and what of the items it brings up to a last one that passes every filter. */
async function filtered(
  stage: Stage,
  { filters, meta = '', more = [] }: { filters: string; meta?: string; more?: string[] },
  ...items: readonly Item[]
): Promise<Recording> {
  const channels = [`${stage.channel}${filters}`, ...more];
  stage.answers(
    200,
    streamed(stage, { 'Grip-Channel': channels, ...(meta === '' ? {} : { 'Grip-Set-Meta': meta }) }),
    'first\n',
  );
  const stream = await stage.open();
  await stage.subscribed(stream);
  await stage.publish(...items, content('end\n'));
  await stream.until('end\n');
  return textOf(stream);
}

/** Filters, which keep items from some clients or change them for each. */
export const FILTERS: readonly Scenario[] = [
  {
    name: 'skip-self keeps items from their sender',
    run: (stage) =>
      filtered(
        stage,
        { filters: '; filter=skip-self', meta: 'user="ann"' },
        content('by ann\n', { meta: { sender: 'ann' } }),
        content('by bob\n', { meta: { sender: 'bob' } }),
        content('by nobody\n'),
      ),
  },
  {
    name: 'skip-self without a user',
    run: (stage) =>
      filtered(stage, { filters: '; filter=skip-self' }, content('by ann\n', { meta: { sender: 'ann' } })),
  },
  {
    name: 'skip-users keeps items from some',
    run: (stage) =>
      filtered(
        stage,
        { filters: '; filter=skip-users', meta: 'user="ann"' },
        content('not ann\n', { meta: { skip_users: 'bob,ann' } }),
        content('not bob\n', { meta: { skip_users: 'bob' } }),
        content('for all\n'),
      ),
  },
  {
    name: 'require-sub asks for another channel',
    run: (stage) =>
      filtered(
        stage,
        { filters: '; filter=require-sub', more: [`${stage.channel}-extra`] },
        content('with extra\n', { meta: { require_sub: `${stage.channel}-extra` } }),
        content('with other\n', { meta: { require_sub: `${stage.channel}-other` } }),
        content('for all\n'),
      ),
  },
  {
    name: 'var-subst replaces variables',
    run: (stage) =>
      filtered(
        stage,
        { filters: '; filter=var-subst', meta: 'name="ann", room="7"' },
        content('%(name)s in %(room)s\n'),
        content('100%%\n'),
      ),
  },
  {
    name: 'var-subst of a variable that the client does not have',
    async run(stage) {
      stage.answers(
        200,
        streamed(stage, { 'Grip-Channel': `${stage.channel}; filter=var-subst`, 'Grip-Set-Meta': 'a="1"' }),
      );
      const stream = await stage.open();
      await stage.subscribed(stream);
      await stage.publish(content('%(b)s\n'), content('end %(a)s\n'));
      // The stream goes on, or it ends.
      await stream.untilOrEnd('end 1\n');
      return { text: textOf(stream), end: stream.end };
    },
    differs: differs('unknown-variables', ['text', '', 'end 1\n'], ['end', 'whole', 'open']),
  },
  {
    name: 'var-subst and a percent sign alone',
    run: (stage) =>
      filtered(stage, { filters: '; filter=var-subst', meta: 'a="1"' }, content('5 %(a)s %%d\n')),
  },
  {
    name: 'two filters, of which each has its say',
    run: (stage) =>
      filtered(
        stage,
        { filters: '; filter=skip-self; filter=var-subst', meta: 'user="ann", name="Ann"' },
        content('no %(name)s\n', { meta: { sender: 'ann' } }),
        content('hello %(name)s\n', { meta: { sender: 'bob' } }),
      ),
  },
  {
    name: 'build-id in the body that is held',
    run: (stage) =>
      timedOut(
        stage,
        {
          'Grip-Channel': `${stage.channel}; prev-id=7; filter=build-id`,
          'Grip-Set-Meta': `id_format="v%(${stage.channel})s"`,
        },
        'at %I, 100%%',
      ),
    differs: differs(
      'build-ids',
      ['headers.content-length', '12', '11'],
      ['body', 'at %I, 100%%', 'at v7, 100%'],
    ),
  },
  {
    name: 'build-id in the first body of a stream',
    async run(stage) {
      stage.answers(
        200,
        streamed(stage, {
          'Grip-Channel': `${stage.channel}; prev-id=7; filter=build-id`,
          'Grip-Set-Meta': `id_format="v%(${stage.channel})s"`,
        }),
        'at %I\n',
      );
      const stream = await stage.open();
      await stream.untilOrEnd('\n');
      return { text: textOf(stream) };
    },
    differs: differs('build-ids', ['text', '', 'at v7\n']),
  },
  {
    name: 'an unknown filter is passed over',
    run: (stage) => filtered(stage, { filters: '; filter=polish' }, content('hello\n')),
  },
  {
    name: 'content filters that the client has',
    run: (stage) =>
      filtered(
        stage,
        { filters: '; filter=var-subst', meta: 'a="1"' },
        { 'http-stream': { content: 'a %(a)s\n', 'content-filters': ['var-subst'] } },
      ),
  },
  {
    name: 'content filters that a stream does not have',
    async run(stage) {
      stage.answers(200, streamed(stage), 'first\n');
      const stream = await stage.open();
      await stage.subscribed(stream);
      await stage.publish(
        { 'http-stream': { content: 'filtered\n', 'content-filters': ['var-subst'] } },
        content('end\n'),
      );
      await stream.untilOrEnd('end\n');
      return { text: textOf(stream), end: stream.end };
    },
    differs: differs('content-filters', ['text', 'first\n', 'first\nend\n'], ['end', 'whole', 'open']),
  },
  {
    name: 'skip-self of a held response',
    async run(stage) {
      stage.answers(200, {
        'Content-Type': 'text/plain',
        'Grip-Hold': 'response',
        'Grip-Channel': `${stage.channel}; filter=skip-self`,
        'Grip-Set-Meta': 'user=ann',
      });
      const answer = await stage.publishUntilAnswered(
        stage.open(),
        { 'http-response': { body: 'by ann' }, meta: { sender: 'ann' } },
        { 'http-response': { body: 'by bob' }, meta: { sender: 'bob' } },
      );
      return answer.body;
    },
  },
  {
    name: 'six filters on a channel',
    async run(stage): Promise<Recording> {
      const filters = ['a', 'b', 'c', 'd', 'e', 'var-subst'].map((name) => `; filter=${name}`).join('');
      stage.answers(
        200,
        streamed(stage, { 'Grip-Channel': `${stage.channel}${filters}`, 'Grip-Set-Meta': 'a="1"' }),
        'first\n',
      );
      const stream = await stage.open();
      if (stream.status !== 200) return { status: stream.status };
      await stage.subscribed(stream);
      await stage.publish(content('%(a)s\n'), content('end\n'));
      await stream.until('end\n');
      return { status: 200, text: textOf(stream) };
    },
    differs: differs('filters-max', ['status', 200, 502], ['text', 'first\n1\nend\n', null]),
  },
];
