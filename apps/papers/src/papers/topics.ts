/** @file Topics: themes that readers follow. A paper belongs to those whose phrases and arXiv categories it shows. */

import { sql } from 'drizzle-orm';
import { type Database, type Drizzle, latestRevision } from '../database/connect.ts';
import { topics as table } from '../database/schema.ts';
import type { Site } from '../site.ts';

export interface Topic {
  readonly id: string;
  readonly name: string;
  /** One sentence: what belongs here. */
  readonly says: string;
  /** Words and phrases of title and abstract, in lower case. */
  readonly phrases: readonly string[];
  /** arXiv categories that speak for it, though never alone. */
  readonly categories: readonly string[];
}

/** The topics that an empty database gets. */
const seeded: readonly Topic[] = [
  {
    id: 'pruning',
    name: 'Pruning and sparsity',
    says: 'Which weights, neurons, heads or layers a network can do without.',
    phrases: [
      'pruning',
      'prune',
      'pruned',
      'sparsity',
      'sparse network',
      'lottery ticket',
      'structured sparsity',
      'weight importance',
      'layer importance',
      'redundant parameters',
    ],
    categories: ['cs.LG', 'cs.NE'],
  },
  {
    id: 'quantisation',
    name: 'Quantisation and compression',
    says: 'Models made smaller by fewer bits, fewer splats or a shared form.',
    phrases: [
      'quantization',
      'quantisation',
      'mixed precision',
      'bit width',
      'low bit',
      'model compression',
      'compress',
      'compression',
      'distillation',
      'codebook',
    ],
    categories: ['cs.LG'],
  },
  {
    id: 'attention-and-cache',
    name: 'Attention and KV cache',
    says: 'Which tokens are attended to and kept, so that long contexts fit and run fast.',
    phrases: [
      'kv cache',
      'key-value cache',
      'attention heads',
      'sparse attention',
      'token pruning',
      'token eviction',
      'long context',
      'long-context',
      'attention scores',
      'cache eviction',
      'prefilling',
    ],
    categories: ['cs.CL', 'cs.LG'],
  },
  {
    id: 'language-models',
    name: 'Language models',
    says: 'Large language models: how they are trained, run and asked.',
    phrases: [
      'large language model',
      'large language models',
      'language model',
      'language models',
      'llm',
      'llms',
      'instruction tuning',
      'prompt',
      'in-context learning',
      'pretraining',
    ],
    categories: ['cs.CL'],
  },
  {
    id: 'fine-tuning',
    name: 'Tuning and merging',
    says: 'Models fitted to a task with few parameters, or made one from several.',
    phrases: [
      'fine-tuning',
      'finetuning',
      'parameter-efficient',
      'lora',
      'adapter',
      'adapters',
      'peft',
      'model merging',
      'task vectors',
      'continual learning',
    ],
    categories: ['cs.LG', 'cs.CL'],
  },
  {
    id: 'explanations',
    name: 'Explanations and features',
    says: 'Which inputs a prediction rests on, and how far such an account can be believed.',
    phrases: [
      'feature importance',
      'feature attribution',
      'explainable',
      'explainability',
      'explanations',
      'interpretability',
      'interpretable',
      'shap',
      'shapley',
      'lime',
      'saliency',
      'feature selection',
      'counterfactual',
    ],
    categories: ['cs.LG', 'stat.ML', 'cs.AI'],
  },
  {
    id: 'data-selection',
    name: 'Data selection',
    says: 'Which examples to learn from, which to leave out, and what each is worth.',
    phrases: [
      'data selection',
      'data pruning',
      'instance selection',
      'coreset',
      'data valuation',
      'influence function',
      'influence functions',
      'hard examples',
      'training examples',
      'preference data',
      'data quality',
      'active learning',
      'curriculum',
    ],
    categories: ['cs.LG'],
  },
  {
    id: 'vision',
    name: 'Vision',
    says: 'Images and video: seeing, segmenting, editing.',
    phrases: [
      'image',
      'images',
      'video',
      'videos',
      'visual',
      'object detection',
      'segmentation',
      'vision transformer',
      'vision-language',
      'image editing',
      'convolutional',
    ],
    categories: ['cs.CV', 'eess.IV'],
  },
  {
    id: 'scenes',
    name: 'Scenes in three dimensions',
    says: 'Radiance fields, Gaussian splats, point clouds and the views made from them.',
    phrases: [
      'gaussian splatting',
      '3d gaussian',
      '3dgs',
      'radiance field',
      'radiance fields',
      'nerf',
      'point cloud',
      'novel view synthesis',
      'rendering',
      '3d reconstruction',
    ],
    categories: ['cs.CV', 'cs.GR'],
  },
  {
    id: 'text-and-retrieval',
    name: 'Text and retrieval',
    says: 'Summaries, keyphrases, ranking and search.',
    phrases: [
      'summarization',
      'summarisation',
      'keyphrase',
      'keyphrases',
      'term extraction',
      'text mining',
      'retrieval',
      'retrieval-augmented',
      'ranking',
      'reranking',
      'search engine',
      'recommendation',
      'topic model',
    ],
    categories: ['cs.IR', 'cs.CL', 'cs.DL'],
  },
  {
    id: 'agents-and-reasoning',
    name: 'Agents and reasoning',
    says: 'Systems that plan, judge, use tools and learn by reward.',
    phrases: [
      'agent',
      'agents',
      'multi-agent',
      'reasoning',
      'chain of thought',
      'chain-of-thought',
      'tool use',
      'planning',
      'reinforcement learning',
      'reward model',
      'judge',
      'judges',
    ],
    categories: ['cs.AI', 'cs.MA', 'cs.RO'],
  },
  {
    id: 'graphs-and-networks',
    name: 'Graphs and networks',
    says: 'Learning on graphs, and what matters in them.',
    phrases: [
      'graph neural network',
      'graph neural networks',
      'gnn',
      'knowledge graph',
      'centrality',
      'pagerank',
      'link prediction',
      'graph attention',
      'node classification',
      'network analysis',
    ],
    categories: ['cs.SI'],
  },
  {
    id: 'health-and-science',
    name: 'Health and science',
    says: 'Learning in medicine, biology, chemistry, physics and the earth.',
    phrases: [
      'medical',
      'clinical',
      'patients',
      'disease',
      'diagnosis',
      'alzheimer',
      'cancer',
      'protein',
      'molecular',
      'molecule',
      'genomic',
      'biomedical',
      'climate',
      'physics-informed',
    ],
    categories: ['q-bio.QM', 'q-bio.BM', 'physics.comp-ph', 'eess.SP'],
  },
];

