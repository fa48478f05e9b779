/** What is to be asked again: the origin of one WebSocket, by the id of its connection, or those of all WebSockets in a channel. */
export type RefreshTarget = { readonly id: string } | { readonly channel: string };

/** Whether there was such a connection; for a channel, any. */
export type RefreshOutcome = 'found' | 'not_found';

/** What one process of the server knows of those whom GRIP holds in it, and what it can do to them. */
export interface GripProcess {
  /** How many subscriptions there are for what is published to a channel, by any protocol. */
  count(channel: string): number;
  /** Those of these ids that connections have which are open. */
  connected(ids: readonly string[]): readonly string[];
  refresh(target: RefreshTarget): RefreshOutcome;
  /** Asks origins by the next links of all streams for what may have been missed. */
  recover(): void;
}

/** The same over all processes of the server. A process that is gone, or does not answer in time, has nobody. */
export interface GripProcesses {
  connected(ids: readonly string[], done: (live: readonly string[]) => void): void;
  refresh(target: RefreshTarget, done: (outcome: RefreshOutcome) => void): void;
  recover(): void;
}

/** The subscriptions of the processes that this one is not. */
export interface OtherReceivers {
  /**
   * Counts those for what is published to these channels. Whatever is stored after the call is not delivered in the others before they have counted.
   * @param done gets the counts in the order of the channels
   */
  count(channels: readonly string[], done: (counts: readonly number[]) => void): void;
}
