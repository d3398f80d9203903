import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  TensorProto_DataType,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_MapSchema,
  TypeProto_SequenceSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
} from 'onnx-buf';
import { afterEach, describe, expect, it } from 'vitest';
import { CancelledError, InputError, ParameterError } from '../../core/errors.ts';
import { checked } from './checked.ts';
import { type HttpOptions, httpBlackBox } from './http.ts';
import { onnxBlackBox } from './onnx.ts';

const half = (rows: Float64Array) => new Float64Array(rows.length / 2).fill(0.5);

describe('a checked black box', () => {
  it('is asked in batches and answers in order', async () => {
    const sizes: number[] = [];
    const box = checked(
      (rows) => {
        sizes.push(rows.length / 2);
        return Float32Array.from({ length: rows.length / 2 }, (_, i) => rows[2 * i] / 100);
      },
      { name: 'box', columns: 2, batch: 10 },
    );
    const rows = Float64Array.from({ length: 50 }, (_, i) => i);
    const found = await box.predict(rows);
    expect(found.length).toBe(25);
    found.forEach((value, i) => {
      expect(value).toBeCloseTo(i / 50, 6);
    });
    expect(sizes).toEqual([10, 8, 10, 5]); // of the first batch 8 rows are asked about again
    await box.predict(rows);
    expect(sizes.length).toBe(7);
  });

  it('names the row of a NaN, of a probability that is none, and of a label that is none', async () => {
    const at = (value: number, gives?: 'label' | 'value') =>
      checked((rows) => half(rows).map((_, i) => (i === 3 ? value : 1)), {
        name: 'box',
        columns: 2,
        gives,
        batch: 5,
      }).predict(new Float64Array(20));
    await expect(at(NaN)).rejects.toThrow(new InputError('box: gave NaN for row 3, which is no finite number'));
    await expect(at(Infinity, 'value')).rejects.toThrow('box: gave Infinity for row 3');
    await expect(at(1.5)).rejects.toThrow('box: gave 1.5 for row 3, which is no probability from 0 to 1');
    await expect(at(0.5, 'label')).rejects.toThrow('box: gave 0.5 for row 3, which is no label of 0 or 1');
    await expect(at(-7, 'value')).resolves.toHaveLength(10);
  });

  it('refuses a wrong number of answers', async () => {
    await expect(
      checked(() => new Float64Array(3), { name: 'box', columns: 2 }).predict(new Float64Array(8)),
    ).rejects.toThrow('box: gave 3 numbers for 4 rows; it has to give one a row');
    await expect(checked(half, { name: 'box', columns: 2 }).predict(new Float64Array(3))).rejects.toThrow(
      '3 numbers are no rows of 2 columns',
    );
  });

  it('finds out that it answers otherwise when asked again', async () => {
    let call = 0;
    const box = checked((rows) => half(rows).map((v) => v + 0.1 * call++), { name: 'dice', columns: 2 });
    await expect(box.predict(new Float64Array(4))).rejects.toThrow(
      'dice: gives different answers for the same rows: for row 0 first 0.5 and then 0.7',
    );
  });

  it('gives up when an answer takes too long', async () => {
    const box = checked(() => new Promise<Float64Array>(() => {}), { name: 'slow', columns: 1, timeout: 20 });
    await expect(box.predict(new Float64Array(1))).rejects.toThrow('slow: gave no answer within 20 ms');
  });
});

