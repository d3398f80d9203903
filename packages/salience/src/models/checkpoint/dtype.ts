/** @file Number formats of tensors on disk, and how they read as float32. */

/** Bytes an element takes, by safetensors name. */
export const bytesOf: Readonly<Record<string, number>> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  F8_E8M0: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  I64: 8,
  U64: 8,
  F64: 8,
  C64: 8,
};

/** Formats whose weights can be scored. */
export type FloatType = 'F32' | 'F16' | 'BF16';

export function isFloatType(dtype: string): dtype is FloatType {
  return dtype === 'F32' || dtype === 'F16' || dtype === 'BF16';
}

let halfTable: Float32Array | undefined;

/** The float32 value of every 16-bit pattern of IEEE half precision, shape [65536]. */
function halves(): Float32Array {
  halfTable ??= Float32Array.from({ length: 65536 }, (_, h) => {
    const sign = h & 0x8000 ? -1 : 1;
    const exponent = (h >> 10) & 31;
    const fraction = h & 1023;
    if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
    return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
  });
  return halfTable;
}

/**
 * Reads little-endian elements as float32 into `out`; both have shape [n], `bytes` aligned to the element. F32 is copied bit
 * for bit, F16 and BF16 are exact.
 */
export function toFloat32(dtype: FloatType, bytes: Uint8Array, out: Float32Array): void {
  const n = out.length;
  switch (dtype) {
    case 'F32':
      out.set(new Float32Array(bytes.buffer, bytes.byteOffset, n));
      return;
    case 'BF16': {
      const from = new Uint16Array(bytes.buffer, bytes.byteOffset, n);
      const to = new Uint32Array(out.buffer, out.byteOffset, n);
      for (let i = 0; i < n; i++) to[i] = from[i] << 16;
      return;
    }
    case 'F16': {
      const from = new Uint16Array(bytes.buffer, bytes.byteOffset, n);
      const table = halves();
      for (let i = 0; i < n; i++) out[i] = table[from[i]];
      return;
    }
  }
}

/** The bfloat16 pattern nearest to a float32 pattern, ties to even; a NaN stays one. */
function nearestBrain(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

/** The half-precision pattern nearest to a float32 pattern, ties to even; 65,520 and above become infinite, a NaN stays one. */
function nearestHalf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const size = bits & 0x7fffffff;
  if (size > 0x7f800000) return sign | 0x7e00;
  if (size >= 0x477ff000) return sign | 0x7c00;
  if (size >= 0x38800000) return sign | ((size + 0xfff + ((size >>> 13) & 1) - 0x38000000) >>> 13);
  if (size < 0x33000000) return sign;
  const shift = 126 - (size >>> 23); // below 2⁻¹⁴: a multiple of 2⁻²⁴
  const mantissa = (size & 0x7fffff) | 0x800000;
  const kept = mantissa >>> shift;
  const rest = mantissa & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return sign | (kept + (rest > half || (rest === half && (kept & 1) === 1) ? 1 : 0));
}

/**
 * Writes float32 values, shape [n], as little-endian elements into `out`, aligned to the element; F32 is copied bit for bit,
 * F16 and BF16 round to the nearest, ties to even.
 */
export function fromFloat32(dtype: FloatType, values: Float32Array, out: Uint8Array): void {
  const n = values.length;
  if (dtype === 'F32') {
    new Float32Array(out.buffer, out.byteOffset, n).set(values);
    return;
  }
  const from = new Uint32Array(values.buffer, values.byteOffset, n);
  const to = new Uint16Array(out.buffer, out.byteOffset, n);
  const nearest = dtype === 'F16' ? nearestHalf : nearestBrain;
  for (let i = 0; i < n; i++) to[i] = nearest(from[i]);
}
