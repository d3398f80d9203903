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
