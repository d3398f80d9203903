/** @file A graph as the bytes of an ONNX model. */

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
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
} from 'onnx-buf';
import type { Attribute, GraphType, Node, Value } from './graph.ts';
import type { Lowered } from './lowering/lower.ts';

const dataTypes: Readonly<Record<GraphType, TensorProto_DataType>> = {
  float32: TensorProto_DataType.FLOAT,
  int32: TensorProto_DataType.INT32,
  uint32: TensorProto_DataType.UINT32,
  int64: TensorProto_DataType.INT64,
  bool: TensorProto_DataType.BOOL,
};

/** Name of a value in the model: input i is `i<i>`, result r is `o<r>`. */
export const inputName = (i: number) => `i${i}`;
export const outputName = (r: number) => `o${r}`;

/** The model of a lowered program. */
export function onnxModel({ graph, outputs }: Lowered): Uint8Array {
  const nodes = graph.nodes(outputs);
  const names = new Map<Value, string>(graph.inputs.map((value, i) => [value, inputName(i)]));
  const constants = new Map<Value, string>();
  const nameOf = (value: Value): string => {
    let name = names.get(value);
    if (name === undefined) {
      name = value.constant ? `c${value.id}` : `v${value.id}`;
      names.set(value, name);
      if (value.constant) constants.set(value, name);
    }
    return name;
  };
  const made = nodes.map((node) => nodeProto(node, nameOf));
  // A result may be an input, a constant, or the same as another; each gets a name of its own.
  const results = outputs.map((value, r) =>
    create(NodeProtoSchema, { opType: 'Identity', input: [nameOf(value)], output: [outputName(r)] }),
  );
  const model = create(ModelProtoSchema, {
    irVersion: 10n,
    producerName: 'salience',
    opsetImport: [
      create(OperatorSetIdProtoSchema, { domain: '', version: 21n }),
      create(OperatorSetIdProtoSchema, { domain: 'com.microsoft', version: 1n }),
    ],
    graph: create(GraphProtoSchema, {
      name: 'program',
      node: [...made, ...results],
      input: graph.inputs.map((value, i) => valueInfo(inputName(i), value)),
      output: outputs.map((value, r) => valueInfo(outputName(r), value)),
      initializer: [...constants].map(([{ type, shape, constant }, name]) =>
        create(TensorProtoSchema, {
          name,
          dataType: dataTypes[type],
          dims: shape.map(BigInt),
          rawData: rawBytes(type, constant!),
        }),
      ),
    }),
  });
  return toBinary(ModelProtoSchema, model);
}

function valueInfo(name: string, { type, shape }: Pick<Value, 'type' | 'shape'>) {
  const dim = shape.map((length) =>
    create(TensorShapeProto_DimensionSchema, { value: { case: 'dimValue', value: BigInt(length) } }),
  );
  const tensorType = create(TypeProto_TensorSchema, {
    elemType: dataTypes[type],
    shape: create(TensorShapeProtoSchema, { dim }),
  });
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: 'tensorType', value: tensorType } }),
  });
}

function rawBytes(type: GraphType, elements: readonly number[]): Uint8Array<ArrayBuffer> {
  switch (type) {
    case 'float32':
      return new Uint8Array(Float32Array.from(elements).buffer);
    case 'int32':
      return new Uint8Array(Int32Array.from(elements).buffer);
    case 'uint32':
      return new Uint8Array(Uint32Array.from(elements).buffer);
    case 'int64':
      return new Uint8Array(BigInt64Array.from(elements, BigInt).buffer);
    case 'bool':
      return Uint8Array.from(elements);
  }
}

function nodeProto({ op, domain, inputs, outputs, attributes }: Node, nameOf: (value: Value) => string) {
  return create(NodeProtoSchema, {
    opType: op,
    domain,
    input: inputs.map(nameOf),
    output: outputs.map(nameOf),
    attribute: Object.entries(attributes).map(([name, value]) => attributeProto(op, name, value)),
  });
}

function attributeProto(op: string, name: string, value: Attribute) {
  if (op === 'Cast') {
    return create(AttributeProtoSchema, {
      name,
      type: AttributeProto_AttributeType.INT,
      i: BigInt(dataTypes[value as GraphType]),
    });
  }
  if (typeof value === 'string') {
    return create(AttributeProtoSchema, {
      name,
      type: AttributeProto_AttributeType.STRING,
      s: new TextEncoder().encode(value),
    });
  }
  if (typeof value === 'number') {
    return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INT, i: BigInt(value) });
  }
  if ('float' in value)
    return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.FLOAT, f: value.float });
  return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INTS, ints: value.map(BigInt) });
}
