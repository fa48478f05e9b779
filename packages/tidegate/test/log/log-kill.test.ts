import { test } from 'node:test';
import { killLoop } from './kill-loop.ts';

test('through 5 kills while publishing, every acknowledged record is there once (seed 1)', () =>
  killLoop(5, 1));
