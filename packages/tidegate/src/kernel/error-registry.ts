/** Who can put it right: the one who asked (`client`), or the one who runs the server (`server`). */
export type Blame = 'client' | 'server';

/** An entry of the error registry. */
export interface ErrorEntry {
  readonly blame: Blame;
  /** Whether the same request can succeed later, unchanged. */
  readonly retryable: boolean;
  /** What happened, in one short sentence without a full stop. */
  readonly title: string;
  /** How to put it right. */
  readonly hint: string;
}

const client = (title: string, hint: string): ErrorEntry => ({
  blame: 'client',
  retryable: false,
  title,
  hint,
});
const clientLater = (title: string, hint: string): ErrorEntry => ({
  blame: 'client',
  retryable: true,
  title,
  hint,
});
const later = (title: string, hint: string): ErrorEntry => ({
  blame: 'server',
  retryable: true,
  title,
  hint,
});
const server = (title: string, hint: string): ErrorEntry => ({
  blame: 'server',
  retryable: false,
  title,
  hint,
});

/**
 * Every error that Tidegate reports, under its stable code. Programs decide on codes, never on text: a code's
 * meaning does not change, and texts may. `docs/errors.md` lists the same codes, which a test checks.
 */
export const ERRORS = {
  // The public listener.
  http_malformed: client(
    'The request is not valid HTTP/1.1',
    'Send requests as RFC 9112 defines them; the detail names what was wrong.',
  ),
  http_ambiguous: client(
    'The request can be read in more than one way',
    'Frame the body with one Content-Length or with one chunked Transfer-Encoding, not both, and send one Host.',
  ),
  http_version_unsupported: client('The HTTP version is not supported', 'Use HTTP/1.1 or HTTP/1.0.'),
  http_headers_too_large: client(
    'The request head is larger than the server accepts',
    'Send fewer or shorter headers, or raise limits.httpHeadBytesMax.',
  ),
  http_target_too_long: client(
    'The request target is longer than the server accepts',
    'Shorten the URL, or raise limits.httpTargetBytesMax.',
  ),
  http_request_timeout: client(
    'The request did not arrive in time',
    'Send the head and the body without long pauses.',
  ),
  http_not_found: client(
    'There is nothing at this path',
    'See docs/http.md for the paths that the server answers.',
  ),
  http_method_not_allowed: client(
    'The path does not take this method',
    'Use a method from the Allow header.',
  ),
  http_not_acceptable: client(
    'The channel is not available in a media type that the Accept header allows',
    'Accept text/event-stream, application/x-ndjson or application/json, or ask for a WebSocket upgrade.',
  ),
  http_media_type_unsupported: client(
    'The content type is not accepted here',
    'Send the content type that the page of this endpoint in docs/ names.',
  ),
  http_transfer_coding_unsupported: client(
    'The body has a transfer coding that the server does not decode',
    'Send the body with Content-Length, or with Transfer-Encoding: chunked alone.',
  ),
  http_expectation_failed: client(
    'The Expect header asks for something unknown',
    'Send 100-continue or nothing.',
  ),
  http_query_invalid: client(
    'A query parameter has an invalid value',
    'The detail names the parameter and what it takes.',
  ),
  body_too_large: client(
    'The body is larger than the server accepts',
    'Send smaller messages or batches, or raise limits.messageBytesMax or limits.batchBytesMax.',
  ),
  upgrade_invalid: client(
    'The WebSocket handshake is not valid',
    'Send the handshake of RFC 6455, section 4.1, with version 13.',
  ),
  proxy_fields_invalid: client(
    'What a load balancer says of its client cannot be understood',
    'Have it set the fields of listen.trustedFields itself, whatever its clients send; the detail names what was wrong.',
  ),
  origin_forbidden: client(
    'Pages of this origin may not use the server',
    'Add the origin to cors.origins in the config file.',
  ),
  connections_exhausted: later(
    'The server holds as many connections as it may',
    'Connect again after Retry-After, or raise limits.connectionsMax.',
  ),
  draining: later(
    'The server is shutting down',
    'Connect again; another instance or the restarted one will answer.',
  ),

  // Who may do what.
  credential_missing: client(
    'This needs a credential',
    'Send an API key or a token as Authorization: Bearer ..., or as the query parameter access_token.',
  ),
  credential_invalid: client(
    'The credential is not valid',
    'Send a key that exists, or a token that a configured issuer has signed for this server.',
  ),
  token_expired: client('The token has expired', 'Get a new token from its issuer.'),
  credential_revoked: client('The credential was revoked', 'Get another one.'),
  credential_attempts_exceeded: clientLater(
    'Too many invalid credentials came from this address',
    'Wait as long as Retry-After says, and send a valid credential.',
  ),
  issuer_unavailable: later(
    "The keys of the token's issuer are not known yet",
    "Try again; see the server's log for why they could not be fetched.",
  ),
  access_denied: client(
    'The credential does not allow this',
    'Use a credential whose channels and permissions cover what is asked for.',
  ),
  rate_exceeded: clientLater(
    'More is published than the credential may publish in a second',
    'Wait as long as Retry-After says, or raise publishesPerSecondMax in the limits of the key or in access.limits.',
  ),
  quota_exceeded: clientLater(
    'The credential holds as many connections or subscriptions as it may',
    'End one and try again, or raise connectionsMax or subscriptionsMax in the limits of the key or in access.limits.',
  ),

  // What is published.
  json_malformed: client('The body is not valid JSON', 'The detail names the position of the first error.'),
  utf8_invalid: client('The text is not valid UTF-8', 'Send UTF-8, or send the bytes as data_base64.'),
  base64_invalid: client(
    'The data_base64 member is not valid base64',
    'Use the alphabet of RFC 4648, section 4, with padding.',
  ),
  event_invalid: client(
    'The event is not valid',
    'See docs/publish.md for the members of an event; a CloudEvent needs specversion, id, source and type.',
  ),
  batch_too_large: client(
    'The batch has more events than the server accepts',
    'Send smaller batches, or stream the events as NDJSON.',
  ),
  channel_invalid: client(
    'The channel name is not valid',
    'Use printable UTF-8, at most limits.channelBytesMax bytes long.',
  ),
  channel_not_publishable: client(
    'The channel cannot be published to',
    'A segment that is + or # is a wildcard; wildcards are for subscribing.',
  ),
  channel_reserved: client(
    'The channel belongs to the server',
    'Names whose first segment starts with _ cannot be used.',
  ),
  position_invalid: client(
    'The position is not valid',
    'Give from as latest, earliest, -N, an RFC 3339 time, or a cursor exactly as it was received.',
  ),
  subscription_too_wide: client(
    'The subscription reads more partitions than one may',
    'Subscribe to fewer topics at once, or raise limits.subscriptionPartitionsMax.',
  ),

  // The log.
  log_disk_full: later(
    'The disk is full',
    'Free disk space or shorten the retention; reading goes on meanwhile.',
  ),
  log_write_failed: later(
    'The log could not be written',
    "See the server's log for the cause; nothing of this request was stored.",
  ),
  log_overloaded: later(
    'More is being published than the log can take',
    'Publish again after a short pause.',
  ),
  log_closed: later('The log is closed', 'The server is shutting down; publish again when it is back.'),
  log_damaged: server(
    'A stored record is damaged',
    'The detail names the range of positions; the rest stays readable.',
  ),
  log_format_unsupported: server(
    'The data folder has a format that this version does not read',
    'Start the version that wrote it, or give another folder with --data.',
  ),
  log_locked: server(
    'The data folder is in use by another server',
    'Stop the other server, or give another folder with --data.',
  ),
  log_folder_unusable: server(
    'The data folder cannot be used',
    'Give a folder that this user can write to with --data.',
  ),
  log_topic_unknown: client('There is no such topic', 'Declare the topic in the config file.'),
  log_topic_exists: client(
    'The topic exists already with other settings',
    'Declare it with the settings that it has, or choose another name.',
  ),
  log_record_too_large: client('The record is larger than the log accepts', 'Send smaller messages.'),
  log_durability_mixed: client(
    'One atomic append names topics of different durability',
    'Give the topics the same durability, or append to them separately.',
  ),

  // Resources.
  resource_kind_unknown: client('There is no such kind of resource', 'GET /api/schemas lists the kinds.'),
  resource_unknown: client('There is no such resource', 'List those that there are with tidegate get KIND.'),
  resource_invalid: client(
    'The resource is not valid',
    'Mend what the detail names; GET /api/schemas/{kind} has the schema.',
  ),
  resource_conflict: client(
    'The resource has been changed by somebody else',
    'Get it again, and repeat the change on what it is now.',
  ),
  resource_read_only: client(
    'The resource is declared in the config file, which wins',
    'Change it in the config file and restart the server, or choose another name.',
  ),
  resources_too_large: client(
    'All resources together would be larger than the server accepts',
    'Delete some, or raise limits.resourcesBytesMax.',
  ),
  resource_history_gone: client(
    'The changes since this position are not kept any more',
    'Get the resources again, and watch from the position that comes with them.',
  ),
  resources_damaged: server(
    'The stored resources cannot be read',
    'Restore the data folder from a backup; the detail names the position in the topic _resources.',
  ),
  resources_version_unsupported: server(
    'The stored resources have a format that this version does not read',
    'Start the version that wrote them.',
  ),
  config_refused: client(
    'The config file was not taken, and the settings in force stay so',
    'Mend what the detail names; tidegate check FILE checks a file.',
  ),

  // Starting.
  config_unreadable: server('The config file cannot be read', 'Check the path given with --config.'),
  config_invalid: server(
    'The config file is not valid',
    'Mend what the detail names; tidegate check FILE checks a file.',
  ),
  arguments_invalid: client('The command line is not valid', 'See tidegate --help.'),
  listen_refused: server(
    'The server refuses to listen on an address that others can reach without credentials',
    'Configure keys or an issuer (docs/security.md), listen on 127.0.0.1 or ::1, or start with --insecure.',
  ),
  listen_failed: server(
    'The address cannot be listened on',
    'Choose another port with --port or --admin-port.',
  ),
  zmq_missing: server(
    'A ZMQ port is configured, and the package zeromq is not installed',
    'Run npm install zeromq@6 beside tidegate, or remove listen.zmq from the config file.',
  ),
  tls_file_unreadable: server(
    'A file of the TLS settings cannot be read',
    'Check the paths below tls in the config file, and that this user may read them.',
  ),
  tls_certificate_invalid: server(
    'A certificate cannot be used',
    'Mend what the detail names: the certificate, its key and the names must belong together, and today must be among its days.',
  ),
  server_unreachable: later(
    'The server does not answer',
    'Start it with tidegate start, or give its address with --url: https:// if it has TLS.',
  ),
  server_untrusted: client(
    "The server's certificate is not believed",
    'Ask for a name that it is for; if you trust who signed it, name their certificate: NODE_EXTRA_CA_CERTS=FILE before the command.',
  ),

  // The gateway.
  upstream_unreachable: later(
    'The origin cannot be reached',
    'Try again shortly; whoever runs the server finds the reason in its log and in /metrics.',
  ),
  upstream_unavailable: later(
    'No target of the upstream takes requests',
    'Try again shortly; the targets are unhealthy, or their names resolve to no address.',
  ),
  upstream_timeout: later(
    'The origin took too long',
    'Try again shortly; the time-outs are those of the route.',
  ),
  upstream_malformed: later(
    'The answer of the origin is not valid HTTP',
    'The detail names what was wrong; the origin has to send what RFC 9112 defines.',
  ),
  upstream_reset: later(
    'The origin ended the connection before its answer was complete',
    'Try again shortly if the request may be made twice.',
  ),
  circuit_open: later(
    'The origin has failed too often and is left alone for a while',
    'Try again after the time that Retry-After tells.',
  ),
  bulkhead_full: later('The route has as many requests under way as it may', 'Try again shortly.'),
  deadline_exceeded: later(
    'The time that the client gave the request is over',
    'Ask again with a later deadline.',
  ),
  websocket_unsupported: client(
    'The origin takes no WebSockets over HTTP/2',
    'Lead WebSockets to an upstream with `protocol: http1`, or have the origin offer extended CONNECT (RFC 8441).',
  ),
  gateway_loop: server(
    'The request has come through this gateway before',
    'An upstream leads back to the gateway; correct its targets.',
  ),
  grip_instruct_invalid: server(
    'The GRIP instruction of the origin cannot be followed',
    'The detail names what was wrong; the origin has to correct it.',
  ),
  grip_item_invalid: client(
    'The GRIP item cannot be published',
    'The detail names what was wrong; docs/grip.md has the form of an item.',
  ),
  grip_signature_invalid: client(
    'The GRIP signature is not valid',
    'Sign with the key that the route names, and see that both clocks agree.',
  ),
  json_patch_invalid: client(
    'The JSON patch cannot be applied',
    'The detail names the operation and what was wrong; RFC 6902 has the form of a patch.',
  ),
  routes_file_invalid: client(
    'The routes file cannot be read',
    'The detail names the line and what is wrong with it.',
  ),
  not_cached: clientLater(
    'Nothing stored answers the request, and the client wants no other answer',
    'Ask without only-if-cached in Cache-Control.',
  ),
  purge_invalid: client(
    'The purge cannot be understood',
    'Name an absolute URL, a prefix of URLs with its host, or one surrogate key.',
  ),
  purge_rate_exceeded: clientLater(
    'Purges come too often',
    'Wait as long as Retry-After says, purge by prefix or surrogate key at once, or raise limits.cachePurgesPerSecondMax.',
  ),

  live_status: later(
    'The origin does not answer with the value',
    'The detail has the status that it answered with; what was sent before is the last value that there is.',
  ),
  live_value_invalid: later(
    'The answer of the origin cannot be made live',
    'The origin has to answer with JSON in UTF-8 of at most limits.liveValueBytesMax; the detail says what came.',
  ),
  live_resources_exhausted: later(
    'The live routes keep as many values as they may',
    'Try again later, or raise limits.liveResourcesMax and limits.liveValuesBytesMax.',
  ),

  worker_unavailable: later(
    'Another process of the server is gone',
    'It is being replaced; try again. What was not acknowledged may or may not be stored: publish it again with the same id.',
  ),
  worker_overloaded: later('Another process does not keep pace', 'Try again after a short pause.'),

  internal: server('The server made an error', "See the server's log; please report it."),
} as const satisfies Record<string, ErrorEntry>;

/** A stable code from the registry. */
export type ErrorCode = keyof typeof ERRORS;
