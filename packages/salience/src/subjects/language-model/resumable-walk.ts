/** @file The state of a walk in a folder, so that one that was killed goes on where it was. */

import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { InputError, OutputError } from '../../core/errors.ts';
import { readFully } from '../../models/checkpoint/tensor-chunk.ts';
import type { WalkState } from '../../models/decoder/layer-walk.ts';

const saved = z.object({
  about: z.string(),
  /** Layer to walk next. */
  next: z.number().int().min(0),
  /** Units kept of each group so far. */
  settled: z.array(z.number().int().min(0)),
  /** sha256 of what was written of each of them. */
  written: z.array(z.string()),
  /** Numbers in the file of hidden states, and their sha256. */
  hidden: z.number().int().min(0),
  hiddenHash: z.string(),
});

/** Content of the file that marks a folder as one of ours. */
const mark = 'the state of a salience walk; remove the folder to start over\n';

/** Folders at which this process is. */
const held = new Set<string>();

/** A folder that holds an output in progress and where its walk is. Until the walk has begun it neither reads nor writes a state. */
export class ResumableWalk implements WalkState {
  readonly folder: string;
  /** How many groups lie in the layers before this one; set by the subject, which knows its layers. */
  groupsBefore: (layer: number) => number = () => 0;
  #about: string | undefined;
  #counts: readonly number[] = [];
  #written: string[] = [];
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
      if (await walk.#isOurs()) return walk;
      throw new InputError(`${folder} exists and holds no walk to resume; name a folder that does not exist yet`);
    }
    if (!(await walk.#isOurs())) throw new InputError(`${folder} exists and holds no walk to resume`);
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

  /** sha256 of what was written of the groups that are settled. */
  get written(): readonly string[] {
    return this.#saved?.written ?? [];
  }

  /** Notes the bytes written of the next group, by their sha256. */
  wrote(hash: string): void {
    this.#written.push(hash);
  }

  /**
   * Makes the folder, or makes sure that what it holds is the walk asked for, and that no other process is at it.
   * @param counts units kept of each group, kept up to date by whoever writes them.
   * @returns whether an output in progress is there.
   * @throws InputError if it holds another walk, or another process works there; OutputError if it cannot be made.
   */
  async begin(about: string, counts: readonly number[]): Promise<boolean> {
    if (this.#saved && this.#saved.about !== about) {
      throw new InputError(
        `${this.folder} holds another walk (${this.#saved.about}) than this one (${about}); name another folder, or remove it`,
      );
    }
    const parent = dirname(resolve(this.folder));
    if (!(await stat(parent).catch(() => undefined))?.isDirectory())
      throw new OutputError(`${this.folder} cannot be made: there is no folder ${parent}`);
    try {
      await mkdir(this.folder).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      });
      await this.#lock();
      await writeFile(this.#path('begun'), mark);
    } catch (error) {
      if (error instanceof InputError) throw error;
      throw new OutputError(`${this.folder} cannot be written: ${(error as Error).message}`, { cause: error });
    }
    this.#about = about;
    this.#counts = counts;
    this.#written = [...this.written];
    // The output may have been moved to its place by a process that was killed right then.
    if (this.#saved && (await isThere(this.output))) return true;
    this.#saved = undefined;
    this.#written = [];
    await rm(this.#path('walk.json'), { force: true });
    await rm(this.output, { recursive: true, force: true });
    return false;
  }

  async load(): Promise<{ next: number; hidden: Float32Array } | undefined> {
    if (this.#about === undefined || !this.#saved) return undefined;
    const { next, hidden, hiddenHash } = this.#saved;
    const path = this.#path(`hidden-${next}.f32`);
    const states = new Float32Array(hidden);
    const bytes = new Uint8Array(states.buffer);
    const whole = (await stat(path).catch(() => undefined))?.size === bytes.length;
    if (whole) for (let at = 0; at < bytes.length; at += slice) readFully(path, bytes.subarray(at, at + slice), at);
    if (!whole || hashOf(bytes) !== hiddenHash) {
      throw new InputError(
        `${this.folder}: the hidden states of layer ${next} are not whole; remove the folder to start over`,
      );
    }
    return { next, hidden: states };
  }

  async save(next: number, hidden: Float32Array): Promise<void> {
    if (this.#about === undefined) return;
    const settled = this.#counts.slice(0, this.groupsBefore(next));
    const bytes = new Uint8Array(hidden.buffer, hidden.byteOffset, hidden.byteLength);
    const written = this.#written.slice(0, settled.length);
    const state = { about: this.#about, next, settled, written, hidden: hidden.length, hiddenHash: hashOf(bytes) };
    // What the state speaks of is on the disk before the state is.
    for (const name of await readdir(this.output)) await flushed(join(this.output, name));
    await writeFile(this.#path(`hidden-${next}.f32`), bytes);
    await flushed(this.#path(`hidden-${next}.f32`));
    await writeFile(this.#path('walk.json.new'), JSON.stringify(state));
    await flushed(this.#path('walk.json.new'));
    await rename(this.#path('walk.json.new'), this.#path('walk.json'));
    await rm(this.#path(`hidden-${next - 1}.f32`), { force: true });
    this.#saved = state;
  }

  /** Lets other processes at the folder; what is in it stays. */
  async release(): Promise<void> {
    if (this.#about === undefined) return;
    this.#about = undefined;
    held.delete(resolve(this.folder));
    await rm(this.#path('lock'), { force: true });
  }

  /** Removes what it made, and the folder if nothing else is in it. */
  async end(): Promise<void> {
    await this.release();
    this.#saved = undefined;
    for (const name of await readdir(this.folder).catch(() => [])) {
      if (/^(begun|lock|output|walk\.json(\.new)?|hidden-\d+\.f32)$/.test(name))
        await rm(this.#path(name), { recursive: true, force: true });
    }
    await rmdir(this.folder).catch(() => {});
  }

  async #isOurs(): Promise<boolean> {
    return (await readFile(this.#path('begun'), 'utf8').catch(() => undefined)) === mark;
  }

  /** Takes the folder for this process; a process that is gone has left it. */
  async #lock(): Promise<void> {
    const path = this.#path('lock');
    if (held.has(resolve(this.folder))) throw new InputError(`${this.folder} is in use by this process already`);
    for (let attempt = 0; attempt < 2; attempt++) {
      try {
        await writeFile(path, String(process.pid), { flag: 'wx' });
        held.add(resolve(this.folder));
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const pid = Number(await readFile(path, 'utf8').catch(() => '0'));
      if (pid !== process.pid && isAlive(pid))
        throw new InputError(`${this.folder} is in use by process ${pid}; wait for it, or name another folder`);
      await rm(path, { force: true });
    }
    throw new InputError(`${this.folder} is in use by another process`);
  }

  #path(name: string): string {
    return join(this.folder, name);
  }
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

function isAlive(pid: number): boolean {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Bytes handled at a time: Node hashes and reads 2 GiB at the most, which the hidden states of a large model exceed. */
const slice = 2 ** 26;

function hashOf(bytes: Uint8Array): string {
  const hash = createHash('sha256');
  for (let at = 0; at < bytes.length; at += slice) hash.update(bytes.subarray(at, at + slice));
  return hash.digest('hex');
}

async function flushed(path: string): Promise<void> {
  const file = await open(path, 'r+').catch(() => undefined);
  try {
    await file?.sync();
  } finally {
    await file?.close();
  }
}
