import { test } from 'node:test';
import { killLoop } from './kill-loop.ts';

test('through 200 kills while publishing, every acknowledged record is there once (seed 2)', () =>
  killLoop(200, 2));
