import type { Chunk } from './chunk.ts';
import type { Member } from './member.ts';
import type { Place } from './place.ts';

/**
 * The members of an audience that keep pace, all at the same place. Members may leave at any time, also while they are being
 * served.
 */
export class LiveMembers {
  readonly #members: Member[] = [];
  /** The chunk under way, and the index of the member that is being served. */
  #chunk: Chunk | null = null;
  #at = 0;
  #left: Member[] = [];

  get count(): number {
    return this.#members.length;
  }

  add(member: Member): void {
    member.liveIndex = this.#members.length;
    this.#members.push(member);
  }

  /** Takes a member out; at once, or after the delivery under way. */
  leave(member: Member): void {
    if (this.#chunk !== null) this.#left.push(member);
    else this.#remove(member);
  }

  /** Takes out everybody. */
  takeAll(): readonly Member[] {
    const members = this.#members.splice(0);
    for (const member of members) member.liveIndex = -1;
    return members;
  }

  /** The place after the chunk under way, if the member has been served already; else null. */
  placeInDelivery(member: Member): Place | null {
    // The last are served first, and whoever is removed is replaced by one that was served.
    return this.#chunk !== null && member.liveIndex >= this.#at ? this.#chunk.end : null;
  }

  /**
   * Hands a chunk to the members from index `from` up to `to`. Those that do not keep pace are taken out and wait at its end;
   * those that a gap ends are ended. Returns how many were handed it.
   */
  deliver(chunk: Chunk, from: number, to: number): number {
    const members = this.#members;
    let served = 0;
    this.#chunk = chunk;
    // Backwards, because a member that falls behind is replaced by the last one, which was served already.
    for (let i = to - 1; i >= from; i--) {
      const member = members[i];
      if (member.closed) continue;
      this.#at = i;
      if (chunk.gap !== null && member.gapEnds) {
        member.end('gap');
        continue;
      }
      if (chunk.control !== undefined) {
        member.control(chunk.control);
        continue;
      }
      served++;
      if (!member.hand(chunk.bytes, chunk.messages)) {
        this.#remove(member);
        member.wait(chunk.end);
      }
    }
    this.#chunk = null;
    for (const member of this.#left) this.#remove(member);
    this.#left = [];
    return served;
  }

  #remove(member: Member): void {
    const index = member.liveIndex;
    if (index === -1) return;
    const last = this.#members.pop() as Member;
    if (last !== member) {
      this.#members[index] = last;
      last.liveIndex = index;
    }
    member.liveIndex = -1;
  }
}
