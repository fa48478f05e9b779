import { answerOf, failureOf } from '../recording.ts';
import { REFUSED, type Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { held, item } from './response-holds.ts';

const TEXT = { 'Content-Type': 'text/plain' };

/** Instructions that cannot be followed, or say nothing of holding. */
export const HOLD_INSTRUCTIONS: readonly Scenario[] = [
  {
    name: 'a hold without channels',
    async run(stage) {
      stage.answers(200, { ...TEXT, 'Grip-Hold': 'response', 'Grip-Timeout': '5' }, 'held');
      return failureOf(await stage.request());
    },
  },
  {
    name: 'a mode of holding that does not exist',
    async run(stage) {
      stage.answers(200, held(stage, { 'Grip-Hold': 'forever' }), 'held');
      return failureOf(await stage.request());
    },
    differs: REFUSED,
  },
  ...[
    ['a time-out that is no number', 'Grip-Timeout', 'soon'],
    ['a time-out below zero', 'Grip-Timeout', '-1'],
    ['a status that is no number', 'Grip-Status', 'Fine'],
  ].map(([name, field, value]) => ({
    name,
    async run(stage: Stage) {
      stage.answers(200, held(stage, { 'Grip-Timeout': '5', [field]: value }), 'held');
      return failureOf(await stage.request());
    },
    differs: REFUSED,
  })),
  {
    name: 'other Grip fields without a hold',
    async run(stage) {
      stage.answers(
        200,
        { ...TEXT, 'Grip-Channel': stage.channel, 'Grip-Set-Meta': 'user="ann"', 'Content-Length': '5' },
        'plain',
      );
      return answerOf(await stage.request());
    },
  },
  {
    name: 'Grip-Status without a hold',
    async run(stage) {
      stage.answers(200, { ...TEXT, 'Grip-Status': '404 Gone Away', 'Content-Length': '5' }, 'plain');
      return answerOf(await stage.request());
    },
  },
  {
    name: 'a held body with a Content-Encoding',
    async run(stage) {
      stage.answers(200, held(stage, { 'Content-Encoding': 'x-secret' }), 'held');
      const open = stage.open();
      // Only one of the two holds it; the other answers at once.
      const answer = await stage.publishUntilAnswered(open, item({ body: 'news' }));
      return failureOf(answer);
    },
    differs: REFUSED,
  },
  {
    name: 'a held body that is too long',
    async run(stage) {
      stage.answers(200, held(stage, { 'Grip-Timeout': '5' }), 'x'.repeat(2_000_000));
      return failureOf(await stage.request());
    },
    differs: REFUSED,
  },
];
