/** A name of a channel, or a pattern of names, with parts that come from the path of a request; immutable. */
export interface ChannelTemplate {
  /** Texts and names of parameters in turn, a text first and last. */
  readonly parts: readonly string[];
}

const PARAMETER = /\{([A-Za-z_][A-Za-z0-9_]{0,63})\}/;

/** Reads a text with `{name}` in it. A brace that belongs to none is a character like others. */
export function parseChannelTemplate(text: string): ChannelTemplate {
  return Object.freeze({ parts: Object.freeze(text.split(PARAMETER)) });
}

/** The names of the parameters, in order. */
export function parametersOfTemplate({ parts }: ChannelTemplate): readonly string[] {
  return parts.filter((_, index) => index % 2 === 1);
}
