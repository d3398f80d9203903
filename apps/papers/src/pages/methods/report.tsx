/** @file A report as HTML, made on the server from the same tree that the browser uses. */

import { type Child, jsx } from 'hono/jsx';
import type { Report } from 'salience/core';
import { type Element, type PictureOf, reportTree } from './report-tree.ts';

function rendered({ tag, attributes, children }: Element): Child {
  const given = Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
  return jsx(tag, given, ...children.map((child) => (typeof child === 'string' ? child : rendered(child)))) as Child;
}

/** A report in the page. */
export function ReportView({
  report,
  pictureOf = () => undefined,
}: {
  report: Report & { readonly remarks?: readonly string[] };
  pictureOf?: PictureOf;
}) {
  return <>{rendered(reportTree(report, pictureOf))}</>;
}
