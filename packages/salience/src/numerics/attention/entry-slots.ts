/** @file Places for what is remembered of cache entries: an entry keeps its place while it lives, so that evictions move nothing. */

/** The places of one lane. */
export class EntrySlots {
  #slots: number[] = [];
  #free: number[] = [];
  #made = 0;

  /** Entries that have a place. */
  get length(): number {
    return this.#slots.length;
  }

  /** Places there are, used or free. */
  get made(): number {
    return this.#made;
  }

  /** The place of an entry. */
  of(entry: number): number {
    return this.#slots[entry];
  }

  /** Gives places to `count` new entries, behind those there are; returns them. They may hold what an evicted entry left. */
  append(count: number): number[] {
    const given = Array.from({ length: count }, () => this.#free.pop() ?? this.#made++);
    for (const slot of given) this.#slots.push(slot);
    return given;
  }

  /** Frees the places of all entries but these, ascending. */
  gather(kept: ArrayLike<number>): void {
    const slots = new Array<number>(kept.length);
    let k = 0;
    for (let entry = 0; entry < this.#slots.length; entry++) {
      if (kept[k] === entry) slots[k++] = this.#slots[entry];
      else this.#free.push(this.#slots[entry]);
    }
    this.#slots = slots;
  }
}
