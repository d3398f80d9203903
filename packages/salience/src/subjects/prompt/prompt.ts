/** @file The prompt subject: a decoder and a text. Keeping continues the text from a cache that was cut to what is kept. */

import { readFile, stat, writeFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type Budget, countOfShare, printBudget } from '../../core/budget.ts';
import { BudgetError, InputError, ParameterError } from '../../core/errors.ts';
import type { Block, Report } from '../../core/report.ts';
import type { Run } from '../../core/run.ts';
import type { AnyScores, Scores } from '../../core/scores.ts';
import type { Selection } from '../../core/select.ts';
import type { SubjectKind } from '../../core/subject.ts';
import { afterCutPrompt, type CachePolicy, type LayerPolicy } from '../../models/generation/cache-policy.ts';
import { CachedDecoder, type DecoderModel } from '../../models/generation/cached-decoder.ts';
import { type GenerateOptions, generate } from '../../models/generation/generate.ts';
import type { Sampling } from '../../models/generation/sampling.ts';
import { loadWeights, openPretrained, type Pretrained } from '../../models/pretrained/open-pretrained.ts';
import { document } from '../../models/recall-language/document.ts';
import { decodeText } from '../document/decoding.ts';
import { writeBeside } from '../writing.ts';

/** A decoder and a text that it has yet to read. */
export interface Prompt {
  readonly model: DecoderModel;
  /** Token ids, shape [tokens]. */
  readonly tokens: Int32Array;
  /** The text of each token, as it stands in the text. */
  readonly pieces: readonly string[];
  /** The text of ids. */
  readonly decode: (ids: ArrayLike<number>) => string;
  /** How the text goes on. */
  readonly continuation: Continuation;
  /** Reads the prompt densely once and shows each layer's observer its attention, in blocks. */
  observe(observer: (layer: number) => Pick<LayerPolicy, 'see'>, run: Run): Promise<void>;
}

/** How a text goes on. */
export interface Continuation extends Sampling {
  /** New tokens at the most. */
  readonly tokens: number;
  /** Tokens of the prompt read at a time. */
  readonly block: number;
}

/** Scores of each entry of the prompt: layer by layer, head by head, by position. */
export interface CacheScores extends Scores {
  /** The policy with which the text goes on when a query attends to `entries` at the most, its own among them. */
  policy(entries: number): CachePolicy;
}

/** Tells cache scores from others. */
function isCacheScores(scores: AnyScores): scores is CacheScores {
  return 'policy' in scores;
}

const maxText = 2 ** 28;

const options = z.object({
  prompt: z
    .string({ error: 'name the text that the model reads with --prompt, or - for standard input' })
    .describe('text file that the model reads and continues; - is standard input'),
  tokens: z.int().nonnegative().default(48).describe('new tokens at the most'),
  temperature: z.number().nonnegative().default(0).describe('0: always the likeliest token; else tokens are drawn'),
  topK: z.int().positive().optional().describe('only the k likeliest tokens are drawn from'),
  topP: z.number().gt(0).max(1).optional().describe('only the likeliest tokens up to this probability are drawn from'),
  block: z.int().positive().default(256).describe('tokens of the prompt read at a time; fewer take less memory'),
});

/**
 * A prompt of a model in memory.
 * @param text the prompt, token ids, and how they read; without `decode`, ids are written as numbers.
 * @throws InputError for a prompt that is empty, longer than the model's positions leave room for, or a weight that is not finite.
 */
export function promptInMemory(
  model: DecoderModel,
  { tokens, decode = (ids) => Array.from(ids, (id) => ` ${id}`).join('') }: Pick<Prompt, 'tokens'> & Partial<Prompt>,
  given: Partial<Continuation> = {},
): Prompt {
  const continuation: Continuation = { tokens: 48, block: 256, ...given };
  const { positions } = model.config;
  if (tokens.length === 0) throw new InputError('the prompt is empty; there is nothing to continue');
  if (tokens.length + continuation.tokens > positions) {
    throw new InputError(
      `the prompt has ${tokens.length} tokens, and with ${continuation.tokens} new ones ${tokens.length + continuation.tokens}; the model has ${positions} positions`,
    );
  }
  for (const [name, { data }] of Object.entries(model.weights)) {
    let sum = 0;
    for (let i = 0; i < data.length; i++) sum += 0 * data[i]; // not 0 once one is not finite
    if (sum === 0) continue;
    const at = data.findIndex((weight) => !Number.isFinite(weight));
    throw new InputError(`${name}: weight ${at} is ${data[at]}; weights must be finite`);
  }
  return {
    model,
    tokens,
    pieces: piecesOf(tokens, decode),
    decode,
    continuation,
    async observe(observer, run) {
      const policy: CachePolicy = {
        name: 'observer',
        needsAttention: true,
        capacity: () => Infinity,
        layer(layer) {
          const seen = observer(layer);
          return { see: (rows, view) => seen.see(rows, view), retain: () => undefined };
        },
      };
      await new CachedDecoder(model, { policy, block: continuation.block }).prompt(tokens, run);
    },
  };
}

