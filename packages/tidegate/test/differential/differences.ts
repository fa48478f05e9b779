import { BROWSERS } from './differences-browsers.ts';

/**
 * What is different from Pushpin, and why: the tables of docs/pushpin.md are made of this (`npm run docs`), and every row has a
 * scenario that shows it on both sides, or says why none can.
 */
export interface Difference {
  readonly pushpin: string;
  readonly here: string;
  readonly why: string;
  /** Why no scenario shows it. */
  readonly unshown?: string;
}

const NO_STATE_SERVER = 'it takes a state server, which is no part of Pushpin';

/** What an origin instructs, and what becomes of those who are held. */
export const HOLDS = {
  'kept-items': {
    pushpin: 'An item is gone when it was delivered',
    here: 'It is a record in [the log](log.md)',
    why: 'Who comes back reads on; a restart loses nothing that was acknowledged',
  },
  'known-ids': {
    pushpin:
      '`prev-id` is compared with the last id, which is forgotten when nobody is subscribed; anything else asks the origin',
    here: 'The item is looked for among the latest of the channel',
    why: 'An origin is asked when something was missed, and not for what is still known',
  },
  'had-already': {
    pushpin: 'An item that the client has already makes the gateway ask the origin',
    here: 'It is passed over',
    why: 'There is nothing to recover',
  },
  'no-next-link': {
    pushpin: '`prev-id` on a stream without a next link ends it',
    here: 'It ends only if something was missed',
    why: 'Most clients that come back have missed little, and the log has it',
  },
  'first-subscriber': {
    pushpin:
      'The first subscriber of a channel has its next link fetched after a second; a long-poll asks the origin twice',
    here: 'Nothing is fetched because somebody came',
    why: 'What was published between answer and subscription is in the log',
  },
  'link-queries': {
    pushpin: 'Next links with one path and `Grip-Last` are one request, whatever their query',
    here: 'The whole URI has to be the same',
    why: 'The query decides what is answered: other clients got the channels of the first',
  },
  'unnumbered-items': {
    pushpin: 'An item without an id has none, and `Grip-Last` does not speak of it',
    here: 'It gets an id, which its publisher is told, and which `Grip-Last` names',
    why: 'An origin that gives it back as `prev-id` is given exactly what came after it',
  },
  'slow-clients': {
    pushpin:
      'What does not fit is dropped: beyond 100 items for a slow stream, behind a message that fills the buffer of a WebSocket. A debug log tells',
    here: 'Slow clients read on from the log; how many are behind is a metric',
    why: 'What was published is owed to everybody',
  },
  'delivery-rate': {
    pushpin: '2,500 deliveries a second by default, 25,000 waiting; the rest is dropped',
    here: 'No such limit',
    why: 'One item for 10,000 clients would lose most of them',
    unshown: 'it takes ten thousand clients',
  },
  'channels-max': {
    pushpin: 'Channels beyond 20 of a connection are left out, which a debug log tells',
    here: 'Beyond `limits.gripChannelsMax` (100) the instruction is refused',
    why: 'A client that is not subscribed to what it was promised is a fault that nobody finds',
  },
  'filters-max': {
    pushpin: '1.36 takes any number of filters for a channel, later versions the first 5',
    here: 'Beyond `limits.gripFiltersMax` (5) the instruction is refused',
    why: 'Each item goes through all of them, for each client',
  },
  patterns: {
    pushpin: '`#` in the name of a channel is a character',
    here: '`orders/#` is a [pattern](resume.md)',
    why: 'One subscription for a tree of channels',
  },
  'quoted-channels': {
    pushpin: 'The name of a quoted channel has the quotes in it',
    here: 'They are taken off',
    why: 'So it is with every other value of the fields of GRIP',
  },
  'unreadable-values': {
    pushpin:
      'Base64 that is none is what could be read of it, a time-out that is no number the usual one; a status that is none gives an answer that is no HTTP',
    here: '502, with a detail that names the member',
    why: 'Nobody means to send that',
  },
  'missing-bodies': {
    pushpin: 'The `response` of an instruction in JSON has to have a body',
    here: 'One without has an empty one',
    why: 'A redirect needs none',
  },
  'repeated-posts': {
    pushpin:
      'A request with a body that has to be made again (a hint, something missed) is made again with its body',
    here: 'Only GET and HEAD without a body are; others are answered with what is held',
    why: 'Bodies pass through, and are not kept; a POST that is made twice may act twice',
  },
  'closed-responses': {
    pushpin: '`close` does nothing to a held response',
    here: 'It is answered with what is held',
    why: 'The publisher has said that nothing more comes',
  },
  'unfitting-patches': {
    pushpin: 'A patch that does not apply to what is held is answered with 502',
    here: 'The origin is asked again',
    why: 'It knows what the client should have',
  },
  'unknown-variables': {
    pushpin: 'A variable that a client does not have ends its stream, or drops the item without a word',
    here: 'The item is kept from this client, and counted',
    why: "One client's missing value is no reason to end a stream",
  },
  'content-filters': {
    pushpin:
      'An item that was written for other filters than those of a client ends its hold as a failure; later versions drop the item without a word',
    here: 'The item is kept from this client, and counted',
    why: 'It may be for others',
  },
  'build-ids': {
    pushpin:
      '`build-id` leaves a held body as it is, and the first body of a stream does not come with it (1.36)',
    here: 'Both are numbered by the `prev-id` of the instruction',
    why: 'A client has to know where it is before anything was published',
  },
  'asking-filters': {
    pushpin: '`http-check` and `http-modify` ask any address that `url` names, 100 times a second for each',
    here: 'They ask the origin of the route and nobody else, 100 times a second for a route; those that fail are counted',
    why: 'An origin that can be made to name another host would be a way to whatever the gateway can reach',
    unshown: '1.36 does not have these filters',
  },
  'untrusted-targets': {
    pushpin: '`untrusted` keeps requests, links and filters from private addresses',
    here: 'Links and filters lead to the upstream of the route and nowhere else, which `addresses: public` keeps from private addresses',
    why: 'An origin that can be made to name another host would be a way to whatever the gateway can reach',
    unshown: 'all addresses of the suite are private',
  },
  'session-states': {
    pushpin:
      'Sessions need a state server beside it, which keeps all of them, under one name for all origins',
    here: 'The server keeps them itself, bounded and for a time, for each upstream and prefix',
    why: 'One process to run; and an id of one origin says nothing to another',
    unshown: NO_STATE_SERVER,
  },
  'session-items': {
    pushpin: 'What was published counts as what the client of a session has',
    here: 'What was handed to its connection does',
    why: 'A client that does not read has not got it',
    unshown: NO_STATE_SERVER,
  },
  'exposed-fields': {
    pushpin: '`Grip-Expose-Headers` in a published response takes the named fields away',
    here: 'Only the named fields are relayed',
    why: 'That is what the name says, and what it does in instructions',
  },
  'stream-reasons': {
    pushpin: 'A stream has the reason phrase of `Grip-Status` or of the origin',
    here: 'It has the usual one of its status; held responses have that which was given',
    why: 'Clients ignore it (RFC 9112, section 4), and HTTP/2 has none',
  },
} as const satisfies Readonly<Record<string, Difference>>;

