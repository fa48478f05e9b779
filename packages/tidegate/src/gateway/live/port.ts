import type { Buffer } from 'node:buffer';
import type { TidegateError } from '../../kernel/index.ts';

/** Header fields in order: names in lower case. */
export type OriginFields = readonly (readonly [name: string, value: string])[];

/** What is asked of an origin: a GET of this target, in origin form. */
export interface OriginRequest {
  readonly target: string;
  /** With the `host` that the clients named. */
  readonly headers: OriginFields;
}

/** What an origin answered, whole. */
export interface OriginResponse {
  readonly status: number;
  readonly headers: OriginFields;
  readonly body: Buffer;
}

/** Exactly one of the two is null. */
export type OriginCallback = (error: TidegateError | null, response: OriginResponse | null) => void;

/**
 * Asks the origin of a route. `done` is called once, possibly before this returns, and not after `abort`; nothing is thrown. Bodies
 * are bounded by whoever gives this function; past that bound the error is body_too_large. It is kept as long as the value, so it
 * should not hold on to an exchange.
 */
export type FetchOrigin = (request: OriginRequest, done: OriginCallback) => { abort(): void };

/** Where on a route a value is. */
export interface RoutedPath {
  /** The same object as long as nothing about the route has changed. */
  readonly rules: object;
  /** The path of the route, as it is written there. */
  readonly pattern: string;
  /** The path of the value, as the route matched it. */
  readonly path: string;
}

/** How to ask the origin of a route for a path that it matches; null if there is no such route, or one with another pattern. */
export type OriginOf = (route: string, path: RoutedPath) => FetchOrigin | null;

/** How subscribers learn of a change: by a JSON patch (RFC 6902), or by the whole new value. */
export type LiveMode = 'patch' | 'value';

/** What is live about a route. */
export interface LiveRoute {
  /** Names the route among all; for the log, and so that two routes never share a value. */
  readonly name: string;
  /** From the start of one poll to that of the next, in milliseconds. At least `limits.liveShortestIntervalMs`. */
  readonly everyMs: number;
  readonly mode: LiveMode;
  /**
   * Request headers, in lower case, that the value depends on: requests that differ in one share neither value nor polls, and polls
   * carry it. Default: `DEFAULT_VARY_BY`. An empty list shares what the origin sends to everybody alike.
   */
  readonly varyBy?: readonly string[] | undefined;
}

/** The operations (RFC 6902, section 4) that make `after` of `before`; none if they are equal. May throw on what it cannot compare. */
export type JsonDiff = (before: unknown, after: unknown) => readonly unknown[];
