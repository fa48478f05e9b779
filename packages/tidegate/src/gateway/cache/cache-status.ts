/** Why a request went on to the origin (RFC 9211, section 2.2). */
export type ForwardReason = 'bypass' | 'method' | 'uri-miss' | 'vary-miss' | 'request' | 'stale' | 'partial';

/** What Cache-Status tells of a response that came for a request (RFC 9211, section 2). */
export interface FetchedStatus {
  /** Whether the request went to the origin itself, or waited for one that did. */
  readonly role: 'leader' | 'follower';
  readonly storing: 'stored' | 'not-stored';
  /** How long the response is still fresh, in whole seconds; negative if it is stale. */
  readonly ttlSeconds: number;
  /** What the origin answered, where the client gets another status. */
  readonly originStatus: number | undefined;
}

/** The name by which this cache is known in Cache-Status. */
const NAME = 'tidegate';

/** A response that was served without asking the origin. */
export const hitStatus = (ttlSeconds: number): string => `${NAME}; hit; ttl=${ttlSeconds}`;

/** A response for which the origin was asked. */
export function fetchedStatus(
  reason: ForwardReason,
  { role, storing, ttlSeconds, originStatus }: FetchedStatus,
): string {
  let text = asked(reason, originStatus);
  text += `; ttl=${ttlSeconds}`;
  if (storing === 'stored') text += '; stored';
  if (role === 'follower') text += '; collapsed';
  return text;
}

/** A stale response that stands in for an origin that has failed. */
export function standInStatus(
  reason: ForwardReason,
  ttlSeconds: number,
  originStatus: number | undefined,
): string {
  return `${asked(reason, originStatus)}; ttl=${ttlSeconds}; detail=stale-if-error`;
}

function asked(reason: ForwardReason, originStatus: number | undefined): string {
  const status = originStatus === undefined ? '' : `; fwd-status=${originStatus}`;
  return plainForwardStatus(reason) + status;
}

/** Nothing was stored, and the client did not want the origin to be asked. */
export const UNAVAILABLE_STATUS: string = `${NAME}; detail=only-if-cached`;

const FORWARDED: Readonly<Record<ForwardReason, string>> = {
  bypass: `${NAME}; fwd=bypass`,
  method: `${NAME}; fwd=method`,
  'uri-miss': `${NAME}; fwd=uri-miss`,
  'vary-miss': `${NAME}; fwd=vary-miss`,
  request: `${NAME}; fwd=request`,
  stale: `${NAME}; fwd=stale`,
  partial: `${NAME}; fwd=partial`,
};

/** A request that went on, with nothing more to tell: written once. */
export const plainForwardStatus = (reason: ForwardReason): string => FORWARDED[reason];
