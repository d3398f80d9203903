import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitSentences } from './sentences.ts';
import { wordsOf } from './words.ts';

/** Cases are written with a bar between sentences. */
const cases: Record<string, string[]> = {
  en: [
    'Hello world.|My name is Jonas.',
    'Is it late?|Yes!|Go now.',
    'Dr. Watson met Mr. Holmes at 221B Baker St. yesterday.|He was in.',
    'Mrs. Hudson and Prof. Moriarty agree.|They rarely do.',
    'Lamps, e.g. Argand’s, need oil, i.e. Money.|That is all.',
    'Smith et al. Found nothing of the kind.',
    'See Smith et al.|The rest is noise.',
    'See Fig. 3 and eq. 4 on pp. 12–15.|It is shown in vol. II of the work.',
    'Tea vs. Coffee was the question.|No. 5 won.',
    'Did it burn?|No.|He looked again.',
    'J. R. R. Tolkien and C. S. Lewis met in 1926.|They talked.',
    'J.R.R. Tolkien wrote it.|George R. R. Martin did not.',
    'He moved to the U.S. in May.|He stayed in the U.S.|The rest is known.',
    'The U.S. Senate met.|Then it rested.',
    'It costs 3.14 euros, or .5 for members.|Version 2.0.1 is out.',
    'It opened in 1990.|25 ships passed on the first day.',
    'Wait... what?|Nothing... It was the wind.'.replace('... It', '...|It'),
    'Wait… she said.|Then…|Nothing.',
    'He left . . . and she stayed.|So it ended.',
    'The lamp (it was new.) shone.|The lens (from Paris) turned.',
    'He said (and meant it.)|Then he left.',
    '"It is late." He rose.'.replace('." H', '."|H'),
    '“Is it late?” he asked.|“Yes!”|She rose.',
    "'Go.'|'Why?'|'Because.'",
    'The light is bright.[12]|It turns.[3][4]|It is old.¹²|Enough.',
    'Mail a.b@example.com or see www.example.com/index.html now.|Thanks.',
    'Gen. Lee and Lt. Col. Smith of Acme Inc. Boston agreed.',
    'He works at Acme Inc.|She does too.',
    'We met at 5 p.m. Monday.|We left at 6 p.m.|It was dark.',
    'She has a Ph.D. in optics.|He has a Ph.D.|They teach.',
    'Bring rope, oil, etc. and wait.|Bring rope, etc.|We wait.',
    '1. Light the lamp.|2. Wind the clock.|3. Wait.',
    'See a) the lamp.|Then see (b) the lens.',
    'IV. The Keepers came later.',
    'What?!|No!!!|Never?...|So be it.',
    'Plan B. Was it good?'.replace('B. Was', 'B.|Was'),
    'On Jan. 5 and Sept. 11 it rained.|In Dec.|Nothing.'.replace('Dec.|Nothing', 'Dec.|Nothing'),
    'The iPhone came.|EBay did too.',
    'Yahoo! is a name.',
    'Mt. Fuji and St. Kilda are far.',
  ],
  de: [
    'Der Turm steht am 3. Oktober leer.|Das ist z. B. Absicht.',
    'Dr. Meier kam, d.h. Frau Meier ging.|Er blieb.',
    'Es kostet 1.000 Euro usw.|Der Rest ist bekannt.',
    'Er rief: „Komm!“|Dann ging er.',
    'Wir sahen Nr. 5 und Abb. 3, ggf. auch Tafel II.|Gut.',
  ],
  fr: [
    'M. Dupont et Mme. Curie sont là.|Il pleut.',
    'Le phare, cf. Cordouan, est vieux.|C’est l’art. 5 du texte.',
    'Il dit : « Viens ! »|Elle vint.',
    'De l’huile, etc.|Les lampes aussi.',
  ],
  es: ['El Sr. García y la Dra. López llegaron.|¿Cuándo?|¡Ayer!', 'Vive en EE. UU. desde 1990.|El resto es mar.'],
  it: ['Il sig. Rossi e il dott. Verdi vedono il faro.|È tardi.', 'Olio, lampade, ecc.|Il resto manca.'],
  pt: ['O Sr. Silva e a Dra. Costa vieram.|É tarde.', 'Veja a pág. 5 e o art. 3.|Os outros não.'],
  zh: ['灯塔很高。|它在海边！|“真的吗？”|是的。'],
  ja: ['灯台は高い。|海のそばにある。'],
  hi: ['यह एक प्रकाश स्तंभ है।|वह समुद्र के पास है।'],
  ar: ['هل هذا فنار؟|نعم.'],
  sv: ['Fyren är hög.|Den är gammal.'],
};

const table = Object.entries(cases).flatMap(([language, texts]) => texts.map((text) => [language, text] as const));

