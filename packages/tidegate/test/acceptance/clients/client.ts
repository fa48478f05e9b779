import type { DeliveryRecord } from '../delivery-record.ts';

/** What a client is to subscribe to. */
export interface Subscription {
  /** The public address of the server. */
  readonly url: string;
  /** A channel or a pattern. */
  readonly pattern: string;
  readonly record: DeliveryRecord;
}

/** A client that is running. It connects again, from its last cursor, until it is closed. */
export interface RunningClient {
  close(): Promise<void> | void;
}

/** Starts a client that somebody else wrote, with the few lines of code that its users write around it. */
export type Client = (subscription: Subscription) => RunningClient;

/** How long the clients that do not connect again by themselves wait before they do. */
export const RECONNECT_MS = 100;

/** The address of a subscription: from the last cursor, or from the first message there is. */
export function subscriptionUrl(
  {
    url,
    pattern,
    record,
  }: Omit<Subscription, 'record'> & { readonly record: Pick<DeliveryRecord, 'cursor'> },
  parameters: Readonly<Record<string, string>> = {},
): string {
  const path = pattern.split('/').map(encodeURIComponent).join('/');
  const query = new URLSearchParams({ ...parameters, from: record.cursor || 'earliest' });
  return `${url}/v1/channels/${path}?${query}`;
}
