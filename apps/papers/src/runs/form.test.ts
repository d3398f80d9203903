import { catalogue, parseParams } from 'salience';
import { openPretrained } from 'salience/models';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { exampleOf, folderOf } from './bundled-model.ts';
import { cardOf } from './cards.ts';
import { commandLine } from './command-line.ts';
import { closedNames, fieldsOf, readForm } from './form.ts';
import { acceptedFor } from './inputs.ts';
import { checkRun, formsOf } from './request.ts';

const schema = z.object({
  share: z.number().gt(0).max(1).default(0.5).describe('a share'),
  count: z.int().positive().default(3).describe('a count'),
  shape: z.enum(['round', 'square']).default('round').describe('a shape'),
  loud: z.boolean().default(true).describe('whether'),
  sizes: z.array(z.int().min(2)).default([4, 8]).describe('sizes'),
  folder: z.string().optional().describe('a folder'),
});
const of = { owner: 'made-up', prefix: 'p.' as const, schema };

/** What the form of these fields posts when nothing is touched. */
function untouched(fields: ReturnType<typeof fieldsOf>): Record<string, string> {
  return Object.fromEntries(fields.map(({ input, value }) => [input, value]));
}

describe('the form of a schema', () => {
  it('has a field for each number, switch, choice and list of numbers, with bounds and defaults', () => {
    expect(fieldsOf(of)).toEqual([
      {
        input: 'p.share',
        name: 'share',
        description: 'a share',
        value: '0.5',
        kind: 'number',
        min: 0,
        max: 1,
        step: 'any',
      },
      { input: 'p.count', name: 'count', description: 'a count', value: '3', kind: 'number', min: 1, step: 1 },
      {
        input: 'p.shape',
        name: 'shape',
        description: 'a shape',
        value: 'round',
        kind: 'choice',
        choices: ['round', 'square'],
      },
      { input: 'p.loud', name: 'loud', description: 'whether', value: 'true', kind: 'switch' },
      { input: 'p.sizes', name: 'sizes', description: 'sizes', value: '4, 8', kind: 'list' },
    ]);
  });

  it('leaves out a text that nobody has found harmless, and refuses it when it is sent all the same', () => {
    expect(closedNames(of)).toEqual(['folder']);
    const { values, errors } = readForm(of, { 'p.folder': '/etc' });
    expect(values).toEqual({});
    expect(errors['p.folder']).toMatch(/not taken from the web/);
  });

  it('refuses what no database takes for a text', async () => {
    const { params } = formsOf((await cardOf('lexrank'))!);
    for (const text of ['a\0b', 'half a pair: \ud83d']) {
      expect(readForm(params, { 'p.query': text }).errors).toEqual({ 'p.query': 'has a character that is no text' });
    }
    expect(readForm(params, { 'p.query': 'a whole pair: \ud83d\ude00' }).errors).toEqual({});
  });

  it('gives back what differs from the defaults, each as its type', () => {
    const posted = { 'p.share': '0.25', 'p.count': '3', 'p.loud': 'false', 'p.sizes': '2, 16', 'p.shape': 'round' };
    expect(readForm(of, posted)).toEqual({ values: { share: 0.25, loud: false, sizes: [2, 16] }, errors: {} });
  });

  it('tells every mistake beside its input', () => {
    const posted = { 'p.share': '2', 'p.count': 'many', 'p.shape': 'oval', 'p.sizes': '1', 'p.size': '3' };
    const { errors } = readForm(of, posted);
    expect(Object.keys(errors).sort()).toEqual(['p.count', 'p.shape', 'p.share', 'p.size', 'p.sizes']);
    expect(errors['p.size']).toBe('made-up has no size');
  });

  it('takes names of JavaScript’s own for what they are: names that it does not have', () => {
    const { values, errors } = readForm(of, { 'p.__proto__': '1', 'p.constructor': '1', 'p.toString': '1' });
    expect(values).toEqual({});
    expect(Object.values(errors).every((message) => message.startsWith('made-up has no'))).toBe(true);
  });
});

