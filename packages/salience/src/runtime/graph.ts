/**
 * @file A dataflow graph of ONNX operators. Equal operators on equal inputs are one node from the start, and what no output
 * needs is left out when the graph is read, so common sub-expressions and dead code never need a pass of their own.
 */

import type { ElementType } from './tensor.ts';
import { sizeOf } from './tensor.ts';

/** Element types inside a graph: indices of some operators are 64 bits wide. */
export type GraphType = ElementType | 'int64';

export type Attribute = number | string | readonly number[] | { readonly float: number };

export interface Value {
  readonly id: number;
  readonly type: GraphType;
  readonly shape: readonly number[];
  /** The node it comes from; absent for inputs and constants. */
  readonly node?: Node;
  /** Its elements, if they are known. */
  readonly constant?: readonly number[];
}

export interface Node {
  readonly op: string;
  readonly domain: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface OutputType {
  readonly type: GraphType;
  readonly shape: readonly number[];
}

/** Operators whose two inputs may change places; they are kept in the order in which they were made. */
const commutative = new Set([
  'Add',
  'Mul',
  'Min',
  'Max',
  'And',
  'Or',
  'Xor',
  'Equal',
  'BitwiseAnd',
  'BitwiseOr',
  'BitwiseXor',
]);

/** An element as another type; whole numbers of 32 bits wrap. */
const conversions: Readonly<Record<GraphType, (x: number) => number>> = {
  float32: Math.fround,
  int32: (x) => x | 0,
  uint32: (x) => x >>> 0,
  int64: Math.trunc,
  bool: (x) => Number(x !== 0),
};

export class Graph {
  readonly inputs: Value[] = [];
  #ids = 0;
  readonly #known = new Map<string, Node>();
  readonly #constants = new Map<string, Value>();

