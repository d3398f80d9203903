/** @file XML of feeds, read without entities of its own and within limits, and the plain text of HTML in it. */

import { XMLParser, XMLValidator } from 'fast-xml-parser';
import sanitizeHtml from 'sanitize-html';
import { UnreadableFile } from './items.ts';

const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** A text with the five entities of XML and numbered characters as themselves; others stay as they are written. */
function decoded(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(amp|lt|gt|quot|apos));/gi, (whole, decimal, hex, name) => {
    if (name) return named[name.toLowerCase()];
    const code = decimal ? Number(decimal) : Number.parseInt(hex, 16);
    return code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? whole : String.fromCodePoint(code);
  });
}

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  parseTagValue: false,
  parseAttributeValue: false,
  processEntities: false,
  trimValues: true,
  removeNSPrefix: true,
  textNodeName: '#text',
  cdataPropName: '#cdata',
});

/** An element: its children by name, its attributes by "@name", its text under "#text". */
export interface Element {
  readonly [name: string]: unknown;
}

/**
 * Parses a document.
 * @throws UnreadableFile where it is no XML, is over `maxBytes` characters, or declares entities.
 */
export function readXml(text: string, maxBytes = 20_000_000): Element {
  if (text.length > maxBytes) throw new UnreadableFile(`the XML is over ${maxBytes.toLocaleString('en')} characters`);
  if (/<!(?:ENTITY|DOCTYPE)/i.test(text)) throw new UnreadableFile('XML with a document type is not read');
  const valid = XMLValidator.validate(text);
  if (valid !== true) throw new UnreadableFile(`line ${valid.err.line}: not XML: ${valid.err.msg}`);
  return parser.parse(text) as Element;
}

/** The children of this name, none where there are none. */
export function children(element: Element, name: string): Element[] {
  const found = element[name];
  const list = Array.isArray(found) ? found : found === undefined ? [] : [found];
  return list.map((child) => (typeof child === 'object' && child !== null ? (child as Element) : { '#text': child }));
}

/** The text of an element itself. */
export function textOf(element: Element | undefined): string {
  if (!element) return '';
  const parts = (name: string) =>
    (Array.isArray(element[name]) ? element[name] : [element[name] ?? '']).map(String).join('');
  return (decoded(parts('#text')) + parts('#cdata')).trim();
}

/** The text of the first child of this name. */
export function childText(element: Element, name: string): string {
  return textOf(children(element, name)[0]);
}

/** An attribute's value. */
export function attribute(element: Element, name: string): string {
  return decoded(String(element[`@${name}`] ?? ''));
}

/** HTML as plain text on one line. */
export function plainText(html: string): string {
  const spaced = html.replace(/<(?:br|\/p|\/div|\/li|\/h\d)\b[^>]*>/gi, ' ');
  const bare = sanitizeHtml(spaced, { allowedTags: [], allowedAttributes: {} });
  return decoded(bare).replace(/\s+/g, ' ').trim();
}
