import type { Presence } from '../../channels/index.ts';

/**
 * Lists a connection as present in a channel, over all processes of the server and all protocols.
 * @returns what ends it; further calls do nothing
 */
export type ListPresent = (channel: string, who: Presence) => () => void;