/** What publishers send, and what they are told. */
export const PUBLISHING = {
  'early-answers': {
    pushpin: 'The answer to a publish comes before anything was done',
    here: 'It comes when the items are stored, and says how many subscriptions there were. An item that waits for another is answered later',
    why: '200 is a promise',
  },
  'waiting-items': {
    pushpin: 'An item whose `prev-id` is not the very last id waits',
    here: 'It waits if that id is not among the latest',
    why: 'Two publishers of one channel do not stop each other',
  },
  'remembered-ids': {
    pushpin: 'Ids are recognised for 60 seconds',
    here: 'As long as [the log remembers them](log.md)',
    why: 'A retry after a minute is one, too',
    unshown: 'it takes more than a minute',
  },
  'order-of-batches': {
    pushpin: 'Items of several channels in one batch come to a client in the order of the batch',
    here: 'The order is kept within each channel, and not between channels',
    why: 'Channels are independent: none waits for another',
    unshown: 'here the order may happen to be the same',
  },
  'useless-items': {
    pushpin:
      'Items that are nothing (an unknown format alone, base64 that is none, 99 or a word for a status) are taken, and nothing comes of them',
    here: '400, with a detail that names the member',
    why: 'Its publisher is the only one who can put it right',
  },
  'line-breaks': {
    pushpin: 'A line break in a published field or reason is taken',
    here: '400',
    why: 'It would be a field, or a response, that a publisher has slipped in',
  },
  'kept-connections': {
    pushpin: 'The control port closes each connection, and asks nobody who he is',
    here: 'Connections stay open; keys are asked for where they are [configured](security.md)',
    why: 'Publishing is as much of a right as reading',
  },
  'accepted-types': {
    pushpin: 'Who accepts text and JSON is answered in text',
    here: 'The type that stands first is chosen',
    why: 'So a publisher can say what it likes better',
  },
  greeting: {
    pushpin: '`GET /` on the control port says `Pushpin API`',
    here: 'It says which program it is',
    why: 'For people',
  },
  sizes: {
    pushpin: 'Heads of 8 KiB (longer ones are not answered), instructions of 100 kB, publishes of 1 MB',
    here: '[Limits](limits.md), each of which can be set',
    why: 'What is too much depends on who it is for',
  },
} as const satisfies Readonly<Record<string, Difference>>;

