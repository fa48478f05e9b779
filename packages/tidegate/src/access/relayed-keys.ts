import { type Line, type Logger, lineJson, readLineJson } from '../kernel/index.ts';
import { type KeySource, readKeySet, type VerificationKeys } from './key-source.ts';
import type { RemoteKeys } from './remote-keys.ts';

/*
 * Only the owner asks an issuer for its keys; the workers have them from the owner, on the subject `issuers`.
 */

interface KeysQuestion {
  readonly issuer: string;
  /** Whether a token names a key that is not among those that the worker has. */
  readonly looksFor: 'any keys' | 'another key';
}

interface KeysNews {
  readonly issuer: string;
  /** The JWK Set; empty if none is known. */
  readonly text: string;
}

/** Tells a worker the key sets of issuers: when it asks, and whenever there is another one. */
export function serveIssuers(line: Line, issuers: ReadonlyMap<string, RemoteKeys>): void {
  for (const [issuer, keys] of issuers) {
    const forget = keys.onText((text) => line.tell('issuers', lineJson({ issuer, text } satisfies KeysNews)));
    line.onClosed(forget);
  }
  line.onAsked('issuers', (message, answer) => {
    const { issuer, looksFor } = readLineJson<KeysQuestion>(message);
    const keys = issuers.get(issuer);
    const reply = (): void => answer(lineJson({ issuer, text: keys?.text ?? '' } satisfies KeysNews));
    // The rules against storms are the owner's: it decides whether the issuer is asked.
    if (keys === undefined || (looksFor === 'any keys' && keys.current !== null)) reply();
    else void keys.refresh().then(reply);
  });
}

/** A worker's end of the line on which the key sets of issuers come. */
export class KeyRelay {
  readonly #line: Line;
  readonly #logger: Logger;
  readonly #byIssuer = new Map<string, RelayedKeys>();

  constructor(line: Line, logger: Logger) {
    this.#line = line;
    this.#logger = logger;
    line.onTold('issuers', (message) => {
      const { issuer, text } = readLineJson<KeysNews>(message);
      this.#byIssuer.get(issuer)?.adopt(text);
    });
  }

  /** The keys of an issuer, by its name in the config file. */
  keysOf(issuer: string): KeySource {
    const keys = new RelayedKeys(this.#line, this.#logger, issuer);
    this.#byIssuer.set(issuer, keys);
    return keys;
  }
}

/** An issuer's keys, as the owner has them. */
class RelayedKeys implements KeySource {
  readonly #line: Line;
  readonly #logger: Logger;
  readonly #issuer: string;
  #current: VerificationKeys | null = null;
  #text = '';
  #underWay: Promise<boolean> | null = null;

  constructor(line: Line, logger: Logger, issuer: string) {
    this.#line = line;
    this.#logger = logger;
    this.#issuer = issuer;
    void this.#ask('any keys');
  }

  get current(): VerificationKeys | null {
    return this.#current;
  }

  refresh(): Promise<boolean> {
    return this.#underWay ?? this.#ask(this.#current === null ? 'any keys' : 'another key');
  }

  close(): void {}

  /** Takes over a set. Returns whether it is another one. */
  adopt(text: string): boolean {
    if (text === '' || text === this.#text) return false;
    try {
      this.#current = { kind: 'set', set: readKeySet(text) };
    } catch (error) {
      this.#logger.warn(
        { issuer: this.#issuer, error },
        "An issuer's keys came damaged from another process",
      );
      return false;
    }
    this.#text = text;
    return true;
  }

  #ask(looksFor: KeysQuestion['looksFor']): Promise<boolean> {
    const before = this.#text;
    const question = lineJson({ issuer: this.#issuer, looksFor } satisfies KeysQuestion);
    this.#underWay = new Promise((resolve) => {
      this.#line.ask('issuers', question, (error, answer) => {
        this.#underWay = null;
        if (error === null) this.adopt(readLineJson<KeysNews>(answer).text);
        // It may have been told before it was answered.
        resolve(this.#text !== before);
      });
    });
    return this.#underWay;
  }
}
