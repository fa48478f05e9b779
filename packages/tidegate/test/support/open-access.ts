import { Certificates } from '../../src/access/certificates.ts';
import { Gate, NO_RULES } from '../../src/access/index.ts';
import { Tokens } from '../../src/access/tokens.ts';
import type { Channels } from '../../src/channels/index.ts';
import { noMetrics, resolveLimits, systemClock } from '../../src/kernel/index.ts';

/** Access of a server without credentials: everybody may do everything. */
export function openAccess(channels: Channels): Gate {
  return new Gate({
    channels,
    clock: systemClock,
    limits: resolveLimits(),
    metrics: noMetrics,
    tokens: new Tokens(systemClock, []),
    certificates: new Certificates({}),
    anonymous: null,
    openWithoutCredentials: true,
    closed: () => {},
    rules: NO_RULES,
  });
}