/** WebSockets. */
export const SOCKETS = {
  'socket-ids': {
    pushpin: 'A WebSocket has no `prev-id`',
    here: '`subscribe` takes `prev-id`, or a position with `from`; what is missing closes the connection with 4410',
    why: 'A socket that was away for a moment has missed as much as a stream',
  },
  'close-codes': {
    pushpin: 'Close codes of origins and items are sent as they are, also 0',
    here: 'A code that must not be sent becomes 1000',
    why: 'Clients fail a connection that is closed with 0, and tell their application 1006',
  },
  'no-close-code': {
    pushpin: 'A close of the origin or the client without a code gets one, 1000',
    here: 'It stays without one, which the other end is told as 1005',
    why: 'It is passed on as it is; only items without a code close with 1000',
  },
  'close-answers': {
    pushpin: "A client's close is answered with the reason that it has given",
    here: 'It is answered at once, with its code',
    why: 'RFC 6455, section 5.5.1, asks for no more, and the reason is its own',
  },
  'ping-payloads': {
    pushpin: 'Pings and pongs lose what is in them (1.36)',
    here: 'They pass as they are',
    why: 'A pong has the payload of its ping (RFC 6455, section 5.5.3): clients fail, or measure by it',
  },
  'answered-pings': {
    pushpin: "A client's ping is answered if the origin answers it",
    here: 'The gateway answers it, and a function hears of it',
    why: 'A function that knows nothing of pings has no broken clients',
  },
  'silent-clients': {
    pushpin: 'A client that vanished without a word stays',
    here: 'It is pinged when it is silent, and dropped',
    why: 'Otherwise its origin never hears that it is gone',
    unshown: 'it takes a network that loses packets, and minutes',
  },
  'refused-subscriptions': {
    pushpin: 'A `subscribe` that cannot be followed is passed over, which a debug log tells',
    here: 'It closes the connection with 1011; only what cannot be read at all is passed over, counted and logged',
    why: 'The client would wait for messages that never come',
  },
  'late-controls': {
    pushpin: 'A control message is followed a moment later than messages that the origin sends behind it',
    here: 'What an origin says is done in its order',
    why: 'What follows a `flush-delayed` comes after what was delayed',
    unshown: 'in Pushpin the two race',
  },
  'repeated-events': {
    pushpin: 'Events are sent again if the body of a request was not sent completely',
    here: 'Only if the origin was not reached, or has said that it did not take them',
    why: "Nobody's message is taken twice",
    unshown: 'it takes a connection that breaks within a request',
  },
  'told-of-detaching': {
    pushpin: 'An origin over HTTP that detaches is sent a CLOSE (1.36)',
    here: 'It is told nothing any more',
    why: 'Its client has not gone',
  },
  'failed-sockets': {
    pushpin: 'A WebSocket whose origin fails is cut off, which its client is told as 1006',
    here: 'It is closed with 1013 or, if the origin said what cannot be followed, 1011, and the [code](errors.md) as the reason',
    why: 'The client knows whether to come again',
  },
  'refused-sockets': {
    pushpin: 'The answer by which an origin refuses a native WebSocket loses its fields',
    here: 'It is relayed as it is',
    why: 'A refusal has a type, and may say `WWW-Authenticate` or `Retry-After`',
  },
  'handshake-fields': {
    pushpin: 'OPEN comes with `Sec-WebSocket-Version`',
    here: 'It comes without',
    why: 'It is about frames, which an origin over HTTP never sees',
  },
} as const satisfies Readonly<Record<string, Difference>>;

