import type { Access, Identity } from '../../access/port.ts';
import type { PresenceList } from '../../channels/index.ts';
import type { Clock, Limits, Random } from '../../kernel/index.ts';
import type { ClientMetrics } from './client-metrics.ts';
import type { ClientRegistry } from './clients.ts';
import type { Format } from './format.ts';
import type { ClientInfo, Payload } from './protocol.ts';
import type { ProtocolError } from './status.ts';

/** Answers what clients call by name. Calls back once, now or later. */
export type RpcHandler = (
  call: { readonly method: string; readonly data: Payload | null; readonly info: ClientInfo },
  done: (answer: Payload | ProtocolError | null) => void,
) => void;

/** What all sessions of one format share. */
export interface SessionContext {
  /**
   * A session asks the identity itself what it may do, and takes the channels with nothing but its limits, since a subscription outlives
   * the token that it was begun with once the client has refreshed it, and may rest on a token of its own.
   */
  readonly access: Access;
  readonly presence: PresenceList<ClientInfo>;
  readonly clients: ClientRegistry;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: Limits;
  readonly figures: ClientMetrics;
  readonly format: Format;
  /** What clients are told of the server's version, such as `0.1.0`. */
  readonly version: string;
  /** Null answers every call with 108, not available. */
  readonly rpc: RpcHandler | null;
}

/** In how many whole seconds something ends, at least 1; 0 if it does not. */
export function ttlSeconds({ expiresMs }: Pick<Identity, 'expiresMs'>, clock: Clock): number {
  if (expiresMs === Number.POSITIVE_INFINITY) return 0;
  return Math.max(1, Math.ceil((expiresMs - clock.nowMs()) / 1000));
}
