import { Buffer } from 'node:buffer';
import type { Content, Members } from './members.ts';

/** Where the content of a format is. */
export interface ContentSource {
  /** The content that `members` give under this name, or null if they give none. */
  read(members: Members, name: 'content' | 'body'): Content | null;
}

/** The content is in the members themselves, as publishers send it. */
export const CONTENT_IN_MEMBERS: ContentSource = {
  read: (members, name) => members.content(name),
};

/**
 * The content may also be that of the record, with some text around it: the member `content-data` or `body-data` is then an array
 * of what comes before and after the record's data.
 */
export function contentInRecord(data: Uint8Array): ContentSource {
  return {
    read: (members, name) => {
      const around = members.texts(`${name}-data`);
      if (around === null) return members.content(name);
      if (around.length !== 2) throw members.fault(`${name}-data`, 'is not an array of two');
      const [before, after] = around;
      const bytes = before === '' && after === '' ? data : Buffer.concat([utf8(before), data, utf8(after)]);
      return { bytes, given: 'binary' };
    },
  };
}

const utf8 = (text: string): Buffer => Buffer.from(text, 'utf8');