describe('splitSentences', () => {
  it.each(table)('%s: %s', (language, barred) => {
    const sentences = barred.split('|');
    expect(splitSentences(sentences.join(/zh|ja/.test(language) ? '' : ' '), language)).toEqual(sentences);
  });

  it('takes a single line break for a space and a blank line for an end', () => {
    expect(splitSentences('A lamp that\n  turns all\tnight\n \nand a log\r\nof the day', 'en')).toEqual([
      'A lamp that turns all night',
      'and a log of the day',
    ]);
    expect(splitSentences('One line\rand its rest\r\rAnother', 'en')).toEqual(['One line and its rest', 'Another']);
  });

  it('ends a sentence at the items of a list and drops their marks', () => {
    expect(splitSentences('We need\n- oil\n- rope, long\n  and strong\n* time\n\nGo', 'en')).toEqual([
      'We need',
      'oil',
      'rope, long and strong',
      'time',
      'Go',
    ]);
    expect(splitSentences('Steps:\n1) Light it\n2) Wind it\n3. Wait', 'en')).toEqual([
      'Steps:',
      '1) Light it',
      '2) Wind it',
      '3. Wait',
    ]);
  });

  it('takes a number or a dash at the start of a line of prose for prose', () => {
    expect(splitSentences('It was lit on May\n3. It was\n– so they say – a success.', 'en')).toEqual([
      'It was lit on May 3.',
      'It was – so they say – a success.',
    ]);
  });

  it('ends a sentence at headlines', () => {
    expect(splitSentences('# The lamp\nIt turns.\n## The lens ##\nIt bends', 'en')).toEqual([
      'The lamp',
      'It turns.',
      'The lens ##',
      'It bends',
    ]);
    expect(splitSentences('THE KEEPERS\nThey kept the UN\nUNESCO\nlog.', 'en')).toEqual([
      'THE KEEPERS',
      'They kept the UN UNESCO log.',
    ]);
    expect(splitSentences('The lamp\n========\nIt turns', 'en')).toEqual(['The lamp', 'It turns']);
  });

  it('gives no sentence without a letter or a digit', () => {
    expect(splitSentences('', 'en')).toEqual([]);
    expect(splitSentences(' \n\n***\n\n... !? —\n', 'en')).toEqual([]);
    expect(splitSentences('It ended. *** *** It began.', 'en')).toEqual(['It ended.', '*** *** It began.']);
  });

  it('keeps every word, whatever the text', () => {
    const scrap = fc.constantFrom(
      ...[
        '.',
        '. ',
        '! ',
        '?',
        '…',
        '\n',
        '\n\n',
        ' ',
        ' - ',
        '\n- ',
        '"',
        '”',
        ')',
        '[1]',
        '。',
        '．',
        '3',
        '3.5',
        'a',
        'U.S.',
      ],
      ...[
        'Mr',
        'Mr. ',
        'etc. ',
        'The',
        'lamp',
        'Émile',
        '灯',
        '# ',
        '1. ',
        "l'",
        '-',
        'z. B. ',
        '\t',
        '\r',
        'e\u0301',
        '😀',
      ],
    );
    const text = fc.oneof(
      fc.array(scrap, { maxLength: 60 }).map((scraps) => scraps.join('')),
      fc.string({ unit: 'grapheme', maxLength: 80 }).map((text) => text.normalize('NFKC')),
    );
    fc.assert(
      fc.property(text, fc.constantFrom('en', 'de', 'fr', 'sv'), (text, language) => {
        const sentences = splitSentences(text, language);
        for (const sentence of sentences) {
          expect(sentence).toMatch(/[\p{L}\p{N}]/u);
          expect(sentence).not.toMatch(/^\s|\s$|\s\s|\n/);
        }
        expect(sentences.flatMap((sentence) => wordsOf(sentence, language))).toEqual(wordsOf(text, language));
      }),
      { numRuns: 1000 },
    );
  });

  it('finds the same sentences again in what it found', () => {
    const paragraph = 'Mr. Smith met J. R. Jones at 5 p.m. in the U.S. The lamp burned. "Go!" he said. They went...';
    const sentences = splitSentences(paragraph, 'en');
    expect(splitSentences(sentences.join(' '), 'en')).toEqual(sentences);
    expect(splitSentences(sentences.join('\n\n'), 'en')).toEqual(sentences);
  });

  it('splits a line of four megabytes', () => {
    const sentence = 'Mr. Smith kept the light for 40 years.';
    const sentences = splitSentences(`${sentence} `.repeat(100_000), 'en');
    expect(sentences).toHaveLength(100_000);
    expect(new Set(sentences)).toEqual(new Set([sentence]));
  });

  it.each(['.', '. ', '"', '! - ', 'Mr. ', 'a. ', '(', '\n', '- ', '1. ', ' ', 'ā', '。', '[1]', 'a.\n\n'])(
    'takes two million characters of %j in its stride',
    (scrap) => {
      const text = scrap.repeat(2e6 / scrap.length);
      const words = (t: string) => t.match(/[a-zāM0-9]/g)?.length ?? 0;
      expect(splitSentences(text, 'en').reduce((sum, sentence) => sum + words(sentence), 0)).toBe(words(text));
    },
  );
});