describe('an endpoint', () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
    server = undefined;
  });

  interface Asked {
    rows: Record<string, number | string | null>[];
  }
  /** Serves answers; the address. */
  async function serve(
    answer: (body: Asked, response: ServerResponse, request: IncomingMessage) => void,
  ): Promise<string> {
    server = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk) => {
        text += chunk;
      });
      request.on('end', () => answer(JSON.parse(text), response, request));
    });
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/predict`;
  }
  const json = (response: ServerResponse, value: unknown, status = 200) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(value));
  };
  const options: HttpOptions = { columns: [{ name: 'age' }, { name: 'housing', levels: ['own', 'rent'] }], backoff: 1 };

  it('gets names, texts of categories and null for what is missing, and answers in order', async () => {
    const asked: Asked['rows'] = [];
    const url = await serve((body, response) => {
      asked.push(...body.rows);
      const answer = () =>
        json(response, { predictions: body.rows.map(({ age }) => (age === null ? 0 : Number(age) / 100)) });
      setTimeout(answer, body.rows[0].age === 0 ? 20 : 0); // the first comes last
    });
    const box = httpBlackBox(url, { ...options, batch: 2 });
    const found = await box.predict(Float64Array.of(0, 0, 1, 1, 2, NaN, 3, 0, NaN, 1));
    expect([...found]).toEqual([0, 0.01, 0.02, 0.03, 0]);
    expect(asked.slice(0, 5)).toEqual([
      { age: 0, housing: 'own' },
      { age: 1, housing: 'rent' },
      { age: 2, housing: null },
      { age: 3, housing: 'own' },
      { age: null, housing: 'rent' },
    ]);
    expect(box.columns).toBe(2);
  });

  it('is asked again after 503, and no more after so many times', async () => {
    let calls = 0;
    const url = await serve((body, response) => {
      calls++;
      if (calls <= 2) json(response, { error: 'warming up' }, 503);
      else json(response, { predictions: body.rows.map(() => 0.5) });
    });
    expect([...(await httpBlackBox(url, options).predict(Float64Array.of(1, 0)))]).toEqual([0.5]);
    expect(calls).toBe(4);
    calls = 0;
    await expect(httpBlackBox(url, { ...options, retries: 1 }).predict(Float64Array.of(1, 0))).rejects.toThrow(
      `${url}: answered with status 503: {"error":"warming up"}, asked 2 times`,
    );
  });

  it('is not asked again after 400; the status and what it said are in the error', async () => {
    let calls = 0;
    const url = await serve((_, response) => {
      calls++;
      json(response, { error: 'unknown column housing' }, 400);
    });
    await expect(httpBlackBox(url, options).predict(Float64Array.of(1, 0))).rejects.toThrow(
      `${url}: answered with status 400: {"error":"unknown column housing"}`,
    );
    expect(calls).toBe(1);
  });

  it('that does not answer in time, or is not there, is named', async () => {
    const url = await serve(() => {});
    await expect(
      httpBlackBox(url, { ...options, timeout: 30, retries: 1 }).predict(Float64Array.of(1, 0)),
    ).rejects.toThrow(`${url}: gave no answer within 30 ms, asked 2 times`);
    server!.closeAllConnections();
    await new Promise((resolve) => server!.close(resolve));
    await expect(httpBlackBox(url, { ...options, retries: 0 }).predict(Float64Array.of(1, 0))).rejects.toThrow(
      /predict: cannot be asked \(.+\)$/,
    );
  });

  it('that answers something else is told what it should answer', async () => {
    const answers: unknown[] = [
      { scores: [1] },
      { predictions: [1, 2] },
      { predictions: ['1'] },
      { predictions: [null] },
    ];
    const url = await serve((_, response) => json(response, answers.shift()));
    const predict = () => httpBlackBox(url, options).predict(Float64Array.of(1, 0));
    await expect(predict()).rejects.toThrow('the answer wants {"predictions": [one number a row]}, not {"scores":[1]}');
    await expect(predict()).rejects.toThrow('gave 2 predictions for 1 rows');
    await expect(predict()).rejects.toThrow('gave "1" for row 0, which is no number');
    await expect(predict()).rejects.toThrow('gave null for row 0, which is no number');
    server!.removeAllListeners('request').on('request', (_, response) => response.end('<html>'));
    await expect(predict()).rejects.toThrow('answered with no JSON: <html>');
    server!.removeAllListeners('request').on('request', (_, response) => response.end('{"predictions": [NaN]}'));
    await expect(predict()).rejects.toThrow('answered with no JSON (NaN is no number in JSON)');
    server!.removeAllListeners('request').on('request', (_, response) => response.end('x'.repeat(200_000)));
    await expect(predict()).rejects.toThrow('answered with more than 66,560 bytes');
  });

  it('is left alone after a cancel', async () => {
    const controller = new AbortController();
    const url = await serve(() => controller.abort());
    await expect(
      httpBlackBox(url, { ...options, signal: controller.signal }).predict(Float64Array.of(1, 0)),
    ).rejects.toThrow(CancelledError);
  });

  it('gets a password of the address as a header, and errors do not show it', async () => {
    const url = await serve((_, response, request) => json(response, { said: request.headers.authorization }, 401));
    const withPassword = url.replace('http://', 'http://ada:secret@');
    const error = await httpBlackBox(withPassword, options)
      .predict(Float64Array.of(1, 0))
      .catch((e: Error) => e);
    expect((error as Error).message).toBe(`${url}: answered with status 401: {"said":"Basic ${btoa('ada:secret')}"}`);
  });

  it('has an address of http or https', () => {
    expect(() => httpBlackBox('ftp://x', options)).toThrow(
      new ParameterError('ftp://x is no address of http or https'),
    );
    expect(() => httpBlackBox('http://x', { ...options, batch: 0 })).toThrow(
      'batch is a whole number of 1 or more, not 0',
    );
  });
});

describe('an ONNX file', () => {
  const folders: string[] = [];
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });

  const { FLOAT, INT64 } = TensorProto_DataType;
  const tensorType = (elemType: number, dims: (number | string)[]) =>
    create(TypeProtoSchema, {
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
    });
  const named = (name: string, type: ReturnType<typeof tensorType>) => create(ValueInfoProtoSchema, { name, type });
  const attribute = (name: string, i: number) =>
    create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INT, i: BigInt(i) });

  /** x [rows, 2] → softmax(x · weight) [rows, classes], its arg max, or both in a ZipMap; written to a file. */
  function write(classes: number, outputs: ('label' | 'probabilities' | 'map')[], inputs = 1): string {
    const weight = Float32Array.from({ length: 2 * classes }, (_, i) => (i < classes ? i : 0));
    const node = (
      opType: string,
      input: string[],
      output: string,
      attributes: ReturnType<typeof attribute>[] = [],
      domain = '',
    ) => create(NodeProtoSchema, { opType, input, output: [output], attribute: attributes, domain });
    const map = create(TypeProtoSchema, {
      value: {
        case: 'sequenceType',
        value: create(TypeProto_SequenceSchema, {
          elemType: create(TypeProtoSchema, {
            value: {
              case: 'mapType',
              value: create(TypeProto_MapSchema, { keyType: INT64, valueType: tensorType(FLOAT, []) }),
            },
          }),
        }),
      },
    });
    const types = { label: tensorType(INT64, ['n']), probabilities: tensorType(FLOAT, ['n', classes]), map };
    const zip = create(NodeProtoSchema, {
      opType: 'ZipMap',
      domain: 'ai.onnx.ml',
      input: ['probabilities'],
      output: ['map'],
      attribute: [
        create(AttributeProtoSchema, {
          name: 'classlabels_int64s',
          type: AttributeProto_AttributeType.INTS,
          ints: Array.from({ length: classes }, (_, c) => BigInt(c)),
        }),
      ],
    });
    const model = create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [
        create(OperatorSetIdProtoSchema, { domain: '', version: 15n }),
        create(OperatorSetIdProtoSchema, { domain: 'ai.onnx.ml', version: 1n }),
      ],
      graph: create(GraphProtoSchema, {
        name: 'classifier',
        node: [
          node('MatMul', ['x', 'weight'], 'scores'),
          node('Softmax', ['scores'], 'probabilities', [attribute('axis', 1)]),
          ...(outputs.includes('label')
            ? [node('ArgMax', ['scores'], 'label', [attribute('axis', 1), attribute('keepdims', 0)])]
            : []),
          ...(outputs.includes('map') ? [zip] : []),
        ],
        input: [
          named('x', tensorType(FLOAT, ['n', 2])),
          ...(inputs > 1 ? [named('z', tensorType(FLOAT, ['n', 1]))] : []),
        ],
        output: outputs.map((name) => named(name, types[name])),
        initializer: [
          create(TensorProtoSchema, {
            name: 'weight',
            dataType: FLOAT,
            dims: [2n, BigInt(classes)],
            rawData: new Uint8Array(weight.buffer),
          }),
        ],
      }),
    });
    const folder = mkdtempSync(join(tmpdir(), 'salience-onnx-'));
    folders.push(folder);
    const path = join(folder, 'model.onnx');
    writeFileSync(path, toBinary(ModelProtoSchema, model));
    return path;
  }
  const rows = Float64Array.of(0, 9, 1, 9, -1, 9);
  const sigmoid = (s: number) => 1 / (1 + Math.exp(-s));

  it('of two classes gives the probability of the second, and of the first where that is wanted', async () => {
    const path = write(2, ['label', 'probabilities']);
    const box = await onnxBlackBox(path, { columns: 2, batch: 2 });
    expect(box.gives).toBe('probability');
    (await box.predict(rows)).forEach((p, i) => {
      expect(p).toBeCloseTo(sigmoid(rows[2 * i]), 6);
    });
    const first = await onnxBlackBox(path, { columns: 2, positive: 0 });
    expect((await first.predict(rows))[1]).toBeCloseTo(sigmoid(-1), 6);
  });

  it('of labels gives 1 for the wanted one, and of one number a row that number', async () => {
    const labels = await onnxBlackBox(write(3, ['label']), { columns: 2, positive: 2 });
    expect(labels.gives).toBe('label');
    expect([...(await labels.predict(rows))]).toEqual([0, 1, 0]);
    const value = await onnxBlackBox(write(1, ['probabilities']), { columns: 2 });
    expect(value.gives).toBe('value');
    expect([...(await value.predict(rows))]).toEqual([1, 1, 1]);
  });

  it('with a ZipMap is refused, with how to write it without; its label can be read', async () => {
    const path = write(2, ['label', 'map']);
    await expect(onnxBlackBox(path, { columns: 2 })).rejects.toThrow(
      `${path}: output map is a list of maps (ZipMap), which cannot be read; write the model with to_onnx(…, options={"zipmap": False})`,
    );
    expect([...(await (await onnxBlackBox(path, { columns: 2, output: 'label' })).predict(rows))]).toEqual([0, 1, 0]);
  });

  it('of other columns, several inputs, unknown outputs or classes, or no model at all, is refused', async () => {
    const path = write(2, ['probabilities']);
    await expect(onnxBlackBox(path, { columns: 3 })).rejects.toThrow('input x is [n, 2], and the rows are [rows, 3]');
    await expect(onnxBlackBox(path, { columns: 2, output: 'p' })).rejects.toThrow(
      'has no output p; it has probabilities',
    );
    await expect(onnxBlackBox(path, { columns: 2, positive: 5 }).then((box) => box.predict(rows))).rejects.toThrow(
      'output probabilities has 2 classes; there is no class 5',
    );
    await expect(onnxBlackBox(path, { columns: 2, maxBytes: 10 })).rejects.toThrow(
      /is \d+ bytes, above the 10 allowed/,
    );
    await expect(onnxBlackBox(write(2, ['probabilities'], 2), { columns: 2 })).rejects.toThrow(
      'has the 2 inputs x, z; it has to take one',
    );
    writeFileSync(path, 'nonsense');
    await expect(onnxBlackBox(path, { columns: 2 })).rejects.toThrow(`${path}: is no ONNX model that can be run`);
    await expect(onnxBlackBox(`${path}x`, { columns: 2 })).rejects.toThrow(`${path}x: no such file`);
    await expect(onnxBlackBox(dirname(path), { columns: 2 })).rejects.toThrow('is a folder; name a file');
  });
});
