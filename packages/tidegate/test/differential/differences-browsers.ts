import type { Difference } from './differences.ts';

/** Why no scenario shows it. */
const BY_HAND = 'the two were compared by hand: the suite speaks neither SockJS nor JSON-P';

/** What routes do for pages of other origins, and for browsers without WebSockets. */
export const BROWSERS = {
  'sockjs-transports': {
    pushpin: 'SockJS has `websocket`, `xhr` and `jsonp`',
    here: 'It has [all transports](sockjs.md) of the protocol, with its types, statuses and cache fields',
    why: 'Streams save requests; the test suite of the protocol asks for them',
    unshown: BY_HAND,
  },
  'sockjs-methods': {
    pushpin: '`jsonp` is taken by POST, too, and `jsonp_send` by GET',
    here: '405',
    why: 'The protocol has neither, and nothing should be sent by a GET',
    unshown: BY_HAND,
  },
  'sockjs-callback': {
    pushpin: 'The query of a `jsonp` request goes on with the name of the callback (1.36)',
    here: 'Without it',
    why: 'It is about the answer, and not for the origin',
    unshown: BY_HAND,
  },
  'sockjs-backlog': {
    pushpin: 'A SockJS client whose messages nobody fetched is dropped beyond 200,000 bytes',
    here: 'The origin is not read, and channels are read from the log later',
    why: 'A client that polls slowly has done nothing wrong',
    unshown: BY_HAND,
  },
  'sockjs-path': {
    pushpin:
      'Without `sockjs_as_path`, the origin is asked for `/sockjs/websocket` by WebSockets and for `/sockjs` by all others',
    here: 'For `/sockjs/websocket` by all',
    why: 'The origin is the same',
    unshown: BY_HAND,
  },
  'sockjs-prefix': {
    pushpin: '`sockjs=/a` takes `/ab`, too',
    here: '`/a` and what is below it',
    why: 'As everywhere in [routes](routes.md)',
    unshown: BY_HAND,
  },
  preflights: {
    pushpin: 'Only the answer of the origin decides about a preflight of `aco`',
    here: 'One that the origin refuses without any word on origins is answered with 204',
    why: 'Otherwise `aco` helps only origins that know CORS already',
    unshown: BY_HAND,
  },
  vary: {
    pushpin: '`aco` has no `Vary`',
    here: '`Vary: Origin`',
    why: 'A cache would give one page what another may read',
    unshown: BY_HAND,
  },
  'callback-names': {
    pushpin: 'A JSON-P `callback` may be any text',
    here: 'It has to be the name of a function',
    why: 'Who follows a link would run what the link says',
    unshown: BY_HAND,
  },
  'basic-bodies': {
    pushpin: 'In basic mode the body is run as a script, whatever it is',
    here: 'Only if it is JSON; else it is a string',
    why: 'The same',
    unshown: BY_HAND,
  },
  'jsonp-cookies': {
    pushpin: 'JSON-P tells scripts of `Set-Cookie`, and lets `_headers` set `Cookie`',
    here: 'Neither; the browser gets the cookie',
    why: 'Browsers keep cookies from scripts for a reason',
    unshown: BY_HAND,
  },
  'route-channels': {
    pushpin: '`sub` is said of a target',
    here: '`grip.channels` is said of the route',
    why: 'Clients do not depend on which target is well',
    unshown: BY_HAND,
  },
} as const satisfies Readonly<Record<string, Difference>>;
