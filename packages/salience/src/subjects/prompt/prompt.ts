/** @file The prompt subject: a decoder and a text. Keeping continues the text from a cache that was cut to what is kept. */

import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type Budget, countOfShare, printBudget } from '../../core/budget.ts';
import { BudgetError, InputError, ParameterError } from '../../core/errors.ts';
import type { Block, Report } from '../../core/report.ts';
import type { Run } from '../../core/run.ts';
import type { AnyScores, Scores } from '../../core/scores.ts';
import type { Selection } from '../../core/select.ts';
import type { SubjectKind } from '../../core/subject.ts';
import { afterCutPrompt, type CachePolicy, fullCache, type LayerPolicy } from '../../models/generation/cache-policy.ts';
import { CachedDecoder, type DecoderModel } from '../../models/generation/cached-decoder.ts';
import { type GenerateOptions, generate } from '../../models/generation/generate.ts';
import type { Sampling } from '../../models/generation/sampling.ts';
import { loadWeights, openPretrained, type Pretrained } from '../../models/pretrained/open-pretrained.ts';
import { document } from '../../models/recall-language/document.ts';
import { readText } from '../reading.ts';
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
  /** Bits a number of the entries that stay is rounded to; absent: they are left as they are. */
  readonly bits?: number;
}

/** Tells cache scores from others. */
function isCacheScores(scores: AnyScores): scores is CacheScores {
  return 'policy' in scores;
}

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
    const text = await readText(path, 'the prompt');
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
    // Read one by one, tokens of the prompt would be dropped by the policy before the selection is made of it.
    const going: GenerateOptions = { maxTokens: tokens, temperature, topK, topP, block: Math.max(2, block), run };
    const goOn = async (policy: CachePolicy): Promise<Written> => {
      const { counted, held } = counting(policy, subject.tokens.length);
      const made = await generate(subject.model, subject.tokens, { ...going, policy: counted });
      return { ...made, text: subject.decode(made.tokens), held };
    };
    const cut = await goOn(policy);
    const full = await goOn(fullCache);
    const written = cut.text;
    if (path !== undefined) {
      await writeBeside(path, { force }, (temporary) =>
        writeFile(temporary, written.endsWith('\n') ? written : `${written}\n`),
      );
    }
    return reportOf(subject, selection, kept, {
      name: policy.name,
      bits: scores.bits,
      cut,
      full,
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
 * that 100% cuts nothing. A count is one of entries at any time; one above all that there will be keeps all.
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
  const all = tokens.length + continuation.tokens;
  const each =
    amount.kind === 'share'
      ? countOfShare(amount.share, all)
      : Math.min(all, budget.within === 'group' ? amount.count : Math.ceil(amount.count / lanes));
  const { longest, words } = lengthsOf(kept);
  try {
    if (longest === 0) throw new ParameterError('a text does not go on from no entry');
    return scores.policy(Math.max(each, longest) + 1);
  } catch (error) {
    if (!(error instanceof ParameterError)) throw error;
    throw new BudgetError(
      `budget ${printBudget(budget)} leaves each of ${lanes} heads ${words} of ${tokens.length} entries: ${error.message}`,
      { cause: error },
    );
  }
}

/** Entries of the lane that keeps the most, and those of all lanes in words: "122", or "121 to 122" where lanes differ. */
function lengthsOf(kept: readonly (readonly Int32Array[])[]): { longest: number; words: string } {
  const lengths = kept.flat().map(({ length }) => length);
  const longest = lengths.reduce((most, n) => Math.max(most, n), 0);
  const shortest = lengths.reduce((least, n) => Math.min(least, n), longest);
  return { longest, words: shortest === longest ? `${longest}` : `${shortest} to ${longest}` };
}

/** Entries of all lanes of all layers. */
interface Held {
  /** Right after the prompt. */
  prompt: number;
  /** When the text ended. */
  end: number;
}

/** The policy as it is, and how many entries it leaves in the cache of a prompt of so many tokens. */
function counting(policy: CachePolicy, tokens: number): { counted: CachePolicy; held: Held } {
  const now: number[] = [];
  const held: Held = { prompt: 0, end: 0 };
  const counted: CachePolicy = {
    ...policy,
    layer(layer, shape) {
      const inner = policy.layer(layer, shape);
      return {
        see: (rows, view) => inner.see(rows, view),
        retain(view, moment) {
          const retained = inner.retain(view, moment);
          now[layer] = retained
            ? retained.entries.reduce((sum, { length }) => sum + length, 0)
            : view.lengths.reduce((sum, length) => sum + length, 0);
          held.end = now.reduce((sum, entries) => sum + entries, 0);
          if (view.fed === tokens) held.prompt = held.end;
          return retained;
        },
      };
    },
  };
  return { counted, held };
}

interface Written {
  readonly text: string;
  readonly tokens: readonly number[];
  /** Bytes of the cache's arrays, with the places in them that are still free. */
  readonly cacheBytes: number;
  readonly held: Held;
}

function reportOf(
  { model, tokens, pieces }: Prompt,
  { budget, kept: units }: Selection,
  kept: readonly (readonly Int32Array[])[],
  { name, bits, cut, full, path }: { name: string; bits?: number; cut: Written; full: Written; path?: string },
): Report {
  const { headSize } = model.config;
  const lanes = kept.flat();
  const holders = new Float64Array(tokens.length);
  for (const lane of lanes) for (const position of lane) holders[position]++;
  const bytes = (entries: number) => 8 * headSize * entries;
  const row = (when: string, before: number, after: number) => [
    when,
    before,
    after,
    `${((100 * after) / before).toFixed(2)}%`,
  ];
  const parting = cut.tokens.findIndex((token, t) => token !== full.tokens[t]);
  const parts = parting < 0 && cut.tokens.length < full.tokens.length ? cut.tokens.length : parting;
  const written =
    cut.tokens.length === full.tokens.length
      ? `${cut.tokens.length} new tokens`
      : `${full.tokens.length} new tokens, cut ${cut.tokens.length}`;
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
        row(`entries after the prompt of ${tokens.length} tokens`, bytes(full.held.prompt), bytes(cut.held.prompt)),
        row(`entries after ${written}`, bytes(full.held.end), bytes(cut.held.end)),
        row('arrays, with free places', full.cacheBytes, cut.cacheBytes),
      ],
    },
  ];
  const further = units.length - cut.held.prompt;
  if (further > 0)
    blocks.push({ kind: 'text', text: `Of the ${units.length} entries kept, ${name} drops ${further} more at once.` });
  if (bits !== undefined) {
    blocks.push({
      kind: 'text',
      text: `Numbers that stay are rounded to ${bits} bits; the arrays are float32 still. In ${bits} bits the entries after the prompt would take ${(bytes(cut.held.prompt) * bits) / 32} bytes, without their scales.`,
    });
  }
  if (path !== undefined) blocks.push({ kind: 'text', text: `The continuation is written to ${path}.` });
  return {
    title: `${lengthsOf(kept).words} of ${tokens.length} entries kept in each of ${lanes.length} heads (budget ${printBudget(budget)})`,
    blocks,
  };
}