const wordsOf = (text: string): string[] =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu) ?? [];

/** Finds a topic's phrases in a text: weights of topics by id, 0 to 1. */
export type Assign = (paper: { title: string; abstract: string; categories: readonly string[] }) => Map<string, number>;

/**
 * The rule by which papers get their topics: a phrase in the title counts 3, in the abstract 1 (three times at most), a
 * category ½; weight = 1 − e^(−sum / 3), and below 0.4 there is none.
 */
export function assigner(topics: readonly Topic[]): Assign {
  // By their first word, so that a text is walked once.
  const phrases = new Map<string, { words: string[]; topic: number }[]>();
  topics.forEach(({ phrases: said }, topic) => {
    for (const phrase of said) {
      const words = wordsOf(phrase);
      if (words.length === 0) continue;
      const list = phrases.get(words[0]) ?? [];
      phrases.set(words[0], list);
      list.push({ words, topic });
    }
  });
  const count = (text: string) => {
    const counts = new Float64Array(topics.length);
    const words = wordsOf(text);
    for (let i = 0; i < words.length; i++) {
      for (const { words: phrase, topic } of phrases.get(words[i]) ?? []) {
        if (phrase.every((word, j) => words[i + j] === word)) counts[topic]++;
      }
    }
    return counts;
  };
  return ({ title, abstract, categories }) => {
    const inTitle = count(title);
    const inAbstract = count(abstract);
    const weights = new Map<string, number>();
    topics.forEach((topic, i) => {
      const said = 3 * inTitle[i] + Math.min(3, inAbstract[i]);
      if (said === 0) return;
      const placed = categories.some((category) => topic.categories.includes(category)) ? 0.5 : 0;
      const weight = 1 - Math.exp(-(said + placed) / 3);
      if (weight >= 0.4) weights.set(topic.id, Math.round(weight * 1e4) / 1e4);
    });
    return weights;
  };
}

/** All topics as the database has them; the seeded ones are put there first where it has none. */
export async function storedTopics(site: Site, tx: Drizzle): Promise<Topic[]> {
  const read = () => tx.select().from(table).orderBy(table.id);
  const found = await read();
  if (found.length > 0) return found;
  await tx
    .insert(table)
    .values(seeded.map((topic) => ({ ...topic, phrases: [...topic.phrases], categories: [...topic.categories] })))
    .onConflictDoNothing();
  site.log.info('topics seeded', { topics: seeded.length });
  return read();
}

/** The topics of a paper, the weightiest first; weights from 0.4 to 1. */
export async function topicsOf(site: Site, paper: string): Promise<{ id: string; name: string; weight: number }[]> {
  return site.database.rows(sql`
    SELECT t.id, t.name, pt.weight FROM paper_topics pt JOIN topics t ON t.id = pt.topic
    WHERE pt.paper = ${paper} ORDER BY pt.weight DESC, t.name`);
}

type CountedTopic = Topic & { readonly papers: number };

const counted = new WeakMap<Database, { readonly revision: number; readonly topics: Promise<CountedTopic[]> }>();

/** Every topic with the number of its papers, by name; counted once after each change. */
export async function allTopics(site: Site): Promise<CountedTopic[]> {
  const { database } = site;
  const revision = await latestRevision(database);
  const known = counted.get(database);
  if (known?.revision === revision) return known.topics;
  const topics = database.rows<CountedTopic>(sql`
    SELECT t.id, t.name, t.says, t.phrases, t.categories, coalesce(n.papers, 0) AS papers FROM topics t
    LEFT JOIN (SELECT topic, count(*)::int AS papers FROM paper_topics GROUP BY topic) n ON n.topic = t.id
    ORDER BY t.name`);
  counted.set(database, { revision, topics });
  topics.catch(() => counted.delete(database));
  return topics;
}

/** The topic with this id. */
export async function topicById(site: Site, id: string): Promise<Topic | undefined> {
  const [found] = await site.database.db.select().from(table).where(sql`${table.id} = ${id}`);
  return found;
}
