import { TidegateError } from '../../kernel/index.ts';
import type { Attribute } from './attributes.ts';

/**
 * What a content type says of the data: `json` must be JSON, `text` must be UTF-8, `maybe text` is text if it is UTF-8 (its
 * own rules decide on its charset), `binary` is taken as bytes even where they look like text.
 */
export type DataRule = 'json' | 'text' | 'maybe text' | 'binary';

/** A content type, read. */
export interface ContentType {
  /** Type and subtype in lower case. */
  readonly mediaType: string;
  /** In lower case; null if the content type names none. */
  readonly charset: string | null;
  readonly rule: DataRule;
  /** The attributes of an event that has nothing but this content type. */
  readonly attributes: readonly Attribute[];
}

const MEDIA_TYPE = /^([!#$%&'*+.^_`|~0-9a-z-]+\/[!#$%&'*+.^_`|~0-9a-z-]+)[ \t]*(?:;(.*))?$/;
const CHARSET = /(?:^|;)[ \t]*charset[ \t]*=[ \t]*(?:"([^"\\]*)"|([^\s;"]+))/;

/** JSON (RFC 8259) and all formats built on it (RFC 6839, section 3.1), as CloudEvents' JSON format sees it. */
const JSON_TYPE = /^[^/]+\/(?:json|[^/]+\+json)$/;
/** Formats that are text by nature, of which each has its own way to tell another charset. */
const TEXTUAL_TYPE =
  /^application\/(?:x-www-form-urlencoded|xml|[^/]+\+xml|yaml|[^/]+\+yaml|javascript|x-ndjson|jsonl|toml|graphql|sql)$/;
const UTF8_CHARSETS: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'us-ascii']);

/** What clients send is nearly always the same; beyond this many the memory is started anew. */
const REMEMBERED_MAX = 256;
const REMEMBERED_LENGTH_MAX = 256;
const remembered = new Map<string, ContentType>();

function ruleOf(mediaType: string, charset: string | null): DataRule {
  if (charset !== null && !UTF8_CHARSETS.has(charset)) return 'binary';
  if (JSON_TYPE.test(mediaType)) return 'json';
  if (mediaType.startsWith('text/') || charset !== null) return 'text';
  return TEXTUAL_TYPE.test(mediaType) ? 'maybe text' : 'binary';
}

/**
 * Reads a Content-Type.
 * @throws TidegateError http_media_type_unsupported if it is not a media type
 */
export function parseContentType(header: string): ContentType {
  const known = remembered.get(header);
  if (known !== undefined) return known;
  const match = MEDIA_TYPE.exec(header.toLowerCase());
  // Control characters are the listener's to refuse; beyond ASCII nothing in a media type is defined.
  if (match === null || /[^\t\x20-\x7e]/.test(header)) {
    throw new TidegateError('http_media_type_unsupported', 'The Content-Type is not a media type');
  }
  const parameters = CHARSET.exec(match[2] ?? '');
  const charset = parameters === null ? null : (parameters[1] ?? parameters[2]);
  const contentType: ContentType = {
    mediaType: match[1],
    charset,
    rule: ruleOf(match[1], charset),
    attributes: [['datacontenttype', header]],
  };
  if (header.length <= REMEMBERED_LENGTH_MAX) {
    if (remembered.size >= REMEMBERED_MAX) remembered.clear();
    remembered.set(header, contentType);
  }
  return contentType;
}