describe.each(catalogue.map(({ id }) => id))('the form of %s', (id) => {
  it('sent untouched, gives the defaults', async () => {
    const card = (await cardOf(id))!;
    const { params, options } = formsOf(card);
    const { values, errors } = readForm(params, untouched(fieldsOf(params)));
    expect(errors).toEqual({});
    expect(values).toEqual({});
    expect(parseParams(card.method, values)).toEqual(parseParams(card.method));
    expect(readForm(options, untouched(fieldsOf(options)))).toEqual({ values: {}, errors: {} });
  });

  it('offers no text that reads like a path or an address', async () => {
    const { params, options } = formsOf((await cardOf(id))!);
    for (const form of [params, options]) {
      for (const field of fieldsOf(form)) {
        if (field.kind !== 'text' && field.kind !== 'list') continue;
        expect(field.description, field.name).not.toMatch(
          /\bfiles? (of|that|with)\b|folder|address|https?|@file|\.onnx/i,
        );
      }
    }
  });
});

const names = [
  ['semre-rank', 'p.vectors', '/etc/passwd'],
  ['semre-rank', 'p.seeds', 'term,@/etc/passwd'],
  ['responsiveness', 'p.actions', '/etc/passwd'],
  ['responsiveness', 'p.model', 'http://169.254.169.254/'],
  ['shap', 'p.model', '/tmp/model.onnx'],
  ['shapley-workflow', 'p.compare', 'tree,http://127.0.0.1:9200'],
  ['fifa', 'p.judge', 'http://127.0.0.1/'],
  ['quad', 'p.reference', '/etc/passwd'],
  ['quad', 'p.proxy', '/models'],
  ['influence', 'p.reference', 'secrets.jsonl'],
  ['dsir', 'p.reference', '-'],
  ['lexrank', 'o.background', '/etc'],
  ['wanda', 'o.calibrate', '/etc/passwd'],
  ['wanda', 'o.resume', '/tmp'],
  ['h2o', 'o.prompt', '/etc/passwd'],
] as const;

describe('a request', () => {
  it.each(names)('%s with %s = %s is refused', async (id, input, value) => {
    const checked = await checkRun((await cardOf(id))!, { fields: { [input]: value } });
    expect(checked).toHaveProperty(['errors', input]);
  });

  it('with a text is one with a file', async () => {
    const checked = await checkRun((await cardOf('lexrank'))!, {
      fields: { text: 'One.\r\nTwo.', budget: '1', seed: '7' },
    });
    expect(checked).toEqual({
      run: {
        method: 'lexrank',
        params: {},
        options: {},
        budget: '1',
        seed: 7,
        file: { name: 'pasted.txt', bytes: new TextEncoder().encode('One.\nTwo.') },
      },
    });
  });

  it.each([
    ['shap', { name: 'a.xlsx', bytes: new Uint8Array(8) }, /end in \.csv, \.jsonl, \.parquet/],
    ['shap', { name: 'a.csv', bytes: new Uint8Array() }, /is empty/],
    ['global-mp', { name: 'a.zip', bytes: new Uint8Array(8) }, /end in \.safetensors/],
    ['wanda', { name: 'a.safetensors', bytes: new Uint8Array(8) }, /end in \.txt/],
    ['h2o', { name: 'a.txt', bytes: new Uint8Array([65, 0xff]) }, /a\.txt.*byte 1/],
    ['h2o', { name: 'a.txt', bytes: new TextEncoder().encode(' \n ') }, /has 0 tokens; there is nothing to continue/],
    ['lexrank', { name: 'a.txt', bytes: new Uint8Array(5_000_001) }, /larger than 5 MB/],
  ])('%s with a file that is not taken is refused', async (id, file, message) => {
    const checked = await checkRun((await cardOf(id))!, { fields: {}, file });
    expect((checked as { errors: Record<string, string> }).errors.file).toMatch(message);
  });

  it('keeps no path in the name of a file', async () => {
    const bytes = new TextEncoder().encode('a,b\n1,2\n');
    const checked = await checkRun((await cardOf('lasso'))!, {
      fields: {},
      file: { name: '../../x\u202e\0/t.csv', bytes },
    });
    expect(checked).toMatchObject({ run: { file: { name: 't.csv' } } });
  });

  it('with a budget or a seed that is none says so', async () => {
    const checked = await checkRun((await cardOf('lexrank'))!, { fields: { budget: 'much', seed: '-1' } });
    expect(Object.keys((checked as { errors: object }).errors)).toEqual(['budget', 'seed']);
  });

  it.each([
    ['h2o', 'the ferry tows .', {}, undefined],
    ['h2o', 'gulls '.repeat(976), {}, undefined],
    ['h2o', 'gulls '.repeat(977), {}, 'has 977 tokens, with 48 new ones 1,025; the model has 1,024 positions'],
    ['h2o', 'gulls '.repeat(977), { 'o.tokens': '40' }, undefined],
    [
      'h2o',
      'gulls '.repeat(800_000),
      {},
      'has more than 16,667 tokens before 48 new ones; the model has 1,024 positions',
    ],
    ['wanda', 'gulls '.repeat(1024), {}, undefined],
    [
      'wanda',
      'gulls '.repeat(1_000),
      {},
      'has 1,000 tokens, fewer than one block of 1,024; give a longer text or a smaller length',
    ],
    ['wanda', 'gulls '.repeat(1_000), { 'o.length': '500' }, undefined],
    [
      'gblm',
      'gulls',
      { 'o.length': '128' },
      'has 1 token, fewer than one block of 128; give a longer text or a smaller length',
    ],
  ])(
    'of %s with a text for the bundled model tells beside the text whether it can be read',
    async (id, text, more, error) => {
      const checked = await checkRun((await cardOf(id))!, { fields: { text, ...more } });
      expect('errors' in checked ? checked.errors : {}).toEqual(error === undefined ? {} : { text: error });
    },
  );

  it('with blocks that the bundled model cannot read says so beside their length', async () => {
    const checked = await checkRun((await cardOf('wanda'))!, { fields: { text: 'gulls', 'o.length': '2000' } });
    expect(checked).toEqual({ errors: { 'o.length': 'is above 1,024, the positions of the model' } });
  });
});

