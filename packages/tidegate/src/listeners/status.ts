import type { HttpStatusMap } from './port.ts';

/**
 * The status of each error on HTTP. Total by type: a new code needs a line here. Codes that belong to starting the
 * server never reach a client and count as server errors.
 */
export const HTTP_STATUS: HttpStatusMap = {
  http_malformed: 400,
  http_ambiguous: 400,
  http_version_unsupported: 505,
  http_headers_too_large: 431,
  http_target_too_long: 414,
  http_request_timeout: 408,
  http_not_found: 404,
  http_method_not_allowed: 405,
  http_not_acceptable: 406,
  http_media_type_unsupported: 415,
  http_transfer_coding_unsupported: 501,
  http_expectation_failed: 417,
  http_query_invalid: 400,
  body_too_large: 413,
  upgrade_invalid: 400,
  origin_forbidden: 403,
  connections_exhausted: 503,
  draining: 503,

  credential_missing: 401,
  credential_invalid: 401,
  token_expired: 401,
  credential_revoked: 401,
  credential_attempts_exceeded: 429,
  issuer_unavailable: 503,
  access_denied: 403,

  json_malformed: 400,
  utf8_invalid: 400,
  base64_invalid: 400,
  event_invalid: 400,
  batch_too_large: 413,
  channel_invalid: 400,
  channel_not_publishable: 400,
  channel_reserved: 403,
  position_invalid: 400,
  subscription_too_wide: 400,

  log_disk_full: 507,
  log_write_failed: 500,
  log_overloaded: 503,
  log_closed: 503,
  log_damaged: 500,
  log_format_unsupported: 500,
  log_locked: 500,
  log_folder_unusable: 500,
  log_topic_unknown: 404,
  log_topic_exists: 409,
  log_record_too_large: 413,
  log_durability_mixed: 409,

  config_unreadable: 500,
  config_invalid: 500,
  arguments_invalid: 400,
  listen_refused: 500,
  listen_failed: 500,
  server_unreachable: 503,

  internal: 500,
};
