import { describe, expect, it } from 'vitest';
import { madeConfigs, madeDecoder, madeTokens } from '../../../test/made-decoders.ts';
import type { Parameters } from '../../nn/parameters.ts';
import { compile, type JaxArray } from '../../runtime/index.ts';
import type { DecoderConfig } from './config.ts';
import { decoder } from './decoder.ts';
import { layerPoints, modelPoints, shapeAt } from './points.ts';

/** The points that the table gives a model of this config, by their full names. */
function pointsOf({ layers, sparse, experts }: DecoderConfig): string[] {
  const inLayer = (n: number) =>
    layerPoints.flatMap(({ name }) => {
      if (/^mlp\.(gate|up|hidden)$/.test(name) && sparse[n]) return [];
      if (/^mlp\.(router|experts)/.test(name) && !sparse[n]) return [];
      const count = name.includes('.E.') ? experts!.count : 1;
      return Array.from({ length: count }, (_, e) => `layers.${n}.${name.replace('.E.', `.${e}.`)}`);
    });
  return [...modelPoints.map(({ name }) => name), ...Array.from({ length: layers }, (_, n) => inLayer(n)).flat()];
}

describe('points', () => {
  it.each(Object.keys(madeConfigs))(
    '%s: a pass comes by each point once, with the shape that the table says',
    async (name) => {
      const { config, weights } = madeDecoder(name);
      const met: [string, readonly number[]][] = [];
      const program = compile((parameters: Parameters, tokens: JaxArray) =>
        decoder(parameters, config, tokens, {
          tap: (point, value) => {
            met.push([point, value.shape]);
            return value;
          },
        }),
      );
      await program(weights as never, madeTokens(3, 5));
      await program.dispose();
      expect(met.map(([point]) => point).sort()).toEqual(pointsOf(config).sort());
      for (const [point, shape] of met) expect([point, shapeAt(config, point, 3, 5)]).toEqual([point, [...shape]]);
    },
  );

  it('are in the table in the order of the pass', async () => {
    const { config, weights } = madeDecoder('dense, tied');
    const met: string[] = [];
    const program = compile((parameters: Parameters, tokens: JaxArray) =>
      decoder(parameters, config, tokens, {
        tap: (point, value) => {
          met.push(point);
          return value;
        },
      }),
    );
    await program(weights as never, madeTokens(1, 2));
    await program.dispose();
    const inLayer = met.filter((point) => point.startsWith('layers.0.')).map((point) => point.slice(9));
    expect(inLayer).toEqual(layerPoints.map(({ name }) => name).filter((name) => inLayer.includes(name)));
  });

  it.each([
    ['a name that is none', 'layers.0.attention.weight'],
    ['a layer above the last', 'layers.2.input'],
    ['an expert of a dense layer', 'layers.0.mlp.experts.0.hidden'],
    ['the gate of a sparse layer', 'layers.1.mlp.gate'],
    ['an expert above the last', 'layers.1.mlp.experts.5.hidden'],
    ['an expert without a number', 'layers.1.mlp.experts.E.hidden'],
    ['a point of a layer without its layer', 'attention.weights'],
  ])('%s is refused, with those there are', (_, point) => {
    const { config } = madeDecoder('of one dense layer and one of experts, as Qwen names them');
    expect(() => shapeAt(config, point, 1, 1)).toThrow(
      new RegExp(
        `no point "${point.replaceAll('.', '\\.')}" in this model of 2 layers; points are .*attention\\.weights`,
      ),
    );
  });
});
