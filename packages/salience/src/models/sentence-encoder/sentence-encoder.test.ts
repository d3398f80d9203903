/** @file A sentence encoder small enough to be known by heart: a token's vector is a row of a table. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import {
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  TensorProto_DataType,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
} from 'onnx-buf';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { wordLevelTokenizerJson } from '../tokenizer/tokenizer.ts';
import { openSentenceEncoder } from './sentence-encoder.ts';

const { FLOAT, INT64 } = TensorProto_DataType;

const value = (name: string, elemType: number, dims: readonly (string | number)[]) =>
  create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, {
      value: {
        case: 'tensorType',
        value: create(TypeProto_TensorSchema, {
          elemType,
          shape: create(TensorShapeProtoSchema, {
            dim: dims.map((dim) =>
              create(TensorShapeProto_DimensionSchema, {
                value:
                  typeof dim === 'number' ? { case: 'dimValue', value: BigInt(dim) } : { case: 'dimParam', value: dim },
              }),
            ),
          }),
        }),
      },
    }),
  });

/** input_ids [texts, tokens] → rows of the table [words, 2]. */
function model(table: readonly number[], inputs: readonly string[]): Uint8Array {
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [create(OperatorSetIdProtoSchema, { domain: '', version: 15n })],
      graph: create(GraphProtoSchema, {
        name: 'encoder',
        node: [
          create(NodeProtoSchema, { opType: 'Gather', input: ['table', inputs[0]], output: ['last_hidden_state'] }),
        ],
        input: inputs.map((name) => value(name, INT64, ['texts', 'tokens'])),
        output: [value('last_hidden_state', FLOAT, ['texts', 'tokens', 2])],
        initializer: [
          create(TensorProtoSchema, {
            name: 'table',
            dataType: FLOAT,
            dims: [BigInt(table.length / 2), 2n],
            rawData: new Uint8Array(Float32Array.from(table).buffer),
          }),
        ],
      }),
    }),
  );
}

describe('a sentence encoder', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'salience-encoder-'));
    const words = ['?', 'east', 'north', 'a'];
    writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(wordLevelTokenizerJson(words, { unknown: '?' })));
    writeFileSync(join(folder, 'model.onnx'), model([9, 9, 3, 0, 0, 4, 1, 1], ['input_ids', 'attention_mask']));
    writeFileSync(join(folder, 'config.json'), '{ "max_position_embeddings": 4 }');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('gives the mean of the tokens, of length 1, whatever the other texts of the batch', async () => {
    const encoder = await openSentenceEncoder(folder);
    expect(encoder.width).toBe(2);
    const [both, east, long] = await encoder.embed(['east north', 'east', 'east east north north']);
    expect([...both]).toEqual([Math.fround(0.6), Math.fround(0.8)]);
    expect([...east]).toEqual([1, 0]);
    expect([...long]).toEqual([...both]);
    await encoder.close();
  });

  it('cuts texts that are longer than the model reads', async () => {
    const encoder = await openSentenceEncoder(folder);
    const [cut, whole] = await encoder.embed(['east east east north east east east', 'east east east east']);
    expect([...cut]).toEqual([...whole]);
    await encoder.close();
  });

  it('refuses a folder without a model, and a model with other inputs', async () => {
    rmSync(join(folder, 'model.onnx'));
    await expect(openSentenceEncoder(folder)).rejects.toThrow('has no model.onnx');
    writeFileSync(join(folder, 'model.onnx'), model([1, 0], ['x']));
    await expect(openSentenceEncoder(folder)).rejects.toThrow('has the inputs x');
    writeFileSync(join(folder, 'model.onnx'), 'no model');
    await expect(openSentenceEncoder(folder)).rejects.toThrow('is no ONNX model that can be run');
  });
});
