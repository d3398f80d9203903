/** @file Report: tables, charts and text as data. The terminal and the web page each render it in their own way. */

export type Cell = string | number;

/** A passage of text with the score that kept it. */
export interface Passage {
  readonly text: string;
  readonly score: number;
  /** Where it comes from, e.g. the document's name. */
  readonly source?: string;
}

export type Block =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'table'; readonly columns: readonly string[]; readonly rows: readonly (readonly Cell[])[] }
  | {
      readonly kind: 'bars';
      readonly unit: string;
      readonly bars: readonly { readonly label: string; readonly value: number }[];
    }
  | { readonly kind: 'passages'; readonly passages: readonly Passage[] }
  | {
      /** A text in parts, each with a share between 0 and 1 that is shown as heat. */
      readonly kind: 'strip';
      /** What the share is one of. */
      readonly of: string;
      readonly parts: readonly { readonly text: string; readonly share: number }[];
    };

export interface Report {
  readonly title: string;
  readonly blocks: readonly Block[];
}
