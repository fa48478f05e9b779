import type { Buffer } from 'node:buffer';
import { lineJson, readLineJson } from '../../kernel/index.ts';
import type { GripProcess, RefreshTarget } from './port.ts';

/** What the owner of the log asks a worker. */
export type ProcessQuestion =
  | { readonly ask: 'counts'; readonly channels: readonly string[] }
  | { readonly ask: 'connected'; readonly ids: readonly string[] }
  | { readonly ask: 'refresh'; readonly target: RefreshTarget };

/** What it tells a worker that is to look after everybody who waits. */
export const RECOVER = lineJson('recover');

/** What a worker tells once it answers. */
export const READY = lineJson('ready');

/** Answers as the process that it is asked of. */
export function answerOf(own: GripProcess, message: Buffer): Buffer {
  const question = readLineJson<ProcessQuestion>(message);
  switch (question.ask) {
    case 'counts':
      return lineJson(question.channels.map((channel) => own.count(channel)));
    case 'connected':
      return lineJson(own.connected(question.ids));
    case 'refresh':
      return lineJson(own.refresh(question.target));
  }
}
