/** @file The words of the recall language: three domains, keys, values and the few words between them; each word is one token. */

/** Words that belong to one domain alone. Nouns and verbs have a singular and a plural form at the same index. */
export interface Domain {
  readonly name: string;
  readonly nouns: readonly string[];
  readonly pluralNouns: readonly string[];
  /** Places: singular nouns that follow a preposition. */
  readonly places: readonly string[];
  readonly verbs: readonly string[];
  readonly pluralVerbs: readonly string[];
  readonly adjectives: readonly string[];
  readonly adverbs: readonly string[];
}

const split = (words: string): string[] => words.split(' ');

function domain(
  name: string,
  nouns: string,
  places: string,
  verbs: string,
  adjectives: string,
  adverbs: string,
): Domain {
  const pairs = (words: string) => split(words).map((pair) => pair.split('/'));
  return {
    name,
    nouns: pairs(nouns).map(([singular]) => singular),
    pluralNouns: pairs(nouns).map(([, plural]) => plural),
    places: split(places),
    verbs: pairs(verbs).map(([singular]) => singular),
    pluralVerbs: pairs(verbs).map(([, plural]) => plural),
    adjectives: split(adjectives),
    adverbs: split(adverbs),
  };
}

/** The domains of documents. */
export const domains: readonly Domain[] = [
  domain(
    'harbour',
    'sailor/sailors ship/ships gull/gulls boat/boats captain/captains crane/cranes fisher/fishers tug/tugs ferry/ferries seal/seals',
    'pier dock mast reef quay beach',
    'hauls/haul moors/moor steers/steer tows/tow anchors/anchor loads/load greets/greet follows/follow',
    'salty windy rusty tidal foggy nautical wet weathered',
    'ashore seaward slowly aboard loudly downwind',
  ),
  domain(
    'kitchen',
    'cook/cooks baker/bakers waiter/waiters knife/knives pan/pans oven/ovens guest/guests onion/onions loaf/loaves kettle/kettles',
    'table stove pantry sink counter cellar',
    'stirs/stir bakes/bake chops/chop serves/serve tastes/taste warms/warm seasons/season fills/fill',
    'tasty spicy crisp buttery hungry fresh steaming sweet',
    'gently twice quickly evenly daily indoors',
  ),
  domain(
    'observatory',
    'astronomer/astronomers star/stars planet/planets comet/comets lens/lenses telescope/telescopes moon/moons probe/probes galaxy/galaxies student/students',
    'dome horizon zenith orbit tower sky',
    'circles/circle measures/measure maps/map dims/dim watches/watch tracks/track outshines/outshine records/record',
    'distant bright stellar faint lunar dark cosmic massive',
    'nightly overhead precisely westward silently yearly',
  ),
];

/** The things that have a property in a document; which one it is says only the document. */
export const keys: readonly string[] = split(
  'lantern ladder mirror basket drum violin carpet candle helmet hammer wagon statue bottle saddle curtain pillow ' +
    'bucket blanket trumpet compass locket diary ribbon barrel cradle chariot dagger easel fiddle goblet harness inkwell ' +
    'jacket kite lute mallet needle organ parcel quilt rocket scarf teapot umbrella vase wallet yoke zither ' +
    'anvil bell cabinet desk envelope flute gate hourglass idol jar key lamp medal net oar pipe',
);

/** The properties that a key can have. */
export const values: readonly string[] = split(
  'amber azure beige black blue bronze brown coral crimson cyan golden gray green indigo ivory jade ' +
    'lavender lilac magenta maroon mauve mint navy ochre olive orange pearl pink plum purple red ruby ' +
    'russet sapphire scarlet silver tan teal turquoise umber violet white yellow emerald wooden stone glass paper ' +
    'iron copper brass leather silk cotton woolen marble ceramic plastic rubber wicker tin clay linen velvet',
);

/** Prepositions of the places. */
export const prepositions: readonly string[] = ['near', 'under', 'behind', 'above'];

/** Token put at the start of each document. */
export const beginToken = 0;

/** Token of words outside the vocabulary. */
export const unknownToken = 1;

/** The words of all tokens, in the order of their ids. */
export const vocabulary: readonly string[] = [
  ...['<s>', '<unk>', '.', ':', 'note', 'ask', 'the', 'every', 'and'],
  ...prepositions,
  ...domains.flatMap(({ name, ...classes }) => Object.values(classes).flat()),
  ...keys,
  ...values,
];

const ids = new Map(vocabulary.map((word, id) => [word, id]));

/** The token of a word; `unknownToken` for one outside the vocabulary. */
export function tokenOf(word: string): number {
  return ids.get(word) ?? unknownToken;
}

/** The tokens of words between spaces. */
export function tokensOf(text: string): Int32Array {
  return Int32Array.from(text.split(/\s+/).filter(Boolean), tokenOf);
}

/** The words of tokens, with spaces between them. */
export function textOf(tokens: ArrayLike<number>): string {
  return Array.from(tokens, (token) => vocabulary[token]).join(' ');
}

/** The vocabulary as a Hugging Face `tokenizer.json`: whole words, split at white space. */
export function tokenizerJson() {
  const special = (id: number) => ({
    id,
    content: vocabulary[id],
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  });
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [special(beginToken), special(unknownToken)],
    normalizer: null,
    pre_tokenizer: { type: 'WhitespaceSplit' },
    post_processor: null,
    decoder: null,
    model: { type: 'WordLevel', vocab: Object.fromEntries(ids), unk_token: vocabulary[unknownToken] },
  };
}
