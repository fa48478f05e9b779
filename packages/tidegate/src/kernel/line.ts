import { Buffer } from 'node:buffer';
import type { TidegateError } from './errors.ts';

/** What processes of a server say to each other on a line. Each subject belongs to one folder, which gives its messages their form. */
export const LINE_SUBJECTS = [
  /** Start, readiness, figures, end: `workers/`. */
  'life',
  /** Topics and how far they go: `log/`. */
  'log',
  /** Events on their way to the log: `channels/`. */
  'publish',
  /** Who is in which channel: `channels/`. */
  'presence',
  /** Keys, revocations, and the prefixes of topics: main. */
  'rules',
  /** How much of its limits somebody has used: `access/`. */
  'usage',
  /** Failed attempts to guess a credential: `access/`. */
  'attempts',
  /** The key sets of issuers: `access/`. */
  'issuers',
  /** Connections of the Centrifuge protocol that are elsewhere: `edges/centrifuge`. */
  'centrifuge',
  /** What clients of GRIP sessions have: `gateway/grip-sessions`. */
  'sessions',
  /** What has been taken out of the cache of the gateway: `gateway/cache`. */
  'purge',
  /** What the owner polls for live routes: `gateway/live`. */
  'live',
  /** Those whom GRIP holds, and who is told what of them: `gateway/grip-processes`. */
  'grip',
  /** Requests of SockJS sessions, which are all in one process: `gateway/sockjs`. */
  'sockjs',
] as const;

export type LineSubject = (typeof LINE_SUBJECTS)[number];

/** Called once: with the error, or with the answer, whose bytes are the callee's to keep. */
export type LineAnswer = (error: TidegateError | null, answer: Buffer) => void;

/**
 * One of two ends between the owner of the log and a worker, which are processes. What is told and asked arrives in the order of the calls,
 * whatever its subject; so do answers, in the order in which they are given. Nothing arrives before the call that sends it returns.
 */
export interface Line {
  /** Which process is at the other end: 0 is the owner, workers count from 1. A worker that takes a dead one's place has another number. */
  readonly peer: number;
  /** Says something that needs no answer. Lost if the other end is gone. The bytes are copied. */
  tell(subject: LineSubject, message: Uint8Array): void;
  /** Asks something; the bytes are copied. Errors: what the other end answered with, or worker_unavailable if it is gone. */
  ask(subject: LineSubject, question: Uint8Array, done: LineAnswer): void;
  /** Takes what is told of a subject from now on; one taker each. The bytes are the taker's to keep. What it throws ends the line. */
  onTold(subject: LineSubject, take: (message: Buffer) => void): void;
  /** Answers what is asked of a subject from now on; `answer` is to be called once, now or later. What `take` throws is an answer, too. */
  onAsked(
    subject: LineSubject,
    take: (question: Buffer, answer: (answer: Uint8Array | TidegateError) => void) => void,
  ): void;
  /** Called once when the other end is gone. Questions that are open have been answered with worker_unavailable before. */
  onClosed(listener: () => void): void;
}

/** The owner's lines to its workers. */
export interface Lines {
  /** Calls back for every worker that comes from now on, before anything of it arrives. */
  onLine(listener: (line: Line) => void): void;
}

/** A message as JSON, for what is said so rarely that its form may be read by people. */
export function lineJson(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** What `lineJson` made. Both ends are of one version, so that its form is known. */
export function readLineJson<Value>(message: Buffer): Value {
  return JSON.parse(message.toString('utf8')) as Value;
}
