import type { Scenario } from '../scenario.ts';
import { CONTROL_REQUESTS } from './control-requests.ts';
import { FILTERS } from './filters.ts';
import { HELD_FIELDS } from './held-fields.ts';
import { HOLD_INSTRUCTIONS } from './hold-instructions.ts';
import { INSTRUCT_BODIES } from './instruct-bodies.ts';
import { KEEP_ALIVES } from './keep-alives.ts';
import { NATIVE_SOCKETS } from './native-sockets.ts';
import { ORDER_OF_ITEMS } from './order-of-items.ts';
import { OVER_HTTP_ENDS } from './over-http-ends.ts';
import { OVER_HTTP_SOCKETS } from './over-http-sockets.ts';
import { PLAIN_ANSWERS } from './plain-answers.ts';
import { RECOVERY } from './recovery.ts';
import { REQUESTS } from './requests.ts';
import { RESPONSE_HOLDS } from './response-holds.ts';
import { SOCKET_CHANNELS } from './socket-channels.ts';
import { SOCKET_CLOSES } from './socket-closes.ts';
import { SOCKET_CONTROLS } from './socket-controls.ts';
import { STREAM_HOLDS } from './stream-holds.ts';

/** All scenarios. Those that wait for time-outs come first, as the others go on beside them. */
export const SCENARIOS: readonly Scenario[] = [
  ...RECOVERY,
  ...ORDER_OF_ITEMS,
  ...OVER_HTTP_ENDS,
  ...HELD_FIELDS,
  ...RESPONSE_HOLDS,
  ...HOLD_INSTRUCTIONS,
  ...INSTRUCT_BODIES,
  ...STREAM_HOLDS,
  ...KEEP_ALIVES,
  ...CONTROL_REQUESTS,
  ...FILTERS,
  ...NATIVE_SOCKETS,
  ...SOCKET_CHANNELS,
  ...SOCKET_CONTROLS,
  ...SOCKET_CLOSES,
  ...OVER_HTTP_SOCKETS,
  ...REQUESTS,
  ...PLAIN_ANSWERS,
];
