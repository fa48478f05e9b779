import type { ListPresent } from '../../../src/gateway/grip-presence/port.ts';

/** Writes down who joins and leaves, a line each. */
export class WrittenList {
  readonly lines: string[] = [];
  readonly clients = new Set<string>();

  readonly list: ListPresent = (channel, { user, client }) => {
    this.clients.add(client);
    this.lines.push(`${user} joins ${channel}`);
    return () => this.lines.push(`${user} leaves ${channel}`);
  };

  /** What was written since the last call. */
  take(): string[] {
    return this.lines.splice(0);
  }
}
