export { type LiveAddress, liveFields } from './discovery.ts';
export { DEFAULT_VARY_BY } from './identity.ts';
export { LiveRoutes, type LiveRoutesOptions } from './live-routes.ts';
export type {
  FetchOrigin,
  JsonDiff,
  LiveMode,
  LiveRoute,
  OriginCallback,
  OriginFields,
  OriginOf,
  OriginRequest,
  OriginResponse,
  RoutedPath,
} from './port.ts';
