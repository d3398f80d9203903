/** @file Array programs: traced and differentiated by jax-js, run by ONNX Runtime. */

export type { Array as JaxArray } from '@jax-js/jax';
export {
  grad,
  hessian,
  jacfwd,
  jacobian,
  jacrev,
  jit,
  jvp,
  lax,
  linearize,
  nn,
  numpy,
  tree,
  valueAndGrad,
  vjp,
  vmap,
} from '@jax-js/jax';
export type { BackendOptions } from './backend.ts';
export { type Compiled, compile, type Tensors, type Tree } from './compile.ts';
export { LoweringError } from './lowering/lower.ts';
export { layerNorm, rmsNorm, softmax } from './operators.ts';
export { type ElementType, float32, int32, Tensor } from './tensor.ts';
