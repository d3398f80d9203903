/** @file A black box from an ONNX file, such as skl2onnx writes. */

import { readFile } from 'node:fs/promises';
import type { InferenceSession, Tensor } from 'onnxruntime-common';
import { InputError } from '../../core/errors.ts';
import { type BackendOptions, openBackend } from '../../runtime/backend.ts';
import { statOf } from '../table-files/text-records.ts';
import type { BlackBox } from './black-box.ts';
import { checked } from './checked.ts';

export interface OnnxOptions {
  /** Columns a row has. */
  readonly columns: number;
  /** The output to read; default the first of probabilities or values, else the first. */
  readonly output?: string;
  /** The class that is wanted: its place among the probabilities, or its label; default 1 of two. */
  readonly positive?: number;
  /** What a single number a row is; default `value`. Probabilities of classes and labels show what they are. */
  readonly gives?: 'probability' | 'value';
  /** Rows of a pass; default 8192. */
  readonly batch?: number;
  /** Bytes that the file may have; default 2³¹. */
  readonly maxBytes?: number;
  readonly backend?: BackendOptions;
}

/**
 * A black box from an ONNX model of one numeric input [rows, columns]. Its output is a probability for each class [rows, classes], one
 * number a row ([rows] or [rows, 1]), or a whole-number label [rows], which becomes 1 for the wanted class and 0 for others.
 * @throws InputError if the file cannot be read, is too large or no model, or its inputs and outputs are others, with what to do.
 */
export async function onnxBlackBox(path: string, options: OnnxOptions): Promise<BlackBox> {
  const { columns, batch = 8192, maxBytes = 2 ** 31, positive = 1, gives = 'value' } = options;
  const { size } = await statOf(path);
  if (size > maxBytes) {
    throw new InputError(
      `${path}: is ${size.toLocaleString('en-US')} bytes, above the ${maxBytes.toLocaleString('en-US')} allowed`,
    );
  }
  const backend = await openBackend(options.backend);
  const session = await backend.session(new Uint8Array(await readFile(path))).catch((error: Error) => {
    throw new InputError(`${path}: is no ONNX model that can be run: ${error.message}`);
  });
  const input = inputOf(session, columns, path);
  const output = outputOf(session, options.output, path);
  const run = async (rows: Float64Array): Promise<Tensor> => {
    const shape = [rows.length / columns, columns];
    const tensor =
      input.type === 'float64'
        ? new backend.Tensor('float64', rows.slice(), shape)
        : new backend.Tensor('float32', Float32Array.from(rows), shape);
    const results = await session.run({ [input.name]: tensor }, [output]).catch((error: Error) => {
      throw new InputError(`${path}: cannot be run on ${shape[0]} rows of ${columns} columns: ${error.message}`);
    });
    return results[output] as Tensor;
  };
  const predict = async (rows: Float64Array) =>
    numbersOf(await run(rows), rows.length / columns, positive, output, path);
  // One row says what the model gives, where its shapes do not.
  const probe = await run(new Float64Array(columns));
  const kind = probe.type === 'int64' || probe.type === 'int32' ? 'label' : probe.size > 1 ? 'probability' : gives;
  return checked(predict, { name: path, columns, gives: kind, batch });
}

/** The one input of a model, and its type. */
function inputOf(
  session: InferenceSession,
  columns: number,
  path: string,
): { name: string; type: 'float32' | 'float64' } {
  const inputs = session.inputMetadata;
  if (inputs.length !== 1) {
    throw new InputError(
      `${path}: has the ${inputs.length} inputs ${session.inputNames.join(', ')}; it has to take one, of numbers [rows, ${columns}] (give to_onnx one FloatTensorType([None, ${columns}]))`,
    );
  }
  const [input] = inputs;
  if (!input.isTensor || (input.type !== 'float32' && input.type !== 'float64')) {
    throw new InputError(
      `${path}: input ${input.name} is ${input.isTensor ? input.type : 'no tensor'}; it has to be float32 or float64`,
    );
  }
  const width = input.shape.at(-1);
  if (input.shape.length !== 2 || (typeof width === 'number' && width > 0 && width !== columns)) {
    throw new InputError(
      `${path}: input ${input.name} is [${input.shape.join(', ')}], and the rows are [rows, ${columns}]`,
    );
  }
  return { name: input.name, type: input.type };
}

/** The output to read: the one named, the first of floats, or else the first. */
function outputOf(session: InferenceSession, wanted: string | undefined, path: string): string {
  const outputs = session.outputMetadata;
  if (wanted !== undefined && !session.outputNames.includes(wanted)) {
    throw new InputError(`${path}: has no output ${wanted}; it has ${session.outputNames.join(', ')}`);
  }
  const zipped = outputs.find((output) => !output.isTensor && (wanted === undefined || output.name === wanted));
  if (zipped) {
    throw new InputError(
      `${path}: output ${zipped.name} is a list of maps (ZipMap), which cannot be read; write the model with to_onnx(…, options={"zipmap": False})`,
    );
  }
  if (wanted !== undefined) return wanted;
  const floats = outputs.find((output) => output.isTensor && (output.type === 'float32' || output.type === 'float64'));
  return (floats ?? outputs[0]).name;
}

/** One number a row. */
function numbersOf(
  { data, dims, type }: Tensor,
  n: number,
  positive: number,
  output: string,
  path: string,
): Float64Array {
  if (type !== 'float32' && type !== 'float64' && type !== 'int64' && type !== 'int32') {
    throw new InputError(
      `${path}: output ${output} is ${type}; labels have to be whole numbers, probabilities and values floats`,
    );
  }
  const numbers = data as Float32Array | Float64Array | Int32Array | BigInt64Array;
  const width = numbers.length / n;
  const label = type === 'int64' || type === 'int32';
  if (!Number.isInteger(width) || width === 0 || (label && width > 1)) {
    throw new InputError(
      `${path}: output ${output} is [${dims.join(', ')}] for ${n} rows; it has to be [rows] or [rows, classes]`,
    );
  }
  if (label) return Float64Array.from({ length: n }, (_, i) => Number(Number(numbers[i]) === positive));
  if (width > 1 && !(positive >= 0 && positive < width)) {
    throw new InputError(`${path}: output ${output} has ${width} classes; there is no class ${positive}`);
  }
  const at = width > 1 ? positive : 0;
  return Float64Array.from({ length: n }, (_, i) => Number(numbers[i * width + at]));
}
