/** @file Networks one can look inside, their files and tokenizers, and generation. */

export { readRows, readTensors } from './checkpoint/read-tensors.ts';
export * from './checkpoint/write-safetensors.ts';
export * from './cnn/resnet.ts';
export * from './cnn/weights.ts';
export * from './decoder/config.ts';
export * from './decoder/decoder.ts';
export * from './decoder/inspect.ts';
export * from './decoder/layer-walk.ts';
export * from './decoder/linear-maps.ts';
export * from './decoder/memory.ts';
export * from './decoder/points.ts';
export * from './decoder/read-config.ts';
export { initialWeights, parameterCount, weightShapes } from './decoder/weights.ts';
export * from './generation/cache-policy.ts';
export * from './generation/cached-decoder.ts';
export * from './generation/generate.ts';
export * from './generation/perplexity.ts';
export * from './generation/sampling.ts';
export * from './pretrained/generation.ts';
export * from './pretrained/open-pretrained.ts';
export * from './pretrained/write-pretrained.ts';
export * as recallLanguage from './recall-language/index.ts';
export * from './tokenizer/tokenizer.ts';
export * from './vit/config.ts';
export * from './vit/vit.ts';
export * from './vit/weights.ts';
