import type { PresenceList } from '../../channels/index.ts';
import { type Limits, TidegateError } from '../../kernel/index.ts';
import type { ClientInfo, Result } from './protocol.ts';
import { ERROR, failure, protocolErrorOf } from './status.ts';

/** What answers about presence are made of. */
export interface PresenceSource {
  readonly presence: PresenceList<ClientInfo>;
  readonly limits: Limits;
}

/** Who is in a channel, if they are no more than limits.centrifugePresenceMembersMax. Calls back once, now or later. */
export function askMembers(
  { presence, limits }: PresenceSource,
  channel: string,
  done: (result: Result) => void,
): void {
  presence.members(channel, limits.centrifugePresenceMembersMax, (outcome) => {
    if (outcome === 'too_many') done(failure(ERROR.limitExceeded));
    else if (outcome instanceof TidegateError) done(failure(protocolErrorOf(outcome)));
    else done({ method: 'presence', members: outcome });
  });
}

/** How many are in a channel. Calls back once, now or later. */
export function askStats(
  { presence }: PresenceSource,
  channel: string,
  done: (result: Result) => void,
): void {
  presence.stats(channel, (outcome) => {
    if (outcome instanceof TidegateError) done(failure(protocolErrorOf(outcome)));
    else done({ method: 'presence_stats', clients: outcome.clients, users: outcome.users });
  });
}