/** What each token adds to the text before it; most tokenizers need the one before to tell. */
function piecesOf(tokens: Int32Array, decode: Prompt['decode']): string[] {
  return Array.from(tokens, (token, t) => {
    const alone = decode([token]);
    if (t === 0) return alone;
    const before = decode([tokens[t - 1]]);
    const both = decode([tokens[t - 1], token]);
    return both.startsWith(before) ? both.slice(before.length) : alone;
  });
}

/** The shipped model that has learnt the recall language. */
const bundled = fileURLToPath(new URL('../../../examples/recall', import.meta.url));

export const prompt: SubjectKind<Prompt, typeof options> = {
  kind: 'prompt',
  accepts: 'a folder with config.json, model.safetensors (or shards) and tokenizer.json; --prompt names the text',
  options,
  needsOutput: false,

  async load(paths, { prompt: path, ...continuation }, run) {
    if (paths.length !== 1 || paths[0] === '-')
      throw new InputError(`a prompt is read by one model, a folder; given were ${paths.join(', ')}`);
    const pretrained = await openPretrained(paths[0]);
    const tokenizer = await pretrained.tokenizer();
    const text = await readPrompt(path);
    const tokens = await tokenizer.encode(text, run, { special: true });
    return opened(pretrained, tokens, (ids) => tokenizer.decode(ids), continuation, run);
  },

  /** A document of the recall language up to the answer of its last question. */
  async sample(run) {
    const pretrained = await openPretrained(bundled);
    const tokenizer = await pretrained.tokenizer();
    const { tokens, questions } = document(run.random('prompt'), { length: 256, facts: 8, questions: 4 });
    const asked = tokens.subarray(0, questions[questions.length - 1].position);
    return opened(pretrained, asked, (ids) => tokenizer.decode(ids), { tokens: 16 }, run);
  },

  async keep(subject, { scores, selection }, { path, force }, run) {
    if (!isCacheScores(scores) || !('kept' in selection))
      throw new InputError(`a prompt keeps the entries of its cache, not ${scores.unit}s`);
    const { tokens, temperature, topK, topP, block } = { ...subject.continuation };
    const kept = lanesOf(subject, selection);
    const policy = afterCutPrompt(policyAt(subject, scores, selection.budget, kept), kept);
    const going: GenerateOptions = { maxTokens: tokens, temperature, topK, topP, block, run };
    const cut = await generate(subject.model, subject.tokens, { ...going, policy });
    const full = await generate(subject.model, subject.tokens, going);
    const written = subject.decode(cut.tokens);
    if (path !== undefined) {
      await writeBeside(path, { force }, (temporary) =>
        writeFile(temporary, written.endsWith('\n') ? written : `${written}\n`),
      );
    }
    return reportOf(subject, selection, kept, {
      name: policy.name,
      cut: { ...cut, text: written },
      full: { ...full, text: subject.decode(full.tokens) },
      path,
    });
  },
};

async function opened(
  pretrained: Pretrained,
  tokens: Int32Array,
  decode: Prompt['decode'],
  continuation: Partial<Continuation>,
  run: Run,
): Promise<Prompt> {
  const config = { ...pretrained.config, endTokens: pretrained.generation.endTokens };
  const { layers, keyValueHeads, headSize } = config;
  const length = tokens.length + (continuation.tokens ?? 0);
  const weights = await loadWeights(pretrained, run, {
    purpose: 'forward',
    tokens: continuation.block ?? 256,
    cacheBytes: 8 * layers * keyValueHeads * headSize * length,
  });
  return promptInMemory({ config, weights }, { tokens, decode }, continuation);
}

async function readPrompt(path: string): Promise<string> {
  if (path === '-') return decodeText(await buffer(process.stdin), 'standard input');
  const stats = await stat(path).catch(() => undefined);
  if (!stats?.isFile()) throw new InputError(`${path}: no such file`);
  if (stats.size > maxText) throw new InputError(`${path}: has more than ${maxText.toLocaleString('en-US')} bytes`);
  return decodeText(await readFile(path), path);
}

