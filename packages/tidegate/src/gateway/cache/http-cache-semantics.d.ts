/** The part of the library that `freshness.ts` uses; the package brings no types of its own. */
declare module 'http-cache-semantics' {
  /** Names in lower case. */
  type Fields = Readonly<Record<string, string>>;

  export default class CachePolicy {
    constructor(
      request: { readonly method: string; readonly headers: Fields },
      response: { readonly status: number; readonly headers: Fields },
      options: { readonly shared: boolean },
    );
    /** Whether RFC 9111, section 3 lets a cache of this kind store the response. */
    storable(): boolean;
    /** The freshness lifetime (RFC 9111, section 4.2.1) in seconds, which may have a fraction. */
    maxAge(): number;
  }
}
