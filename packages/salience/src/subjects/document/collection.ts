/** @file A collection of documents, each a list of sentences: the subject of the text methods. */

export interface Sentence {
  /** The sentence as written, white space folded. */
  readonly text: string;
  /** Index of its document in the collection. */
  readonly document: number;
  /** Its place in its document, from 0. */
  readonly position: number;
}

export interface TextDocument {
  readonly name: string;
  readonly sentences: readonly Sentence[];
}

export interface Collection {
  /** BCP 47 tag, e.g. "en". */
  readonly language: string;
  readonly documents: readonly TextDocument[];
  /** All sentences, document after document, in reading order. */
  readonly sentences: readonly Sentence[];
  /** Texts that show the language at large; word statistics come from here where a method asks for them. */
  readonly background?: Collection;
}
