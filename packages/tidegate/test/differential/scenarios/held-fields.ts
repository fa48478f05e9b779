import { answerOf } from '../recording.ts';
import { differs, type Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { answered, held, item, timedOut } from './response-holds.ts';

/** Status and fields of held responses, and of what is published to them. */
export const HELD_FIELDS: readonly Scenario[] = [
  {
    name: 'a published status, reason and fields',
    run: (stage) =>
      answered(
        stage,
        { 'X-Held': '1', 'X-Both': 'held' },
        'held',
        item({
          code: 201,
          reason: 'Made',
          headers: { 'X-Both': 'published', 'X-New': 'n', 'Content-Type': 'application/json' },
          body: '{}',
        }),
      ),
  },
  {
    name: 'published fields as pairs, with a repeated one',
    run: (stage) =>
      answered(
        stage,
        {},
        'held',
        item({
          headers: [
            ['Set-Cookie', 'a=1'],
            ['Set-Cookie', 'b=2'],
          ],
          body: 'news',
        }),
      ),
  },
  {
    name: 'a published status as a string',
    run: (stage) => answered(stage, {}, 'held', item({ code: '202', body: 'news' })),
  },
  {
    name: 'the time-out answers with what is held',
    run: (stage) => timedOut(stage, { 'X-Held': '1', ETag: '"1"' }),
  },
  {
    name: 'Grip-Status is the status of what is held',
    run: (stage) => timedOut(stage, { 'Grip-Status': '304 Not Modified' }, ''),
  },
  {
    name: 'Grip-Status without a reason',
    run: (stage) => timedOut(stage, { 'Grip-Status': '404' }),
  },
  {
    name: 'the status of the origin is that of what is held',
    async run(stage) {
      stage.answers(404, held(stage, { 'Grip-Timeout': '5' }), 'nothing yet');
      return answerOf(await stage.request());
    },
  },
  {
    name: 'Grip-Expose-Headers of an instruction',
    run: (stage) =>
      answered(
        stage,
        { 'Grip-Expose-Headers': 'X-Shown', 'X-Shown': '1', 'X-Hidden': '1' },
        'held',
        item({ body: 'news' }),
      ),
  },
  {
    name: 'Grip-Expose-Headers of what is published',
    run: (stage) =>
      answered(
        stage,
        { 'X-Held': '1' },
        'held',
        item({ headers: { 'Grip-Expose-Headers': 'X-One', 'X-One': '1', 'X-Two': '2' }, body: 'news' }),
      ),
    differs: differs(
      'exposed-fields',
      ['headers.content-type', 'text/plain', null],
      ['headers.x-held', '1', null],
      ['headers.x-two', '2', null],
      ['headers.x-one', null, '1'],
    ),
  },
  ...[204, 304].map((code) => ({
    name: `a published ${code}, which has no body`,
    run: (stage: Stage) => answered(stage, {}, 'held', item({ code, body: '' })),
  })),
  {
    name: 'published fields of framing',
    run: (stage) =>
      answered(
        stage,
        {},
        'held',
        item({ headers: { 'Content-Length': '2', 'Keep-Alive': 'timeout=1', 'X-A': '1' }, body: 'news' }),
      ),
  },
];
