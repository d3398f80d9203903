/** @file Abbreviations that end in a full stop without ending a sentence. */

import { baseLanguage } from './language.ts';

export interface Abbreviations {
  /** Never the end of a sentence: a name or the rest of the phrase follows. */
  readonly leading: ReadonlySet<string>;
  /** Not the end of a sentence where a number follows. */
  readonly numbered: ReadonlySet<string>;
  /** The end of a sentence only where a word follows that likes to begin one. */
  readonly trailing: ReadonlySet<string>;
  /** Words that are written with a capital where they begin a sentence, and hardly elsewhere. */
  readonly starters: ReadonlySet<string>;
  /** A full stop after a small number makes it an ordinal. */
  readonly ordinals: boolean;
}

const words = (list: string): ReadonlySet<string> => new Set(list.split(/\s+/));

const lists: Readonly<Record<string, Abbreviations>> = {
  en: {
    leading: words(
      `mr mrs ms mx dr prof rev fr hon gov sen rep pres gen col maj capt cmdr lt sgt cpl pvt adm messrs mme mlle mt ft
       vs v cf e.g i.e viz eg ie ca`,
    ),
    numbered: words(
      `no nos nr fig figs eq eqs p pp vol vols ch chap sec sect art arts par para app tab ref refs ex op cap approx c
       jan feb mar apr jun jul aug sep sept oct nov dec`,
    ),
    trailing: words(
      `etc al inc ltd co corp llc plc bros jr sr esq st ave blvd rd dept univ assn est ed eds hr hrs min sec lb lbs oz
       ph.d m.d b.a m.a b.sc m.sc`,
    ),
    starters: words(
      `the a an this that these those he she it we they you i his her its our their my your there here in on at by for from
       with without as if when while after before since although though because but and or so yet however then thus
       what who whose which why how where some many most all both each every no not one only also even such other others
       another several few is are was were do does did during until once under over despite meanwhile today later`,
    ),
    ordinals: false,
  },
  de: {
    leading: words(
      `dr prof hr hrn fr frl st ing dipl mag z.b d.h u.a z.t i.d.r v.a bzw vgl ggf evtl inkl exkl zzgl sog geb gest
       röm kath ev bes insb einschl rd ca cf vs`,
    ),
    numbered: words(
      'nr nrn s abb tab bd bde kap art abs aufl ziff anm fn jh jhd jan feb mrz apr jun jul aug sep sept okt nov dez um',
    ),
    trailing: words('usw etc u.s.w al co ag mio mrd jr sen jun str tel verf hg hrsg min std n.chr v.chr chr'),
    starters: words(
      `der die das den dem des ein eine einen einem einer dieser diese dieses er sie es wir ihr ich man sein seine ihre in im
       am an auf bei mit von vom zu zum zur nach vor seit für durch über unter wenn als weil da doch aber und oder so dann
       danach dort hier heute jedoch nur auch was wer wie wo warum viele alle nicht kein keine`,
    ),
    ordinals: true,
  },
  fr: {
    leading: words('m mm mme mmes mlle mlles dr pr me st ste mgr cf p.ex c.-à-d càd env vs r.p'),
    numbered: words('no nos n p pp vol fig art chap ch éd t tab éq janv févr avr juil sept oct nov déc av apr'),
    trailing: words('etc al cie s.a jr ed éd j.-c av bd tél hab min'),
    starters: words(
      `le la les l un une des du de d ce cet cette ces il elle ils elles on nous vous je j tu c son sa ses leur leurs mon ma
       notre votre en dans sur sous à au aux par pour avec sans après avant depuis pendant lorsque quand si comme mais et ou
       or donc car ainsi puis alors aujourd qui que qu quoi où tout tous toutes plusieurs certains aucun`,
    ),
    ordinals: false,
  },
  es: {
    leading: words('sr sra srta sres dr dra d dña prof profa lic ing gral cap sto sta fr mons p.ej ej cf vs aprox'),
    numbered: words('no núm n.º n p pp pág págs vol fig art cap tab ed ene feb mar abr jun jul ago sept oct nov dic'),
    trailing: words('etc al ud uds vd vds cía s.a ee.uu ee uu jr a.c d.c av avda tel'),
    starters: words(
      `el la los las lo un una unos unas este esta estos estas ese esa él ella ellos ellas se su sus mi nuestro yo en de del
       a al con por para sin sobre desde hasta tras durante según cuando si como pero y o así luego entonces no también
       qué quién todo todos muchos algunos cada hoy`,
    ),
    ordinals: false,
  },
  it: {
    leading: words(
      'sig sigg sig.ra sig.na dott dott.ssa prof prof.ssa ing avv arch geom on sen mons s p.es es cfr cf vs ca',
    ),
    numbered: words(
      'n nn nr p pp pag pagg vol voll fig figg art artt cap tab ed gen feb mar apr giu lug ago set sett ott nov dic',
    ),
    trailing: words('ecc etc al s.p.a s.r.l co jr a.c d.c tel'),
    starters: words(
      `il lo la i gli le l un uno una un questo questa questi queste quello egli lui lei essi loro si suo sua suoi in nel nella
       di del della da dal dalla a al alla con per su sul senza dopo prima durante quando se come ma e o così poi allora non
       anche che chi tutto tutti molti alcuni ogni oggi`,
    ),
    ordinals: false,
  },
  pt: {
    leading: words('sr sra srs srta dr dra d dª prof profa eng gen cap sto sta mons p.ex ex cf vs aprox'),
    numbered: words(
      'n no nº núm p pp pág págs vol fig art arts cap tab ed jan fev mar abr mai jun jul ago set out nov dez',
    ),
    trailing: words('etc al cia ltda s.a jr e.u.a a.c d.c av tel'),
    starters: words(
      `o a os as um uma uns umas este esta estes estas esse essa isso ele ela eles elas eu nós seu sua seus suas em no na nos
       nas de do da dos das ao à com por pelo pela para sem sobre desde até após durante quando se como mas e ou assim então
       depois não também que quem todo todos muitos alguns cada hoje`,
    ),
    ordinals: false,
  },
};

const others: Abbreviations = {
  leading: words('dr prof st vs cf'),
  numbered: words('nr no p pp fig'),
  trailing: words('etc al co'),
  starters: new Set(),
  ordinals: false,
};

/** The abbreviations of a language; a few international ones where it has no list. */
export function abbreviationsOf(language: string): Abbreviations {
  const base = baseLanguage(language);
  return Object.hasOwn(lists, base) ? lists[base] : others;
}
