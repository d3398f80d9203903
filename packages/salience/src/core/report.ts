/** @file Report: tables, charts and text as data. The terminal and the web page each render it in their own way. */

export type Cell = string | number;

/** A passage of text with the score that kept it. */
export interface Passage {
  readonly text: string;
  readonly score: number;
  /** Where it comes from, e.g. the document's name. */
  readonly source?: string;
}

/** A point of a swarm. */
export interface SwarmPoint {
  readonly x: number;
  /** Shown as colour, between the least and the greatest of the chart. */
  readonly shade?: number;
}

/** A picture as data. */
export type Chart =
  | {
      /** One row of points for each label, moved aside where they would cover each other; also called a beeswarm. */
      readonly type: 'swarm';
      readonly x: string;
      /** What the colour says. */
      readonly shade?: string;
      readonly rows: readonly {
        readonly label: string;
        readonly points: readonly SwarmPoint[];
        /** A value marked with a star. */
        readonly star?: number;
      }[];
    }
  | {
      /** From one value to another by steps. */
      readonly type: 'waterfall';
      readonly x: string;
      readonly from: { readonly label: string; readonly value: number };
      readonly steps: readonly { readonly label: string; readonly change: number }[];
      readonly to: { readonly label: string; readonly value: number };
    }
  | {
      /** Closed curves around a centre, each beside the circle or curve that was expected. */
      readonly type: 'halo';
      /** What the radius is. */
      readonly radius: string;
      readonly rings: readonly {
        readonly label: string;
        readonly expected: number;
        /** Angles in radians, ascending. */
        readonly points: readonly { readonly angle: number; readonly radius: number }[];
      }[];
    }
  | {
      /** Lines over a number. */
      readonly type: 'lines';
      readonly x: string;
      readonly y: string;
      readonly lines: readonly {
        readonly label: string;
        readonly points: readonly { readonly x: number; readonly y: number }[];
      }[];
    }
  | {
      /** A grid of shares, such as the patches of an image. */
      readonly type: 'heat';
      readonly rows: number;
      readonly columns: number;
      /** Row after row. */
      readonly values: readonly number[];
      readonly of: string;
    };

export type Block =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'table'; readonly columns: readonly string[]; readonly rows: readonly (readonly Cell[])[] }
  | {
      readonly kind: 'bars';
      readonly unit: string;
      readonly bars: readonly { readonly label: string; readonly value: number }[];
    }
  | { readonly kind: 'chart'; readonly title: string; readonly chart: Chart }
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