describe('what the form says of the bundled model', () => {
  it.each(['h2o', 'wanda'])('is what it is: %s', async (id) => {
    const { reading } = acceptedFor((await cardOf(id))!.method.subject.kind);
    const { config, tokenizer } = await openPretrained(folderOf(reading!));
    const { vocabularySize } = await tokenizer();
    expect(reading!.hint).toContain(`a made-up language of ${vocabularySize} words`);
    if (reading!.option === 'prompt') expect(reading!.hint).toContain(config.positions.toLocaleString('en-US'));
    expect(await exampleOf(reading!)).toContain('note : ');
  });

  it('begins with options that its own text fills', async () => {
    const { reading } = acceptedFor('language-model');
    const options = Object.entries(reading!.options).map(([name, value]) => [`o.${name}`, value] as const);
    const text = await exampleOf(reading!);
    const checked = await checkRun((await cardOf('wanda'))!, { fields: { text, ...Object.fromEntries(options) } });
    expect(checked).toMatchObject({ run: { options: { samples: 16, length: 128 } } });
  });
});

describe('a run as a line for the terminal', () => {
  const line = async (method: string, name: string, more: object = {}) => {
    const run = { method, params: {}, options: {}, budget: '25%', seed: 0, input: { kind: 'file' as const, name } };
    return commandLine((await cardOf(method))!, { ...run, ...more });
  };

  it('gives a text to the bundled model by the option that reads it', async () => {
    expect(await line('snapkv', 'my prompt.txt', { options: { tokens: 16 }, params: { window: 4 } })).toBe(
      "npx salience keep packages/salience/examples/recall --by snapkv --budget 25% --prompt 'my prompt.txt' --tokens 16 --set window=4",
    );
    expect(await line('wanda', '-.txt', { options: { samples: 16, length: 128 } })).toBe(
      'npx salience keep packages/salience/examples/recall --by wanda --budget 25% --calibrate ./-.txt --samples 16 --length 128 --out kept',
    );
  });

  it('writes Parquet like the Parquet it was given', async () => {
    expect(await line('random-examples', 'a.parquet')).toBe(
      'npx salience keep a.parquet --by random-examples --budget 25% --out kept.parquet',
    );
  });
});
