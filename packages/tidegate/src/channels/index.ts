export { DEFAULT_TOPIC } from './channel-map.ts';
export { hasWildcard } from './channel-name.ts';
export { looksLikeCursor, type StreamPosition, singlePosition } from './cursor.ts';
export { ForwardedPublisher, servePublishes } from './forwarded-publisher.ts';
export { Hub, type HubOptions } from './hub.ts';
export {
  writeJsonBase64,
  writeJsonOnOneLine,
  writeJsonString,
  writeJsonStringOfUtf8,
} from './json-text.ts';
export { type JsonEnvelope, writeExpiringJson, writeGapJson, writeMessageJson } from './message-json.ts';
export { matchesPattern } from './pattern.ts';
export type {
  Channels,
  EndReason,
  EventPublisher,
  Footing,
  FrameEncoder,
  Gap,
  GapReason,
  HubEndReason,
  Message,
  PublishCallback,
  PublishedEvent,
  PublishReceipt,
  Receivers,
  Sink,
  SlowPolicy,
  StartPosition,
  SubscribeRequest,
  Subscription,
} from './port.ts';
export { parsePosition } from './position.ts';
export type {
  ChannelList,
  Presence,
  PresenceCounts,
  PresenceForm,
  PresenceList,
  PresenceListener,
  PresenceStats,
  PresenceVisibility,
} from './presence.ts';
export { PresenceRegistry } from './presence-registry.ts';
export { RemotePresence } from './remote-presence.ts';
export { servePresence } from './serve-presence.ts';
