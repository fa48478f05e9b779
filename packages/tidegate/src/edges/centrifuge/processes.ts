import type { Buffer } from 'node:buffer';
import type { TidegateError } from '../../kernel/index.ts';
import type { ClientAction } from './client-action.ts';

/** What /api/info says of one process, with Centrifugo's names. */
export interface NodeDescription {
  readonly uid: string;
  readonly name: string;
  readonly version: string;
  readonly num_clients: number;
  readonly num_users: number;
  readonly num_subs: number;
  readonly num_channels: number;
}

/** The connections of one process, for those who want something of them. */
export interface ProcessConnections {
  /** Names the process to clients. Unique. */
  readonly node: string;
  /** Calls back when it is done to all of them. */
  act(action: ClientAction, done: () => void): void;
  describe(): NodeDescription;
  /** Takes commands of a client whose connection only goes one way. Returns whether it is of this process. */
  emulate(session: string, commands: Buffer): boolean;
}

/** What came of commands that were handed to another process. */
export type EmulationOutcome = 'taken' | 'unknown_session' | TidegateError;

/**
 * The other processes of the server. What is asked of them is asked in the order of the calls. One that does not answer within
 * limits.workerAnswerTimeoutMs, or ends, is left out.
 */
export interface OtherProcesses {
  /** Lets the others ask this process. To be called once, before there are connections. */
  attach(own: ProcessConnections): void;
  /** Calls back once they have acted. */
  act(action: ClientAction, done: () => void): void;
  describe(done: (nodes: readonly NodeDescription[]) => void): void;
  /**
   * Hands over commands, to the process that has this name. Those of one session keep their order. Errors: worker_overloaded if more than
   * limits.centrifugeForwardedBytesMax wait to be taken; worker_unavailable.
   */
  emulate(node: string, session: string, commands: Buffer, done: (outcome: EmulationOutcome) => void): void;
}
