/** @file A checkpoint as published: one safetensors file, or a folder with one file or with shards and an index, and its small files. */

import { open, readdir, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { InputError } from '../../core/errors.ts';
import { headerLength, parseHeader, parseObject, type SafetensorsHeader, type TensorEntry } from './safetensors.ts';

/** A tensor and the file that holds it. */
export interface Tensor extends TensorEntry {
  readonly path: string;
}

export interface WeightFile {
  /** Name within the checkpoint's folder. */
  readonly name: string;
  readonly path: string;
  readonly size: number;
  readonly header: SafetensorsHeader;
}

export interface Checkpoint {
  /** The folder or the file, as given. */
  readonly path: string;
  /** Whether it is a folder. */
  readonly folder: boolean;
  readonly files: readonly WeightFile[];
  /** All tensors, file by file in the order of their bytes. */
  readonly tensors: readonly Tensor[];
  /** Names of the small files that belong to it: configuration, tokenizer, index, licence. */
  readonly companions: readonly string[];
}

const indexName = 'model.safetensors.index.json';
const companionTypes = new Set(['.json', '.txt', '.model', '.jinja', '.tiktoken', '.md', '']);
const maxIndex = 256 * 2 ** 20;

/**
 * Opens a checkpoint: reads and checks the headers, no tensor.
 * @throws InputError for what is missing, malformed or contradictory, naming file and tensor.
 */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  const info = await stat(path).catch(() => {
    throw new InputError(`${path}: no such file or folder`);
  });
  if (!info.isDirectory()) {
    if (extname(path) !== '.safetensors')
      throw new InputError(`${path}: a checkpoint is a .safetensors file or a folder that holds one`);
    return assemble(path, false, [await openWeightFile(path, basename(path))], []);
  }
  const entries = (await readdir(path)).sort();
  const weightNames = entries.filter((name) => name.endsWith('.safetensors'));
  const companions = entries.filter((name) => companionTypes.has(extname(name)) && !name.startsWith('.'));
  const small: string[] = [];
  for (const name of companions) {
    const info = await stat(join(path, name)).catch(() => {
      throw new InputError(`${path}: "${name}" is a link to a file that is not there`);
    });
    if (info.isFile()) small.push(name);
  }
  if (!entries.includes(indexName)) {
    const name = weightNames.includes('model.safetensors') ? 'model.safetensors' : weightNames[0];
    if (name === undefined) throw new InputError(`${path}: holds no .safetensors file`);
    if (weightNames.length > 1 && name !== 'model.safetensors') {
      throw new InputError(
        `${path}: holds ${weightNames.length} .safetensors files and no ${indexName} that says how they belong together`,
      );
    }
    return assemble(path, true, [await openWeightFile(join(path, name), name)], small);
  }
  const shardOf = await readIndex(join(path, indexName));
  const files: WeightFile[] = [];
  for (const name of [...new Set(shardOf.values())].sort()) {
    if (!weightNames.includes(name)) throw new InputError(`${path}: the index names shard "${name}", which is missing`);
    files.push(await openWeightFile(join(path, name), name));
  }
  for (const [tensor, shard] of shardOf) {
    if (!files.find(({ name }) => name === shard)!.header.tensors.some(({ name }) => name === tensor)) {
      throw new InputError(`${path}: the index places tensor "${tensor}" in "${shard}", which does not hold it`);
    }
  }
  return assemble(path, true, files, small);
}

function assemble(path: string, folder: boolean, files: WeightFile[], companions: string[]): Checkpoint {
  const holder = new Map<string, string>();
  const tensors: Tensor[] = [];
  for (const { name, path: file, header } of files) {
    for (const tensor of header.tensors) {
      const other = holder.get(tensor.name);
      if (other !== undefined)
        throw new InputError(`${path}: tensor "${tensor.name}" is in both "${other}" and "${name}"`);
      holder.set(tensor.name, name);
      tensors.push({ ...tensor, path: file });
    }
  }
  return { path, folder, files, tensors, companions };
}

async function openWeightFile(path: string, name: string): Promise<WeightFile> {
  const file = await open(path).catch((error: Error) => {
    throw new InputError(`${path}: cannot be opened: ${error.message}`);
  });
  try {
    const { size } = await file.stat();
    const start = new Uint8Array(8);
    const { bytesRead } = await file.read(start, 0, 8, 0);
    const json = new Uint8Array(headerLength(start.subarray(0, bytesRead), size, path));
    await file.read(json, 0, json.length, 8);
    return { name, path, size, header: parseHeader(json, size, path) };
  } finally {
    await file.close();
  }
}

/** The shard of each tensor. A shard's name is a plain file name, so that an index cannot point out of the folder; links are followed. */
async function readIndex(path: string): Promise<Map<string, string>> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    if (size > maxIndex)
      throw new InputError(`${path}: is ${size.toLocaleString('en-US')} bytes, too large for an index`);
    const { weight_map: map } = parseObject(await file.readFile(), path);
    if (typeof map !== 'object' || map === null || Array.isArray(map))
      throw new InputError(`${path}: has no "weight_map" object`);
    for (const [tensor, shard] of Object.entries(map)) {
      if (
        typeof shard !== 'string' ||
        shard !== basename(shard) ||
        shard.includes('\\') ||
        !shard.endsWith('.safetensors')
      ) {
        throw new InputError(
          `${path}: tensor "${tensor}" is placed in ${JSON.stringify(shard)}; a shard is a .safetensors file of this folder`,
        );
      }
    }
    return new Map(Object.entries(map as Record<string, string>));
  } finally {
    await file.close();
  }
}
