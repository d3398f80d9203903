/** @file The state of a walk in a folder, so that one that was killed goes on where it was. */

import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../../core/errors.ts';
import type { WalkState } from '../../models/decoder/layer-walk.ts';

const saved = z.object({
  about: z.string(),
  /** Layer to walk next. */
  next: z.number().int().min(0),
  /** Units kept of each group so far. */
  settled: z.array(z.number().int().min(0)),
  /** Numbers in the file of hidden states. */
  hidden: z.number().int().min(0),
});

/** A folder that holds an output in progress and where its walk is. Until the walk has begun it neither reads nor writes a state. */
export class ResumableWalk implements WalkState {
  readonly folder: string;
  /** How many groups lie in the layers before this one; set by the subject, which knows its layers. */
  groupsBefore: (layer: number) => number = () => 0;
  #about: string | undefined;
  #counts: readonly number[] = [];
  #saved: z.infer<typeof saved> | undefined;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /**
   * Opens a folder, new or left by a walk that was cut off.
   * @throws InputError if it is there and is not such a folder.
   */
  static async open(folder: string): Promise<ResumableWalk> {
    const walk = new ResumableWalk(folder);
    if (!(await stat(folder).catch(() => undefined))) return walk;
    const text = await readFile(walk.#path('walk.json'), 'utf8').catch(() => undefined);
    if (text === undefined) {
      if (await isThere(walk.#path('begun'))) return walk;
      throw new InputError(`${folder} exists and holds no walk to resume; name a folder that does not exist yet`);
    }
    try {
      walk.#saved = saved.parse(JSON.parse(text));
    } catch (error) {
      throw new InputError(`${folder}: walk.json cannot be read; remove the folder to start over`, { cause: error });
    }
    return walk;
  }

  /** Units kept of the groups that are settled. */
  get settled(): readonly number[] {
    return this.#about === undefined ? [] : (this.#saved?.settled ?? []);
  }

  /** Where the output grows. */
  get output(): string {
    return this.#path('output');
  }

  /**
   * Makes the folder, or makes sure that what it holds is the walk asked for.
   * @param counts units kept of each group, kept up to date by whoever writes them.
   * @returns whether an output in progress is there.
   * @throws InputError if it holds another walk.
   */
  async begin(about: string, counts: readonly number[]): Promise<boolean> {
    if (this.#saved && this.#saved.about !== about) {
      throw new InputError(
        `${this.folder} holds another walk (${this.#saved.about}) than this one (${about}); name another folder, or remove it`,
      );
    }
    this.#about = about;
    this.#counts = counts;
    await mkdir(this.folder, { recursive: true });
    await writeFile(this.#path('begun'), '');
    // The output may have been moved to its place by a process that was killed right then.
    if (this.#saved && (await isThere(this.output))) return true;
    this.#saved = undefined;
    await rm(this.#path('walk.json'), { force: true });
    await rm(this.output, { recursive: true, force: true });
    return false;
  }

  async load(): Promise<{ next: number; hidden: Float32Array } | undefined> {
    if (this.#about === undefined || !this.#saved) return undefined;
    const { next, hidden } = this.#saved;
    const bytes = await readFile(this.#path(`hidden-${next}.f32`)).catch(() => undefined);
    if (bytes?.length !== 4 * hidden) {
      throw new InputError(
        `${this.folder}: the hidden states of layer ${next} are not whole; remove the folder to start over`,
      );
    }
    return { next, hidden: new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)) };
  }

  async save(next: number, hidden: Float32Array): Promise<void> {
    if (this.#about === undefined) return;
    const settled = this.#counts.slice(0, this.groupsBefore(next));
    const bytes = new Uint8Array(hidden.buffer, hidden.byteOffset, hidden.byteLength);
    await writeFile(this.#path(`hidden-${next}.f32`), bytes);
    const state = { about: this.#about, next, settled, hidden: hidden.length };
    await writeFile(this.#path('walk.json.new'), JSON.stringify(state));
    await rename(this.#path('walk.json.new'), this.#path('walk.json'));
    await rm(this.#path(`hidden-${next - 1}.f32`), { force: true });
    this.#saved = state;
  }

  /** Removes the folder. */
  async end(): Promise<void> {
    this.#about = undefined;
    this.#saved = undefined;
    await rm(this.folder, { recursive: true, force: true });
  }

  #path(name: string): string {
    return join(this.folder, name);
  }
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