  input(type: ElementType, shape: readonly number[]): Value {
    const value: Value = { id: this.#ids++, type, shape };
    this.inputs.push(value);
    return value;
  }

  constant(type: GraphType, shape: readonly number[], elements: readonly number[]): Value {
    const key = `${type}[${shape}]${elements.map((x) => (Object.is(x, -0) ? '-0' : x))}`;
    const known = this.#constants.get(key);
    if (known) return known;
    const value: Value = { id: this.#ids++, type, shape, constant: elements };
    this.#constants.set(key, value);
    return value;
  }

  scalar(type: GraphType, element: number): Value {
    return this.constant(type, [], [element]);
  }

  /** Shapes, axes and indices as operators want them: int64, shape [n]. */
  indices(elements: readonly number[]): Value {
    return this.constant('int64', [elements.length], elements);
  }

  /** An operator with one output. */
  apply(
    op: string,
    inputs: readonly Value[],
    output: OutputType,
    attributes: Readonly<Record<string, Attribute>> = {},
    domain = '',
  ): Value {
    // A product with 1 is the other factor; gradients begin with one.
    if (op === 'Mul') {
      const at = inputs.findIndex(({ constant }) => constant?.length === 1 && constant[0] === 1);
      const other = inputs[1 - at];
      if (at >= 0 && sameShape(other.shape, output.shape)) return other;
    }
    return this.applyAll(op, inputs, [output], attributes, domain)[0];
  }

  applyAll(
    op: string,
    inputs: readonly Value[],
    outputs: readonly OutputType[],
    attributes: Readonly<Record<string, Attribute>> = {},
    domain = '',
  ): readonly Value[] {
    if (commutative.has(op)) inputs = [...inputs].sort((x, y) => x.id - y.id);
    // What has no elements is known; ONNX Runtime's fusions and kernels need not see it.
    if (outputs.every(({ shape }) => sizeOf(shape) === 0))
      return outputs.map(({ type, shape }) => this.constant(type, shape, []));
    const key = `${domain}.${op}(${inputs.map(({ id }) => id)})${JSON.stringify(attributes)}${outputs.map(({ type }) => type)}`;
    let node = this.#known.get(key);
    if (!node) {
      const made: { -readonly [K in keyof Node]: Node[K] } = { op, domain, inputs, outputs: [], attributes };
      made.outputs = outputs.map(({ type, shape }) => ({ id: this.#ids++, type, shape, node: made }));
      node = made;
      this.#known.set(key, node);
    }
    return node.outputs;
  }

  /** The same elements in another shape. */
  reshape(value: Value, shape: readonly number[]): Value {
    if (sameShape(value.shape, shape)) return value;
    if (value.constant) return this.constant(value.type, shape, value.constant);
    const source = value.node?.op === 'Reshape' ? value.node.inputs[0] : value;
    if (sameShape(source.shape, shape)) return source;
    return this.apply('Reshape', [source, this.indices(shape)], { type: value.type, shape }, { allowzero: 1 });
  }

  /** Axis i of the result is axis perm[i] of the value. */
  transpose(value: Value, perm: readonly number[]): Value {
    if (perm.every((p, i) => p === i)) return value;
    const shape = perm.map((p) => value.shape[p]);
    const long = perm.filter((p) => value.shape[p] !== 1);
    if (sizeOf(shape) <= 1 || long.every((p, i) => i === 0 || long[i - 1] < p)) return this.reshape(value, shape);
    if (value.node?.op === 'Transpose') {
      const before = value.node.attributes.perm as readonly number[];
      return this.transpose(
        value.node.inputs[0],
        perm.map((p) => before[p]),
      );
    }
    return (
      this.#transposedProduct(value, perm) ?? this.apply('Transpose', [value], { type: value.type, shape }, { perm })
    );
  }

  /** A product of matrices whose rows and columns change places: (A B)ᵀ = Bᵀ Aᵀ, which costs no transpose. */
  #transposedProduct(value: Value, perm: readonly number[]): Value | undefined {
    const { node } = value.node?.op === 'Reshape' ? value.node.inputs[0] : value;
    if (value.type !== 'float32' || (node?.op !== 'MatMul' && node?.op !== 'FusedMatMul')) return undefined;
    const [product] = node.outputs;
    const rank = product.shape.length;
    const [left, right] = node.inputs;
    const lead = product.shape.slice(0, -2);
    if (left.shape.length !== rank || right.shape.length !== rank) return undefined;
    // The axes of the value that are batch, then rows, then columns of the product.
    const upTo = (from: number, size: number) => {
      let to = from;
      for (let n = 1; n < size; to++) n *= value.shape[to];
      return to;
    };
    const rows = upTo(0, sizeOf(lead));
    const columns = upTo(rows, product.shape[rank - 2]);
    const lengths = [value.shape.slice(0, rows), value.shape.slice(rows, columns)].map(sizeOf);
    if (lengths[0] !== sizeOf(lead) || lengths[1] !== product.shape[rank - 2]) return undefined;
    const axes = perm.map((_, a) => a);
    const swapped = [...axes.slice(0, rows), ...axes.slice(columns), ...axes.slice(rows, columns)];
    if (!swapped.every((a, i) => a === perm[i])) return undefined;
    const { transA = 0, transB = 0 } = node.attributes as Record<string, number>;
    const of = { type: value.type, shape: [...lead, product.shape[rank - 1], product.shape[rank - 2]] };
    const flags = { ...node.attributes, transA: 1 - transB, transB: 1 - transA };
    const made = this.apply('FusedMatMul', [right, left], of, flags, 'com.microsoft');
    return this.reshape(
      made,
      perm.map((p) => value.shape[p]),
    );
  }

  cast(value: Value, type: GraphType): Value {
    if (value.type === type) return value;
    if (value.constant) {
      return this.constant(type, value.shape, value.constant.map(conversions[type]));
    }
    return this.apply('Cast', [value], { type, shape: value.shape }, { to: type });
  }

  /** The nodes that the outputs need, each after those it needs. */
  nodes(outputs: readonly Value[]): Node[] {
    const order: Node[] = [];
    const seen = new Set<Node>();
    const stack = outputs.flatMap(({ node }) => (node ? [node] : [])).reverse();
    const opened = new Set<Node>();
    while (stack.length > 0) {
      const node = stack[stack.length - 1];
      if (seen.has(node)) {
        stack.pop();
        continue;
      }
      if (opened.has(node)) {
        stack.pop();
        seen.add(node);
        order.push(node);
        continue;
      }
      opened.add(node);
      for (const { node: before } of node.inputs) if (before && !seen.has(before)) stack.push(before);
    }
    return order;
  }
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, i) => length === b[i]);
}
