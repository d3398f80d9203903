/** @file A table of data, as all pages have it. */

import type { PropsWithChildren } from 'hono/jsx';

interface Table {
  /** What it is a table of, for those who do not see it. */
  readonly label: string;
  /** Heads of the columns; those of numbers stand to the right as the numbers do. */
  readonly columns: readonly (string | { readonly numbers: string })[];
}

/** A table whose rows are its children; where it is wider than the page it scrolls, by the keyboard too. */
export function DataTable({ label, columns, children }: PropsWithChildren<Table>) {
  return (
    <section class="table-scroll" aria-label={label} tabindex={0}>
      <table class="data">
        <thead>
          <tr>
            {columns.map((column) =>
              typeof column === 'string' ? (
                <th scope="col">{column}</th>
              ) : (
                <th scope="col" class="score">
                  {column.numbers}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}