/** For each layer and lane, the positions that are kept, ascending. */
function lanesOf({ model, tokens }: Prompt, { kept }: Selection): Int32Array[][] {
  const { layers, keyValueHeads } = model.config;
  const lanes = Array.from({ length: layers * keyValueHeads }, () => [] as number[]);
  for (const unit of kept) lanes[Math.floor(unit / tokens.length)].push(unit % tokens.length);
  return Array.from({ length: layers }, (_, layer) =>
    lanes.slice(layer * keyValueHeads, (layer + 1) * keyValueHeads).map((positions) => Int32Array.from(positions)),
  );
}

/**
 * The policy that goes on. A share is one of the text as it grows: when its new tokens are written a head holds that share of all, so
 * that 100% cuts nothing. A count is one of entries at any time.
 */
function policyAt(
  { model, tokens, continuation }: Prompt,
  scores: CacheScores,
  budget: Budget,
  kept: readonly (readonly Int32Array[])[],
): CachePolicy {
  const { amount } = budget;
  if (amount.kind !== 'share' && amount.kind !== 'count')
    throw new BudgetError(
      `a cache is cut to a share or a number of its entries, such as 25%, not ${printBudget(budget)}`,
    );
  const lanes = model.config.layers * model.config.keyValueHeads;
  const each =
    amount.kind === 'share'
      ? countOfShare(amount.share, tokens.length + continuation.tokens)
      : budget.within === 'group'
        ? amount.count
        : Math.ceil(amount.count / lanes);
  const longest = kept.flat().reduce((most, { length }) => Math.max(most, length), 0);
  try {
    if (longest === 0) throw new ParameterError('a text does not go on from no entry');
    return scores.policy(Math.max(each, longest) + 1);
  } catch (error) {
    if (!(error instanceof ParameterError)) throw error;
    throw new BudgetError(
      `budget ${printBudget(budget)} leaves each of ${lanes} heads ${longest} of ${tokens.length} entries: ${error.message}`,
      { cause: error },
    );
  }
}

interface Written {
  readonly text: string;
  readonly tokens: readonly number[];
  readonly cacheBytes: number;
}

function reportOf(
  { model, tokens, pieces, continuation }: Prompt,
  { budget }: Selection,
  kept: readonly (readonly Int32Array[])[],
  { name, cut, full, path }: { name: string; cut: Written; full: Written; path?: string },
): Report {
  const { layers, keyValueHeads, headSize } = model.config;
  const lanes = kept.flat();
  const holders = new Float64Array(tokens.length);
  for (const lane of lanes) for (const position of lane) holders[position]++;
  const longest = lanes.reduce((most, { length }) => Math.max(most, length), 0);
  const bytes = (entries: number) => 8 * layers * keyValueHeads * headSize * entries;
  const row = (when: string, before: number, after: number) => [
    when,
    before,
    after,
    `${((100 * after) / before).toFixed(2)}%`,
  ];
  const parting = cut.tokens.findIndex((token, t) => token !== full.tokens[t]);
  const parts = parting < 0 && cut.tokens.length < full.tokens.length ? cut.tokens.length : parting;
  const blocks: Block[] = [
    { kind: 'text', text: `Continued with ${name}; the first token still comes of the whole prompt:\n${cut.text}` },
    {
      kind: 'text',
      text:
        parts < 0
          ? 'With the full cache the text is the same.'
          : `With the full cache, which writes another token ${parts + 1}:\n${full.text}`,
    },
    {
      kind: 'strip',
      of: `heads that keep a token of the prompt, of ${lanes.length}`,
      parts: pieces.map((text, t) => ({ text, share: holders[t] / lanes.length })),
    },
    {
      kind: 'table',
      columns: ['cache', 'bytes, full', 'bytes, cut', 'share'],
      rows: [
        row(`after the prompt of ${tokens.length} tokens`, bytes(tokens.length), bytes(longest)),
        row(`with ${continuation.tokens} new tokens`, full.cacheBytes, cut.cacheBytes),
      ],
    },
  ];
  if (path !== undefined) blocks.push({ kind: 'text', text: `The continuation is written to ${path}.` });
  return {
    title: `${longest} of ${tokens.length} entries kept in each of ${lanes.length} heads (budget ${printBudget(budget)})`,
    blocks,
  };
}
