/** @file Languages by their BCP 47 tags. */

import { ParameterError } from '../../core/errors.ts';

const bases = new Map<string, string>();

/**
 * The language of a tag without script and region: "pt-BR" is "pt".
 * @throws ParameterError if the tag is none.
 */
export function baseLanguage(tag: string): string {
  let base = bases.get(tag);
  if (base === undefined) {
    try {
      base = new Intl.Locale(tag).language;
    } catch {
      throw new ParameterError(
        `${JSON.stringify(tag)} is not a language tag; English is en, Brazilian Portuguese pt-BR`,
      );
    }
    bases.set(tag, base);
  }
  return base;
}