/** What passes between clients and origins besides. */
export const PROXYING = {
  signing: {
    pushpin:
      'Requests are signed with the `sig_key` of the configuration, `changeme` as it is packaged, on all routes with GRIP that name no other',
    here: 'They are signed on routes that have a `grip.key`',
    why: 'A signature that everybody can make says nothing',
  },
  features: {
    pushpin:
      '`Grip-Feature` of 1.36 names `session` on all routes, and neither `link:gone` nor the filters that ask origins',
    here: 'It names `session` on routes with [sessions](grip.md#sessions), and the others on all',
    why: 'Each says what it can do',
  },
  'forwarded-fields': {
    pushpin:
      '`Forwarded`, `Via` and `X-Forwarded-*` of clients pass, and none is added unless the configuration says so',
    here: '`Forwarded` and `X-Forwarded-*` are made anew, `Via` is added to',
    why: 'A client could give itself any address',
  },
  'trusted-proxies': {
    pushpin:
      '`x_forwarded_for` chooses what becomes of the header of all clients, or of those whose `Grip-Sig` is good',
    here: '`listen.trustedProxies` names those who are [believed](deployment.md#whom-a-load-balancer-speaks-for), and routes and the cache go by it as well',
    why: 'Who may speak for clients is known by where they connect from',
    unshown: 'both are off in the suite, as they are by default',
  },
  'hop-fields': {
    pushpin: '`Proxy-Connection` passes, and so does what `Connection` names',
    here: 'They do not',
    why: 'They are for the next hop only (RFC 9110, section 7.6.1)',
  },
  'meta-fields': {
    pushpin: '`Meta-*` and `Connection-Id` of clients are taken out of WebSockets over HTTP',
    here: 'They are taken out of all requests to origins with GRIP',
    why: 'An origin that reads them cannot be told anything by a client',
  },
  encodings: {
    pushpin:
      '1.36 asks origins for compressed answers whatever clients accept, and decodes them. Later versions take the `Content-Encoding` of a held response away, and leave the encoded bytes',
    here: 'On routes with GRIP origins are asked for none. What comes encoded all the same passes as it is; a hold of it is answered with 502',
    why: 'Behind an encoded body nobody could read what is published',
  },
  'broken-bodies': {
    pushpin: 'A chunked answer that breaks off ends as if it was whole (1.36)',
    here: 'The connection is cut off',
    why: 'Half an answer must not look like one',
  },
  'ambiguous-requests': {
    pushpin: 'A request with two lengths, with a length and chunks, or without a host, is passed on',
    here: 'It is answered with 400, and the connection is closed',
    why: 'Two programs that read it differently see different requests (RFC 9112, sections 3.2 and 11.2)',
  },
  'no-http': {
    pushpin: 'What is no HTTP has its connection closed',
    here: 'It is answered with 400, then closed',
    why: 'Somebody has to find it',
  },
  errors: {
    pushpin: 'A failing origin gives "Error while proxying to origin."',
    here: '[Errors](errors.md) with a code; of instructions the detail names the field',
    why: 'Somebody has to find it',
  },
} as const satisfies Readonly<Record<string, Difference>>;

const NOT_OVER_HTTP = 'the suite publishes over HTTP';

/** The ports of ZeroMQ, and the statistics there. */
export const ZEROMQ = {
  'configured-ports': {
    pushpin:
      'The ports of ZeroMQ, too, are there by default, and a web page can have a browser post an item to them',
    here: 'They are there if they are [configured](grip-zmq.md), and what a browser posts is refused',
    why: 'Whoever opens a page has not said what is to be published',
    unshown: NOT_OVER_HTTP,
  },
  'unreadable-commands': {
    pushpin: 'A command that cannot be read is not answered',
    here: 'It is answered with `bad-request`',
    why: 'A REQ socket waits for an answer before it asks again',
    unshown: NOT_OVER_HTTP,
  },
  'known-connections': {
    pushpin: '`conncheck` and statistics know every request',
    here: 'They know the connections that GRIP holds, from the moment on that they are held',
    why: 'A request that is answered is over; how many there were is in `counts` and `activity`',
    unshown: NOT_OVER_HTTP,
  },
  'named-routes': {
    pushpin: 'Statistics name a route if it has an `id`',
    here: 'They always do',
    why: 'Every route has a name',
    unshown: NOT_OVER_HTTP,
  },
  'counted-bytes': {
    pushpin: '`blocks`, and bytes and messages of clients and origins in `report`',
    here: 'Not there',
    why: 'The proxy would count for each route what few read; [`/metrics`](operations.md) has sums',
    unshown: NOT_OVER_HTTP,
  },
  'statistics-port': {
    pushpin: 'Statistics are at an address of `ipc`',
    here: 'At `listen.zmq.statsPort`',
    why: 'One kind of address for all',
    unshown: NOT_OVER_HTTP,
  },
} as const satisfies Readonly<Record<string, Difference>>;

export type DifferenceName =
  | keyof typeof HOLDS
  | keyof typeof PUBLISHING
  | keyof typeof SOCKETS
  | keyof typeof PROXYING;

/** The tables of the page, with their headings. */
export const DIFFERENCES: Readonly<Record<string, Readonly<Record<string, Difference>>>> = {
  Holds: HOLDS,
  Publishing: PUBLISHING,
  WebSockets: SOCKETS,
  'Requests and answers': PROXYING,
  Browsers: BROWSERS,
  'ZeroMQ and statistics': ZEROMQ,
};
